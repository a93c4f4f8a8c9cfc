//! `gather`: one row per key. Groups come out in the order in which their keys were first seen.

use super::merge::{Binding, Group};
use crate::cell::Cell;
use crate::error::Failure;
use crate::limits::Share;
use crate::pipeline::{Flow, Made, Operator, Setting, Sink};
use crate::row::{Columns, Row};
use crate::sketch::Topper;
use lakeql_query::dialects::hydra::ops::{Merge, MergeSpec};
use std::collections::HashMap;

struct Gather {
    binding: Binding,
    groups: HashMap<Box<str>, Entry>,
    /// The column whose greatest running values survive, how many, and which they are. A key that falls out and returns
    /// starts again from nothing.
    top: Option<(usize, usize, Topper)>,
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
        top: spec.top.map(|column| (column, size, Topper::new(false))),
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
        if let Some((column, size, top)) = &mut self.top {
            let value = entry.group.value(*column)?.as_int();
            if let Some(dropped) = top.update(&self.key, value, *size)? {
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
