//! The integration tests: one binary, because each one that links the engine is large.

mod cli;
mod docs;
mod errors;
mod faults;
mod gold;
mod lake;
mod layers;
mod program;
mod reads;
mod support;
