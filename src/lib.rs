#![doc = include_str!("../ARCHITECTURE.md")]

pub use lakeql_engine::runs;
pub use lakeql_engine::{Account, ChunkOptions, Chunks, KeyAccount, Turn};
pub use lakeql_engine::{BUILT_IN_FILTERS, FilterProgram, FilterPrograms};
pub use lakeql_engine::{Bench, Error, Explain, PlainSource, Result, Results, Session, SessionBuilder, Shape, Stage};
pub use lakeql_engine::{By, PointsOptions, Sampling, Statistic, Step, StepRange};
pub use lakeql_lake::{AsOf, Lake, Snapshot, Table};
pub use lakeql_mixtures as mixtures;
pub use lakeql_output as output;
pub use lakeql_query::dialects::{self, Dialect, Settings};
pub use lakeql_query::{diagnostic, source};
