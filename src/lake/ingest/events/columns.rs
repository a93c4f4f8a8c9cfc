//! Rows of tables to events.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, UInt64Type};
use lakeql_rows::tree::{Events, Fields, Value};

/// Adds the rows of a batch. Columns that no tree looks at are not there.
pub(super) fn read(rows: &RecordBatch, fields: &Fields, events: &mut Events) {
    let columns: Vec<(usize, Column)> = fields
        .names()
        .iter()
        .enumerate()
        .filter_map(|(field, name)| Some((field, Column::of(rows.column_by_name(name)?))))
        .collect();
    for row in 0..rows.num_rows() {
        events.begin();
        for (field, column) in &columns {
            let value = column.value(row, events);
            if value != Value::Missing {
                events.set(*field, value);
            }
        }
    }
}

/// A column in one of a few forms.
enum Column {
    Texts(ArrayRef),
    Ints(ArrayRef),
    Unsigned(ArrayRef),
    Floats(ArrayRef),
    Bools(ArrayRef),
    /// Entries, and where each list of them ends.
    Lists(ArrayRef, Box<Column>),
    /// Nothing that names or numbers can come from.
    Other(ArrayRef),
}

impl Column {
    fn of(array: &ArrayRef) -> Self {
        let to = |data_type: DataType| cast(array, &data_type).ok();
        let found = match array.data_type() {
            DataType::Utf8 => Some(Self::Texts(array.clone())),
            DataType::LargeUtf8 | DataType::Utf8View => to(DataType::Utf8).map(Self::Texts),
            DataType::Dictionary(_, value) => {
                let value = value.as_ref().clone();
                return to(value).map_or_else(|| Self::Other(array.clone()), |plain| Self::of(&plain));
            }
            // Days have names, as in paths such as `2024-05-01/…`.
            DataType::Date32 | DataType::Date64 => {
                to(DataType::Date32).and_then(|days| cast(&days, &DataType::Utf8).ok()).map(Self::Texts)
            }
            // Times are milliseconds since 1970.
            DataType::Timestamp(_, zone) => to(DataType::Timestamp(TimeUnit::Millisecond, zone.clone()))
                .and_then(|times| cast(&times, &DataType::Int64).ok())
                .map(Self::Ints),
            DataType::UInt64 => Some(Self::Unsigned(array.clone())),
            other if other.is_integer() => to(DataType::Int64).map(Self::Ints),
            other if other.is_numeric() => to(DataType::Float64).map(Self::Floats),
            DataType::Boolean => Some(Self::Bools(array.clone())),
            DataType::List(_) => {
                let entries = Self::of(array.as_list::<i32>().values());
                Some(Self::Lists(array.clone(), Box::new(entries)))
            }
            DataType::LargeList(field) | DataType::ListView(field) | DataType::FixedSizeList(field, _) => {
                return to(DataType::List(field.clone()))
                    .map_or_else(|| Self::Other(array.clone()), |it| Self::of(&it));
            }
            _ => None,
        };
        found.unwrap_or_else(|| Self::Other(array.clone()))
    }

    fn value(&self, row: usize, events: &mut Events) -> Value {
        match self {
            Self::Texts(array) if array.is_valid(row) => events.text(array.as_string::<i32>().value(row)),
            Self::Ints(array) if array.is_valid(row) => Value::Int(array.as_primitive::<Int64Type>().value(row)),
            Self::Unsigned(array) if array.is_valid(row) => {
                let value = array.as_primitive::<UInt64Type>().value(row);
                #[allow(clippy::cast_precision_loss, reason = "as in JSON, greater integers are doubles")]
                i64::try_from(value).map_or(Value::Float(value as f64), Value::Int)
            }
            Self::Floats(array) if array.is_valid(row) => Value::Float(array.as_primitive::<Float64Type>().value(row)),
            Self::Bools(array) if array.is_valid(row) => Value::Bool(array.as_boolean().value(row)),
            Self::Lists(array, entries) if array.is_valid(row) => {
                let offsets = array.as_list::<i32>().value_offsets();
                let end =
                    |index: usize| offsets.get(index).and_then(|at| usize::try_from(*at).ok()).unwrap_or_default();
                let values: Vec<Value> = (end(row)..end(row + 1)).map(|entry| entries.value(entry, events)).collect();
                events.list(&values)
            }
            Self::Other(array) if array.is_valid(row) => Value::Other,
            _ => Value::Missing,
        }
    }
}
