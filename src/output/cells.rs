//! The values of a batch as text, for the formats that are text.

use crate::Error;
use crate::json_text::JsonText;
use arrow::array::{Array, ArrayRef, RecordBatch, StringBuilder};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::writer::{EncoderOptions, NullableEncoder, make_encoder};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use std::fmt::Write;
use std::sync::Arc;

/// How nested values become JSON text: with explicit nulls, embedded JSON text, as in json and jsonl.
pub(crate) fn nested_options() -> EncoderOptions {
    EncoderOptions::default().with_explicit_nulls(true).with_encoder_factory(Arc::new(JsonText))
}

/// Writers of the cells of one batch, one a column.
pub(crate) struct Cells<'a>(Vec<Column<'a>>);

struct Column<'a> {
    nulls: Option<NullBuffer>,
    writer: Writer<'a>,
}

enum Writer<'a> {
    Plain(ArrayFormatter<'a>),
    Nested(NullableEncoder<'a>),
}

impl<'a> Cells<'a> {
    /// `options` come from [`nested_options`]; they are an argument only because the cells borrow them.
    pub(crate) fn new(batch: &'a RecordBatch, options: &'a EncoderOptions) -> Result<Self, ArrowError> {
        let fields = batch.schema_ref().fields();
        let columns = fields.iter().zip(batch.columns()).map(|(field, array)| Column::new(field, array, options));
        Ok(Self(columns.collect::<Result<_, _>>()?))
    }

    /// Appends the value; `false`, and nothing appended, when it is null.
    pub(crate) fn write(&mut self, column: usize, row: usize, out: &mut String) -> Result<bool, Error> {
        let Some(column) = self.0.get_mut(column) else { return Ok(false) };
        if column.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(false);
        }
        match &mut column.writer {
            Writer::Plain(formatter) => {
                // Out of range dates and the like come as an error of the formatter.
                write!(out, "{}", formatter.value(row))
                    .map_err(|_| ArrowError::CastError("a value cannot be shown as text".into()))?;
            }
            Writer::Nested(encoder) => {
                let mut bytes = Vec::new();
                encoder.encode(row, &mut bytes);
                out.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
        Ok(true)
    }
}

impl<'a> Column<'a> {
    fn new(field: &'a FieldRef, array: &'a ArrayRef, options: &'a EncoderOptions) -> Result<Self, ArrowError> {
        let writer = if is_nested(array.data_type()) {
            Writer::Nested(make_encoder(field, array.as_ref(), options)?)
        } else {
            Writer::Plain(ArrayFormatter::try_new(array.as_ref(), &FormatOptions::new().with_display_error(false))?)
        };
        Ok(Self { nulls: array.logical_nulls(), writer })
    }
}

/// Lists, structs and maps; a dictionary counts by its values.
fn is_nested(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_nested(values),
        other => other.is_nested() && !matches!(other, DataType::Union(_, _)),
    }
}

/// The schema with text in the place of everything nested.
pub(crate) fn flat_schema(schema: &Schema) -> SchemaRef {
    let flat = |field: &FieldRef| {
        if is_nested(field.data_type()) {
            Arc::new(Field::new(field.name(), DataType::Utf8, true))
        } else {
            field.clone()
        }
    };
    Arc::new(Schema::new(schema.fields().iter().map(flat).collect::<Vec<_>>()))
}

/// The batch with JSON text in the place of everything nested.
pub(crate) fn flatten(batch: &RecordBatch, flat: &SchemaRef) -> Result<RecordBatch, Error> {
    if !batch.columns().iter().any(|column| is_nested(column.data_type())) {
        return Ok(batch.clone());
    }
    let options = nested_options();
    let mut cells = Cells::new(batch, &options)?;
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (index, array) in batch.columns().iter().enumerate() {
        if is_nested(array.data_type()) {
            let mut texts = StringBuilder::new();
            for row in 0..batch.num_rows() {
                let mut text = String::new();
                texts.append_option(cells.write(index, row, &mut text)?.then_some(text));
            }
            columns.push(Arc::new(texts.finish()) as ArrayRef);
        } else {
            columns.push(array.clone());
        }
    }
    Ok(RecordBatch::try_new(flat.clone(), columns)?)
}
