//! Which children of a node stay when there is room for some only.

use super::bytes::{In, Out};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The names that were visited last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    /// The one visited last comes last.
    names: VecDeque<Arc<str>>,
    deleted: i64,
}

impl Recent {
    /// Notes a visit; gives the name for which there is no more room.
    pub fn visit(&mut self, name: &Arc<str>, size: usize) -> Option<Arc<str>> {
        self.names.retain(|known| known != name);
        self.names.push_back(name.clone());
        let dropped = if self.names.len() > size { self.names.pop_front() } else { None };
        self.deleted += i64::from(dropped.is_some());
        dropped
    }

    /// How many names had to go.
    pub fn deleted(&self) -> i64 {
        self.deleted
    }

    /// Bytes of memory, about.
    pub fn size(&self) -> usize {
        self.names.iter().map(|name| name.len() + 32).sum()
    }

    pub(crate) fn write(&self, out: &mut Out) {
        out.int(self.deleted);
        out.count(self.names.len());
        self.names.iter().for_each(|name| out.text(name));
    }

    pub(crate) fn read(from: &mut In<'_>) -> Option<Self> {
        let (deleted, count) = (from.int()?, from.count()?);
        let names = (0..count).map(|_| from.text().map(Arc::from)).collect::<Option<_>>()?;
        Some(Self { names, deleted })
    }
}

/// The names with the most hits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hot {
    /// Hits, and when the name was visited last.
    names: BTreeMap<Arc<str>, (i64, u64)>,
    visits: u64,
    deleted: i64,
}

impl Hot {
    /// Notes the hits of a name after a visit; gives the name for which there is no more room: the one with the fewest
    /// hits but the visited one, of several the one that was visited first.
    pub fn visit(&mut self, name: &Arc<str>, hits: i64, size: usize) -> Option<Arc<str>> {
        self.visits += 1;
        self.names.insert(name.clone(), (hits, self.visits));
        if self.names.len() <= size {
            return None;
        }
        let others = self.names.iter().filter(|(known, _)| *known != name);
        let dropped = others.min_by_key(|(_, place)| **place).map(|(known, _)| known.clone())?;
        self.names.remove(&dropped);
        self.deleted += 1;
        Some(dropped)
    }

    /// Names and hits, most first; of several the one that was visited last.
    pub fn sorted(&self) -> Vec<(Arc<str>, i64)> {
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_by_key(|(_, place)| std::cmp::Reverse(**place));
        names.into_iter().map(|(name, (hits, _))| (name.clone(), *hits)).collect()
    }

    /// How many names had to go.
    pub fn deleted(&self) -> i64 {
        self.deleted
    }

    /// Bytes of memory, about.
    pub fn size(&self) -> usize {
        self.names.keys().map(|name| name.len() + 64).sum()
    }

    pub(crate) fn write(&self, out: &mut Out) {
        out.int(self.deleted);
        out.number(self.visits);
        out.count(self.names.len());
        for (name, (hits, visited)) in &self.names {
            out.text(name);
            out.int(*hits);
            out.number(*visited);
        }
    }

    pub(crate) fn read(from: &mut In<'_>) -> Option<Self> {
        let (deleted, visits, count) = (from.int()?, from.number()?, from.count()?);
        let name = |from: &mut In<'_>| Some((Arc::from(from.text()?), (from.int()?, from.number()?)));
        let names = (0..count).map(|_| name(from)).collect::<Option<_>>()?;
        Some(Self { names, visits, deleted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_some() {
        let name = |text: &str| Arc::<str>::from(text);
        let mut recent = Recent::default();
        let dropped: Vec<_> = ["a", "b", "a", "c", "b"].map(|it| recent.visit(&name(it), 2)).to_vec();
        assert_eq!(dropped, [None, None, None, Some(name("b")), Some(name("a"))]);
        assert_eq!(recent.deleted(), 2);
        let mut hot = Hot::default();
        assert_eq!(hot.visit(&name("a"), 5, 2), None);
        assert_eq!(hot.visit(&name("b"), 1, 2), None);
        assert_eq!(hot.visit(&name("c"), 1, 2), Some(name("b")));
        assert_eq!(hot.sorted(), [(name("a"), 5), (name("c"), 1)]);
    }
}
