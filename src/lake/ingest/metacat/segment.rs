//! A segment of the file catalogue: the files that were read, sorted, in all tables.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::compute::{SortColumn, lexsort_to_indices, take_record_batch};
use tokio::runtime::Handle;

use super::columns;
use super::line::FileEntry;
use super::value::Value;
use crate::catalog::lake::Lake;
use crate::catalog::paths::{PathEntry, PathOwner, choose_hot};
use crate::catalog::tables::Table;
use crate::error::{Error, Result};
use crate::storage::segment::{FileName, SegmentId};
use crate::storage::writer::WrittenFile;

/// Rows of one batch on its way to a file.
const BATCH_ROWS: usize = 65_536;

/// A segment that is written and not committed.
pub(super) struct WrittenFiles {
    pub(super) segment: SegmentId,
    pub(super) files: WrittenFile,
    pub(super) others: Vec<WrittenFile>,
    /// Keys with typed columns.
    pub(super) hot: Vec<String>,
    /// Where each file is, by its id.
    pub(super) places: HashMap<String, u32>,
}

/// What a segment is made of.
pub(super) struct Draft {
    pub(super) segment: SegmentId,
    pub(super) files: Vec<FileEntry>,
    /// Names of keys by their numbers.
    pub(super) keys: Vec<String>,
    /// Keys that have typed columns elsewhere.
    pub(super) hot: HashSet<String>,
}

/// Writes the files as one segment; blocks the thread.
pub(super) fn write(lake: &Lake, draft: Draft, handle: &Handle) -> Result<WrittenFiles> {
    let Draft { segment, mut files, keys, hot } = draft;
    files.sort_unstable_by(|a, b| (a.created, &a.fid).cmp(&(b.created, &b.fid)));
    let places = files.iter().zip(0u32..).map(|(file, index)| (file.fid.clone(), index)).collect();
    let ordinals: Vec<i64> = (0u32..).take(files.len()).map(|index| segment.ordinal(index)).collect();
    let mut by_key: BTreeMap<&str, Vec<(u32, &Value)>> = BTreeMap::new();
    let mut of_number: Vec<Vec<(u32, &Value)>> = vec![vec![]; keys.len()];
    for (file, row) in files.iter().zip(0u32..) {
        for (key, value) in &file.values {
            let values = of_number.get_mut(*key as usize);
            values.ok_or_else(|| Error::Internal("an unknown key".to_owned()))?.push((row, value));
        }
    }
    for (key, values) in keys.iter().zip(of_number).filter(|(_, values)| !values.is_empty()) {
        by_key.insert(key, values);
    }
    let entries = entries(&by_key, files.len() as u64, |key| hot.contains(key));
    let name = FileName::new(segment, 0);
    // Values by key are about as much work as the files themselves.
    let (written, others) = std::thread::scope(|scope| {
        let others = scope.spawn(|| {
            handle.block_on(async {
                let mut others = vec![];
                others.extend(attributes(lake, &name, &by_key, &ordinals).await?);
                others.extend(members(lake, &name, &files, &ordinals).await?);
                others.extend(provenance(lake, &name, &files, &ordinals).await?);
                others.extend(lake.write_paths(&name, &entries).await?);
                Ok::<_, Error>(others)
            })
        });
        let written = table(&files, &ordinals, &by_key, &entries)
            .and_then(|batch| handle.block_on(write_batch(lake, Table::Files, &name, &batch)));
        let ended = |_| Err(Error::Internal("the thread that writes values has ended".to_owned()));
        (written, others.join().unwrap_or_else(ended))
    });
    let hot = entries.into_iter().filter(|entry| entry.hot).map(|entry| entry.path).collect();
    Ok(WrittenFiles { segment, files: written?, others: others?, hot, places })
}

/// The rows of `files`.
fn table(
    files: &[FileEntry],
    ordinals: &[i64],
    by_key: &BTreeMap<&str, Vec<(u32, &Value)>>,
    entries: &[PathEntry],
) -> Result<RecordBatch> {
    let mut typed: Vec<(&str, Vec<_>)> = vec![];
    for entry in entries.iter().filter(|entry| entry.hot) {
        // A key has an entry for each kind.
        let first = typed.last().is_none_or(|(path, _)| *path != entry.path);
        if first && let Some(values) = by_key.get(entry.path.as_str()) {
            typed.push((entry.path.as_str(), columns::typed(&entry.path, values, files.len())));
        }
    }
    let typed = typed.into_iter().flat_map(|(_, columns)| columns).collect();
    columns::files(files, ordinals.to_vec(), typed)
}

/// What stands in the catalogue of paths, sorted by path and kind.
fn entries(by_key: &BTreeMap<&str, Vec<(u32, &Value)>>, files: u64, known: impl Fn(&str) -> bool) -> Vec<PathEntry> {
    let mut entries = vec![];
    for (key, values) in by_key {
        let mut kinds: BTreeMap<&str, (u64, &Value)> = BTreeMap::new();
        for (_, value) in values {
            kinds.entry(value.kind()).or_insert((0, value)).0 += 1;
        }
        entries.extend(kinds.into_iter().map(|(kind, (count, value))| PathEntry {
            owner: PathOwner::File,
            path: (*key).to_owned(),
            kind: kind.to_owned(),
            count,
            hot: false,
            example: Some(example(value)),
        }));
    }
    let hot = choose_hot(&entries, files, known);
    entries.iter_mut().for_each(|entry| entry.hot = hot.contains(&entry.path));
    entries
}

fn example(value: &Value) -> String {
    let text = match value {
        Value::Int(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        Value::Text(value) => value.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Ints(values) => format!("{values:?}"),
        Value::Floats(values) => format!("{values:?}"),
        Value::Texts(values) => format!("{values:?}"),
        Value::Json(value) => value.to_string(),
    };
    crate::ingest::fault::shorten(&text)
}

async fn write_batch(lake: &Lake, table: Table, name: &FileName, batch: &RecordBatch) -> Result<WrittenFile> {
    let mut writer = lake.writer(table, name, batch.schema(), vec![])?;
    for start in (0..batch.num_rows()).step_by(BATCH_ROWS) {
        writer.write(&batch.slice(start, BATCH_ROWS.min(batch.num_rows() - start))).await?;
    }
    writer.finish().await.map_err(|error| lake.place().write_error(error))
}

async fn attributes(
    lake: &Lake,
    name: &FileName,
    by_key: &BTreeMap<&str, Vec<(u32, &Value)>>,
    ordinals: &[i64],
) -> Result<Option<WrittenFile>> {
    let table = Table::FileAttributes;
    let rows: Vec<(&str, u32, &Value)> =
        by_key.iter().flat_map(|(key, values)| values.iter().map(|(row, value)| (*key, *row, *value))).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let mut writer = lake.writer(table, name, table.schema(), vec![])?;
    for rows in rows.chunks(BATCH_ROWS) {
        let path: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|(key, ..)| key)));
        let files = rows.iter().map(|(_, row, _)| ordinals.get(*row as usize).copied().unwrap_or_default());
        let values: Vec<&Value> = rows.iter().map(|(.., value)| *value).collect();
        let files: ArrayRef = Arc::new(Int64Array::from_iter_values(files));
        writer.write(&columns::attributes(table, path, files, &values)?).await?;
    }
    writer.finish().await.map(Some).map_err(|error| lake.place().write_error(error))
}

/// Two columns in the order of the table, each row once.
async fn pairs(lake: &Lake, table: Table, name: &FileName, columns: Vec<ArrayRef>) -> Result<Option<WrittenFile>> {
    if columns.first().is_none_or(|column| column.is_empty()) {
        return Ok(None);
    }
    let keys: Vec<SortColumn> =
        columns.iter().map(|values| SortColumn { values: Arc::clone(values), options: None }).collect();
    let order = lexsort_to_indices(&keys, None)?;
    let batch = take_record_batch(&RecordBatch::try_new(table.schema(), columns)?, &order)?;
    write_batch(lake, table, name, &batch).await.map(Some)
}

async fn members(lake: &Lake, name: &FileName, files: &[FileEntry], ordinals: &[i64]) -> Result<Option<WrittenFile>> {
    let mut rows: Vec<(&str, i64)> = vec![];
    for (file, ordinal) in files.iter().zip(ordinals) {
        let mut datasets: Vec<&str> = file.datasets.iter().map(String::as_str).collect();
        datasets.sort_unstable();
        datasets.dedup();
        rows.extend(datasets.into_iter().map(|dataset| (dataset, *ordinal)));
    }
    let datasets: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|(dataset, _)| dataset)));
    let ordinals: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, ordinal)| *ordinal)));
    pairs(lake, Table::Members, name, vec![datasets, ordinals]).await
}

async fn provenance(
    lake: &Lake,
    name: &FileName,
    files: &[FileEntry],
    ordinals: &[i64],
) -> Result<Option<WrittenFile>> {
    let mut rows: Vec<(i64, &str)> = vec![];
    for (file, ordinal) in files.iter().zip(ordinals) {
        let mut parents: Vec<&str> = file.parents.iter().map(String::as_str).collect();
        parents.sort_unstable();
        parents.dedup();
        rows.extend(parents.into_iter().map(|parent| (*ordinal, parent)));
    }
    let children: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|(child, _)| *child)));
    let parents: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, parent)| parent)));
    pairs(lake, Table::Provenance, name, vec![children, parents]).await
}
