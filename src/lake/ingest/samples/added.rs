//! Properties for samples that are there already, such as scores of a model: Parquet with the columns `file` (as answers
//! show it), `row` (the number of the sample in its file, from 0) and one for each property. The files of the samples are
//! not read.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{CastOptions, cast_with_options, concat, take};
use arrow::datatypes::{DataType, Int64Type, Schema};
use serde_json::{Map, Value};

use super::transfer::Part;
use super::write::{check, merged};
use super::{BATCH_ROWS, SampleReport, SampleSchema, fault, parquet};
use crate::catalog::lake::{AsOf, Lake};
use crate::catalog::samples::{Property, SampleCatalog, SampleDataset};
use crate::error::{Error, Result, RowPlace};
use crate::storage::anywhere::size;
use crate::storage::writer::WrittenFile;

/// Adds the properties in a Parquet file to the samples of a data set. Samples that are not in it have no value. Without a
/// schema the types are those of the columns. What was added before under the same name is replaced.
///
/// # Errors
/// Something in the data is wrong, or there is no such data set: then the lake stays as it was. Or the lake cannot be
/// written.
pub async fn add_properties(
    lake: &Lake,
    path: &Path,
    collection: &str,
    dataset: &str,
    schema: Option<SampleSchema>,
) -> Result<SampleReport> {
    let started = Instant::now();
    let name = path.display().to_string();
    let base = Arc::clone(lake.snapshot(AsOf::Latest).await?.samples().await?);
    let wrong = |field: Option<&str>, reason: String| fault(&name, None, field, reason);
    let known = base.collections.get(collection);
    let Some(found) = known.and_then(|it| it.datasets.iter().find(|it| it.name == dataset)) else {
        let names: Vec<&str> = match known {
            Some(known) => known.datasets.iter().map(|it| it.name.as_str()).collect(),
            None => base.collections.keys().map(String::as_str).collect(),
        };
        let what = if known.is_some() {
            format!("data set `{dataset}` in `{collection}`")
        } else {
            format!("collection `{collection}`")
        };
        let there =
            if names.is_empty() { "there is none".to_owned() } else { format!("there are {}", names.join(", ")) };
        return Err(wrong(None, format!("there is no {what}: {there}")));
    };
    let owned = (path.to_owned(), name.clone());
    let reading = tokio::task::spawn_blocking(move || Table::read(&owned.0, &owned.1, schema));
    let table = reading.await.map_err(|error| Error::Internal(error.to_string()))??;
    let properties: Vec<Property> = table.schema.properties();
    for property in &properties {
        let same = |it: &&Property| it.name.to_lowercase() == property.name.to_lowercase();
        if let Some(known) = found.properties.iter().find(same)
            && !(known.added && known.name == property.name)
        {
            let reason = format!("the samples of `{dataset}` have the property `{}` already", known.name);
            return Err(wrong(Some(&property.name), reason));
        }
    }
    if let Some(collection) = known {
        check(collection, dataset, &properties, &name)?;
    }
    let order = table.order(found, &name)?;
    let mut report = SampleReport {
        samples: order.len() as u64,
        files: found.files.len() as u64,
        extended: 1,
        ..SampleReport::default()
    };
    let mut written: Vec<WrittenFile> = vec![];
    let mut next = found.clone();
    for (property, column) in properties.into_iter().zip(&table.columns) {
        let segment = lake.claim_segment().await?;
        let property = Property { apart: Some(segment.0), added: true, ..property };
        let part = Part::new(segment, vec![property.clone()], vec![Some(0)]);
        let file = write(lake, &part, found, column, &order, &name).await?;
        report.runs += file.rows;
        written.push(file);
        next.properties.retain(|it| it.name != property.name);
        next.properties.push(property);
    }
    report.bytes_written = written.iter().map(|file| file.size).sum();
    report.bytes_read = size(path).unwrap_or_default();
    let mut target: SampleCatalog = base.as_ref().clone();
    let datasets = target.collections.get_mut(collection).map(|it| &mut it.datasets);
    if let Some(place) = datasets.and_then(|all| all.iter_mut().find(|it| it.name == dataset)) {
        *place = next;
    }
    let info = Map::from_iter([
        ("operation".to_owned(), Value::from("add properties")),
        ("collection".to_owned(), collection.into()),
        ("dataset".to_owned(), dataset.into()),
        ("properties".to_owned(), table.schema.properties().into_iter().map(|it| it.name).collect::<Vec<_>>().into()),
    ]);
    let own = collection.to_owned();
    let change = |now: &SampleCatalog| merged(now, &base, &target, &[&own]);
    report.version = lake.commit_samples(written, info, change).await?.0;
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Writes the runs of one property: the samples of each file in order, with the rows of the column or without value.
async fn write(
    lake: &Lake,
    part: &Part,
    dataset: &SampleDataset,
    column: &ArrayRef,
    order: &[(u32, i64, u32)],
    name: &str,
) -> Result<WrittenFile> {
    let mut writer = part.writer(lake)?;
    let mut rows = order.iter().peekable();
    let schema = Arc::new(Schema::new(part.properties.iter().map(Property::field).collect::<Vec<_>>()));
    for file in &dataset.files {
        let mut cutter = part.cutter((dataset.id, file.id), name, false);
        let mut from = 0;
        while from < file.samples {
            let to = file.samples.min(from + BATCH_ROWS as u64);
            let indices: UInt32Array = (from..to)
                .map(|sample| {
                    let own = |(id, row, _): &&(u32, i64, u32)| (*id, u64::try_from(*row)) == (file.id, Ok(sample));
                    rows.next_if(own).map(|(_, _, index)| *index)
                })
                .collect();
            let batch = RecordBatch::try_new(Arc::clone(&schema), vec![take(column, &indices, None)?])?;
            for runs in cutter.cut(&batch)? {
                writer.write(&runs).await?;
            }
            from = to;
        }
        if let Some(runs) = cutter.finish()? {
            writer.write(&runs).await?;
        }
    }
    writer.finish().await
}

/// What a file holds.
struct Table {
    schema: SampleSchema,
    files: ArrayRef,
    rows: ArrayRef,
    columns: Vec<ArrayRef>,
}

impl Table {
    fn read(path: &Path, name: &str, schema: Option<SampleSchema>) -> Result<Self> {
        let wrong = |field: Option<&str>, reason: String| fault(name, None, field, reason);
        if !parquet::is_parquet(path) {
            return Err(wrong(None, "properties are added from a Parquet file".to_owned()));
        }
        let schema = match schema {
            Some(schema) => schema,
            None => parquet::schema_of(path, name, &["file", "row"])?,
        };
        if schema.properties.is_empty() {
            return Err(wrong(None, "there is no column of a property beside `file` and `row`".to_owned()));
        }
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        let keys = |column: &str, data_type: DataType| -> Result<ArrayRef> {
            let batches = parquet::column(path, name, column)?;
            let parts = batches.iter().map(|it| cast_with_options(it, &data_type, &strict));
            let parts = parts.collect::<Result<Vec<_>, _>>().map_err(|error| wrong(Some(column), error.to_string()))?;
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            if parts.is_empty() {
                return Ok(arrow::array::new_empty_array(&data_type));
            }
            Ok(concat(&parts)?)
        };
        let (files, rows) = (keys("file", DataType::Utf8)?, keys("row", DataType::Int64)?);
        let mut parts: Vec<Vec<ArrayRef>> = vec![vec![]; schema.properties.len()];
        parquet::read(path, name, &schema, &mut |_| true, &mut |batch| {
            parts.iter_mut().zip(batch.columns()).for_each(|(parts, column)| parts.push(Arc::clone(column)));
            Ok(true)
        })?;
        let mut columns = vec![];
        for (parts, known) in parts.iter().zip(&schema.properties) {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            columns.push(match parts.as_slice() {
                [] => arrow::array::new_empty_array(known.property.field().data_type()),
                parts => concat(parts)?,
            });
        }
        Ok(Self { schema, files, rows, columns })
    }

    /// The rows in the order of the samples: number of the file, number of the sample, position.
    fn order(&self, dataset: &SampleDataset, name: &str) -> Result<Vec<(u32, i64, u32)>> {
        let known: HashMap<&str, (u32, u64)> =
            dataset.files.iter().map(|file| (file.name.as_str(), (file.id, file.samples))).collect();
        let (files, rows): (_, &Int64Array) = (self.files.as_string::<i32>(), self.rows.as_primitive::<Int64Type>());
        let wrong = |position: usize, field: &str, reason: String| {
            Err(fault(name, Some(RowPlace::Row(position as u64 + 1)), Some(field), reason))
        };
        let mut order = Vec::with_capacity(files.len());
        for position in 0..files.len() {
            if files.is_null(position) || rows.is_null(position) {
                let field = if files.is_null(position) { "file" } else { "row" };
                return wrong(position, field, "the value is missing".to_owned());
            }
            let (file, row) = (files.value(position), rows.value(position));
            let Some((id, samples)) = known.get(file) else {
                return wrong(position, "file", format!("the data set `{}` has no file `{file}`", dataset.name));
            };
            if u64::try_from(row).is_ok_and(|row| row < *samples) {
                order.push((*id, row, u32::try_from(position).unwrap_or(u32::MAX)));
            } else {
                return wrong(position, "row", format!("there is no sample {row} in `{file}`, it has {samples}"));
            }
        }
        if !order.is_sorted() {
            order.sort_unstable();
        }
        for pair in order.windows(2) {
            if let [(file, row, _), (next_file, next_row, position)] = pair
                && (file, row) == (next_file, next_row)
            {
                return wrong(*position as usize, "row", format!("sample {row} is there twice"));
            }
        }
        Ok(order)
    }
}
