//! What can be wrong with a mixture.

/// The result of anything about mixtures.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can be wrong with a mixture.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The file is not JSON.
    #[error("the mixture is not JSON: {0}")]
    Json(String),
    /// A part of the file is not what it should be.
    #[error("{place}: {reason}")]
    Shape {
        /// Where in the file, as `mixture.components[1].weight`.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// A weight below zero.
    #[error("{place}: the weight {weight} is negative")]
    NegativeWeight {
        /// Where in the file.
        place: String,
        /// The weight.
        weight: f64,
    },
    /// A weight that is zero.
    #[error("{place}: the weight is zero: leave the key out, or give it a share")]
    ZeroWeight {
        /// Where in the file.
        place: String,
    },
    /// The weights of a static mixture are not shares.
    #[error("{place}: the weights sum to {sum}, not to 1")]
    Sum {
        /// Where in the file.
        place: String,
        /// Their sum.
        sum: f64,
    },
    /// Chunks of no samples.
    #[error("a chunk needs at least one sample")]
    ChunkSize,
    /// A state that was saved of another draw.
    #[error("the state was saved for another draw: {0}")]
    State(String),
}

impl Error {
    /// The sort of mistake, as the recorded cases call it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Json(_) => "json",
            Self::Shape { .. } => "shape",
            Self::NegativeWeight { .. } => "negative_weight",
            Self::ZeroWeight { .. } => "zero_weight",
            Self::Sum { .. } => "weights_sum",
            Self::ChunkSize => "chunk_size",
            Self::State(_) => "state",
        }
    }
}
