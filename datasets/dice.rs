//! Random numbers that stay the same: only whole words of the generator are used, so that a new version of `rand`
//! with other ways of making ranges and floats changes no byte of a data set.

use rand::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// A seeded source of random numbers.
pub(crate) struct Dice(Pcg64Mcg);

impl Dice {
    /// The source for this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed))
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `n` (0 if `n` is 0).
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// A position in a list of this length.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// A number from 0 up to, but not including, 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True in `share` of the cases.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_range_and_are_spread() {
        let mut dice = Dice::new(7);
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[dice.index(10)] += 1;
            assert!((0.0..1.0).contains(&dice.unit()));
        }
        assert!(seen.iter().all(|&count| (800..1200).contains(&count)), "{seen:?}");
        assert_eq!(dice.below(0), 0);
    }
}
