//! The integration tests: one binary, because each one that links the engine is large.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where something is wrong")]

mod cli;
mod docs;
mod errors;
mod faults;
mod gold;
mod lake;
mod layers;
mod mql;
mod nql;
mod nql_errors;
mod plots;
mod points;
mod program;
mod reads;
mod runs;
mod support;
