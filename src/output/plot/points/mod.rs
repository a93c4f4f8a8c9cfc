//! Charts of the points that an engine answers with.
//!
//! [`Lines`] takes batches of single points, one row a point: `run`, `name`, `context`, `step`, `epoch`, `time`, `value`,
//! `run.name` and the columns to group by, the points of a series one after the other. [`Bands`] takes statistics, one row a
//! step of a group: `name`, the columns to group by, `step` or `epoch`, and the statistics.

mod bands;
mod lines;

pub use bands::{Bands, Spread};
pub use lines::Lines;

use super::{Axis, AxisKind, Range};
use crate::{Error, JSON_KEY};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// What stands on the horizontal axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Across {
    /// The step, or the values of the metric that has taken its place.
    #[default]
    Step,
    /// The epoch.
    Epoch,
    /// The moment at which a point was tracked.
    Time,
    /// The time since the first point of the series that is drawn.
    Relative,
}

/// How a chart of points looks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// See [`Chart::title`](super::Chart::title).
    pub title: String,
    /// The weight of [`smooth`](super::smooth); 0 leaves values as they are.
    pub smooth: f64,
    /// See [`Axis::log`].
    pub log_x: bool,
    /// See [`Axis::log`].
    pub log_y: bool,
    /// See [`Axis::range`], of the vertical axis.
    pub range: Range,
    /// What has taken the place of the steps.
    pub aligned: Option<String>,
}

impl Look {
    fn x(&self, across: Across) -> Axis {
        let (label, kind) = match (across, &self.aligned) {
            (Across::Step, Some(metric)) => (metric.as_str(), AxisKind::Number),
            (Across::Step, None) => ("step", AxisKind::Whole),
            (Across::Epoch, _) => ("epoch", AxisKind::Number),
            (Across::Time, _) => ("time", AxisKind::Time),
            (Across::Relative, _) => ("relative time", AxisKind::Duration),
        };
        let log = self.log_x && kind != AxisKind::Time;
        Axis { label: label.to_owned(), kind, log, ..Axis::default() }
    }

    fn y(&self, label: &str) -> Axis {
        let label = if self.smooth > 0.0 { format!("{label}, smoothed by {}", self.smooth) } else { label.to_owned() };
        Axis { label, log: self.log_y, range: self.range, ..Axis::default() }
    }
}

/// A column that has to be there.
fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, Error> {
    batch.column_by_name(name).ok_or_else(|| ArrowError::SchemaError(format!("there is no column `{name}`")).into())
}

/// Numbers as floats, times as seconds since 1970.
fn floats(batch: &RecordBatch, name: &str) -> Result<ArrayRef, Error> {
    let found = column(batch, name)?;
    Ok(match found.data_type() {
        DataType::Timestamp(_, zone) => {
            let micros = cast(found, &DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, zone.clone()))?;
            let micros = cast(&micros, &DataType::Int64)?;
            let seconds = micros.as_primitive::<Int64Type>().unary::<_, Float64Type>(|micros| micros as f64 / 1e6);
            std::sync::Arc::new(seconds)
        }
        _ => cast(found, &DataType::Float64)?,
    })
}

/// Texts, without copying those that are.
fn texts(batch: &RecordBatch, name: &str) -> Result<ArrayRef, Error> {
    Ok(cast(column(batch, name)?, &DataType::Utf8View)?)
}

/// Values of a row as one text; nothing if none is there.
fn group_text(batch: &RecordBatch, names: &[String], row: usize) -> Result<Option<String>, Error> {
    let mut parts = vec![];
    for name in names {
        let found = column(batch, name)?;
        let options = FormatOptions::new();
        let text = match found.is_valid(row) {
            true => Some(ArrayFormatter::try_new(found.as_ref(), &options)?.value(row).to_string()),
            false => None,
        };
        let schema = batch.schema();
        let json = schema.field_with_name(name)?.metadata().get(JSON_KEY).is_some_and(|value| value == "true");
        // Texts in JSON lose their quotes: beside colours nobody needs them.
        parts.push(text.map(|text| match serde_json::from_str::<String>(&text) {
            Ok(plain) if json => plain,
            _ => text,
        }));
    }
    if parts.iter().all(Option::is_none) {
        return Ok(None);
    }
    Ok(Some(parts.into_iter().map(|part| part.unwrap_or_else(|| "none".into())).collect::<Vec<_>>().join(", ")))
}

/// The distinct values, in their order.
fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.collect::<std::collections::BTreeSet<T>>().into_iter().collect()
}

#[cfg(test)]
mod tests;
