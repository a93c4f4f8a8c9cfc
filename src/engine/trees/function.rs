//! `hydra('web', 'path', 'ops', 'rops')`: the rows of a walk as a table of SQL. The last two may be missing.

use super::answer::{memory_of, walk_of, walked};
use crate::Error;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::Expr;
use lakeql_lake::Snapshot;
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::dialects::{Dialect, Settings, hydra::Hydra};
use lakeql_query::source::Source;
use std::fmt;
use std::sync::Arc;
use tokio::runtime::{Handle, RuntimeFlavor};

/// The name of the function.
pub(super) const NAME: &str = "hydra";

/// The table function `hydra`.
pub(super) struct HydraFunction {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) env: Arc<RuntimeEnv>,
}

impl fmt::Debug for HydraFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HydraFunction")
    }
}

impl TableFunctionImpl for HydraFunction {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let failed = |error: Error| DataFusionError::External(Box::new(error));
        let texts: Option<Vec<_>> = args.exprs().iter().map(text).collect();
        let texts = texts.unwrap_or_default();
        let (tree, path, ops, worker_ops) = match texts.as_slice() {
            [tree, path] => (tree, path, "", ""),
            [tree, path, ops] => (tree, path, ops.as_str(), ""),
            [tree, path, ops, worker_ops] => (tree, path, ops.as_str(), worker_ops.as_str()),
            _ => return Err(failed(usage().into())),
        };
        let settings = Settings {
            trees: vec![tree.clone()],
            ops: ops.to_owned(),
            worker_ops: worker_ops.to_owned(),
            ..Settings::default()
        };
        let within = |problem: Diagnostic| match problem.labels.first().map(|label| label.span) {
            // A place in the path is none in the SQL text.
            Some(span) if problem.within.is_none() => problem.in_argument("the path", path, span),
            _ => problem,
        };
        let query = Hydra.lower(&Source::query(path.as_str()), &settings);
        let query = query.map_err(|found| failed(Error::Query(found.into_iter().map(within).collect())))?;
        let (walk, _) = walk_of(&query).map_err(failed)?;
        // What columns there are only the walk tells, and planning does not wait.
        let table = match Handle::try_current() {
            Ok(handle) if handle.runtime_flavor() == RuntimeFlavor::MultiThread => {
                tokio::task::block_in_place(|| handle.block_on(walked(&self.snapshot, walk, memory_of(&self.env))))
            }
            _ => return Err(DataFusionError::NotImplemented("hydra() on a runtime of one thread".to_owned())),
        };
        Ok(Arc::new(table.map_err(failed)?))
    }
}

fn usage() -> Diagnostic {
    Diagnostic::error(Kind::Type, "hydra takes a tree, a path and perhaps ops, all of them texts")
        .hint("texts have single quotes: hydra('web', '+country:+hits', 'sort=1:n:d')")
}

/// The text of an argument.
fn text(argument: &Expr) -> Option<String> {
    match argument {
        Expr::Literal(
            ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) | ScalarValue::LargeUtf8(Some(text)),
            _,
        ) => Some(text.clone()),
        _ => None,
    }
}
