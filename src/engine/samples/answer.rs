//! Ranges and counts as a table, so that they are planned, sorted and cut like every other answer.

use super::chosen::Chosen;
use super::names::Names;
use super::ranges::{RangesExec, Work};
use crate::Result;
use crate::resolve::shaped;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::{TableType, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use lakeql_lake::Snapshot;
use lakeql_query::diagnostic::Diagnostic;
use lakeql_query::model::{Query, Selection, Shown, Transform};
use std::sync::Arc;

/// The selection that a query about samples begins with, and its further steps.
pub(super) fn selection(query: &Query) -> Result<(&Selection, &[Transform])> {
    match query.transforms.split_first() {
        Some((Transform::Choose(selection), rest)) => Ok((selection, rest)),
        _ => Err(DataFusionError::Internal("a query about samples that chooses none".to_owned()).into()),
    }
}

/// The plan of a query about samples, and notes about it.
pub(crate) async fn resolve(
    state: &SessionState,
    snapshot: &Arc<Snapshot>,
    store: &ObjectStoreUrl,
    query: &Query,
) -> Result<(LogicalPlan, Vec<Diagnostic>)> {
    let (selection, steps) = selection(query)?;
    let chosen = Chosen::new(snapshot, selection).await?;
    let (work, by) = match &selection.shown {
        Shown::Ranges(by) => (Work::Ranges as fn(_) -> _, by),
        Shown::Counts(by) => (Work::Counts as fn(_) -> _, by),
    };
    let by = chosen.named(by)?;
    let input = chosen.physical(state, snapshot, store, &by).await?;
    let threads = state.config().target_partitions();
    let exec = RangesExec::new(input, work(by), Names::new(&chosen.collection), threads);
    let table = AnswerTable { exec: Arc::new(exec) };
    let plan = LogicalPlanBuilder::scan("samples", provider_as_source(Arc::new(table)), None)?.build()?;
    Ok((shaped(plan, steps)?, chosen.notes))
}

/// What an operator gives, as a table.
#[derive(Debug)]
pub(crate) struct AnswerTable {
    pub(crate) exec: Arc<dyn ExecutionPlan>,
}

#[async_trait::async_trait]
impl TableProvider for AnswerTable {
    fn schema(&self) -> SchemaRef {
        self.exec.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        let exec = Arc::clone(&self.exec);
        let Some(projection) = projection else { return Ok(exec) };
        let schema = exec.schema();
        let columns = projection.iter().map(|index| {
            let name = schema.field(*index).name().clone();
            let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(&name, *index));
            (column, name)
        });
        Ok(Arc::new(ProjectionExec::try_new(columns.collect::<Vec<_>>(), exec)?))
    }
}
