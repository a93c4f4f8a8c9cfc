//! All blocks of a session.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::block::Block;
use super::parents::Ids;

/// A column of a row group of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) file: Arc<str>,
    pub(super) group: usize,
    pub(super) column: Arc<str>,
}

/// Blocks of one version of a lake, up to a number of bytes.
#[derive(Debug)]
pub struct ColumnCache {
    limit: usize,
    state: Mutex<State>,
    /// Ids of files, once a query has followed provenance.
    pub(super) ids: tokio::sync::OnceCell<Arc<Ids>>,
}

#[derive(Debug, Default)]
struct State {
    blocks: HashMap<Key, Entry>,
    bytes: usize,
    clock: u64,
    /// What was asked for by queries with few rows, which read only these.
    asked: HashSet<Key>,
}

#[derive(Debug)]
struct Entry {
    block: Arc<Block>,
    bytes: usize,
    used: u64,
}

impl ColumnCache {
    /// Holds up to so many bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, state: Mutex::default(), ids: tokio::sync::OnceCell::new() }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Block>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.clock += 1;
        let clock = state.clock;
        let entry = state.blocks.get_mut(key)?;
        entry.used = clock;
        Some(Arc::clone(&entry.block))
    }

    /// Whether this was asked for before.
    pub(super) fn asked_again(&self, key: &Key) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        !state.asked.insert(key.clone())
    }

    pub(super) fn put(&self, key: Key, block: Arc<Block>) {
        let bytes = block.bytes() + std::mem::size_of::<(Key, Entry)>();
        // A block that would drive out a good part of the others is not worth it.
        if bytes > self.limit / 4 {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.clock += 1;
        let used = state.clock;
        if let Some(old) = state.blocks.insert(key, Entry { block, bytes, used }) {
            state.bytes -= old.bytes;
        }
        state.bytes += bytes;
        if state.bytes > self.limit {
            state.shrink(self.limit - self.limit / 8);
        }
    }

    /// Bytes that are held.
    pub fn bytes(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }
}

impl State {
    /// The blocks that were not used for longest leave.
    fn shrink(&mut self, wanted: usize) {
        let mut ages: Vec<(u64, usize)> = self.blocks.values().map(|entry| (entry.used, entry.bytes)).collect();
        ages.sort_unstable();
        let mut bytes = self.bytes;
        let mut last = 0;
        for (used, size) in ages {
            if bytes <= wanted {
                break;
            }
            bytes -= size;
            last = used;
        }
        self.blocks.retain(|_, entry| entry.used > last);
        self.bytes = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Int64Array;

    #[test]
    fn the_least_used_leave() {
        let key = |group| Key { file: "f".into(), group, column: "c".into() };
        let block = || Arc::new(Block::Plain(Arc::new(Int64Array::from_iter_values(0..1000))));
        let cache = ColumnCache::new(100_000);
        for group in 0..50 {
            cache.put(key(group), block());
            assert!(cache.get(&key(0)).is_some(), "{group}");
            assert!(cache.bytes() <= 100_000);
        }
        assert!(cache.get(&key(1)).is_none() && cache.get(&key(49)).is_some());
        assert!(!cache.asked_again(&key(1)) && cache.asked_again(&key(1)));
        let large = ColumnCache::new(10_000);
        large.put(key(0), block());
        assert!(large.get(&key(0)).is_none());
    }
}
