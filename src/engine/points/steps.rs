//! Steps as numbers that compare, and back as columns.

use super::scan::SUBSTEP;
use super::{Step, StepRange};
use crate::Result;
use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use datafusion::error::DataFusionError;
use std::sync::Arc;

/// A step in millionths, or the place of a float in the total order. Keys of one kind compare like what they stand for.
pub(super) type Key = i128;

/// What keys stand for, and the type of the column that shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// Steps without fractions: Int64.
    Whole,
    /// Steps with fractions: Decimal128(25, 6).
    Fraction,
    /// Epochs or values of another metric: Float64.
    Float,
}

/// Digits of a step, six of them after the point.
const PRECISION: u8 = 25;
const SCALE: i8 = 6;
const MILLION: Key = Step::MILLION as Key;

impl KeyKind {
    /// The type of the column.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Whole => DataType::Int64,
            Self::Fraction => DataType::Decimal128(PRECISION, SCALE),
            Self::Float => DataType::Float64,
        }
    }

    /// The column that shows keys of this kind.
    pub(super) fn column(self, keys: impl Iterator<Item = Key>) -> Result<ArrayRef> {
        Ok(match self {
            Self::Whole => {
                let whole = |key: Key| i64::try_from(key.div_euclid(MILLION)).unwrap_or_default();
                Arc::new(Int64Array::from_iter_values(keys.map(whole)))
            }
            Self::Fraction => {
                Arc::new(Decimal128Array::from_iter_values(keys).with_precision_and_scale(PRECISION, SCALE)?)
            }
            Self::Float => Arc::new(Float64Array::from_iter_values(keys.map(float_of_key))),
        })
    }
}

/// The key of a float: both zeros are one key, and so are all NaNs, which come last.
pub(super) fn key_of_float(value: f64) -> Key {
    let value = if value.is_nan() {
        f64::NAN
    } else if value == 0.0 {
        0.0
    } else {
        value
    };
    Key::from(ordered(value.to_bits() as i64))
}

fn float_of_key(key: Key) -> f64 {
    f64::from_bits(ordered(i64::try_from(key).unwrap_or_default()) as u64)
}

/// Bits of a float as an integer that compares like the float, and back.
fn ordered(bits: i64) -> i64 {
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

impl Step {
    /// The step in millionths.
    pub(super) fn key(self) -> Key {
        Key::from(self.whole) * MILLION + Key::from(self.millionths)
    }
}

impl StepRange {
    /// The first key of the range and the first behind it.
    pub(super) fn keys(&self) -> (Key, Key) {
        (self.start.map_or(Key::MIN, Step::key), self.end.map_or(Key::MAX, Step::key))
    }
}

/// The steps of a batch.
pub(super) struct Steps<'a> {
    whole: &'a Int64Array,
    millionths: Option<&'a Int32Array>,
}

impl<'a> Steps<'a> {
    pub(super) fn of(batch: &'a RecordBatch) -> Result<Self> {
        let whole = batch.column_by_name("step").and_then(|column| column.as_primitive_opt::<Int64Type>());
        let whole = whole.ok_or_else(|| missing("step"))?;
        let millionths = batch.column_by_name(SUBSTEP).and_then(|column| column.as_primitive_opt::<Int32Type>());
        Ok(Self { whole, millionths })
    }

    /// The key of a row.
    pub(super) fn key(&self, row: usize) -> Key {
        let fraction = match self.millionths {
            Some(column) if column.is_valid(row) => column.values().get(row).copied().unwrap_or_default(),
            Some(_) | None => 0,
        };
        let whole = self.whole.values().get(row).copied().unwrap_or_default();
        Key::from(whole) * MILLION + Key::from(fraction)
    }
}

/// A column of floats.
pub(super) fn floats<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Float64Array> {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Float64Type>());
    column.ok_or_else(|| missing(name))
}

fn missing(name: &str) -> crate::Error {
    DataFusionError::Internal(format!("points were read without their column {name}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_floats_compare_like_floats() {
        let values = [f64::NEG_INFINITY, -1.5, -f64::MIN_POSITIVE, 0.0, 1e-300, 2.0, f64::INFINITY];
        for pair in values.windows(2) {
            assert!(key_of_float(pair[0]) < key_of_float(pair[1]), "{pair:?}");
        }
        assert_eq!(key_of_float(-0.0), key_of_float(0.0));
        assert_eq!(key_of_float(-f64::NAN), key_of_float(f64::NAN));
        assert!(key_of_float(f64::INFINITY) < key_of_float(f64::NAN));
        for value in values {
            assert_eq!(float_of_key(key_of_float(value)), value);
        }
        assert!(float_of_key(key_of_float(f64::NAN)).is_nan());
    }

    #[test]
    fn steps_come_back() {
        let keys = [Step { whole: -1, millionths: 500_000 }.key(), Step { whole: 2, millionths: 0 }.key()];
        let decimals = KeyKind::Fraction.column(keys.into_iter()).unwrap();
        assert_eq!(decimals.data_type(), &KeyKind::Fraction.data_type());
        let texts = arrow::compute::cast(&decimals, &DataType::Utf8).unwrap();
        assert_eq!(texts.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["-0.500000", "2.000000"]);
        for step in [i64::MIN, -7, 0, i64::MAX] {
            let shown = KeyKind::Whole.column([Step { whole: step, millionths: 0 }.key()].into_iter()).unwrap();
            assert_eq!(shown.as_primitive::<Int64Type>().value(0), step);
        }
    }
}
