//! Programs: expressions made ready to be asked of many rows.

mod access;
mod call;
mod compile;
mod eval;
mod iter;
mod metric;
mod node;

pub(crate) use call::{Args, Function};
pub(crate) use eval::Eval;
pub(crate) use iter::{Iter, IterCell, iterate};
pub(crate) use metric::MetricRef;

use crate::{Limits, Raised, Row, Value};
use lakeql_query::syntax::python::PyExpr;
use node::Node;

/// What is searched; decides the name of the item's variable. `run` is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entity {
    /// Runs: no variable besides `run`.
    Run,
    /// Numeric sequences: `metric`.
    Metric,
    /// `images`
    Images,
    /// `texts`
    Texts,
    /// `audios`
    Audios,
    /// `distributions`
    Distributions,
    /// `figures`
    Figures,
}

impl Entity {
    /// The name of the item's variable, if it is not `run`.
    #[must_use]
    pub fn variable(self) -> Option<&'static str> {
        Some(match self {
            Self::Run => return None,
            Self::Metric => "metric",
            Self::Images => "images",
            Self::Texts => "texts",
            Self::Audios => "audios",
            Self::Distributions => "distributions",
            Self::Figures => "figures",
        })
    }
}

/// The answer of a program for a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The value counts as true.
    True,
    /// The value counts as false.
    False,
    /// There is no value: the row is dropped.
    Raised(Raised),
}

/// A compiled expression. Compile once, evaluate on any number of rows and threads.
#[derive(Clone, Debug)]
pub struct Program {
    root: Node,
    /// How many names `:=` binds outside of lambdas.
    slots: usize,
}

impl Program {
    /// Compiles an expression. There are no errors here: what cannot work raises when it is evaluated.
    #[must_use]
    pub fn compile(expr: &PyExpr, entity: Entity) -> Self {
        compile::program(expr, entity)
    }

    /// The expression's value for a row.
    ///
    /// # Errors
    /// The exception that the evaluation ends with; [`Raised::is_limit`] tells those of the limits.
    pub fn evaluate(&self, row: &dyn Row, limits: &Limits) -> Result<Value, Raised> {
        Eval::new(row, limits).run(&self.root, self.slots)
    }

    /// Whether the row is kept, dropped, or dropped because of an exception.
    #[must_use]
    pub fn outcome(&self, row: &dyn Row, limits: &Limits) -> Outcome {
        match Eval::new(row, limits).truth(&self.root, self.slots) {
            Ok(true) => Outcome::True,
            Ok(false) => Outcome::False,
            Err(raised) => Outcome::Raised(raised),
        }
    }
}
