//! Samples of training data: their properties become runs of consecutive samples with equal properties.
//!
//! | file | what it does |
//! |---|---|
//! | `source.rs` | which data sets and files there are: a catalogue, a folder, a pattern |
//! | `schema.rs`, `readers.rs` | properties as files describe them, as they are found in the data, and of known corpora |
//! | `packed.rs` | packed files as bytes |
//! | `json.rs`, `parquet.rs`, `tar.rs` | one file to columns of properties |
//! | `apart.rs` | which properties are kept by themselves |
//! | `runs.rs`, `blocks.rs` | columns of properties to runs, samples to blocks |
//! | `transfer.rs` | these to the tables of the lake |
//! | `write.rs` | data sets to a commit |
//! | `added.rs` | properties for samples that are there |
//!
//! An import is all or nothing. Nothing but properties is read, as far as the format allows.

mod added;
mod apart;
pub(crate) mod blocks;
mod json;
pub(crate) mod packed;
pub(crate) mod parquet;
mod readers;
mod runs;
mod schema;
mod source;
pub(crate) mod tar;
mod transfer;
mod write;

pub use added::add_properties;
pub use readers::KnownLayout;
pub use schema::{SampleSchema, SchemaProperty};
pub use source::{SampleSource, discover, source_of_catalog, source_of_files};
pub use write::{SampleReport, add_samples, import_samples, remove_dataset};

use std::path::Path;

use arrow::array::RecordBatch;

use crate::error::{Error, Result, RowPlace};

/// Rows that are looked at together.
const BATCH_ROWS: usize = 8_192;

/// Something wrong in a file; rows count from 0, and are lines of text or rows of a table.
fn fault(file: &str, row: Option<RowPlace>, field: Option<&str>, reason: impl Into<String>) -> Error {
    Error::Data { file: file.to_owned(), row, field: field.map(str::to_owned), reason: reason.into() }
}

/// Reads a file of any kind and hands its properties (a column for each of the schema) and its blocks on, until one of the
/// takers says that it is enough.
fn read_columns(
    path: &Path,
    name: &str,
    schema: &SampleSchema,
    block: &mut dyn FnMut(blocks::Block) -> bool,
    send: &mut dyn FnMut(RecordBatch) -> Result<bool>,
) -> Result<()> {
    if parquet::is_parquet(path) {
        parquet::read(path, name, schema, block, send)
    } else if tar::is_tar(path) {
        tar::read(path, name, schema, block, send)
    } else {
        json::read(path, name, schema, block, send)
    }
}
