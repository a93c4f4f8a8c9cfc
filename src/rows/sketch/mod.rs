//! Estimates that merge.

mod bloom;
mod cardinality;
mod topper;

pub use bloom::Bloom;
pub use cardinality::Cardinality;
pub use topper::Topper;
