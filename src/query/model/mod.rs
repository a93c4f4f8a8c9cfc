//! The meeting point of all languages: a query whose meaning is spelled out and whose names are not yet looked up.
//!
//! A dialect lowers its syntax tree to a [`Query`]; the engine resolves the query against a lake. Nothing in here asks
//! which language a query came from: what a missing value does, which types compare and which errors drop a row is
//! written into the expressions ([`expr`]).

mod display;
mod expr;
mod field;
mod items;
mod program;
mod rows;
mod rows_display;
mod samples;
mod samples_display;
mod trees;

pub use expr::{Attribute, CompareOp, Expr, Key, Literal, Place};
pub use field::{Candidate, Case, Choice, Field, Pattern, Summary, Test, ValueType, fold};
pub use items::{ColumnCheck, ColumnTest, ItemOp, ItemTest, Items, Scalar, Scope, Step};
pub use program::{Entity, Inputs, Program, SummaryRef};
pub use rows::{Extra, FileRef, Filter, NameTest, Names, Overview, Relation as Provenance, RowKind, RowSet};
pub use samples::{Condition, PropertyTest, SAMPLE_IDS, SampleSet, Selection, Shown, Unknown};
pub use trees::Walk;

use serde::{Deserialize, Serialize};

/// One query: where the rows come from and what is done to them, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// Where the rows come from.
    pub relation: Relation,
    /// What is done to them, left to right.
    pub transforms: Vec<Transform>,
}

/// Sources of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relation {
    /// Runs, newest first. Key column: `hash`.
    Runs,
    /// Sequences of one kind with their runs, grouped by run, newest run first. Key columns: `run` (the run's hash),
    /// `name`, `context`.
    Series(SeriesKind),
    /// Rows of a plain table, in no order of their own. Key columns: all.
    Table,
    /// Samples of a collection ([`Transform::Choose`]), in the order of data sets, files and positions. Rows are the longest
    /// ranges of chosen samples. Key columns: `dataset`, `file`, `start`, `end` (one past the last).
    Samples,
    /// Rows that a walk over trees gives ([`Transform::Walk`]), in its order. Columns are named as the walk names them.
    Trees,
    /// Rows of the file catalogue; [`Transform::Set`] says which ones. [`RowKind`] has order and key columns.
    Catalogue(RowKind),
}

/// Kinds of sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeriesKind {
    /// Numeric series.
    Metric,
    /// Images by step.
    Images,
    /// Texts by step.
    Texts,
    /// Audio by step.
    Audios,
    /// Histograms by step.
    Distributions,
    /// Figures by step.
    Figures,
}

impl SeriesKind {
    /// The text stored in the column `kind` of the series table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Images => "images",
            Self::Texts => "texts",
            Self::Audios => "audios",
            Self::Distributions => "distributions",
            Self::Figures => "figures",
        }
    }
}

/// One step of a query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Transform {
    /// Keeps the rows for which the predicate holds.
    Filter(Expr),
    /// Chooses samples; of [`Relation::Samples`] only, first.
    Choose(Box<Selection>),
    /// Walks over trees; of [`Relation::Trees`] only, first.
    Walk(Box<Walk>),
    /// Keeps the rows that are in this set of rows of the file catalogue, in the order of the set if it has one.
    Set(Box<RowSet>),
    /// Keeps the rows of runs that come after this one in the order of the relation; an unknown hash keeps all.
    After {
        /// The run's hash.
        hash: String,
    },
    /// Names the rows by other columns than the relation's key columns, unless [`Transform::Select`] chooses columns.
    Keys(Vec<KeyColumn>),
    /// Adds columns to files of the catalogue, behind the key columns.
    With(Vec<Extra>),
    /// Says something about all rows instead of listing them (files of the catalogue).
    Overview(Overview),
    /// Chooses the columns: attribute paths, properties, or `series.summary` such as `loss.last`.
    Select(Vec<String>),
    /// Orders by columns named as in [`Transform::Select`]; missing values last.
    Sort(Vec<SortKey>),
    /// Skips rows, then keeps at most so many.
    Slice {
        /// Rows to skip.
        offset: usize,
        /// Rows to keep.
        limit: Option<usize>,
    },
}

/// A column that names rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyColumn {
    /// Column of the runs table.
    pub column: String,
    /// What the answer calls it.
    pub shown: String,
    /// Left out where all runs of the data have the same value.
    pub if_several: bool,
}

/// One key of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortKey {
    /// Column, named as in [`Transform::Select`].
    pub column: String,
    /// Largest first.
    pub descending: bool,
}
