//! Numbers that are the same for the same seed, without a generator that another release may change.

use std::env;

/// A seed, and what has been made of it so far.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below another one.
    pub fn below(&mut self, end: u32) -> u32 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as u32;
        high % end.max(1)
    }
}

/// A number of the environment, or else another one.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn number(name: &str, default: u32) -> u32 {
    let text = env::var(name).unwrap_or_default();
    if text.is_empty() {
        default
    } else {
        text.parse().unwrap_or_else(|_| panic!("{name}={text}: not a number"))
    }
}
