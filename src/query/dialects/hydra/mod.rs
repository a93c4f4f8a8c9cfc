//! Hydra: paths that walk a tree, and pipelines of ops that shape the rows.
//!
//! Two languages: [`ops`] reads `gather=ks;sort=1:n:d`, [`path`] reads `product/ymd/*:hits>1/++foo:+hits`. Both give syntax
//! trees; what they mean for rows and trees is written in the crate `lakeql-rows`. What is unsupported or deliberately
//! different stands in this folder's README.

pub mod ops;
pub mod path;
mod piece;

pub use piece::Piece;
