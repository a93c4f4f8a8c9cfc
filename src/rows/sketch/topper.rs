//! The keys with the greatest counts, in bounded space.
//!
//! What falls out among equal counts is decided by the order in which the original's hash table gives its keys, and shows in
//! recorded answers; so that order is kept here.

use super::bytes::{In, Out};
use crate::error::Problem;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A bounded table of keys and counts.
#[derive(Clone, Debug, Default)]
pub struct Topper {
    entries: HashMap<Arc<str>, Entry>,
    /// Slots of the original's table: a power of two that grows with the number of keys.
    slots: u32,
    inserted: u64,
    /// The keys by count, slot and order, once the table is full: then the first one falls out.
    ranked: Option<BTreeMap<(i64, u32, u64), Arc<str>>>,
    /// How much too great a count may be, if that is recorded.
    errors: Option<HashMap<Arc<str>, i64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    count: i64,
    hash: u32,
    /// When the key came in.
    order: u64,
}

fn hash(key: &str) -> u32 {
    let hash = key.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    hash ^ (hash >> 16)
}

impl PartialEq for Topper {
    fn eq(&self, other: &Self) -> bool {
        (&self.entries, self.slots, self.inserted, &self.errors)
            == (&other.entries, other.slots, other.inserted, &other.errors)
    }
}

impl Topper {
    /// An empty table; whether it records errors.
    pub fn new(errors: bool) -> Self {
        Self { slots: 16, errors: errors.then(HashMap::new), ..Self::default() }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The count of a key.
    pub fn get(&self, key: &str) -> Option<i64> {
        self.entries.get(key).map(|entry| entry.count)
    }

    /// How much too great the count of a key may be; nothing if that is not recorded.
    pub fn error(&self, key: &str) -> Option<i64> {
        self.errors.as_ref().map(|errors| errors.get(key).copied().unwrap_or(0))
    }

    /// Keys and counts, greatest first.
    pub fn sorted(&self) -> Vec<(Arc<str>, i64)> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(_, entry)| (std::cmp::Reverse(entry.count), self.slot(entry), entry.order));
        entries.into_iter().map(|(key, entry)| (key.clone(), entry.count)).collect()
    }

    /// Bytes of memory, about.
    pub fn size(&self) -> usize {
        self.entries.keys().map(|key| key.len() + 80).sum::<usize>() + size_of::<Self>()
    }

    /// Takes another table in. Counts add up; what one table may have lost counts as its smallest count.
    ///
    /// # Errors
    /// A count below 0.
    pub fn merge(&mut self, other: &Self, size: usize) -> Result<(), Problem> {
        let lost = |table: &Self| match table.len() >= size {
            true => table.entries.values().map(|entry| entry.count).min().unwrap_or(0),
            false => 0,
        };
        let (own_lost, other_lost) = (lost(self), lost(other));
        let mut all: Vec<(Arc<str>, i64, i64)> = vec![];
        for (key, count) in self.sorted() {
            let found = other.get(&key);
            let error = self.error(&key).unwrap_or(0) + found.map_or(other_lost, |_| other.error(&key).unwrap_or(0));
            all.push((key, count.saturating_add(found.unwrap_or(other_lost)), error));
        }
        for (key, count) in other.sorted() {
            if self.get(&key).is_none() {
                let error = other.error(&key).unwrap_or(0) + own_lost;
                all.push((key, count.saturating_add(own_lost), error));
            }
        }
        all.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
        let mut merged = Self::new(self.errors.is_some());
        for (key, count, error) in all.into_iter().take(size) {
            merged.put(&key, count);
            if let Some(errors) = merged.errors.as_mut().filter(|_| error > 0) {
                errors.insert(key, error);
            }
        }
        *self = merged;
        Ok(())
    }

    pub(crate) fn write(&self, out: &mut Out) {
        out.number(u64::from(self.slots));
        out.number(self.inserted);
        out.number(u64::from(self.errors.is_some()));
        out.count(self.entries.len());
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(_, entry)| entry.order);
        for (key, entry) in entries {
            out.text(key);
            out.int(entry.count);
            out.number(entry.order);
            if self.errors.is_some() {
                out.int(self.error(key).unwrap_or(0));
            }
        }
    }

    pub(crate) fn read(from: &mut In<'_>) -> Option<Self> {
        let (slots, inserted, errors) = (u32::try_from(from.number()?).ok()?, from.number()?, from.number()? == 1);
        let mut table = Self { slots: slots.max(1), inserted, ..Self::new(errors) };
        for _ in 0..from.count()? {
            let (key, count, order) = (Arc::<str>::from(from.text()?), from.int()?, from.number()?);
            let entry = Entry { count, hash: hash(&key), order };
            if let Some(errors) = &mut table.errors {
                let error = from.int()?;
                if error > 0 {
                    errors.insert(key.clone(), error);
                }
            }
            table.entries.insert(key, entry);
        }
        Some(table)
    }

    fn slot(&self, entry: &Entry) -> u32 {
        entry.hash & (self.slots - 1)
    }

    fn put(&mut self, key: &str, count: i64) {
        if let Some((key, entry)) = self.entries.get_key_value(key) {
            let (key, before) = (key.clone(), *entry);
            let slot = self.slot(&before);
            if let Some(ranked) = &mut self.ranked {
                ranked.remove(&(before.count, slot, before.order));
                ranked.insert((count, slot, before.order), key.clone());
            }
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.count = count;
            }
            return;
        }
        self.inserted += 1;
        let (key, entry) = (Arc::<str>::from(key), Entry { count, hash: hash(key), order: self.inserted });
        let slot = self.slot(&entry);
        if let Some(ranked) = &mut self.ranked {
            ranked.insert((count, slot, entry.order), key.clone());
        }
        self.entries.insert(key, entry);
        while self.entries.len() as u64 * 4 > u64::from(self.slots) * 3 && self.slots < 1 << 30 {
            self.slots *= 2;
            // Keys are in other slots now.
            self.ranked = None;
        }
    }

    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            let slot = self.slot(&entry);
            if let Some(ranked) = &mut self.ranked {
                ranked.remove(&(entry.count, slot, entry.order));
            }
        }
    }

    /// The key with the smallest count.
    fn least(&mut self) -> Option<(Arc<str>, i64)> {
        if self.ranked.is_none() {
            let place = |entry: &Entry| (entry.count, self.slot(entry), entry.order);
            self.ranked = Some(self.entries.iter().map(|(key, entry)| (place(entry), key.clone())).collect());
        }
        let (place, key) = self.ranked.as_ref()?.first_key_value()?;
        Some((key.clone(), place.0))
    }

    /// Adds to the count of a key. A key that is new in a full table takes over the smallest count. Gives the key that fell
    /// out.
    pub fn add(&mut self, key: &str, weight: i64, size: usize) -> Result<Option<Arc<str>>, Problem> {
        let count = match self.get(key) {
            Some(count) => count,
            None if self.len() >= size => self.least().map_or(0, |(_, count)| count),
            None => 0,
        };
        self.update(key, count.saturating_add(weight), size)
    }

    /// Adds one to the count of a key that is there.
    pub fn add_existing(&mut self, key: &str) {
        if let Some(count) = self.get(key) {
            self.put(key, count.saturating_add(1));
        }
    }

    /// Sets the count of a key. Gives the key that fell out, perhaps this one.
    ///
    /// # Errors
    /// A count below 0.
    pub fn update(&mut self, key: &str, count: i64, size: usize) -> Result<Option<Arc<str>>, Problem> {
        if count < 0 {
            return Err(Problem::other("a top counts from 0 on"));
        }
        if self.len() < size {
            self.put(key, count);
            return Ok(None);
        }
        let least = self.least();
        if least.as_ref().is_some_and(|(_, least)| count < *least) {
            return Ok(Some(key.into()));
        }
        let dropped = least.filter(|_| !self.entries.contains_key(key));
        if let Some((dropped, smallest)) = &dropped {
            self.remove(dropped);
            if let Some(errors) = &mut self.errors {
                errors.remove(dropped);
                errors.insert(key.into(), *smallest);
            }
        }
        self.put(key, count);
        Ok(dropped.map(|(key, _)| key))
    }
}
