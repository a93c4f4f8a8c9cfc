//! Functions of one row.

pub mod contains_folded;
pub mod glob_match;
pub mod has_any;
pub mod is_in;
pub mod is_nan;
pub mod json_any;
pub mod json_list;
pub mod json_value;
pub mod list_any;
pub mod regex_found;
pub mod size_bytes;

pub(crate) mod arguments;
mod distinct_texts;
mod needles;
