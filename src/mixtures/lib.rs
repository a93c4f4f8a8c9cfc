//! Chunks of samples in exact mixtures.
//!
//! Samples come as ranges grouped by their properties ([`Component`]); a [`MixtureFile`] says how many of which properties
//! a chunk has. [`Plan`] brings both together and [`Draw`] hands out chunks one after the other; where no sample can be
//! wanted by two keys, [`Plan::chunk`] computes any chunk by itself. Nothing here reads files, knows a clock or depends on
//! the machine: the same input gives the same chunks everywhere.
//!
//! The rules (key matching, rounding, who is served first) are those of Mixtera 1.0; sections are those of its
//! specification in this project.

mod component;
mod counts;
mod distribution;
mod draw;
mod error;
mod file;
mod key;
mod mixture;
mod plan;
mod shuffle;

pub use component::{Component, Range};
pub use distribution::Distributor;
pub use draw::{Asked, Chunk, Draw, Part, State};
pub use error::{Error, Result};
pub use file::{Event, MixtureFile, events};
pub use key::Key;
pub use mixture::{Entry, Fixed, Mixture, Shares, Simple};
pub use plan::{Order, Plan, Supply};

#[cfg(test)]
mod corpus_tests;
