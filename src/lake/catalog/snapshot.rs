//! One version of the lake, held in memory.
//!
//! The version of the Delta table `runs` is the version of the lake. Its files say which segments are live; its commit
//! names the versions of the other tables to read. Files of segments that are not live (an import that is still going
//! on, or has crashed) are left out here, and nobody above ever sees them.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};

use arrow::datatypes::{Field, Schema, SchemaRef};
use chrono::{DateTime, Utc};
use deltalake_core::table::state::DeltaTableState;
use object_store::ObjectStore;
use object_store::path::Path;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Mutex, OnceCell};

use super::lake::States;
use super::log::{DEAD_KEY, parse_dead};
use super::path::{ColumnType, parse_column_name};
use super::paths::PathCatalog;
use super::samples::SampleCatalog;
use super::tables::Table;
use super::trees::TreeCatalog;
use crate::error::{Error, Result};
use crate::storage::segment::{FileName, SegmentId};
use crate::storage::url::Place;
use crate::trees::OpenTree;

/// One version of the lake.
#[derive(Debug, Clone)]
pub struct Snapshot {
    place: Place,
    version: u64,
    time: DateTime<Utc>,
    tables: BTreeMap<Table, TableSnapshot>,
    dead: BTreeMap<SegmentId, Vec<u32>>,
    pub(super) paths: OnceLock<Arc<PathCatalog>>,
    pub(super) samples: OnceCell<Arc<SampleCatalog>>,
    pub(super) trees: OnceCell<Arc<TreeCatalog>>,
    open: Arc<Mutex<BTreeMap<String, Arc<OpenTree>>>>,
}

/// A table at one version.
#[derive(Debug, Clone)]
pub struct TableSnapshot {
    /// Which table.
    pub table: Table,
    /// The version of its Delta log.
    pub version: u64,
    /// System columns, then typed columns.
    pub schema: SchemaRef,
    /// The live files, ordered by segment.
    pub files: Vec<DataFile>,
}

/// A live file.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// The segment and the name in the folder of the table.
    pub name: FileName,
    /// The path in the store.
    pub location: Path,
    /// Bytes.
    pub size: u64,
    /// Rows.
    pub rows: u64,
    /// When it was committed.
    pub committed: DateTime<Utc>,
    /// Smallest and greatest values of sort keys and ordinals.
    pub stats: ColumnRanges,
}

/// Smallest and greatest values of columns of a file. Texts may be cut (the greatest upwards), times are texts.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ColumnRanges {
    #[serde(rename = "numRecords", default)]
    rows: u64,
    #[serde(rename = "minValues", default)]
    least: BTreeMap<String, Value>,
    #[serde(rename = "maxValues", default)]
    greatest: BTreeMap<String, Value>,
}

impl ColumnRanges {
    /// The range of an integer column.
    pub fn ints(&self, column: &str) -> Option<(i64, i64)> {
        Some((self.least.get(column)?.as_i64()?, self.greatest.get(column)?.as_i64()?))
    }

    /// The range of a text column. Every value lies in it; the bounds themselves need not be values.
    pub fn texts(&self, column: &str) -> Option<(&str, &str)> {
        Some((self.least.get(column)?.as_str()?, self.greatest.get(column)?.as_str()?))
    }
}

impl DataFile {
    /// The segment of the file.
    pub fn segment(&self) -> SegmentId {
        self.name.segment
    }
}

impl TableSnapshot {
    /// Rows of all live files, those of dead runs included.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Bytes of all live files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The file of a segment.
    pub fn file(&self, segment: SegmentId) -> Option<&DataFile> {
        self.files.iter().find(|file| file.segment() == segment)
    }

    /// The typed columns: position in the schema, path, type.
    pub fn typed_columns(&self) -> impl Iterator<Item = (usize, String, ColumnType)> + '_ {
        let system = self.table.schema().fields().len();
        self.schema.fields().iter().enumerate().skip(system).filter_map(|(index, field)| {
            let (path, column_type) = parse_column_name(field.name())?;
            Some((index, path, column_type))
        })
    }
}

impl Snapshot {
    /// The version of the lake.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// When the version was committed.
    pub fn time(&self) -> DateTime<Utc> {
        self.time
    }

    /// Where the lake is, as messages show it.
    pub fn url(&self) -> &str {
        self.place.shown()
    }

    /// The store with the files.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        self.place.store()
    }

    /// A table.
    pub fn table(&self, table: Table) -> &TableSnapshot {
        // Every table is put in when a snapshot is made.
        static NONE: std::sync::LazyLock<BTreeMap<Table, TableSnapshot>> = std::sync::LazyLock::new(|| {
            Table::every()
                .map(|table| (table, TableSnapshot { table, version: 0, schema: table.schema(), files: Vec::new() }))
                .collect()
        });
        self.tables.get(&table).unwrap_or_else(|| &NONE[&table])
    }

    /// All tables.
    pub fn tables(&self) -> impl Iterator<Item = &TableSnapshot> {
        self.tables.values()
    }

    /// Whether the lake has a file catalogue.
    pub fn has_catalogue(&self) -> bool {
        self.tables.contains_key(&Table::Files)
    }

    /// The live segments in ascending order.
    pub fn segments(&self) -> impl Iterator<Item = SegmentId> + '_ {
        self.table(Table::Runs).files.iter().map(DataFile::segment)
    }

    /// Runs that have been replaced and whose rows are still in `attributes`, `series` and the points of live segments.
    /// Scans of these tables leave them out. Empty in most lakes. Ascending.
    pub fn dead_runs(&self) -> Vec<i64> {
        self.dead.iter().flat_map(|(segment, runs)| runs.iter().map(|run| segment.ordinal(*run))).collect()
    }

    /// The dead runs of a segment, as positions.
    pub(crate) fn dead_in(&self, segment: SegmentId) -> &[u32] {
        self.dead.get(&segment).map(Vec::as_slice).unwrap_or_default()
    }

    /// A tree with its files open. They stay so for the next who asks.
    pub async fn open_tree(&self, name: &str) -> Result<Arc<OpenTree>> {
        let mut open = self.open.lock().await;
        if let Some(tree) = open.get(name) {
            return Ok(Arc::clone(tree));
        }
        let catalog = self.trees().await?;
        let tree = catalog.trees.get(name).ok_or_else(|| Error::Internal(format!("there is no tree `{name}`")))?;
        let tree = Arc::new(OpenTree::open(self, name, tree).await?);
        open.insert(name.to_owned(), Arc::clone(&tree));
        Ok(tree)
    }

    /// Whether any dead rows have to be left out.
    pub fn has_dead_runs(&self) -> bool {
        !self.dead.is_empty()
    }

    /// Attribute paths and sequence names with their kinds and counts.
    pub fn paths(&self) -> &Arc<PathCatalog> {
        static NONE: std::sync::LazyLock<Arc<PathCatalog>> = std::sync::LazyLock::new(Arc::default);
        self.paths.get().unwrap_or(&NONE)
    }

    /// Puts the snapshot together from the states of all tables.
    pub(super) fn build(place: &Place, version: u64, time: DateTime<Utc>, states: &States) -> Result<Snapshot> {
        let mut tables = BTreeMap::new();
        let mut dead = BTreeMap::new();
        let runs = match states.get(&Table::Runs) {
            Some(state) => files(place, Table::Runs, state, Some(&mut dead))?,
            None => Vec::new(),
        };
        let catalogued: HashSet<SegmentId> = match states.get(&Table::Files) {
            Some(state) => files(place, Table::Files, state, None)?.iter().map(DataFile::segment).collect(),
            None => HashSet::new(),
        };
        for (table, state) in states {
            let mut files = match table {
                Table::Runs => runs.clone(),
                _ => files(place, *table, state, None)?,
            };
            files.retain(|file| {
                let live = runs.iter().find(|live| live.segment() == file.segment());
                match table {
                    // Small tables are replaced as a whole: what their log has counts.
                    Table::Files | Table::Datasets | Table::DatasetAttributes | Table::NamedQueries => return true,
                    // Of samples the table of data sets says which segments are live.
                    Table::SampleDatasets | Table::SampleFiles | Table::Samples => return true,
                    // And the table of trees of nodes.
                    Table::Trees | Table::Nodes => return true,
                    Table::FileAttributes | Table::Members | Table::Provenance => {
                        return catalogued.contains(&file.segment());
                    }
                    Table::Paths if catalogued.contains(&file.segment()) => return file.name.generation == 0,
                    Table::Paths
                    | Table::Runs
                    | Table::Attributes
                    | Table::Series
                    | Table::Points
                    | Table::TextPoints => {}
                }
                live.is_some_and(|live| match table {
                    // A rewrite of `runs` has its own catalogue of paths, which has its name.
                    Table::Paths if live.name.generation > 0 => live.name == file.name,
                    Table::Paths => file.name.generation == 0,
                    _ => true,
                })
            });
            files.sort_by_key(DataFile::segment);
            let schema = schema(*table, state);
            tables.insert(*table, TableSnapshot { table: *table, version: state.version(), schema, files });
        }
        Ok(Snapshot {
            place: place.clone(),
            version,
            time,
            tables,
            dead,
            paths: OnceLock::new(),
            samples: OnceCell::new(),
            trees: OnceCell::new(),
            open: Arc::default(),
        })
    }
}

/// System columns and the typed columns that the log knows.
fn schema(table: Table, state: &DeltaTableState) -> SchemaRef {
    let system = table.schema();
    if !table.has_typed_columns() {
        return system;
    }
    let typed: Vec<Arc<Field>> = state
        .schema()
        .fields()
        .filter_map(|field| {
            let (_, column_type) = parse_column_name(field.name())?;
            Some(Arc::new(Field::new(field.name(), column_type.data_type(), true)))
        })
        .collect();
    Arc::new(Schema::new(system.fields().iter().cloned().chain(typed).collect::<Vec<_>>()))
}

/// All files of a table's log.
pub(super) fn files(
    place: &Place,
    table: Table,
    state: &DeltaTableState,
    mut dead: Option<&mut BTreeMap<SegmentId, Vec<u32>>>,
) -> Result<Vec<DataFile>> {
    let folder = place.path(table.name());
    let mut files = Vec::new();
    for view in state.snapshot().try_log_data()?.iter() {
        let path = view.path();
        let location = folder.clone().join(path.as_ref());
        let damaged = |reason: String| Error::Damaged { path: location.to_string(), reason };
        let name = FileName::parse(&path)
            .ok_or_else(|| damaged(format!("something other than lakeql has written to the table `{table}`")))?;
        let stats: ColumnRanges = match view.stats() {
            Some(text) => serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?,
            None => ColumnRanges::default(),
        };
        if let Some(dead) = dead.as_deref_mut().filter(|_| name.generation > 0) {
            // The only reader of tags in the log crate.
            #[expect(deprecated, reason = "views give tags in no other way")]
            let tags = view.add_action().tags.unwrap_or_default();
            if let Some(Some(text)) = tags.get(DEAD_KEY) {
                let runs = parse_dead(text).map_err(|error| damaged(error.to_string()))?;
                dead.insert(name.segment, runs);
            }
        }
        files.push(DataFile {
            name,
            size: u64::try_from(view.size()).unwrap_or_default(),
            rows: stats.rows,
            committed: view.modification_datetime().unwrap_or_default(),
            stats,
            location,
        });
    }
    Ok(files)
}
