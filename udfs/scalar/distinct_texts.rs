//! Testing texts once for each distinct value.
//!
//! Texts that come from a dictionary page of a Parquet file arrive as views of the dictionary's bytes: equal texts of one
//! page are equal views. A test that costs more than looking up sixteen bytes is therefore made once for each view.

use super::arguments::Texts;
use arrow::array::{Array, BooleanArray, BooleanBufferBuilder};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

/// Rows that are looked at before it is decided whether remembering answers pays.
const TRIAL: usize = 1024;

/// The test of every text; null where the text is null.
pub(crate) fn test_texts(
    array: &dyn Array,
    mut test: impl FnMut(&str) -> bool,
) -> datafusion_common::Result<BooleanArray> {
    let texts = Texts::new(array)?;
    let mut found = BooleanBufferBuilder::new(array.len());
    let nulls = array.nulls().cloned();
    let Texts::View(views) = texts else {
        for row in 0..array.len() {
            found.append(texts.get(row).is_some_and(&mut test));
        }
        return Ok(BooleanArray::new(found.finish(), nulls));
    };
    let mut known: HashMap<u128, bool, BuildHasherDefault<ViewHasher>> = HashMap::default();
    let mut remember = true;
    for (row, view) in views.views().iter().enumerate() {
        if views.is_null(row) {
            found.append(false);
            continue;
        }
        if !remember {
            found.append(test(views.value(row)));
            continue;
        }
        found.append(match known.entry(*view) {
            Entry::Occupied(answer) => *answer.get(),
            Entry::Vacant(place) => *place.insert(test(views.value(row))),
        });
        // Mostly different texts: remembering them would cost more than it saves.
        remember = row < TRIAL || known.len() * 2 < row;
    }
    Ok(BooleanArray::new(found.finish(), nulls))
}

/// Mixes the parts of a view; short texts differ in any of its bytes, long ones in their offset.
#[derive(Default)]
pub(crate) struct ViewHasher(u64);

impl Hasher for ViewHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
    }

    fn write_u128(&mut self, view: u128) {
        let (high, low) = ((view >> 64) as u64, view as u64);
        let mixed = u128::from(low ^ 0x9E37_79B9_7F4A_7C15) * u128::from(high ^ 0xD6E8_FEB8_6659_FD93);
        self.0 = (mixed >> 64) as u64 ^ mixed as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{StringArray, StringViewArray};

    #[test]
    fn equal_views_are_tested_once() {
        let long = "a text that does not fit into a view";
        let texts: Vec<Option<&str>> = (0..3000).map(|row| [Some(long), None, Some("short")][row % 3]).collect();
        let mut tests = 0;
        let found = test_texts(&StringViewArray::from(texts.clone()), |text| {
            tests += 1;
            text == "short"
        })
        .unwrap();
        assert!(tests <= 1002, "{tests}");
        let expected: Vec<_> = texts.iter().map(|text| text.map(|text| text == "short")).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected);
        let plain = test_texts(&StringArray::from(texts), |text| text == "short").unwrap();
        assert_eq!(plain, found);
    }

    #[test]
    fn different_texts_are_all_tested() {
        let texts: Vec<String> = (0..5000).map(|row| format!("text {row}")).collect();
        let found = test_texts(&StringViewArray::from_iter_values(&texts), |text| text.ends_with('7')).unwrap();
        assert_eq!(found.true_count(), 500);
    }
}
