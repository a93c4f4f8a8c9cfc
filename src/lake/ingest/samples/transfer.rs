//! Files to the tables of samples: the properties of a data set as runs, part by part, and the blocks of its files.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::row::{RowConverter, SortField};
use futures::TryStreamExt;
use tokio::sync::mpsc;
use xxhash_rust::xxh3::Xxh3;

use super::blocks::Block;
use super::runs::RunCutter;
use super::source::FileSource;
use super::{SampleSchema, fault, parquet, read_columns};
use crate::catalog::lake::{AsOf, Lake};
use crate::catalog::samples::{Property, SampleDataset, SampleFile};
use crate::catalog::tables::Table;
use crate::error::{Error, Result};
use crate::storage::anywhere::size;
use crate::storage::reader;
use crate::storage::segment::SegmentId;
use crate::storage::writer::{TableWriter, WrittenFile};

/// Blocks that are handed on together.
const BLOCKS: usize = 4_096;

/// Properties whose runs are kept together in a segment.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) segment: SegmentId,
    pub(super) properties: Vec<Property>,
    /// Where they are among the columns that are read; nothing where a property is missing there.
    columns: Vec<Option<usize>>,
    /// Of the rows of the lake.
    schema: SchemaRef,
}

impl Part {
    pub(super) fn new(segment: SegmentId, properties: Vec<Property>, columns: Vec<Option<usize>>) -> Self {
        let system = Table::Samples.schema();
        let own = properties.iter().map(|property| Arc::new(property.field()));
        let schema = Arc::new(Schema::new(system.fields().iter().cloned().chain(own).collect::<Vec<_>>()));
        Self { segment, properties, columns, schema }
    }

    /// What the part has of the columns that were read.
    fn project(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let (mut columns, mut fields): (Vec<ArrayRef>, Vec<_>) = (vec![], vec![]);
        for (property, column) in self.properties.iter().zip(&self.columns) {
            let field = property.field();
            columns.push(match column.and_then(|index| batch.columns().get(index)) {
                Some(column) => Arc::clone(column),
                None => new_null_array(field.data_type(), rows),
            });
            fields.push(field);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
    }

    /// Starts a file of the part.
    pub(super) fn cutter<'a>(&'a self, numbers: (u32, u32), name: &'a str, lines: bool) -> RunCutter<'a> {
        RunCutter::new(numbers, name, lines, &self.properties, Arc::clone(&self.schema))
    }

    /// Starts the table's file.
    pub(super) fn writer(&self, lake: &Lake) -> Result<TableWriter> {
        lake.sample_writer(Table::Samples, self.segment, Arc::clone(&self.schema))
    }
}

/// What the reading thread sends.
enum Piece {
    /// Runs of a part.
    Runs(usize, RecordBatch),
    /// Blocks of the file with this number.
    Blocks(u32, Vec<Block>),
    /// A file has ended: its samples and bytes.
    File(u64, u64),
}

/// Writes what files have.
pub(super) struct Transfer<'a> {
    pub(super) lake: &'a Lake,
    pub(super) parts: &'a [Part],
    pub(super) schema: &'a SampleSchema,
}

impl Transfer<'_> {
    /// Writes the runs and blocks of these files, behind those of the files that are kept. Fills in the data set's files and
    /// digest.
    pub(super) async fn write(
        &self,
        dataset: &mut SampleDataset,
        kept: Option<&SampleDataset>,
        files: Vec<(FileSource, u32)>,
    ) -> Result<Vec<WrittenFile>> {
        let mut sink = Sink::new(self.lake, self.parts)?;
        let outcome = async {
            if let Some(kept) = kept {
                self.copy(kept, &mut sink).await?;
            }
            self.read(dataset, files, &mut sink).await
        };
        match outcome.await {
            Ok(()) => {
                dataset.digest = sink.digest.finish();
                sink.finish().await
            }
            Err(error) => {
                sink.abort().await;
                Err(error)
            }
        }
    }

    /// What is there already.
    async fn copy(&self, kept: &SampleDataset, sink: &mut Sink) -> Result<()> {
        let snapshot = self.lake.snapshot(AsOf::Latest).await?;
        for (index, (segment, _)) in kept.segments().into_iter().enumerate() {
            let Some(file) = snapshot.sample_rows(segment) else { continue };
            let mut stream = reader::open(snapshot.store(), &file.location, file.size, None).await?;
            while let Some(batch) = stream.batches.try_next().await? {
                sink.runs(index, &batch).await?;
            }
        }
        if let Some(file) = snapshot.table(Table::SampleBlocks).file(kept.segment) {
            let mut stream = reader::open(snapshot.store(), &file.location, file.size, None).await?;
            while let Some(batch) = stream.batches.try_next().await? {
                sink.blocks.write(&batch).await?;
            }
        }
        for file in &kept.files {
            sink.digest.file(&file.name, file.id, file.samples, file.bytes);
        }
        Ok(())
    }

    /// Reads all files on a thread of its own.
    async fn read(&self, dataset: &mut SampleDataset, files: Vec<(FileSource, u32)>, sink: &mut Sink) -> Result<()> {
        let (sender, mut pieces) = mpsc::channel(8);
        let (schema, number, list) = (self.schema.clone(), dataset.id, files.clone());
        let parts = self.parts.to_vec();
        let reading = tokio::task::spawn_blocking(move || {
            for (file, id) in &list {
                if let Err(error) = read_file((number, *id), file, &schema, &parts, &sender) {
                    // Nobody listens if the writer has failed before.
                    let _ = sender.blocking_send(Err(error));
                    return;
                }
            }
        });
        let mut left = files.iter();
        while let Some(piece) = pieces.recv().await {
            match piece? {
                Piece::Runs(part, batch) => sink.runs(part, &batch).await?,
                Piece::Blocks(file, blocks) => sink.blocks(file, &blocks).await?,
                Piece::File(samples, bytes) => {
                    if let Some((file, id)) = left.next() {
                        sink.digest.file(&file.name, *id, samples, bytes);
                        dataset.files.push(SampleFile { name: file.name.clone(), id: *id, samples, bytes });
                    }
                }
            }
        }
        reading.await.map_err(|error| Error::Internal(error.to_string()))
    }
}

fn read_file(
    numbers: (u32, u32),
    file: &FileSource,
    schema: &SampleSchema,
    parts: &[Part],
    sender: &mpsc::Sender<Result<Piece>>,
) -> Result<()> {
    let shown = file.path.display().to_string();
    let unreadable = |error: std::io::Error| fault(&shown, None, None, format!("the file cannot be read: {error}"));
    let bytes = size(&file.path).map_err(unreadable)?;
    let lines = !parquet::is_parquet(&file.path) && !super::tar::is_tar(&file.path);
    let mut cutters: Vec<RunCutter<'_>> = parts.iter().map(|part| part.cutter(numbers, &shown, lines)).collect();
    let give = |piece: Piece| sender.blocking_send(Ok(piece)).is_ok();
    let mut full: Vec<Block> = vec![];
    let mut samples = 0;
    read_columns(
        &file.path,
        &shown,
        schema,
        &mut |block| {
            full.push(block);
            full.len() < BLOCKS || give(Piece::Blocks(numbers.1, std::mem::take(&mut full)))
        },
        &mut |batch| {
            samples += batch.num_rows() as u64;
            for (index, (part, cutter)) in parts.iter().zip(&mut cutters).enumerate() {
                for runs in cutter.cut(&part.project(&batch)?)? {
                    if !give(Piece::Runs(index, runs)) {
                        return Ok(false);
                    }
                }
            }
            Ok(true)
        },
    )?;
    if let Some(expected) = file.rows
        && expected != samples
    {
        let reason = format!("the catalogue says {expected} samples, the file has {samples}");
        return Err(fault(&shown, None, None, reason));
    }
    for (index, cutter) in cutters.into_iter().enumerate() {
        if let Some(runs) = cutter.finish()? {
            give(Piece::Runs(index, runs));
        }
    }
    if !full.is_empty() {
        give(Piece::Blocks(numbers.1, full));
    }
    give(Piece::File(samples, bytes));
    Ok(())
}

/// The files of the lake that are being written.
struct Sink {
    parts: Vec<TableWriter>,
    blocks: TableWriter,
    digest: Digest,
}

impl Sink {
    fn new(lake: &Lake, parts: &[Part]) -> Result<Self> {
        let writers = parts.iter().map(|part| part.writer(lake)).collect::<Result<_>>()?;
        let segment = parts.first().map(|part| part.segment).unwrap_or_default();
        let blocks = lake.sample_writer(Table::SampleBlocks, segment, Table::SampleBlocks.schema())?;
        Ok(Self { parts: writers, blocks, digest: Digest::new(parts)? })
    }

    async fn runs(&mut self, part: usize, batch: &RecordBatch) -> Result<()> {
        self.digest.runs(part, batch)?;
        match self.parts.get_mut(part) {
            Some(writer) => writer.write(batch).await,
            None => Ok(()),
        }
    }

    async fn blocks(&mut self, file: u32, blocks: &[Block]) -> Result<()> {
        let int = |value: fn(&Block) -> u64| -> ArrayRef {
            let values = blocks.iter().map(|block| i64::try_from(value(block)).unwrap_or(i64::MAX));
            Arc::new(Int64Array::from_iter_values(values))
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![i64::from(file); blocks.len()])),
            int(|block| block.first),
            int(|block| block.offset),
            int(|block| block.bytes),
            Arc::new(Int64Array::from_iter_values(blocks.iter().map(|block| block.checksum))),
        ];
        self.blocks.write(&RecordBatch::try_new(Table::SampleBlocks.schema(), columns)?).await
    }

    async fn finish(self) -> Result<Vec<WrittenFile>> {
        let mut files = vec![];
        for writer in self.parts {
            files.push(writer.finish().await?);
        }
        files.push(self.blocks.finish().await?);
        Ok(files)
    }

    async fn abort(self) {
        for writer in self.parts {
            writer.abort().await;
        }
        self.blocks.abort().await;
    }
}

/// Stands for the content of a data set, except for what was added to it later.
struct Digest {
    files: Xxh3,
    parts: Vec<Option<(Xxh3, RowConverter)>>,
}

impl Digest {
    fn new(parts: &[Part]) -> Result<Self> {
        let mut own = vec![];
        let mut files = Xxh3::new();
        for part in parts {
            if !part.properties.is_empty() && part.properties.iter().all(|property| property.added) {
                own.push(None);
                continue;
            }
            for property in &part.properties {
                // Which segment has it does not matter.
                let bare = Property { apart: None, ..property.clone() };
                files.update(serde_json::to_string(&bare).unwrap_or_default().as_bytes());
            }
            files.update(b";");
            let fields = part.schema.fields().iter().map(|field| SortField::new(field.data_type().clone()));
            own.push(Some((Xxh3::new(), RowConverter::new(fields.collect())?)));
        }
        Ok(Self { files, parts: own })
    }

    fn runs(&mut self, part: usize, batch: &RecordBatch) -> Result<()> {
        if let Some(Some((hash, rows))) = self.parts.get_mut(part) {
            for row in rows.convert_columns(batch.columns())?.iter() {
                hash.update(row.as_ref());
            }
        }
        Ok(())
    }

    fn file(&mut self, name: &str, id: u32, samples: u64, bytes: u64) {
        self.files.update(name.as_bytes());
        for number in [u64::from(id), samples, bytes] {
            self.files.update(&number.to_le_bytes());
        }
    }

    fn finish(&self) -> String {
        let mut all = self.files.clone();
        for (hash, _) in self.parts.iter().flatten() {
            all.update(&hash.digest128().to_le_bytes());
        }
        format!("{:032x}", all.digest128())
    }
}
