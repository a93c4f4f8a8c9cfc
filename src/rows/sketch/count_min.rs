//! How often each of many values was seen, in fixed space: never too few.

use super::bytes::{In, Out};
use xxhash_rust::xxh3::xxh3_128;

/// A count-min sketch over texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountMin {
    counts: Vec<i64>,
    width: usize,
    total: i64,
}

impl CountMin {
    /// Counts nothing yet, in `depth` rows of `width` counters.
    pub fn new(width: usize, depth: usize) -> Self {
        let (width, depth) = (width.max(1), depth.max(1));
        Self { counts: vec![0; width * depth], width, total: 0 }
    }

    /// The counters of a text, one in each row.
    #[allow(clippy::cast_possible_truncation, reason = "halves of a hash, and a rest of the width")]
    fn places(&self, text: &str) -> impl Iterator<Item = usize> + use<> {
        let hash = xxh3_128(text.as_bytes());
        let (mut low, step) = (hash as u64, (hash >> 64) as u64 | 1);
        let width = self.width;
        (0..self.counts.len() / width).map(move |row| {
            let place = row * width + (low % width as u64) as usize;
            low = low.wrapping_add(step);
            place
        })
    }

    /// Counts a value so many times.
    pub fn add(&mut self, text: &str, times: i64) {
        self.total = self.total.saturating_add(times);
        for place in self.places(text) {
            if let Some(count) = self.counts.get_mut(place) {
                *count = count.saturating_add(times);
            }
        }
    }

    /// How often a value was seen, at most.
    pub fn count(&self, text: &str) -> i64 {
        self.places(text).filter_map(|place| self.counts.get(place).copied()).min().unwrap_or(0)
    }

    /// How many values were counted.
    pub fn total(&self) -> i64 {
        self.total
    }

    /// Takes another sketch of the same size in; whether it is of the same size.
    #[must_use]
    pub fn merge(&mut self, other: &Self) -> bool {
        if (self.width, self.counts.len()) != (other.width, other.counts.len()) {
            return false;
        }
        for (own, other) in self.counts.iter_mut().zip(&other.counts) {
            *own = own.saturating_add(*other);
        }
        self.total = self.total.saturating_add(other.total);
        true
    }

    /// Bytes of memory.
    pub fn size(&self) -> usize {
        self.counts.len() * 8 + size_of::<Self>()
    }

    pub(crate) fn write(&self, out: &mut Out) {
        out.count(self.width);
        out.int(self.total);
        out.count(self.counts.len());
        self.counts.iter().for_each(|count| out.int(*count));
    }

    pub(crate) fn read(from: &mut In<'_>) -> Option<Self> {
        let (width, total, count) = (from.size()?, from.int()?, from.count()?);
        let counts = (0..count).map(|_| from.int()).collect::<Option<Vec<_>>>()?;
        (width > 0 && count > 0 && count.is_multiple_of(width)).then_some(Self { counts, width, total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_never_too_small_and_parts_add_up() {
        let (mut whole, mut left, mut right) = (CountMin::new(256, 4), CountMin::new(256, 4), CountMin::new(256, 4));
        for value in 0..300 {
            let text = value.to_string();
            whole.add(&text, value);
            if value % 2 == 0 { &mut left } else { &mut right }.add(&text, value);
        }
        assert!(left.merge(&right) && left == whole);
        assert!((0..300).all(|value| whole.count(&value.to_string()) >= value));
        assert_eq!((whole.total(), whole.count("unseen") < 1000), (299 * 150, true));
        assert!(!left.merge(&CountMin::new(128, 8)));
    }
}
