//! Samples: which ones a query chooses, as ranges, counts or chunks.
//!
//! | file | what it does |
//! |---|---|
//! | `predicate.rs` | sets of samples to predicates over runs of equal samples |
//! | `chosen.rs` | the scan: runs in the order of files, cut where positions are asked, filtered |
//! | `cut.rs` | the operator that cuts runs |
//! | `keyed.rs` | combinations of properties as numbers |
//! | `ranges.rs` | the operator that joins runs to ranges, or counts them |
//! | `answer.rs` | these as a table that is planned like any other |
//! | `chunks.rs` | chunks of a mixture |

mod answer;
mod chosen;
mod chunks;
mod cut;
mod keyed;
mod names;
mod predicate;
mod ranges;

pub use chunks::{ChunkOptions, Chunks};

pub(crate) use answer::{AnswerTable, resolve};
pub(crate) use chunks::chunks;
