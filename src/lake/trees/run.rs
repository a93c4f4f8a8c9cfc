//! The nodes of a stored tree one after the other, depth first.

use futures::TryStreamExt;
use futures::stream::BoxStream;
use lakeql_rows::error::Problem;
use lakeql_rows::tree::{Plan, Run, Visit};
use tokio::runtime::Handle;

use super::level::Block;
use super::tree::state_at;
use crate::catalog::snapshot::Snapshot;
use crate::catalog::trees::{StateColumns, TreeInfo, level_column};
use crate::error::{Error, Result};
use crate::storage::reader;

/// A stored tree, read front to back. Must be used by a thread that may wait.
pub(crate) struct StoredRun {
    plan: Plan,
    levels: Vec<Rows>,
    /// The rows of the children that are still to come, for each node on the way, from the root on.
    left: Vec<u64>,
    runtime: Handle,
}

/// The rows of a level.
struct Rows {
    batches: BoxStream<'static, Result<arrow::array::RecordBatch>>,
    /// The batch that the next row is in.
    block: Option<Block>,
    row: u64,
    names: usize,
    hits: usize,
    children: usize,
    states: Vec<(usize, StateColumns, usize)>,
}

/// The run of a tree.
pub(crate) async fn stored_run(snapshot: &Snapshot, tree: &TreeInfo) -> Result<Box<dyn Run + Send>> {
    let (_, plan) = tree.plan()?;
    let mut levels = vec![];
    for number in 1..=tree.levels {
        let damaged = |reason: &str| Error::Damaged {
            path: crate::Table::Nodes.name().to_owned(),
            reason: format!("level {number} of a tree: {reason}"),
        };
        let file = snapshot.tree_level(tree, number).ok_or_else(|| damaged("its file is missing"))?;
        let level = usize::try_from(number).map_err(|error| Error::Internal(error.to_string()))?;
        let opened = reader::open(snapshot.store(), &file.location, file.size, None).await?;
        let place = |name: &str| opened.schema.index_of(name).map_err(|_| damaged("a column is missing"));
        let states = plan
            .columns_of_level(level)
            .filter_map(|column| {
                let attach = plan.columns().get(column)?;
                let columns = StateColumns::of(&attach.name, &attach.spec);
                let first = opened.schema.index_of(columns.fields().first()?.name()).ok()?;
                Some((column, columns, first))
            })
            .collect();
        let (names, hits, children) = (place(&level_column(level))?, place("hits")?, place("children")?);
        levels.push(Rows { batches: opened.batches, block: None, row: 0, names, hits, children, states });
    }
    let mut run = StoredRun { plan, levels, left: vec![tree.children], runtime: Handle::current() };
    // The first row of the first level; others are read when they are come to.
    if let Some(first) = run.levels.first_mut().filter(|_| tree.children > 0) {
        first.fill_async().await?;
    }
    run.settle();
    Ok(Box::new(run))
}

impl Rows {
    async fn fill_async(&mut self) -> Result<()> {
        while self.block.as_ref().is_none_or(|block| block.end() <= self.row) {
            match self.batches.try_next().await? {
                Some(rows) => self.block = Some(Block { rows, start: self.row }),
                None => {
                    self.block = None;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn text(&self, column: usize) -> Option<&str> {
        let block = self.block.as_ref()?;
        let names = block.rows.columns().get(column)?;
        let index = usize::try_from(self.row.checked_sub(block.start)?).ok()?;
        let names = arrow::array::AsArray::as_string_opt::<i32>(names)?;
        (index < block.rows.num_rows()).then(|| names.value(index))
    }

    fn int(&self, column: usize) -> Option<i64> {
        self.block.as_ref()?.int(column, self.row)
    }
}

impl StoredRun {
    /// Goes back up from nodes whose children are all done.
    fn settle(&mut self) {
        while self.left.len() > 1 && self.left.last() == Some(&0) {
            self.left.pop();
        }
    }

    fn next(&self) -> Option<&Rows> {
        if self.left == [0] {
            return None;
        }
        self.levels.get(self.left.len() - 1)
    }
}

fn damaged() -> Problem {
    Problem::Read("a tree is damaged: rows are missing".to_owned())
}

impl Run for StoredRun {
    fn depth(&self) -> usize {
        if self.left == [0] { 0 } else { self.left.len() }
    }

    fn name(&self) -> &str {
        self.next().and_then(|rows| rows.text(rows.names)).unwrap_or_default()
    }

    fn take(&mut self, into: &mut Visit) -> Result<(), Problem> {
        let depth = self.left.len();
        let Some(rows) = self.levels.get_mut(depth - 1) else { return Err(damaged()) };
        into.add_hits(rows.int(rows.hits).ok_or_else(damaged)?);
        let children = rows.int(rows.children).and_then(|it| u64::try_from(it).ok()).ok_or_else(damaged)?;
        if let Some(block) = &rows.block {
            for (column, columns, first) in &rows.states {
                let Some(spec) = self.plan.columns().get(*column).map(|attach| &attach.spec) else { continue };
                if let Some(state) = state_at(block, rows.row, *first, columns, spec)? {
                    into.attach(*column, state)?;
                }
            }
        }
        rows.row += 1;
        if let Some(left) = self.left.last_mut() {
            *left -= 1;
        }
        self.left.push(children);
        self.settle();
        // The row that comes next is read now, because names are asked for without waiting.
        if self.depth() > 0 {
            let next = self.left.len() - 1;
            let rows = self.levels.get_mut(next).ok_or_else(damaged)?;
            self.runtime.block_on(rows.fill_async()).map_err(|error| Problem::Read(error.to_string()))?;
            if rows.block.is_none() {
                return Err(damaged());
            }
        }
        Ok(())
    }
}
