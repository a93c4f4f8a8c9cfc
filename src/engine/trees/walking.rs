//! A walk whose trees are open.

use crate::{Error, Result};
use lakeql_lake::Snapshot;
use lakeql_lake::catalog::trees::TreeCatalog;
use lakeql_lake::trees::{LevelRead, TreeView};
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use lakeql_query::dialects::hydra::ops::{Pipeline, Strictness, parse};
use lakeql_query::model::Walk;
use lakeql_query::source::Source;
use lakeql_query::span::Span;
use lakeql_rows::tree::{Query, QueryError, Text};
use lakeql_rows::{Columns, Limits, Options, Sink};
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

/// A walk over trees that are open. Rows come in the order of trees and paths.
#[derive(Debug)]
pub struct Walking {
    query: Query,
    walk: Walk,
    views: Vec<TreeView>,
    options: Options,
}

impl Walking {
    /// Opens the trees of a walk. `memory` bounds what ops hold.
    ///
    /// # Errors
    /// There is no such tree, or it cannot be read.
    pub(crate) async fn new(snapshot: &Snapshot, walk: &Walk, memory: Option<usize>) -> Result<Self> {
        let catalog = snapshot.trees().await?;
        let mut views = vec![];
        for name in wanted(catalog, &walk.trees)? {
            views.push(snapshot.open_tree(&name).await?.view());
        }
        let ops = |text: &str| -> Result<Pipeline> {
            parse(&Source::query(text), Strictness { strict: walk.strict }).map_err(Error::from)
        };
        let query = Query { path: walk.path.clone(), worker_ops: ops(&walk.worker_ops)?, ops: ops(&walk.ops)? };
        let limits = Limits { memory: memory.unwrap_or(Limits::default().memory), ..Limits::default() };
        Ok(Self { query, walk: walk.clone(), views, options: Options { strict: walk.strict, limits } })
    }

    /// Walks, and sends the rows. Gives the columns of the answer. For a thread that may wait; when `interrupted` becomes
    /// true, the walk ends with an error.
    ///
    /// # Errors
    /// What the path or an op could not do, with its place in the text that it is from, or a tree cannot be read.
    pub fn run(&self, interrupted: Option<&AtomicBool>, out: &mut dyn Sink) -> Result<Columns> {
        let trees: Vec<&TreeView> = self.views.iter().collect();
        self.query.run(&trees, self.options, interrupted, out).map_err(|failed| self.error(&failed))
    }

    fn error(&self, failed: &QueryError) -> Error {
        let diagnostic = failed.error.diagnostic();
        let span = failed.error.span;
        match failed.text {
            Text::Path => diagnostic,
            Text::WorkerOps => diagnostic.in_argument("--rops", &self.walk.worker_ops, span),
            Text::Ops => diagnostic.in_argument("--ops", &self.walk.ops, span),
        }
        .into()
    }

    /// What has been read so far of each level of each tree.
    pub fn read(&self) -> Vec<(String, Vec<LevelRead>)> {
        self.views.iter().map(|view| (view.tree().name().to_owned(), view.read().levels())).collect()
    }
}

/// The trees that names mean.
fn wanted(catalog: &TreeCatalog, names: &[String]) -> Result<Vec<String>> {
    let known: BTreeSet<&str> = catalog.trees.keys().map(|name| group(name)).collect();
    if known.is_empty() {
        let problem = Diagnostic::error(Kind::NotFound, "there are no trees in this lake");
        return Err(problem.hint("build one with `lakeql import events --tree SPEC.json FILE`").into());
    }
    let listed = || known.iter().take(20).copied().collect::<Vec<_>>().join(", ");
    if names.is_empty() {
        let mut only = known.iter();
        return match (only.next(), only.next()) {
            (Some(only), None) => Ok(catalog.named(only).into_iter().map(|(name, _)| name.to_owned()).collect()),
            _ => {
                let problem = Diagnostic::error(Kind::Semantic, "there are several trees: say which with --tree");
                Err(problem.hint(format!("trees are {}", listed())).into())
            }
        };
    }
    let mut trees = vec![];
    for name in names {
        let found = catalog.named(name);
        if found.is_empty() {
            let problem = Diagnostic::error(Kind::NotFound, format!("there is no tree `{name}`")).in_argument(
                "--tree",
                name,
                Span::new(0, name.len()),
            );
            return Err(match did_you_mean(name, known.iter().copied()) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem.hint(format!("trees are {}", listed())),
            }
            .into());
        }
        trees.extend(found.into_iter().map(|(name, _)| name.to_owned()));
    }
    Ok(trees)
}

/// The name that several workers share.
fn group(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((group, number)) if !group.is_empty() && number.parse::<u32>().is_ok() => group,
        _ => name,
    }
}
