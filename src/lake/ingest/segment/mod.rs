//! One chunk of an import becomes one segment: a sorted Parquet file per table.

mod attributes;
mod counts;
mod order;
mod paths;
mod points;
mod runs;
mod series;
mod typed;

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use object_store::ObjectStore;
use object_store::path::Path;
use tokio::runtime::Handle;

pub use self::counts::ProjectCounts;
pub(crate) use self::counts::add_counts;
use self::order::Ordered;
use super::block::Block;
use super::session::key_of;
use crate::catalog::tables::Table;
use crate::error::Error;
use crate::storage::segment::{FileName, SegmentId, Staged, StagedRun};
use crate::storage::writer::{TableWriter, WrittenFile};

/// Where the files of a segment go and what they are marked with.
pub(crate) struct Target {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// The folder of each table.
    pub(crate) folder: Arc<dyn Fn(Table) -> Path + Send + Sync>,
    /// The segment's number, the upper half of its ordinals.
    pub(crate) segment: SegmentId,
    /// The time of the import, in microseconds since 1970.
    pub(crate) imported_at: i64,
    /// Paths with typed columns elsewhere in the lake.
    pub(crate) hot: HotPaths,
}

/// Paths that have typed columns in the lake already.
#[derive(Debug, Default, Clone)]
pub(crate) struct HotPaths {
    /// Of parameters.
    pub(crate) runs: HashSet<String>,
    /// Of contexts.
    pub(crate) contexts: HashSet<String>,
}

impl HotPaths {
    /// Adds the paths of another segment.
    pub(crate) fn extend(&mut self, other: &HotPaths) {
        self.runs.extend(other.runs.iter().cloned());
        self.contexts.extend(other.contexts.iter().cloned());
    }
}

/// What has been written.
#[derive(Debug)]
pub(crate) struct WrittenSegment {
    pub(crate) staged: Staged,
    pub(crate) series: u64,
    pub(crate) points: u64,
    pub(crate) bytes: u64,
    pub(crate) counts: Vec<ProjectCounts>,
    /// The paths that have typed columns in it.
    pub(crate) hot: HotPaths,
    /// For every block the place of its runs in the file of `runs`.
    pub(crate) places: Vec<Vec<u32>>,
}

/// The place of a run that is not written.
pub(crate) const NO_PLACE: u32 = u32::MAX;

/// Parsed blocks that become one segment.
#[derive(Default)]
pub(crate) struct Chunk {
    blocks: Vec<Block>,
    /// Rows of `runs` per block that a later line has replaced.
    dropped: Vec<HashSet<u32>>,
    bytes: usize,
    runs: usize,
}

impl Chunk {
    /// Adds a block and returns its position.
    pub(crate) fn add(&mut self, block: Block) -> usize {
        self.bytes += block.bytes();
        self.runs += block.runs.len();
        self.blocks.push(block);
        self.dropped.push(HashSet::new());
        self.blocks.len() - 1
    }

    /// Leaves a run out of the segment.
    pub(crate) fn drop_run(&mut self, block: usize, row: u32) {
        if let Some(dropped) = self.dropped.get_mut(block)
            && dropped.insert(row)
        {
            self.runs -= 1;
        }
    }

    /// About how much memory the blocks take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many blocks there are.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// How many runs would be written.
    pub(crate) fn runs(&self) -> usize {
        self.runs
    }
}

/// Rows of one batch on the way to a file.
const BATCH_ROWS: usize = 65_536;

/// Writes all tables of a chunk; blocks the thread. Objects that exist when an error comes are deleted.
pub(crate) fn write_segment(chunk: Chunk, target: &Target, handle: &Handle) -> Result<WrittenSegment, Error> {
    let ordered = Ordered::new(&chunk.blocks, &chunk.dropped);
    let hot_runs = typed::hot_run_paths(&ordered, &target.hot.runs);
    let hot_contexts = typed::hot_context_paths(&ordered, &target.hot.contexts);
    let hot = Hot { runs: &hot_runs, contexts: &hot_contexts };
    // Points are most of the bytes, so they have a thread of their own.
    let (points, others) = std::thread::scope(|scope| {
        let points = scope.spawn(|| handle.block_on(points::write(&ordered, target)));
        let others = handle.block_on(write_others(&ordered, target, hot));
        let points =
            points.join().unwrap_or_else(|_| Err(Error::Internal("the thread that writes points has ended".into())));
        (points, others)
    });
    let (mut files, others) = match (points, others) {
        (Ok(points), Ok(others)) => (points, others),
        (points, others) => {
            let mut error = None;
            for result in [points, others] {
                match result {
                    Ok(files) => handle.block_on(discard(target, &files)),
                    Err(fault) => error = Some(fault),
                }
            }
            return Err(error.unwrap_or_else(|| Error::Internal("nothing was written".into())));
        }
    };
    files.extend(others);
    let rows = |table: Table| files.iter().filter(|file| file.table == table).map(|file| file.rows).sum();
    Ok(WrittenSegment {
        series: rows(Table::Series),
        points: rows(Table::Points),
        bytes: files.iter().map(|file| file.size).sum(),
        counts: counts::count(&ordered),
        hot: hot.owned(),
        places: ordered.places(),
        staged: Staged { segment: target.segment, files, runs: staged_runs(&ordered), dropped: Vec::new() },
    })
}

fn staged_runs(ordered: &Ordered<'_>) -> Vec<StagedRun> {
    let runs = ordered.runs.iter().filter_map(|place| ordered.run(*place));
    runs.map(|(block, run)| StagedRun { key: key_of(block, run), digest: run.digest }).collect()
}

/// Deletes objects that no commit will name. A failure leaves an orphan for `vacuum`.
pub(crate) async fn discard(target: &Target, files: &[WrittenFile]) {
    for file in files {
        let object = (target.folder)(file.table).join(file.name.as_str());
        let _ = object_store::ObjectStoreExt::delete(&target.store, &object).await;
    }
}

/// The paths that get typed columns in this segment.
#[derive(Clone, Copy)]
struct Hot<'a> {
    runs: &'a HashSet<&'a str>,
    contexts: &'a HashSet<&'a str>,
}

impl Hot<'_> {
    fn owned(self) -> HotPaths {
        let own = |paths: &HashSet<&str>| paths.iter().map(|path| (*path).to_owned()).collect();
        HotPaths { runs: own(self.runs), contexts: own(self.contexts) }
    }
}

async fn write_others(ordered: &Ordered<'_>, target: &Target, hot: Hot<'_>) -> Result<Vec<WrittenFile>, Error> {
    let mut files = Vec::new();
    let done = write_others_into(ordered, target, hot, &mut files).await;
    match done {
        Ok(()) => Ok(files),
        Err(error) => {
            discard(target, &files).await;
            Err(error)
        }
    }
}

async fn write_others_into(
    ordered: &Ordered<'_>,
    target: &Target,
    hot: Hot<'_>,
    files: &mut Vec<WrittenFile>,
) -> Result<(), Error> {
    let typed = typed::run_columns(ordered, hot.runs)?;
    files.extend(write_batches(target, Table::Runs, runs::batches(ordered, target, typed)?).await?);
    files.extend(write_batches(target, Table::Attributes, attributes::batches(ordered, target)?).await?);
    let typed = typed::context_columns(ordered, hot.contexts)?;
    files.extend(write_batches(target, Table::Series, series::batches(ordered, target, typed)?).await?);
    files.extend(write_batches(target, Table::Paths, paths::batches(ordered, hot)?).await?);
    Ok(())
}

/// The batches of one table, made one after the other.
type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch, Error>> + 'a>;

/// Writes the batches to a file; no file when there are no rows.
async fn write_batches(target: &Target, table: Table, batches: Batches<'_>) -> Result<Option<WrittenFile>, Error> {
    let mut writer: Option<TableWriter> = None;
    for batch in batches {
        let written = match (batch, writer.as_mut()) {
            (Err(error), _) => Err(error),
            (Ok(batch), Some(writer)) => writer.write(&batch).await,
            (Ok(batch), None) => {
                let folder = (target.folder)(table);
                let name = FileName::new(target.segment, 0).text;
                let store = Arc::clone(&target.store);
                let new = TableWriter::new(store, &folder, &name, table, batch.schema(), Vec::new())?;
                writer.insert(new).write(&batch).await
            }
        };
        if let Err(error) = written {
            if let Some(writer) = writer {
                writer.abort().await;
            }
            return Err(error);
        }
    }
    match writer {
        Some(writer) => writer.finish().await.map(Some),
        None => Ok(None),
    }
}
