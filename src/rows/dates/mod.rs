//! Dates written by patterns, as Joda time reads and writes them. All times are UTC.

mod calendar;
mod parse;
mod pattern;
mod print;

pub use calendar::Instant;
pub use pattern::Pattern;
