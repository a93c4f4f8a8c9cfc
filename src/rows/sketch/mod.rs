//! Estimates that merge.

mod bloom;
mod cardinality;

pub use bloom::Bloom;
pub use cardinality::Cardinality;
