//! Parquet to blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::physical_plan::metrics::Count;
use futures::TryStreamExt;
use futures::future::BoxFuture;
use object_store::{ObjectMeta, ObjectStore};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowSelection, RowSelector};
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::basic::Encoding;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData};

use super::block::{Block, Chosen, view};
use super::cache::{ColumnCache, Key};
use super::parents::Ids;
use super::table::PARENT_FILE;
use crate::catalog::provider::TableFile;
use crate::storage::reader::ObjectReader;

/// Columns that are large and hardly ever asked for again: they are read for the rows that need them.
const DOCUMENTS: [&str; 3] = ["metadata", "checksums", "digest"];

/// A file with its footer.
#[derive(Debug)]
pub(super) struct Part {
    /// The path, by which blocks are known.
    name: Arc<str>,
    object: ObjectMeta,
    pub(super) footer: Arc<ParquetMetaData>,
}

impl Part {
    /// Bytes of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.object.size
    }
}

/// The files of a table and how they are read.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) schema: SchemaRef,
    pub(super) parts: Vec<Part>,
    store: Arc<dyn ObjectStore>,
    cache: Arc<ColumnCache>,
    /// Where the ids of parents are looked up, if the table has such a column.
    pub(super) files: Option<Arc<Source>>,
}

impl Source {
    /// Opens files.
    pub(super) async fn open(
        schema: SchemaRef,
        files: &[TableFile],
        store: Arc<dyn ObjectStore>,
        footers: &Arc<FileMetadataCache>,
        cache: Arc<ColumnCache>,
    ) -> Result<Self> {
        let mut parts = vec![];
        for file in files {
            let object = PartitionedFile::new(file.path.to_string(), file.size).object_meta;
            let footer = DFParquetMetadata::new(store.as_ref(), &object)
                .with_file_metadata_cache(Some(Arc::clone(footers)))
                .with_page_index_policy(Some(PageIndexPolicy::Optional))
                .fetch_metadata()
                .await
                .map_err(|error| lost(&object, error))?;
            parts.push(Part { name: file.path.as_ref().into(), object, footer });
        }
        Ok(Self { schema, parts, store, cache, files: None })
    }

    /// Rows of a row group.
    pub(super) fn rows(&self, part: usize, group: usize) -> usize {
        let footer = self.parts.get(part).and_then(|part| part.footer.row_groups().get(group));
        footer.and_then(|group| usize::try_from(group.num_rows()).ok()).unwrap_or_default()
    }

    /// Whole columns of a row group, from memory where they are there.
    pub(super) async fn blocks(
        &self,
        part: usize,
        group: usize,
        columns: &[usize],
        bytes: &Count,
    ) -> Result<BTreeMap<usize, Arc<Block>>> {
        let mut found = BTreeMap::new();
        let mut missing = vec![];
        for &index in columns {
            match self.cache.get(&self.key(part, group, index)) {
                Some(block) => {
                    found.insert(index, block);
                }
                None => missing.push(index),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let (computed, stored): (Vec<usize>, Vec<usize>) =
            missing.into_iter().partition(|it| self.name(*it) == PARENT_FILE);
        if !stored.is_empty() {
            for (index, array) in self.read(part, group, &stored, None, bytes).await? {
                let block = Arc::new(Block::new(array)?);
                self.cache.put(self.key(part, group, index), Arc::clone(&block));
                found.insert(index, block);
            }
        }
        for index in computed {
            let block = Arc::new(Block::Plain(self.parents(part, group, bytes).await?));
            self.cache.put(self.key(part, group, index), Arc::clone(&block));
            found.insert(index, block);
        }
        Ok(found)
    }

    /// The ordinals of parents.
    fn parents<'a>(&'a self, part: usize, group: usize, bytes: &'a Count) -> BoxFuture<'a, Result<ArrayRef>> {
        Box::pin(async move {
            let rows = self.rows(part, group);
            let (Some(files), Ok(parent)) = (&self.files, self.schema.index_of("parent")) else {
                return Ok(new_null_array(&DataType::Int64, rows));
            };
            let ids = self.cache.ids.get_or_try_init(|| async { Ids::read(files, bytes).await.map(Arc::new) }).await?;
            let blocks = self.blocks(part, group, &[parent], bytes).await?;
            Ok(match blocks.get(&parent) {
                Some(block) => Arc::new(ids.ordinals(block, files, bytes).await?),
                None => new_null_array(&DataType::Int64, rows),
            })
        })
    }

    /// The values of columns for the chosen rows of a row group.
    pub(super) async fn values(
        &self,
        part: usize,
        group: usize,
        columns: &[usize],
        chosen: &Chosen,
        bytes: &Count,
    ) -> Result<BTreeMap<usize, ArrayRef>> {
        let rows = self.rows(part, group);
        let mut whole = vec![];
        let mut single = vec![];
        for &index in columns {
            let key = self.key(part, group, index);
            let document = DOCUMENTS.contains(&self.name(index));
            // Few rows of a column that is asked for the first time: their pages will do.
            let few = chosen.count() < rows / 64 && self.name(index) != PARENT_FILE;
            let there = !document && self.cache.get(&key).is_some();
            if document || (few && !there && !self.cache.asked_again(&key)) {
                single.push(index);
            } else {
                whole.push(index);
            }
        }
        let mut values = BTreeMap::new();
        for (index, block) in self.blocks(part, group, &whole, bytes).await? {
            values.insert(index, block.values(chosen)?);
        }
        if !single.is_empty() {
            let selection = match chosen {
                Chosen::All(_) => None,
                Chosen::Some { rows, .. } => Some(selection(rows)),
            };
            for (index, array) in self.read(part, group, &single, selection, bytes).await? {
                // As the queries see it.
                let seen = arrow::compute::cast(&array, &view(array.data_type()))?;
                values.insert(index, seen);
            }
        }
        Ok(values)
    }

    fn name(&self, index: usize) -> &str {
        self.schema.fields().get(index).map_or("", |field| field.name())
    }

    fn key(&self, part: usize, group: usize, index: usize) -> Key {
        let file = self.parts.get(part).map(|part| Arc::clone(&part.name)).unwrap_or_default();
        Key { file, group, column: self.name(index).into() }
    }

    /// Decodes columns of a row group, all rows or those selected. Texts of a dictionary stay one.
    pub(super) async fn read(
        &self,
        part: usize,
        group: usize,
        columns: &[usize],
        selection: Option<RowSelection>,
        bytes: &Count,
    ) -> Result<Vec<(usize, ArrayRef)>> {
        let Some(part) = self.parts.get(part) else { return Ok(vec![]) };
        let failed = |error: ParquetError| lost(&part.object, error.into());
        let footer = Arc::clone(&part.footer);
        let plain = ArrowReaderMetadata::try_new(Arc::clone(&footer), ArrowReaderOptions::new()).map_err(failed)?;
        let names: Vec<&str> = columns.iter().map(|index| self.name(*index)).collect();
        let chunks = footer.row_groups().get(group).map(|group| group.columns()).unwrap_or_default();
        let fields = plain.schema().fields().iter().map(|field| {
            if !names.contains(&field.name().as_str()) {
                return Arc::clone(field);
            }
            let chunk = chunks.iter().find(|chunk| chunk.column_path().parts() == [field.name().as_str()]);
            let wanted = match field.data_type() {
                DataType::Utf8 | DataType::Utf8View if selection.is_none() && chunk.is_some_and(has_dictionary) => {
                    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
                }
                other => view(other),
            };
            Arc::new(field.as_ref().clone().with_data_type(wanted))
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let options = ArrowReaderOptions::new().with_schema(Arc::clone(&schema));
        let metadata = ArrowReaderMetadata::try_new(footer, options).map_err(failed)?;
        let roots = schema.fields().iter().enumerate().filter(|(_, field)| names.contains(&field.name().as_str()));
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots.map(|(index, _)| index));
        let count = part.footer.row_groups().get(group).and_then(|it| usize::try_from(it.num_rows()).ok());
        let rows = count.unwrap_or_default();
        let reader = Counted {
            inner: ObjectReader {
                store: Arc::clone(&self.store),
                path: part.object.location.clone(),
                size: part.object.size,
            },
            bytes: bytes.clone(),
        };
        let mut builder = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata)
            .with_row_groups(vec![group])
            .with_projection(mask)
            .with_batch_size(rows.max(1));
        let selected = selection.as_ref().map(RowSelection::row_count);
        if let Some(selection) = selection {
            builder = builder.with_row_selection(selection);
        }
        let batches: Vec<_> = builder.build().map_err(failed)?.try_collect().await.map_err(failed)?;
        let count = selected.unwrap_or(rows);
        let mut found = vec![];
        for (index, name) in columns.iter().zip(names) {
            let pieces: Vec<&dyn Array> =
                batches.iter().filter_map(|batch| batch.column_by_name(name)).map(AsRef::as_ref).collect();
            let array = match pieces.as_slice() {
                // A file without the column has nulls in it, and so has one without rows.
                [] => {
                    let field = self.schema.fields().get(*index);
                    new_null_array(field.map_or(&DataType::Null, |field| field.data_type()), count)
                }
                [_] => match batches.first().and_then(|batch| batch.column_by_name(name)) {
                    Some(array) => Arc::clone(array),
                    None => concat(&pieces)?,
                },
                _ => concat(&pieces)?,
            };
            found.push((*index, array));
        }
        Ok(found)
    }
}

/// Whether all pages of a column are codes of a dictionary.
fn has_dictionary(chunk: &ColumnChunkMetaData) -> bool {
    let only = |encoding: Encoding| matches!(encoding, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY);
    if let Some(mask) = chunk.page_encoding_stats_mask() {
        return mask.is_only(Encoding::RLE_DICTIONARY) || mask.is_only(Encoding::PLAIN_DICTIONARY);
    }
    let pages = chunk.page_encoding_stats();
    pages.is_some_and(|pages| {
        pages
            .iter()
            .filter(|page| !matches!(page.page_type, parquet::basic::PageType::DICTIONARY_PAGE))
            .all(|page| only(page.encoding))
    })
}

fn selection(rows: &arrow::buffer::BooleanBuffer) -> RowSelection {
    let mut selectors = vec![];
    let mut at = 0;
    for (start, end) in rows.set_slices() {
        if start > at {
            selectors.push(RowSelector::skip(start - at));
        }
        selectors.push(RowSelector::select(end - start));
        at = end;
    }
    if at < rows.len() {
        selectors.push(RowSelector::skip(rows.len() - at));
    }
    RowSelection::from(selectors)
}

/// A damaged file is named; a lost one names itself.
fn lost(object: &ObjectMeta, error: DataFusionError) -> DataFusionError {
    match error {
        DataFusionError::ObjectStore(lost) if matches!(*lost, object_store::Error::NotFound { .. }) => {
            DataFusionError::ObjectStore(lost)
        }
        DataFusionError::ParquetError(inner) if matches!(*inner, ParquetError::External(_)) => {
            DataFusionError::ParquetError(inner)
        }
        other => ParquetError::General(format!("{}: {other}", object.location)).into(),
    }
}

/// A reader whose bytes are counted.
struct Counted {
    inner: ObjectReader,
    bytes: Count,
}

impl AsyncFileReader for Counted {
    fn get_bytes(
        &mut self,
        range: std::ops::Range<u64>,
    ) -> BoxFuture<'_, std::result::Result<bytes::Bytes, ParquetError>> {
        self.bytes.add(usize::try_from(range.end - range.start).unwrap_or_default());
        self.inner.get_bytes(range)
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<std::ops::Range<u64>>,
    ) -> BoxFuture<'_, std::result::Result<Vec<bytes::Bytes>, ParquetError>> {
        let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        self.bytes.add(usize::try_from(total).unwrap_or_default());
        self.inner.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, std::result::Result<Arc<ParquetMetaData>, ParquetError>> {
        self.inner.get_metadata(options)
    }
}
