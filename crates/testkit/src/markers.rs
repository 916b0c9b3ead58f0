//! What nothing that is said may hold, looked for in all that tools say.
//!
//! The mock's world marks its people and its tokens, a folder knows the secrets that were set in it. Every [`Workdir`] lets
//! its tools write down all that they could say (`TRACE_FILE`), and looks through it, through what they printed and through
//! their logs and state; every [`Database`] through what the tools note in it. Whatever is found there fails the test.
//!
//! [`Workdir`]: crate::Workdir
//! [`Database`]: crate::Database

use std::borrow::Cow;
use std::path::Path;

/// In every family name of the mock's world, so in its logins, too, and in some first names.
const NAMES: [&str; 2] = ["Qwy", "qwy"];

/// Where its people have their mail and their pictures.
const ADDRESS: &str = "example.invalid";

/// How its telephone numbers begin.
const PHONE: &str = "+42555";

/// How its tokens begin.
const TOKEN: &str = "5ec2e742";

/// How secrets of applications begin. The mock's manual tells its own, so this is looked for in databases only.
const SECRET: &str = "s-s4t2ud-";

/// The password of every test's database. The server asks for none, but no tool knows that.
pub(crate) const PASSWORD: &str = "opens-the-database";

/// Variables that hold what opens doors.
const SECRET_VARIABLES: [&str; 7] = [
    "CLIENT_SECRET",
    "CLIENT_SECRET_NEXT",
    "REFRESH_TOKEN",
    "MONITOR_TOKEN",
    "MONITOR_ADMIN_TOKEN",
    "PGPASSWORD",
    "DB_PASSWORD",
];

/// Shorter ones are words that somebody may say.
const SHORTEST_SECRET: usize = 8;

/// What a text is, and so what it may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// For people, or for machines that watch: neither people nor what opens doors.
    Words,
    /// Records: people are what they are about.
    Data,
    /// What a tool keeps for itself and for nobody else: the token.
    Kept,
}

/// The markers of one test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Markers {
    /// What opens doors, besides what every test has.
    secrets: Vec<String>,
}

impl Markers {
    /// Takes note of a variable that may be a secret.
    pub(crate) fn note(&mut self, variable: &str, value: &str) {
        if SECRET_VARIABLES.contains(&variable) && value.len() >= SHORTEST_SECRET {
            self.secrets.push(value.to_owned());
        }
    }

    /// Fails the test when a text holds what it may not. The folder's own name is chance, and does not count.
    ///
    /// # Panics
    /// Then; the message says where, what, and in which line.
    pub(crate) fn assert_none(&self, place: &str, text: &str, nature: Nature, folder: &Path) {
        if self.find(text, nature).is_none() {
            return;
        }
        let text = match folder.to_str() {
            Some(folder) if !folder.is_empty() => Cow::from(text.replace(folder, "")),
            _ => Cow::from(text),
        };
        if let Some(marker) = self.find(&text, nature) {
            let line = text.lines().find(|line| line.contains(marker)).unwrap_or_default();
            panic!("{place} holds `{marker}`, which it may not: {line}");
        }
    }

    fn find(&self, text: &str, nature: Nature) -> Option<&str> {
        let people = NAMES.into_iter().chain([ADDRESS, PHONE]).filter(|_| nature != Nature::Data);
        let token = Some(TOKEN).filter(|_| nature != Nature::Kept);
        let secrets = self.secrets.iter().map(String::as_str);
        people.chain(token).chain([PASSWORD]).chain(secrets).find(|marker| text.contains(marker))
    }
}

/// The markers of every test as a regular expression of PostgreSQL.
pub(crate) fn pattern() -> String {
    let markers = NAMES.into_iter().chain([ADDRESS, PHONE, TOKEN, SECRET, PASSWORD]);
    markers.map(|marker| marker.replace('.', r"\.").replace('+', r"\+")).collect::<Vec<_>>().join("|")
}
