//! Sets of datasets and saved queries: few, so they are kept in memory and put together there.

use super::condition::Document;
use super::items::is_like;
use super::{Catalogue, internal, of};
use crate::{Error, Result};
use datafusion::arrow::array::{AsArray, StringViewArray};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::logical_expr::{LogicalPlanBuilder, lit};
use datafusion::prelude::DataFrame;
use futures::FutureExt;
use futures::future::BoxFuture;
use lakeql_lake::Table;
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use lakeql_query::model::{NameTest, Names, RowKind, RowSet};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// A saved query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedText {
    /// The query.
    pub text: String,
    /// The name of its language.
    pub language: String,
}

/// The names of one version of a lake.
#[derive(Debug, Default)]
pub(crate) struct KnownNames {
    datasets: OnceCell<Arc<[Name]>>,
    queries: OnceCell<Arc<[Name]>>,
}

/// The name of a dataset or saved query.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) namespace: String,
    pub(super) name: String,
}

pub(super) fn table(kind: RowKind) -> Table {
    match kind {
        RowKind::Files => Table::Files,
        RowKind::Datasets => Table::Datasets,
        RowKind::Queries => Table::NamedQueries,
    }
}

impl Catalogue<'_> {
    /// The names of a set of datasets or saved queries, each once.
    pub(super) fn names<'s>(&'s self, set: &'s RowSet) -> BoxFuture<'s, Result<Vec<Name>>> {
        async move {
            Ok(match set {
                RowSet::All { kind, names, .. } => {
                    let test = test(names)?;
                    self.all_names(*kind).await?.iter().filter(|name| test(name)).cloned().collect()
                }
                RowSet::Subsets { of, recursively } => self.subsets(self.names(of).await?, *recursively).await?,
                RowSet::Where(input, condition) => {
                    let names = self.names(input).await?;
                    let table = table(input.kind());
                    let alias = self.alias("n");
                    let filter = self.condition(condition, &mut Document { alias: &alias })?;
                    let plan = self.scan(table, &alias, |_| true)?.filter(filter)?;
                    let found: HashSet<Name> = self.collect_names(plan, &alias).await?.into_iter().collect();
                    names.into_iter().filter(|name| found.contains(name)).collect()
                }
                RowSet::Union(inputs) => {
                    let mut all = vec![];
                    for input in inputs {
                        all.extend(self.names(input).await?);
                    }
                    let mut seen = HashSet::new();
                    all.retain(|name| seen.insert(name.clone()));
                    all
                }
                RowSet::Join(inputs) => {
                    let mut inputs = inputs.iter();
                    let mut all = match inputs.next() {
                        Some(first) => self.names(first).await?,
                        None => vec![],
                    };
                    for input in inputs {
                        let other: HashSet<Name> = self.names(input).await?.into_iter().collect();
                        all.retain(|name| other.contains(name));
                    }
                    all
                }
                RowSet::Minus(from, without) => {
                    let mut all = self.names(from).await?;
                    for input in without {
                        let other: HashSet<Name> = self.names(input).await?.into_iter().collect();
                        all.retain(|name| !other.contains(name));
                    }
                    all
                }
                RowSet::Ordered(input) => {
                    let mut names = self.names(input).await?;
                    names.sort();
                    names
                }
                RowSet::Limit(input, count) => {
                    let mut names = self.names(input).await?;
                    names.truncate(usize::try_from(*count).unwrap_or(usize::MAX));
                    names
                }
                RowSet::Skip(input, count) => {
                    let count = usize::try_from(*count).unwrap_or(usize::MAX);
                    self.names(input).await?.into_iter().skip(count).collect()
                }
                RowSet::Listed(_)
                | RowSet::Members { .. }
                | RowSet::Saved { .. }
                | RowSet::Relatives(..)
                | RowSet::Closure(..)
                | RowSet::Filter(_) => return Err(internal("files where datasets belong")),
            })
        }
        .boxed()
    }

    /// All datasets or saved queries, read once for a session.
    pub(super) async fn all_names(&self, kind: RowKind) -> Result<Arc<[Name]>> {
        let known = self.state.config().get_extension::<KnownNames>().unwrap_or_default();
        let known = if kind == RowKind::Queries { &known.queries } else { &known.datasets };
        let read = || async {
            let alias = self.alias("n");
            let plan = self.scan(table(kind), &alias, |name| matches!(name, "namespace" | "name"))?;
            let mut names = self.collect_names(plan, &alias).await?;
            names.sort();
            Ok::<_, Error>(Arc::from(names))
        };
        known.get_or_try_init(read).await.cloned()
    }

    async fn collect_names(&self, plan: LogicalPlanBuilder, alias: &str) -> Result<Vec<Name>> {
        let plan = plan.project([of(alias, "namespace"), of(alias, "name")])?.build()?;
        let mut names = vec![];
        for batch in DataFrame::new(self.state.clone(), plan).collect().await? {
            let (namespaces, texts) = (texts(&batch, 0)?, texts(&batch, 1)?);
            for row in 0..batch.num_rows() {
                let (namespace, name) = (namespaces.value(row).to_owned(), texts.value(row).to_owned());
                names.push(Name { namespace, name });
            }
        }
        Ok(names)
    }

    /// These datasets and those below them; a dataset that is below itself is in it once.
    async fn subsets(&self, of_names: Vec<Name>, recursively: bool) -> Result<Vec<Name>> {
        let alias = self.alias("n");
        let plan = self.scan(Table::Datasets, &alias, |name| matches!(name, "namespace" | "name" | "children"))?;
        let plan = plan.project(["namespace", "name", "children"].map(|name| of(&alias, name)))?.build()?;
        let mut children: HashMap<Name, Vec<Name>> = HashMap::new();
        for batch in DataFrame::new(self.state.clone(), plan).collect().await? {
            let (namespaces, names) = (texts(&batch, 0)?, texts(&batch, 1)?);
            let lists = batch.column(2).as_list::<i32>();
            for row in 0..batch.num_rows() {
                let below = lists.value(row);
                let below = below.as_string::<i32>().iter().flatten().filter_map(|did| {
                    let (namespace, name) = did.split_once(':')?;
                    Some(Name { namespace: namespace.to_owned(), name: name.to_owned() })
                });
                let (namespace, name) = (namespaces.value(row).to_owned(), names.value(row).to_owned());
                children.insert(Name { namespace, name }, below.collect());
            }
        }
        let mut all = of_names;
        let mut seen: HashSet<Name> = all.iter().cloned().collect();
        let first = all.len();
        let mut at = 0;
        while let Some(name) = all.get(at).cloned() {
            if !recursively && at >= first {
                break;
            }
            at += 1;
            for below in children.get(&name).into_iter().flatten() {
                // A dataset that is named as below another and is not there itself has no rows.
                if children.contains_key(below) && seen.insert(below.clone()) {
                    all.push(below.clone());
                }
            }
        }
        Ok(all)
    }

    /// A saved query, by `namespace:name`.
    pub(crate) async fn saved_query(&self, name: &str) -> Result<SavedText> {
        self.expect()?;
        let found = match name.split_once(':') {
            Some((namespace, name)) => self.saved_text(namespace, name).await?,
            None => None,
        };
        match found {
            Some((text, language)) => Ok(SavedText { text, language }),
            None => Err(self.no_saved(name).await?.into()),
        }
    }

    /// There is no saved query of this name, but perhaps one of a similar name.
    pub(super) async fn no_saved(&self, did: &str) -> Result<Diagnostic> {
        let names = self.all_names(RowKind::Queries).await?;
        let names: Vec<String> = names.iter().map(|it| format!("{}:{}", it.namespace, it.name)).collect();
        let problem = Diagnostic::error(Kind::NotFound, format!("there is no saved query {did}"));
        Ok(match did_you_mean(did, names.iter().map(String::as_str)) {
            Some(near) => problem.hint(format!("did you mean {near}?")),
            None => problem.hint("`lakeql query --lang mql queries` lists all of them"),
        })
    }

    /// The text and language of a saved query.
    pub(super) async fn saved_text(&self, namespace: &str, name: &str) -> Result<Option<(String, String)>> {
        let alias = self.alias("n");
        let plan = self.scan(Table::NamedQueries, &alias, |_| true)?;
        let wanted = of(&alias, "namespace").eq(lit(namespace)).and(of(&alias, "name").eq(lit(name)));
        let plan = plan.filter(wanted)?.project([of(&alias, "source"), of(&alias, "language")])?.build()?;
        for batch in DataFrame::new(self.state.clone(), plan).collect().await? {
            if batch.num_rows() > 0 {
                return Ok(Some((texts(&batch, 0)?.value(0).to_owned(), texts(&batch, 1)?.value(0).to_owned())));
            }
        }
        Ok(None)
    }
}

/// A column of texts, as scans give them.
pub(super) fn texts(batch: &RecordBatch, index: usize) -> Result<&StringViewArray> {
    batch.column(index).as_string_view_opt().ok_or_else(|| internal("a column of other texts"))
}

fn test(names: &Names) -> Result<impl Fn(&Name) -> bool> {
    let regex = match &names.name {
        NameTest::Matches(regex) => {
            Some(regex::Regex::new(regex).map_err(|_| internal("a regular expression that was checked"))?)
        }
        NameTest::Any | NameTest::Is(_) | NameTest::Like(_) => None,
    };
    Ok(move |name: &Name| {
        names.namespace.as_ref().is_none_or(|namespace| *namespace == name.namespace)
            && match &names.name {
                NameTest::Any => true,
                NameTest::Is(wanted) => *wanted == name.name,
                NameTest::Like(pattern) => is_like(&name.name, pattern),
                NameTest::Matches(_) => regex.as_ref().is_some_and(|regex| regex.is_match(&name.name)),
            }
    })
}
