//! `history`: the versions of the lake, newest first.

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array};
use arrow::datatypes::{Field, Schema};
use lakeql_lake::Lake;
use lakeql_lake::catalog::history::HistoryEntry;
use lakeql_output::JSON_KEY;
use std::sync::Arc;

pub(super) async fn run(context: &Context) -> Result<(), Failure> {
    let output = Output::open(&context.global)?;
    let lake = Lake::open(&context.global.lake).await?;
    output.batch(&rows(&lake.history(None).await?)?)
}

fn rows(entries: &[HistoryEntry]) -> Result<RecordBatch, Failure> {
    let counts =
        |of: fn(&HistoryEntry) -> u64| -> ArrayRef { Arc::new(UInt64Array::from_iter_values(entries.iter().map(of))) };
    let times = entries.iter().map(|entry| entry.time.timestamp_micros());
    let details = entries.iter().map(|entry| serde_json::Value::Object(entry.details.clone()).to_string());
    let columns: [(&str, ArrayRef); 6] = [
        ("version", counts(|entry| entry.version)),
        ("time", Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))),
        ("operation", Arc::new(StringArray::from_iter_values(entries.iter().map(|entry| &entry.operation)))),
        ("runs_added", counts(|entry| entry.runs_added)),
        ("runs_replaced", counts(|entry| entry.runs_replaced)),
        ("details", Arc::new(StringArray::from_iter_values(details))),
    ];
    let field = |(name, column): &(&str, ArrayRef)| {
        let field = Field::new(*name, column.data_type().clone(), false);
        if *name == "details" { field.with_metadata([(JSON_KEY.into(), "true".into())].into()) } else { field }
    };
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    Ok(RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::DataType;

    #[test]
    fn a_lake_without_versions_has_the_columns() {
        let batch = rows(&[]).unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (0, 6));
        assert!(matches!(batch.schema().field(1).data_type(), DataType::Timestamp(_, Some(_))));
    }
}
