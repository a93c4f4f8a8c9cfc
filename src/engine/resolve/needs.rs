//! Which columns of which tables a query touches, and the joins that bring them together.
//!
//! Frequent params are typed columns of `runs`; the others come from `attributes` by a left join on the run, summaries of
//! other sequences from `series` likewise. A filter that needs such a value to be there turns the left join into an inner
//! one, which the optimizer sees by itself.

use super::select::Column as Output;
use crate::Result;
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::common::Column;
use datafusion::datasource::provider_as_source;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::functions_aggregate::expr_fn::array_agg;
use datafusion::logical_expr::{Expr, JoinType, LogicalPlanBuilder, SortExpr, lit};
use lakeql_lake::catalog::path::{ColumnType, PathKey, column_name, format_path};
use lakeql_lake::catalog::paths::PathOwner;
use lakeql_lake::catalog::provider::{LakeTable, TableFile};
use lakeql_lake::{Snapshot, Table};
use lakeql_query::diagnostic::Diagnostic;
use lakeql_query::model::{Key, Relation, SeriesKind, ValueType};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Columns of a parameter or context value, one for each type that occurs.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed {
    pub(super) int: Option<Expr>,
    pub(super) float: Option<Expr>,
    pub(super) text: Option<Expr>,
    pub(super) bool: Option<Expr>,
    /// Points in time, UTC.
    pub(super) time: Option<Expr>,
    /// Text of the kind where none of the others has the value.
    pub(super) kind: Option<Expr>,
}

impl Typed {
    pub(super) fn get(&self, column: ColumnType) -> Option<&Expr> {
        match column {
            ColumnType::Int => self.int.as_ref(),
            ColumnType::Float => self.float.as_ref(),
            ColumnType::Text => self.text.as_ref(),
            ColumnType::Bool => self.bool.as_ref(),
            ColumnType::Time => self.time.as_ref(),
            ColumnType::Kind => self.kind.as_ref(),
            // Runs have none of these.
            ColumnType::Ints | ColumnType::Floats | ColumnType::Texts | ColumnType::Json => None,
        }
    }

    fn set(&mut self, column: ColumnType, expr: Expr) {
        *match column {
            ColumnType::Int => &mut self.int,
            ColumnType::Float => &mut self.float,
            ColumnType::Text => &mut self.text,
            ColumnType::Bool => &mut self.bool,
            ColumnType::Time => &mut self.time,
            ColumnType::Kind => &mut self.kind,
            // Runs have none of these.
            ColumnType::Ints | ColumnType::Floats | ColumnType::Texts | ColumnType::Json => return,
        } = Some(expr);
    }

    /// All columns there are.
    pub(super) fn columns(&self) -> impl Iterator<Item = (ColumnType, &Expr)> {
        ColumnType::ALL.into_iter().filter_map(|column| self.get(column).map(|expr| (column, expr)))
    }
}

/// The columns a query touches, collected while its expressions are resolved.
pub(super) struct Needs<'a> {
    pub(super) snapshot: &'a Arc<Snapshot>,
    store: &'a ObjectStoreUrl,
    pub(super) relation: Relation,
    pub(super) now: chrono::DateTime<chrono::Utc>,
    run: BTreeSet<String>,
    series: BTreeSet<String>,
    /// Rare params: path to the columns of `attributes`, in order of first mention.
    rare: Vec<(String, BTreeSet<&'static str>)>,
    /// Summaries of named sequences: which ones, and the columns of `series`.
    summaries: Vec<(Named, BTreeSet<String>)>,
    all_series: bool,
    /// Types of names that the data has in several, where only a part of the runs is asked.
    pub(super) types: HashMap<String, Vec<ValueType>>,
    /// What there is to know about names, although the query is answered.
    pub(super) notes: Vec<Diagnostic>,
}

/// A sequence of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    name: String,
    /// Canonical.
    context: String,
    /// Sequences of different kinds may have the same name and context; without a kind, any.
    kind: Option<&'static str>,
}

/// The text under which the catalogue knows a path.
pub(super) fn path_text(path: &[Key]) -> String {
    let keys: Vec<_> = path
        .iter()
        .map(|key| match key {
            Key::Text(text) => PathKey::Text(text.clone()),
            Key::Int(number) => PathKey::Int(*number),
        })
        .collect();
    format_path(&keys)
}

fn column(table: &str, name: &str) -> Expr {
    Expr::Column(Column::new(Some(table), name))
}

/// Columns of a sequence's summaries that [`Needs::all_series`] hands over.
const SERIES_FIELDS: [&str; 18] = [
    "name",
    "context",
    "context_key",
    "context_hash",
    "kind",
    "dtype",
    "version",
    "first",
    "last",
    "min",
    "max",
    "first_int",
    "last_int",
    "min_int",
    "max_int",
    "last_json",
    "first_step",
    "last_step",
];

impl<'a> Needs<'a> {
    pub(super) fn new(snapshot: &'a Arc<Snapshot>, store: &'a ObjectStoreUrl, relation: Relation) -> Self {
        Self {
            snapshot,
            store,
            relation,
            now: chrono::Utc::now(),
            run: BTreeSet::new(),
            series: BTreeSet::new(),
            rare: vec![],
            summaries: vec![],
            all_series: false,
            types: HashMap::new(),
            notes: vec![],
        }
    }

    /// A column of the runs table.
    pub(super) fn run(&mut self, name: &str) -> Expr {
        self.run.insert(name.to_owned());
        column("r", name)
    }

    /// A column of the row's own sequence.
    pub(super) fn series(&mut self, name: &str) -> Expr {
        self.series.insert(name.to_owned());
        column("s", name)
    }

    /// The columns of a parameter; none if no run has it.
    pub(super) fn param(&mut self, path: &[Key]) -> Typed {
        let path = path_text(path);
        let mut typed = Typed::default();
        let paths = self.snapshot.paths();
        let entries = paths.get(PathOwner::Run, &path);
        if entries.is_empty() {
            return typed;
        }
        if paths.is_hot(PathOwner::Run, &path) {
            let schema = &self.snapshot.table(Table::Runs).schema;
            for kind in ColumnType::ALL {
                let name = column_name(&path, kind);
                if schema.index_of(&name).is_ok() {
                    let expr = self.run(&name);
                    typed.set(kind, expr);
                }
            }
            return typed;
        }
        let kinds: Vec<&str> = entries.iter().map(|entry| entry.kind.as_str()).collect();
        let mut wanted = vec![];
        for kind in ColumnType::ALL.into_iter().filter(|kind| *kind != ColumnType::Kind) {
            if kinds.contains(&kind.suffix()) {
                wanted.push((kind, kind.suffix()));
            }
        }
        if wanted.len() < kinds.len() {
            wanted.push((ColumnType::Kind, "kind"));
        }
        for (kind, name) in wanted {
            let expr = self.attribute(&path, name);
            typed.set(kind, expr);
        }
        typed
    }

    /// The columns of a key of the row's context, if all segments have them; `None` if only the context itself tells.
    pub(super) fn context(&mut self, path: &[Key]) -> Option<Typed> {
        let path = path_text(path);
        let mut typed = Typed::default();
        let paths = self.snapshot.paths();
        if paths.get(PathOwner::Context, &path).is_empty() {
            return Some(typed);
        }
        if !paths.is_hot(PathOwner::Context, &path) {
            return None;
        }
        let schema = Arc::clone(&self.snapshot.table(Table::Series).schema);
        for kind in ColumnType::ALL {
            let name = column_name(&format!("context.{path}"), kind);
            if schema.index_of(&name).is_ok() {
                let expr = self.series(&name);
                typed.set(kind, expr);
            }
        }
        Some(typed)
    }

    /// A column of one sequence of the run, by name and context (JSON).
    pub(super) fn summary(&mut self, series: &str, context: &str, field: &str) -> Result<Expr> {
        let context = lakeql_lake::ingest::aim::canonical_context(context)
            .map_err(|reason| super::internal(&format!("a context that cannot be read: {reason}")))?;
        Ok(self.named(Named { name: series.to_owned(), context, kind: None }, field))
    }

    /// A column of the run's sequence of this name and kind with the empty context.
    pub(super) fn plain_summary(&mut self, name: &str, kind: &'static str, field: &str) -> Expr {
        self.named(Named { name: name.to_owned(), context: "{}".into(), kind: Some(kind) }, field)
    }

    fn named(&mut self, named: Named, field: &str) -> Expr {
        let index = match self.summaries.iter().position(|(known, _)| *known == named) {
            Some(index) => index,
            None => {
                self.summaries.push((named, BTreeSet::new()));
                self.summaries.len() - 1
            }
        };
        if let Some((_, columns)) = self.summaries.get_mut(index) {
            columns.insert(field.to_owned());
        }
        column(&format!("m{index}"), field)
    }

    /// A column of the row of `attributes` for this path, whether the path is frequent or not.
    pub(super) fn attribute(&mut self, path: &str, name: &'static str) -> Expr {
        let index = match self.rare.iter().position(|(known, _)| *known == path) {
            Some(index) => index,
            None => {
                self.rare.push((path.to_owned(), BTreeSet::new()));
                self.rare.len() - 1
            }
        };
        if let Some((_, columns)) = self.rare.get_mut(index) {
            columns.insert(name);
        }
        column(&format!("a{index}"), name)
    }

    /// All sequences of the run as a list of structs.
    pub(super) fn all_series(&mut self) -> Expr {
        self.all_series = true;
        column("all", "series")
    }

    /// What identifies a row.
    pub(super) fn key_columns(&mut self) -> Vec<Output> {
        match self.relation {
            Relation::Runs | Relation::Table | Relation::Samples | Relation::Trees | Relation::Catalogue(_) => {
                vec![Output::new("hash", self.run("hash"))]
            }
            Relation::Series(_) => vec![
                Output::new("run", self.run("hash")),
                Output::new("name", self.series("name")),
                Output::json("context", self.series("context")),
            ],
        }
    }

    /// Newest run first; sequences of a run by context and name.
    pub(super) fn natural_order(&mut self) -> Vec<SortExpr> {
        let mut order = vec![self.run("created_at").sort(false, true), self.run("hash").sort(true, false)];
        if let Relation::Series(_) = self.relation {
            order.push(self.series("context_key").sort(true, false));
            order.push(self.series("name").sort(true, false));
        }
        order
    }

    /// The joined tables with all columns that were asked for. `by_age`: the rows are wanted newest first.
    pub(super) fn plan(&mut self, by_age: bool) -> Result<LogicalPlanBuilder> {
        let kind = match self.relation {
            Relation::Runs | Relation::Table | Relation::Samples | Relation::Trees | Relation::Catalogue(_) => None,
            Relation::Series(kind) => Some(kind),
        };
        let joined = kind.is_some() || !self.rare.is_empty() || !self.summaries.is_empty() || self.all_series;
        if joined {
            self.run("run");
        }
        let runs: Vec<_> = self.run.iter().map(String::as_str).collect();
        let mut plan = self.scan("r", Table::Runs, &runs, by_age && !joined)?;
        if let Some(kind) = kind {
            let series = self.scan_series(kind)?;
            let on = (vec![column("r", "run")], vec![column("s", "run")]);
            plan = plan.join_with_expr_keys(series.build()?, JoinType::Inner, on, None)?;
        }
        for (index, (path, columns)) in self.rare.iter().enumerate() {
            let table = format!("a{index}");
            let columns: Vec<_> = columns.iter().copied().chain(["path", "run"]).collect();
            let values = self.scan(&table, Table::Attributes, &columns, false)?;
            let values = values.filter(column(&table, "path").eq(lit(path.as_str())))?;
            plan = left_join(plan, &table, values)?;
        }
        for (index, (Named { name, context, kind }, fields)) in self.summaries.iter().enumerate() {
            let table = format!("m{index}");
            let columns: BTreeSet<_> =
                fields.iter().map(String::as_str).chain(["name", "context_key", "run"]).collect();
            let columns: Vec<_> = columns.into_iter().chain(kind.map(|_| "kind")).collect();
            let values = self.scan(&table, Table::Series, &columns, false)?;
            let is_it = column(&table, "name").eq(lit(name.as_str()));
            let mut is_it = is_it.and(column(&table, "context_key").eq(lit(context.as_str())));
            if let Some(kind) = kind {
                is_it = is_it.and(column(&table, "kind").eq(lit(*kind)));
            }
            plan = left_join(plan, &table, values.filter(is_it)?)?;
        }
        if self.all_series {
            let columns: Vec<_> = SERIES_FIELDS.into_iter().chain(["record_max_length", "run"]).collect();
            let fields = SERIES_FIELDS.into_iter().chain(["record_max_length"]);
            let list = named_struct(fields.flat_map(|name| [lit(name), column("all", name)]).collect());
            let values = self.scan("all", Table::Series, &columns, false)?;
            let values = values.aggregate([column("all", "run")], [array_agg(list).alias("series")])?;
            let values =
                values.project([column("all", "run"), Expr::Column(Column::from_name("series"))])?.alias("all")?;
            plan = left_join(plan, "all", values)?;
        }
        Ok(plan)
    }

    /// The series of a kind as `s`, with the columns that were asked for and `run`.
    pub(super) fn scan_series(&mut self, kind: SeriesKind) -> Result<LogicalPlanBuilder> {
        self.series.extend(["kind".to_owned(), "run".to_owned()]);
        let columns: Vec<_> = self.series.iter().map(String::as_str).collect();
        let series = self.scan("s", Table::Series, &columns, false)?;
        Ok(series.filter(column("s", "kind").eq(lit(kind.name())))?)
    }

    pub(super) fn scan(&self, name: &str, table: Table, columns: &[&str], ordered: bool) -> Result<LogicalPlanBuilder> {
        let found = self.snapshot.table(table);
        let mut names: Vec<&str> = columns.to_vec();
        if ordered {
            // The order can only be declared with its columns.
            names.extend(table.sort_key().iter().map(|key| key.name));
        }
        let fields: Vec<Arc<Field>> =
            found.schema.fields().iter().filter(|field| names.contains(&field.name().as_str())).cloned().collect();
        let files = found
            .files
            .iter()
            .map(|file| TableFile { path: file.location.clone(), size: file.size, rows: file.rows })
            .collect();
        let mut provider = LakeTable::new(table, &Schema::new(fields), files, self.store.clone());
        if ordered {
            provider = provider.ordered();
        }
        Ok(LogicalPlanBuilder::scan(name, provider_as_source(Arc::new(provider)), None)?)
    }
}

fn left_join(plan: LogicalPlanBuilder, table: &str, values: LogicalPlanBuilder) -> Result<LogicalPlanBuilder> {
    let on = (vec![column("r", "run")], vec![column(table, "run")]);
    Ok(plan.join_with_expr_keys(values.build()?, JoinType::Left, on, None)?)
}
