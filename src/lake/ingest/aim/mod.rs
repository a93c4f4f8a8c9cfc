//! The importer of Aim's runs: one JSON object a line, one line a run.
//!
//! The stages, each in a file of its own:
//!
//! | stage | in → out | file |
//! |---|---|---|
//! | read | files → blocks of whole lines | `input` |
//! | parse | lines → columns of a block | `workers`, `run`, `sequence`, `flatten`, `context` over `json` |
//! | collect | blocks → chunks, runs that come twice sorted out | `session` |
//! | write | chunk → segment | `ingest::segment` |
//! | commit | segments → a version of the lake | `session` |
//!
//! A run whose line is in the lake already, byte for byte, is skipped; one that has changed is replaced. When a run
//! comes several times in one import, the last line counts, as it would if the lines were imported one by one.

mod bad_lines;
mod budget;
mod context;
mod flatten;
mod input;
mod json;
mod number;
mod run;
pub(crate) mod sequence;
mod session;
mod time;
mod workers;

#[cfg(test)]
mod tests;

pub use context::canonical_context;
pub use session::import_aim;
