//! `sleep` and `rndfail`: what the original's tests used.

use super::RowOp;
use crate::error::Problem;
use crate::row::Row;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Numbers that nobody foresees; good enough for tests.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        Self(RandomState::new().hash_one("seed") | 1)
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end.max(1)
    }
}

/// `sleep`: waits before each row.
pub(super) struct Sleep {
    millis: u64,
    /// Up to half of it more or less.
    spread: u64,
    dice: Dice,
}

impl Sleep {
    pub(super) fn new(millis: u64, spread: u64) -> Self {
        Self { millis, spread, dice: Dice::new() }
    }
}

impl RowOp for Sleep {
    fn row(&mut self, row: Row) -> Result<Option<Row>, Problem> {
        let millis = (self.millis + self.dice.below(self.spread + 1)).saturating_sub(self.spread / 2);
        std::thread::sleep(Duration::from_millis(millis));
        Ok(Some(row))
    }
}

/// `rndfail`: fails in so many of a hundred rows.
pub(super) struct RandomFailure {
    percent: u64,
    dice: Dice,
}

impl RandomFailure {
    pub(super) fn new(percent: u64) -> Self {
        Self { percent, dice: Dice::new() }
    }
}

impl RowOp for RandomFailure {
    fn row(&mut self, row: Row) -> Result<Option<Row>, Problem> {
        if self.dice.below(100) < self.percent {
            return Err(Problem::other("failed at random, as it was asked to"));
        }
        Ok(Some(row))
    }
}
