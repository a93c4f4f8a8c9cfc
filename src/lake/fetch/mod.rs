//! Samples themselves, from the files they are in: only the blocks or row groups that are needed are read.
//!
//! The files are not part of the lake, so they may have changed since their properties were imported. Whatever is read is
//! compared with what the lake has written down of it (size, checksums of blocks and footers), and a difference is an error
//! that names the file.
//!
//! | file | what it reads |
//! |---|---|
//! | `lines.rs` | JSON lines, packed or not |
//! | `parquet.rs` | Parquet |
//! | `tar.rs` | WebDataset tars |

mod base64;
mod lines;
mod parquet;
mod tar;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use futures::TryStreamExt;

use crate::catalog::samples::{SampleDataset, SampleFile};
use crate::catalog::snapshot::Snapshot;
use crate::catalog::tables::Table;
use crate::error::{Error, Result};
use crate::ingest::samples::blocks::Block;
use crate::ingest::samples::{parquet as parquet_source, tar as tar_source};
use crate::storage::anywhere::size;
use crate::storage::reader::{self, ints};

/// Consecutive samples of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The name of the data set.
    pub dataset: String,
    /// The name of the file.
    pub file: String,
    /// The first sample, from 0.
    pub start: u64,
    /// One past the last.
    pub end: u64,
}

/// Files that are open at the same time.
const MOST_FILES: usize = 256;

/// Samples as JSON objects, each without line break.
pub type Samples = Vec<String>;

/// Reads samples of one collection of one version of a lake.
pub struct Fetcher {
    index: Index,
    /// Top-level members that are wanted; all if not given.
    columns: Option<Vec<String>>,
    files: HashMap<(String, String), Source>,
}

/// Where samples are, as the lake has it.
struct Index {
    snapshot: Arc<Snapshot>,
    collection: String,
    datasets: Vec<SampleDataset>,
}

/// A file that was read before.
enum Source {
    Lines(lines::LineFile),
    Parquet(parquet::ParquetFile),
    Tar(tar::TarFile),
}

/// What every reader knows of its file.
#[derive(Clone, Debug)]
struct Known {
    path: PathBuf,
    /// How it is called in messages.
    name: String,
    samples: u64,
    bytes: u64,
    blocks: Vec<Block>,
}

impl Known {
    fn changed(&self, reason: impl Into<String>) -> Error {
        let reason = format!("the file has changed since it was imported: {}; import it again", reason.into());
        Error::Data { file: self.name.clone(), row: None, field: None, reason }
    }

    fn unreadable(&self, error: &std::io::Error) -> Error {
        let reason = match error.kind() {
            std::io::ErrorKind::NotFound => "the file is not there any more".to_owned(),
            _ => format!("the file cannot be read: {error}"),
        };
        Error::Data { file: self.name.clone(), row: None, field: None, reason }
    }

    /// That the file has the size it had.
    fn check_size(&self) -> Result<()> {
        let found = size(&self.path).map_err(|error| self.unreadable(&error))?;
        if found == self.bytes {
            return Ok(());
        }
        let how = if found < self.bytes { "shrunk" } else { "grown" };
        Err(self.changed(format!("it has {how} from {} to {found} bytes", self.bytes)))
    }

    /// The blocks with the samples from the one to before the other.
    fn blocks_of(&self, start: u64, end: u64) -> &[Block] {
        let first = self.blocks.partition_point(|block| block.first <= start).saturating_sub(1);
        let last = self.blocks.partition_point(|block| block.first < end);
        self.blocks.get(first..last).unwrap_or_default()
    }

    /// One past the last sample of a block.
    fn end_of(&self, block: &Block) -> u64 {
        let next = self.blocks.partition_point(|other| other.first <= block.first);
        self.blocks.get(next).map_or(self.samples, |next| next.first)
    }
}

impl Fetcher {
    /// For samples of this collection, or of the only one. With `columns` only these top-level members of the samples are
    /// read; those that a sample does not have are left out.
    ///
    /// # Errors
    /// There is no such collection.
    pub async fn new(snapshot: Arc<Snapshot>, collection: Option<&str>, columns: Option<Vec<String>>) -> Result<Self> {
        let catalog = Arc::clone(snapshot.samples().await?);
        let mut names = catalog.collections.keys().map(String::as_str);
        let wrong = |reason: String| Error::From { from: collection.unwrap_or("the lake").to_owned(), reason };
        let name = match (collection, names.next(), names.next()) {
            (Some(name), _, _) | (None, Some(name), None) => name.to_owned(),
            (None, None, _) => return Err(wrong("it has no collection of samples".to_owned())),
            (None, Some(_), Some(_)) => {
                let names: Vec<&str> = catalog.collections.keys().map(String::as_str).collect();
                return Err(wrong(format!(
                    "it has several collections, choose one with --collection: {}",
                    names.join(", ")
                )));
            }
        };
        let Some(found) = catalog.collections.get(&name) else {
            let names: Vec<&str> = catalog.collections.keys().map(String::as_str).collect();
            return Err(wrong(format!("there is no such collection; collections are {}", names.join(", "))));
        };
        let datasets = found.datasets.clone();
        let index = Index { snapshot, collection: name, datasets };
        Ok(Self { index, columns, files: HashMap::new() })
    }

    /// Reads these samples, each list for one of the wanted ranges, in their order. All are in memory at once; files stay
    /// open, so that packed files are unpacked once as long as they are read forwards.
    ///
    /// # Errors
    /// There is no such file or sample; a file cannot be read, or is not what it was.
    pub async fn fetch(&mut self, wanted: &[Wanted]) -> Result<Vec<Samples>> {
        let mut of_file: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (index, it) in wanted.iter().enumerate() {
            of_file.entry((it.dataset.as_str(), it.file.as_str())).or_default().push(index);
        }
        let mut found: Vec<Samples> = vec![vec![]; wanted.len()];
        for ((dataset, file), mut indices) in of_file {
            // Forwards through each file.
            let range = |index: &usize| wanted.get(*index).map_or((0, 0), |it| (it.start, it.end));
            indices.sort_by_key(range);
            let key = (dataset.to_owned(), file.to_owned());
            if !self.files.contains_key(&key) {
                let source = self.index.open(dataset, file).await?;
                if self.files.len() >= MOST_FILES {
                    self.files.clear();
                }
                self.files.insert(key.clone(), source);
            }
            let Some(source) = self.files.get_mut(&key) else { continue };
            let ranges: Vec<(u64, u64)> = indices.iter().map(range).collect();
            let known = source.known();
            for (start, end) in &ranges {
                if *end > known.samples || start > end {
                    let reason = format!("there are no samples {start} to {end}, the file has {}", known.samples);
                    return Err(Error::Data { file: known.name.clone(), row: None, field: None, reason });
                }
            }
            let lists = source.read(&ranges, self.columns.as_deref())?;
            for (index, list) in indices.into_iter().zip(lists) {
                if let Some(slot) = found.get_mut(index) {
                    *slot = list;
                }
            }
        }
        Ok(found)
    }
}

impl Index {
    async fn open(&self, dataset: &str, file: &str) -> Result<Source> {
        let unknown =
            |reason: String| Error::Data { file: format!("{dataset}/{file}"), row: None, field: None, reason };
        let Some(found) = self.datasets.iter().find(|it| it.name == dataset) else {
            return Err(unknown(format!("the collection `{}` has no data set `{dataset}`", self.collection)));
        };
        let Some(known) = found.files.iter().find(|it| it.name == file) else {
            return Err(unknown(format!("the data set `{dataset}` has no file `{file}`")));
        };
        let path = Path::new(&found.location).join(file);
        let known = Known {
            name: path.display().to_string(),
            samples: known.samples,
            bytes: known.bytes,
            blocks: self.blocks(found, known).await?,
            path,
        };
        known.check_size()?;
        Ok(if parquet_source::is_parquet(&known.path) {
            Source::Parquet(parquet::ParquetFile::open(known)?)
        } else if tar_source::is_tar(&known.path) {
            Source::Tar(tar::TarFile::new(known))
        } else {
            Source::Lines(lines::LineFile::new(known))
        })
    }

    /// The blocks of a file as the lake has written them down.
    async fn blocks(&self, dataset: &SampleDataset, file: &SampleFile) -> Result<Vec<Block>> {
        let Some(object) = self.snapshot.table(Table::SampleBlocks).file(dataset.segment) else {
            let reason = "the lake has no blocks of it: import it again".to_owned();
            return Err(Error::Data { file: file.name.clone(), row: None, field: None, reason });
        };
        let mut blocks = vec![];
        let mut stream = reader::open(self.snapshot.store(), &object.location, object.size, None).await?;
        while let Some(batch) = stream.batches.try_next().await? {
            // Files come in the order of their numbers.
            let files = ints(&batch, "file")?.values();
            let id = i64::from(file.id);
            let rows = files.partition_point(|it| *it < id)..files.partition_point(|it| *it <= id);
            let number = |name: &str, row: usize| -> Result<u64> {
                let column = batch.column_by_name(name).and_then(|it| it.as_primitive_opt::<Int64Type>());
                Ok(column.map(|it| it.value(row)).and_then(|it| u64::try_from(it).ok()).unwrap_or_default())
            };
            let checksums = ints(&batch, "checksum")?;
            for row in rows {
                blocks.push(Block {
                    first: number("first", row)?,
                    offset: number("offset", row)?,
                    bytes: number("bytes", row)?,
                    checksum: checksums.value(row),
                });
            }
            if files.last().is_some_and(|last| *last > id) {
                break;
            }
        }
        Ok(blocks)
    }
}

impl Source {
    fn known(&self) -> &Known {
        match self {
            Self::Lines(file) => &file.known,
            Self::Parquet(file) => &file.known,
            Self::Tar(file) => &file.known,
        }
    }

    /// The samples of these ranges, which ascend.
    fn read(&mut self, ranges: &[(u64, u64)], columns: Option<&[String]>) -> Result<Vec<Samples>> {
        match self {
            Self::Lines(file) => file.read(ranges, columns),
            Self::Parquet(file) => file.read(ranges, columns),
            Self::Tar(file) => file.read(ranges, columns),
        }
    }
}

/// An object with these members only, in this order.
fn members(object: &HashMap<String, &serde_json::value::RawValue>, columns: &[String]) -> String {
    let mut text = String::from("{");
    for column in columns {
        if let Some(value) = object.get(column) {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&serde_json::Value::from(column.as_str()).to_string());
            text.push(':');
            text.push_str(value.get());
        }
    }
    text.push('}');
    text
}
