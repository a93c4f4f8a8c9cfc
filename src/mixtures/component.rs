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
pub(crate) fn normalised(ranges: Vec<Range>) -> Vec<Range> {
    let weighed = ranges.into_iter().map(|range| (range, 1)).collect();
    joined(weighed).into_iter().map(|(range, _)| range).collect()
}

/// Puts ranges in order and joins those that touch and have samples of the same weight. Empty ones are left out.
pub(crate) fn joined(mut ranges: Vec<(Range, u64)>) -> Vec<(Range, u64)> {
    ranges.retain(|(range, _)| !range.is_empty());
    // Mostly they come in order.
    if !ranges.is_sorted() {
        ranges.sort_unstable();
    }
    ranges.dedup_by(|(next, next_weight), (last, weight)| weight == next_weight && last.join(next));
    ranges
}

/// Samples with one key, in the order in which they are taken.
///
/// They lie on a line, each as long as its weight: 1 if samples are counted, the value of a property (tokens, say) if that
/// is counted. Positions and totals are of this line.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// Their properties.
    pub key: Key,
    ranges: Vec<Range>,
    /// Of each sample of a range; nothing where all weigh 1.
    weights: Vec<u64>,
    /// The weight before each range, and at last of all.
    before: Vec<u64>,
}

impl Component {
    /// Samples with this key, each of weight 1. Empty ranges are left out.
    pub fn new(key: Key, ranges: impl IntoIterator<Item = Range>) -> Self {
        Self::weighted(key, ranges.into_iter().map(|range| (range, 1)))
    }

    /// Samples with this key, those of a range with the weight beside it. Empty ranges are left out.
    pub fn weighted(key: Key, ranges: impl IntoIterator<Item = (Range, u64)>) -> Self {
        let ranges = ranges.into_iter();
        let mut component =
            Self { key, ranges: Vec::with_capacity(ranges.size_hint().0), weights: vec![], before: vec![0] };
        component.before.reserve(ranges.size_hint().0);
        ranges.for_each(|(range, weight)| component.push(range, weight));
        component
    }

    /// Adds samples behind the others, each of this weight; nothing if the range is empty.
    pub fn push(&mut self, range: Range, weight: u64) {
        if range.is_empty() {
            return;
        }
        if weight != 1 && self.weights.is_empty() {
            self.weights.resize(self.ranges.len(), 1);
        }
        if weight != 1 || !self.weights.is_empty() {
            self.weights.push(weight);
        }
        self.before.push(self.total().saturating_add(range.len().saturating_mul(weight)));
        self.ranges.push(range);
    }

    /// Whether the ranges are in order and none could be joined with the next.
    pub(crate) fn is_joined(&self) -> bool {
        let weights = |index: usize| self.weight(index) == self.weight(index + 1);
        self.ranges.windows(2).enumerate().all(|(index, pair)| match pair {
            [one, next] => {
                let mut one = *one;
                one < *next && !(weights(index) && one.join(next))
            }
            _ => true,
        })
    }

    /// The ranges in their order.
    pub fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// The ranges in their order with the weight of each of their samples.
    pub fn weighed(&self) -> impl Iterator<Item = (Range, u64)> + '_ {
        self.ranges.iter().enumerate().map(|(index, range)| (*range, self.weight(index)))
    }

    /// How many samples there are.
    pub fn samples(&self) -> u64 {
        self.ranges.iter().map(Range::len).sum()
    }

    /// The weight of all samples: their number, unless they are weighed.
    pub fn total(&self) -> u64 {
        self.before.last().copied().unwrap_or_default()
    }

    fn weight(&self, index: usize) -> u64 {
        self.weights.get(index).copied().unwrap_or(1)
    }

    /// The samples that begin from the one position on and before the other, and their weight. A sample belongs to the
    /// piece of the line in which its beginning lies, so that pieces side by side share no sample and lose none; a sample
    /// without weight goes with the one behind it.
    pub(crate) fn slice(&self, from: u64, to: u64, into: &mut Vec<Range>) -> u64 {
        let first = self.before.partition_point(|before| *before < from).saturating_sub(1);
        let mut taken: u64 = 0;
        for (index, (range, before)) in self.ranges.iter().zip(&self.before).enumerate().skip(first) {
            if *before >= to {
                break;
            }
            let weight = self.weight(index);
            let skipped = from.saturating_sub(*before);
            let (start, end) = match weight {
                0 if skipped > 0 => continue,
                0 => (0, range.len()),
                1 => (skipped, range.len().min(to - *before)),
                weight => (skipped.div_ceil(weight), range.len().min((to - *before).div_ceil(weight))),
            };
            if start < end {
                taken = taken.saturating_add((end - start).saturating_mul(weight));
                into.push(Range { start: range.start + start, end: range.start + end, ..*range });
            }
        }
        taken
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
            assert_eq!(component.slice(from, to, &mut found), to - from);
            assert_eq!(found, expected, "{from}..{to}");
        }
    }

    #[test]
    fn a_sample_belongs_where_it_begins() {
        // Beginnings: 0 3 6, then 9 twice (without weight), then 9 14.
        let component = Component::weighted(
            Key::default(),
            [(range(1, 0, 3), 3), (range(1, 3, 5), 0), (range(1, 5, 7), 5), (range(2, 0, 0), 9)],
        );
        assert_eq!((component.total(), component.samples()), (19, 7));
        for (from, to, expected, weight) in [
            (0, 4, vec![range(1, 0, 2)], 6),
            (4, 8, vec![range(1, 2, 3)], 3),
            (8, 9, vec![], 0),
            (8, 12, vec![range(1, 3, 5), range(1, 5, 6)], 5),
            (9, 10, vec![range(1, 3, 5), range(1, 5, 6)], 5),
            (10, 14, vec![], 0),
            (12, 19, vec![range(1, 6, 7)], 5),
        ] {
            let mut found = vec![];
            assert_eq!(component.slice(from, to, &mut found), weight, "{from}..{to}");
            assert_eq!(found, expected, "{from}..{to}");
        }
        // Whatever the size of the pieces, every sample comes once and in order.
        for size in 1..=20 {
            let mut found = vec![];
            for from in (0..19).step_by(size) {
                component.slice(from as u64, (from + size) as u64, &mut found);
            }
            assert_eq!(normalised(found), [range(1, 0, 7)], "{size}");
        }
    }

    #[test]
    fn touching_ranges_are_joined() {
        let ranges = vec![range(2, 0, 1), range(1, 5, 6), range(1, 0, 5), range(1, 6, 6)];
        assert_eq!(normalised(ranges), [range(1, 0, 6), range(2, 0, 1)]);
    }
}
