//! Numbers for keys, in the order in which they were first seen.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// The keys that were seen.
#[derive(Default)]
pub(super) struct Keys {
    table: HashTable<(u64, usize)>,
    keys: Vec<Box<str>>,
}

impl Keys {
    /// The number of a key, and whether it is new.
    pub(super) fn number(&mut self, key: &str) -> (usize, bool) {
        let hash = xxh3_64(key.as_bytes());
        let same =
            |entry: &(u64, usize)| entry.0 == hash && self.keys.get(entry.1).is_some_and(|known| **known == *key);
        if let Some((_, number)) = self.table.find(hash, same) {
            return (*number, false);
        }
        let number = self.keys.len();
        self.keys.push(key.into());
        self.table.insert_unique(hash, (hash, number), |entry| entry.0);
        (number, true)
    }

    /// The keys in the order of their numbers.
    pub(super) fn keys(&self) -> &[Box<str>] {
        &self.keys
    }

    /// Bytes of memory of a key, about.
    pub(super) fn size(key: &str) -> usize {
        key.len() + 80
    }
}
