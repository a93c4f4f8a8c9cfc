//! `runs_wide(path…)`: runs with their parameters as columns.
//!
//! A row is a run; its columns are `hash`, `name`, `experiment`, `created_at` and one for each parameter, named by the
//! path itself: `select hash, "hparams.lr" from runs_wide() where "hparams.lr" < 0.1`. Arguments are paths or patterns
//! with `*` (`runs_wide('hparams.*', 'seed')`); without arguments it is the 500 most frequent paths.
//!
//! * A parameter that is an integer everywhere has type BIGINT, integers and floats make DOUBLE, texts VARCHAR, booleans
//!   BOOLEAN; any other mixture, and lists (as JSON), are VARCHAR. Null is NULL, and so are integers beyond 64 bits in a
//!   BIGINT column.
//! * A dict has no column: its members have theirs.
//! * A parameter whose path is the name of one of the four columns of the run has its type after a colon: `"name:text"`.
//!
//! Only the columns that a query uses are read: frequent parameters from the typed columns of `runs`, each rare one by a
//! join with its rows of `attributes`.

mod columns;
mod provider;

use super::tables::Tables;
use crate::Error;
use columns::choose;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Expr;
use lakeql_query::diagnostic::{Diagnostic, Kind};
use provider::RunsWide;
use std::sync::Arc;

/// The name of the function.
pub(super) const NAME: &str = "runs_wide";

/// The table function `runs_wide`.
#[derive(Debug)]
pub(super) struct RunsWideFunction {
    tables: Tables,
}

impl RunsWideFunction {
    pub(super) fn new(tables: Tables) -> Self {
        Self { tables }
    }
}

impl TableFunctionImpl for RunsWideFunction {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let ours = |diagnostic: Diagnostic| DataFusionError::External(Box::new(Error::from(diagnostic)));
        let patterns = args.exprs().iter().map(text).collect::<Result<Vec<_>, _>>().map_err(ours)?;
        let columns = choose(self.tables.snapshot(), &patterns).map_err(ours)?;
        Ok(Arc::new(RunsWide::new(self.tables.clone(), columns)?))
    }
}

/// The text of an argument.
fn text(argument: &Expr) -> Result<String, Diagnostic> {
    match argument {
        Expr::Literal(
            ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) | ScalarValue::LargeUtf8(Some(text)),
            _,
        ) => Ok(text.clone()),
        _ => Err(Diagnostic::error(Kind::Type, format!("{NAME} takes parameter paths as texts"))
            .hint("texts have single quotes: runs_wide('hparams.lr', 'optim.*')")),
    }
}
