//! One Parquet object of a table: encodings, sizes, order and statistics in one place.
//!
//! Who writes hands over record batches in the order of the table. The writer checks that order, because every reader
//! relies on it, encodes row group by row group and streams the bytes to the object store, so that memory stays bounded
//! by one row group whatever the size of the file.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, make_comparator};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Int64Type, Schema, SchemaRef};
use object_store::ObjectStore;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use parquet::arrow::AsyncArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::stats::FileStats;
use crate::catalog::tables::Table;
use crate::error::Error;

/// Bytes that are collected before a part is sent to the store.
const UPLOAD_PART_BYTES: usize = 8 << 20;

/// A column with more different values than fit is written plain: whoever reads one page reads the dictionary with it.
const MAX_DICTIONARY_BYTES: usize = 64 << 10;

/// Rows in a row group: small enough that two cores have work, large enough that pages compress.
pub fn row_group_rows(table: Table) -> usize {
    match table {
        Table::Runs => 32_768,
        Table::Attributes => 262_144,
        Table::Series | Table::Paths => 131_072,
        Table::Points | Table::TextPoints => 1_048_576,
        Table::SampleDatasets | Table::SampleFiles | Table::Samples | Table::Trees => 131_072,
        Table::Nodes => 1_048_576,
        Table::Files => 65_536,
        Table::FileAttributes | Table::DatasetAttributes => 262_144,
        Table::Datasets | Table::NamedQueries => 131_072,
        Table::Members | Table::Provenance => 524_288,
    }
}

/// Rows in a page. Of nodes a few are read at a time.
pub(crate) fn page_rows(table: Table) -> usize {
    match table {
        Table::Runs => 8_192,
        Table::Nodes => 2_048,
        _ => 16_384,
    }
}

/// How the values of a column are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Rising or slowly changing integers and times.
    Delta,
    /// Measured floats, which hardly ever repeat.
    Split,
    /// Long texts that do not repeat: no dictionary, no statistics.
    Document,
    /// Short texts that do not repeat.
    Plain,
    /// Everything that repeats.
    Dictionary,
}

/// `own_name` is the column with the names of the nodes of a file of them.
fn layout(table: Table, column: &str, own_name: &str) -> Layout {
    match (table, column) {
        (_, "run" | "series" | "step" | "time" | "first_row" | "created_at" | "finalized_at" | "imported_at") => {
            Layout::Delta
        }
        // Names of nodes are looked for in single pages, which must not need a dictionary; those of their ancestors repeat.
        (Table::Nodes, "hits" | "children" | "first_child") => Layout::Delta,
        (Table::Nodes, name) if name == own_name => Layout::Plain,
        (Table::Nodes, name) if name.ends_with(":float") || name.ends_with(":state") => Layout::Plain,
        (Table::Nodes, name) if name.ends_with(":int") => Layout::Delta,
        (Table::Samples, "dataset" | "file" | "start" | "end") => Layout::Delta,
        (Table::SampleFiles, "file_id" | "file") => Layout::Plain,
        (_, "file" | "child" | "created_timestamp") => Layout::Delta,
        (Table::Files | Table::Datasets | Table::NamedQueries, "metadata") => Layout::Document,
        (Table::Files, "fid" | "name" | "digest" | "size") | (Table::Provenance, "parent") => Layout::Plain,
        (Table::FileAttributes, "float") => Layout::Split,
        // Typed columns of floats.
        (Table::Files, name) if name.ends_with(":float") => Layout::Split,
        (Table::Series, "n" | "first_step" | "last_step" | "n_nan") => Layout::Delta,
        (Table::Points, "value" | "epoch") | (Table::Series, "mean" | "m2") => Layout::Split,
        (Table::Runs, "end_time" | "duration") => Layout::Split,
        (Table::Runs, "params") => Layout::Document,
        (Table::Runs, "hash" | "digest")
        | (Table::TextPoints, "text")
        | (Table::Attributes, "float")
        | (Table::Series, "last_text") => Layout::Plain,
        _ => Layout::Dictionary,
    }
}

/// What filters, joins and answers read is packed lightly, because unpacking would cost them more than the bytes; points,
/// documents and the rest are packed well.
fn is_hot(table: Table, column: &str) -> bool {
    match table {
        Table::Runs => !matches!(column, "params" | "description" | "digest"),
        Table::Series => !matches!(column, "mean" | "m2" | "n_nan" | "last_json"),
        Table::Attributes => matches!(column, "path" | "run" | "kind" | "int" | "float" | "bool" | "time"),
        Table::Samples | Table::Nodes => true,
        // What is read of the file catalogue stays in memory: bytes on disk count for more.
        Table::Files | Table::FileAttributes | Table::Members | Table::Provenance => false,
        Table::SampleDatasets
        | Table::SampleFiles
        | Table::Trees
        | Table::Points
        | Table::TextPoints
        | Table::Paths
        | Table::Datasets
        | Table::DatasetAttributes
        | Table::NamedQueries => false,
    }
}

/// The properties of a file of `table` with the columns of `schema`.
fn properties(table: Table, schema: &Schema, metadata: Vec<(String, String)>) -> Result<WriterProperties, Error> {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(row_group_rows(table)))
        .set_data_page_row_count_limit(page_rows(table))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_dictionary_page_size_limit(MAX_DICTIONARY_BYTES)
        .set_created_by(concat!("lakeql ", env!("CARGO_PKG_VERSION")).to_owned());
    let own_name = schema.fields().iter().map(|field| field.name()).rfind(|name| name.starts_with("level"));
    let own_name = own_name.map_or("", String::as_str);
    for field in schema.fields() {
        let column = ColumnPath::new(vec![field.name().clone()]);
        if is_hot(table, field.name()) {
            builder = builder.set_column_compression(column.clone(), Compression::LZ4_RAW);
        }
        builder = match layout(table, field.name(), own_name) {
            Layout::Delta => builder
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED),
            Layout::Split => builder
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column, Encoding::BYTE_STREAM_SPLIT),
            Layout::Document => builder
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_data_page_size_limit(column.clone(), 512 << 10)
                .set_column_statistics_enabled(column, EnabledStatistics::None),
            Layout::Plain => builder.set_column_dictionary_enabled(column, false),
            Layout::Dictionary => builder,
        };
    }
    let mut sorting = Vec::new();
    for key in table.sort_key() {
        sorting.push(SortingColumn {
            // Every column of our tables has one leaf, so the position of the field is the position of the leaf.
            column_idx: schema.index_of(key.name)? as i32,
            descending: key.descending,
            nulls_first: false,
        });
    }
    let metadata = metadata.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
    Ok(builder.set_sorting_columns(Some(sorting)).set_key_value_metadata(Some(metadata)).build())
}

/// A finished file, with what its add action needs.
#[derive(Debug, Clone)]
pub struct WrittenFile {
    /// The table it belongs to.
    pub table: Table,
    /// Its name inside the table's folder.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Rows.
    pub rows: u64,
    /// The columns, typed columns included.
    pub schema: SchemaRef,
    /// Statistics over the whole file.
    pub stats: FileStats,
}

/// Streams record batches of one table into one Parquet object.
pub struct TableWriter {
    table: Table,
    name: String,
    object: Path,
    store: Arc<dyn ObjectStore>,
    writer: AsyncArrowWriter<BufWriter>,
    schema: SchemaRef,
    order: OrderCheck,
    stats: FileStats,
}

impl TableWriter {
    /// Starts the object `<folder>/<name>`, where `folder` is the folder of `table`. `metadata` goes to the key-value
    /// pairs of the file's footer.
    pub fn new(
        store: Arc<dyn ObjectStore>,
        folder: &Path,
        name: &str,
        table: Table,
        schema: SchemaRef,
        metadata: Vec<(String, String)>,
    ) -> Result<Self, Error> {
        let object = folder.clone().join(name);
        let properties = properties(table, &schema, metadata)?;
        let upload = BufWriter::with_capacity(Arc::clone(&store), object.clone(), UPLOAD_PART_BYTES);
        let writer = AsyncArrowWriter::try_new(upload, Arc::clone(&schema), Some(properties))?;
        let order = OrderCheck::new(table, &schema)?;
        Ok(TableWriter {
            table,
            name: name.to_owned(),
            object,
            store,
            writer,
            schema,
            order,
            stats: FileStats::new(table),
        })
    }

    /// Appends rows. They must continue the order of the table.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.order.check(self.table, batch)?;
        self.stats.update(batch)?;
        self.writer.write(batch).await?;
        Ok(())
    }

    /// Writes the footer and completes the object.
    pub async fn finish(mut self) -> Result<WrittenFile, Error> {
        self.writer.finish().await?;
        let size = self.writer.bytes_written() as u64;
        Ok(WrittenFile {
            table: self.table,
            name: self.name,
            size,
            rows: self.stats.rows,
            schema: self.schema,
            stats: self.stats,
        })
    }

    /// Gives the object up. Parts that are in the store already are dropped as far as the store allows.
    pub async fn abort(self) {
        // Nothing refers to the object, so a failure here leaves an orphan for `vacuum` and nothing worse.
        let _ = self.writer.into_inner().abort().await;
        let _ = object_store::ObjectStoreExt::delete(&self.store, &self.object).await;
    }
}

/// Compares every row with the one before it, across batches too.
struct OrderCheck {
    keys: Vec<(usize, SortOptions)>,
    /// The key columns of the last row seen.
    last: Option<Vec<ArrayRef>>,
}

impl OrderCheck {
    fn new(table: Table, schema: &Schema) -> Result<Self, Error> {
        let mut keys = Vec::new();
        for key in table.sort_key() {
            let options = SortOptions { descending: key.descending, nulls_first: false };
            keys.push((schema.index_of(key.name)?, options));
        }
        Ok(OrderCheck { keys, last: None })
    }

    fn check(&mut self, table: Table, batch: &RecordBatch) -> Result<(), Error> {
        let columns: Vec<ArrayRef> = self.keys.iter().map(|(index, _)| Arc::clone(batch.column(*index))).collect();
        let rows = batch.num_rows();
        if let Some(last) = &self.last
            && !self.ascends(last, &columns, 0, 0)?
        {
            return Err(unsorted(table));
        }
        let sorted = match integer_pair(&columns) {
            Some((first, second)) => first.windows(2).zip(second.windows(2)).all(|pair| match pair {
                ([a, b], [c, d]) => a < b || (a == b && c <= d),
                _ => true,
            }),
            None => self.sorted(&columns, rows)?,
        };
        if !sorted {
            return Err(unsorted(table));
        }
        self.last = Some(columns.iter().map(|column| column.slice(rows - 1, 1)).collect());
        Ok(())
    }

    fn ascends(&self, left: &[ArrayRef], right: &[ArrayRef], i: usize, j: usize) -> Result<bool, Error> {
        for ((left, right), (_, options)) in left.iter().zip(right).zip(&self.keys) {
            let ordering = make_comparator(left.as_ref(), right.as_ref(), *options)?(i, j);
            if ordering.is_ne() {
                return Ok(ordering.is_lt());
            }
        }
        Ok(true)
    }

    fn sorted(&self, columns: &[ArrayRef], rows: usize) -> Result<bool, Error> {
        let mut comparators = Vec::new();
        for (column, (_, options)) in columns.iter().zip(&self.keys) {
            comparators.push(make_comparator(column.as_ref(), column.as_ref(), *options)?);
        }
        Ok((1..rows).all(|row| {
            comparators
                .iter()
                .map(|compare| compare(row - 1, row))
                .find(|ordering| ordering.is_ne())
                .is_none_or(|it| it.is_lt())
        }))
    }
}

/// Two integer columns without nulls, the keys of the largest tables, can be compared as slices.
fn integer_pair(columns: &[ArrayRef]) -> Option<(&[i64], &[i64])> {
    let [first, second] = columns else { return None };
    let plain = |column: &ArrayRef| *column.data_type() == DataType::Int64 && column.null_count() == 0;
    if !plain(first) || !plain(second) {
        return None;
    }
    Some((first.as_primitive::<Int64Type>().values(), second.as_primitive::<Int64Type>().values()))
}

fn unsorted(table: Table) -> Error {
    let keys: Vec<&str> = table.sort_key().iter().map(|key| key.name).collect();
    Error::Internal(format!("rows of table `{}` are not in the order of {}", table.name(), keys.join(", ")))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    fn points(rows: &[(i64, i64)]) -> RecordBatch {
        let rows_of = |pick: fn(&(i64, i64)) -> i64| Arc::new(Int64Array::from_iter_values(rows.iter().map(pick)));
        let columns: Vec<ArrayRef> = vec![
            rows_of(|row| row.0),
            rows_of(|row| row.1),
            Arc::new(arrow::array::Int32Array::from(vec![None; rows.len()])),
            Arc::new(Float64Array::from(vec![None; rows.len()])),
            Arc::new(TimestampMicrosecondArray::from(vec![None; rows.len()]).with_timezone("UTC")),
            Arc::new(Float64Array::from(vec![0.5; rows.len()])),
        ];
        RecordBatch::try_new(Table::Points.schema(), columns).unwrap()
    }

    fn writer(store: &Arc<dyn ObjectStore>, table: Table) -> TableWriter {
        let metadata = vec![("lakeql.dead".to_owned(), "[1]".to_owned())];
        let store = Arc::clone(store);
        TableWriter::new(store, &Path::from("t"), "f.parquet", table, table.schema(), metadata).unwrap()
    }

    #[tokio::test]
    async fn a_file_has_order_statistics_and_metadata() {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let mut writer = writer(&store, Table::Points);
        writer.write(&points(&[(1, 0), (1, 0), (1, 5)])).await.unwrap();
        writer.write(&points(&[])).await.unwrap();
        writer.write(&points(&[(1, 5), (2, -3)])).await.unwrap();
        let file = writer.finish().await.unwrap();
        assert_eq!(
            (file.rows, file.stats.int_range("series"), file.stats.int_range("step")),
            (5, Some((1, 2)), Some((-3, 5)))
        );
        let bytes = store.get(&Path::from("t/f.parquet")).await.unwrap().bytes().await.unwrap();
        assert_eq!(file.size, bytes.len() as u64);
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        let metadata = reader.metadata();
        let sorting = metadata.row_group(0).sorting_columns().unwrap();
        assert_eq!(sorting.iter().map(|key| key.column_idx).collect::<Vec<_>>(), [0, 1]);
        let pairs = metadata.file_metadata().key_value_metadata().unwrap();
        assert!(pairs.iter().any(|pair| pair.key == "lakeql.dead" && pair.value.as_deref() == Some("[1]")));
        let encodings: Vec<Encoding> = metadata.row_group(0).column(5).encodings().collect();
        assert!(encodings.contains(&Encoding::BYTE_STREAM_SPLIT), "{encodings:?}");
        assert_eq!(reader.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 5);
    }

    #[tokio::test]
    async fn rows_out_of_order_are_an_error() {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        for batches in [
            vec![points(&[(2, 0), (1, 0)])],
            vec![points(&[(1, 1), (1, 0)])],
            vec![points(&[(2, 0)]), points(&[(1, 9)])],
        ] {
            let mut writer = writer(&store, Table::Points);
            let (last, first) = batches.split_last().unwrap();
            for batch in first {
                writer.write(batch).await.unwrap();
            }
            let error = writer.write(last).await.unwrap_err();
            assert!(error.to_string().contains("`points` are not in the order of series, step"), "{error}");
            writer.abort().await;
        }
    }

    #[tokio::test]
    async fn texts_and_descending_keys_are_compared_too() {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let paths = |rows: &[(&str, &str)]| {
            let columns: Vec<ArrayRef> = vec![
                Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0))),
                Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1))),
                Arc::new(StringArray::from_iter_values(rows.iter().map(|_| "int"))),
                Arc::new(Int64Array::from(vec![1; rows.len()])),
                Arc::new(arrow::array::BooleanArray::from(vec![false; rows.len()])),
                Arc::new(StringArray::from(vec![None::<&str>; rows.len()])),
            ];
            RecordBatch::try_new(Table::Paths.schema(), columns).unwrap()
        };
        let mut good = writer(&store, Table::Paths);
        good.write(&paths(&[("context", "z"), ("run", "Z"), ("run", "a")])).await.unwrap();
        good.write(&paths(&[("run", "é")])).await.unwrap();
        assert!(good.write(&paths(&[("run", "b")])).await.is_err());
        let keys = Table::Runs.sort_key();
        assert!(keys[0].descending && !keys[1].descending);
    }
}
