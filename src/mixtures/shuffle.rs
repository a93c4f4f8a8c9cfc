//! Orders that depend on a number only.

use crate::component::{Component, Range, joined};
use crate::key::Key;

/// Longest range that a shuffle keeps together.
const BLOCK: u64 = 128;

/// Mixes all bits of a number with those of another.
fn mix(seed: u64, value: u64) -> u64 {
    let mut z = (seed ^ value).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The place of the block that a range lies in.
fn place(seed: u64, range: &Range) -> u64 {
    mix(mix(mix(seed, u64::from(range.dataset)), u64::from(range.file)), range.start / BLOCK)
}

/// The number that a key gets with a seed.
pub(crate) fn of_key(seed: u64, key: &Key) -> u64 {
    key.to_string().bytes().fold(seed, |state, byte| mix(state, u64::from(byte)))
}

/// The samples in an order that depends on the seed, in pieces that do not depend on how they came.
pub(crate) fn shuffled(key: Key, ranges: Vec<(Range, u64)>, seed: u64) -> Component {
    let mut blocks = vec![];
    for (range, weight) in joined(ranges) {
        // Cut at multiples, so that the same samples are kept together whatever else is chosen.
        let mut start = range.start;
        while start < range.end {
            let end = (start / BLOCK * BLOCK + BLOCK).min(range.end);
            blocks.push((Range { start, end, ..range }, weight));
            start = end;
        }
    }
    blocks.sort_by_cached_key(|(block, _)| (place(seed, block), *block));
    Component::weighted(key, blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_an_order() {
        let ranges = vec![
            (Range { dataset: 1, file: 1, start: 100, end: 5000 }, 1),
            (Range { dataset: 1, file: 2, start: 0, end: 10 }, 1),
        ];
        let one = shuffled(Key::default(), ranges.clone(), 1);
        let again = shuffled(Key::default(), ranges.iter().rev().copied().collect(), 1);
        assert_eq!(one, again);
        assert_ne!(one, shuffled(Key::default(), ranges.clone(), 2));
        assert_eq!(joined(one.weighed().collect()), ranges);
        assert!(one.ranges().iter().all(|range| range.len() <= BLOCK));
    }
}
