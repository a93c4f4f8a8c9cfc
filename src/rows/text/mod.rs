//! Rows to and from text.

pub mod delimited;
pub mod hydra;
pub mod json;
