//! Samples: which ones a query chooses, as ranges, counts or chunks.
//!
//! | file | what it does |
//! |---|---|
//! | `predicate.rs` | sets of samples to predicates over runs of equal samples |
//! | `chosen.rs` | the scan: runs in the order of files, cut where positions are asked, filtered |
//! | `cut.rs` | the operator that cuts runs |
//! | `merge.rs` | the operator that brings runs of several segments together |
//! | `codes.rs`, `keyed.rs` | values and combinations of properties as numbers |
//! | `ranges.rs` | the operator that joins runs to ranges, or counts them |
//! | `answer.rs` | these as a table that is planned like any other |
//! | `chunks.rs`, `rows.rs` | chunks of a mixture, as rows |
//! | `account.rs` | what a draw has handed out, for contracts |

mod account;
mod answer;
mod chosen;
mod chunks;
mod codes;
mod cut;
mod keyed;
mod merge;
mod names;
mod predicate;
mod ranges;
mod rows;

pub use account::{Account, KeyAccount};
pub use chunks::{ChunkOptions, Chunks, Turn};

pub(crate) use answer::{AnswerTable, resolve};
pub(crate) use chunks::chunks;
