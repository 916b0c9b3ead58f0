//! Randomness for jitter, nothing more: the standard library seeds its hashers anew each time.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A number between 0 and 1.
pub(crate) fn fraction() -> f64 {
    let bits = RandomState::new().build_hasher().finish();
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::fraction;

    #[test]
    fn fractions_differ_and_stay_between_0_and_1() {
        let drawn: Vec<f64> = (0..100).map(|_| fraction()).collect();
        assert!(drawn.iter().all(|value| (0.0..1.0).contains(value)));
        assert!(drawn.iter().any(|value| *value < 0.4) && drawn.iter().any(|value| *value > 0.6));
    }
}
