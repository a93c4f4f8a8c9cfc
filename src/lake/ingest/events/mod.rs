//! Events become trees.
//!
//! | file | what it does |
//! |---|---|
//! | `source.rs` | which files there are, and opening them |
//! | `read.rs` | files to blocks, on a thread of its own |
//! | `parse.rs`, `columns.rs` | blocks of lines and batches of tables to events |
//! | `grow.rs` | events to parts of trees, on several threads, on disk where they get too large |
//! | `write.rs` | the nodes of a tree to the files of its levels |
//!
//! Where the order of events does not matter, each thread grows a part of each tree, and the parts are united in the end.
//! Trees for which it does matter grow on one thread, which takes the blocks in their order. An import is all or nothing.

mod columns;
mod grow;
mod parse;
mod read;
mod source;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use lakeql_rows::error::Problem;
use lakeql_rows::tree::{Fields, Plan, Spec};
use serde_json::{Map, Value};

use super::Progress;
use crate::catalog::lake::Lake;
use crate::catalog::trees::{TreeCatalog, TreeInfo};
use crate::error::{Error, Result};
use crate::storage::segment::SegmentId;
use crate::storage::writer::WrittenFile;

pub(crate) use write::write_tree;

/// Bytes that growing trees may take together.
const MEMORY: usize = 1 << 30;

/// How events are imported.
#[derive(Debug, Clone, Default)]
pub struct EventOptions {
    /// Leave out lines that are no events, and list them in a report, instead of giving up.
    pub skip_bad: bool,
    /// Where the report goes; by default beside the first file.
    pub bad_report: Option<PathBuf>,
    /// Threads; by default as many as there are cores.
    pub threads: Option<usize>,
    /// Bytes that growing trees may take together; 1 GiB if not given. What takes more goes to temporary files.
    pub memory: Option<usize>,
    /// Make a tree of each source, `name.0`, `name.1` and so on, instead of one of all.
    pub worker_trees: bool,
}

/// What an import has done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventReport {
    /// The trees with their nodes, and whether each one has changed.
    pub trees: Vec<(String, TreeInfo, bool)>,
    /// Events that were read.
    pub events: u64,
    /// Lines that were left out.
    pub bad: u64,
    /// The list of them, if there are any.
    pub bad_report: Option<PathBuf>,
    /// Bytes of the files that were read.
    pub bytes_read: u64,
    /// Bytes of the Parquet files that were written.
    pub bytes_written: u64,
    /// Parts of trees that went to temporary files.
    pub spilled: u64,
    /// How long it took.
    pub seconds: f64,
    /// The version of the lake afterwards.
    pub version: u64,
}

/// Definitions of trees that are ready.
#[derive(Debug, Clone)]
pub struct Definitions {
    fields: Fields,
    trees: Vec<Definition>,
}

#[derive(Debug, Clone)]
struct Definition {
    name: String,
    plan: Arc<Plan>,
    text: String,
}

impl Definitions {
    /// Reads a file of definitions; `name` is what messages call it.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        let fault = |reason: String| Error::Data { file: name.to_owned(), row: None, field: None, reason };
        let spec = Spec::parse(text).map_err(fault)?;
        if spec.trees.is_empty() {
            return Err(fault("it defines no trees".to_owned()));
        }
        let texts: Map<String, Value> = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
        let mut fields = Fields::default();
        let mut trees = vec![];
        for (name, tree) in &spec.trees {
            check_name(name).map_err(|reason| fault(format!("trees.{name}: {reason}")))?;
            let plan = Plan::new(tree, &mut fields).map_err(|reason| fault(format!("trees.{name}: {reason}")))?;
            let text = texts.get("trees").and_then(|trees| trees.get(name)).map(Value::to_string);
            trees.push(Definition { name: name.clone(), plan: Arc::new(plan), text: text.unwrap_or_default() });
        }
        Ok(Self { fields, trees })
    }

    /// The names of the trees.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.trees.iter().map(|tree| tree.name.as_str())
    }
}

/// Whether a tree may have this name.
fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
        return Err("a name has 1 to 200 bytes and no control characters".to_owned());
    }
    Ok(())
}

/// Builds trees of the events in some sources: files, patterns, folders of Parquet files, URLs. Trees of the same names
/// are replaced.
///
/// # Errors
/// Something in the data is wrong, or a tree does not fit into memory and cannot be built in parts: then the lake stays as
/// it was. Or the lake cannot be written.
pub async fn import_events(
    lake: &Lake,
    definitions: &Definitions,
    sources: &[String],
    options: &EventOptions,
    progress: &dyn Fn(Progress),
) -> Result<EventReport> {
    let started = Instant::now();
    let mut report = EventReport::default();
    let mut files = vec![];
    for (number, source) in sources.iter().enumerate() {
        files.extend(source::find(source, number).await?);
    }
    let groups: Vec<Vec<source::EventFile>> = if options.worker_trees {
        (0..sources.len()).map(|number| files.iter().filter(|file| file.source == number).cloned().collect()).collect()
    } else {
        vec![files]
    };
    let bad = grow::bad_rows(options, &groups);
    let before = Arc::clone(lake.snapshot(crate::AsOf::Latest).await?.trees().await?);
    let (mut built, mut written) = (BTreeMap::new(), vec![]);
    for (number, files) in groups.iter().enumerate() {
        let grown = grow::grow(definitions, files, options, &bad, progress).await?;
        report.events += grown.events;
        report.bytes_read += grown.bytes_read;
        report.spilled += grown.spilled;
        for (definition, tree) in definitions.trees.iter().zip(grown.trees) {
            let name =
                if options.worker_trees { format!("{}.{number}", definition.name) } else { definition.name.clone() };
            let (info, files) = write_tree(lake, &definition.plan, &definition.text, tree.runs, tree.events).await?;
            built.insert(name, info);
            written.extend(files);
        }
    }
    (report.bad, report.bad_report) = grow::finish_bad(&bad)?;
    let details = [("events".to_owned(), report.events.into())];
    let (version, trees) = commit(lake, "import events", &before, built, written, details).await?;
    (report.version, report.trees) = (version, trees);
    report.bytes_written = report.trees.iter().filter(|(.., changed)| *changed).map(|(_, tree, _)| tree.bytes).sum();
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Makes trees visible; those that were there just so stay what they are.
async fn commit(
    lake: &Lake,
    operation: &str,
    before: &TreeCatalog,
    built: BTreeMap<String, TreeInfo>,
    files: Vec<WrittenFile>,
    details: impl IntoIterator<Item = (String, Value)>,
) -> Result<(u64, Vec<(String, TreeInfo, bool)>)> {
    let is_new = |name: &str, tree: &TreeInfo| {
        before.trees.get(name).is_none_or(|old| (&old.digest, &old.definition) != (&tree.digest, &tree.definition))
    };
    let trees: Vec<_> = built.into_iter().map(|(name, tree)| (is_new(&name, &tree), name, tree)).collect();
    let new: Vec<SegmentId> = trees.iter().filter(|(new, ..)| *new).map(|(.., tree)| tree.segment).collect();
    let changed = |file: &WrittenFile| {
        let name = crate::storage::segment::FileName::parse(&file.name);
        name.is_some_and(|name| new.contains(&name.segment))
    };
    let version = if new.is_empty() {
        lake.version().await?
    } else {
        let names: Vec<&str> = trees.iter().filter(|(new, ..)| *new).map(|(_, name, _)| name.as_str()).collect();
        let mut info = Map::from_iter([
            ("operation".to_owned(), Value::from(operation)),
            ("trees".to_owned(), names.join(", ").into()),
        ]);
        info.extend(details);
        let replaced = Mutex::new(vec![]);
        let change = |now: &TreeCatalog| {
            let mut next = now.clone();
            let old = names.iter().filter_map(|name| now.trees.get(*name)).map(|tree| tree.segment);
            *replaced.lock().unwrap_or_else(PoisonError::into_inner) = old.collect::<Vec<_>>();
            next.trees
                .extend(trees.iter().filter(|(new, ..)| *new).map(|(_, name, tree)| (name.clone(), tree.clone())));
            Some(next)
        };
        let version = lake.commit_trees(files.into_iter().filter(changed).collect(), info, change).await?.0;
        let replaced = replaced.into_inner().unwrap_or_else(PoisonError::into_inner);
        // The trees are there: what is left of the old ones is for `vacuum`.
        drop(lake.forget_nodes(&replaced).await);
        version
    };
    Ok((version, trees.into_iter().map(|(new, name, tree)| (name, tree, new)).collect()))
}

/// Unites trees into one, which may have the name of one of them.
///
/// # Errors
/// A tree is not there, the trees are not built alike, or what is attached to their nodes cannot be united.
pub async fn merge_trees(lake: &Lake, names: &[String], into: &str) -> Result<(u64, TreeInfo)> {
    let wrong = |reason: String| Error::Tree(Problem::Other(reason));
    check_name(into).map_err(wrong)?;
    let snapshot = lake.snapshot(crate::AsOf::Latest).await?;
    let catalog = Arc::clone(snapshot.trees().await?);
    let mut trees: Vec<(&str, &TreeInfo)> = vec![];
    for name in names {
        let found = catalog.named(name);
        if found.is_empty() {
            return Err(wrong(format!("there is no tree `{name}`")));
        }
        trees.extend(found);
    }
    let Some((first_name, first)) = trees.first().copied() else { return Err(wrong("no trees".to_owned())) };
    let (_, plan) = first.plan()?;
    for (name, tree) in &trees {
        let (_, other) = tree.plan()?;
        if let Err(reason) = other.mergeable() {
            return Err(wrong(format!("`{name}` cannot be united with others: {reason}")));
        }
        let same = plan.columns().len() == other.columns().len()
            && plan.levels() == other.levels()
            && plan
                .columns()
                .iter()
                .zip(other.columns())
                .all(|(own, other)| own.name == other.name && own.spec.unites_with(&other.spec));
        if !same {
            return Err(wrong(format!("`{name}` is not built as `{first_name}` is: they attach different things")));
        }
    }
    let mut runs = vec![];
    for (_, tree) in &trees {
        runs.push(crate::trees::stored_run(&snapshot, tree).await?);
    }
    let events = trees.iter().map(|(_, tree)| tree.events).sum();
    let (info, files) = write_tree(lake, &Arc::new(plan), &first.definition, runs, events).await?;
    let built = BTreeMap::from([(into.to_owned(), info.clone())]);
    let merged = names.join(", ").into();
    let details = [("merged".to_owned(), merged)];
    let (version, _) = commit(lake, "tree merge", &catalog, built, files, details).await?;
    Ok((version, info))
}
