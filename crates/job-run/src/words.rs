//! What is kept of a command line: enough to know it again, nothing that opens a door.

/// Characters that are kept.
const LENGTH: usize = 300;

/// A word of so many letters and digits that names nothing: a token, a code.
const OPAQUE: usize = 32;

/// The command on one line, without what looks like a credential.
pub(crate) fn of(command: &[String]) -> String {
    let words: Vec<String> = command.iter().map(|word| discreet(word)).collect();
    let visible = words.join(" ");
    visible
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(LENGTH)
        .collect()
}

fn discreet(word: &str) -> String {
    // scheme://user:password@host → scheme://…@host
    if let Some((scheme, rest)) = word.split_once("://")
        && let Some((_, host)) = rest.rsplit_once('@')
    {
        return format!("{scheme}://…@{host}");
    }
    let parts = word.split_inclusive(|character: char| !character.is_ascii_alphanumeric());
    let opaque = |part: &str| {
        let letters = part.trim_end_matches(|character: char| !character.is_ascii_alphanumeric());
        letters.len() >= OPAQUE && letters.bytes().any(|byte| byte.is_ascii_digit())
    };
    parts.map(|part| if opaque(part) { "…" } else { part }).collect()
}

#[cfg(test)]
mod tests {
    use super::of;

    fn kept(words: &[&str]) -> String {
        of(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_looks_like_a_credential_is_left_out() {
        let secret = "s-s4t2ud-0123456789abcdef0123456789abcdef0123";
        assert_eq!(kept(&["x", &format!("--secret={secret}")]), "x --secret=s-s4t2ud-…");
        assert_eq!(kept(&["psql", "postgresql://ann:pw@db/mirror"]), "psql postgresql://…@db/mirror");
        let code = "9".repeat(64);
        assert_eq!(kept(&["api-token", "exchange", &code]), "api-token exchange …");
    }

    #[test]
    fn ordinary_commands_stay_as_they_are() {
        let words = [
            "fetch-users",
            "--export",
            "users",
            "--since",
            "2025-12-13T08:24:00Z",
            "./a_path/of.many-words_all_over",
        ];
        assert_eq!(kept(&words), words.join(" "));
        assert_eq!(kept(&["a\nb\u{1b}c", &"y".repeat(400)]).chars().count(), 300);
    }
}
