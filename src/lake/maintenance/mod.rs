//! Upkeep of a lake: [`compact`] merges what many imports have left in many files, [`vacuum`] deletes what no version
//! needs any more.

mod choose;
pub mod compact;
mod merge;
mod points;
mod runs;
mod series;
mod typed;
pub mod vacuum;

#[cfg(test)]
mod corpus_tests;
#[cfg(test)]
mod tests;
