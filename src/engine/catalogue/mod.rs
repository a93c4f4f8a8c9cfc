//! Queries over the file catalogue: sets of rows to plans.
//!
//! | file | what it does |
//! |---|---|
//! | `rows.rs` | sets of files: scans, semi- and anti-joins, order and limits |
//! | `scan.rs` | one scan of `files` with the conditions on it |
//! | `condition.rs` | conditions on attributes and metadata to predicates |
//! | `items.rs` | one test of a metadata value over the columns that may hold it |
//! | `bounds.rs` | decimal constants to comparisons of 64-bit numbers |
//! | `names.rs` | sets of datasets and saved queries, which are few and kept in memory |
//! | `filters.rs` | the built-in filters |
//! | `external.rs` | filters that are programs |
//! | `answer.rs` | the columns of the answer |
//! | `extras.rs` | what else is shown of files, and overviews |

mod answer;
mod bounds;
mod condition;
mod external;
mod extras;
mod filters;
mod items;
mod names;
mod rows;
mod scan;

use crate::{Error, Result};
use datafusion::catalog::TableProvider;
use datafusion::common::Column;
use datafusion::datasource::provider_as_source;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use lakeql_lake::catalog::provider::{LakeTable, TableFile};
use lakeql_lake::resident::{ColumnCache, ResidentTable};
use lakeql_lake::{Snapshot, Table};
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::model::{Query, RowKind, RowSet, Transform};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use external::{FilterProgram, FilterPrograms};
pub(crate) use names::KnownNames;
pub use names::SavedText;

/// Names of the filters that need no program.
pub use filters::BUILT_IN as BUILT_IN_FILTERS;

/// Turns sets of rows into plans over one version of a lake.
pub(crate) struct Catalogue<'a> {
    state: &'a SessionState,
    snapshot: &'a Arc<Snapshot>,
    store: &'a ObjectStoreUrl,
    /// Numbers for the names of scans.
    scans: AtomicUsize,
    notes: Mutex<Vec<Diagnostic>>,
    /// Saved queries that are being resolved, so that one that refers to itself is noticed.
    saved: Mutex<Vec<String>>,
}

impl<'a> Catalogue<'a> {
    pub(crate) fn new(state: &'a SessionState, snapshot: &'a Arc<Snapshot>, store: &'a ObjectStoreUrl) -> Self {
        Self { state, snapshot, store, scans: AtomicUsize::new(0), notes: Mutex::default(), saved: Mutex::default() }
    }

    /// The plan, and notes about keys that nothing has.
    pub(crate) async fn resolve(&self, query: &Query) -> Result<(LogicalPlan, Vec<Diagnostic>)> {
        let mut transforms = query.transforms.iter();
        let Some(Transform::Set(set)) = transforms.next() else {
            return Err(internal("a query over the catalogue without a set"));
        };
        self.expect()?;
        let rest: Vec<&Transform> = transforms.collect();
        let plan = crate::sql::deep(self.answer(set, &rest)).await?;
        let notes = std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner));
        Ok((plan, notes))
    }

    /// The lake has a catalogue.
    fn expect(&self) -> Result<()> {
        if self.snapshot.has_catalogue() {
            return Ok(());
        }
        let problem = Diagnostic::error(Kind::NotFound, "the lake has no file catalogue");
        Err(problem.hint("import one: lakeql import metacat DIR").into())
    }

    async fn answer(&self, set: &RowSet, rest: &[&Transform]) -> Result<LogicalPlan> {
        match set.kind() {
            RowKind::Files => {
                let rows = self.rows(set).await?;
                self.files_answer(rows, rest)
            }
            kind @ (RowKind::Datasets | RowKind::Queries) => {
                let names = self.names(set).await?;
                self.names_answer(kind, &names, rest)
            }
        }
    }

    fn note(&self, note: Diagnostic) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// A name for a scan that no other scan of the query has.
    fn alias(&self, letter: &str) -> String {
        format!("{letter}{}", self.scans.fetch_add(1, Ordering::Relaxed))
    }

    /// A scan of a table with these columns of it.
    fn scan(&self, table: Table, alias: &str, wanted: impl Fn(&str) -> bool) -> Result<LogicalPlanBuilder> {
        match table {
            Table::Files | Table::FileAttributes | Table::Members | Table::Provenance => {
                let resident = self.resident(table, wanted)?;
                self.aliased(table, alias, Arc::new(resident))
            }
            _ => self.stored(table, alias, wanted),
        }
    }

    /// A scan of `files` in their natural order, whose first rows come early.
    fn ordered_files(&self, alias: &str, wanted: impl Fn(&str) -> bool) -> Result<LogicalPlanBuilder> {
        self.aliased(Table::Files, alias, Arc::new(self.resident(Table::Files, wanted)?.ordered()))
    }

    /// A table whose columns stay in memory.
    fn resident(&self, table: Table, wanted: impl Fn(&str) -> bool) -> Result<ResidentTable> {
        let cache = self.state.config().get_extension::<ColumnCache>();
        let cache = cache.ok_or_else(|| internal("a session without a cache for columns"))?;
        Ok(ResidentTable::new(table, wanted, self.snapshot, self.store.clone(), cache))
    }

    /// A scan that reads files every time.
    fn stored(&self, table: Table, alias: &str, wanted: impl Fn(&str) -> bool) -> Result<LogicalPlanBuilder> {
        let stored = self.snapshot.table(table);
        let fields: Vec<_> = stored.schema.fields().iter().filter(|field| wanted(field.name())).cloned().collect();
        let files =
            stored.files.iter().map(|file| TableFile { path: file.location.clone(), size: file.size, rows: file.rows });
        let schema = datafusion::arrow::datatypes::Schema::new(fields);
        let provider = LakeTable::new(table, &schema, files.collect(), self.store.clone());
        self.aliased(table, alias, Arc::new(provider))
    }

    fn aliased(&self, table: Table, alias: &str, provider: Arc<dyn TableProvider>) -> Result<LogicalPlanBuilder> {
        let plan = LogicalPlanBuilder::scan(table.name(), provider_as_source(provider), None)?;
        Ok(plan.alias(alias)?)
    }
}

/// A column by its exact name.
fn of(alias: &str, name: &str) -> Expr {
    Expr::Column(Column::new(Some(alias), name))
}

/// A query that no language can produce.
fn internal(message: &str) -> Error {
    datafusion::error::DataFusionError::Internal(message.to_owned()).into()
}
