//! The integration tests: one binary, because each one that links the engine is large.

mod faults;
mod gold;
mod layers;
mod lake;
mod program;
mod support;
