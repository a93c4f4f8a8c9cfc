//! Texts as small numbers: paths and names repeat in every run.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A hasher for short texts, several times faster than the standard one. Not hardened against chosen keys: at worst an
/// import becomes slow.
#[derive(Default, Clone, Copy)]
pub(crate) struct TextHasher(u64);

impl Hasher for TextHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    // Texts end with this byte; their length is part of the hash already.
    fn write_u8(&mut self, byte: u8) {
        self.0 ^= u64::from(byte);
    }
}

/// A map with the quick hasher.
pub(crate) type TextMap<K, V> = HashMap<K, V, BuildHasherDefault<TextHasher>>;

/// Gives each different text a number, in order of first appearance.
#[derive(Default)]
pub(crate) struct Interner {
    ids: TextMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
    bytes: usize,
}

impl Interner {
    /// The number of `text`.
    pub(crate) fn id(&mut self, text: &str) -> u32 {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = self.texts.len() as u32;
        self.texts.push(text.into());
        self.ids.insert(text.into(), id);
        self.bytes += 2 * text.len() + 80;
        id
    }

    /// The text with number `id`, empty for a number never given.
    pub(crate) fn text(&self, id: u32) -> &str {
        self.texts.get(id as usize).map_or("", |text| text)
    }

    /// All texts, in order of their numbers.
    pub(crate) fn texts(&self) -> &[Box<str>] {
        &self.texts
    }

    /// About how much memory the texts take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_equal_numbers() {
        let mut interner = Interner::default();
        let ids: Vec<u32> = ["b", "a", "b", "", "a"].iter().map(|text| interner.id(text)).collect();
        assert_eq!(ids, [0, 1, 0, 2, 1]);
        assert_eq!(interner.text(2), "");
        assert_eq!(interner.texts().len(), 3);
    }
}
