//! An answer that costs something, measured once for all who ask at the same time.

use crate::refusal::Refusal;
use axum::body::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How old an answer may be when it is asked for, counted from the start of its measuring.
const OLDEST: Duration = Duration::from_secs(2);

/// What was measured, or why it could not be.
pub(crate) type Measured = Result<Bytes, Refusal>;

/// The latest answer. It is locked while it is measured: who asks meanwhile gets what comes of that.
#[derive(Debug, Default)]
pub(crate) struct Fresh(Arc<Mutex<Option<(Instant, Measured)>>>);

impl Fresh {
    /// An answer that was begun at most [`OLDEST`] before this call.
    pub(crate) async fn get(&self, measure: impl FnOnce() -> Measured + Send + 'static) -> Measured {
        let asked = Instant::now();
        let mut kept = Arc::clone(&self.0).lock_owned().await;
        if let Some((begun, measured)) = &*kept
            && asked.saturating_duration_since(*begun) <= OLDEST
        {
            return measured.clone();
        }
        // In a thread, which goes on when who asked is gone: it holds the lock until it is done.
        let measuring = tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            *kept = None;
            let measured = measure();
            *kept = Some((begun, measured.clone()));
            measured
        });
        let broken = |error| Refusal::unavailable("An answer ended early", &anyhow::Error::new(error));
        measuring.await.map_err(broken)?
    }

    /// Takes what was measured before for old.
    pub(crate) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    fn slow(count: &Arc<AtomicU32>) -> impl FnOnce() -> Measured + Send + 'static {
        let count = Arc::clone(count);
        move || {
            std::thread::sleep(Duration::from_millis(200));
            Ok(Bytes::from(count.fetch_add(1, SeqCst).to_string()))
        }
    }

    fn run(future: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future);
    }

    #[test]
    fn all_who_ask_at_once_get_one_answer_also_when_the_first_is_gone() {
        run(async {
            let (fresh, count) = (Arc::new(Fresh::default()), Arc::new(AtomicU32::new(0)));
            let ask = || {
                let (fresh, measure) = (Arc::clone(&fresh), slow(&count));
                tokio::spawn(async move { fresh.get(measure).await.unwrap() })
            };
            let first = ask();
            tokio::time::sleep(Duration::from_millis(50)).await;
            let others: Vec<_> = (0..20).map(|_| ask()).collect();
            first.abort();
            for other in others {
                assert_eq!(other.await.unwrap(), "0");
            }
            assert_eq!(count.load(SeqCst), 1);
        });
    }

    #[test]
    fn what_is_forgotten_is_measured_anew() {
        run(async {
            let (fresh, count) = (Fresh::default(), Arc::new(AtomicU32::new(0)));
            assert_eq!(fresh.get(slow(&count)).await.unwrap(), "0");
            fresh.forget().await;
            assert_eq!(fresh.get(slow(&count)).await.unwrap(), "1");
        });
    }

    #[test]
    fn an_answer_that_is_old_is_measured_anew() {
        run(async {
            let (fresh, count) = (Fresh::default(), Arc::new(AtomicU32::new(0)));
            assert_eq!(fresh.get(slow(&count)).await.unwrap(), "0");
            tokio::time::sleep(OLDEST).await;
            assert_eq!(fresh.get(slow(&count)).await.unwrap(), "1");
        });
    }
}
