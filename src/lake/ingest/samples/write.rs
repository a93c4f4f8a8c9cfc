//! Runs to the lake: each data set becomes a segment, and one commit at the end makes all of them visible.

use std::path::PathBuf;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::row::{RowConverter, SortField};
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio::sync::mpsc;
use xxhash_rust::xxh3::Xxh3;

use super::runs::RunCutter;
use super::source::{DatasetSource, FileSource, SampleSource};
use super::{fault, json, parquet};
use crate::catalog::lake::{AsOf, Lake};
use crate::catalog::samples::{Collection, SampleCatalog, SampleDataset, SampleFile};
use crate::catalog::tables::Table;
use crate::error::{Error, Result};
use crate::storage::writer::{TableWriter, WrittenFile};

/// What an import has done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SampleReport {
    /// Data sets that the lake did not have.
    pub added: u64,
    /// Data sets that were there with other content.
    pub replaced: u64,
    /// Data sets that were there just so.
    pub unchanged: u64,
    /// Files of the data sets that were written.
    pub files: u64,
    /// Their samples.
    pub samples: u64,
    /// Rows that these became.
    pub runs: u64,
    /// Bytes of the files that were read.
    pub bytes_read: u64,
    /// Bytes of the Parquet files that were written.
    pub bytes_written: u64,
    /// How long it took.
    pub seconds: f64,
    /// The version of the lake afterwards.
    pub version: u64,
}

/// What the reading thread sends.
enum Piece {
    Rows(RecordBatch),
    /// A file has ended: its samples and bytes.
    File(u64, u64),
}

/// Brings samples into the lake. A data set of the same name is replaced; it and its files keep their numbers.
///
/// # Errors
/// Something in the data is wrong: then the lake stays as it was. Or the lake cannot be written.
pub async fn import_samples(lake: &Lake, source: &SampleSource) -> Result<SampleReport> {
    let started = Instant::now();
    let mut report = SampleReport::default();
    let base = Arc::clone(lake.snapshot(AsOf::Latest).await?.samples().await?);
    let mut target: SampleCatalog = base.as_ref().clone();
    let mut written = vec![];
    for (name, datasets) in &source.collections {
        let mut collection = base.collections.get(name).cloned().unwrap_or_default();
        for dataset in datasets {
            let import = Import { lake, collection_name: name, source: dataset };
            import.run(&mut collection, &mut written, &mut report).await?;
        }
        collection.datasets.sort_by_key(|dataset| dataset.id);
        target.collections.insert(name.clone(), collection);
    }
    report.bytes_written = written.iter().map(|file: &WrittenFile| file.size).sum();
    report.version = if written.is_empty() {
        lake.version().await?
    } else {
        let info = Map::from_iter([
            ("operation".to_owned(), Value::from("import samples")),
            ("datasets_added".to_owned(), report.added.into()),
            ("datasets_replaced".to_owned(), report.replaced.into()),
            ("samples".to_owned(), report.samples.into()),
            ("bytes".to_owned(), report.bytes_written.into()),
        ]);
        let names: Vec<&String> = source.collections.iter().map(|(name, _)| name).collect();
        let change = |now: &SampleCatalog| merged(now, &base, &target, &names);
        lake.commit_samples(written, info, change).await?.0
    };
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Takes a data set out of a collection. Returns the version of the lake, or nothing if there is no such data set.
///
/// # Errors
/// The lake cannot be written.
pub async fn remove_dataset(lake: &Lake, collection: &str, dataset: &str) -> Result<Option<u64>> {
    let change = |now: &SampleCatalog| {
        let mut next = now.clone();
        let Some(found) = next.collections.get_mut(collection) else { return Ok(None) };
        let before = found.datasets.len();
        found.datasets.retain(|it| it.name != dataset);
        let changed = found.datasets.len() < before;
        if found.datasets.is_empty() {
            next.collections.remove(collection);
        }
        Ok(changed.then_some(next))
    };
    let info = Map::from_iter([
        ("operation".to_owned(), Value::from("remove samples")),
        ("collection".to_owned(), collection.into()),
        ("dataset".to_owned(), dataset.into()),
    ]);
    let (version, changed) = lake.commit_samples(vec![], info, change).await?;
    Ok(changed.then_some(version))
}

/// The collections of an import on top of what others have changed in the meantime.
fn merged(
    now: &SampleCatalog,
    base: &SampleCatalog,
    target: &SampleCatalog,
    names: &[&String],
) -> Result<Option<SampleCatalog>> {
    let mut next = now.clone();
    for name in names {
        // Numbers are in the rows, so somebody else's change of the same collection cannot be kept beside this one.
        if now.collections.get(*name) != base.collections.get(*name) {
            return Err(Error::Conflict { attempts: 1 });
        }
        if let Some(collection) = target.collections.get(*name) {
            next.collections.insert((*name).clone(), collection.clone());
        }
    }
    Ok(Some(next))
}

struct Import<'a> {
    lake: &'a Lake,
    collection_name: &'a str,
    source: &'a DatasetSource,
}

impl Import<'_> {
    async fn run(
        &self,
        collection: &mut Collection,
        written: &mut Vec<WrittenFile>,
        report: &mut SampleReport,
    ) -> Result<()> {
        self.check(collection)?;
        let known = collection.datasets.iter().position(|it| it.name == self.source.name);
        let known = known.map(|index| collection.datasets.remove(index));
        let segment = self.lake.claim_segment().await?;
        let files = self.numbered(collection, known.as_ref())?;
        let mut dataset = SampleDataset {
            name: self.source.name.clone(),
            id: known.as_ref().map_or_else(|| self.dataset_number(collection), |known| known.id),
            format: if files.iter().all(|(file, _)| parquet::is_parquet(&file.path)) { "parquet" } else { "jsonl" }
                .into(),
            location: self.source.location.display().to_string(),
            segment,
            digest: String::new(),
            samples: 0,
            properties: self.source.schema.properties(),
            files: vec![],
        };
        let own = Collection { datasets: vec![dataset.clone()] };
        let writer = self.lake.sample_writer(Table::Samples, segment, own.schema())?;
        let rows = self.write(writer, &mut dataset, &files).await?;
        dataset.samples = dataset.files.iter().map(|file| file.samples).sum();
        if let Some(known) = &known
            && (&known.digest, &known.location) == (&dataset.digest, &dataset.location)
        {
            // Nobody refers to the new file.
            let object = self.lake.folder(Table::Samples).join(rows.name.as_str());
            let _ = object_store::ObjectStoreExt::delete(self.lake.store(), &object).await;
            report.unchanged += 1;
            report.bytes_read += dataset.files.iter().map(|file| file.bytes).sum::<u64>();
            collection.datasets.push(known.clone());
            return Ok(());
        }
        if known.is_some() {
            report.replaced += 1;
        } else {
            report.added += 1;
        }
        report.files += dataset.files.len() as u64;
        report.samples += dataset.samples;
        report.bytes_read += dataset.files.iter().map(|file| file.bytes).sum::<u64>();
        report.runs += rows.rows;
        written.push(rows);
        written.push(self.lake.write_sample_files(self.collection_name, &dataset).await?);
        collection.datasets.push(dataset);
        Ok(())
    }

    /// A property means the same in all data sets of a collection.
    fn check(&self, collection: &Collection) -> Result<()> {
        let others = collection.datasets.iter().filter(|it| it.name != self.source.name);
        let others: Vec<_> = others.flat_map(|it| it.properties.iter().map(move |property| (it, property))).collect();
        for property in &self.source.schema.properties() {
            let same = |name: &str| name.to_lowercase() == property.name.to_lowercase();
            let Some((dataset, known)) = others.iter().find(|(_, known)| same(&known.name)) else { continue };
            let alike = (&known.name, known.kind, known.multiple) == (&property.name, property.kind, property.multiple);
            if !alike {
                let shown = |it: &crate::catalog::samples::Property| {
                    format!("`{}` ({}{})", it.name, if it.multiple { "list of " } else { "" }, it.kind.name())
                };
                let reason = format!(
                    "the property {} of the data set `{}` does not go with {} of `{}` in the same collection",
                    shown(property),
                    self.source.name,
                    shown(known),
                    dataset.name
                );
                return Err(fault(&self.source.location.display().to_string(), None, Some(&property.name), reason));
            }
        }
        Ok(())
    }

    fn dataset_number(&self, collection: &Collection) -> u32 {
        let free = |id: &u32| *id > 0 && collection.datasets.iter().all(|it| it.id != *id);
        self.source.id.filter(free).unwrap_or_else(|| collection.next_dataset())
    }

    /// The files with their numbers, in the order of these.
    fn numbered(&self, collection: &Collection, known: Option<&SampleDataset>) -> Result<Vec<(FileSource, u32)>> {
        let old = known.map(|it| it.files.as_slice()).unwrap_or_default();
        let mut taken: std::collections::HashSet<u32> =
            collection.datasets.iter().flat_map(|it| &it.files).chain(old).map(|file| file.id).collect();
        let mut next = taken.iter().max().copied().unwrap_or_default() + 1;
        let mut files = vec![];
        for file in &self.source.files {
            if files.iter().any(|(other, _): &(FileSource, u32)| other.name == file.name) {
                let place = self.source.location.display().to_string();
                return Err(fault(&place, None, None, format!("the file `{}` is there twice", file.name)));
            }
            let id = match (old.iter().find(|it| it.name == file.name), file.id) {
                (Some(old), _) => old.id,
                (None, Some(id)) if id > 0 && !taken.contains(&id) => id,
                (None, _) => next,
            };
            next = next.max(id + 1);
            taken.insert(id);
            files.push((file.clone(), id));
        }
        files.sort_by_key(|(_, id)| *id);
        Ok(files)
    }

    /// Reads all files on a thread of its own and writes their runs.
    async fn write(
        &self,
        mut writer: TableWriter,
        dataset: &mut SampleDataset,
        files: &[(FileSource, u32)],
    ) -> Result<WrittenFile> {
        let (sender, mut pieces) = mpsc::channel(8);
        let own = Collection { datasets: vec![dataset.clone()] };
        let (schema, number, list) = (self.source.schema.clone(), dataset.id, files.to_vec());
        let rows_schema = own.schema();
        let reading = tokio::task::spawn_blocking(move || {
            for (file, id) in &list {
                let read = read_file((number, *id), file, &schema, &rows_schema, &sender);
                if let Err(error) = read {
                    // Nobody listens if the writer has failed before.
                    let _ = sender.blocking_send(Err(error));
                    return;
                }
            }
        });
        let mut digest = Digest::new(&own.schema(), &self.source.schema.properties())?;
        let mut left = files.iter();
        let mut outcome = Ok(());
        while let Some(piece) = pieces.recv().await {
            let step = match piece {
                Ok(Piece::Rows(batch)) => match digest.add(&batch) {
                    Ok(()) => writer.write(&batch).await,
                    Err(error) => Err(error),
                },
                Ok(Piece::File(samples, bytes)) => {
                    if let Some((file, id)) = left.next() {
                        digest.file(&file.name, *id, samples, bytes);
                        dataset.files.push(SampleFile { name: file.name.clone(), id: *id, samples, bytes });
                    }
                    Ok(())
                }
                Err(error) => Err(error),
            };
            if step.is_err() {
                outcome = step;
                break;
            }
        }
        drop(pieces);
        let joined = reading.await.map_err(|error| Error::Internal(error.to_string()));
        match outcome.and(joined) {
            Ok(()) => {
                dataset.digest = digest.finish();
                writer.finish().await
            }
            Err(error) => {
                writer.abort().await;
                Err(error)
            }
        }
    }
}

fn read_file(
    numbers: (u32, u32),
    file: &FileSource,
    schema: &super::SampleSchema,
    rows_schema: &Arc<Schema>,
    sender: &mpsc::Sender<Result<Piece>>,
) -> Result<()> {
    let shown = file.path.display().to_string();
    let size = |path: &PathBuf| std::fs::metadata(path).map(|found| found.len());
    let unreadable = |error: std::io::Error| fault(&shown, None, None, format!("the file cannot be read: {error}"));
    let bytes = size(&file.path).map_err(unreadable)?;
    let is_parquet = parquet::is_parquet(&file.path);
    let properties = schema.properties();
    let mut cutter = RunCutter::new(numbers, &shown, !is_parquet, &properties, Arc::clone(rows_schema));
    let mut send = |batch: RecordBatch| {
        for rows in cutter.cut(&batch)? {
            if sender.blocking_send(Ok(Piece::Rows(rows))).is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    };
    if is_parquet {
        parquet::read(&file.path, &shown, schema, &mut send)?;
    } else {
        json::read(&file.path, &shown, schema, &mut send)?;
    }
    let samples = cutter.samples();
    if let Some(expected) = file.rows
        && expected != samples
    {
        return Err(fault(
            &shown,
            None,
            None,
            format!("the catalogue says {expected} samples, the file has {samples}"),
        ));
    }
    if let Some(rows) = cutter.finish()? {
        let _ = sender.blocking_send(Ok(Piece::Rows(rows)));
    }
    let _ = sender.blocking_send(Ok(Piece::File(samples, bytes)));
    Ok(())
}

/// Stands for the content of a data set.
struct Digest {
    hash: Xxh3,
    rows: RowConverter,
}

impl Digest {
    fn new(schema: &Schema, properties: &[crate::catalog::samples::Property]) -> Result<Self> {
        let fields = schema.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
        let mut hash = Xxh3::new();
        hash.update(serde_json::to_string(properties).unwrap_or_default().as_bytes());
        Ok(Self { hash, rows: RowConverter::new(fields)? })
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in self.rows.convert_columns(batch.columns())?.iter() {
            self.hash.update(row.as_ref());
        }
        Ok(())
    }

    fn file(&mut self, name: &str, id: u32, samples: u64, bytes: u64) {
        self.hash.update(name.as_bytes());
        for number in [u64::from(id), samples, bytes] {
            self.hash.update(&number.to_le_bytes());
        }
    }

    fn finish(self) -> String {
        format!("{:032x}", self.hash.digest128())
    }
}
