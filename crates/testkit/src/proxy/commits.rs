//! Finds the `COMMIT` in what a client of PostgreSQL says.
//!
//! Format: <https://www.postgresql.org/docs/current/protocol-message-formats.html>. A message is a letter, a length that
//! counts itself, and a body; the first ones of a connection have no letter.

/// The version in the message that begins a session; what comes before it asks for encryption.
const SESSION: [u8; 4] = [0, 3, 0, 0];

/// No `COMMIT` is longer.
const LONGEST: usize = 64;

/// Reads along with a client.
#[derive(Debug, Default)]
pub(super) struct Commits {
    in_session: bool,
    head: Vec<u8>,
    /// Bytes of the message's body that are still to come, once the head is whole.
    left: Option<u64>,
    /// The start of the body.
    body: Vec<u8>,
}

impl Commits {
    /// Whether a `COMMIT` ends in these bytes, which follow those of the last call.
    pub(super) fn end_in(&mut self, mut bytes: &[u8]) -> bool {
        let mut found = false;
        while !bytes.is_empty() {
            bytes = match self.left {
                None => self.read_head(bytes),
                Some(left) => self.read_body(bytes, left),
            };
            if self.left == Some(0) {
                found |= self.head[0] == b'Q' && self.body.eq_ignore_ascii_case(b"COMMIT\0");
                self.head.clear();
                self.body.clear();
                self.left = None;
            }
        }
        found
    }

    fn read_head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        // A letter and a length, or a length and what is asked for.
        let size = if self.in_session { 5 } else { 8 };
        let (now, rest) = bytes.split_at(bytes.len().min(size - self.head.len()));
        self.head.extend_from_slice(now);
        if self.head.len() == size {
            let length = if self.in_session { &self.head[1..5] } else { &self.head[..4] };
            let length = length.try_into().map(u32::from_be_bytes).unwrap_or_default();
            self.left = Some(u64::from(length).saturating_sub(if self.in_session { 4 } else { 8 }));
            self.in_session |= self.head[4..] == SESSION;
        }
        rest
    }

    fn read_body<'a>(&mut self, bytes: &'a [u8], left: u64) -> &'a [u8] {
        let count = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let (now, rest) = bytes.split_at(count);
        self.body.extend_from_slice(&now[..count.min(LONGEST - self.body.len())]);
        self.left = Some(left - count as u64);
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::Commits;

    fn message(letter: &[u8], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [letter, &length[..], body].concat()
    }

    fn session() -> Vec<u8> {
        let asked = message(b"", &80_877_103_u32.to_be_bytes());
        let begun = message(b"", &[&[0, 3, 0, 0], &b"user\0mirror42\0\0"[..]].concat());
        let rows = message(b"d", &[b'x'; 1000]);
        let text = message(b"Q", b"SELECT 'COMMIT'\0");
        [asked, begun, rows, text].concat()
    }

    #[test]
    fn a_commit_is_found_however_it_is_cut() {
        let said = [session(), message(b"Q", b"COMMIT\0")].concat();
        for size in [1, 2, 3, 5, 7, 64, 1000, said.len()] {
            let mut commits = Commits::default();
            let found: Vec<bool> = said.chunks(size).map(|piece| commits.end_in(piece)).collect();
            assert_eq!(found.iter().filter(|found| **found).count(), 1, "in pieces of {size}");
            assert!(found.last().unwrap());
        }
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        let mut commits = Commits::default();
        assert!(!commits.end_in(&session()));
        assert!(!commits.end_in(&message(b"d", b"COMMIT\0")));
        assert!(!commits.end_in(&message(b"Q", b"COMMIT PREPARED 'x'\0")));
        assert!(!Commits::default().end_in(b"GET /v2/campus HTTP/1.1\r\n\r\nQ\0\0\0\x0bCOMMIT\0"));
    }
}
