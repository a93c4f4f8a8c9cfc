//! Building a tree in memory, event by event.

use super::spec::{AttachSpec, ElementSpec, NameSource, NodeSpec, TreeSpec};
use super::{Attachment, Distribution, MemoryTree, Tree};
use crate::error::Problem;
use crate::number::{float_text, parse_number};
use crate::ops::power_below;
use crate::sketch::{Bloom, Cardinality, Topper};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Events become a tree, in the order in which they come.
pub struct Builder<'a> {
    spec: &'a TreeSpec,
    tree: MemoryTree,
}

/// What is attached to a node.
type Attach = [(Arc<str>, AttachSpec)];

/// A value as name of a child: numbers as text; nothing for what is absent, empty or no simple value.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Number(number) => Some(Cow::Owned(match number.as_i64() {
            Some(value) => value.to_string(),
            None => number.as_f64().map(float_text)?,
        })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The values of a field: the entries of a list, or the one value.
fn texts<'e>(event: &'e Map<String, Value>, field: &str) -> Vec<Cow<'e, str>> {
    match event.get(field) {
        Some(Value::Array(items)) => items.iter().filter_map(text).collect(),
        Some(value) => text(value).into_iter().collect(),
        None => vec![],
    }
}

fn integer(event: &Map<String, Value>, field: &str) -> Option<i64> {
    parse_number(&text(event.get(field)?)?).map(crate::number::Number::as_int)
}

fn float(event: &Map<String, Value>, field: &str) -> Option<f64> {
    parse_number(&text(event.get(field)?)?).map(crate::number::Number::as_float)
}

impl<'a> Builder<'a> {
    /// An empty tree.
    pub fn new(spec: &'a TreeSpec) -> Self {
        Self { spec, tree: MemoryTree::default() }
    }

    /// Takes an event, if it is one of this tree's.
    ///
    /// # Errors
    /// An attachment that cannot take a value.
    pub fn event(&mut self, event: &Map<String, Value>) -> Result<(), Problem> {
        let log = event.get("log").and_then(Value::as_str);
        if self.spec.log.as_deref().is_some_and(|wanted| log != Some(wanted)) {
            return Ok(());
        }
        if self.spec.only.iter().any(|(field, value)| event.get(field) != Some(value)) {
            return Ok(());
        }
        let spec = self.spec;
        let root = self.tree.root();
        self.chain(&spec.root, root, &[], event)
    }

    /// The tree.
    pub fn finish(self) -> MemoryTree {
        self.tree
    }

    /// Applies a chain at a node with these attachments.
    fn chain(
        &mut self,
        chain: &[ElementSpec],
        node: usize,
        attach: &Attach,
        event: &Map<String, Value>,
    ) -> Result<(), Problem> {
        let Some((first, rest)) = chain.split_first() else { return Ok(()) };
        match first {
            ElementSpec::Branch(chains) => {
                for chain in chains {
                    self.chain(chain, node, attach, event)?;
                }
                self.chain(rest, node, attach, event)
            }
            ElementSpec::Node(spec) => {
                if let Some((field, values)) = &spec.when {
                    let listed = texts(event, field).iter().any(|text| values.iter().any(|value| *value == **text));
                    if !listed {
                        return Ok(());
                    }
                }
                let names = match &spec.source {
                    NameSource::Const(name) => vec![Cow::Borrowed(name.as_str())],
                    NameSource::Field(field) => texts(event, field),
                };
                if names.is_empty() {
                    return Ok(());
                }
                let mut parent = (node, attach);
                if let Some(label) = &spec.label {
                    let before = self.tree.child(&node, label)?;
                    let child = self.tree.child_or_new(node, label);
                    self.count(node, attach, (child, before.is_none()), None)?;
                    parent = (child, &[]);
                }
                for name in names {
                    if let Some(child) = self.visit(parent, spec, &name, event)? {
                        self.chain(rest, child, &spec.attach, event)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Visits a child; nothing if the chain stops there.
    fn visit(
        &mut self,
        (parent, attach): (usize, &Attach),
        spec: &NodeSpec,
        name: &str,
        event: &Map<String, Value>,
    ) -> Result<Option<usize>, Problem> {
        let before = self.tree.child(&parent, name)?;
        let full = |children: i64| spec.max_children.is_some_and(|most| usize::try_from(children).unwrap_or(0) >= most);
        match before {
            Some(_) if spec.once => return Ok(None),
            None if full(self.tree.child_count(&parent)) => return Ok(None),
            Some(_) | None => {}
        }
        let child = self.tree.child_or_new(parent, name);
        let hits = match (&spec.hits_from, spec.count) {
            (Some(field), _) => Some(integer(event, field).unwrap_or(0)),
            (None, true) => None,
            (None, false) => Some(self.tree.hits(&child)),
        };
        self.count(parent, attach, (child, before.is_none()), hits)?;
        if let Some(attachments) = self.tree.attachments_mut(child) {
            for (name, spec) in &*spec.attach {
                let attachment = attachments.entry(name.clone()).or_insert_with(|| empty(spec));
                update(attachment, spec, event)?;
            }
        }
        Ok(Some(child))
    }

    /// Counts a visit, or sets the hits, and tells the parent's attachments.
    fn count(
        &mut self,
        parent: usize,
        attach: &Attach,
        (child, new): (usize, bool),
        hits: Option<i64>,
    ) -> Result<(), Problem> {
        let before = self.tree.hits(&child);
        let after = hits.unwrap_or_else(|| before.wrapping_add(1));
        self.tree.set_hits(child, after);
        let name = self.tree.name(&child);
        let mut dropped = None;
        if let Some(attachments) = self.tree.attachments_mut(parent) {
            for (label, spec) in attach {
                let Some(attachment) = attachments.get_mut(label) else { continue };
                match (attachment, spec) {
                    (Attachment::LimitTop(top), AttachSpec::LimitTop { size }) => {
                        if new {
                            dropped = top.add(&name, 1, *size)?.filter(|dropped| *dropped != name);
                        }
                        top.add_existing(&name);
                    }
                    (Attachment::Histogram(buckets), AttachSpec::Histogram { scale }) => {
                        if let Some(count) = power_below(before, *scale).and_then(|bucket| buckets.get_mut(&bucket)) {
                            *count -= 1;
                        }
                        if let Some(bucket) = power_below(after, *scale) {
                            *buckets.entry(bucket).or_insert(0) += 1;
                        }
                        buckets.retain(|_, count| *count > 0);
                    }
                    _ => {}
                }
            }
        }
        if let Some(dropped) = dropped {
            self.tree.delete_child(parent, &dropped);
        }
        Ok(())
    }
}

fn empty(spec: &AttachSpec) -> Attachment {
    match spec {
        AttachSpec::Sum { .. } => Attachment::Sum { sum: 0, num: 0 },
        AttachSpec::SumFloat { .. } => Attachment::SumFloat { sum: 0.0, count: 0 },
        AttachSpec::Time { .. } => Attachment::Time { first: i64::MAX, last: i64::MIN },
        AttachSpec::Count { .. } => Attachment::Count(Cardinality::default()),
        AttachSpec::KeyTop { errors, .. } => Attachment::KeyTop(Topper::new(*errors)),
        AttachSpec::LimitTop { .. } => Attachment::LimitTop(Topper::new(false)),
        AttachSpec::Copy { .. } => Attachment::Copy(BTreeMap::new()),
        AttachSpec::Map { .. } => Attachment::Map(VecDeque::new()),
        AttachSpec::Histogram { .. } => Attachment::Histogram(BTreeMap::new()),
        AttachSpec::Distribution { .. } => Attachment::Distribution(Distribution::default()),
        AttachSpec::Bloom { max, error, .. } => Attachment::Bloom(Bloom::for_values(*max, *error)),
        AttachSpec::Seen { bits, hashes, .. } => Attachment::Seen(Bloom::new(*bits, *hashes)),
    }
}

/// Takes an event's values into an attachment.
fn update(attachment: &mut Attachment, spec: &AttachSpec, event: &Map<String, Value>) -> Result<(), Problem> {
    match (attachment, spec) {
        (Attachment::Sum { sum, num }, AttachSpec::Sum { field, count_missing }) => match integer(event, field) {
            Some(value) => {
                *sum = sum.wrapping_add(value);
                *num += 1;
            }
            None => *num += i64::from(*count_missing),
        },
        (Attachment::SumFloat { sum, count }, AttachSpec::SumFloat { field }) => {
            if let Some(value) = float(event, field) {
                *sum += value;
                *count += 1;
            }
        }
        (Attachment::Time { first, last }, AttachSpec::Time { field }) => {
            if let Some(value) = integer(event, field) {
                *first = (*first).min(value);
                *last = (*last).max(value);
            }
        }
        (Attachment::Count(estimate), AttachSpec::Count { field }) => {
            for text in texts(event, field) {
                estimate.add(&text);
            }
        }
        (Attachment::KeyTop(top), AttachSpec::KeyTop { field, size, .. }) => {
            for text in texts(event, field) {
                top.add(&text, 1, *size)?;
            }
        }
        (Attachment::Copy(entries), AttachSpec::Copy { fields }) => {
            for (label, field) in fields {
                if let Some(text) = event.get(field).and_then(text) {
                    entries.insert(label.as_str().into(), text.into());
                }
            }
        }
        (Attachment::Map(entries), AttachSpec::Map { key, value, size }) => {
            let (Some(key), Some(value)) = (event.get(key).and_then(text), event.get(value).and_then(text)) else {
                return Ok(());
            };
            entries.retain(|(known, _)| **known != *key);
            entries.push_back((key.into(), value.into()));
            while entries.len() > *size {
                entries.pop_front();
            }
        }
        (Attachment::Distribution(values), AttachSpec::Distribution { field }) => {
            if let Some(value) = integer(event, field) {
                values.add(value);
            }
        }
        (Attachment::Bloom(filter), AttachSpec::Bloom { field, .. })
        | (Attachment::Seen(filter), AttachSpec::Seen { field, .. }) => {
            for text in texts(event, field) {
                filter.add(&text);
            }
        }
        // These follow the children, and a name has one kind.
        _ => {}
    }
    Ok(())
}
