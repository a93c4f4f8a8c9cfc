//! Samples that are alike, as ranges.

use crate::key::Key;
use serde::{Deserialize, Serialize};

/// Consecutive samples of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Range {
    /// Number of the data set, from 1.
    pub dataset: u32,
    /// Number of the file, from 1, over all data sets.
    pub file: u32,
    /// First sample, from 0.
    pub start: u64,
    /// One past the last.
    pub end: u64,
}

impl Range {
    /// How many samples there are in it.
    pub fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.end <= self.start
    }

    /// Joins the other, which comes later, if it begins where this one ends.
    pub(crate) fn join(&mut self, next: &Self) -> bool {
        let touches = (self.dataset, self.file, self.end) == (next.dataset, next.file, next.start);
        if touches {
            self.end = next.end;
        }
        touches
    }
}

/// Puts ranges in order and joins those that touch.
pub(crate) fn normalised(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    let mut joined: Vec<Range> = Vec::with_capacity(ranges.len());
    for range in ranges.into_iter().filter(|range| !range.is_empty()) {
        if !joined.last_mut().is_some_and(|last| last.join(&range)) {
            joined.push(range);
        }
    }
    joined
}

/// Samples with one key, in the order in which they are taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// Their properties.
    pub key: Key,
    ranges: Vec<Range>,
    /// Samples before each range, and at last all.
    before: Vec<u64>,
}

impl Component {
    /// Samples with this key. Empty ranges are left out.
    pub fn new(key: Key, ranges: impl IntoIterator<Item = Range>) -> Self {
        let ranges: Vec<Range> = ranges.into_iter().filter(|range| !range.is_empty()).collect();
        let mut before = Vec::with_capacity(ranges.len() + 1);
        let mut total = 0;
        before.push(0);
        for range in &ranges {
            total += range.len();
            before.push(total);
        }
        Self { key, ranges, before }
    }

    /// The ranges in their order.
    pub fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// How many samples there are.
    pub fn total(&self) -> u64 {
        self.before.last().copied().unwrap_or_default()
    }

    /// The samples from the one position to the other, counted in the order of the ranges.
    pub(crate) fn slice(&self, from: u64, to: u64, into: &mut Vec<Range>) {
        let first = self.before.partition_point(|before| *before <= from).saturating_sub(1);
        for (range, before) in self.ranges.iter().zip(&self.before).skip(first) {
            if *before >= to {
                break;
            }
            let start = range.start + from.saturating_sub(*before);
            let end = range.end.min(range.start + (to - *before));
            into.push(Range { start, end, ..*range });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(file: u32, start: u64, end: u64) -> Range {
        Range { dataset: 1, file, start, end }
    }

    #[test]
    fn slices_cut_ranges() {
        let component =
            Component::new(Key::default(), [range(1, 0, 5), range(1, 7, 7), range(1, 8, 10), range(2, 0, 3)]);
        assert_eq!(component.total(), 10);
        for (from, to, expected) in [
            (0, 5, vec![range(1, 0, 5)]),
            (4, 8, vec![range(1, 4, 5), range(1, 8, 10), range(2, 0, 1)]),
            (5, 5, vec![]),
            (9, 10, vec![range(2, 2, 3)]),
        ] {
            let mut found = vec![];
            component.slice(from, to, &mut found);
            assert_eq!(found, expected, "{from}..{to}");
        }
    }

    #[test]
    fn touching_ranges_are_joined() {
        let ranges = vec![range(2, 0, 1), range(1, 5, 6), range(1, 0, 5), range(1, 6, 6)];
        assert_eq!(normalised(ranges), [range(1, 0, 6), range(2, 0, 1)]);
    }
}
