//! Where the data is: storage, catalogue, import.
//!
//! A lake is a folder or an object-store prefix with one Delta table per sub-folder. [`Lake`] opens it, [`Snapshot`] is
//! one version of it held in memory, [`ingest`] fills it. Everything that touches bytes goes through `object_store`, so
//! a local folder, a bucket and the in-memory store of the tests are the same thing.
//!
//! | folder | what is in it |
//! |---|---|
//! | [`storage`] | URLs, Parquet files, segments: bytes without meaning |
//! | [`catalog`] | tables, schemas, attribute paths, versions: what the bytes mean |
//! | [`maintenance`] | `compact` and `vacuum` |
//! | [`ingest`] | one importer per source |
//! | [`trees`] | nodes of trees, read a few pages at a time |
//! | [`plain`] | Parquet files that are in no lake, asked as they are |
//! | [`resident`] | tables whose columns stay decoded in memory |

pub mod catalog;
mod error;
pub mod ingest;
pub mod maintenance;
pub mod plain;
pub mod resident;
pub mod storage;
pub mod trees;

pub use catalog::lake::{AsOf, Lake};
pub use catalog::snapshot::Snapshot;
pub use catalog::tables::Table;
pub use error::{Error, Result, RowPlace};
