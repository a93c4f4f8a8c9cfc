//! The table `attributes`: one row per node of the parameter documents.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::SchemaRef;

use super::order::{AttributePlace, Ordered};
use super::{BATCH_ROWS, Batches, Target};
use crate::catalog::tables::Table;
use crate::error::Error;
use crate::ingest::block::{Block, Value};
use crate::storage::segment::SegmentId;

/// The name of a value's kind in the columns `kind`.
pub(super) fn kind_name(value: &Value) -> &'static str {
    value.kind().name()
}

/// The batches of the table.
pub(super) fn batches<'a>(ordered: &'a Ordered<'a>, target: &'a Target) -> Result<Batches<'a>, Error> {
    let schema = Table::Attributes.schema();
    let segment = target.segment;
    Ok(Box::new(
        ordered.attributes.chunks(BATCH_ROWS).map(move |rows| batch(ordered, rows, segment, Arc::clone(&schema))),
    ))
}

fn batch(
    ordered: &Ordered<'_>,
    rows: &[AttributePlace],
    segment: SegmentId,
    schema: SchemaRef,
) -> Result<RecordBatch, Error> {
    let mut columns = Columns::default();
    for row in rows {
        let Some((block, value)) = ordered.attribute(row.place) else { continue };
        columns.path.append_value(ordered.paths.get(row.path()).copied().unwrap_or_default());
        columns.run.append_value(segment.ordinal(row.run()));
        columns.kind.append_value(kind_name(&value));
        columns.push(block, value);
    }
    Ok(RecordBatch::try_new(schema, columns.finish())?)
}

/// A builder that knows its time zone.
struct TimeBuilder(TimestampMicrosecondBuilder);

impl Default for TimeBuilder {
    fn default() -> Self {
        TimeBuilder(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
    }
}

/// The builders of the columns, in the order of the schema.
#[derive(Default)]
struct Columns {
    path: StringBuilder,
    run: Int64Builder,
    kind: StringBuilder,
    int: Int64Builder,
    float: Float64Builder,
    text: StringBuilder,
    bool: BooleanBuilder,
    time: TimeBuilder,
    ints: ListBuilder<Int64Builder>,
    floats: ListBuilder<Float64Builder>,
    texts: ListBuilder<StringBuilder>,
    json: StringBuilder,
}

impl Columns {
    /// Sets the one column of the value, all others are null.
    fn push(&mut self, block: &Block, value: Value) {
        let mut int = None;
        let mut float = None;
        let mut text = None;
        let mut bool = None;
        let mut time = None;
        let mut json = None;
        let (mut ints, mut floats, mut texts) = (false, false, false);
        match value {
            Value::Null | Value::Dict => {}
            Value::Bool(value) => bool = Some(value),
            Value::Int(value) => int = Some(value),
            Value::BigInt(span) => json = Some(block.text(span)),
            Value::Float(value) => float = Some(value),
            Value::Text(span) => text = Some(block.text(span)),
            Value::Ints(rows) => {
                ints = true;
                self.ints.values().append_slice(block.ints.get(rows.range()).unwrap_or_default());
            }
            Value::Floats(rows) => {
                floats = true;
                self.floats.values().append_slice(block.floats.get(rows.range()).unwrap_or_default());
            }
            Value::Time(value) => time = Some(value),
            Value::Named(_, span) => text = span.map(|span| block.text(span)),
            Value::Texts(rows) | Value::Set(rows) => {
                texts = true;
                for span in block.spans.get(rows.range()).unwrap_or_default() {
                    self.texts.values().append_value(block.text(*span));
                }
            }
            Value::Json(span) => json = Some(block.json_text(span)),
        }
        self.int.append_option(int);
        self.float.append_option(float);
        self.text.append_option(text);
        self.bool.append_option(bool);
        self.time.0.append_option(time);
        self.ints.append(ints);
        self.floats.append(floats);
        self.texts.append(texts);
        self.json.append_option(json);
    }

    fn finish(mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.path.finish()),
            Arc::new(self.run.finish()),
            Arc::new(self.kind.finish()),
            Arc::new(self.int.finish()),
            Arc::new(self.float.finish()),
            Arc::new(self.text.finish()),
            Arc::new(self.bool.finish()),
            Arc::new(self.time.0.finish()),
            Arc::new(self.ints.finish()),
            Arc::new(self.floats.finish()),
            Arc::new(self.texts.finish()),
            Arc::new(self.json.finish()),
        ]
    }
}
