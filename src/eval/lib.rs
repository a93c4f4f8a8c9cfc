//! The row evaluator: Python expressions over one row's values.
//!
//! [`Program::compile`] turns a syntax tree into a form that is fast to run; [`Program::outcome`] asks it of one
//! [`Row`]. The meaning is Python's with the rules of AimQL for parameters, summaries and what is missing: an exception
//! is a third answer besides true and false ([`Outcome::Raised`]), parameters come as wrappers whose orderings are false
//! instead of failing, and there are two kinds of "not there".
//!
//! The crate knows no Arrow, no files and no clock: everything comes through the row. Every evaluation is bounded by
//! [`Limits`] in steps, memory and depth.

mod builtins;
mod error;
mod limits;
mod methods;
mod program;
mod row;
mod value;

#[cfg(test)]
mod checks;

pub use error::{Raised, RaisedKind};
pub use limits::{Limits, Meter};
pub use program::{Entity, Outcome, Program};
pub use row::{ContextRef, Key, Row, RunProperty, canonical_context};
pub use value::{Dict, Missing, Seq, Set, Value};
