//! Queries to sets of rows.

use super::lower::Subject;
use super::regex::{Flags, translate};
use super::tree::{FilterCall, Name, NamePattern, Node, NodeKind, Selector, Subsets};
use super::value;
use crate::diagnostic::{Diagnostic, Kind};
use crate::model::{FileRef, Filter, NameTest, Names, Provenance, RowKind, RowSet};
use crate::span::Span;

/// What surrounds a query.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// From the caller: for files and saved queries.
    pub(super) default_namespace: Option<&'a str>,
    /// From `with namespace`: for datasets too.
    pub(super) namespace: Option<&'a str>,
    /// Whether retired files count.
    pub(super) retired: bool,
}

type Lowered = Result<RowSet, Diagnostic>;

impl<'a> Scope<'a> {
    pub(super) fn set(self, node: &'a Node) -> Lowered {
        match &node.kind {
            NodeKind::AllFiles => Ok(RowSet::All { kind: RowKind::Files, names: Names::ALL, retired: self.retired }),
            NodeKind::From(selectors) => {
                let datasets = Box::new(self.datasets(selectors)?);
                Ok(RowSet::Members { datasets, retired: self.retired })
            }
            NodeKind::Listed(names) => self.listed(names),
            NodeKind::Ids(ids) => Ok(RowSet::Listed(ids.iter().cloned().map(FileRef::Id).collect())),
            NodeKind::Saved(name) => self.saved(name),
            NodeKind::Datasets(selectors) => self.datasets(selectors),
            NodeKind::Queries(names) => {
                let names = match names {
                    Some((namespace, pattern)) => {
                        Names { namespace: Some(namespace.clone()), name: name_test(pattern)? }
                    }
                    None => Names::ALL,
                };
                Ok(RowSet::All { kind: RowKind::Queries, names, retired: false })
            }
            NodeKind::Where(input, meta) => {
                let input = self.set(input)?;
                let kind = input.kind();
                let subject = Subject { kind, bare_keys: kind == RowKind::Files };
                Ok(RowSet::Where(Box::new(input), subject.condition(meta)?))
            }
            NodeKind::Union(parts) => Ok(RowSet::Union(self.parts(parts)?)),
            NodeKind::Join(parts) => Ok(RowSet::Join(self.parts(parts)?)),
            NodeKind::Minus(from, without) => {
                let from_set = self.set(from)?;
                let mut taken = vec![];
                for node in without {
                    let set = self.set(node)?;
                    same_kind(from_set.kind(), &set, node.span)?;
                    taken.push(set);
                }
                Ok(RowSet::Minus(Box::new(from_set), taken))
            }
            NodeKind::Parents(inner) => Ok(RowSet::Relatives(Box::new(self.files(inner)?), Provenance::Parents)),
            NodeKind::Children(inner) => Ok(RowSet::Relatives(Box::new(self.files(inner)?), Provenance::Children)),
            NodeKind::Limit(..) | NodeKind::Skip(..) | NodeKind::Ordered(_) => self.cut(node),
            NodeKind::Filter(call) => self.filter(call),
            NodeKind::With(namespace, inner) => Self { namespace: Some(namespace), ..self }.set(inner),
        }
    }

    /// The same, which has to be files.
    fn files(self, node: &'a Node) -> Lowered {
        let set = self.set(node)?;
        same_kind(RowKind::Files, &set, node.span)?;
        Ok(set)
    }

    fn parts(self, nodes: &'a [Node]) -> Result<Vec<RowSet>, Diagnostic> {
        let mut sets: Vec<RowSet> = vec![];
        for node in nodes {
            let set = self.set(node)?;
            if let Some(first) = sets.first() {
                same_kind(first.kind(), &set, node.span)?;
            }
            sets.push(set);
        }
        Ok(sets)
    }

    /// `limit`, `skip` and `ordered` in a row. Ordering comes before them wherever it stands, and skipping implies it; what
    /// a filter gives has an order already, and is skipped before it is limited.
    fn cut(self, node: &'a Node) -> Lowered {
        let mut steps = vec![];
        let mut base = node;
        loop {
            base = match &base.kind {
                NodeKind::Limit(inner, _) | NodeKind::Skip(inner, _) | NodeKind::Ordered(inner) => {
                    steps.push(&base.kind);
                    inner
                }
                _ => break,
            };
        }
        steps.reverse();
        let mut set = self.set(base)?;
        let ordered = steps.iter().any(|step| matches!(step, NodeKind::Ordered(_)));
        let skips = steps.iter().any(|step| matches!(step, NodeKind::Skip(..)));
        if matches!(set, RowSet::Filter(_)) && !ordered {
            steps.sort_by_key(|step| matches!(step, NodeKind::Limit(..)));
        } else if ordered || skips {
            set = RowSet::Ordered(Box::new(set));
        }
        for step in steps {
            set = match step {
                NodeKind::Limit(_, count) => RowSet::Limit(Box::new(set), *count),
                NodeKind::Skip(_, count) => RowSet::Skip(Box::new(set), *count),
                _ => set,
            };
        }
        Ok(set)
    }

    /// Where no namespace surrounds the list, the last one in it goes on to the names after it.
    fn listed(self, names: &[Name]) -> Lowered {
        let around = self.namespace.or(self.default_namespace);
        let mut last = None;
        let mut files = vec![];
        for name in names {
            let given = name.namespace.as_deref();
            let Some(namespace) = given.or(around).or(last) else { return Err(no_namespace("file", name)) };
            files.push(FileRef::Name(namespace.to_owned(), name.name.clone()));
            last = given.or(last);
        }
        Ok(RowSet::Listed(files))
    }

    fn saved(self, name: &Name) -> Lowered {
        let namespace = name.namespace.as_deref().or(self.namespace).or(self.default_namespace);
        let Some(namespace) = namespace else { return Err(no_namespace("saved query", name)) };
        Ok(RowSet::Saved { namespace: namespace.to_owned(), name: name.name.clone(), span: name.span })
    }

    fn datasets(self, selectors: &[Selector]) -> Lowered {
        let mut sets = selectors.iter().map(|selector| self.selector(selector)).collect::<Result<Vec<_>, _>>()?;
        Ok(if sets.len() == 1 { sets.remove(0) } else { RowSet::Union(sets) })
    }

    fn selector(self, selector: &Selector) -> Lowered {
        let namespace = selector.namespace.as_deref().or(self.namespace).map(str::to_owned);
        let names = Names { namespace, name: name_test(&selector.name)? };
        let mut set = RowSet::All { kind: RowKind::Datasets, names, retired: false };
        if let Some(subsets) = selector.subsets {
            set = RowSet::Subsets { of: Box::new(set), recursively: matches!(subsets, Subsets::All) };
        }
        if let Some(having) = &selector.having {
            let subject = Subject { kind: RowKind::Datasets, bare_keys: selector.legacy };
            set = RowSet::Where(Box::new(set), subject.condition(having)?);
        }
        Ok(set)
    }

    fn filter(self, call: &'a FilterCall) -> Lowered {
        let mut inputs = vec![];
        for node in &call.inputs {
            inputs.push(self.files(node)?);
        }
        let named = call.named.iter().map(|(key, constant)| (key.clone(), value::scalar(&constant.value)));
        Ok(RowSet::Filter(Box::new(Filter {
            name: call.name.clone(),
            span: call.span,
            positional: call.positional.iter().map(|constant| value::scalar(&constant.value)).collect(),
            named: named.collect(),
            inputs,
        })))
    }
}

fn no_namespace(what: &str, name: &Name) -> Diagnostic {
    let problem = Diagnostic::error(Kind::Semantic, format!("the {what} `{}` has no namespace", name.name));
    problem.label(name.span, "").hint(format!("write namespace:{}, or give one with --namespace", name.name))
}

fn same_kind(kind: RowKind, set: &RowSet, span: Span) -> Result<(), Diagnostic> {
    let name = |kind| match kind {
        RowKind::Files => "files",
        RowKind::Datasets => "datasets",
        RowKind::Queries => "saved queries",
    };
    if set.kind() == kind {
        return Ok(());
    }
    let message = format!("expected {}, found {}", name(kind), name(set.kind()));
    let problem = Diagnostic::error(Kind::Semantic, message).label(span, "");
    Err(match (kind, set.kind()) {
        (RowKind::Files, RowKind::Datasets) => problem.hint("`files from datasets …` are the files in datasets"),
        _ => problem,
    })
}

fn name_test(pattern: &NamePattern) -> Result<NameTest, Diagnostic> {
    Ok(match pattern {
        NamePattern::Exact(name) => NameTest::Is(name.clone()),
        NamePattern::Pattern(pattern) => NameTest::Like(pattern.replace('*', "%").replace('?', "_")),
        NamePattern::Regex(regex, span) => {
            NameTest::Matches(translate(regex, Flags { any_case: false, newlines: true }, *span)?)
        }
    })
}
