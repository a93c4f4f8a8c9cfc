//! Sets of files to plans.
//!
//! Every set is files with all their columns; another set that restricts it takes part in a semi- or anti-join with its
//! ordinals only.

use super::names::Name;
use super::scan::Scan;
use super::{Catalogue, filters, internal, of};
use crate::resolve::balanced;
use crate::{Error, Result};
use datafusion::common::{Column, JoinType};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use futures::FutureExt;
use futures::future::BoxFuture;
use lakeql_lake::Table;
use lakeql_lake::resident::PARENT_FILE;
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::dialects::{self, Settings};
use lakeql_query::model::{Expr as Predicate, FileRef, Names, Provenance, RowKind, RowSet, Transform};
use lakeql_query::source::Source;
use lakeql_query::span::Span;
use std::collections::BTreeMap;
use std::sync::PoisonError;

/// A set of files.
pub(super) enum Rows {
    /// A scan to which conditions can be added.
    Scan(Scan, Order),
    /// Anything else.
    Plan(Planned),
}

/// Files as a plan with the columns of `files` under a name.
pub(super) struct Planned {
    pub(super) plan: LogicalPlanBuilder,
    pub(super) alias: String,
    pub(super) order: Order,
}

/// The order of a set.
#[derive(Clone)]
pub(super) enum Order {
    None,
    /// Creation time, then id.
    Natural,
    /// By this expression.
    By(Expr),
}

impl Planned {
    /// The rows in their order.
    pub(super) fn sorted(self) -> Result<Self> {
        let plan = match &self.order {
            Order::None => self.plan,
            Order::Natural => self.plan.sort([
                of(&self.alias, "created_timestamp").sort(true, false),
                of(&self.alias, "fid").sort(true, false),
            ])?,
            Order::By(position) => self.plan.sort([position.clone().sort(true, false)])?,
        };
        Ok(Self { plan, ..self })
    }
}

impl Catalogue<'_> {
    /// The files of a set.
    pub(super) fn rows<'s>(&'s self, set: &'s RowSet) -> BoxFuture<'s, Result<Rows>> {
        async move {
            Ok(match set {
                RowSet::All { kind: RowKind::Files, names, retired } => {
                    if *names != Names::ALL {
                        return Err(internal("files by a pattern"));
                    }
                    Rows::Scan(self.files(*retired), Order::None)
                }
                RowSet::All { kind: RowKind::Datasets | RowKind::Queries, .. } | RowSet::Subsets { .. } => {
                    return Err(internal("datasets where files belong"));
                }
                RowSet::Listed(files) => Rows::Scan(self.listed(files), Order::None),
                RowSet::Members { datasets, retired } => {
                    let names = self.names(datasets).await?;
                    Rows::Scan(self.members(&names, *retired)?, Order::None)
                }
                RowSet::Saved { namespace, name, span } => self.saved(namespace, name, *span).await?,
                RowSet::Where(input, condition) => {
                    let input = self.rows(input).await?;
                    self.restricted(input, condition)?
                }
                RowSet::Union(inputs) => {
                    let mut union: Option<LogicalPlanBuilder> = None;
                    let alias = self.alias("u");
                    for input in inputs {
                        let ids = self.column(self.rows(input).await?, "file")?;
                        union = Some(match union {
                            None => LogicalPlanBuilder::from(ids),
                            Some(union) => union.union(ids)?,
                        });
                    }
                    let mut scan = self.files(true);
                    let set = union.ok_or_else(|| internal("a union of nothing"))?.alias(&alias)?.build()?;
                    scan.keep("file", set, Column::new(Some(&alias), "file"));
                    Rows::Scan(scan, Order::None)
                }
                RowSet::Join(inputs) => {
                    let mut inputs = inputs.iter();
                    let first = inputs.next().ok_or_else(|| internal("a join of nothing"))?;
                    let mut rows = self.rows(first).await?;
                    for input in inputs {
                        rows = self.joined(rows, self.rows(input).await?, JoinType::LeftSemi)?;
                    }
                    rows
                }
                RowSet::Minus(from, without) => {
                    let mut rows = self.rows(from).await?;
                    for input in without {
                        rows = self.joined(rows, self.rows(input).await?, JoinType::LeftAnti)?;
                    }
                    rows
                }
                RowSet::Relatives(of_files, direction) => {
                    let rows = self.rows(of_files).await?;
                    Rows::Scan(self.relatives(rows, *direction)?, Order::None)
                }
                RowSet::Closure(of_files, direction) => {
                    let mut frontier = self.read(self.rows(of_files).await?).await?;
                    let mut all: BTreeMap<i64, filters::File> = BTreeMap::new();
                    while !frontier.is_empty() {
                        let start = Rows::Plan(self.files_in_order(&frontier)?);
                        let next = Rows::Scan(self.relatives(start, *direction)?, Order::None);
                        let mut found = self.read(next).await?;
                        // What has been met before leads to nothing new, and in a cycle nowhere else.
                        found.retain(|file| !all.contains_key(&file.file));
                        all.extend(found.iter().map(|file| (file.file, file.clone())));
                        frontier = found;
                    }
                    let found: Vec<_> = all.into_values().collect();
                    Rows::Plan(Planned { order: Order::None, ..self.files_in_order(&found)? })
                }
                RowSet::Ordered(input) => match self.rows(input).await? {
                    Rows::Scan(scan, _) => Rows::Scan(scan, Order::Natural),
                    Rows::Plan(planned) => Rows::Plan(Planned { order: Order::Natural, ..planned }),
                },
                RowSet::Limit(input, count) => {
                    let planned = self.planned(self.rows(input).await?)?.sorted()?;
                    let plan = planned.plan.limit(0, Some(usize::try_from(*count).unwrap_or(usize::MAX)))?;
                    Rows::Plan(Planned { plan, ..planned })
                }
                RowSet::Skip(input, count) => {
                    let planned = self.planned(self.rows(input).await?)?.sorted()?;
                    let plan = planned.plan.limit(usize::try_from(*count).unwrap_or(usize::MAX), None)?;
                    Rows::Plan(Planned { plan, ..planned })
                }
                RowSet::Filter(filter) => Rows::Plan(self.filtered(filter).await?),
            })
        }
        .boxed()
    }

    pub(super) fn files(&self, retired: bool) -> Scan {
        Scan::new(self.alias("f"), retired)
    }

    pub(super) fn planned(&self, rows: Rows) -> Result<Planned> {
        Ok(match rows {
            Rows::Plan(planned) => planned,
            Rows::Scan(scan, order) => {
                let alias = scan.alias.clone();
                let ordered = matches!(order, Order::Natural);
                Planned { plan: self.finish(scan, ordered)?, alias, order }
            }
        })
    }

    /// One column of a set.
    fn column(&self, rows: Rows, column: &str) -> Result<LogicalPlan> {
        let planned = self.planned(rows)?;
        Ok(planned.plan.project([of(&planned.alias, column).alias(column)])?.build()?)
    }

    /// One column of a set under a name of its own, to join with.
    fn keys(&self, rows: Rows, column: &str) -> Result<(LogicalPlan, Column)> {
        let alias = self.alias("k");
        let plan = LogicalPlanBuilder::from(self.column(rows, column)?).alias(&alias)?.build()?;
        Ok((plan, Column::new(Some(&alias), column)))
    }

    fn joined(&self, left: Rows, right: Rows, kind: JoinType) -> Result<Rows> {
        let (set, key) = self.keys(right, "file")?;
        Ok(match left {
            Rows::Scan(mut scan, order) => {
                match kind {
                    JoinType::LeftAnti => scan.drop("file", set, key),
                    _ => scan.keep("file", set, key),
                }
                Rows::Scan(scan, order)
            }
            Rows::Plan(planned) => {
                let keys = (vec![Column::new(Some(&planned.alias), "file")], vec![key]);
                let plan = planned.plan.join(set, kind, keys, None)?;
                Rows::Plan(Planned { plan, ..planned })
            }
        })
    }

    fn restricted(&self, input: Rows, condition: &Predicate) -> Result<Rows> {
        match input {
            Rows::Scan(mut scan, order) => {
                self.restrict(&mut scan, condition)?;
                Ok(Rows::Scan(scan, order))
            }
            planned @ Rows::Plan(_) => {
                let mut scan = self.files(true);
                self.restrict(&mut scan, condition)?;
                self.joined(planned, Rows::Scan(scan, Order::None), JoinType::LeftSemi)
            }
        }
    }

    fn listed(&self, files: &[FileRef]) -> Scan {
        let mut scan = self.files(true);
        let mut ids: Vec<Expr> = vec![];
        let mut names: BTreeMap<&str, Vec<Expr>> = BTreeMap::new();
        for file in files {
            match file {
                FileRef::Id(id) => ids.push(lit(id.as_str())),
                FileRef::Name(namespace, name) => names.entry(namespace).or_default().push(lit(name.as_str())),
            }
        }
        let alias = scan.alias.clone();
        let mut any = vec![];
        if !ids.is_empty() {
            any.push(of(&alias, "fid").in_list(ids, false));
        }
        any.extend(names.into_iter().map(|(namespace, names)| {
            of(&alias, "namespace").eq(lit(namespace)).and(of(&alias, "name").in_list(names, false))
        }));
        scan.filter(balanced(any, false));
        scan
    }

    fn members(&self, names: &[Name], retired: bool) -> Result<Scan> {
        let mut scan = self.files(retired);
        if names.is_empty() {
            scan.filter(lit(false));
            return Ok(scan);
        }
        let alias = self.alias("m");
        let datasets = names.iter().map(|name| lit(format!("{}:{}", name.namespace, name.name))).collect::<Vec<_>>();
        let wanted = match datasets.as_slice() {
            [one] => of(&alias, "dataset").eq(one.clone()),
            _ => of(&alias, "dataset").in_list(datasets, false),
        };
        let members = self.scan(Table::Members, &alias, |_| true)?.filter(wanted)?;
        let set = members.project([of(&alias, "file")])?.build()?;
        scan.keep("file", set, Column::new(Some(&alias), "file"));
        Ok(scan)
    }

    /// Files one step away, each once, retired ones left out.
    fn relatives(&self, rows: Rows, direction: Provenance) -> Result<Scan> {
        let mut scan = self.files(false);
        let alias = self.alias("p");
        let links = self.scan(Table::Provenance, &alias, |_| true)?;
        let (here, there) = match direction {
            Provenance::Parents => ("child", PARENT_FILE),
            Provenance::Children => (PARENT_FILE, "child"),
        };
        let (set, key) = self.keys(rows, "file")?;
        let keys = (vec![Column::new(Some(&alias), here)], vec![key]);
        let links = links.join(set, JoinType::LeftSemi, keys, None)?.project([of(&alias, there)])?.build()?;
        scan.keep("file", links, Column::new(Some(&alias), there));
        Ok(scan)
    }

    /// The files of a saved query, which is read in its own language.
    async fn saved(&self, namespace: &str, name: &str, span: Span) -> Result<Rows> {
        let did = format!("{namespace}:{name}");
        let problem = |kind, message: String| -> Error { Diagnostic::error(kind, message).label(span, "").into() };
        let Some((text, language)) = self.saved_text(namespace, name).await? else {
            return Err(self.no_saved(&did).await?.label(span, "").into());
        };
        {
            let mut stack = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
            if stack.contains(&did) {
                return Err(problem(Kind::Semantic, format!("the saved query {did} refers to itself")));
            }
            stack.push(did.clone());
        }
        let dialect = dialects::find(&language)
            .ok_or_else(|| problem(Kind::Semantic, format!("the saved query {did} is in the language {language}")))?;
        let query = dialect.lower(&Source { name: did.clone(), text }, &Settings::default()).map_err(|reasons| {
            let reason = reasons.first().map(|it| it.message.clone()).unwrap_or_default();
            problem(Kind::Semantic, format!("the saved query {did} is wrong: {reason}"))
        })?;
        let rows = match query.transforms.as_slice() {
            [Transform::Set(set)] if set.kind() == RowKind::Files => self.rows(set).await?,
            _ => return Err(problem(Kind::Semantic, format!("the saved query {did} is not about files"))),
        };
        self.saved.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(rows)
    }
}
