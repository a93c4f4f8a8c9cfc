//! What can go wrong with a lake.

use std::fmt;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use deltalake_core::DeltaTableError;
use parquet::errors::ParquetError;

/// The result of anything that touches a lake.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A place in a file that is imported, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowPlace {
    /// A line of text.
    Line(u64),
    /// A row of a table.
    Row(u64),
}

/// What can go wrong with a lake.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no lake at this place.
    #[error("there is no lake at {url}: import something first, for example `lakeql --lake {url} import aim FILE`")]
    NotFound {
        /// Where it was looked for.
        url: String,
    },

    /// The text that names a lake or a file cannot be understood.
    #[error("`{url}` does not name a place for a lake: {reason}")]
    Url {
        /// The text as given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },

    /// There are no files where a query looks for plain ones.
    #[error("there is nothing to read at `{from}`: {hint}")]
    NoFiles {
        /// The text as given.
        from: String,
        /// What was found instead, or how to find them.
        hint: String,
    },

    /// The text that names plain files cannot be understood, or they are not what it takes.
    #[error("cannot read from `{from}`: {reason}")]
    From {
        /// The text as given.
        from: String,
        /// What is wrong.
        reason: String,
    },

    /// A version or time that the lake does not have.
    #[error("the lake at {url} has no version {wanted}: {hint}")]
    NoSuchVersion {
        /// Where the lake is.
        url: String,
        /// What was asked for.
        wanted: String,
        /// What there is.
        hint: String,
    },

    /// The store or the operating system refused something.
    #[error("{action}: {source}")]
    Io {
        /// What was tried.
        action: String,
        /// What the store says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// The data to import is wrong.
    #[error("{}", data_text(.file, *.row, .field.as_deref(), .reason))]
    Data {
        /// The file it is in.
        file: String,
        /// Where in the file.
        row: Option<RowPlace>,
        /// Which field of the line, as `metrics[2].steps`.
        field: Option<String>,
        /// What is wrong.
        reason: String,
    },

    /// A tree cannot be built, united or walked.
    #[error("{0}")]
    Tree(lakeql_rows::error::Problem),

    /// A newer LakeQL has written the lake.
    #[error("the lake at {url} was written by a newer LakeQL ({reason}): update lakeql to read it")]
    NewerFormat {
        /// Where the lake is.
        url: String,
        /// What is newer.
        reason: String,
    },

    /// Other writers were faster every time.
    #[error("other writers changed the lake while it was being written, {attempts} times in a row: try again")]
    Conflict {
        /// How often it was tried.
        attempts: u32,
    },

    /// The lake can be read but not written.
    #[error("the lake at {url} cannot be written: {reason}")]
    ReadOnly {
        /// Where the lake is.
        url: String,
        /// What the store says.
        reason: String,
    },

    /// A file that the lake's log names is gone.
    #[error(
        "the file {path} of the lake is missing: `vacuum` has deleted it because the version is old, or something else has"
    )]
    MissingFile {
        /// The object's path in the store.
        path: String,
    },

    /// A file or a log entry of the lake is not what LakeQL writes.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The object's path in the store.
        path: String,
        /// What is wrong.
        reason: String,
    },

    /// A Parquet file cannot be written or read.
    #[error("Parquet: {0}")]
    Parquet(#[source] ParquetError),

    /// Columns do not fit together.
    #[error("columns: {0}")]
    Arrow(#[from] ArrowError),

    /// The transaction log cannot be read or written.
    #[error("transaction log: {0}")]
    Log(Box<DeltaTableError>),

    /// The engine failed while files were merged.
    #[error("{0}")]
    Engine(Box<DataFusionError>),

    /// A mistake in LakeQL itself.
    #[error("internal error, please report it: {0}")]
    Internal(String),
}

impl Error {
    /// A failure of the operating system or of a store while doing `action`.
    pub fn io(action: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::Io { action: action.into(), source: source.into() }
    }

    /// Whether the object or the lake that was asked for is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::NotFound { .. } | Error::MissingFile { .. } | Error::NoSuchVersion { .. })
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { path, .. } => Error::MissingFile { path },
            other => Error::io("reading or writing the lake", other),
        }
    }
}

impl From<ParquetError> for Error {
    fn from(error: ParquetError) -> Self {
        // A file that is gone is reported as such, whichever layer noticed.
        match error {
            ParquetError::External(source) => match source.downcast::<object_store::Error>() {
                Ok(source) => (*source).into(),
                Err(source) => Error::Parquet(ParquetError::External(source)),
            },
            other => Error::Parquet(other),
        }
    }
}

impl From<DeltaTableError> for Error {
    fn from(error: DeltaTableError) -> Self {
        match error {
            DeltaTableError::ObjectStore { source } => source.into(),
            other => Error::Log(Box::new(other)),
        }
    }
}

impl From<deltalake_core::kernel::Error> for Error {
    fn from(error: deltalake_core::kernel::Error) -> Self {
        Error::Log(Box::new(error.into()))
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        match error {
            // Our own errors pass through streams of the engine.
            DataFusionError::External(source) => match source.downcast::<Error>() {
                Ok(own) => *own,
                Err(source) => Error::Engine(Box::new(DataFusionError::External(source))),
            },
            other => Error::Engine(Box::new(other)),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Error::io("reading or writing a file", error)
    }
}

/// `runs.jsonl, line 3, field metrics[2].steps: expected a list`.
fn data_text(file: &str, row: Option<RowPlace>, field: Option<&str>, reason: &str) -> impl fmt::Display {
    let mut text = file.to_owned();
    match row {
        Some(RowPlace::Line(line)) => text.push_str(&format!(", line {line}")),
        Some(RowPlace::Row(row)) => text.push_str(&format!(", row {row}")),
        None => {}
    }
    if let Some(field) = field {
        text.push_str(&format!(", field `{field}`"));
    }
    format!("{text}: {reason}")
}
