//! The catalogue of trees: their definitions, where their nodes are, and how it changes.
//!
//! `trees` has one small file with a row for each tree; every change replaces it as a whole. A tree names its segment, in
//! which each level of the tree has a file of `nodes`: the files of segments that no tree names are not seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use lakeql_rows::tree::{AttachSpec, Fields, Plan, Spec, TreeSpec};
use serde_json::{Map, Value};

use super::family::Family;
use super::lake::{Lake, Loaded};
use super::log::{Change, RemovedFile};
use super::path::{ColumnType, encoded, typed_field};
use super::snapshot::{DataFile, Snapshot};
use super::tables::Table;
use crate::error::{Error, Result};
use crate::storage::reader::{ints, read_small, texts};
use crate::storage::segment::{FileName, SegmentId};
use crate::storage::writer::{TableWriter, WrittenFile};

/// All trees of a version of the lake.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TreeCatalog {
    /// By name.
    pub trees: BTreeMap<String, TreeInfo>,
}

/// What is known of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeInfo {
    /// Where its nodes are.
    pub segment: SegmentId,
    /// How deep its deepest node is; 0 if it has none but the root.
    pub levels: u64,
    /// Its nodes without the root.
    pub nodes: u64,
    /// Children of the root.
    pub children: u64,
    /// Events that have reached it.
    pub events: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Stands for its content.
    pub digest: String,
    /// How it is built, as JSON.
    pub definition: String,
}

impl TreeInfo {
    /// The definition, read.
    ///
    /// # Errors
    /// It is none.
    pub fn plan(&self) -> Result<(TreeSpec, Plan)> {
        plan_of(&self.definition).map_err(|reason| Error::Damaged { path: Table::Trees.name().to_owned(), reason })
    }
}

/// Reads the definition of one tree.
pub(crate) fn plan_of(definition: &str) -> Result<(TreeSpec, Plan), String> {
    let spec = Spec::parse(&format!("{{\"trees\": {{\"tree\": {definition}}}}}"))?;
    let spec = spec.trees.into_values().next().ok_or("there is no definition")?;
    let plan = Plan::new(&spec, &mut Fields::default())?;
    Ok((spec, plan))
}

impl TreeCatalog {
    /// The trees that a name means: the one of this name, or else those of several workers, `name.0`, `name.1` and so on.
    pub fn named<'a>(&'a self, name: &str) -> Vec<(&'a str, &'a TreeInfo)> {
        if let Some((name, tree)) = self.trees.get_key_value(name) {
            return vec![(name, tree)];
        }
        let number = |full: &str| full.strip_prefix(name)?.strip_prefix('.')?.parse::<u32>().ok();
        let mut workers: Vec<_> =
            self.trees.iter().filter_map(|(full, tree)| Some((number(full)?, full.as_str(), tree))).collect();
        workers.sort_by_key(|(number, ..)| *number);
        workers.into_iter().map(|(_, name, tree)| (name, tree)).collect()
    }
}

/// How the state of an attachment is kept in columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateColumns {
    /// Two integers.
    Ints(Field, Field),
    /// A float and an integer.
    FloatInt(Field, Field),
    /// Bytes, as [`lakeql_rows::tree::Attachment`] writes them.
    Bytes(Field),
}

impl StateColumns {
    /// The columns of the attachment `name` of this kind: `name.sum.sum:int`, `name.count:state`.
    pub fn of(name: &str, spec: &AttachSpec) -> Self {
        let kind = spec.kind();
        let typed = |part: &str, column: ColumnType| typed_field(&format!("{name}.{kind}.{part}"), column);
        match spec {
            AttachSpec::Sum { .. } => Self::Ints(typed("sum", ColumnType::Int), typed("num", ColumnType::Int)),
            AttachSpec::Time { .. } => Self::Ints(typed("first", ColumnType::Int), typed("last", ColumnType::Int)),
            AttachSpec::SumFloat { .. } => {
                Self::FloatInt(typed("sum", ColumnType::Float), typed("count", ColumnType::Int))
            }
            _ => {
                let name = format!("{}:state", encoded(&format!("{name}.{kind}")));
                Self::Bytes(Field::new(name, DataType::Binary, true))
            }
        }
    }

    /// The columns.
    pub fn fields(&self) -> Vec<&Field> {
        match self {
            Self::Ints(first, second) | Self::FloatInt(first, second) => vec![first, second],
            Self::Bytes(only) => vec![only],
        }
    }
}

/// The name of the column with the names of a level.
pub fn level_column(level: usize) -> String {
    format!("level{level}")
}

/// The columns of the file of a level, from 1.
pub fn level_schema(plan: &Plan, level: usize) -> SchemaRef {
    let mut fields: Vec<Arc<Field>> =
        (1..=level).map(|above| Arc::new(Field::new(level_column(above), DataType::Utf8, true))).collect();
    fields.extend(Table::Nodes.schema().fields().iter().cloned());
    for column in plan.columns_of_level(level) {
        if let Some(attach) = plan.columns().get(column) {
            let columns = StateColumns::of(&attach.name, &attach.spec);
            fields.extend(columns.fields().into_iter().map(|field| Arc::new(field.clone())));
        }
    }
    Arc::new(Schema::new(fields))
}

impl Snapshot {
    /// The trees. Read once.
    pub async fn trees(&self) -> Result<&Arc<TreeCatalog>> {
        self.trees.get_or_try_init(|| async { Ok(Arc::new(self.read_trees().await?)) }).await
    }

    /// The file with the nodes of a level of a tree, from 1.
    pub fn tree_level(&self, tree: &TreeInfo, level: u64) -> Option<&DataFile> {
        let is = |file: &&DataFile| file.segment() == tree.segment && u64::from(file.name.generation) == level;
        self.table(Table::Nodes).files.iter().find(is)
    }

    async fn read_trees(&self) -> Result<TreeCatalog> {
        let mut catalog = TreeCatalog::default();
        for file in &self.table(Table::Trees).files {
            for batch in read_small(self.store(), &file.location).await? {
                let damaged = |reason: String| Error::Damaged { path: file.location.to_string(), reason };
                let text = |name: &str, row: usize| texts(&batch, name).map(|column| column.value(row).to_owned());
                for row in 0..batch.num_rows() {
                    let int = |name: &str| {
                        let value = ints(&batch, name)?.value(row);
                        u64::try_from(value).map_err(|error| damaged(error.to_string()))
                    };
                    let tree = TreeInfo {
                        segment: SegmentId(int("segment")?),
                        levels: int("levels")?,
                        nodes: int("nodes")?,
                        children: int("children")?,
                        events: int("events")?,
                        bytes: int("bytes")?,
                        digest: text("digest", row)?,
                        definition: text("definition", row)?,
                    };
                    catalog.trees.insert(text("tree", row)?, tree);
                }
            }
        }
        Ok(catalog)
    }
}

impl Lake {
    /// Starts the file of a level of a tree.
    pub(crate) fn node_writer(&self, segment: SegmentId, level: usize, schema: SchemaRef) -> Result<TableWriter> {
        let generation = u32::try_from(level).map_err(|error| Error::Internal(error.to_string()))?;
        let name = FileName::new(segment, generation).text;
        TableWriter::new(Arc::clone(self.store()), &self.folder(Table::Nodes), &name, Table::Nodes, schema, vec![])
    }

    /// Makes a change of the catalogue visible, with files that are written already, as
    /// [`commit_family`](Lake::commit_family) does.
    pub(crate) async fn commit_trees(
        &self,
        files: Vec<WrittenFile>,
        info: Map<String, Value>,
        change: impl Fn(&TreeCatalog) -> Option<TreeCatalog>,
    ) -> Result<(u64, bool)> {
        let family = Family { tables: &Table::TREES, data: &[Table::Nodes] };
        let attempt = async |loaded: &Loaded| match change(loaded.snapshot.trees().await?.as_ref()) {
            Some(catalog) => self.write_trees(&catalog).await.map(Some),
            None => Ok(None),
        };
        self.commit_family(family, files, &info, attempt).await
    }

    /// Takes the nodes of trees that were replaced out of the log. Versions of the lake that have them name an older
    /// version of the log, so a failure here costs nothing but the space.
    pub(crate) async fn forget_nodes(&self, segments: &[SegmentId]) -> Result<()> {
        let log = self.log(Table::Nodes)?;
        let state = log.load(None).await?;
        let mut remove = vec![];
        for view in state.snapshot().try_log_data()?.iter() {
            if let Some(name) = FileName::parse(&view.path()).filter(|name| segments.contains(&name.segment)) {
                remove.push(RemovedFile { name: name.text, size: u64::try_from(view.size()).unwrap_or_default() });
            }
        }
        if !remove.is_empty() {
            log.append(&state, Change { remove, ..Change::default() }).await?;
        }
        Ok(())
    }

    async fn write_trees(&self, catalog: &TreeCatalog) -> Result<WrittenFile> {
        let text = |value: fn(&TreeInfo) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(catalog.trees.values().map(value)))
        };
        let int = |value: fn(&TreeInfo) -> u64| -> ArrayRef {
            let values = catalog.trees.values().map(|tree| i64::try_from(value(tree)).unwrap_or(i64::MAX));
            Arc::new(Int64Array::from_iter_values(values))
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(catalog.trees.keys())),
            int(|tree| tree.segment.0),
            int(|tree| tree.levels),
            int(|tree| tree.nodes),
            int(|tree| tree.children),
            int(|tree| tree.events),
            int(|tree| tree.bytes),
            text(|tree| &tree.digest),
            text(|tree| &tree.definition),
        ];
        let batch = RecordBatch::try_new(Table::Trees.schema(), columns)?;
        let mut writer = self.sample_writer(Table::Trees, SegmentId(0), batch.schema())?;
        writer.write(&batch).await?;
        writer.finish().await
    }
}
