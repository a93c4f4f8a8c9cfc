//! What goes wrong while ops run.

use crate::cell::Cell;
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::span::Span;

/// Longest value that is quoted in a message.
const MOST_QUOTED: usize = 60;

/// What is wrong with a row, or with an op that only rows show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A value that should be a number.
    #[error("`{0}` is not a number")]
    NotANumber(String),
    /// An empty cell where a value is needed.
    #[error("the cell is empty")]
    EmptyCell,
    /// An integer divided by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A regular expression that is none, or is too large.
    #[error("bad regular expression: {0}")]
    Regex(String),
    /// More memory, rows or cells than allowed.
    #[error("{0}")]
    Limit(String),
    /// A temporary file that cannot be made, written or read.
    #[error("{0}")]
    Disk(String),
    /// A tree that cannot be read.
    #[error("{0}")]
    Read(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl Problem {
    /// A text that is not a number.
    pub(crate) fn not_a_number(text: &str) -> Self {
        Self::NotANumber(quoted(text))
    }

    /// A value that is not a number.
    pub(crate) fn no_number(cell: &Cell) -> Self {
        Self::NotANumber(quoted(&cell.to_text().unwrap_or_default()))
    }

    /// Anything that has no name of its own.
    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self::Other(message.into())
    }

    /// The sort of mistake.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotANumber(_) | Self::EmptyCell => Kind::Type,
            Self::DivisionByZero | Self::Other(_) => Kind::Semantic,
            Self::Regex(_) => Kind::Regex,
            Self::Limit(_) => Kind::Limit,
            Self::Disk(_) => Kind::Io,
            Self::Read(_) => Kind::Io,
        }
    }
}

fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(MOST_QUOTED).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// What an op could not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{op}: {problem}")]
pub struct OpError {
    /// The op's name; `path` for the walk over a tree.
    pub op: &'static str,
    /// Where it stands in the text.
    pub span: Span,
    /// The row that it met, counted from 1; none before the first and after the last one.
    pub row: Option<u64>,
    /// What is wrong.
    pub problem: Problem,
}

impl OpError {
    /// For people and programs.
    pub fn diagnostic(&self) -> Diagnostic {
        let message = match self.row {
            Some(row) => format!("`{}` cannot go on: {} (row {row})", self.op, self.problem),
            None => format!("`{}`: {}", self.op, self.problem),
        };
        let diagnostic = Diagnostic::error(self.problem.kind(), message).label(self.span, "");
        match &self.problem {
            Problem::EmptyCell => diagnostic.hint("`fill=0` before it fills empty cells"),
            Problem::NotANumber(_) if self.op == "sort" => diagnostic.hint("sort=COLUMN:s sorts as text"),
            Problem::NotANumber(_) => diagnostic.hint("texts are read as whole numbers"),
            Problem::Limit(_) => diagnostic.hint("--memory raises the limit; sort=…;merge=… keeps less than gather"),
            Problem::Disk(_) => diagnostic.hint("TMPDIR names a place with more room; more --memory needs less of it"),
            Problem::DivisionByZero | Problem::Regex(_) | Problem::Read(_) | Problem::Other(_) => diagnostic,
        }
    }
}

/// Why an op stops: by itself, or because of one behind it.
#[derive(Clone, Debug)]
pub enum Failure {
    /// By itself.
    Here(Problem),
    /// Because of an op behind it.
    Below(Box<OpError>),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Here(problem)
    }
}

impl From<OpError> for Failure {
    fn from(error: OpError) -> Self {
        Self::Below(Box::new(error))
    }
}
