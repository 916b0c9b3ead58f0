//! Chance that repeats itself: everything invented is a pure function of the seed, a subject and a number.

/// A stream of random numbers, the same for the same beginning.
#[derive(Clone, Debug)]
pub(crate) struct Chance {
    state: u64,
}

impl Chance {
    /// The stream that belongs to a subject ("wallet") and a number (an id) in the world of `seed`.
    pub(crate) fn of(seed: u64, subject: &str, number: u64) -> Self {
        // FNV-1a, then two rounds of splitmix64: cheap enough to be asked for every field of every row.
        let subject = subject.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { state: mix(seed ^ mix(subject ^ mix(number))) }
    }

    pub(crate) const fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A number in `0..bound`; 0 when the bound is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.draw()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `low..=high`.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as u64) as i64
    }

    /// A number in `0.0..1.0`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of a list that is not empty.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }

    /// The index of one of the weights, each as likely as it is heavy.
    pub(crate) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        weights.len().saturating_sub(1)
    }

    /// A value from a distribution given by its quantiles `(share, value)`, straight lines between them.
    pub(crate) fn along(&mut self, quantiles: &[(f64, f64)]) -> f64 {
        let share = self.unit();
        for pair in quantiles.windows(2) {
            let ((from, low), (to, high)) = (pair[0], pair[1]);
            if share < to {
                return low + (high - low) * ((share - from) / (to - from)).clamp(0.0, 1.0);
            }
        }
        quantiles.last().map_or(0.0, |last| last.1)
    }

    /// `digits` lower-case hexadecimal digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.draw()));
        }
        text.truncate(digits);
        text
    }
}

const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn the_same_beginning_gives_the_same_stream() {
        let draw = |seed, subject, number| Chance::of(seed, subject, number).draw();
        assert_eq!(draw(1, "wallet", 7), draw(1, "wallet", 7));
        assert_ne!(draw(1, "wallet", 7), draw(2, "wallet", 7));
        assert_ne!(draw(1, "wallet", 7), draw(1, "wallet", 8));
        assert_ne!(draw(1, "wallet", 7), draw(1, "points", 7));
    }

    #[test]
    fn a_distribution_keeps_its_median_and_its_ends() {
        let mut chance = Chance::of(1, "test", 1);
        let mut values: Vec<f64> =
            (0..10_000).map(|_| chance.along(&[(0.0, -10.0), (0.5, 0.0), (1.0, 100.0)])).collect();
        values.sort_by(f64::total_cmp);
        assert!(values[5_000].abs() < 3.0, "{}", values[5_000]);
        assert!(values[0] >= -10.0 && values[9_999] <= 100.0);
    }
}
