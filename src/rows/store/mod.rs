//! Rows that wait: in memory as long as they fit, else in a temporary file that nobody sees.
//!
//! | module | what it is |
//! |---|---|
//! | [`codec`] | rows as bytes: a fifth of the memory that cells take, and what a file can hold |
//! | [`disk`] | the file |
//! | [`spool`] | rows in the order in which they came |
//! | [`sorter`] | rows in the order of their keys, stable |
//! | [`key`] | keys whose bytes compare as the cells do |

pub(crate) mod codec;
pub(crate) mod disk;
pub(crate) mod key;
pub(crate) mod sorter;
pub(crate) mod spool;

pub use spool::Spool;
