//! Names of nodes, each one once.

use hashbrown::HashTable;
use std::collections::HashMap;
use xxhash_rust::xxh3::xxh3_64;

/// Texts by number, numbers by text.
#[derive(Debug, Default)]
pub(super) struct Names {
    text: String,
    ends: Vec<u32>,
    index: HashTable<u32>,
    /// Integers are printed once.
    ints: HashMap<i64, u32>,
}

/// Integers that are remembered with their names.
const MOST_INTS: usize = 1 << 16;

fn text_of<'a>(text: &'a str, ends: &[u32], name: u32) -> &'a str {
    let end = ends.get(name as usize).copied().unwrap_or_default() as usize;
    let start = name.checked_sub(1).and_then(|before| ends.get(before as usize)).copied().unwrap_or_default() as usize;
    text.get(start..end).unwrap_or_default()
}

impl Names {
    /// The number of a name; nothing when there is no more room.
    pub(super) fn number(&mut self, name: &str) -> Option<u32> {
        let hash = xxh3_64(name.as_bytes());
        let Self { text, ends, index, .. } = self;
        if let Some(found) = index.find(hash, |known| text_of(text, ends, *known) == name) {
            return Some(*found);
        }
        let number = u32::try_from(ends.len()).ok()?;
        let end = u32::try_from(text.len() + name.len()).ok()?;
        text.push_str(name);
        ends.push(end);
        index.insert_unique(hash, number, |known| xxh3_64(text_of(text, ends, *known).as_bytes()));
        Some(number)
    }

    /// The number of an integer's name.
    pub(super) fn int(&mut self, value: i64) -> Option<u32> {
        if let Some(known) = self.ints.get(&value) {
            return Some(*known);
        }
        let number = self.number(&value.to_string())?;
        if self.ints.len() < MOST_INTS {
            self.ints.insert(value, number);
        }
        Some(number)
    }

    /// A name.
    pub(super) fn get(&self, name: u32) -> &str {
        text_of(&self.text, &self.ends, name)
    }

    /// The place of each name among all, by their bytes.
    #[allow(clippy::cast_possible_truncation, reason = "there are fewer than 2^32 names")]
    pub(super) fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.ends.len() as u32).collect();
        order.sort_unstable_by(|a, b| self.get(*a).cmp(self.get(*b)));
        let mut ranks = vec![0; order.len()];
        for (rank, name) in order.iter().enumerate() {
            if let Some(place) = ranks.get_mut(*name as usize) {
                *place = rank as u32;
            }
        }
        ranks
    }

    /// Bytes of memory, about.
    pub(super) fn size(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * 4 + self.index.capacity() * 6 + self.ints.len() * 24
    }
}
