//! Sorted streams become one sorted stream.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, UnboundedMemoryPool};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet};
use datafusion::physical_plan::sorts::streaming_merge::StreamingMergeBuilder;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use crate::catalog::tables::Table;
use crate::error::{Error, Result};

/// Rows of a merged batch.
const BATCH_ROWS: usize = 8_192;

/// Merges streams that are in the order of `table`. All have `schema`.
///
/// Of each stream one batch is in memory, besides the encoded row group it comes from.
pub(super) fn merge(
    table: Table,
    schema: SchemaRef,
    streams: Vec<BoxStream<'static, Result<RecordBatch>>>,
) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    if streams.is_empty() {
        return Ok(futures::stream::empty().boxed());
    }
    let mut keys = Vec::new();
    for key in table.sort_key() {
        let options = SortOptions { descending: key.descending, nulls_first: false };
        keys.push(PhysicalSortExpr::new(col(key.name, &schema)?, options));
    }
    let order = LexOrdering::new(keys).ok_or_else(|| Error::Internal(format!("`{table}` has no order")))?;
    let streams = streams
        .into_iter()
        .map(|stream| {
            let stream = stream.map_err(|error| DataFusionError::External(Box::new(error)));
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&schema), stream)) as SendableRecordBatchStream
        })
        .collect();
    let pool: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
    let merged = StreamingMergeBuilder::new()
        .with_streams(streams)
        .with_schema(schema)
        .with_expressions(&order)
        .with_metrics(BaselineMetrics::new(&ExecutionPlanMetricsSet::new(), 0))
        .with_batch_size(BATCH_ROWS)
        .with_reservation(MemoryConsumer::new("compact").register(&pool))
        // Equal keys come from one segment only; their order there is kept.
        .with_round_robin_tie_breaker(false)
        .build()?;
    Ok(merged.map_err(Error::from).boxed())
}
