//! Texts that a regular expression cannot match, told from the bytes of all of them at once.
//!
//! Many expressions begin or end with one of a few pieces of plain text. Whoever has none of them has no match. Texts of a
//! column lie one after the other in a few buffers, so the pieces are sought in these, at the speed of memory, and the
//! expression is tried only on texts that have one.

use arrow::array::{Array, StringViewArray};
use arrow::buffer::BooleanBuffer;
use memchr::memmem::Finder;
use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};

/// Pieces up to which seeking them is cheaper than trying the expression.
const MOST: usize = 6;

/// A shorter piece is found too often.
const SHORTEST: usize = 3;

/// Length up to which a text lies in its view and in no buffer.
const INLINE: u32 = 12;

/// Pieces of which every match has one.
pub(crate) struct Needles(Vec<Vec<u8>>);

impl Needles {
    /// The pieces of an expression; nothing if there are none that help.
    pub(crate) fn new(regex: &str) -> Option<Self> {
        let parsed = regex_syntax::parse(regex).ok()?;
        [ExtractKind::Prefix, ExtractKind::Suffix].into_iter().find_map(|kind| {
            let mut extractor = Extractor::new();
            extractor.kind(kind);
            Self::of(&extractor.extract(&parsed))
        })
    }

    fn of(pieces: &Seq) -> Option<Self> {
        let pieces = pieces.literals()?;
        let useful =
            !pieces.is_empty() && pieces.len() <= MOST && pieces.iter().all(|piece| piece.as_bytes().len() >= SHORTEST);
        useful.then(|| Self(pieces.iter().map(|piece| piece.as_bytes().to_vec()).collect()))
    }

    /// For each text whether a match is possible. Nothing if most texts lie in no buffer or not in its order.
    pub(crate) fn possible(&self, texts: &StringViewArray) -> Option<BooleanBuffer> {
        let buffers: Vec<Vec<(usize, usize)>> =
            texts.data_buffers().iter().map(|buffer| self.places(buffer.as_slice())).collect();
        let (mut next, mut buffer, mut last) = (0, u32::MAX, 0);
        let mut strays = 0;
        let possible = BooleanBuffer::collect_bool(texts.len(), |row| {
            let Some(view) = texts.views().get(row) else { return true };
            let length = *view as u32;
            if length <= INLINE {
                strays += 1;
                return true;
            }
            // A view: length, first bytes, buffer, offset, 32 bits each.
            let (of, offset) = ((*view >> 64) as u32, (*view >> 96) as usize);
            if of != buffer {
                (buffer, next, last) = (of, 0, 0);
            }
            if offset < last {
                strays += 1;
                return true;
            }
            last = offset;
            let Some(places) = buffers.get(of as usize) else { return true };
            while places.get(next).is_some_and(|(start, _)| *start < offset) {
                next += 1;
            }
            let end = offset + length as usize;
            let mut within = places.iter().skip(next).take_while(|(start, _)| *start < end);
            within.any(|(_, stop)| *stop <= end)
        });
        (strays * 4 <= texts.len()).then_some(possible)
    }

    /// Where the pieces begin and end, by their beginnings.
    fn places(&self, bytes: &[u8]) -> Vec<(usize, usize)> {
        let mut places = vec![];
        for needle in &self.0 {
            let finder = Finder::new(needle);
            let mut from = 0;
            while let Some(at) = bytes.get(from..).and_then(|rest| finder.find(rest)) {
                places.push((from + at, from + at + needle.len()));
                // One may begin inside another.
                from += at + 1;
            }
        }
        places.sort_unstable();
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::proptest;
    use regex::Regex;

    #[test]
    fn pieces_of_expressions() {
        let pieces = |regex: &str| Needles::new(regex).map(|needles| needles.0.len());
        assert_eq!(pieces("_raw_run020[12]00_0007"), Some(2));
        assert_eq!(pieces("^np04.*root$"), Some(1));
        assert_eq!(pieces(".*_reco"), Some(1));
        assert_eq!(pieces("[a-z]+\\.root$"), Some(1));
        for none in ["", "ab", "a.c", "[0-9]+", "(a|b)*", "abc|d"] {
            assert_eq!(pieces(none), None, "{none}");
        }
    }

    proptest! {
        /// A text with a match is never ruled out, whatever pieces reach over its ends.
        #[test]
        fn matches_are_possible(texts in proptest::collection::vec("[ab]{0,24}", 0..40), at in 0_usize..6) {
            let source = ["aba", "(aab|bba)a*$", "a.*bbb", "^aabb", "abab|baba", "bb+aab"][at];
            let (regex, array) = (Regex::new(source).unwrap(), StringViewArray::from_iter_values(&texts));
            for array in [array.clone(), array.slice(texts.len() / 3, texts.len() - texts.len() / 3)] {
                let Some(possible) = Needles::new(source).and_then(|needles| needles.possible(&array)) else { continue };
                for row in 0..array.len() {
                    assert!(possible.value(row) || !regex.is_match(array.value(row)), "{source} {:?}", array.value(row));
                }
            }
        }
    }
}
