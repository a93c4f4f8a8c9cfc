//! Query to batches: resolve, plan, run, explain.
//!
//! [`Session::query`] is the path of a query in a few lines, and the place to start reading.

mod catalogue;
mod config;
mod error;
mod evaluate;
pub mod explain;
mod export;
mod plain;
mod points;
mod resolve;
mod results;
pub mod runs;
mod samples;
mod session;
mod shape;
pub mod sql;
mod trees;

pub use catalogue::{BUILT_IN_FILTERS, FilterProgram, FilterPrograms, SavedText};
pub use error::{Error, Result};
pub use explain::{Explain, Stage};
pub use plain::PlainSource;
pub use points::{By, PointsOptions, Sampling, Statistic, Step, StepRange};
pub use results::Results;
pub use samples::{ChunkOptions, Chunks};
pub use session::{Bench, Session, SessionBuilder};
pub use shape::Shape;
pub use trees::{Walking, columns_of};
