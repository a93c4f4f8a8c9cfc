//! Ops one behind the other, row by row.

use crate::error::{Failure, OpError, Problem};
use crate::limits::{Budget, Limits, Share};
use crate::ops;
use crate::row::{Columns, Row};
use crate::store::Spool;
use crate::store::disk::Disk;
use lakeql_query::dialects::hydra::ops::{self as syntax, Call, Scope, find};
use lakeql_query::span::Span;

/// Whether more rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Yes.
    More,
    /// No: rows sent after this change nothing.
    Stop,
}

/// Takes rows.
pub trait Sink {
    /// Takes a row.
    ///
    /// # Errors
    /// What an op behind could not do with it.
    fn send(&mut self, row: Row) -> Result<Flow, OpError>;
}

impl Sink for Vec<Row> {
    fn send(&mut self, row: Row) -> Result<Flow, OpError> {
        self.push(row);
        Ok(Flow::More)
    }
}

/// An op at work.
pub(crate) trait Operator: Send {
    /// Takes a row and gives what follows from it.
    fn push(&mut self, row: Row, out: &mut dyn Sink) -> Result<Flow, Failure>;

    /// Gives what is left when no more rows come.
    fn finish(&mut self, _out: &mut dyn Sink) -> Result<Flow, Failure> {
        Ok(Flow::More)
    }
}

/// An op that was made, and the columns of its rows.
pub(crate) struct Made {
    pub(crate) operator: Box<dyn Operator>,
    pub(crate) columns: Columns,
}

/// What changes the meaning of a pipeline beside its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The sane meaning where the original has a known defect.
    pub strict: bool,
    /// What may be used.
    pub limits: Limits,
}

/// What ops are made with.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) strict: bool,
    pub(crate) budget: Budget,
    /// Bytes that one op may hold before its rows go to disk.
    pub(crate) quota: usize,
}

impl Setting {
    /// What an op may hold that can put its rows on disk.
    pub(crate) fn share(&self) -> Share {
        self.budget.share_up_to(self.quota)
    }

    /// For rows that wait.
    pub(crate) fn spool(&self) -> Spool {
        Spool::within(self.share(), Disk::default())
    }
}

/// A pipeline at work. Rows are pushed in, and come out of the other end as early as the ops allow.
pub struct Pipeline {
    stages: Vec<Stage>,
    columns: Columns,
}

struct Stage {
    name: &'static str,
    span: Span,
    operator: Box<dyn Operator>,
    rows: u64,
    /// It wants no more rows.
    done: bool,
}

impl Pipeline {
    /// Makes the ops for rows with these columns.
    ///
    /// # Errors
    /// What an op's arguments turn out to be wrong about, such as a bad regular expression.
    pub fn new(pipeline: &syntax::Pipeline, input: &Columns, options: Options) -> Result<Self, OpError> {
        // The ops that hold rows share the memory evenly, and leave one part to everything else.
        let holds = |call: &&Call| find(call.name).is_some_and(|info| info.scope != Scope::Row);
        let quota = options.limits.memory / (pipeline.ops.iter().filter(holds).count() + 1);
        Self::within(pipeline, input, &Setting { strict: options.strict, budget: Budget::new(options.limits), quota })
    }

    pub(crate) fn within(pipeline: &syntax::Pipeline, input: &Columns, setting: &Setting) -> Result<Self, OpError> {
        let mut columns = input.clone();
        let mut stages = vec![];
        for Call { name, span, op } in &pipeline.ops {
            let made = ops::make(op, &columns, setting).map_err(|problem| OpError {
                op: name,
                span: *span,
                row: None,
                problem,
            })?;
            columns = made.columns;
            stages.push(Stage { name, span: *span, operator: made.operator, rows: 0, done: false });
        }
        Ok(Self { stages, columns })
    }

    /// The columns of the rows that come out, as far as they are known.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Takes a row. After [`Flow::Stop`] no more rows are needed.
    ///
    /// # Errors
    /// The first op that could not go on.
    pub fn push(&mut self, row: Row, out: &mut dyn Sink) -> Result<Flow, OpError> {
        Chain { stages: &mut self.stages, out }.send(row)
    }

    /// Tells the ops that no more rows come.
    ///
    /// # Errors
    /// The first op that could not go on.
    pub fn finish(&mut self, out: &mut dyn Sink) -> Result<(), OpError> {
        // What stands before an op that wants no more rows has nothing to add.
        let mut next = self.stages.iter().rposition(|stage| stage.done).unwrap_or(0);
        while next < self.stages.len() {
            let Some((stage, behind)) = self.stages.get_mut(next..).and_then(<[Stage]>::split_first_mut) else { break };
            let result = stage.operator.finish(&mut Chain { stages: behind, out });
            stage.outcome(result, None)?;
            let stopped = self.stages.iter().rposition(|stage| stage.done).unwrap_or(0);
            next = stopped.max(next + 1);
        }
        Ok(())
    }

    /// Runs rows through and gives what comes out.
    ///
    /// # Errors
    /// The first op that could not go on.
    pub fn run(mut self, rows: impl IntoIterator<Item = Row>) -> Result<Vec<Row>, OpError> {
        let mut out = vec![];
        for row in rows {
            if self.push(row, &mut out)? == Flow::Stop {
                break;
            }
        }
        self.finish(&mut out)?;
        Ok(out)
    }
}

impl Stage {
    fn outcome(&mut self, result: Result<Flow, Failure>, row: Option<u64>) -> Result<Flow, OpError> {
        match result {
            Ok(Flow::More) => Ok(Flow::More),
            Ok(Flow::Stop) => {
                self.done = true;
                Ok(Flow::Stop)
            }
            Err(Failure::Below(error)) => Err(*error),
            Err(Failure::Here(problem)) => Err(OpError { op: self.name, span: self.span, row, problem }),
        }
    }
}

/// The ops from one on, and what takes their rows.
struct Chain<'a> {
    stages: &'a mut [Stage],
    out: &'a mut dyn Sink,
}

impl Sink for Chain<'_> {
    fn send(&mut self, row: Row) -> Result<Flow, OpError> {
        let Some((stage, behind)) = self.stages.split_first_mut() else { return self.out.send(row) };
        if stage.done {
            return Ok(Flow::Stop);
        }
        stage.rows += 1;
        let result = stage.operator.push(row, &mut Chain { stages: behind, out: self.out });
        let row = stage.rows;
        stage.outcome(result, Some(row))
    }
}

/// The row that a problem of a whole table has no number for.
pub(crate) fn no_rows(what: &str) -> Problem {
    Problem::other(format!("{what} of no rows"))
}
