//! Text to query: the languages and the model they meet in.
//!
//! This crate knows no engine, no files and no clock. A [`dialect`](dialects) turns a text into a
//! [`model::Query`], or into a [`diagnostic::Diagnostic`] that says what is wrong with it.

pub mod diagnostic;
pub mod dialects;
pub mod model;
pub mod source;
pub mod span;
pub mod syntax;
