//! One Parquet file of an export: is it one, which row groups and columns matter, and its batches.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};

use super::super::view::PathFilter;
use super::fetch::Pieces;

/// Why a file is no good.
#[derive(Debug)]
pub(super) struct PartFault {
    /// The column, if it is one's fault.
    pub(super) field: Option<String>,
    pub(super) reason: String,
}

impl PartFault {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        PartFault { field: None, reason: reason.into() }
    }
}

impl From<ParquetError> for PartFault {
    fn from(error: ParquetError) -> Self {
        PartFault::new(format!("the Parquet file is damaged or truncated: {error}"))
    }
}

/// The columns that every file has, with what their type must be.
const COLUMNS: [(&str, Kind); 14] = [
    ("project_id", Kind::Text),
    ("run_id", Kind::Text),
    ("attribute_path", Kind::Text),
    ("attribute_type", Kind::Text),
    ("step", Kind::Step),
    ("timestamp", Kind::Time),
    ("int_value", Kind::Int),
    ("float_value", Kind::Float),
    ("string_value", Kind::Text),
    ("bool_value", Kind::Bool),
    ("datetime_value", Kind::Time),
    ("string_set_value", Kind::Set),
    ("file_value", Kind::File),
    ("histogram_value", Kind::Histogram),
];

/// The columns that repeat so much that their dictionary is kept.
const REPEATED: [&str; 4] = ["project_id", "run_id", "attribute_path", "attribute_type"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Step,
    Time,
    Int,
    Float,
    Bool,
    Set,
    File,
    Histogram,
}

impl Kind {
    fn fits(self, found: &DataType) -> bool {
        let list = |data_type: &DataType, item: &dyn Fn(&DataType) -> bool| match data_type {
            DataType::List(field) => item(field.data_type()),
            _ => false,
        };
        let member = |data_type: &DataType, name: &str, fits: &dyn Fn(&DataType) -> bool| match data_type {
            DataType::Struct(fields) => fields.iter().any(|field| field.name() == name && fits(field.data_type())),
            _ => false,
        };
        let text = |data_type: &DataType| *data_type == DataType::Utf8;
        let float = |data_type: &DataType| *data_type == DataType::Float64;
        match self {
            Kind::Text => text(found),
            Kind::Step => matches!(found, DataType::Decimal128(_, scale) if *scale == 6),
            Kind::Time => matches!(found, DataType::Timestamp(..)),
            Kind::Int => *found == DataType::Int64,
            Kind::Float => float(found),
            Kind::Bool => *found == DataType::Boolean,
            Kind::Set => list(found, &text),
            Kind::File => member(found, "path", &text),
            Kind::Histogram => {
                member(found, "type", &text)
                    && member(found, "edges", &|edges| list(edges, &float))
                    && member(found, "values", &|values| list(values, &float))
            }
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Kind::Text => "texts",
            Kind::Step => "decimals with six digits behind the point",
            Kind::Time => "timestamps",
            Kind::Int => "integers of 64 bits",
            Kind::Float => "floats of 64 bits",
            Kind::Bool => "booleans",
            Kind::Set => "lists of texts",
            Kind::File => "a struct with the text `path`",
            Kind::Histogram => "a struct of `type`, `edges` and `values`",
        }
    }
}

/// A footer that has been looked at.
pub(super) struct Opened {
    metadata: ArrowReaderMetadata,
    /// The row groups to read, each group with the row of the file that it begins with.
    groups: Vec<(usize, u64)>,
    /// For every row group to read the leaves of the columns that have values.
    leaves: Vec<Vec<usize>>,
}

/// Reads the footer of a whole file.
pub(super) fn footer_of(pieces: &Pieces) -> Result<Arc<ParquetMetaData>, PartFault> {
    let reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Skip);
    reader.parse_and_finish(pieces).map(Arc::new).map_err(|error| match error {
        ParquetError::General(_) | ParquetError::EOF(_) => {
            PartFault::new(format!("not a Parquet file, or a truncated one: {error}"))
        }
        other => other.into(),
    })
}

/// Row groups with fewer rows than this are read in one go.
const SMALL_ROWS: i64 = 65_536;

/// Rows of a batch.
const BATCH_ROWS: usize = 16_384;

impl Opened {
    /// Checks the columns and chooses what to read.
    pub(super) fn new(footer: Arc<ParquetMetaData>, wanted: &PathFilter) -> Result<Self, PartFault> {
        // The hint of the writer may ask for other types of the same values: what counts is what the file says itself.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let plain = ArrowReaderMetadata::try_new(Arc::clone(&footer), options.clone())?;
        let schema = checked(plain.schema())?;
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(&footer), options.with_schema(schema))?;
        let parquet = metadata.parquet_schema();
        let leaf = |name: &str| (0..parquet.num_columns()).find(|leaf| parquet.column(*leaf).path().string() == name);
        let path_leaf = leaf("attribute_path");
        let kind_leaf = leaf("attribute_type");
        let mut groups = Vec::new();
        let mut leaves = Vec::new();
        let mut row = 0;
        for (number, group) in footer.row_groups().iter().enumerate() {
            let rows = group.num_rows();
            if rows > 0 && path_leaf.is_none_or(|leaf| may_have(group, leaf, wanted)) {
                groups.push((number, row));
                // A column is read with all its leaves or not at all.
                let mut roots = vec![false; parquet.root_schema().get_fields().len()];
                for leaf in 0..group.num_columns().min(parquet.num_columns()) {
                    if let Some(root) = roots.get_mut(parquet.get_column_root_idx(leaf)) {
                        *root |= match parquet.column(leaf).path().parts().first().map(String::as_str) {
                            // An empty set is a value, and a null to the statistics of its members.
                            Some("string_set_value") => {
                                kind_leaf.is_none_or(|kinds| range_of(group, kinds).is_none_or(may_be_set))
                            }
                            _ => has_values(group, leaf),
                        };
                    }
                }
                let filled = |leaf: &usize| roots.get(parquet.get_column_root_idx(*leaf)) == Some(&true);
                leaves.push((0..parquet.num_columns()).filter(filled).collect());
            }
            row += rows.unsigned_abs();
        }
        Ok(Opened { metadata, groups, leaves })
    }

    /// The bytes that will be read.
    pub(super) fn ranges(&self) -> Vec<Range<u64>> {
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for ((group, _), leaves) in self.groups.iter().zip(&self.leaves) {
            let Some(group) = self.metadata.metadata().row_groups().get(*group) else { continue };
            for leaf in leaves {
                let (start, length) = group.column(*leaf).byte_range();
                match ranges.last_mut() {
                    Some(last) if last.end == start => last.end = start + length,
                    _ => ranges.push(start..start + length),
                }
            }
        }
        ranges
    }

    /// Calls `each` with every batch and the row of the file that it begins with, from 0.
    pub(super) fn read<E: From<PartFault>>(
        &self,
        pieces: &Pieces,
        mut each: impl FnMut(RecordBatch, u64) -> Result<(), E>,
    ) -> Result<(), E> {
        let all = self.metadata.metadata().row_groups();
        let mut at = 0;
        while at < self.groups.len() {
            // Small neighbours share a reader, with the columns that any of them needs.
            let mut end = at;
            let mut rows = 0;
            let mut leaves: Vec<usize> = Vec::new();
            let mut next_row = None;
            while let (Some((group, row)), Some(own)) = (self.groups.get(end), self.leaves.get(end)) {
                let own_rows = all.get(*group).map_or(0, RowGroupMetaData::num_rows);
                let neighbours = next_row.is_none_or(|next| next == *row);
                if end > at && (rows + own_rows > SMALL_ROWS || !neighbours) {
                    break;
                }
                rows += own_rows;
                leaves.extend(own);
                next_row = Some(row + own_rows.unsigned_abs());
                end += 1;
            }
            let chosen = self.groups.get(at..end).unwrap_or_default();
            let mask = ProjectionMask::leaves(self.metadata.parquet_schema(), leaves);
            let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(pieces.clone(), self.metadata.clone())
                .with_row_groups(chosen.iter().map(|(group, _)| *group).collect())
                .with_projection(mask)
                .with_batch_size(BATCH_ROWS)
                .build()
                .map_err(|error| E::from(error.into()))?;
            let mut row = chosen.first().map_or(0, |(_, row)| *row);
            for batch in reader {
                let damaged = |error| PartFault::new(format!("the Parquet file is damaged or truncated: {error}"));
                let batch = batch.map_err(|error| E::from(damaged(error)))?;
                let rows = batch.num_rows() as u64;
                each(batch, row)?;
                row += rows;
            }
            at = end;
        }
        Ok(())
    }
}

/// The schema to read with; the types of the columns are as they should be.
fn checked(schema: &SchemaRef) -> Result<SchemaRef, PartFault> {
    for (name, kind) in COLUMNS {
        let fault = |reason: String| PartFault { field: Some(name.to_owned()), reason };
        let field = schema
            .field_with_name(name)
            .map_err(|_| fault("the column is missing: not a file of neptune-exporter".to_owned()))?;
        if !kind.fits(field.data_type()) {
            return Err(fault(format!("expected {}, got {}", kind.noun(), field.data_type())));
        }
    }
    let fields = schema.fields().iter().map(|field| {
        if REPEATED.contains(&field.name().as_str()) {
            let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            Arc::new(Field::new(field.name(), dictionary, field.is_nullable()))
        } else {
            Arc::clone(field)
        }
    });
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// The least and the greatest text of a column in a row group, where statistics know them.
fn range_of(group: &RowGroupMetaData, leaf: usize) -> Option<(&str, &str)> {
    let statistics = group.column(leaf).statistics()?;
    let least = std::str::from_utf8(statistics.min_bytes_opt()?).ok()?;
    Some((least, std::str::from_utf8(statistics.max_bytes_opt()?).ok()?))
}

/// Whether statistics allow wanted paths in a row group.
fn may_have(group: &RowGroupMetaData, leaf: usize, wanted: &PathFilter) -> bool {
    range_of(group, leaf).is_none_or(|(least, greatest)| wanted.may_be_within(least, greatest))
}

fn may_be_set((least, greatest): (&str, &str)) -> bool {
    least <= "string_set" && "string_set" <= greatest
}

/// Whether statistics allow other values than null.
fn has_values(group: &RowGroupMetaData, leaf: usize) -> bool {
    let column = group.column(leaf);
    let nulls = column.statistics().and_then(|statistics| statistics.null_count_opt());
    nulls.is_none_or(|nulls| nulls < column.num_values().unsigned_abs())
}
