//! A whole query: path and `rops` on every worker's tree, `ops` over the rows of all.

use super::{Tree, walk};
use crate::error::OpError;
use crate::pipeline::{Flow, Options, Pipeline, Sink};
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::{ops, path};
use std::sync::atomic::AtomicBool;

/// Which text of a query went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// The path.
    Path,
    /// The ops over each tree.
    WorkerOps,
    /// The ops over all trees.
    Ops,
}

/// What a query could not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct QueryError {
    /// The text that its place is in.
    pub text: Text,
    /// What and where.
    pub error: OpError,
}

/// What is asked of some trees.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The walk over each tree.
    pub path: path::Path,
    /// Ops over the rows of each tree.
    pub worker_ops: ops::Pipeline,
    /// Ops over the rows of all trees, in the order of the trees.
    pub ops: ops::Pipeline,
}

impl Query {
    /// Asks the trees one after the other; gives the columns of the answer.
    ///
    /// # Errors
    /// What the path or an op could not do.
    pub fn run<T: Tree>(
        &self,
        trees: &[&T],
        options: Options,
        interrupted: Option<&AtomicBool>,
        out: &mut dyn Sink,
    ) -> Result<Columns, Box<QueryError>> {
        let of = |text: Text| move |error: OpError| Box::new(QueryError { text, error });
        let united = Columns::new();
        let mut master = Pipeline::new(&self.ops, &united, options).map_err(of(Text::Ops))?;
        let answer = master.columns().clone();
        for tree in trees {
            let columns = Columns::new();
            let mut worker = Pipeline::new(&self.worker_ops, &columns, options).map_err(of(Text::WorkerOps))?;
            let from = worker.columns().clone();
            let mut unite =
                Unite { from, to: &united, positions: vec![], master: &mut master, out, stopped: false, failed: false };
            let mut feed = Feed { worker: &mut worker, unite: &mut unite };
            let walked = walk(*tree, &self.path, &columns, interrupted, &mut feed).map(drop);
            let done = walked.and_then(|()| worker.finish(&mut unite).map(drop));
            if let Err(error) = done {
                let text = match error.op {
                    "path" => Text::Path,
                    _ if unite.failed => Text::Ops,
                    _ => Text::WorkerOps,
                };
                return Err(of(text)(error));
            }
            if unite.stopped {
                break;
            }
        }
        master.finish(out).map_err(of(Text::Ops))?;
        Ok(answer)
    }
}

/// Rows of the path go through a worker's ops.
struct Feed<'a, 'b> {
    worker: &'a mut Pipeline,
    unite: &'a mut Unite<'b>,
}

impl Sink for Feed<'_, '_> {
    fn send(&mut self, row: Row) -> Result<Flow, OpError> {
        self.worker.push(row, self.unite)
    }
}

/// Rows of a worker become rows of all: columns of one name are one column.
struct Unite<'a> {
    from: Columns,
    to: &'a Columns,
    positions: Vec<usize>,
    master: &'a mut Pipeline,
    out: &'a mut dyn Sink,
    stopped: bool,
    /// Whether it was the ops over all rows that failed.
    failed: bool,
}

impl Sink for Unite<'_> {
    fn send(&mut self, row: Row) -> Result<Flow, OpError> {
        while self.positions.len() < row.len() {
            let position = self.positions.len();
            let name = self.from.name(position).unwrap_or_else(|| position.to_string());
            self.positions.push(self.to.find_or_create(&name));
        }
        let straight = self.positions.iter().take(row.len()).enumerate().all(|(from, to)| from == *to);
        let united = if straight {
            row
        } else {
            let mut united = Row::default();
            for (cell, to) in row.cells.into_iter().zip(&self.positions) {
                united.set(*to, cell);
            }
            united
        };
        let flow = self.master.push(united, self.out).inspect_err(|_| self.failed = true)?;
        self.stopped |= flow == Flow::Stop;
        Ok(flow)
    }
}
