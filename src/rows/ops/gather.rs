//! `gather`: one row per key. Groups come out in the order in which their keys were first seen.

use super::merge::{Binding, Group};
use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::limits::Share;
use crate::pipeline::{Flow, Made, Operator, Setting, Sink};
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::ops::{Merge, MergeSpec};
use std::collections::HashMap;

struct Gather {
    binding: Binding,
    groups: HashMap<Box<str>, Entry>,
    top: Option<Top>,
    key: String,
    seen: u64,
    strict: bool,
    /// Whether groups grow while rows come.
    grows: bool,
    held: Share,
}

struct Entry {
    group: Group,
    order: u64,
}

pub(super) fn make(spec: &MergeSpec, input: &Columns, setting: &Setting) -> Made {
    let binding = Binding::new(spec, input, setting);
    let columns = binding.output().clone();
    let size = usize::try_from(spec.number).unwrap_or(usize::MAX);
    let grows = spec.columns.iter().any(|merge| matches!(merge, Merge::Join | Merge::Distinct | Merge::Last));
    let operator = Gather {
        binding,
        groups: HashMap::new(),
        top: spec.top.map(|column| Top { column, size, values: HashMap::new(), least: None }),
        key: String::new(),
        seen: 0,
        strict: setting.strict,
        grows,
        held: setting.budget.share(),
    };
    Made { operator: Box::new(operator), columns }
}

impl Operator for Gather {
    fn push(&mut self, row: Row, _out: &mut dyn Sink) -> Result<Flow, Failure> {
        self.binding.update(&row);
        self.binding.key(&row, &mut self.key);
        let entry = match self.groups.get_mut(self.key.as_str()) {
            Some(entry) => entry,
            None => {
                let group = self.binding.group();
                self.held.take(self.key.len() + size_of::<Entry>() + group.size())?;
                self.seen += 1;
                self.groups.entry(self.key.as_str().into()).or_insert(Entry { group, order: self.seen })
            }
        };
        self.grows |= row.cells.iter().any(|cell| matches!(cell, Cell::Distinct(_)));
        let before = if self.grows { entry.group.size() } else { 0 };
        entry.group.add(row, self.binding.spec(), self.strict, self.held.budget())?;
        if self.grows {
            let after = entry.group.size();
            if after > before {
                self.held.take(after - before)?;
            } else {
                self.held.give_back(before - after);
            }
        }
        if let Some(top) = &mut self.top {
            let value = entry.group.value(top.column)?.as_int();
            if let Some(dropped) = top.update(&self.key, value)? {
                self.groups.remove(&*dropped);
            }
        }
        Ok(Flow::More)
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        let mut entries: Vec<Entry> = std::mem::take(&mut self.groups).into_values().collect();
        entries.sort_unstable_by_key(|entry| entry.order);
        for entry in entries {
            if out.send(entry.group.into_row(&self.binding)?)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::More)
    }
}

/// The keys with the greatest running values. A key that falls out and returns starts again from nothing.
struct Top {
    column: usize,
    size: usize,
    values: HashMap<Box<str>, i64>,
    least: Option<(Box<str>, i64)>,
}

impl Top {
    /// Takes a key's value; gives the key that falls out, perhaps this one.
    fn update(&mut self, key: &str, value: i64) -> Result<Option<Box<str>>, Problem> {
        if value < 0 {
            return Err(Problem::other("a top compares values from 0 on"));
        }
        if self.values.len() < self.size {
            self.values.insert(key.into(), value);
            self.least = None;
            return Ok(None);
        }
        let (least, least_value) = self.least();
        if value < least_value {
            return Ok(Some(key.into()));
        }
        let dropped = (!self.values.contains_key(key)).then_some(least);
        if let Some(dropped) = &dropped {
            self.values.remove(dropped);
        }
        self.values.insert(key.into(), value);
        if dropped.is_some() || self.least.as_ref().is_some_and(|(least, _)| **least == *key) {
            self.least = None;
        }
        Ok(dropped)
    }

    /// The key with the smallest value; of several the one that sorts first.
    fn least(&mut self) -> (Box<str>, i64) {
        if let Some(least) = &self.least {
            return least.clone();
        }
        let least = self.values.iter().min_by(|a, b| (a.1, a.0).cmp(&(b.1, b.0)));
        let least = least.map(|(key, value)| (key.clone(), *value)).unwrap_or_default();
        self.least = Some(least.clone());
        least
    }
}
