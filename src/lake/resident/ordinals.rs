//! Sets of row ordinals.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use arrow::array::{Array, BooleanArray, Int64Array};
use arrow::buffer::BooleanBuffer;

/// Ordinals that one page of the bitmap is for.
const PAGE: usize = 1 << 16;

/// A set of ordinals: ordinals of a segment follow each other, so a bitmap in pages holds them in about a bit each.
#[derive(Debug, Default)]
pub(super) struct Ordinals {
    pages: HashMap<i64, Box<[u64]>>,
}

impl Ordinals {
    /// Adds what is not null.
    pub(super) fn add(&mut self, ordinals: &Int64Array) {
        let nulls = ordinals.nulls().filter(|nulls| nulls.null_count() > 0);
        let mut values = ordinals.values().iter().enumerate().peekable();
        while let Some((_, first)) = values.peek() {
            let number = page(**first);
            let words = self.pages.entry(number).or_insert_with(|| vec![0; PAGE / 64].into());
            while let Some((at, ordinal)) = values.next_if(|(_, ordinal)| page(**ordinal) == number) {
                if nulls.is_none_or(|nulls| nulls.is_valid(at))
                    && let Some(word) = words.get_mut(word(*ordinal))
                {
                    *word |= bit(*ordinal);
                }
            }
        }
    }

    /// Adds another set.
    pub(super) fn merge(&mut self, other: Ordinals) {
        for (number, words) in other.pages {
            match self.pages.entry(number) {
                Entry::Vacant(place) => {
                    place.insert(words);
                }
                Entry::Occupied(mut own) => own.get_mut().iter_mut().zip(words).for_each(|(own, word)| *own |= word),
            }
        }
    }

    /// Which ordinals are in the set; null is not.
    pub(super) fn has(&self, ordinals: &Int64Array) -> BooleanArray {
        let values = ordinals.values();
        let mut last: Option<(i64, Option<&[u64]>)> = None;
        let found = BooleanBuffer::collect_bool(values.len(), |at| {
            let ordinal = values.get(at).copied().unwrap_or_default();
            let number = page(ordinal);
            let words = match last {
                Some((known, words)) if known == number => words,
                _ => {
                    let words = self.pages.get(&number).map(|words| &**words);
                    last = Some((number, words));
                    words
                }
            };
            words.and_then(|words| words.get(word(ordinal))).is_some_and(|it| it & bit(ordinal) != 0)
        });
        let found = match ordinals.nulls() {
            Some(nulls) => &found & nulls.inner(),
            None => found,
        };
        BooleanArray::new(found, None)
    }
}

const fn page(ordinal: i64) -> i64 {
    ordinal >> 16
}

const fn word(ordinal: i64) -> usize {
    (ordinal as usize & (PAGE - 1)) / 64
}

const fn bit(ordinal: i64) -> u64 {
    1 << (ordinal & 63)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn sets_are_sets() {
        let all: Vec<i64> = vec![0, 1, 63, 64, 65_535, 65_536, (5 << 32) | 7, (1 << 62) + 9, -1, -70_000];
        let mut set = Ordinals::default();
        set.add(&Int64Array::from_iter(all.iter().take(6).map(|it| Some(*it)).chain([None, Some(12)])));
        let mut other = Ordinals::default();
        other.add(&Int64Array::from_iter_values(all.iter().skip(5).copied()));
        set.merge(other);
        let mut expected: HashSet<i64> = all.iter().copied().collect();
        expected.insert(12);
        let asked: Vec<i64> = all.iter().flat_map(|it| [*it - 1, *it, *it + 1]).chain([12, 13]).collect();
        let found = set.has(&Int64Array::from(asked.clone()));
        for (at, ordinal) in asked.iter().enumerate() {
            assert_eq!(found.value(at), expected.contains(ordinal), "{ordinal}");
        }
        assert_eq!(set.has(&Int64Array::from(vec![None, Some(0)])), BooleanArray::from(vec![false, true]));
    }
}
