//! What this host keeps about the API, for those who only look: no call, no lock, no secret.

use crate::book::{Book, Share};
use crate::budget::Budget;
use crate::clock;
use crate::settings::Whose;
use crate::state;
use crate::token::{Token, TokenState};
use anyhow::Context;
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

    /// What was used of the limits. Before the first call, after a boot, or when the file is damaged, that is nothing.
    ///
    /// # Errors
    ///
    /// [`Verdict::Io`] when the file is there and cannot be read.
    pub fn budget(&self) -> anyhow::Result<Budget> {
        let (boot, now) = (clock::boot_id(), clock::now());
        let book = self.read("pace")?.and_then(|bytes| Book::read(&bytes, &boot, now));
        Ok(book.unwrap_or_else(|| Book::new(&boot)).budget(now, Share::of_host(self.pace_share)))
    }

    /// What may be shown of the token, and of the application's secret; `None` when none is kept, or the file is
    /// damaged or readable by others, so that the next call makes it anew.
    ///
    /// # Errors
    ///
    /// [`Verdict::Io`] when the file is there and cannot be read.
    pub fn token(&self) -> anyhow::Result<Option<TokenState>> {
        let token = self.read("token")?.and_then(|bytes| serde_json::from_slice::<Token>(&bytes).ok());
        Ok(token.map(|token| token.state()))
    }

    /// A file is replaced whole, so it can be read without its lock.
    fn read(&self, name: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let Some(key) = &self.key else { return Ok(None) };
        let path = state::path(&self.folder, name, key, "json");
        let read = state::read_private(&path);
        Ok(read.with_context(|| path.display().to_string()).verdict(Verdict::Io)?.bytes())
    }
}
