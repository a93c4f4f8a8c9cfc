//! The points behind the series that a query matches.
//!
//! This hangs on the neutral query, not on a language: a query about runs means all series of the matched runs, a query
//! about series the matched series. `series` says where the points of each series lie in the points file of its segment
//! (`first_row`, `n`), so no table of points is ever searched or joined:
//!
//! | stage | where |
//! |---|---|
//! | the filter plan gives the matched series with their row ranges | `resolve/points.rs`, `matched.rs` |
//! | rows that are wanted become rows to read, cut into pieces of equal work | `rows.rs`, `pieces.rs` |
//! | the page index leads to the pages of these rows, and only they are read | `scan.rs`, `reading.rs` |
//! | every row gets the run, name and columns of its series by position | `list.rs` |
//! | or goes into the band of its step | `bands.rs`, `groups.rs` |
//! | steps as keys, another metric's values in their place | `steps.rs`, `align.rs` |
//!
//! Pieces are read side by side and handed on in their order, so an answer has one order whatever the number of threads:
//! that of the stored series (segment, name, context, run with the newest first), by ascending step within a series.

mod align;
mod answer;
mod bands;
mod exec;
mod groups;
mod list;
mod matched;
mod options;
mod pieces;
mod reading;
mod rows;
mod scan;
mod steps;

pub(crate) use answer::answer;
pub use options::{By, PointsOptions, Sampling, Statistic, Step, StepRange};
