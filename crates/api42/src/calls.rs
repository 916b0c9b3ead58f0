//! What the processes of this host called in the last hour, and what came back.

use serde::Serialize;

/// How many minutes are told apart.
pub(crate) const MINUTES: usize = 60;

/// The calls of this host, token requests included, at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// Calls of the last 60 seconds.
    pub last_minute: u32,
    /// Calls by minute, oldest first; the last minute is not over.
    #[serde(serialize_with = "one_by_one")]
    pub by_minute: [u32; MINUTES],
    /// What came back in those minutes. A call that is under way, or whose process was killed, is in none.
    pub answers: Answers,
}

/// Numbers of answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answers {
    /// What was asked for, also that it is elsewhere (3xx) or not there (404).
    pub ok: u32,
    /// Answers 401: the token or the credentials were refused.
    pub unauthorized: u32,
    /// Answers 429: too many calls.
    pub throttled: u32,
    /// Everything else: 5xx, no answer, one that made no sense, another refusal.
    pub failed: u32,
}

/// What came back for one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Ok,
    Unauthorized,
    Throttled,
    Failed,
}

impl Heard {
    /// In the order of their numbers.
    pub(crate) const ALL: [Self; 4] = [Self::Ok, Self::Unauthorized, Self::Throttled, Self::Failed];

    /// By the status, if there was an answer, and whether the body of a 200 could be read.
    pub(crate) const fn of(status: Option<u16>, readable: bool) -> Self {
        match status {
            Some(401) => Self::Unauthorized,
            Some(429) => Self::Throttled,
            Some(300..=399 | 404) => Self::Ok,
            Some(200..=299) if readable => Self::Ok,
            _ => Self::Failed,
        }
    }
}

impl Answers {
    pub(crate) const fn of(&mut self, heard: Heard) -> &mut u32 {
        match heard {
            Heard::Ok => &mut self.ok,
            Heard::Unauthorized => &mut self.unauthorized,
            Heard::Throttled => &mut self.throttled,
            Heard::Failed => &mut self.failed,
        }
    }
}

impl Default for Calls {
    fn default() -> Self {
        Self { last_minute: 0, by_minute: [0; MINUTES], answers: Answers::default() }
    }
}

fn one_by_one<S: serde::Serializer>(counts: &[u32; MINUTES], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_what_its_status_says_and_a_200_what_its_body_says() {
        let heard = |status, readable| Heard::of(status, readable);
        assert_eq!(heard(Some(200), true), Heard::Ok);
        assert_eq!(heard(Some(200), false), Heard::Failed);
        assert_eq!(heard(Some(404), false), Heard::Ok);
        assert_eq!(heard(Some(302), false), Heard::Ok);
        assert_eq!(heard(Some(401), false), Heard::Unauthorized);
        assert_eq!(heard(Some(429), false), Heard::Throttled);
        for status in [Some(400), Some(403), Some(422), Some(500), Some(503), None] {
            assert_eq!(heard(status, false), Heard::Failed, "{status:?}");
        }
    }

    #[test]
    fn kinds_stand_where_their_numbers_say_and_each_has_a_count_of_its_own() {
        let mut answers = Answers::default();
        for (place, heard) in Heard::ALL.into_iter().enumerate() {
            assert_eq!(heard as usize, place);
            *answers.of(heard) += 1;
        }
        assert_eq!(answers, Answers { ok: 1, unauthorized: 1, throttled: 1, failed: 1 });
    }
}
