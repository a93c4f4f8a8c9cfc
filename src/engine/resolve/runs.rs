//! Runs by their ordinal, hash or name: for verbs about some runs instead of a query.

use super::Resolver;
use super::needs::Needs;
use crate::Result;
use datafusion::common::Column;
use datafusion::functions::string::expr_fn::starts_with;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use lakeql_lake::Table;
use lakeql_query::model::Relation;

/// Columns of runs that are no properties: the ordinal, the fingerprint, and the params, which come last.
const NO_PROPERTIES: [&str; 3] = ["run", "digest", "params"];

/// What is told of a sequence, as far as the lake has these columns.
const SEQUENCE_COLUMNS: [&str; 22] = [
    "run",
    "kind",
    "name",
    "context",
    "context_key",
    "dtype",
    "n",
    "first_step",
    "last_step",
    "first",
    "first_int",
    "last",
    "last_int",
    "last_json",
    "last_text",
    "min",
    "min_int",
    "max",
    "max_int",
    "mean",
    "n_nan",
    "record_max_length",
];

impl Resolver<'_> {
    /// Ordinal, hash and name of the runs that one of these texts may stand for: their hash, its beginning, or their
    /// name. All runs if there are no texts.
    pub(crate) fn run_names(&self, texts: &[&str]) -> Result<LogicalPlan> {
        let mut needs = Needs::new(self.snapshot, self.store, Relation::Runs);
        let (run, hash, name) = (needs.run("run"), needs.run("hash"), needs.run("name"));
        let mut plan = needs.plan(false)?;
        let meant = texts.iter().map(|text| starts_with(hash.clone(), lit(*text)).or(name.clone().eq(lit(*text))));
        if let Some(filter) = meant.reduce(Expr::or) {
            plan = plan.filter(filter)?;
        }
        let order = [needs.run("hash").sort(true, false), needs.run("run").sort(true, false)];
        Ok(plan.sort(order)?.project([run, hash, name])?.build()?)
    }

    /// The properties of runs, in the order in which the table has them, between their ordinal and their params.
    pub(crate) fn run_documents(&self, runs: &[i64]) -> Result<LogicalPlan> {
        let mut needs = Needs::new(self.snapshot, self.store, Relation::Runs);
        let schema = &self.snapshot.table(Table::Runs).table.schema();
        let mut columns = vec![needs.run("run")];
        for field in schema.fields().iter().filter(|field| !NO_PROPERTIES.contains(&field.name().as_str())) {
            columns.push(match field.name().as_str() {
                // A run that is still going on has lasted until now.
                "duration" => needs.duration()?.alias("duration"),
                name => needs.run(name),
            });
        }
        columns.push(needs.run("params"));
        let filter = one_of(&needs.run("run"), runs);
        Ok(needs.plan(false)?.filter(filter)?.project(columns)?.build()?)
    }

    /// The sequences of runs with their summaries.
    pub(crate) fn sequences_of_runs(&self, runs: &[i64]) -> Result<LogicalPlan> {
        let needs = Needs::new(self.snapshot, self.store, Relation::Runs);
        let schema = &self.snapshot.table(Table::Series).schema;
        let known: Vec<&str> =
            SEQUENCE_COLUMNS.into_iter().filter(|name| schema.field_with_name(name).is_ok()).collect();
        let column = |name: &str| Expr::Column(Column::new(Some("s"), name));
        let plan = needs.scan("s", Table::Series, &known, false)?.filter(one_of(&column("run"), runs))?;
        let order = ["run", "kind", "name", "context_key"].map(|name| column(name).sort(true, false));
        Ok(plan.sort(order)?.project(known.into_iter().map(column))?.build()?)
    }
}

fn one_of(column: &Expr, runs: &[i64]) -> Expr {
    column.clone().in_list(runs.iter().map(|run| lit(*run)).collect(), false)
}
