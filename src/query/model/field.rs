//! Questions about named values whose place and type are found when the query meets its data.
//!
//! Some languages know a value by its name alone: the same name may be a parameter of one run, a metric of another and a
//! column of a plain table, and what a comparison means depends on the type that is stored there. A [`Field`] says
//! everything needed to answer without knowing the language: where to look and in which order ([`Field::ranks`]), whether
//! each row's own type decides or that of the data as a whole ([`Choice`]), and what is tested for each type ([`Case`]).

use super::expr::{CompareOp, Key, Literal, Place};
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use serde::{Deserialize, Serialize};

/// A question about a named value. It does not hold for a row that has no such value, or has it in a type without a case.
///
/// In a **plain table** the field is the column with the name [`Field::name`] (nested columns by dotted path, and if
/// [`Field::fold_case`] by the first in byte order whose name differs in case only); `ranks` do not matter there. A
/// column that does not exist is missing in every row. The column's type picks the case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// The name as it is written, without quotes and escapes.
    pub name: String,
    /// Where the query names it.
    pub span: Span,
    /// Whether a plain table's column may differ from the name in case.
    pub fold_case: bool,
    /// Where a run may keep the value. The first rank in which the run has something decides, even if the test then
    /// fails. Within a rank an exact spelling comes before one that differs in case, then byte order decides.
    pub ranks: Vec<Vec<Candidate>>,
    /// What picks the case.
    pub choice: Choice,
    /// What is tested, by stored type; at most one for each type.
    pub cases: Vec<Case>,
}

/// A place where a run may keep the value of a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Candidate {
    /// A column of the runs table, or another place that is known beforehand.
    At(Place),
    /// A parameter.
    Param {
        /// Its path.
        path: Vec<Key>,
        /// Whether paths that differ in case only are meant too (compared by [`fold`]).
        fold_case: bool,
    },
    /// A summary of the run's sequence with this name and the empty context. A sequence without records does not exist.
    Series {
        /// Name of the sequence.
        name: String,
        /// Its type, one of those of series.
        stored: ValueType,
        /// Which of its values.
        summary: Summary,
        /// Whether names that differ in case only are meant too (compared by [`fold`]).
        fold_case: bool,
    },
}

/// A value that stands for a whole sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Summary {
    /// The last value: that of the greatest step, of equal ones the later. May be NaN. Of texts the last text.
    Last,
    /// The least value that is not NaN.
    Min,
    /// The greatest value that is not NaN.
    Max,
    /// The mean of the values that are not NaN.
    Mean,
    /// The population variance (divisor n) of the values that are not NaN.
    Variance,
}

/// What picks the case of a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Choice {
    /// The type that each row has stored.
    PerRow,
    /// The one type that the data has for the name: then all rows are asked as this type. It is an error of the kind
    /// `type` if there are several.
    OneType {
        /// The type that is taken if the data has none.
        none: ValueType,
        /// How a query says which type it means, up to the type's name; for the hint of the error.
        advice: String,
    },
}

/// What is tested when the value is of one type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The type.
    pub stored: ValueType,
    /// The test, or why this cannot be asked of this type. The refusal counts where [`Choice::OneType`] picks the case.
    pub test: Result<Test, Box<Diagnostic>>,
}

/// Types of stored values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ValueType {
    /// Integer of 64 bits. In plain tables every integer type.
    Int,
    /// Float. In plain tables also decimals.
    Float,
    /// Text.
    Text,
    /// True or false.
    Bool,
    /// Point in time. In plain tables also dates: their midnight in UTC.
    Time,
    /// Set of texts. In plain tables a list of texts.
    Set,
    /// State of a run, kept as a text.
    State,
    /// Version of data, kept as the text of its hash.
    Artifact,
    /// A file, kept as the text of its path.
    File,
    /// Several files.
    FileSet,
    /// Reference to a commit.
    GitRef,
    /// Reference to a notebook.
    NotebookRef,
    /// Series of numbers.
    FloatSeries,
    /// Series of texts.
    TextSeries,
    /// Series of histograms.
    HistogramSeries,
    /// Series of files.
    FileSeries,
}

impl ValueType {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Int,
        Self::Float,
        Self::Text,
        Self::Bool,
        Self::Time,
        Self::Set,
        Self::State,
        Self::Artifact,
        Self::File,
        Self::FileSet,
        Self::GitRef,
        Self::NotebookRef,
        Self::FloatSeries,
        Self::TextSeries,
        Self::HistogramSeries,
        Self::FileSeries,
    ];

    /// The name for users.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Float => "float",
            Self::Text => "string",
            Self::Bool => "bool",
            Self::Time => "datetime",
            Self::Set => "stringSet",
            Self::State => "experimentState",
            Self::Artifact => "artifact",
            Self::File => "file",
            Self::FileSet => "fileSet",
            Self::GitRef => "gitRef",
            Self::NotebookRef => "notebookRef",
            Self::FloatSeries => "floatSeries",
            Self::TextSeries => "stringSeries",
            Self::HistogramSeries => "histogramSeries",
            Self::FileSeries => "fileSeries",
        }
    }
}

/// A test of one value of a known type. It never holds for a missing value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Test {
    /// A value is there; a set has an element.
    Present,
    /// The value compares so with one of its own type: integers and floats exactly by value, NaN with nothing, both zeros
    /// equal, text by the bytes of UTF-8, times by the instant.
    Compare {
        /// The relation.
        op: CompareOp,
        /// Right side.
        value: Literal,
    },
    /// The value equals one of these, as in [`Test::Compare`].
    In(Vec<Literal>),
    /// One of these tests passes.
    Any(Vec<Test>),
    /// The time is at or after the first and before the second (microseconds since 1970, UTC).
    TimeWithin(i64, i64),
    /// The float is NaN.
    IsNan,
    /// The text contains this piece. The empty piece is in every text.
    Contains(String),
    /// The text contains this piece (which is folded already) after [`fold`].
    ContainsFolded(String),
    /// The set has this element.
    Has(String),
    /// The text contains a match.
    Matches(Pattern),
}

/// A regular expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pattern {
    /// As the query has it.
    pub source: String,
    /// The same in the syntax of the crate `regex` over bytes of UTF-8 (`regex::bytes`), found to be valid.
    pub regex: String,
}

/// Lower case, character by character: no language's rules, no change of length in letters (`ß` stays `ß`).
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().flat_map(char::to_lowercase).collect()
}

impl Field {
    /// What is tested for values of this type.
    pub fn case(&self, stored: ValueType) -> Option<&Case> {
        self.cases.iter().find(|case| case.stored == stored)
    }
}
