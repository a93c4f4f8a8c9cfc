//! Tables of the file catalogue whose columns stay decoded in memory between the queries of a session.
//!
//! A catalogue is asked for the same few columns again and again, and most of them have few different values: decoding is
//! what a query would spend its time on. So row groups of columns are kept as they are needed ([`cache`]), each in the
//! form in which it is tested fastest ([`block`]): a column of few values as one small number a row, so that any
//! condition on it, equality, regular expression or a test of a list, is computed once for each different value.
//!
//! | file | what it does |
//! |---|---|
//! | `block.rs` | one column of one row group in memory |
//! | `cache.rs` | all blocks of a session, the least used leave when there are too many |
//! | `source.rs` | Parquet to blocks |
//! | `predicate.rs` | conditions over blocks |
//! | `ordinals.rs` | sets of row ordinals as bitmaps |
//! | `parents.rs` | ids of parents to ordinals |
//! | `exec.rs` | the operator: row groups, conditions, sets, then the columns of what is left |
//! | `join.rs` | semi- and anti-joins become sets of the scan that they restrict |
//! | `table.rs` | the table as DataFusion sees it |

mod block;
mod cache;
mod exec;
mod join;
mod ordinals;
mod parents;
mod predicate;
mod source;
mod table;

pub use cache::ColumnCache;
pub use exec::{ResidentReport, ResidentScanExec};
pub use join::OrdinalJoins;
pub use table::{PARENT_FILE, ResidentTable};
