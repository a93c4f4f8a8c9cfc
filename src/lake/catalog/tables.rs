//! The tables: names, system columns, sort orders.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::files;

/// A table of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// A run: system columns, typed columns of frequent parameters, the whole parameter document.
    Runs,
    /// Every attribute of every run, sorted by path.
    Attributes,
    /// A sequence: its run, name, context and summaries.
    Series,
    /// The points of metrics.
    Points,
    /// The records of all other sequences.
    TextPoints,
    /// Which attribute paths and sequence names there are, and how often.
    Paths,
    /// The data sets of samples with their properties: one small file that every change replaces.
    SampleDatasets,
    /// The files of the data sets.
    SampleFiles,
    /// Runs of consecutive samples with equal properties.
    Samples,
    /// The trees with their definitions: one small file that every change replaces.
    Trees,
    /// The nodes of the trees, a file for each level of a tree.
    Nodes,
    /// A file of the file catalogue: system columns, its metadata as a document, typed columns of frequent keys.
    Files,
    /// Every metadata value of every file, sorted by key.
    FileAttributes,
    /// A dataset of the file catalogue.
    Datasets,
    /// Every metadata value of every dataset, sorted by key.
    DatasetAttributes,
    /// Which files are in which datasets.
    Members,
    /// Which files were made from which.
    Provenance,
    /// A saved query.
    NamedQueries,
}

/// A column of a sort order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortColumn {
    /// Name of the column.
    pub name: &'static str,
    /// Greatest first.
    pub descending: bool,
}

const fn up(name: &'static str) -> SortColumn {
    SortColumn { name, descending: false }
}

impl Table {
    /// All tables in the order in which an import commits them. `runs` comes last: it makes the others visible.
    pub const COMMIT_ORDER: [Table; 6] =
        [Table::Attributes, Table::Series, Table::Points, Table::TextPoints, Table::Paths, Table::Runs];

    /// All tables, the most important first.
    pub const ALL: [Table; 6] =
        [Table::Runs, Table::Attributes, Table::Series, Table::Points, Table::TextPoints, Table::Paths];

    /// The tables of the family samples. They are made with the first import of samples, and are versioned by `runs` as
    /// all others are.
    pub const SAMPLES: [Table; 3] = [Table::SampleDatasets, Table::SampleFiles, Table::Samples];
    /// The tables of the family trees. They are made with the first tree.
    pub const TREES: [Table; 2] = [Table::Trees, Table::Nodes];

    /// Families that are there only when something of theirs has been imported.
    pub const FAMILIES: [&'static [Table]; 3] = [&Table::SAMPLES, &Table::TREES, &Table::CATALOGUE];

    /// The tables of the file catalogue in the order in which an import commits them. They are there once something has
    /// been imported. `files` comes last: a segment of `file_attributes`, `members` and `provenance` is live if `files`
    /// has it. Versions that belong together are named by the commit of `runs`, as for all tables.
    pub const CATALOGUE: [Table; 7] = [
        Table::FileAttributes,
        Table::Members,
        Table::Provenance,
        Table::Datasets,
        Table::DatasetAttributes,
        Table::NamedQueries,
        Table::Files,
    ];

    /// The name of the table, which is also its folder.
    pub const fn name(self) -> &'static str {
        match self {
            Table::Runs => "runs",
            Table::Attributes => "attributes",
            Table::Series => "series",
            Table::Points => "points",
            Table::TextPoints => "text_points",
            Table::Paths => "paths",
            Table::SampleDatasets => "sample_datasets",
            Table::SampleFiles => "sample_files",
            Table::Samples => "samples",
            Table::Trees => "trees",
            Table::Nodes => "nodes",
            Table::Files => "files",
            Table::FileAttributes => "file_attributes",
            Table::Datasets => "datasets",
            Table::DatasetAttributes => "dataset_attributes",
            Table::Members => "members",
            Table::Provenance => "provenance",
            Table::NamedQueries => "named_queries",
        }
    }

    /// The table with this name.
    pub fn from_name(name: &str) -> Option<Table> {
        Table::every().find(|table| table.name() == name)
    }

    /// All tables of all families.
    pub fn every() -> impl Iterator<Item = Table> {
        Table::ALL.into_iter().chain(Table::FAMILIES.into_iter().flatten().copied())
    }

    /// The system columns. Files of `runs` and `series` have typed columns after them.
    pub fn schema(self) -> SchemaRef {
        static SCHEMAS: LazyLock<BTreeMap<Table, SchemaRef>> =
            LazyLock::new(|| Table::every().map(|table| (table, Arc::new(table.columns()))).collect());
        SCHEMAS.get(&self).map_or_else(|| Arc::new(self.columns()), Arc::clone)
    }

    fn columns(self) -> Schema {
        match self {
            Table::Runs => runs(),
            Table::Attributes => attributes(),
            Table::Series => series(),
            Table::Points => points(),
            Table::TextPoints => text_points(),
            Table::Paths => paths(),
            Table::SampleDatasets => sample_datasets(),
            Table::SampleFiles => sample_files(),
            Table::Samples => samples(),
            Table::Trees => trees(),
            Table::Nodes => nodes(),
            Table::Files => files::files(),
            Table::FileAttributes => files::file_attributes(),
            Table::Datasets => files::datasets(),
            Table::DatasetAttributes => files::dataset_attributes(),
            Table::Members => files::members(),
            Table::Provenance => files::provenance(),
            Table::NamedQueries => files::named_queries(),
        }
    }

    /// The order in which the rows of every file of the table lie.
    pub const fn sort_key(self) -> &'static [SortColumn] {
        const RUNS: [SortColumn; 2] = [SortColumn { name: "created_at", descending: true }, up("hash")];
        const ATTRIBUTES: [SortColumn; 2] = [up("path"), up("run")];
        const SERIES: [SortColumn; 3] = [up("name"), up("context_key"), up("run")];
        const POINTS: [SortColumn; 2] = [up("series"), up("step")];
        const PATHS: [SortColumn; 3] = [up("owner"), up("path"), up("kind")];
        const SAMPLE_DATASETS: [SortColumn; 2] = [up("collection"), up("dataset_id")];
        const SAMPLE_FILES: [SortColumn; 2] = [up("collection"), up("file_id")];
        const SAMPLES: [SortColumn; 3] = [up("dataset"), up("file"), up("start")];
        const TREES: [SortColumn; 1] = [up("tree")];
        const FILES: [SortColumn; 2] = [up("created_timestamp"), up("fid")];
        const FILE_ATTRIBUTES: [SortColumn; 2] = [up("path"), up("file")];
        const DATASET_ATTRIBUTES: [SortColumn; 2] = [up("path"), up("dataset")];
        const NAMED: [SortColumn; 2] = [up("namespace"), up("name")];
        const MEMBERS: [SortColumn; 2] = [up("dataset"), up("file")];
        const PROVENANCE: [SortColumn; 2] = [up("child"), up("parent")];
        match self {
            Table::Runs => &RUNS,
            Table::Attributes => &ATTRIBUTES,
            Table::Series => &SERIES,
            Table::Points | Table::TextPoints => &POINTS,
            Table::Paths => &PATHS,
            Table::SampleDatasets => &SAMPLE_DATASETS,
            Table::SampleFiles => &SAMPLE_FILES,
            Table::Samples => &SAMPLES,
            Table::Trees => &TREES,
            // The writer has them in order from a merge, and their columns depend on the level.
            Table::Nodes => &[],
            Table::Files => &FILES,
            Table::FileAttributes => &FILE_ATTRIBUTES,
            Table::Datasets | Table::NamedQueries => &NAMED,
            Table::DatasetAttributes => &DATASET_ATTRIBUTES,
            Table::Members => &MEMBERS,
            Table::Provenance => &PROVENANCE,
        }
    }

    /// The columns whose ranges the log keeps for every file: sort keys and what points from one table to another.
    pub const fn stats_columns(self) -> &'static [&'static str] {
        match self {
            Table::Runs => &["run", "created_at", "hash", "experiment", "project"],
            Table::Attributes => &["path", "run"],
            Table::Series => &["series", "run", "name", "context_key", "kind"],
            Table::Points | Table::TextPoints => &["series", "step"],
            Table::Paths => &["owner", "path"],
            Table::SampleDatasets => &["collection", "dataset_id"],
            Table::SampleFiles => &["collection", "file_id"],
            Table::Samples => &["dataset", "file"],
            Table::Trees => &["tree"],
            Table::Nodes => &["depth"],
            Table::Files => &["file", "created_timestamp", "fid"],
            Table::FileAttributes => &["path", "file"],
            Table::Datasets | Table::NamedQueries => &["namespace", "name"],
            Table::DatasetAttributes => &["path", "dataset"],
            Table::Members => &["dataset", "file"],
            Table::Provenance => &["child", "parent"],
        }
    }

    /// Whether files of the table may have typed columns after the system columns.
    pub const fn has_typed_columns(self) -> bool {
        matches!(self, Table::Runs | Table::Series | Table::Files)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The type of every time column.
pub fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

pub(super) fn list(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

/// A column that every row fills.
pub(super) fn some(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

/// A column that may be null.
pub(super) fn maybe(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

fn runs() -> Schema {
    Schema::new(vec![
        some("run", DataType::Int64),
        some("hash", DataType::Utf8),
        some("name", DataType::Utf8),
        some("experiment", DataType::Utf8),
        maybe("project", DataType::Utf8),
        maybe("description", DataType::Utf8),
        some("tags", list(DataType::Utf8)),
        some("archived", DataType::Boolean),
        some("active", DataType::Boolean),
        some("created_at", time_type()),
        maybe("finalized_at", time_type()),
        maybe("end_time", DataType::Float64),
        maybe("duration", DataType::Float64),
        some("imported_at", time_type()),
        some("digest", DataType::Binary),
        some("params", DataType::Utf8),
    ])
}

fn attributes() -> Schema {
    Schema::new(vec![
        some("path", DataType::Utf8),
        some("run", DataType::Int64),
        some("kind", DataType::Utf8),
        maybe("int", DataType::Int64),
        maybe("float", DataType::Float64),
        maybe("text", DataType::Utf8),
        maybe("bool", DataType::Boolean),
        maybe("time", time_type()),
        maybe("ints", list(DataType::Int64)),
        maybe("floats", list(DataType::Float64)),
        maybe("texts", list(DataType::Utf8)),
        maybe("json", DataType::Utf8),
    ])
}

fn series() -> Schema {
    let mut fields = vec![
        some("series", DataType::Int64),
        some("run", DataType::Int64),
        some("name", DataType::Utf8),
        some("context", DataType::Utf8),
        some("context_key", DataType::Utf8),
        maybe("context_hash", DataType::Int64),
        some("kind", DataType::Utf8),
        maybe("dtype", DataType::Utf8),
        maybe("version", DataType::Int64),
    ];
    for name in ["first", "last", "min", "max"] {
        fields.push(maybe(name, DataType::Float64));
    }
    for name in ["first_int", "last_int", "min_int", "max_int"] {
        fields.push(maybe(name, DataType::Int64));
    }
    fields.extend([
        maybe("last_json", DataType::Utf8),
        maybe("last_text", DataType::Utf8),
        maybe("first_step", DataType::Int64),
        maybe("last_step", DataType::Int64),
        maybe("record_max_length", DataType::Int64),
        some("n", DataType::Int64),
        maybe("mean", DataType::Float64),
        maybe("m2", DataType::Float64),
        some("n_nan", DataType::Int64),
        some("first_row", DataType::Int64),
    ]);
    Schema::new(fields)
}

fn points() -> Schema {
    Schema::new(vec![
        some("series", DataType::Int64),
        some("step", DataType::Int64),
        maybe("substep", DataType::Int32),
        maybe("epoch", DataType::Float64),
        maybe("time", time_type()),
        some("value", DataType::Float64),
    ])
}

fn text_points() -> Schema {
    Schema::new(vec![
        some("series", DataType::Int64),
        some("step", DataType::Int64),
        maybe("substep", DataType::Int32),
        maybe("index", DataType::Int64),
        maybe("epoch", DataType::Float64),
        maybe("time", time_type()),
        maybe("text", DataType::Utf8),
    ])
}

fn paths() -> Schema {
    Schema::new(vec![
        some("owner", DataType::Utf8),
        some("path", DataType::Utf8),
        some("kind", DataType::Utf8),
        some("count", DataType::Int64),
        some("hot", DataType::Boolean),
        maybe("example", DataType::Utf8),
    ])
}

fn sample_datasets() -> Schema {
    Schema::new(vec![
        some("collection", DataType::Utf8),
        some("dataset_id", DataType::Int64),
        some("dataset", DataType::Utf8),
        some("format", DataType::Utf8),
        some("location", DataType::Utf8),
        some("samples", DataType::Int64),
        // The segment of its files and samples.
        some("segment", DataType::Int64),
        some("digest", DataType::Utf8),
        // JSON: a list of objects with `name`, `kind`, `multiple`, `nullable`, `options`.
        some("properties", DataType::Utf8),
    ])
}

fn sample_files() -> Schema {
    Schema::new(vec![
        some("collection", DataType::Utf8),
        some("dataset_id", DataType::Int64),
        some("file_id", DataType::Int64),
        some("file", DataType::Utf8),
        some("samples", DataType::Int64),
        // Of the file as it was when it was imported.
        some("bytes", DataType::Int64),
    ])
}

/// The system columns; a column for each property follows.
fn samples() -> Schema {
    Schema::new(vec![
        some("dataset", DataType::Int64),
        some("file", DataType::Int64),
        some("start", DataType::Int64),
        some("end", DataType::Int64),
    ])
}

fn trees() -> Schema {
    Schema::new(vec![
        some("tree", DataType::Utf8),
        // The segment of its nodes.
        some("segment", DataType::Int64),
        some("levels", DataType::Int64),
        // Without the root.
        some("nodes", DataType::Int64),
        // Children of the root.
        some("children", DataType::Int64),
        // That have reached it.
        some("events", DataType::Int64),
        some("bytes", DataType::Int64),
        some("digest", DataType::Utf8),
        // JSON: how it is built.
        some("definition", DataType::Utf8),
    ])
}

/// The system columns. Before them stand `level1`, `level2` … down to the level of the file, behind them what is attached.
fn nodes() -> Schema {
    Schema::new(vec![
        // 1 for children of the root.
        some("depth", DataType::Int64),
        some("hits", DataType::Int64),
        some("children", DataType::Int64),
        // The row of the first child in the file of the next level.
        some("first_child", DataType::Int64),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_its_name_and_its_sort_columns() {
        for table in Table::ALL.into_iter().chain(Table::CATALOGUE) {
            assert_eq!(Table::from_name(table.name()), Some(table));
            for key in table.sort_key() {
                let field = table.schema().field_with_name(key.name).cloned().unwrap();
                assert!(!field.is_nullable(), "{table}.{}", key.name);
            }
            assert!(Table::COMMIT_ORDER.contains(&table) || Table::CATALOGUE.contains(&table));
        }
        assert_eq!(Table::COMMIT_ORDER.last(), Some(&Table::Runs));
    }
}
