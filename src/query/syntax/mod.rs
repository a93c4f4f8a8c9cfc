//! Tools that every language shares.

pub mod python;
