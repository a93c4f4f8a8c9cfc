//! What the bytes of a lake mean: tables, attribute paths, versions.
//!
//! [`lake::Lake`] is the way in. Its state is the newest version of the Delta table `runs`; everything else follows from
//! that one number ([`snapshot`]), and every change ends with one commit to that table ([`commit`]).

pub(crate) mod adapter;
pub(crate) mod catalogue;
pub mod commit;
pub(crate) mod context;
mod family;
mod files;
pub mod history;
pub mod info;
pub mod kind;
pub mod known;
pub mod lake;
pub(crate) mod log;
pub mod path;
pub mod paths;
pub mod provider;
pub(crate) mod rewrite;
pub mod samples;
pub mod snapshot;
pub mod tables;
pub mod trees;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
