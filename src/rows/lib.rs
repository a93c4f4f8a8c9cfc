//! Rows of Hydra: ragged, dynamically typed, in an order that is part of their meaning.
//!
//! | module | what it is |
//! |---|---|
//! | [`cell`], [`row`] | values, rows, the growing list of columns |
//! | [`number`] | arithmetic as the original has it: the first operand decides the type |
//! | [`pipeline`] | ops one behind the other, row by row |
//! | [`ops`] | the ops, one a file |
//! | [`tree`] | trees, the walk of a path over them, building them from events |
//! | [`sketch`] | estimates: distinct values, membership |
//! | [`store`] | rows that wait, in memory or in a temporary file |
//! | [`text`] | rows to and from JSON, CSV and TSV |
//!
//! Nothing here knows an engine or looks at the clock; the only files are temporary ones without a name.

#[cfg(test)]
extern crate self as lakeql_rows;

pub mod cell;
pub mod dates;
pub mod error;
pub mod limits;
pub mod number;
pub mod ops;
pub mod pipeline;
pub mod row;
pub mod sketch;
pub mod store;
pub mod text;
pub mod tree;

pub use cell::Cell;
pub use error::{OpError, Problem};
pub use limits::Limits;
pub use pipeline::{Flow, Options, Pipeline, Sink};
pub use row::{Columns, Row};
pub use store::Spool;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is wrong")]
mod checks;
