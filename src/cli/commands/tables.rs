//! `tables`: what there is, and how large it is. Read from the log alone.

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use lakeql_lake::catalog::info::TableInfo;
use std::sync::Arc;

pub(super) async fn run(context: &Context) -> Result<(), Failure> {
    let output = Output::open(&context.global)?;
    output.batch(&rows(&context.snapshot().await?.table_infos())?)
}

fn rows(tables: &[TableInfo]) -> Result<RecordBatch, Failure> {
    let counts =
        |of: fn(&TableInfo) -> u64| -> ArrayRef { Arc::new(UInt64Array::from_iter_values(tables.iter().map(of))) };
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(tables.iter().map(|table| table.name)));
    Ok(RecordBatch::try_from_iter([
        ("table", names),
        ("rows", counts(|table| table.rows)),
        ("files", counts(|table| table.files as u64)),
        ("bytes", counts(|table| table.bytes)),
    ])?)
}
