//! Batches to bytes: one encoder, one file.
//!
//! [`encoder`] makes the encoder of a [`Format`]; batches go in by [`Encoder::write`], and [`Encoder::finish`] completes
//! the output, also of an empty result, which keeps its shape: a header in csv and tsv, `[]` in json, a schema in arrow
//! and parquet.
//!
//! | format | what it is | null | nan, ±inf | lists and structs |
//! |---|---|---|---|---|
//! | `table` | boxes for people, fitted to the width | `null` | `NaN`, `inf` | JSON text |
//! | `json` | one array, one object a line | `null` | `null`: JSON has no such numbers | values |
//! | `jsonl` | one object a line | `null` | `null` | values |
//! | `csv` | RFC 4180 with a header | empty | `NaN`, `inf` | JSON text |
//! | `tsv` | tabs; `\t \n \r \\` escaped in values | empty | `NaN`, `inf` | JSON text |
//! | `markdown` | a pipe table; `\|` and line breaks escaped | empty | `NaN`, `inf` | JSON text |
//! | `arrow` | Arrow IPC stream | kept | kept | kept |
//! | `parquet` | one Parquet file, zstd | kept | kept | kept |
//!
//! Times are ISO 8601, those with a zone end in `Z` when the zone is UTC.
//!
//! A text column whose field carries the metadata [`JSON_KEY`]` = "true"` holds JSON: json and jsonl embed it as a value,
//! the other formats show the text.

mod arrow_stream;
mod cells;
mod csv;
mod error;
mod format;
mod json;
mod json_text;
mod markdown;
mod parquet_file;
pub mod plot;
mod pretty;
mod sink;
mod table;
mod tsv;

#[cfg(test)]
mod testing;

pub use error::Error;
pub use format::{Format, UnknownFormat};
pub use json_text::JSON_KEY;
pub use pretty::pretty_json;
pub use table::terminal_width;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use std::io::Write;

/// What the encoders can be told; every format takes what concerns it.
#[derive(Clone, Debug, Default)]
pub struct EncodeOptions {
    /// Columns of the terminal that a table is fitted to; `None`: as wide as its contents.
    pub width: Option<usize>,
    /// Rows that a table shows; the others are counted only. `None`: all.
    pub max_rows: Option<usize>,
    /// ANSI escapes in tables.
    pub colour: bool,
    /// Rows have no column names: in json and jsonl a row is an array.
    pub rows_as_arrays: bool,
}

/// Takes the batches of one result, one after the other.
pub trait Encoder: Send {
    /// Takes the next batch, which has the schema that the encoder was made for.
    ///
    /// # Errors
    /// When the sink does not take the bytes or a value has no representation in the format.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error>;

    /// Writes what is left and says how many rows the result had.
    ///
    /// # Errors
    /// When the sink does not take the bytes.
    fn finish(self: Box<Self>) -> Result<u64, Error>;
}

/// Makes the encoder of a format for results with this schema.
///
/// # Errors
/// When the sink does not take the first bytes or the format has no place for a type of the schema.
pub fn encoder(
    format: Format,
    schema: SchemaRef,
    options: &EncodeOptions,
    sink: Box<dyn Write + Send>,
) -> Result<Box<dyn Encoder>, Error> {
    let (sink, pipe) = sink::Sink::new(sink);
    let made: Result<Box<dyn Encoder>, Error> = (|| {
        Ok(match format {
            Format::Table => Box::new(table::Table::new(schema, options.clone(), sink)) as Box<dyn Encoder>,
            Format::Json => Box::new(json::Json::array(options, sink)),
            Format::Jsonl => Box::new(json::Json::lines(options, sink)),
            Format::Csv => Box::new(csv::Csv::new(&schema, sink)),
            Format::Tsv => Box::new(tsv::Tsv::new(&schema, sink)?),
            Format::Markdown => Box::new(markdown::Markdown::new(&schema, sink)?),
            Format::Arrow => Box::new(arrow_stream::ArrowStream::new(&schema, sink)?),
            Format::Parquet => Box::new(parquet_file::ParquetFile::new(schema, sink)?),
        })
    })();
    match made {
        Ok(inner) => Ok(Box::new(sink::PipeAware { inner, pipe })),
        Err(error) => Err(pipe.explain(error)),
    }
}
