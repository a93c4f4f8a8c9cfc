//! Sets of samples: conditions on properties whose types are found when the query meets its collection.
//!
//! A property has one value for each sample or a list of values, and either may be missing. A [`Condition`] says for both
//! what is tested, so that whoever resolves it needs to know nothing about the language.

use super::expr::{CompareOp, Literal};
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use serde::{Deserialize, Serialize};

/// Which samples of which collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// The collection; if not given, the only one that there is.
    pub collection: Option<String>,
    /// The samples.
    pub set: SampleSet,
    /// What is shown of them.
    pub shown: Shown,
    /// What there is to know although the query is answered, such as conditions that were left out.
    pub notes: Vec<Diagnostic>,
}

/// What is shown of a set of samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Shown {
    /// The longest ranges of samples, columns `dataset`, `file`, `start`, `end` (one past the last). With properties, ranges
    /// of samples that are alike in these, and a column `key`.
    Ranges(Vec<String>),
    /// How many there are of each combination of these properties, missing values included: columns of the properties,
    /// then `samples`, `ranges`, `share` (of all samples of the set).
    Counts(Vec<String>),
}

/// A set of samples. A sample is in it or not, never twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SampleSet {
    /// All samples of the collection.
    Everything,
    /// The samples for which the condition holds; all if it is left out ([`Condition::unknown`]).
    Where(Box<Condition>),
    /// The samples that are in all of these; all samples if there is none.
    All(Vec<SampleSet>),
    /// The samples that are in at least one of these.
    Any {
        /// The sets.
        parts: Vec<SampleSet>,
        /// Whether a part in which no condition is left, such as [`SampleSet::Everything`], adds nothing, unless all parts
        /// are such: then all samples are meant.
        skips_unconditional: bool,
    },
    /// The samples of the first that are not in the second.
    Without(Box<SampleSet>, Box<SampleSet>),
}

/// A condition on one property. Except for the tests that speak of missing values it never holds where the value is
/// missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The property's name, or one of [`SAMPLE_IDS`].
    pub property: String,
    /// Where the query names it.
    pub span: Span,
    /// Where the query has the value.
    pub value_span: Span,
    /// What it means if the collection has no such property.
    pub unknown: Unknown,
    /// The test of a property with one value.
    pub single: PropertyTest,
    /// The test of a property with a list of values.
    pub several: PropertyTest,
    /// Whether a number or truth value is compared with texts by reading the texts as such. It is an error if a text is
    /// none. Otherwise comparing them is an error of the kind `type`.
    pub reads_texts: bool,
}

/// Numbers that every sample has beside its properties, whole numbers: data set and file count from 1, samples of a file
/// from 0.
pub const SAMPLE_IDS: [&str; 3] = ["dataset_id", "file_id", "sample_id"];

/// What a condition on a property means that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unknown {
    /// It is an error.
    Refused,
    /// It is as if the condition had not been written, and a note says so.
    LeftOut,
}

/// What is tested of a property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PropertyTest {
    /// This cannot be asked.
    Refused(Box<Diagnostic>),
    /// Holds always or never, also for missing values.
    Literal(bool),
    /// The value, or the list as a whole, is missing (or is there).
    Missing(bool),
    /// The value equals one of these; one of the values of the list does. Texts are compared by code points.
    OneOf(Vec<Literal>),
    /// The value is there and equals none of these; the list is there, perhaps empty, and none of its values does.
    NoneOf(Vec<Literal>),
    /// The value compares so with at least one of these. Not for lists.
    Compare(CompareOp, Vec<Literal>),
}

impl SampleSet {
    /// Calls `visit` for every condition, left to right.
    pub fn conditions<'a>(&'a self, visit: &mut impl FnMut(&'a Condition)) {
        match self {
            Self::Everything => {}
            Self::Where(condition) => visit(condition),
            Self::All(parts) | Self::Any { parts, .. } => parts.iter().for_each(|part| part.conditions(visit)),
            Self::Without(left, right) => {
                left.conditions(visit);
                right.conditions(visit);
            }
        }
    }
}
