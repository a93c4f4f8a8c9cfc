//! Walks over trees of the lake.
//!
//! | file | what it does |
//! |---|---|
//! | `walking.rs` | a walk whose trees are open: gives rows as they come, and tells what it has read |
//! | `batch.rs` | rows as columns |
//! | `tables.rs` | nodes as tables for SQL |
//! | `function.rs` | `hydra('web', 'path', 'ops')` in SQL |
//! | `answer.rs` | all rows as a table that is planned like any other |
//!
//! What a path and ops mean is written in the crate `lakeql-rows`; how trees are stored, in `lakeql_lake::trees`.

mod answer;
mod batch;
mod function;
mod tables;
mod walking;

pub use batch::columns_of;
pub use walking::Walking;

pub(crate) use answer::{WalkExec, resolve, walk_of};
pub(crate) use tables::register;
