//! Tools that every language shares.

pub mod cursor;
pub mod number;
pub mod python;
pub mod re2;
pub mod scan;
pub mod time;
