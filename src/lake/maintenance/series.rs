//! `series` of merged segments.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::Int64Array;
use futures::{StreamExt, TryStreamExt};

use super::compact::Job;
use super::merge::merge;
use super::runs::RunMap;
use super::typed::{Columns, Contexts, columns_of, int_values, schema_with, widen, with_column};
use crate::catalog::path::parse_column_name;
use crate::catalog::tables::Table;
use crate::error::{Error, Result};
use crate::storage::reader::{ints, open, texts};
use crate::storage::writer::WrittenFile;

/// The series of the merged segment in their order, as far as their points need it.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Old ordinals of metrics.
    pub(super) points: Vec<Moved>,
    /// Old ordinals of everything else.
    pub(super) text_points: Vec<Moved>,
}

/// A series and its new ordinal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    pub(super) old: i64,
    pub(super) new: i64,
    /// How many points it has.
    pub(super) points: i64,
}

/// Merges `series`.
pub(super) async fn merge_series(job: &Job<'_>, map: &Arc<RunMap>) -> Result<(Option<WrittenFile>, Order)> {
    let hot = |path: &str| path.strip_prefix("context.").is_some_and(|path| job.hot_contexts.contains(path));
    let mut columns = Columns::new();
    let mut inputs = Vec::new();
    for part in &job.parts {
        let Some(file) = job.snapshot.table(Table::Series).file(part.segment) else { continue };
        let input = open(job.snapshot.store(), &file.location, file.size, None).await?;
        let typed = columns_of(&input.schema, hot);
        let known: HashSet<&str> = typed.iter().map(|(path, _)| path.as_str()).collect();
        let missing = part.context_paths().any(|path| hot(&path) && !known.contains(path.as_str()));
        if missing {
            // One more pass over one column tells which columns there will be.
            let mut contexts = open(job.snapshot.store(), &file.location, file.size, Some(&["context"])).await?;
            while let Some(batch) = contexts.batches.try_next().await? {
                let mut seen = Contexts::default();
                seen.add(&batch)?;
                columns.extend(seen.columns(|path| hot(path) && !known.contains(path)));
            }
        }
        drop(known);
        columns.extend(typed);
        inputs.push((input, missing));
    }
    let schema = schema_with(Table::Series, &columns);
    let streams = inputs
        .into_iter()
        .map(|(input, missing)| {
            let (schema, map) = (Arc::clone(&schema), Arc::clone(map));
            // Columns of paths that this file has in other types only are null here, as they were.
            let own: HashSet<String> = input
                .schema
                .fields()
                .iter()
                .filter_map(|field| parse_column_name(field.name()).map(|(path, _)| path))
                .collect();
            let mut contexts = Contexts::default();
            let widened = input.batches.map(move |batch| {
                let batch = map.apply(&batch?)?;
                if missing {
                    contexts.add(&batch)?;
                }
                widen(&batch, &schema, |path, column_type| {
                    if own.contains(path) { None } else { contexts.column(&batch, path, column_type) }
                })
            });
            widened.boxed()
        })
        .collect();
    let mut merged = merge(Table::Series, Arc::clone(&schema), streams)?;
    let mut writer = None;
    let mut order = Order::default();
    let (mut next, mut points, mut text_points) = (0u32, 0, 0);
    while let Some(batch) = merged.try_next().await? {
        let (kind, n) = (texts(&batch, "kind")?, ints(&batch, "n")?);
        let mut series = int_values(&batch, "series")?;
        let mut first_row = Vec::with_capacity(series.len());
        for (row, series) in series.iter_mut().enumerate() {
            let moved = Moved { old: *series, new: job.segment.ordinal(next), points: n.value(row) };
            next = next.checked_add(1).ok_or_else(|| Error::Internal("too many series for one segment".to_owned()))?;
            *series = moved.new;
            let (moves, rows) = match kind.value(row) {
                "metric" => (&mut order.points, &mut points),
                _ => (&mut order.text_points, &mut text_points),
            };
            moves.push(moved);
            first_row.push(*rows);
            *rows += moved.points;
        }
        let batch = with_column(&batch, "series", Arc::new(Int64Array::from(series)))?;
        let batch = with_column(&batch, "first_row", Arc::new(Int64Array::from(first_row)))?;
        job.write(&mut writer, Table::Series, &batch).await?;
    }
    Ok((job.finish_some(writer).await?, order))
}
