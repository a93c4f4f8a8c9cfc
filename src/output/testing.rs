//! Batches with everything that is awkward to write, and encoders into memory.

use crate::{EncodeOptions, Format, JSON_KEY, encoder};
use arrow::array::{
    ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

pub(crate) fn text(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

pub(crate) fn ints(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

pub(crate) fn floats(values: &[Option<f64>]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

pub(crate) fn times(microseconds: &[Option<i64>]) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(microseconds.to_vec()).with_timezone("UTC"))
}

pub(crate) fn lists(values: &[Option<Vec<Option<i64>>>]) -> ArrayRef {
    Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(values.iter().cloned()))
}

pub(crate) fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<_> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

/// One column of JSON text.
pub(crate) fn json_column(name: &str, values: &[Option<&str>]) -> RecordBatch {
    let field = Field::new(name, DataType::Utf8, true).with_metadata([(JSON_KEY.into(), "true".into())].into());
    RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![text(values)]).unwrap()
}

/// Three rows with special characters, nulls, non-numbers, lists and times.
pub(crate) fn awkward() -> RecordBatch {
    batch(vec![
        ("text", text(&[Some("tab\there, \"quoted\" \\ back\nline | pipe"), None, Some("ünï 漢字 🦀")])),
        ("n", ints(&[Some(i64::MIN), None, Some(i64::MAX)])),
        ("x", floats(&[Some(0.1), None, Some(f64::INFINITY)])),
        ("list", lists(&[Some(vec![Some(1), None]), None, Some(vec![])])),
        ("time", times(&[Some(0), None, Some(1_700_000_000_123_456)])),
    ])
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn bytes(format: Format, options: &EncodeOptions, schema: SchemaRef, batches: &[RecordBatch]) -> Vec<u8> {
    let memory = Memory::default();
    let mut encoder = encoder(format, schema, options, Box::new(memory.clone())).unwrap();
    for batch in batches {
        encoder.write(batch).unwrap();
    }
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(encoder.finish().unwrap(), rows as u64);
    memory.0.lock().unwrap().clone()
}

pub(crate) fn encode_with(
    format: Format,
    options: &EncodeOptions,
    schema: SchemaRef,
    batches: &[RecordBatch],
) -> String {
    String::from_utf8(bytes(format, options, schema, batches)).unwrap()
}

pub(crate) fn encode(format: Format, batches: &[RecordBatch]) -> String {
    let schema = batches.first().map_or_else(|| awkward().schema(), RecordBatch::schema);
    encode_with(format, &EncodeOptions::default(), schema, batches)
}

pub(crate) fn encode_empty(format: Format, schema: &SchemaRef) -> String {
    encode_with(format, &EncodeOptions::default(), schema.clone(), &[])
}
