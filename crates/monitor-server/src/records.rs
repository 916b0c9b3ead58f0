//! The database, from threads of their own: it may take long, or never answer, and then nothing else waits with it.

use anyhow::{Result, anyhow};
use journal::read::Source;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tool::{Judge, Verdict};

/// Connections at a time. Who asks when all are busy waits for one.
const MOST: usize = 3;

/// The connections: one is kept while nobody asks.
pub(crate) struct Records {
    turns: Arc<Semaphore>,
    kept: Arc<Mutex<Option<Source>>>,
}

impl Default for Records {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(MOST)), kept: Arc::default() }
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Records")
    }
}

impl Records {
    /// What `read` gives, if it does so in time. A thread that waits in vain keeps its turn, so there are never many.
    ///
    /// # Errors
    /// Those of `read`, and of connecting; [`Verdict::Unreachable`] when time is up.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        patience: Duration,
        read: impl Fn(&mut Source) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (turns, kept) = (Arc::clone(&self.turns), Arc::clone(&self.kept));
        let answer = async move {
            let turn = turns.acquire_owned().await?;
            let look = move || {
                let _turn = turn;
                look(&kept, read)
            };
            spawn_blocking(look).await?
        };
        let late = |_| anyhow!("PostgreSQL does not answer").verdict(Verdict::Unreachable);
        tokio::time::timeout(patience, answer).await.map_err(late)?
    }
}

/// Reads by the connection that is kept, or by a new one when there is none or it broke.
fn look<T>(kept: &Mutex<Option<Source>>, read: impl Fn(&mut Source) -> Result<T>) -> Result<T> {
    let taken = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
    let again = taken.and_then(|mut source| {
        source.close_lost();
        let answer = read(&mut source);
        let broke = answer.as_ref().is_err_and(|error| Verdict::of(error) == Verdict::Unreachable);
        (!broke).then_some((source, answer))
    });
    let (source, answer) = match again {
        Some(both) => both,
        None => {
            let mut source = Source::open("monitor-server")?;
            let answer = read(&mut source);
            (source, answer)
        }
    };
    if answer.is_ok() {
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(source);
    }
    answer
}
