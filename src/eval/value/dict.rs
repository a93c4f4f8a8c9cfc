//! Dicts and sets: tables in order of insertion, found by hash.

use super::{Value, compare, hash};
use crate::{Meter, Raised};
use std::collections::HashMap;
use std::sync::Arc;

/// Tables up to this size are searched from front to back.
const SMALL: usize = 8;

/// Keys with their hashes, each once.
#[derive(Clone, Debug, Default)]
struct Keys {
    keys: Vec<Value>,
    hashes: Vec<u64>,
    /// Positions by hash, kept once there are more than [`SMALL`] keys.
    index: HashMap<u64, Vec<u32>>,
    depth: u32,
}

impl Keys {
    fn find(&self, hash: u64, mut same: impl FnMut(&Value) -> Result<bool, Raised>) -> Result<Option<usize>, Raised> {
        if self.keys.len() <= SMALL {
            for (i, (key, known)) in self.keys.iter().zip(&self.hashes).enumerate() {
                if *known == hash && same(key)? {
                    return Ok(Some(i));
                }
            }
            return Ok(None);
        }
        for &i in self.index.get(&hash).map_or(&[][..], Vec::as_slice) {
            let i = i as usize;
            if self.keys.get(i).map_or(Ok(false), &mut same)? {
                return Ok(Some(i));
            }
        }
        Ok(None)
    }

    fn locate(&self, key: &Value, meter: &Meter) -> Result<Option<usize>, Raised> {
        let hash = hash::hash(key, meter)?;
        self.find(hash, |known| Ok(known.same_object(key) || compare::equal(known, key, meter)?))
    }

    fn push(&mut self, key: Value, hash: u64) {
        let position = self.keys.len();
        self.depth = self.depth.max(key.depth());
        self.keys.push(key);
        self.hashes.push(hash);
        if position == SMALL {
            for (i, hash) in self.hashes.iter().enumerate() {
                self.index.entry(*hash).or_default().push(i as u32);
            }
        } else if position > SMALL {
            self.index.entry(hash).or_default().push(position as u32);
        }
    }
}

/// A dict.
#[derive(Clone, Debug, Default)]
pub struct Dict {
    keys: Keys,
    values: Vec<Value>,
    depth: u32,
}

impl Dict {
    /// From text keys; later entries win.
    pub fn from_texts(entries: impl IntoIterator<Item = (Arc<str>, Value)>) -> Self {
        let mut dict = Self::default();
        for (text, value) in entries {
            let hash = hash::of_text(&text);
            // Comparing texts cannot fail.
            let found = dict.keys.find(hash, |known| Ok(matches!(known, Value::Str(known) if *known == text)));
            dict.put(found.unwrap_or(None), Value::Str(text), hash, value);
        }
        dict
    }

    /// Inserts an entry or replaces the value of an equal key.
    ///
    /// # Errors
    /// For keys that cannot be hashed.
    pub fn insert(&mut self, key: Value, value: Value, meter: &Meter) -> Result<(), Raised> {
        let hash = hash::hash(&key, meter)?;
        let found = self.keys.find(hash, |known| Ok(known.same_object(&key) || compare::equal(known, &key, meter)?))?;
        self.put(found, key, hash, value);
        Ok(())
    }

    fn put(&mut self, found: Option<usize>, key: Value, hash: u64, value: Value) {
        self.depth = self.depth.max(value.depth());
        match found.and_then(|i| self.values.get_mut(i)) {
            Some(old) => *old = value,
            None => {
                self.keys.push(key, hash);
                self.values.push(value);
            }
        }
    }

    /// The value of a key.
    ///
    /// # Errors
    /// For keys that cannot be hashed.
    pub fn get(&self, key: &Value, meter: &Meter) -> Result<Option<&Value>, Raised> {
        Ok(self.keys.locate(key, meter)?.and_then(|i| self.values.get(i)))
    }

    /// The value of a text key.
    #[must_use]
    pub fn get_text(&self, text: &str) -> Option<&Value> {
        let found =
            self.keys.find(hash::of_text(text), |known| Ok(matches!(known, Value::Str(known) if **known == *text)));
        self.values.get(found.unwrap_or(None)?)
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether it has no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.keys.keys.iter().zip(&self.values)
    }

    /// The keys in order.
    pub(crate) fn keys(&self) -> &[Value] {
        &self.keys.keys
    }

    /// The values in order.
    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }

    pub(crate) fn depth(&self) -> u32 {
        1 + self.depth.max(self.keys.depth)
    }
}

/// A set.
#[derive(Clone, Debug, Default)]
pub struct Set {
    keys: Keys,
}

impl Set {
    /// Adds an element unless there is an equal one.
    ///
    /// # Errors
    /// For elements that cannot be hashed.
    pub fn insert(&mut self, key: Value, meter: &Meter) -> Result<(), Raised> {
        let hash = hash::hash(&key, meter)?;
        let found = self.keys.find(hash, |known| Ok(known.same_object(&key) || compare::equal(known, &key, meter)?))?;
        if found.is_none() {
            self.keys.push(key, hash);
        }
        Ok(())
    }

    /// Whether an equal element is there.
    ///
    /// # Errors
    /// For elements that cannot be hashed.
    pub fn contains(&self, key: &Value, meter: &Meter) -> Result<bool, Raised> {
        Ok(self.keys.locate(key, meter)?.is_some())
    }

    /// From elements.
    ///
    /// # Errors
    /// For elements that cannot be hashed.
    pub fn collect(items: impl IntoIterator<Item = Value>, meter: &Meter) -> Result<Self, Raised> {
        let mut set = Self::default();
        for item in items {
            set.insert(item, meter)?;
        }
        Ok(set)
    }

    /// The elements in order of insertion.
    pub(crate) fn items(&self) -> &[Value] {
        &self.keys.keys
    }

    pub(crate) fn len(&self) -> usize {
        self.items().len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items().is_empty()
    }

    /// Whether every element is in the other set.
    pub(crate) fn is_subset(&self, other: &Set, meter: &Meter) -> Result<bool, Raised> {
        meter.walk(self.len())?;
        for item in self.items() {
            if !other.contains(item, meter)? {
                return Ok(false);
            }
        }
        Ok(self.len() <= other.len())
    }

    pub(crate) fn depth(&self) -> u32 {
        1 + self.keys.depth
    }
}
