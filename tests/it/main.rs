//! The integration tests: one binary, because each one that links the engine is large.

mod gold;
mod layers;
mod lake;
mod support;
