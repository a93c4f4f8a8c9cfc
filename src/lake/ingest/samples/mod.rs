//! Samples of training data: their properties become runs of consecutive samples with equal properties.
//!
//! | file | what it does |
//! |---|---|
//! | `source.rs` | which data sets and files there are: a catalogue, a folder, a pattern |
//! | `schema.rs` | properties as files describe them, and finding them in the data |
//! | `json.rs`, `parquet.rs` | one file to columns of properties |
//! | `runs.rs` | columns of properties to runs |
//! | `write.rs` | runs to the lake |
//!
//! An import is all or nothing. Nothing but properties is read, as far as the format allows.

mod json;
mod parquet;
mod runs;
mod schema;
mod source;
mod write;

pub use schema::{SampleSchema, SchemaProperty};
pub use source::{SampleSource, discover, source_of_catalog, source_of_files};
pub use write::{SampleReport, import_samples, remove_dataset};

use crate::error::{Error, RowPlace};

/// Rows that are looked at together.
const BATCH_ROWS: usize = 8_192;

/// Something wrong in a file; rows count from 0, and are lines of text or rows of a table.
fn fault(file: &str, row: Option<RowPlace>, field: Option<&str>, reason: impl Into<String>) -> Error {
    Error::Data { file: file.to_owned(), row, field: field.map(str::to_owned), reason: reason.into() }
}
