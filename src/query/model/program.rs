//! What cannot be said with columns: an expression that is evaluated row by row.

use super::expr::Key;
use super::{Relation, SeriesKind};
use crate::syntax::python::PyExpr;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A Python expression with the list of everything it can look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// The expression; the names `run` and that of the entity stand for the row.
    pub expr: PyExpr,
    /// The piece of the query's text that it is.
    pub text: String,
    /// What a row is.
    pub entity: Entity,
    /// Minutes that are subtracted from UTC before the expression sees a date.
    pub offset_minutes: i64,
    /// The values it reads; nothing else is loaded for it.
    pub inputs: Inputs,
}

/// What a row is for a [`Program`], and the name of the variable that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Entity {
    /// A run, variable `run`.
    Run,
    /// A sequence with its run, variable named like the kind (`metric`, `images` …).
    Series(SeriesKind),
}

impl Entity {
    /// Name of the variable.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Series(kind) => kind.name(),
        }
    }

    /// The rows.
    pub fn relation(self) -> Relation {
        match self {
            Self::Run => Relation::Runs,
            Self::Series(kind) => Relation::Series(kind),
        }
    }

    /// The entity of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entity| entity.variable() == name)
    }

    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Run,
        Self::Series(SeriesKind::Metric),
        Self::Series(SeriesKind::Images),
        Self::Series(SeriesKind::Texts),
        Self::Series(SeriesKind::Audios),
        Self::Series(SeriesKind::Distributions),
        Self::Series(SeriesKind::Figures),
    ];
}

/// The values a [`Program`] can look at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// Columns of the runs table.
    pub run: BTreeSet<String>,
    /// Parameters by path (whole subtrees); the empty path is the whole document.
    pub params: BTreeSet<Vec<Key>>,
    /// Stored summaries of the run's sequences.
    pub summaries: BTreeSet<SummaryRef>,
    /// All sequences of the run (name, context, summaries): the expression computes which one it wants.
    pub all_series: bool,
    /// Columns of the series table for the row's own sequence; `context` among them.
    pub series: BTreeSet<String>,
}

/// A stored summary of one sequence of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SummaryRef {
    /// Name of the sequence.
    pub series: String,
    /// The complete context as JSON; it compares by content.
    pub context: String,
    /// Column of the series table.
    pub field: String,
}
