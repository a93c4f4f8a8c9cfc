//! The integration tests: one binary, because each one that links the engine is large.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where something is wrong")]

mod cli;
mod docs;
mod errors;
mod faults;
mod fuzz;
mod gold;
mod hydra;
mod hydra_errors;
mod lake;
mod layers;
mod limits;
mod mixtera_errors;
mod mql;
mod mql_bad;
mod mql_errors;
mod mql_filters;
mod mql_manual;
mod mql_scans;
mod neptune;
mod nql;
mod nql_errors;
mod plain;
mod plots;
mod points;
mod program;
mod reads;
mod runs;
mod samples;
mod samples_files;
mod samples_web;
mod sound;
mod support;
mod trees;
