//! Arrow types as types of values.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use lakeql_query::model::ValueType;
use std::sync::Arc;

/// Microseconds of a day.
const DAY: i128 = 86_400_000_000;

/// How values of a column compare.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Integers of some sort: numbers, decimals in units of their last digit, times in units of their own.
    Whole(Whole),
    /// Floats; the column is cast to this width, 32 or 64 bits.
    Float(Width),
    Text,
    Bool,
    /// Lists of values that are no lists.
    List(Box<Kind>),
    /// Nothing but nulls.
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Single,
    Double,
}

/// A column whose values are stored as integers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Whole {
    data_type: DataType,
    pub(super) meaning: Meaning,
    /// Smallest and largest value.
    pub(super) min: i128,
    pub(super) max: i128,
}

/// What a stored integer stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Number,
    /// So many digits stand after the point (fewer than none: zeros before it are left out).
    Decimal(i8),
    /// Microseconds are this fraction of the unit: `numerator / denominator` units a microsecond.
    Time {
        numerator: i128,
        denominator: i128,
    },
}

impl Kind {
    /// The kind of a type, or why its values cannot be asked for.
    pub(super) fn of(data_type: &DataType) -> Result<Self, String> {
        use DataType as T;
        let whole =
            |meaning, min: i128, max: i128| Ok(Self::Whole(Whole { data_type: data_type.clone(), meaning, min, max }));
        let time =
            |numerator, denominator| whole(Meaning::Time { numerator, denominator }, i64::MIN.into(), i64::MAX.into());
        match data_type {
            T::Null => Ok(Self::Null),
            T::Boolean => Ok(Self::Bool),
            T::Int8 => whole(Meaning::Number, i8::MIN.into(), i8::MAX.into()),
            T::Int16 => whole(Meaning::Number, i16::MIN.into(), i16::MAX.into()),
            T::Int32 => whole(Meaning::Number, i32::MIN.into(), i32::MAX.into()),
            T::Int64 => whole(Meaning::Number, i64::MIN.into(), i64::MAX.into()),
            T::UInt8 => whole(Meaning::Number, 0, u8::MAX.into()),
            T::UInt16 => whole(Meaning::Number, 0, u16::MAX.into()),
            T::UInt32 => whole(Meaning::Number, 0, u32::MAX.into()),
            T::UInt64 => whole(Meaning::Number, 0, u64::MAX.into()),
            T::Decimal32(digits, scale) | T::Decimal64(digits, scale) | T::Decimal128(digits, scale) => {
                let max = 10_i128.checked_pow(u32::from(*digits)).map_or(i128::MAX - 1, |power| power - 1);
                whole(Meaning::Decimal(*scale), -max, max)
            }
            T::Float16 | T::Float32 => Ok(Self::Float(Width::Single)),
            T::Float64 => Ok(Self::Float(Width::Double)),
            T::Utf8 | T::LargeUtf8 | T::Utf8View => Ok(Self::Text),
            T::Timestamp(TimeUnit::Second, _) => time(1, 1_000_000),
            T::Timestamp(TimeUnit::Millisecond, _) | T::Date64 => time(1, 1_000),
            T::Timestamp(TimeUnit::Microsecond, _) => time(1, 1),
            T::Timestamp(TimeUnit::Nanosecond, _) => time(1_000, 1),
            T::Date32 => whole(Meaning::Time { numerator: 1, denominator: DAY }, i32::MIN.into(), i32::MAX.into()),
            T::Dictionary(_, value) => Self::of(value),
            T::List(item) | T::LargeList(item) | T::FixedSizeList(item, _) => match Self::of(item.data_type())? {
                Self::List(_) => Err("a list of lists".to_owned()),
                item => Ok(Self::List(Box::new(item))),
            },
            T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => Err("bytes".to_owned()),
            T::Struct(_) => Err("a struct".to_owned()),
            T::Map(..) => Err("a map".to_owned()),
            T::Decimal256(..) => Err("a decimal of 256 bits".to_owned()),
            T::Time32(_) | T::Time64(_) => Err("a time of day".to_owned()),
            T::Duration(_) | T::Interval(_) => Err("a length of time".to_owned()),
            T::ListView(_) | T::LargeListView(_) | T::Union(..) | T::RunEndEncoded(..) => {
                Err(format!("of the type {data_type}"))
            }
        }
    }

    /// What queries call it; nothing for a column of nulls.
    pub(super) fn value_type(&self) -> Option<ValueType> {
        Some(match self {
            Self::Whole(whole) => match whole.meaning {
                Meaning::Number => ValueType::Int,
                Meaning::Decimal(_) => ValueType::Float,
                Meaning::Time { .. } => ValueType::Time,
            },
            Self::Float(_) => ValueType::Float,
            Self::Text => ValueType::Text,
            Self::Bool => ValueType::Bool,
            Self::List(_) => ValueType::Set,
            Self::Null => return None,
        })
    }
}

impl Whole {
    /// Whether these are plain integers that all fit into 64 bits with a sign.
    pub(super) fn fits_long(&self) -> bool {
        self.meaning == Meaning::Number && self.max <= i128::from(i64::MAX)
    }

    /// A stored integer as a value of the column's type; nothing if it is not in its range.
    pub(super) fn scalar(&self, value: i128) -> Option<ScalarValue> {
        use DataType as T;
        if value < self.min || value > self.max {
            return None;
        }
        let long = || i64::try_from(value).ok();
        Some(match &self.data_type {
            T::Int8 => ScalarValue::Int8(Some(i8::try_from(value).ok()?)),
            T::Int16 => ScalarValue::Int16(Some(i16::try_from(value).ok()?)),
            T::Int32 => ScalarValue::Int32(Some(i32::try_from(value).ok()?)),
            T::Int64 => ScalarValue::Int64(Some(long()?)),
            T::UInt8 => ScalarValue::UInt8(Some(u8::try_from(value).ok()?)),
            T::UInt16 => ScalarValue::UInt16(Some(u16::try_from(value).ok()?)),
            T::UInt32 => ScalarValue::UInt32(Some(u32::try_from(value).ok()?)),
            T::UInt64 => ScalarValue::UInt64(Some(u64::try_from(value).ok()?)),
            T::Decimal32(digits, scale) => ScalarValue::Decimal32(Some(i32::try_from(value).ok()?), *digits, *scale),
            T::Decimal64(digits, scale) => ScalarValue::Decimal64(Some(long()?), *digits, *scale),
            T::Decimal128(digits, scale) => ScalarValue::Decimal128(Some(value), *digits, *scale),
            T::Date32 => ScalarValue::Date32(Some(i32::try_from(value).ok()?)),
            T::Date64 => ScalarValue::Date64(Some(long()?)),
            T::Timestamp(unit, zone) => {
                let (value, zone) = (Some(long()?), zone.as_ref().map(Arc::clone));
                match unit {
                    TimeUnit::Second => ScalarValue::TimestampSecond(value, zone),
                    TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(value, zone),
                    TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(value, zone),
                    TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(value, zone),
                }
            }
            _ => return None,
        })
    }
}
