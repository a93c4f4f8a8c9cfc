//! The catalogue of samples: collections, their data sets, files and properties, and how it changes.
//!
//! `sample_datasets` has one small file with a row for each data set; every import replaces it as a whole. A data set
//! names its segment: the files of `sample_files` and `samples` of segments that no data set names are not seen. The
//! commit of `runs`, which names the versions of all tables, makes a change visible, as for every other import.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::family::Family;
use super::lake::{Lake, Loaded};
use super::path::{ColumnType, column_name};
use super::snapshot::{DataFile, Snapshot};
use super::tables::{Table, time_type};
use crate::error::{Error, Result};
use crate::storage::reader::{ints, read_small, texts};
use crate::storage::segment::{FileName, SegmentId};
use crate::storage::writer::{TableWriter, WrittenFile};

/// Names that no property can have: they are those of samples and of answers.
pub const RESERVED: [&str; 7] = ["dataset_id", "file_id", "sample_id", "dataset", "file", "start", "end"];

/// All collections of a version of the lake.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SampleCatalog {
    /// By name.
    pub collections: BTreeMap<String, Collection>,
}

/// A set of data sets that are asked together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collection {
    /// In the order of their numbers.
    pub datasets: Vec<SampleDataset>,
}

/// Files of samples with the same properties.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleDataset {
    /// Its name, unique in the collection.
    pub name: String,
    /// Its number in the collection, from 1, which it keeps.
    pub id: u32,
    /// `jsonl` or `parquet`.
    pub format: String,
    /// The folder that its files are in.
    pub location: String,
    /// Where its rows are.
    pub segment: SegmentId,
    /// Stands for its content.
    pub digest: String,
    /// How many samples it has.
    pub samples: u64,
    /// What is known of each sample.
    pub properties: Vec<Property>,
    /// In the order of their numbers.
    pub files: Vec<SampleFile>,
}

/// A file of samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleFile {
    /// Its path below the location of the data set.
    pub name: String,
    /// Its number in the collection, from 1, which it keeps.
    pub id: u32,
    /// How many samples it has.
    pub samples: u64,
    /// Its size when it was imported.
    pub bytes: u64,
}

/// What is known of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub kind: PropertyKind,
    /// Whether a sample has a list of values.
    #[serde(default)]
    pub multiple: bool,
    /// Whether a sample may have none.
    #[serde(default)]
    pub nullable: bool,
    /// The values that there can be, if only some texts are allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<String>>,
}

/// Types of values of properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PropertyKind {
    /// Texts.
    Text,
    /// Integers of 64 bits.
    Int,
    /// Floats of 64 bits.
    Float,
    /// Points in time: microseconds since 1970, UTC.
    Time,
}

impl PropertyKind {
    /// The name for users.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Int => "int",
            Self::Float => "float",
            Self::Time => "timestamp",
        }
    }

    /// The type of one value.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Time => time_type(),
        }
    }
}

impl Property {
    /// The column of `samples`: name and type, with an `s` for lists.
    pub fn field(&self) -> Field {
        let kind = match self.kind {
            PropertyKind::Text => ColumnType::Text,
            PropertyKind::Int => ColumnType::Int,
            PropertyKind::Float => ColumnType::Float,
            PropertyKind::Time => ColumnType::Time,
        };
        let name = column_name(&self.name, kind);
        if self.multiple {
            let item = Field::new("item", self.kind.data_type(), true);
            return Field::new(format!("{name}s"), DataType::List(Arc::new(item)), true);
        }
        Field::new(name, self.kind.data_type(), true)
    }
}

impl Collection {
    /// The properties of all data sets, in the order in which they come first.
    pub fn properties(&self) -> Vec<Property> {
        let mut all: Vec<Property> = vec![];
        for property in self.datasets.iter().flat_map(|dataset| &dataset.properties) {
            match all.iter_mut().find(|known| known.name == property.name) {
                None => all.push(property.clone()),
                Some(known) => known.nullable |= property.nullable,
            }
        }
        all
    }

    /// The columns of `samples` that the data sets fill.
    pub fn schema(&self) -> SchemaRef {
        let system = Table::Samples.schema();
        let own = self.properties().into_iter().map(|property| Arc::new(property.field()));
        Arc::new(Schema::new(system.fields().iter().cloned().chain(own).collect::<Vec<_>>()))
    }

    /// Names of data set and file by the number of the file.
    pub fn file_names(&self) -> BTreeMap<u32, (&str, &str)> {
        let files = self.datasets.iter().flat_map(|dataset| dataset.files.iter().map(move |file| (dataset, file)));
        files.map(|(dataset, file)| (file.id, (dataset.name.as_str(), file.name.as_str()))).collect()
    }

    /// How many samples there are.
    pub fn samples(&self) -> u64 {
        self.datasets.iter().map(|dataset| dataset.samples).sum()
    }

    /// The number for the next data set.
    pub fn next_dataset(&self) -> u32 {
        self.datasets.iter().map(|dataset| dataset.id).max().unwrap_or_default() + 1
    }

    /// The number for the next file.
    pub fn next_file(&self) -> u32 {
        let files = self.datasets.iter().flat_map(|dataset| &dataset.files);
        files.map(|file| file.id).max().unwrap_or_default() + 1
    }
}

impl Snapshot {
    /// The collections of samples. Read once.
    pub async fn samples(&self) -> Result<&Arc<SampleCatalog>> {
        self.samples.get_or_try_init(|| async { Ok(Arc::new(self.read_samples().await?)) }).await
    }

    /// The file of `samples` with the rows of a data set.
    pub fn sample_rows(&self, dataset: &SampleDataset) -> Option<&DataFile> {
        self.table(Table::Samples).file(dataset.segment)
    }

    async fn read_samples(&self) -> Result<SampleCatalog> {
        let mut catalog = SampleCatalog::default();
        for file in &self.table(Table::SampleDatasets).files {
            for batch in read_small(self.store(), &file.location).await? {
                let damaged = |reason: String| Error::Damaged { path: file.location.to_string(), reason };
                let text = |name: &str, row: usize| texts(&batch, name).map(|column| column.value(row).to_owned());
                for row in 0..batch.num_rows() {
                    let int = |name: &str| {
                        let value = ints(&batch, name)?.value(row);
                        u64::try_from(value).map_err(|error| damaged(error.to_string()))
                    };
                    let properties = serde_json::from_str(&text("properties", row)?);
                    let dataset = SampleDataset {
                        name: text("dataset", row)?,
                        id: u32::try_from(int("dataset_id")?).map_err(|error| damaged(error.to_string()))?,
                        format: text("format", row)?,
                        location: text("location", row)?,
                        segment: SegmentId(int("segment")?),
                        digest: text("digest", row)?,
                        samples: int("samples")?,
                        properties: properties.map_err(|error| damaged(error.to_string()))?,
                        files: vec![],
                    };
                    catalog.collections.entry(text("collection", row)?).or_default().datasets.push(dataset);
                }
            }
        }
        for collection in catalog.collections.values_mut() {
            let files = collection.datasets.iter().map(|dataset| self.read_files(dataset.segment));
            let files = try_join_all(files).await?;
            for (dataset, files) in collection.datasets.iter_mut().zip(files) {
                dataset.files = files;
            }
            collection.datasets.sort_by_key(|dataset| dataset.id);
        }
        Ok(catalog)
    }

    async fn read_files(&self, segment: SegmentId) -> Result<Vec<SampleFile>> {
        let Some(file) = self.table(Table::SampleFiles).file(segment) else { return Ok(vec![]) };
        let mut files = vec![];
        for batch in read_small(self.store(), &file.location).await? {
            let (ids, names) = (ints(&batch, "file_id")?, texts(&batch, "file")?);
            let (samples, bytes) = (ints(&batch, "samples")?, ints(&batch, "bytes")?);
            files.extend((0..batch.num_rows()).map(|row| SampleFile {
                name: names.value(row).to_owned(),
                id: u32::try_from(ids.value(row)).unwrap_or_default(),
                samples: u64::try_from(samples.value(row)).unwrap_or_default(),
                bytes: u64::try_from(bytes.value(row)).unwrap_or_default(),
            }));
        }
        files.sort_by_key(|file| file.id);
        Ok(files)
    }
}

impl Lake {
    /// Starts a file of a table of the family.
    pub(crate) fn sample_writer(&self, table: Table, segment: SegmentId, schema: SchemaRef) -> Result<TableWriter> {
        let name = FileName::new(segment, 0).text;
        TableWriter::new(Arc::clone(self.store()), &self.folder(table), &name, table, schema, vec![])
    }

    /// Writes the list of the files of a data set.
    pub(crate) async fn write_sample_files(&self, collection: &str, dataset: &SampleDataset) -> Result<WrittenFile> {
        let column = |value: fn(&SampleFile) -> u64| -> ArrayRef {
            let values = dataset.files.iter().map(|file| i64::try_from(value(file)).unwrap_or(i64::MAX));
            Arc::new(Int64Array::from_iter_values(values))
        };
        let names = StringArray::from_iter_values(dataset.files.iter().map(|file| &file.name));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(dataset.files.iter().map(|_| collection))),
            Arc::new(Int64Array::from(vec![i64::from(dataset.id); dataset.files.len()])),
            column(|file| u64::from(file.id)),
            Arc::new(names),
            column(|file| file.samples),
            column(|file| file.bytes),
        ];
        let batch = RecordBatch::try_new(Table::SampleFiles.schema(), columns)?;
        let mut writer = self.sample_writer(Table::SampleFiles, dataset.segment, batch.schema())?;
        writer.write(&batch).await?;
        writer.finish().await
    }

    /// Makes a change of the catalogue visible, with files that are written already. `change` is asked for the new
    /// catalogue again whenever another writer was faster, and gives nothing if there is nothing to do. Returns the
    /// version of the lake and whether it has changed.
    pub(crate) async fn commit_samples(
        &self,
        files: Vec<WrittenFile>,
        info: Map<String, Value>,
        change: impl Fn(&SampleCatalog) -> Result<Option<SampleCatalog>>,
    ) -> Result<(u64, bool)> {
        let family = Family { tables: &Table::SAMPLES, data: &[Table::SampleFiles, Table::Samples] };
        let attempt = async |loaded: &Loaded| match change(loaded.snapshot.samples().await?.as_ref())? {
            Some(catalog) => self.write_catalog(&catalog).await.map(Some),
            None => Ok(None),
        };
        self.commit_family(family, files, &info, attempt).await
    }

    async fn write_catalog(&self, catalog: &SampleCatalog) -> Result<WrittenFile> {
        let mut rows: Vec<(&str, &SampleDataset)> = vec![];
        for (name, collection) in &catalog.collections {
            let mut datasets: Vec<_> = collection.datasets.iter().collect();
            datasets.sort_by_key(|dataset| dataset.id);
            rows.extend(datasets.into_iter().map(|dataset| (name.as_str(), dataset)));
        }
        let text = |value: fn(&SampleDataset) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, dataset)| value(dataset))))
        };
        let int = |value: fn(&SampleDataset) -> u64| -> ArrayRef {
            let values = rows.iter().map(|(_, dataset)| i64::try_from(value(dataset)).unwrap_or(i64::MAX));
            Arc::new(Int64Array::from_iter_values(values))
        };
        let properties = rows.iter().map(|(_, dataset)| serde_json::to_string(&dataset.properties));
        let properties: Vec<String> =
            properties.collect::<Result<_, _>>().map_err(|error| Error::Internal(error.to_string()))?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(rows.iter().map(|(collection, _)| collection))),
            int(|dataset| u64::from(dataset.id)),
            text(|dataset| &dataset.name),
            text(|dataset| &dataset.format),
            text(|dataset| &dataset.location),
            int(|dataset| dataset.samples),
            int(|dataset| dataset.segment.0),
            text(|dataset| &dataset.digest),
            Arc::new(StringArray::from(properties)),
        ];
        let batch = RecordBatch::try_new(Table::SampleDatasets.schema(), columns)?;
        let mut writer = self.sample_writer(Table::SampleDatasets, SegmentId(0), batch.schema())?;
        writer.write(&batch).await?;
        writer.finish().await
    }
}
