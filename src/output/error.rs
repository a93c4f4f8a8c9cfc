//! What can go wrong while bytes are written.

/// Why a result could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The reader of the pipe is gone, as `head` is after its ten lines. Not a mistake of anybody.
    #[error("the reader of the output closed it")]
    BrokenPipe,
    /// The sink does not take the bytes.
    #[error("cannot write the output: {0}")]
    Io(#[from] std::io::Error),
    /// A value or type has no representation in the format.
    #[error("cannot write the result: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// The same, of Parquet.
    #[error("cannot write the Parquet file: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
}
