//! Why a verb did not succeed, and the exit code for it.

use crate::talk::Talk;
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::source::Source;
use std::path::Path;
use std::process::ExitCode;

/// Why a verb did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The query or the data is wrong, or something could not be read or written.
    Wrong {
        /// What was found, most important first.
        found: Vec<Diagnostic>,
        /// The text that the findings point into.
        source: Source,
    },
    /// The command line is wrong in a way that its parser cannot know.
    Usage(String),
    /// Ctrl-C.
    Interrupted,
    /// Nobody reads the answer any more, as after `| head`. All is well.
    Closed,
}

impl Failure {
    /// A failure without a place in a text.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self::of(Diagnostic::error(kind, message))
    }

    /// A failure without a place in a text, with hints.
    pub(crate) fn of(diagnostic: Diagnostic) -> Self {
        Self::Wrong { found: vec![diagnostic], source: Source::query("") }
    }

    /// A file could not be read or written.
    pub(crate) fn file(action: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(Kind::Io, format!("cannot {action} {}: {error}", path.display()))
    }

    /// The failure of a query with this text.
    pub(crate) fn of_query(error: lakeql_engine::Error, source: &Source) -> Self {
        match error {
            lakeql_engine::Error::Query(found) => Self::Wrong { found, source: source.clone() },
            other => other.into(),
        }
    }

    /// Tells the user and chooses the exit code.
    pub(crate) fn report(&self, talk: Talk) -> ExitCode {
        match self {
            Self::Wrong { found, source } => {
                talk.report(found, source);
                ExitCode::from(1)
            }
            Self::Usage(message) => {
                talk.report(&[Diagnostic::error(Kind::Semantic, message.as_str())], &Source::query(""));
                ExitCode::from(2)
            }
            Self::Interrupted => ExitCode::from(crate::INTERRUPTED),
            Self::Closed => ExitCode::SUCCESS,
        }
    }
}

impl From<lakeql_engine::Error> for Failure {
    fn from(error: lakeql_engine::Error) -> Self {
        match error {
            lakeql_engine::Error::Query(found) => Self::Wrong { found, source: Source::query("") },
            lakeql_engine::Error::Lake(error) => error.into(),
            lakeql_engine::Error::Cancelled => Self::Interrupted,
            other => Self::new(other.kind(), with_causes(&other)),
        }
    }
}

impl From<lakeql_lake::Error> for Failure {
    fn from(error: lakeql_lake::Error) -> Self {
        Self::new(lake_kind(&error), with_causes(&error))
    }
}

impl From<lakeql_output::Error> for Failure {
    fn from(error: lakeql_output::Error) -> Self {
        match error {
            lakeql_output::Error::BrokenPipe => Self::Closed,
            other => Self::new(Kind::Io, with_causes(&other)),
        }
    }
}

impl From<arrow::error::ArrowError> for Failure {
    fn from(error: arrow::error::ArrowError) -> Self {
        lakeql_output::Error::from(error).into()
    }
}

/// What sort of mistake it is, for programs.
fn lake_kind(error: &lakeql_lake::Error) -> Kind {
    use lakeql_lake::Error;
    match error {
        Error::NotFound { .. } | Error::NoSuchVersion { .. } | Error::NoFiles { .. } => Kind::NotFound,
        Error::Tree(problem) => problem.kind(),
        Error::Url { .. } | Error::Data { .. } | Error::From { .. } => Kind::Semantic,
        _ => Kind::Io,
    }
}

/// The message and those of its causes that it does not already contain.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt;

    #[derive(Debug)]
    struct Outer(std::io::Error, bool);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            if self.1 { write!(f, "outer: {}", self.0) } else { f.write_str("outer") }
        }
    }

    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn causes_are_told_once() {
        for told in [false, true] {
            assert_eq!(with_causes(&Outer(std::io::Error::other("inner"), told)), "outer: inner");
        }
    }

    #[test]
    fn a_closed_pipe_is_not_an_error() {
        assert!(matches!(Failure::from(lakeql_output::Error::BrokenPipe), Failure::Closed));
    }
}
