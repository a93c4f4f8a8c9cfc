//! A definition made ready for events: fields by number, attachments as columns.

use super::spec::{AttachSpec, ElementSpec, NameSource, NodeSpec, TreeSpec};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Most levels that nodes of a tree may have.
pub const MOST_LEVELS: usize = 200;

/// What a definition does with events.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The log and the field that names it.
    pub(super) log: Option<(usize, String)>,
    pub(super) only: Vec<(usize, Value)>,
    pub(super) root: Vec<Step>,
    /// What steps attach; the first attaches nothing.
    pub(super) layouts: Vec<Layout>,
    /// All attachments, by name and kind.
    pub(super) columns: Vec<AttachColumn>,
    /// For each level, from the first on, the attachments that its nodes can have.
    levels: Vec<BTreeSet<usize>>,
    ordered: bool,
    mergeable: Result<(), String>,
}

/// An attachment that nodes of a tree can have.
#[derive(Clone, Debug, PartialEq)]
pub struct AttachColumn {
    /// Its name.
    pub name: Arc<str>,
    /// What it is made of.
    pub spec: AttachSpec,
}

/// What one step attaches to its nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layout {
    pub(super) attach: Vec<Attach>,
    /// Whether visits of children change any of it.
    pub(super) listens: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Attach {
    pub(super) column: usize,
    pub(super) spec: AttachSpec,
    /// The fields that it takes values from, in the order of [`fields_of`].
    pub(super) fields: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Branch(Vec<Vec<Step>>),
    Node(Box<NodeStep>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct NodeStep {
    pub(super) source: StepSource,
    pub(super) count: bool,
    pub(super) hits_from: Option<usize>,
    pub(super) once: bool,
    pub(super) max_children: Option<usize>,
    pub(super) when: Option<(usize, Vec<String>)>,
    pub(super) label: Option<String>,
    pub(super) layout: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum StepSource {
    Const(String),
    Field(usize),
}

/// The fields of events that some definitions look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<String>);

impl Fields {
    /// Their names.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    fn number(&mut self, name: &str) -> usize {
        if let Some(known) = self.0.iter().position(|known| known == name) {
            return known;
        }
        self.0.push(name.to_owned());
        self.0.len() - 1
    }
}

/// The fields that an attachment takes values from.
fn fields_of(spec: &AttachSpec) -> Vec<&str> {
    match spec {
        AttachSpec::Sum { field, .. }
        | AttachSpec::SumFloat { field }
        | AttachSpec::Time { field }
        | AttachSpec::Count { field }
        | AttachSpec::KeyTop { field, .. }
        | AttachSpec::Distribution { field }
        | AttachSpec::Bloom { field, .. }
        | AttachSpec::Seen { field, .. }
        | AttachSpec::CountMin { field, .. }
        | AttachSpec::Digest { field, .. } => vec![field],
        AttachSpec::Map { key, value, .. } => vec![key, value],
        AttachSpec::Copy { fields } => fields.iter().map(|(_, field)| field.as_str()).collect(),
        AttachSpec::LimitTop { .. }
        | AttachSpec::LimitRecent { .. }
        | AttachSpec::LimitHot { .. }
        | AttachSpec::Histogram { .. } => vec![],
    }
}

impl Plan {
    /// Makes a definition ready. `fields` gets the fields that it looks at.
    ///
    /// # Errors
    /// A tree that could get too many levels.
    pub fn new(spec: &TreeSpec, fields: &mut Fields) -> Result<Self, String> {
        let mut plan = Self {
            log: spec.log.clone().map(|log| (fields.number("log"), log)),
            only: spec.only.iter().map(|(field, value)| (fields.number(field), value.clone())).collect(),
            root: vec![],
            layouts: vec![Layout::default()],
            columns: vec![],
            levels: vec![],
            ordered: false,
            mergeable: Ok(()),
        };
        plan.root = plan.chain(&spec.root, fields, 0)?;
        Ok(plan)
    }

    /// Whether the order of events decides what becomes of them, so that they have to be taken one after the other.
    pub fn is_ordered(&self) -> bool {
        self.ordered
    }

    /// Whether trees of parts of the events can be made into one.
    ///
    /// # Errors
    /// What stands against it.
    pub fn mergeable(&self) -> Result<(), String> {
        self.mergeable.clone()
    }

    /// All attachments, by name and kind.
    pub fn columns(&self) -> &[AttachColumn] {
        &self.columns
    }

    /// How many levels nodes can be on.
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// The attachments that nodes of a level can have, from 1, as places in [`Plan::columns`].
    pub fn columns_of_level(&self, level: usize) -> impl Iterator<Item = usize> + '_ {
        level.checked_sub(1).and_then(|index| self.levels.get(index)).into_iter().flatten().copied()
    }

    fn refuse_merging(&mut self, what: String) {
        self.ordered = true;
        if self.mergeable.is_ok() {
            self.mergeable = Err(what);
        }
    }

    fn chain(&mut self, chain: &[ElementSpec], fields: &mut Fields, depth: usize) -> Result<Vec<Step>, String> {
        let mut steps = vec![];
        let mut depth = depth;
        for element in chain {
            match element {
                ElementSpec::Branch(chains) => {
                    let chains = chains.iter().map(|chain| self.chain(chain, fields, depth));
                    steps.push(Step::Branch(chains.collect::<Result<_, _>>()?));
                }
                ElementSpec::Node(spec) => {
                    depth += 1 + usize::from(spec.label.is_some());
                    if depth > MOST_LEVELS {
                        return Err(format!("nodes can be {MOST_LEVELS} levels deep, not more"));
                    }
                    let step = self.node(spec, fields);
                    if self.levels.len() < depth {
                        self.levels.resize(depth, BTreeSet::new());
                    }
                    let attach =
                        self.layouts.get(step.layout).map(|layout| layout.attach.as_slice()).unwrap_or_default();
                    if let Some(level) = self.levels.get_mut(depth - 1) {
                        level.extend(attach.iter().map(|attach| attach.column));
                    }
                    steps.push(Step::Node(Box::new(step)));
                }
            }
        }
        Ok(steps)
    }

    fn node(&mut self, spec: &NodeSpec, fields: &mut Fields) -> NodeStep {
        for (given, what) in [
            (spec.once, "`once`"),
            (spec.max_children.is_some(), "`max_children`"),
            (spec.hits_from.is_some(), "`hits_from`"),
        ] {
            if given {
                self.refuse_merging(format!("{what} depends on the order of events"));
            }
        }
        NodeStep {
            source: match &spec.source {
                NameSource::Const(name) => StepSource::Const(name.clone()),
                NameSource::Field(field) => StepSource::Field(fields.number(field)),
            },
            count: spec.count,
            hits_from: spec.hits_from.as_ref().map(|field| fields.number(field)),
            once: spec.once,
            max_children: spec.max_children,
            when: spec.when.as_ref().map(|(field, values)| (fields.number(field), values.clone())),
            label: spec.label.clone(),
            layout: self.layout(&spec.attach, fields),
        }
    }

    fn layout(&mut self, attach: &[(Arc<str>, AttachSpec)], fields: &mut Fields) -> usize {
        if attach.is_empty() {
            return 0;
        }
        let mut layout = Layout::default();
        for (name, spec) in attach {
            let same = |known: &AttachColumn| known.name == *name && known.spec.kind() == spec.kind();
            let column = self.columns.iter().position(same).unwrap_or_else(|| {
                self.columns.push(AttachColumn { name: name.clone(), spec: spec.clone() });
                self.columns.len() - 1
            });
            let differs = self.columns.get(column).is_some_and(|known| !known.spec.unites_with(spec));
            if differs {
                self.refuse_merging(format!("`{name}` is attached in two ways"));
            }
            if let Some(reason) = spec.not_mergeable() {
                self.refuse_merging(format!("`{name}` ({}) {reason}", spec.kind()));
            }
            // Which keys fall out of a full table depends on the order in which they come.
            self.ordered |= matches!(spec, AttachSpec::KeyTop { .. } | AttachSpec::Digest { .. });
            layout.listens |= spec.listens();
            let numbers = fields_of(spec).into_iter().map(|field| fields.number(field)).collect();
            layout.attach.push(Attach { column, spec: spec.clone(), fields: numbers });
        }
        self.layouts.push(layout);
        self.layouts.len() - 1
    }
}

impl AttachSpec {
    /// The kind, as the notation has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sum { .. } => "sum",
            Self::SumFloat { .. } => "sumf",
            Self::Time { .. } => "time",
            Self::Count { .. } => "count",
            Self::KeyTop { .. } => "key.top",
            Self::LimitTop { .. } => "limit.top",
            Self::LimitRecent { .. } => "limit.recent",
            Self::LimitHot { .. } => "limit.hot",
            Self::Copy { .. } => "copy",
            Self::Map { .. } => "map",
            Self::Histogram { .. } => "histo",
            Self::Distribution { .. } => "distribution",
            Self::Bloom { .. } => "bloom",
            Self::Seen { .. } => "seen",
            Self::CountMin { .. } => "count-min-sketch",
            Self::Digest { .. } => "tdigest",
        }
    }

    /// Whether visits of children change it.
    fn listens(&self) -> bool {
        matches!(
            self,
            Self::LimitTop { .. } | Self::LimitRecent { .. } | Self::LimitHot { .. } | Self::Histogram { .. }
        )
    }

    /// Why what was attached to parts cannot be made into one, if so.
    fn not_mergeable(&self) -> Option<&'static str> {
        match self {
            Self::LimitTop { .. } | Self::LimitRecent { .. } | Self::LimitHot { .. } => {
                Some("has deleted nodes that another part still has")
            }
            Self::Copy { .. } | Self::Map { .. } => Some("keeps what came last"),
            Self::Histogram { .. } => Some("counts children that several parts may have"),
            Self::Sum { .. }
            | Self::SumFloat { .. }
            | Self::Time { .. }
            | Self::Count { .. }
            | Self::KeyTop { .. }
            | Self::Distribution { .. }
            | Self::Bloom { .. }
            | Self::Seen { .. }
            | Self::CountMin { .. }
            | Self::Digest { .. } => None,
        }
    }

    /// Whether states of two definitions can be made into one: they have the same size.
    pub fn unites_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::KeyTop { size: a, errors: x, .. }, Self::KeyTop { size: b, errors: y, .. }) => a == b && x == y,
            (Self::Bloom { max: a, error: x, .. }, Self::Bloom { max: b, error: y, .. }) => {
                a == b && x.total_cmp(y).is_eq()
            }
            (Self::Seen { bits: a, hashes: x, .. }, Self::Seen { bits: b, hashes: y, .. }) => a == b && x == y,
            (Self::CountMin { width: a, depth: x, .. }, Self::CountMin { width: b, depth: y, .. }) => a == b && x == y,
            (Self::Digest { compression: a, .. }, Self::Digest { compression: b, .. }) => a == b,
            (a, b) => a.kind() == b.kind(),
        }
    }
}
