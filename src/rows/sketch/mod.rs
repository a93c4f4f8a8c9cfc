//! Estimates that merge, and how they are stored.

mod bloom;
mod bytes;
mod cardinality;
mod count_min;
mod digest;
mod kept;
mod topper;

pub use bloom::Bloom;
pub use bytes::{In, Out};
pub use cardinality::Cardinality;
pub use count_min::CountMin;
pub use digest::Digest;
pub use kept::{Hot, Recent};
pub use topper::Topper;
