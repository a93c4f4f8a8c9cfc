//! Datasets and saved queries: small tables that are merged with what was read and written anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::TimestampMicrosecondType;

use super::columns;
use super::line::{DatasetEntry, QueryEntry};
use super::value::Value;
use crate::catalog::lake::Lake;
use crate::catalog::log::Pins;
use crate::catalog::tables::Table;
use crate::error::{Error, Result};
use crate::storage::reader::{bools, ints, text_at, texts};

/// Datasets by namespace and name.
pub(super) type Datasets = BTreeMap<(String, String), DatasetEntry>;

/// Saved queries by namespace and name.
pub(super) type Queries = BTreeMap<(String, String), QueryEntry>;

/// Merges datasets into the lake. Returns the new versions.
pub(super) async fn merge_datasets(lake: &Lake, new: &Datasets) -> Result<Pins> {
    let merged = |old: &[RecordBatch]| {
        let mut all = Datasets::new();
        for batch in old {
            read_datasets(batch, &mut all)?;
        }
        all.extend(new.iter().map(|(key, entry)| (key.clone(), entry.clone())));
        Ok::<_, Error>(all)
    };
    let first = lake.replace_table(Table::Datasets, |old| columns::datasets(&merged(&old)?)).await?;
    let second = lake.replace_table(Table::DatasetAttributes, |old| attributes(&old, new)).await?;
    Ok(Pins::from([first, second]))
}

/// Merges saved queries into the lake. Returns the new version.
pub(super) async fn merge_queries(lake: &Lake, new: &Queries) -> Result<Pins> {
    let merge = |old: Vec<RecordBatch>| {
        let mut all = Queries::new();
        for batch in &old {
            read_queries(batch, &mut all)?;
        }
        all.extend(new.iter().map(|(key, entry)| (key.clone(), entry.clone())));
        columns::queries(&all)
    };
    Ok(Pins::from([lake.replace_table(Table::NamedQueries, merge).await?]))
}

fn time_at(batch: &RecordBatch, column: &str, row: usize) -> Option<i64> {
    let times = batch.column_by_name(column)?.as_primitive_opt::<TimestampMicrosecondType>()?;
    times.is_valid(row).then(|| times.value(row))
}

fn read_datasets(batch: &RecordBatch, all: &mut Datasets) -> Result<()> {
    let text = |column: &str, row| Ok::<_, Error>(text_at(texts(batch, column)?, row).map(str::to_owned));
    let flag = |column: &str, row| {
        let flags = bools(batch, column)?;
        Ok::<_, Error>(flags.is_valid(row).then(|| flags.value(row)))
    };
    let counts = ints(batch, "file_count")?;
    for row in 0..batch.num_rows() {
        let namespace = text("namespace", row)?.unwrap_or_default();
        let name = text("name", row)?.unwrap_or_default();
        let children = match batch.column_by_name("children").and_then(|column| column.as_list_opt::<i32>()) {
            Some(lists) => {
                let items = lists.value(row);
                items.as_string_opt::<i32>().into_iter().flatten().flatten().map(str::to_owned).collect()
            }
            None => vec![],
        };
        let entry = DatasetEntry {
            frozen: flag("frozen", row)?,
            monotonic: flag("monotonic", row)?,
            creator: text("creator", row)?,
            created: time_at(batch, "created_timestamp", row),
            updated_by: text("updated_by", row)?,
            updated: time_at(batch, "updated_timestamp", row),
            description: text("description", row)?,
            file_count: counts.is_valid(row).then(|| counts.value(row)),
            requirements: text("file_meta_requirements", row)?,
            children,
            metadata: text("metadata", row)?.unwrap_or_default(),
            namespace: namespace.clone(),
            name: name.clone(),
        };
        all.insert((namespace, name), entry);
    }
    Ok(())
}

fn read_queries(batch: &RecordBatch, all: &mut Queries) -> Result<()> {
    let text = |column: &str, row| Ok::<_, Error>(text_at(texts(batch, column)?, row).map(str::to_owned));
    for row in 0..batch.num_rows() {
        let namespace = text("namespace", row)?.unwrap_or_default();
        let name = text("name", row)?.unwrap_or_default();
        let entry = QueryEntry {
            source: text("source", row)?.unwrap_or_default(),
            creator: text("creator", row)?,
            created: time_at(batch, "created_timestamp", row),
            description: text("description", row)?,
            metadata: text("metadata", row)?.unwrap_or_default(),
            namespace: namespace.clone(),
            name: name.clone(),
        };
        all.insert((namespace, name), entry);
    }
    Ok(())
}

/// The rows of `dataset_attributes`: those of datasets that were not read now, and new ones.
fn attributes(old: &[RecordBatch], new: &Datasets) -> Result<RecordBatch> {
    use arrow::array::BooleanArray;
    use arrow::compute::{SortColumn, concat_batches, filter_record_batch, lexsort_to_indices, take_record_batch};
    let mut values: Vec<(String, String, Value)> = vec![];
    for ((namespace, name), entry) in new {
        let metadata: BTreeMap<String, &serde_json::value::RawValue> =
            serde_json::from_str(&entry.metadata).map_err(|error| Error::Internal(error.to_string()))?;
        for (key, raw) in metadata {
            let value = Value::read(raw.get()).map_err(|error| Error::Internal(error.to_string()))?;
            values.push((key, format!("{namespace}:{name}"), value));
        }
    }
    let path: ArrayRef = Arc::new(StringArray::from_iter_values(values.iter().map(|(key, ..)| key)));
    let owner: ArrayRef = Arc::new(StringArray::from_iter_values(values.iter().map(|(_, dataset, _)| dataset)));
    let plain: Vec<&Value> = values.iter().map(|(.., value)| value).collect();
    let mut batches = vec![columns::attributes(Table::DatasetAttributes, path, owner, &plain)?];
    for batch in old {
        let datasets = texts(batch, "dataset")?;
        let kept: BooleanArray = datasets
            .iter()
            .map(|dataset| {
                let known = dataset.and_then(|did| did.split_once(':')).map(|(a, b)| (a.to_owned(), b.to_owned()));
                Some(known.is_none_or(|known| !new.contains_key(&known)))
            })
            .collect();
        batches.push(filter_record_batch(batch, &kept)?);
    }
    let all = concat_batches(&Table::DatasetAttributes.schema(), &batches)?;
    let keys: Vec<SortColumn> =
        (0..2).map(|index| SortColumn { values: Arc::clone(all.column(index)), options: None }).collect();
    Ok(take_record_batch(&all, &lexsort_to_indices(&keys, None)?)?)
}
