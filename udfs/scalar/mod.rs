//! Functions of one row.

pub mod glob_match;
pub mod is_nan;
pub mod json_list;
pub mod json_value;
pub mod size_bytes;

pub(crate) mod arguments;
