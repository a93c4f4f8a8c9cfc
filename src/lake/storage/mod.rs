//! Bytes: where a lake is, its segments, its Parquet files.

pub(crate) mod anywhere;
pub(crate) mod narrow;
pub(crate) mod reader;
pub(crate) mod scan;
pub mod segment;
pub mod stats;
pub mod url;
pub mod writer;
