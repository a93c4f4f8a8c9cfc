//! Sets of rows of a catalogue: files, the datasets they are in, and saved queries.
//!
//! A [`RowSet`] is a set: each row is in it once. It may have an order, which [`RowSet::Limit`] and [`RowSet::Skip`] go by.

use super::expr::Expr;
use super::items::Scalar;
use crate::span::Span;
use serde::{Deserialize, Serialize};

/// What the rows of a set are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RowKind {
    /// Files. Key columns: `namespace`, `name`, `fid`; natural order: creation time, then `fid`.
    Files,
    /// Datasets. Key columns and natural order: `namespace`, `name`.
    Datasets,
    /// Saved queries. Key columns and natural order: `namespace`, `name`.
    Queries,
}

/// A set of rows of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RowSet {
    /// Files, datasets or saved queries, those of the given names only. Retired files are among them if they are wanted.
    All {
        /// What they are.
        kind: RowKind,
        /// Which ones.
        names: Names,
        /// Files only: whether retired ones count.
        retired: bool,
    },
    /// Files by their full names or ids, retired or not; unknown ones are left out.
    Listed(Vec<FileRef>),
    /// Files that are in one of these datasets.
    Members {
        /// A set of datasets.
        datasets: Box<RowSet>,
        /// Whether retired files count.
        retired: bool,
    },
    /// The files of a saved query.
    Saved {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Where the query names it.
        span: Span,
    },
    /// Those rows for which the predicate holds.
    Where(Box<RowSet>, Expr),
    /// Rows that are in any of these.
    Union(Vec<RowSet>),
    /// Rows that are in all of these.
    Join(Vec<RowSet>),
    /// Rows of the first that are in none of the others.
    Minus(Box<RowSet>, Vec<RowSet>),
    /// Files (not retired) that are one step away in provenance.
    Relatives(Box<RowSet>, Relation),
    /// Files (not retired) that are any number of steps away in provenance.
    Closure(Box<RowSet>, Relation),
    /// Datasets and those below them.
    Subsets {
        /// Where to begin; they are in the result.
        of: Box<RowSet>,
        /// All levels, not only the next.
        recursively: bool,
    },
    /// The same rows in natural order.
    Ordered(Box<RowSet>),
    /// The first rows.
    Limit(Box<RowSet>, u64),
    /// All but the first rows.
    Skip(Box<RowSet>, u64),
    /// What a filter makes of sequences of files.
    Filter(Box<Filter>),
}

/// Directions of provenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Relation {
    /// What files were made from.
    Parents,
    /// What was made from files.
    Children,
}

/// Which names are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The namespace; any if not given.
    pub namespace: Option<String>,
    /// The name inside the namespace.
    pub name: NameTest,
}

/// What is asked of a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NameTest {
    /// Nothing.
    Any,
    /// It is this one.
    Is(String),
    /// It has this shape: `%` is any piece of text, `_` any character, a backslash takes the next one literally.
    Like(String),
    /// It has a match of this expression, in the syntax of the crate `regex`.
    Matches(String),
}

impl Names {
    /// All names.
    pub const ALL: Self = Self { namespace: None, name: NameTest::Any };
}

/// A file by one of its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileRef {
    /// Namespace and name.
    Name(String, String),
    /// Its id.
    Id(String),
}

/// What can be shown of a file beside its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Extra {
    /// Its metadata, a JSON dictionary: column `metadata`.
    Metadata,
    /// The ids of the files it was made from and of those made from it: columns `parents` and `children`.
    Provenance,
    /// The datasets it is in, as `namespace:name`: column `datasets`.
    Datasets,
}

/// What can be said about all files of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Overview {
    /// How many there are and how large they are together: columns `count` and `total_size`, one row.
    Totals,
    /// Their metadata keys: columns `key`, `type`, `files` (that have it so), `least` and `greatest` (of numbers and texts,
    /// as text).
    Keys,
}

/// A filter with what it is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// Its name, looked up among the built-in and the configured ones.
    pub name: String,
    /// Where the query names it.
    pub span: Span,
    /// Parameters by position.
    pub positional: Vec<Scalar>,
    /// Parameters by name.
    pub named: Vec<(String, Scalar)>,
    /// What it reads, in order.
    pub inputs: Vec<RowSet>,
}

impl RowSet {
    /// What the rows are.
    pub fn kind(&self) -> RowKind {
        match self {
            Self::All { kind, .. } => *kind,
            Self::Subsets { .. } => RowKind::Datasets,
            Self::Listed(_)
            | Self::Members { .. }
            | Self::Saved { .. }
            | Self::Relatives(..)
            | Self::Closure(..)
            | Self::Filter(_) => RowKind::Files,
            Self::Where(input, _)
            | Self::Minus(input, _)
            | Self::Ordered(input)
            | Self::Limit(input, _)
            | Self::Skip(input, _) => input.kind(),
            Self::Union(inputs) | Self::Join(inputs) => inputs.first().map_or(RowKind::Files, Self::kind),
        }
    }
}
