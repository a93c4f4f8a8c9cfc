//! Tables and views that SQL sees.

use datafusion::arrow::datatypes::Schema;
use datafusion::catalog::memory::MemorySchemaProvider;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::{Column, TableReference};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, JoinType, LogicalPlanBuilder, col, lit};
use datafusion::prelude::SessionContext;
use lakeql_lake::catalog::provider::{LakeTable, TableFile};
use lakeql_lake::resident::{ColumnCache, ResidentTable};
use lakeql_lake::{Snapshot, Table};
use std::collections::HashSet;
use std::sync::Arc;

/// The schema with the tables as they are stored.
const RAW: &str = "raw";

/// The columns of `metrics` that come from the run: name there, name in the view.
const RUN_COLUMNS: &[(&str, &str)] = &[
    ("hash", "hash"),
    ("name", "run_name"),
    ("experiment", "experiment"),
    ("project", "project"),
    ("created_at", "created_at"),
    ("finalized_at", "finalized_at"),
    ("duration", "duration"),
    ("archived", "archived"),
    ("active", "active"),
    ("tags", "tags"),
    ("description", "description"),
];

/// The tables of one version of the lake.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    snapshot: Arc<Snapshot>,
    store: ObjectStoreUrl,
}

impl Tables {
    pub(super) fn new(snapshot: Arc<Snapshot>, store: ObjectStoreUrl) -> Self {
        Self { snapshot, store }
    }

    /// The version of the lake.
    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Registers all tables and views.
    pub(super) fn register(&self, ctx: &SessionContext) -> Result<()> {
        let raw = MemorySchemaProvider::new();
        for table in Table::ALL {
            raw.register_table(table.name().to_owned(), self.live(table)?)?;
        }
        if self.snapshot.has_catalogue() {
            let columns =
                ctx.copied_config().get_extension::<ColumnCache>().unwrap_or_else(|| Arc::new(ColumnCache::new(0)));
            for table in Table::CATALOGUE {
                raw.register_table(table.name().to_owned(), self.files(table, self.schema(table)))?;
                ctx.register_table(table.name(), self.catalogued(table, &columns)?)?;
            }
        }
        let catalogue = ctx.copied_config().options().catalog.default_catalog.clone();
        ctx.catalog(&catalogue)
            .ok_or_else(|| DataFusionError::Internal(format!("there is no catalogue `{catalogue}`")))?
            .register_schema(RAW, Arc::new(raw))?;
        let runs = self.schema(Table::Runs);
        // The digest tells versions of a run apart; nobody can read it.
        let shown: Vec<_> = runs.fields().iter().filter(|field| field.name() != "digest").cloned().collect();
        ctx.register_table("runs", self.files(Table::Runs, &Schema::new(shown)))?;
        ctx.register_table("attributes", self.live(Table::Attributes)?)?;
        ctx.register_table("series", self.live(Table::Series)?)?;
        ctx.register_table("metrics", self.metrics()?)?;
        ctx.register_table("points", self.points()?)?;
        Ok(())
    }

    /// All columns of a table.
    pub(super) fn schema(&self, table: Table) -> &Schema {
        &self.snapshot.table(table).schema
    }

    /// The files of a table with some of its columns, rows of replaced runs included.
    fn files(&self, table: Table, schema: &Schema) -> Arc<dyn TableProvider> {
        let files = self.snapshot.table(table).files.iter();
        let files = files.map(|file| TableFile { path: file.location.clone(), size: file.size, rows: file.rows });
        Arc::new(LakeTable::new(table, schema, files.collect(), self.store.clone()))
    }

    /// Some columns of `runs`, for those who know which they need: wide schemas make planning slow.
    pub(super) fn some_of_runs(&self, wanted: &HashSet<&str>) -> Arc<dyn TableProvider> {
        let fields = self.schema(Table::Runs).fields().iter();
        let fields: Vec<_> = fields.filter(|field| wanted.contains(field.name().as_str())).cloned().collect();
        self.files(Table::Runs, &Schema::new(fields))
    }

    /// A table without the rows of runs that have been replaced. `runs` and `paths` never have such rows.
    pub(super) fn live(&self, table: Table) -> Result<Arc<dyn TableProvider>> {
        let all = self.files(table, self.schema(table));
        let dead: Vec<Expr> = self.snapshot.dead_runs().into_iter().map(lit).collect();
        if dead.is_empty() || matches!(table, Table::Runs | Table::Paths) {
            return Ok(all);
        }
        let scan = scan(table, all)?;
        let plan = if matches!(table, Table::Points | Table::TextPoints) {
            // Points know their series only.
            let series = self.files(Table::Series, self.schema(Table::Series));
            let dead = self::scan(Table::Series, series)?.filter(col("run").in_list(dead, false))?.alias("dead")?;
            let keys = (vec![Column::from_name("series")], vec![Column::new(Some("dead"), "series")]);
            scan.join(dead.build()?, JoinType::LeftAnti, keys, None)?
        } else {
            scan.filter(col("run").in_list(dead, true))?
        };
        view(plan)
    }

    /// A table of the file catalogue without what belonged to earlier versions of files.
    /// What MQL reads stays in memory for SQL too.
    fn catalogued(&self, table: Table, columns: &Arc<ColumnCache>) -> Result<Arc<dyn TableProvider>> {
        let resident = |table, wanted: fn(&str) -> bool| -> Arc<dyn TableProvider> {
            let (store, columns) = (self.store.clone(), Arc::clone(columns));
            Arc::new(ResidentTable::new(table, wanted, &self.snapshot, store, columns))
        };
        let (all, own) = match table {
            Table::Files => return Ok(resident(table, |_| true)),
            Table::FileAttributes => (self.files(table, self.schema(table)), "file"),
            Table::Members => (resident(table, |_| true), "file"),
            Table::Provenance => (resident(table, |_| true), "child"),
            _ => return Ok(self.files(table, self.schema(table))),
        };
        let files = scan(Table::Files, resident(Table::Files, |name| name == "file"))?.alias("live")?.build()?;
        let keys = (vec![Column::from_name(own)], vec![Column::new(Some("live"), "file")]);
        view(scan(table, all)?.join(files, JoinType::LeftSemi, keys, None)?)
    }

    /// Sequences of kind metric together with their runs.
    fn metrics(&self) -> Result<Arc<dyn TableProvider>> {
        let series = scan(Table::Series, self.live(Table::Series)?)?.filter(col("kind").eq(lit("metric")))?;
        let runs = scan(Table::Runs, self.live(Table::Runs)?)?;
        let plan = join(series.alias("s")?, runs.alias("r")?, ("s", "r"), "run")?;
        let mut columns: Vec<Expr> = vec![];
        let mut taken = HashSet::new();
        for (name, shown) in RUN_COLUMNS {
            taken.insert((*shown).to_owned());
            columns.push(of("r", name).alias(*shown));
        }
        for field in self.schema(Table::Series).fields() {
            if field.name() != "kind" && taken.insert(field.name().clone()) {
                columns.push(of("s", field.name()).alias(field.name()));
            }
        }
        for (index, ..) in self.snapshot.table(Table::Runs).typed_columns() {
            let name = self.schema(Table::Runs).field(index).name();
            // A parameter `context.x` would have the name of a column of the sequence.
            let shown = if taken.contains(name) { format!("run.{name}") } else { name.clone() };
            if taken.insert(shown.clone()) {
                columns.push(of("r", name).alias(shown));
            }
        }
        view(plan.project(columns)?)
    }

    /// Points of metrics with what tells whose they are.
    fn points(&self) -> Result<Arc<dyn TableProvider>> {
        // The join with live series leaves out the points of replaced runs.
        let points = scan(Table::Points, self.files(Table::Points, self.schema(Table::Points)))?;
        let series = scan(Table::Series, self.live(Table::Series)?)?;
        let runs = scan(Table::Runs, self.live(Table::Runs)?)?;
        let plan = join(points.alias("p")?, series.alias("s")?, ("p", "s"), "series")?;
        let plan = join(plan, runs.alias("r")?, ("s", "r"), "run")?;
        let columns = [("r", "hash"), ("s", "name"), ("s", "context")].into_iter();
        let columns = columns.chain(["step", "substep", "epoch", "time", "value"].map(|name| ("p", name)));
        view(plan.project(columns.map(|(table, name)| of(table, name).alias(name)))?)
    }
}

/// A scan whose name in plans and in unparsed SQL is that of the stored table.
pub(super) fn scan(table: Table, provider: Arc<dyn TableProvider>) -> Result<LogicalPlanBuilder> {
    LogicalPlanBuilder::scan(TableReference::partial(RAW, table.name()), provider_as_source(provider), None)
}

/// A column by its exact name.
pub(super) fn of(table: &str, name: &str) -> Expr {
    Expr::Column(Column::new(Some(table), name))
}

fn join(
    left: LogicalPlanBuilder,
    right: LogicalPlanBuilder,
    (left_name, right_name): (&str, &str),
    key: &str,
) -> Result<LogicalPlanBuilder> {
    let keys = (vec![Column::new(Some(left_name), key)], vec![Column::new(Some(right_name), key)]);
    left.join(right.build()?, JoinType::Inner, keys, None)
}

fn view(plan: LogicalPlanBuilder) -> Result<Arc<dyn TableProvider>> {
    Ok(Arc::new(ViewTable::new(plan.build()?, None)))
}
