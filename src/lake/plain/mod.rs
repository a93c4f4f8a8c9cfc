//! Parquet files that are in no lake: a file, a pattern, a folder or a URL becomes a table as it is.
//!
//! | file | what it does |
//! |---|---|
//! | `locate.rs`, `glob.rs` | finds the files that a text names |
//! | `schema.rs` | one schema for all of them, or what does not fit |
//! | `partitions.rs` | columns in the names of folders |
//! | `footer.rs` | what each file holds, or why it is none |
//! | `table.rs` | all of it as a table for the engine |

mod footer;
mod glob;
mod locate;
mod partitions;
mod schema;
mod table;

pub use locate::Located;
pub use table::PlainTable;

#[cfg(test)]
mod tests;
