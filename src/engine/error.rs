//! What can go wrong between a query's text and its last row.

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;
use lakeql_query::diagnostic::{Diagnostic, Kind};
use std::error::Error as StdError;
use std::time::Duration;

/// The result of anything that asks a lake.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with a query.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The query is wrong. Most important first, each pointing at its piece of the text.
    #[error("{}", first_message(.0))]
    Query(Vec<Diagnostic>),

    /// The lake cannot be read, or there is none.
    #[error(transparent)]
    Lake(lakeql_lake::Error),

    /// The engine failed while planning or running.
    #[error("{}", engine_message(.0))]
    Engine(Box<DataFusionError>),

    /// The query took longer than it may.
    #[error("the query took longer than {}: ask for less, or raise --timeout", in_seconds(.0))]
    Timeout(Duration),

    /// The caller has given up.
    #[error("the query was cancelled")]
    Cancelled,
}

impl Error {
    /// What sort of mistake it is; the stable `kind` of `--error-format json`.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Query(found) => found.first().map_or(Kind::Semantic, |first| first.kind),
            Self::Lake(error) => lake_kind(error),
            Self::Engine(error) => engine_kind(error),
            Self::Timeout(_) | Self::Cancelled => Kind::Limit,
        }
    }
}

impl From<Diagnostic> for Error {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Query(vec![diagnostic])
    }
}

impl From<Vec<Diagnostic>> for Error {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Self::Query(diagnostics)
    }
}

impl From<lakeql_lake::Error> for Error {
    fn from(error: lakeql_lake::Error) -> Self {
        match error {
            lakeql_lake::Error::Engine(error) => (*error).into(),
            other => Self::Lake(other),
        }
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        if let Some(path) = missing_file(&error) {
            return Self::Lake(lakeql_lake::Error::MissingFile { path });
        }
        if let Some(problem) = crate::evaluate::limit_of(&error.to_string()) {
            return problem.into();
        }
        match error {
            // Errors of ours pass through the engine's streams and planner.
            DataFusionError::External(source) => match source.downcast::<Self>() {
                Ok(own) => *own,
                Err(source) => match source.downcast::<lakeql_lake::Error>() {
                    Ok(lake) => (*lake).into(),
                    Err(source) => match source.downcast::<Diagnostic>() {
                        Ok(diagnostic) => (*diagnostic).into(),
                        Err(source) => Self::Engine(Box::new(DataFusionError::External(source))),
                    },
                },
            },
            DataFusionError::Context(_, inner) if carries_ours(&inner) => (*inner).into(),
            DataFusionError::Diagnostic(_, inner) if carries_ours(&inner) => (*inner).into(),
            DataFusionError::ArrowError(inner, _) if matches!(*inner, ArrowError::ExternalError(_)) => match *inner {
                ArrowError::ExternalError(source) => DataFusionError::External(source).into(),
                other => Self::Engine(Box::new(other.into())),
            },
            other => Self::Engine(Box::new(other)),
        }
    }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        DataFusionError::from(error).into()
    }
}

/// Whether an error of ours lies at the bottom, so that wrappers can be taken off.
fn carries_ours(error: &DataFusionError) -> bool {
    match error {
        DataFusionError::External(source) => {
            source.is::<Error>() || source.is::<lakeql_lake::Error>() || source.is::<Diagnostic>()
        }
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => carries_ours(inner),
        _ => false,
    }
}

/// The object that a store could not find, whichever layer it was that asked for it.
fn missing_file(error: &DataFusionError) -> Option<String> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        let parquet = match error.downcast_ref() {
            Some(ParquetError::External(source)) => source.downcast_ref(),
            _ => None,
        };
        if let Some(object_store::Error::NotFound { path, .. }) = parquet.or_else(|| error.downcast_ref()) {
            return Some(path.clone());
        }
        // The reader of footers keeps only the text of what it met.
        if let Some(ParquetError::General(text)) = error.downcast_ref()
            && let Some((_, rest)) = text.split_once("Failed to fetch metadata for file ")
            && let Some((path, reason)) = rest.split_once(": ")
            && reason.contains("not found")
        {
            return Some(path.to_owned());
        }
        cause = match error.downcast_ref() {
            // Not every wrapper names what it wraps as its source.
            Some(DataFusionError::Shared(shared)) => Some(shared.as_ref()),
            Some(DataFusionError::Collection(all)) => all.first().map(|first| first as _),
            _ => error.source(),
        };
    }
    None
}

fn lake_kind(error: &lakeql_lake::Error) -> Kind {
    use lakeql_lake::Error as Lake;
    match error {
        Lake::NotFound { .. } | Lake::NoSuchVersion { .. } | Lake::NoFiles { .. } => Kind::NotFound,
        Lake::Tree(problem) => problem.kind(),
        Lake::Url { .. } | Lake::Data { .. } | Lake::From { .. } => Kind::Semantic,
        _ => Kind::Io,
    }
}

fn engine_kind(error: &DataFusionError) -> Kind {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => Kind::Limit,
        DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) | DataFusionError::ParquetError(_) => Kind::Io,
        DataFusionError::SQL(..) => Kind::Syntax,
        root if is_regex(&root.message()) => Kind::Regex,
        DataFusionError::ArrowError(error, _) => match error.as_ref() {
            ArrowError::IoError(..) | ArrowError::ParquetError(_) | ArrowError::IpcError(_) => Kind::Io,
            ArrowError::MemoryError(_) => Kind::Limit,
            ArrowError::CastError(_) | ArrowError::ParseError(_) => Kind::Type,
            _ => Kind::Semantic,
        },
        _ => Kind::Semantic,
    }
}

/// Whether a message is about a malformed regular expression.
pub(crate) fn is_regex(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("regular expression") || message.contains("regex parse error")
}

/// The innermost message, without the names of the layers it went through.
pub(crate) fn engine_message(error: &DataFusionError) -> String {
    let root = error.find_root();
    let message = root.strip_backtrace();
    // The prefix says which variant it was, which tells users nothing.
    let prefix = "Error during planning: ";
    let text = match root {
        DataFusionError::Internal(_) => return format!("internal error, please report it: {}", root.message()),
        DataFusionError::Plan(_) => message.strip_prefix(prefix).unwrap_or(&message).to_owned(),
        DataFusionError::ResourcesExhausted(_) => {
            format!("out of memory for this query: {}", root.message())
        }
        DataFusionError::Execution(_) | DataFusionError::NotImplemented(_) | DataFusionError::Configuration(_) => {
            root.message().into_owned()
        }
        DataFusionError::ArrowError(error, _) => error.to_string(),
        DataFusionError::External(error) => error.to_string(),
        _ => message,
    };
    text.trim_end().to_owned()
}

fn first_message(found: &[Diagnostic]) -> &str {
    found.first().map_or("the query is wrong", |first| &first.message)
}

fn in_seconds(duration: &Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn not_found() -> object_store::Error {
        object_store::Error::NotFound { path: "lake/runs/1.parquet".into(), source: "gone".into() }
    }

    #[test]
    fn a_missing_file_is_named_whoever_noticed() {
        let parquet = ParquetError::External(Box::new(not_found()));
        for error in [
            DataFusionError::ObjectStore(Box::new(not_found())),
            DataFusionError::ParquetError(Box::new(parquet)),
            DataFusionError::External(Box::new(not_found())),
            DataFusionError::Shared(Arc::new(DataFusionError::ObjectStore(Box::new(not_found())))),
            DataFusionError::Context("scan".into(), Box::new(DataFusionError::ObjectStore(Box::new(not_found())))),
            DataFusionError::ArrowError(Box::new(ArrowError::ExternalError(Box::new(not_found()))), None),
        ] {
            let text = format!("{error:?}");
            let error = Error::from(error);
            assert_eq!(error.kind(), Kind::Io, "{text}");
            assert!(error.to_string().contains("lake/runs/1.parquet"), "{text}");
        }
    }

    #[test]
    fn our_errors_come_back_as_they_were() {
        let wrap = |error: DataFusionError| DataFusionError::Context("outer".into(), Box::new(error));
        let own = DataFusionError::External(Box::new(Error::Cancelled));
        assert!(matches!(Error::from(wrap(own)), Error::Cancelled));
        let wrong = Diagnostic::error(Kind::Regex, "no");
        let error = Error::from(wrap(DataFusionError::External(Box::new(wrong))));
        assert_eq!((error.kind(), error.to_string()), (Kind::Regex, "no".into()));
    }

    #[test]
    fn kinds_and_messages_of_the_engine() {
        for (error, kind, message) in [
            (DataFusionError::ResourcesExhausted("x".into()), Kind::Limit, "out of memory for this query: x"),
            (DataFusionError::Plan("x".into()), Kind::Semantic, "x"),
            (
                DataFusionError::Execution("Regular expression did not compile".into()),
                Kind::Regex,
                "Regular expression did not compile",
            ),
            (
                DataFusionError::ArrowError(Box::new(ArrowError::CastError("no int".into())), None),
                Kind::Type,
                "Cast error: no int",
            ),
        ] {
            let error = Error::from(error);
            assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
        }
        assert_eq!(Error::Timeout(Duration::from_millis(1500)).kind(), Kind::Limit);
        assert!(Error::Timeout(Duration::from_millis(1500)).to_string().contains("1.5 s"));
    }
}
