//! What a lake holds, in numbers: for `tables` and `describe`.

use arrow::datatypes::DataType;

use super::path::parse_column_name;
use super::snapshot::{Snapshot, TableSnapshot};
use super::tables::Table;

/// Size of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInfo {
    /// Its name.
    pub name: &'static str,
    /// Rows that can be seen. Where runs have been replaced, rows of theirs that are still stored count too, except in
    /// `runs` itself.
    pub rows: u64,
    /// Parquet files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The columns in order.
    pub columns: Vec<ColumnInfo>,
    /// The columns that the rows of each file are sorted by.
    pub sorted_by: Vec<String>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Its Arrow type.
    pub data_type: DataType,
    /// Whether rows can lack it.
    pub nullable: bool,
    /// The attribute path, when it is a typed column.
    pub path: Option<String>,
}

impl Snapshot {
    /// The tables with their sizes, the most important first.
    pub fn table_infos(&self) -> Vec<TableInfo> {
        let experiments = Table::ALL.into_iter();
        // Nobody is told of a family that is not there.
        let samples = Table::SAMPLES.into_iter().filter(|table| !self.table(*table).files.is_empty());
        let trees = Table::TREES.into_iter().filter(|table| !self.table(*table).files.is_empty());
        let catalogue = Table::CATALOGUE.into_iter().filter(|_| self.has_catalogue());
        experiments.chain(samples).chain(trees).chain(catalogue).map(|table| self.table(table).info()).collect()
    }
}

impl TableSnapshot {
    /// The size and the columns of the table.
    pub fn info(&self) -> TableInfo {
        let columns = self.schema.fields().iter().map(|field| ColumnInfo {
            name: field.name().clone(),
            data_type: field.data_type().clone(),
            nullable: field.is_nullable(),
            path: parse_column_name(field.name()).map(|(path, _)| path),
        });
        let sorted_by = self.table.sort_key().iter().map(|key| match key.descending {
            true => format!("{} descending", key.name),
            false => key.name.to_owned(),
        });
        TableInfo {
            name: self.table.name(),
            rows: self.rows(),
            files: self.files.len(),
            bytes: self.bytes(),
            columns: columns.collect(),
            sorted_by: sorted_by.collect(),
        }
    }
}
