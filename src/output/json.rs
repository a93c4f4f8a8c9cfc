//! `json` and `jsonl`.

use crate::json_text;
use crate::sink::Sink;
use crate::{EncodeOptions, Encoder, Error};
use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::json::StructMode;
use arrow::json::writer::{JsonFormat, LineDelimited, Writer, WriterBuilder};
use std::io::Write;
use std::sync::Arc;

/// Rows as JSON objects, or arrays where rows have no names. Nulls are written; so are NaN and ±inf, as null.
pub(crate) struct Json<F: JsonFormat + Send> {
    writer: Writer<Sink, F>,
    /// What is written in the place of an empty result.
    empty: &'static [u8],
    rows: u64,
}

impl Json<OneArray> {
    /// One array, one row a line.
    pub(crate) fn array(options: &EncodeOptions, sink: Sink) -> Self {
        Self { writer: builder(options).build(sink), empty: b"[]\n", rows: 0 }
    }
}

impl Json<LineDelimited> {
    /// One row a line.
    pub(crate) fn lines(options: &EncodeOptions, sink: Sink) -> Self {
        Self { writer: builder(options).build(sink), empty: b"", rows: 0 }
    }
}

fn builder(options: &EncodeOptions) -> WriterBuilder {
    let mode = if options.rows_as_arrays { StructMode::ListOnly } else { StructMode::ObjectOnly };
    WriterBuilder::new()
        .with_explicit_nulls(true)
        .with_struct_mode(mode)
        .with_encoder_factory(Arc::new(json_text::JsonText))
}

impl<F: JsonFormat + Send> Encoder for Json<F> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.writer.write(batch)?;
        self.writer.get_mut().flush()?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<u64, Error> {
        if self.rows > 0 {
            self.writer.finish()?;
        } else {
            self.writer.get_mut().write_all(self.empty)?;
        }
        self.writer.get_mut().flush()?;
        Ok(self.rows)
    }
}

/// An array with one element a line, so that people and line tools can read it too.
#[derive(Debug, Default)]
pub(crate) struct OneArray;

impl JsonFormat for OneArray {
    fn start_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"[\n")?)
    }

    fn start_row<W: Write>(&self, writer: &mut W, is_first_row: bool) -> Result<(), ArrowError> {
        if is_first_row { Ok(()) } else { Ok(writer.write_all(b",\n")?) }
    }

    fn end_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"\n]\n")?)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{awkward, batch, encode, floats, ints, json_column, lists, text, times};
    use crate::{EncodeOptions, Format};
    use serde_json::{Value, json};

    #[test]
    fn empty_results_are_an_empty_array_and_no_lines() {
        let empty = awkward().slice(0, 0);
        assert_eq!(encode(Format::Json, std::slice::from_ref(&empty)), "[]\n");
        assert_eq!(encode(Format::Json, &[]), "[]\n");
        assert_eq!(encode(Format::Jsonl, &[empty]), "");
    }

    #[test]
    fn an_array_holds_the_rows_of_all_batches() {
        let one = batch(vec![("n", ints(&[Some(1), None]))]);
        let two = batch(vec![("n", ints(&[Some(3)]))]);
        assert_eq!(encode(Format::Json, &[one.clone(), two.clone()]), "[\n{\"n\":1},\n{\"n\":null},\n{\"n\":3}\n]\n");
        assert_eq!(encode(Format::Jsonl, &[one, two]), "{\"n\":1}\n{\"n\":null}\n{\"n\":3}\n");
    }

    #[test]
    fn values_survive_a_json_reader() {
        let rows: Value = serde_json::from_str(&encode(Format::Json, &[awkward()])).unwrap();
        assert_eq!(rows[0]["text"], json!("tab\there, \"quoted\" \\ back\nline | pipe"));
        assert_eq!(rows[1]["text"], Value::Null);
        assert_eq!(rows[2]["text"], json!("ünï 漢字 🦀"));
    }

    #[test]
    fn floats_keep_their_point_and_what_json_lacks_is_null() {
        let column = floats(&[Some(1.0), Some(0.1), Some(f64::NAN), Some(f64::NEG_INFINITY), Some(-0.0)]);
        let text = encode(Format::Jsonl, &[batch(vec![("x", column)])]);
        assert_eq!(text, "{\"x\":1.0}\n{\"x\":0.1}\n{\"x\":null}\n{\"x\":null}\n{\"x\":-0.0}\n");
    }

    #[test]
    fn lists_are_values_and_times_end_in_z() {
        let columns = vec![("l", lists(&[Some(vec![Some(1), None]), None])), ("t", times(&[Some(0), Some(1_500_000)]))];
        let text = encode(Format::Jsonl, &[batch(columns)]);
        assert_eq!(
            text,
            "{\"l\":[1,null],\"t\":\"1970-01-01T00:00:00Z\"}\n{\"l\":null,\"t\":\"1970-01-01T00:00:01.500Z\"}\n"
        );
    }

    #[test]
    fn json_text_is_embedded() {
        let values = [Some("{\"subset\": \"train\",\n \"n\": [1]}"), None, Some("not json"), Some("NaN")];
        let text = encode(Format::Jsonl, &[json_column("context", &values)]);
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            rows,
            [
                json!({"context": {"subset": "train", "n": [1]}}),
                json!({"context": null}),
                json!({"context": "not json"}),
                json!({"context": "NaN"}),
            ]
        );
    }

    #[test]
    fn rows_without_names_are_arrays() {
        let options = EncodeOptions { rows_as_arrays: true, ..Default::default() };
        let rows = batch(vec![("0", text(&[Some("a"), None])), ("1", ints(&[Some(1), Some(2)]))]);
        assert_eq!(
            crate::testing::encode_with(Format::Jsonl, &options, rows.schema(), &[rows]),
            "[\"a\",1]\n[null,2]\n"
        );
    }
}
