//! A tree that grows with events.
//!
//! Nodes lie in one list; a hash table finds the child of a node by the number of its name, so that a visit costs no
//! allocation. The grown tree is given out depth first, as one of the [`Run`]s that [`merge`](super::merge) unites.

use super::attach::{States, empty, integer, texts, update};
use super::events::{Events, Value};
use super::merge::{Run, Visit};
use super::names::Names;
use super::plan::{NodeStep, Plan, Step, StepSource};
use super::{AttachSpec, Attachment};
use crate::error::Problem;
use crate::number::float_text;
use crate::ops::power_below;
use hashbrown::HashTable;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Nodes of a tree in memory.
const MOST_NODES: u32 = u32::MAX - 1;

const ROOT: u32 = 0;

#[derive(Clone, Copy, Debug)]
struct Node {
    parent: u32,
    name: u32,
    hits: i64,
    /// Children that are there.
    children: u32,
    /// What is attached; 0 is nothing.
    layout: u16,
    deleted: bool,
    /// The place of the attachments among those of the layout.
    slot: u32,
}

/// A tree that grows with events.
#[derive(Debug)]
pub struct Grower {
    plan: Arc<Plan>,
    names: Names,
    nodes: Vec<Node>,
    index: HashTable<u32>,
    layouts: Vec<Vec<States>>,
    /// Attachments of nodes that several steps visit, by node and column.
    extras: HashMap<(u32, usize), Attachment>,
    events: u64,
    /// Updates of attachments that have no fixed size, since their size was looked at.
    loose: usize,
    /// Their size then.
    looked: usize,
}

/// What an update may add to an attachment without a fixed size.
const LOOSE_BYTES: usize = 100;

fn place(parent: u32, name: u32) -> u64 {
    let both = (u64::from(parent) << 32) | u64::from(name);
    let mixed = (both ^ (both >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

fn full() -> Problem {
    Problem::Limit("a tree has too many nodes or names to be held in memory".into())
}

impl Grower {
    /// An empty tree.
    pub fn new(plan: Arc<Plan>) -> Self {
        let layouts = plan.layouts.iter().map(|layout| layout.attach.iter().map(|it| States::of(&it.spec)).collect());
        Self {
            layouts: layouts.collect(),
            plan,
            names: Names::default(),
            nodes: vec![Node { parent: ROOT, name: 0, hits: 0, children: 0, layout: 0, deleted: false, slot: 0 }],
            index: HashTable::new(),
            extras: HashMap::new(),
            events: 0,
            loose: 0,
            looked: 0,
        }
    }

    /// Events that have reached the tree.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Nodes that have been made, the root included.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Bytes of memory, about. Sizes of attachments are bounds until they are looked at.
    pub fn size(&self) -> usize {
        let fixed: usize = self.layouts.iter().flatten().map(States::fixed_size).sum();
        self.names.size()
            + self.nodes.capacity() * size_of::<Node>()
            + self.index.capacity() * 6
            + fixed
            + self.looked
            + self.loose * LOOSE_BYTES
    }

    /// Looks at the sizes of attachments that have no fixed one.
    pub fn look(&mut self) {
        let states: usize = self.layouts.iter().flatten().map(States::loose_size).sum();
        self.looked = states + self.extras.values().map(|it| it.size() + 64).sum::<usize>();
        self.loose = 0;
    }

    /// Takes those of these events that are the tree's.
    ///
    /// # Errors
    /// An attachment that cannot take a value, or too many nodes.
    pub fn take(&mut self, events: &Events, mut rows: Range<usize>) -> Result<(), Problem> {
        // Once for all events: threads that grow trees of one definition share its count.
        let plan = Arc::clone(&self.plan);
        rows.try_for_each(|row| self.event(&plan, events, row))
    }

    fn event(&mut self, plan: &Plan, events: &Events, row: usize) -> Result<(), Problem> {
        if let Some((field, wanted)) = &plan.log {
            match events.get(row, *field) {
                Value::Text { at, len } if events.str(at, len) == wanted => {}
                _ => return Ok(()),
            }
        }
        if !plan.only.iter().all(|(field, wanted)| is_value(events, events.get(row, *field), wanted)) {
            return Ok(());
        }
        self.events += 1;
        let event = Event { plan, events, row };
        self.chain(&plan.root, ROOT, 0, event)
    }

    /// Applies a chain at a node whose step attaches this.
    fn chain(&mut self, chain: &[Step], node: u32, layout: usize, event: Event<'_>) -> Result<(), Problem> {
        let Some((first, rest)) = chain.split_first() else { return Ok(()) };
        match first {
            Step::Branch(chains) => {
                for chain in chains {
                    self.chain(chain, node, layout, event)?;
                }
                self.chain(rest, node, layout, event)
            }
            Step::Node(step) => {
                if let Some((field, values)) = &step.when
                    && !texts(event.events, event.value(*field)).any(|text| values.iter().any(|it| **it == *text))
                {
                    return Ok(());
                }
                match &step.source {
                    StepSource::Const(name) => {
                        let number = self.names.number(name).ok_or_else(full)?;
                        self.descend(&mut (node, layout, false), step, number, rest, event)
                    }
                    StepSource::Field(field) => {
                        let mut parent = (node, layout, false);
                        match event.value(*field) {
                            Value::List { at, len } => {
                                for item in event.events.items(at, len) {
                                    if let Some(number) = self.name(event.events, *item)? {
                                        self.descend(&mut parent, step, number, rest, event)?;
                                    }
                                }
                                Ok(())
                            }
                            value => match self.name(event.events, value)? {
                                Some(number) => self.descend(&mut parent, step, number, rest, event),
                                None => Ok(()),
                            },
                        }
                    }
                }
            }
        }
    }

    /// The number of the name that a value is, if it is one.
    fn name(&mut self, events: &Events, value: Value) -> Result<Option<u32>, Problem> {
        let number = match value {
            Value::Text { len: 0, .. } | Value::Missing | Value::List { .. } | Value::Other => return Ok(None),
            Value::Text { at, len } => self.names.number(events.str(at, len)),
            Value::Int(value) => self.names.int(value),
            Value::Float(value) => self.names.number(&float_text(value)),
            Value::Bool(value) => self.names.number(if value { "true" } else { "false" }),
        };
        number.map(Some).ok_or_else(full)
    }

    /// Visits the label, with the first name only, and the child, and goes on below.
    fn descend(
        &mut self,
        parent: &mut (u32, usize, bool),
        step: &NodeStep,
        name: u32,
        rest: &[Step],
        event: Event<'_>,
    ) -> Result<(), Problem> {
        if let Some(label) = &step.label
            && !std::mem::replace(&mut parent.2, true)
        {
            let number = self.names.number(label).ok_or_else(full)?;
            let (child, new) = self.child_or_new(parent.0, number)?;
            self.count(parent.0, parent.1, (child, new), None, event)?;
            (parent.0, parent.1) = (child, 0);
        }
        match self.visit((parent.0, parent.1), step, name, event)? {
            Some(child) => self.chain(rest, child, step.layout, event),
            None => Ok(()),
        }
    }

    fn find(&self, parent: u32, name: u32) -> Option<u32> {
        let is = |node: &u32| self.nodes.get(*node as usize).is_some_and(|it| it.parent == parent && it.name == name);
        self.index.find(place(parent, name), is).copied()
    }

    fn child_or_new(&mut self, parent: u32, name: u32) -> Result<(u32, bool), Problem> {
        if let Some(child) = self.find(parent, name) {
            return Ok((child, false));
        }
        let child = u32::try_from(self.nodes.len()).ok().filter(|child| *child < MOST_NODES).ok_or_else(full)?;
        self.nodes.push(Node { parent, name, hits: 0, children: 0, layout: 0, deleted: false, slot: 0 });
        if let Some(parent) = self.nodes.get_mut(parent as usize) {
            parent.children += 1;
        }
        let nodes = &self.nodes;
        self.index.insert_unique(place(parent, name), child, |node| {
            nodes.get(*node as usize).map_or(0, |node| place(node.parent, node.name))
        });
        Ok((child, true))
    }

    /// Deletes a child with everything below it, which stays unreachable in the list.
    fn delete_child(&mut self, parent: u32, name: u32) {
        let Some(child) = self.find(parent, name) else { return };
        if let Ok(entry) = self.index.find_entry(place(parent, name), |node| *node == child) {
            entry.remove();
        }
        if let Some(node) = self.nodes.get_mut(child as usize) {
            node.deleted = true;
        }
        if let Some(parent) = self.nodes.get_mut(parent as usize) {
            parent.children -= 1;
        }
    }

    /// Visits a child; nothing if the chain stops there.
    fn visit(
        &mut self,
        (parent, heard): (u32, usize),
        step: &NodeStep,
        name: u32,
        event: Event<'_>,
    ) -> Result<Option<u32>, Problem> {
        if step.once || step.max_children.is_some() {
            let full = || {
                let children = self.nodes.get(parent as usize).map_or(0, |node| node.children as usize);
                step.max_children.is_some_and(|most| children >= most)
            };
            match self.find(parent, name) {
                Some(_) if step.once => return Ok(None),
                None if full() => return Ok(None),
                Some(_) | None => {}
            }
        }
        let (child, new) = self.child_or_new(parent, name)?;
        let hits = match (step.hits_from, step.count) {
            (Some(field), _) => Some(integer(event.events, event.value(field)).unwrap_or(0)),
            (None, true) => None,
            (None, false) => self.nodes.get(child as usize).map(|node| node.hits),
        };
        self.count(parent, heard, (child, new), hits, event)?;
        if step.layout > 0 {
            self.attach(child, step.layout, event)?;
        }
        Ok(Some(child))
    }

    /// Counts a visit, or sets the hits, and tells the parent's attachments.
    fn count(
        &mut self,
        parent: u32,
        heard: usize,
        (child, new): (u32, bool),
        hits: Option<i64>,
        event: Event<'_>,
    ) -> Result<(), Problem> {
        let Some(node) = self.nodes.get_mut(child as usize) else { return Ok(()) };
        let before = node.hits;
        node.hits = hits.unwrap_or_else(|| before.wrapping_add(1));
        let (after, number) = (node.hits, node.name);
        let Some(layout) = event.plan.layouts.get(heard).filter(|layout| layout.listens) else { return Ok(()) };
        let name: Arc<str> = self.names.get(number).into();
        let mut dropped: Option<Arc<str>> = None;
        for (index, attach) in layout.attach.iter().enumerate() {
            let Some(attachment) = self.attachment_mut(parent, heard, index, event.plan) else { continue };
            match (attachment, &attach.spec) {
                (Attachment::LimitTop(top), AttachSpec::LimitTop { size }) => {
                    if new {
                        dropped = top.add(&name, 1, *size)?.filter(|dropped| *dropped != name);
                    }
                    top.add_existing(&name);
                }
                (Attachment::LimitRecent(recent), AttachSpec::LimitRecent { size }) => {
                    dropped = recent.visit(&name, *size);
                }
                (Attachment::LimitHot(hot), AttachSpec::LimitHot { size }) => dropped = hot.visit(&name, after, *size),
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
        self.loose += layout.attach.len();
        if let Some(number) = dropped.and_then(|dropped| self.names.number(&dropped)) {
            self.delete_child(parent, number);
        }
        Ok(())
    }

    /// The attachment of a node that a step with this layout means, if it has one that is no plain number.
    fn attachment_mut(&mut self, node: u32, layout: usize, index: usize, plan: &Plan) -> Option<&mut Attachment> {
        let own = self.nodes.get(node as usize)?;
        let (slot, first) = (own.slot as usize, usize::from(own.layout));
        let column = plan.layouts.get(layout)?.attach.get(index)?.column;
        let of = plan.layouts.get(first)?.attach.iter().position(|it| it.column == column);
        match of {
            Some(index) => self.layouts.get_mut(first)?.get_mut(index)?.get_mut(slot),
            None => self.extras.get_mut(&(node, column)),
        }
    }

    /// Takes an event's values into what a step attaches to a node.
    fn attach(&mut self, node: u32, layout: usize, event: Event<'_>) -> Result<(), Problem> {
        let (Some(spec), Some(own)) = (event.plan.layouts.get(layout), self.nodes.get_mut(node as usize)) else {
            return Ok(());
        };
        if own.layout == 0 {
            let states = self.layouts.get_mut(layout).map(Vec::as_mut_slice).unwrap_or_default();
            own.slot = u32::try_from(states.first().map_or(0, States::len)).map_err(|_| full())?;
            own.layout = u16::try_from(layout).map_err(|_| full())?;
            for (states, attach) in states.iter_mut().zip(&spec.attach) {
                states.push(&attach.spec);
            }
        }
        let (slot, first) = (own.slot as usize, usize::from(own.layout));
        if first == layout {
            let states = self.layouts.get_mut(layout).map(Vec::as_mut_slice).unwrap_or_default();
            for (states, attach) in states.iter_mut().zip(&spec.attach) {
                self.loose += usize::from(states.update(slot, attach, event.events, event.row)?);
            }
            return Ok(());
        }
        // Another step has been here first: what both attach is one, a name has one kind.
        for attach in &spec.attach {
            let known = event.plan.layouts.get(first).map(|layout| layout.attach.as_slice()).unwrap_or_default();
            if let Some(index) = known.iter().position(|it| it.column == attach.column) {
                let states = self.layouts.get_mut(first).and_then(|states| states.get_mut(index));
                if let Some(states) = states {
                    self.loose += usize::from(states.update(slot, attach, event.events, event.row)?);
                }
                continue;
            }
            let name = event.plan.columns.get(attach.column).map(|column| &column.name);
            let same_name = |column: usize| event.plan.columns.get(column).map(|column| &column.name) == name;
            let taken = known.iter().any(|it| same_name(it.column))
                || (0..event.plan.columns.len())
                    .any(|it| it != attach.column && same_name(it) && self.extras.contains_key(&(node, it)));
            if !taken {
                let state = self.extras.entry((node, attach.column)).or_insert_with(|| empty(&attach.spec));
                update(state, attach, event.events, event.row)?;
                self.loose += 1;
            }
        }
        Ok(())
    }

    /// Gives the tree out, depth first, siblings by the bytes of their names. What it holds is used up on the way.
    pub fn into_run(self) -> Grown {
        Grown::new(self)
    }
}

/// One event.
#[derive(Clone, Copy)]
struct Event<'a> {
    plan: &'a Plan,
    events: &'a Events,
    row: usize,
}

impl Event<'_> {
    fn value(&self, field: usize) -> Value {
        self.events.get(self.row, field)
    }
}

/// Whether a value is this one, as JSON compares them.
fn is_value(events: &Events, value: Value, wanted: &serde_json::Value) -> bool {
    match (value, wanted) {
        (Value::Text { at, len }, serde_json::Value::String(wanted)) => events.str(at, len) == wanted,
        (Value::Int(value), serde_json::Value::Number(wanted)) => wanted.as_i64() == Some(value),
        (Value::Float(value), serde_json::Value::Number(wanted)) => {
            wanted.as_i64().is_none() && wanted.as_f64().is_some_and(|wanted| wanted.total_cmp(&value).is_eq())
        }
        (Value::Bool(value), serde_json::Value::Bool(wanted)) => value == *wanted,
        (Value::Missing, serde_json::Value::Null) => true,
        _ => false,
    }
}

/// A grown tree on its way out.
pub struct Grown {
    tree: Grower,
    /// Children of all nodes with their names, each node's together and in order.
    children: Vec<(u32, u32)>,
    starts: Vec<u32>,
    /// What is still to come: the last one next.
    waiting: Vec<Waiting>,
    /// The extras by node.
    extras: HashMap<u32, Vec<usize>>,
}

/// A node on its way out. Its name is here, as most nodes are only looked for in the list once they are taken.
struct Waiting {
    node: u32,
    name: u32,
    depth: u32,
}

impl Grown {
    fn new(mut tree: Grower) -> Self {
        tree.index = HashTable::new();
        let ranks = tree.names.ranks();
        // Counted, dealt out, sorted within each parent.
        let mut starts = vec![0_u32; tree.nodes.len() + 1];
        let live = |(index, node): &(usize, &Node)| *index > 0 && !node.deleted;
        for (_, node) in tree.nodes.iter().enumerate().filter(live) {
            if let Some(count) = starts.get_mut(node.parent as usize + 1) {
                *count += 1;
            }
        }
        for index in 1..starts.len() {
            let before = starts.get(index - 1).copied().unwrap_or_default();
            if let Some(start) = starts.get_mut(index) {
                *start += before;
            }
        }
        let mut next = starts.clone();
        let mut children = vec![(0_u32, 0_u32); starts.last().copied().unwrap_or_default() as usize];
        for (index, node) in tree.nodes.iter().enumerate().filter(live) {
            if let Some(place) = next.get_mut(node.parent as usize) {
                if let (Some(child), Ok(index)) = (children.get_mut(*place as usize), u32::try_from(index)) {
                    *child = (index, node.name);
                }
                *place += 1;
            }
        }
        drop(next);
        let rank = |name: u32| ranks.get(name as usize).copied().unwrap_or_default();
        for pair in starts.windows(2) {
            if let [start, end] = pair
                && let Some(siblings) = children.get_mut(*start as usize..*end as usize)
            {
                siblings.sort_unstable_by_key(|(_, name)| rank(*name));
            }
        }
        let mut extras: HashMap<u32, Vec<usize>> = HashMap::new();
        for (node, column) in tree.extras.keys() {
            extras.entry(*node).or_default().push(*column);
        }
        let mut grown = Self { tree, children, starts, waiting: vec![], extras };
        grown.push_children(ROOT, 1);
        grown
    }

    fn push_children(&mut self, node: u32, depth: u32) {
        let start = self.starts.get(node as usize).copied().unwrap_or_default() as usize;
        let end = self.starts.get(node as usize + 1).copied().unwrap_or_default() as usize;
        let children = self.children.get(start..end).unwrap_or_default();
        self.waiting.extend(children.iter().rev().map(|(node, name)| Waiting { node: *node, name: *name, depth }));
    }
}

impl Run for Grown {
    fn depth(&self) -> usize {
        self.waiting.last().map_or(0, |next| next.depth as usize)
    }

    fn name(&self) -> &str {
        self.waiting.last().map_or("", |next| self.tree.names.get(next.name))
    }

    fn take(&mut self, into: &mut Visit) -> Result<(), Problem> {
        let Some(Waiting { node: index, depth, .. }) = self.waiting.pop() else { return Ok(()) };
        let Some(node) = self.tree.nodes.get(index as usize).copied() else { return Ok(()) };
        into.add_hits(node.hits);
        let layout = usize::from(node.layout);
        if layout > 0 {
            let plan = &self.tree.plan;
            let attach = plan.layouts.get(layout).map(|layout| layout.attach.as_slice()).unwrap_or_default();
            let states = self.tree.layouts.get_mut(layout).map(Vec::as_mut_slice).unwrap_or_default();
            for (attach, states) in attach.iter().zip(states) {
                into.attach(attach.column, states.take(node.slot as usize))?;
            }
        }
        if !self.extras.is_empty()
            && let Some(columns) = self.extras.remove(&index)
        {
            for column in columns {
                if let Some(attachment) = self.tree.extras.remove(&(index, column)) {
                    into.attach(column, attachment)?;
                }
            }
        }
        self.push_children(index, depth + 1);
        Ok(())
    }
}
