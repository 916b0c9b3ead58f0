//! What this host keeps about the API, for those who only look: no call, no lock, no secret.

use crate::book::{Book, Share};
use crate::budget::Budget;
use crate::calls::Calls;
use crate::clock::{self, Micros};
use crate::settings::Whose;
use crate::state::{self, Private};
use crate::token::{Token, TokenState};
use anyhow::{Context, anyhow};
use std::path::PathBuf;
use verdict::{Judge, Verdict};

/// The state of this host: the pace that its processes share, and their token. Reading it changes nothing.
#[derive(Debug)]
pub struct HostState {
    folder: PathBuf,
    /// Of the root and the application; `None` when nothing was kept yet.
    key: Option<String>,
    pace_share: f64,
}

impl HostState {
    /// Finds the state by `API_ROOT`, `CLIENT_ID`, `STATE_DIR` and `PACE_SHARE`. Without `CLIENT_ID` it is that of the
    /// only application that this host has state of.
    ///
    /// # Errors
    ///
    /// [`Verdict::Config`] when a variable makes no sense, or `CLIENT_ID` would have to choose; [`Verdict::Io`] when
    /// the folder cannot be read.
    pub fn from_env() -> anyhow::Result<Self> {
        let Whose { root, client_id, state_dir: folder, pace_share } = Whose::from_env()?;
        let key = match client_id {
            Some(client_id) => Some(state::key(&root, &client_id)),
            None => state::only_key(&folder)?,
        };
        Ok(Self { folder, key, pace_share })
    }

    /// What was used of the limits. Before the first call and after a boot that is nothing.
    ///
    /// # Errors
    ///
    /// [`Verdict::Io`] when the file is there and cannot be read, or is damaged: then nobody knows.
    pub fn budget(&self) -> anyhow::Result<Budget> {
        let (book, now) = self.book()?;
        Ok(book.budget(now, Share::of_host(self.pace_share)))
    }

    /// What was called in the last hour, and what came back.
    ///
    /// # Errors
    ///
    /// As [`HostState::budget`].
    pub fn calls(&self) -> anyhow::Result<Calls> {
        let (book, now) = self.book()?;
        Ok(book.calls(now))
    }

    /// What may be shown of the token, and of the application's secret; `None` when none is kept, or the file is
    /// damaged or readable by others, so that the next call makes it anew.
    ///
    /// # Errors
    ///
    /// [`Verdict::Io`] when the file is there and cannot be read.
    pub fn token(&self) -> anyhow::Result<Option<TokenState>> {
        let token =
            self.read("token")?.bytes().and_then(|bytes| serde_json::from_slice::<Token>(&bytes).ok());
        Ok(token.map(|token| token.state()))
    }

    /// The book of now.
    fn book(&self) -> anyhow::Result<(Book, Micros)> {
        let (boot, now) = (clock::boot_id(), clock::now());
        let book = match self.read("pace")? {
            Private::Absent => None,
            Private::Bytes(bytes) if Book::is_one(&bytes) => Book::read(&bytes, &boot, now),
            Private::Bytes(_) => return Err(self.useless("is damaged")),
            Private::Exposed => return Err(self.useless("can be read by others, so it is not trusted")),
        };
        Ok((book.unwrap_or_else(|| Book::new(&boot)), now))
    }

    fn useless(&self, why: &str) -> anyhow::Error {
        let folder = self.folder.display();
        anyhow!("the record of calls in {folder} {why}; the next call begins a new one").verdict(Verdict::Io)
    }

    /// A file is replaced whole, so it can be read without its lock.
    fn read(&self, name: &str) -> anyhow::Result<Private> {
        let Some(key) = &self.key else { return Ok(Private::Absent) };
        let path = state::path(&self.folder, name, key, "json");
        state::read_private(&path).with_context(|| path.display().to_string()).verdict(Verdict::Io)
    }
}
