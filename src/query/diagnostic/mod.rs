//! What is wrong with a query: one value that every surface renders in its own way.

mod json;
mod render;

pub use json::to_json;
pub use render::render;

use crate::span::Span;
use serde::{Deserialize, Serialize};

/// What sort of mistake it is; the stable `kind` of `--error-format json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The text is not of the language's grammar.
    Syntax,
    /// Grammatical, but refused: a name or construct that queries may not use.
    Forbidden,
    /// A value of the wrong type.
    Type,
    /// A malformed or unsupported regular expression.
    Regex,
    /// Anything else that makes no sense: wrong arity, unsupported construct, conflicting clauses.
    Semantic,
    /// A table, data set, saved query or column that is not there.
    NotFound,
    /// Reading or writing failed.
    Io,
    /// A limit on length, depth, time or memory was reached.
    Limit,
}

/// How serious a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The query cannot be answered.
    Error,
    /// The query was answered, and there is something to know about it.
    Note,
}

/// A remark on a piece of the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The piece.
    pub span: Span,
    /// The remark; may be empty.
    pub text: String,
}

/// One finding about a query: a message, the places it speaks of and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Error or note.
    pub severity: Severity,
    /// Sort of mistake.
    pub kind: Kind,
    /// One line, lower case, no full stop.
    pub message: String,
    /// The first label is the primary one.
    pub labels: Vec<Label>,
    /// What was expected, what was probably meant.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// An error without a place yet.
    pub fn error(kind: Kind, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, kind, message: message.into(), labels: vec![], hints: vec![] }
    }

    /// A note: the query is answered all the same.
    pub fn note(kind: Kind, message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(kind, message) }
    }

    /// Points at a piece of the text.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds a line of help.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hints.push(text.into());
        self
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

/// Longest name that is compared: nobody mistypes a longer one by a letter, and comparing takes the product of both lengths.
const LONGEST_NAME: usize = 100;

/// The known name nearest to `name`, when it is near enough to be a slip of the finger.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST_NAME)
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(score, candidate)| *score >= 0.85 && *candidate != name)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
