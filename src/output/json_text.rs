//! Text columns that hold JSON: embedded as values wherever JSON is written.

use arrow::array::Array;
use arrow::datatypes::FieldRef;
use arrow::error::ArrowError;
use arrow::json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::value::RawValue;
use std::fmt::Write;

/// Key of the field metadata that says, with the value `true`, that a text column holds JSON.
pub const JSON_KEY: &str = "lakeql.json";

/// Takes over the columns that are marked with [`JSON_KEY`].
#[derive(Debug)]
pub(crate) struct JsonText;

impl EncoderFactory for JsonText {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        if field.metadata().get(JSON_KEY).is_none_or(|value| value != "true") {
            return Ok(None);
        }
        let formatter = ArrayFormatter::try_new(array, &FormatOptions::new())?;
        let encoder = Embedded { formatter, text: String::new() };
        Ok(Some(NullableEncoder::new(Box::new(encoder), array.logical_nulls())))
    }
}

struct Embedded<'a> {
    formatter: ArrayFormatter<'a>,
    text: String,
}

impl Encoder for Embedded<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        self.text.clear();
        let shown = write!(self.text, "{}", self.formatter.value(row));
        if shown.is_ok() && serde_json::from_str::<&RawValue>(&self.text).is_ok() {
            // Inside JSON strings line breaks are escaped, so these are between tokens: one row stays one line.
            out.extend(self.text.trim().bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
        } else {
            // Whatever the column promised: the output stays valid JSON.
            out.extend_from_slice(serde_json::Value::String(self.text.clone()).to_string().as_bytes());
        }
    }
}
