//! How fast a run is now: over the last minute, so that a pause or a slow start does not spoil what is left to expect.

use std::collections::VecDeque;

/// In seconds.
const WINDOW: f64 = 60.0;

/// Items a second over a sliding window.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    /// Seconds since the start, items processed by then; oldest first.
    samples: VecDeque<(f64, u64)>,
}

impl Rate {
    /// Takes a sample and says the rate; none before there is anything to go by.
    pub(crate) fn sample(&mut self, seconds: f64, processed: u64) -> Option<f64> {
        if self.samples.is_empty() {
            self.samples.push_back((0.0, 0));
        }
        self.samples.push_back((seconds, processed));
        // The oldest sample that is kept is the last one outside the window.
        while self.samples.len() > 2 && self.samples[1].0 < seconds - WINDOW {
            self.samples.pop_front();
        }
        let (then, before) = self.samples[0];
        let (passed, items) = (seconds - then, processed.saturating_sub(before));
        (passed > 0.0 && processed > 0).then(|| as_float(items) / passed)
    }
}

#[expect(clippy::cast_precision_loss, reason = "no run has 2^52 items")]
const fn as_float(items: u64) -> f64 {
    items as f64
}

#[cfg(test)]
mod tests {
    use super::Rate;

    #[test]
    fn only_the_last_minute_counts() {
        let mut rate = Rate::default();
        assert_eq!(rate.sample(10.0, 0), None);
        assert_eq!(rate.sample(20.0, 100), Some(5.0));
        // An hour of sleep, then ten a second.
        for step in 0..=120_u32 {
            rate.sample(3600.0 + f64::from(step), 100 + u64::from(step) * 10);
        }
        let now = rate.sample(3721.0, 1310).unwrap();
        assert!((now - 10.0).abs() < 0.2, "{now}");
    }

    #[test]
    fn what_stands_still_has_a_rate_of_nothing() {
        let mut rate = Rate::default();
        for seconds in 0..200_u32 {
            rate.sample(f64::from(seconds), 7);
        }
        assert_eq!(rate.sample(200.0, 7), Some(0.0));
    }
}
