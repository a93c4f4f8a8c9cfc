//! SQL over the lake, in DataFusion's own dialect with the friendly additions of DuckDB (lambdas, `from` first).
//!
//! | name | one row is |
//! |---|---|
//! | `runs` | a run: its own columns, then the typed columns of frequent parameters such as `"hparams.lr:float"` |
//! | `attributes` | one parameter of a run; `run` leads to `runs.run` |
//! | `series` | a sequence with its summaries; `run` leads to `runs.run` |
//! | `metrics` | a sequence of kind metric together with its run |
//! | `points` | a point of a metric with the run's hash and the metric's name and context |
//! | `runs_wide(path…)` | a run with its parameters as columns that have the name of their path: [`wide`] |
//! | `files`, `file_attributes`, `members`, `provenance`, `datasets`, `dataset_attributes`, `named_queries` | the file catalogue, if there is one |
//! | `raw.…` | the six tables of the lake as they are stored, without the rows of runs that have been replaced |
//!
//! Plain files (`--from`) are one table each, called `data` where they have no other name; there is nothing else then.
//!
//! Queries only read: everything that would define, change or load something is refused, and so is any file outside of
//! the lake or of what `--from` names.

mod check;
mod deep;
mod diagnose;
mod tables;
mod text;
mod wide;

use crate::{Error, Result};
use datafusion::common::TableReference;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::dialect::DuckDbDialect;
use lakeql_lake::Snapshot;
use lakeql_lake::catalog::paths::PathCatalog;
use lakeql_lake::plain::PlainTable;
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::source::Source;
use std::sync::Arc;
use tables::Tables;
use text::SqlText;

pub(crate) use deep::deep;

/// Makes the tables, views and table functions of a version of the lake known to the engine.
///
/// # Errors
/// The engine refuses a table.
pub fn register(ctx: &SessionContext, snapshot: &Arc<Snapshot>, store_url: &ObjectStoreUrl) -> Result<()> {
    let tables = Tables::new(Arc::clone(snapshot), store_url.clone());
    tables.register(ctx)?;
    ctx.register_udtf(wide::NAME, Arc::new(wide::RunsWideFunction::new(tables)));
    // What is suggested for misspelt names.
    ctx.state_ref().write().config_mut().set_extension(Arc::clone(snapshot.paths()));
    Ok(())
}

/// Makes plain files known to the engine, each under its name.
///
/// # Errors
/// The engine refuses a table.
pub fn register_plain(ctx: &SessionContext, tables: &[Arc<PlainTable>]) -> Result<()> {
    for table in tables {
        ctx.register_table(TableReference::bare(table.name()), Arc::clone(table) as _)?;
    }
    Ok(())
}

/// Plans one SQL query. The names in it are those that [`register`] has made known.
///
/// # Errors
/// What is wrong with the query ([`Error::Query`]), with places in its text.
pub async fn plan_sql(ctx: &SessionContext, source: &Source) -> Result<LogicalPlan> {
    deep(plan(ctx, source)).await
}

async fn plan(ctx: &SessionContext, source: &Source) -> Result<LogicalPlan> {
    if source.text.len() > Source::MAX_BYTES {
        let message = format!("the query has {} bytes, more than {}", source.text.len(), Source::MAX_BYTES);
        return Err(Diagnostic::error(Kind::Limit, message).into());
    }
    let text = SqlText::new(&source.text)?;
    check::before_parsing(&text)?;
    let state = ctx.state();
    let diagnose = |error| {
        let paths = state.config().get_extension::<PathCatalog>();
        diagnose::Diagnoser { text: &text, state: &state, paths: paths.as_deref() }.diagnose(error)
    };
    let statement = parse(&text, state.config_options().sql_parser.recursion_limit.get()).map_err(diagnose)?;
    check::statement(&statement, &text)?;
    let plan = state.statement_to_plan(statement).await.map_err(diagnose)?;
    check::plan(&plan, &text)?;
    // Wrong types are found by the analyzer; here their places in the text are still known.
    state.analyzer().execute_and_check(plan.clone(), state.config_options(), |_, _| {}).map_err(diagnose)?;
    Ok(plan)
}

/// The one statement of a text.
fn parse(text: &SqlText<'_>, depth: usize) -> datafusion::error::Result<Statement> {
    let dialect = DuckDbDialect {};
    let mut parser = DFParserBuilder::new(text.text()).with_dialect(&dialect).with_recursion_limit(depth).build()?;
    let mut statements = parser.parse_statements()?;
    let external = |diagnostic| datafusion::error::DataFusionError::External(Box::new(Error::from(diagnostic)));
    match (statements.pop_front(), statements.len()) {
        (Some(statement), 0) => Ok(statement),
        (None, _) => Err(external(text.empty())),
        (Some(_), _) => Err(external(text.second_statement())),
    }
}

#[cfg(test)]
mod tests;
