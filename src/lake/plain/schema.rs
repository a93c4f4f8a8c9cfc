//! One schema for many files.
//!
//! Columns go by their names. A file that lacks a column has nulls in it. Where files disagree on a type, the wider one is
//! taken if it holds every value of both exactly (`Int32` and `Int64`, `Int32` and `Float64`, `UInt32` and `Int64`, texts
//! of every encoding, nothing but nulls and anything); everything else is an error that names file and column.

use crate::error::{Error, Result};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use std::collections::HashMap;
use std::sync::Arc;

/// The schema that holds the rows of all files (name and schema each).
///
/// # Errors
/// [`Error::Data`] with the file and the column that do not fit.
pub(super) fn merge(files: &[(&str, Schema)]) -> Result<Schema> {
    let mut columns: Vec<Merged<'_>> = vec![];
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (file, schema) in files {
        for (index, field) in schema.fields().iter().enumerate() {
            let conflict = |reason: String| Error::Data {
                file: (*file).to_owned(),
                row: None,
                field: Some(field.name().clone()),
                reason,
            };
            if schema.index_of(field.name()).is_ok_and(|first| first != index) {
                return Err(conflict("the file has two columns of this name".to_owned()));
            }
            match places.get(field.name().as_str()).and_then(|place| columns.get_mut(*place)) {
                None => {
                    places.insert(field.name(), columns.len());
                    columns.push(Merged { field: plain(field), seen: 1, first: file });
                }
                Some(column) => {
                    column.seen += 1;
                    let new = plain(field);
                    if column.field != new {
                        let merged = widen(&column.field, &new).map_err(|(path, old, new)| {
                            let of = if path.is_empty() { String::new() } else { format!("its field `{path}` ") };
                            conflict(format!(
                                "{of}is {new} here and {old} in {}: no type holds both exactly, ask the files apart",
                                column.first
                            ))
                        })?;
                        column.field = merged;
                    }
                }
            }
        }
    }
    let fields = columns.into_iter().map(|column| {
        let everywhere = column.seen == files.len();
        Arc::new(column.field.as_ref().clone().with_nullable(column.field.is_nullable() || !everywhere))
    });
    Ok(Schema::new(fields.collect::<Fields>()))
}

struct Merged<'a> {
    field: FieldRef,
    seen: usize,
    /// The first file that has it.
    first: &'a str,
}

/// The field without the notes of its writer, and texts as views, which are handed on without copying.
fn plain(field: &Field) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        other => bare(other),
    };
    Arc::new(Field::new(field.name(), data_type, field.is_nullable()))
}

/// The type without the notes of its writer in nested fields.
fn bare(data_type: &DataType) -> DataType {
    let strip = |field: &FieldRef| -> FieldRef {
        Arc::new(Field::new(field.name(), bare(field.data_type()), field.is_nullable()))
    };
    match data_type {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(strip).collect()),
        DataType::List(item) => DataType::List(strip(item)),
        DataType::LargeList(item) => DataType::LargeList(strip(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(strip(item), *size),
        DataType::Map(entries, sorted) => DataType::Map(strip(entries), *sorted),
        other => other.clone(),
    }
}

/// Where in a struct two types do not fit, and the two.
type Conflict = (String, DataType, DataType);

fn widen(a: &FieldRef, b: &FieldRef) -> Result<FieldRef, Conflict> {
    let nullable = a.is_nullable() || b.is_nullable();
    let data_type = wider(a.data_type(), b.data_type())?;
    Ok(Arc::new(Field::new(a.name(), data_type, nullable)))
}

fn wider(a: &DataType, b: &DataType) -> Result<DataType, Conflict> {
    use DataType::{
        Decimal128, Dictionary, FixedSizeList, Float16, Float32, Float64, Int8, Int16, Int32, Int64, LargeList, List,
        Map, Null, Struct, Timestamp, UInt8, UInt16, UInt32, UInt64, Utf8, Utf8View,
    };
    let conflict = || (String::new(), a.clone(), b.clone());
    let below = |name: &str| {
        let name = name.to_owned();
        move |(path, a, b): Conflict| (if path.is_empty() { name } else { format!("{name}.{path}") }, a, b)
    };
    Ok(match (a, b) {
        _ if a == b => a.clone(),
        (Null, other) | (other, Null) => other.clone(),
        (Dictionary(..), _) | (_, Dictionary(..)) => wider(&unpacked(a), &unpacked(b)).map_err(|_| conflict())?,
        (Utf8View, Utf8 | DataType::LargeUtf8) | (Utf8 | DataType::LargeUtf8, Utf8View) => Utf8View,
        (Utf8, DataType::LargeUtf8) | (DataType::LargeUtf8, Utf8) => DataType::LargeUtf8,
        (Int8 | Int16 | Int32 | Int64, Int8 | Int16 | Int32 | Int64)
        | (UInt8 | UInt16 | UInt32 | UInt64, UInt8 | UInt16 | UInt32 | UInt64)
        | (Float16 | Float32 | Float64, Float16 | Float32 | Float64) => larger(a, b),
        (signed @ (Int8 | Int16 | Int32 | Int64), unsigned @ (UInt8 | UInt16 | UInt32))
        | (unsigned @ (UInt8 | UInt16 | UInt32), signed @ (Int8 | Int16 | Int32 | Int64)) => {
            let needed = match unsigned {
                UInt8 => Int16,
                UInt16 => Int32,
                _ => Int64,
            };
            larger(signed, &needed)
        }
        // A float of 64 bits holds integers of 32 bits, no longer ones.
        (Int8 | Int16 | Int32 | UInt8 | UInt16 | UInt32, Float16 | Float32 | Float64)
        | (Float16 | Float32 | Float64, Int8 | Int16 | Int32 | UInt8 | UInt16 | UInt32) => Float64,
        (Decimal128(p, s), Decimal128(q, t)) => {
            let scale = *s.max(t);
            let digits = |p: u8, s: i8| i16::from(p) - i16::from(s);
            let precision = digits(*p, *s).max(digits(*q, *t)) + i16::from(scale);
            match u8::try_from(precision) {
                Ok(precision) if precision <= arrow::datatypes::DECIMAL128_MAX_PRECISION => {
                    Decimal128(precision, scale)
                }
                _ => return Err(conflict()),
            }
        }
        // Finer units hold less of the calendar: nanoseconds end in 2262. They are not widened to.
        (Timestamp(u, zone), Timestamp(v, other)) if zone == other => {
            let unit = match (u, v) {
                (TimeUnit::Nanosecond, _) | (_, TimeUnit::Nanosecond) => return Err(conflict()),
                (TimeUnit::Microsecond, _) | (_, TimeUnit::Microsecond) => TimeUnit::Microsecond,
                _ => TimeUnit::Millisecond,
            };
            Timestamp(unit, zone.clone())
        }
        (Struct(a), Struct(b)) => {
            let mut fields: Vec<FieldRef> = vec![];
            for field in a {
                fields.push(match b.find(field.name()) {
                    Some((_, other)) => widen(field, other).map_err(below(field.name()))?,
                    None => Arc::new(field.as_ref().clone().with_nullable(true)),
                });
            }
            let new = b.iter().filter(|field| a.find(field.name()).is_none());
            fields.extend(new.map(|field| Arc::new(field.as_ref().clone().with_nullable(true))));
            Struct(fields.into())
        }
        (List(a), List(b)) => List(widen(a, b).map_err(|_| conflict())?),
        (LargeList(a), LargeList(b) | List(b)) | (List(a), LargeList(b)) => {
            LargeList(widen(a, b).map_err(|_| conflict())?)
        }
        (FixedSizeList(a, n), FixedSizeList(b, m)) if n == m => FixedSizeList(widen(a, b).map_err(|_| conflict())?, *n),
        (Map(a, sorted), Map(b, other)) => Map(widen(a, b).map_err(|_| conflict())?, *sorted && *other),
        _ => return Err(conflict()),
    })
}

/// The type of the values of a dictionary.
fn unpacked(data_type: &DataType) -> DataType {
    let value = match data_type {
        DataType::Dictionary(_, value) => value.as_ref(),
        other => other,
    };
    plain(&Field::new("", value.clone(), true)).data_type().clone()
}

/// The later of two types of one family, in the order of their widths.
fn larger(a: &DataType, b: &DataType) -> DataType {
    if a.primitive_width() >= b.primitive_width() { a.clone() } else { b.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DataType::{
        Binary, Boolean, Float32, Float64, Int8, Int32, Int64, LargeUtf8, Null, UInt8, UInt32, UInt64, Utf8, Utf8View,
    };

    fn schema(columns: &[(&str, DataType)]) -> Schema {
        Schema::new(columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), false)).collect::<Vec<_>>())
    }

    fn both(a: DataType, b: DataType) -> Result<DataType, String> {
        let merged = |a: &DataType, b: &DataType| {
            merge(&[("one", schema(&[("x", a.clone())])), ("two", schema(&[("x", b.clone())]))])
                .map(|schema| schema.field(0).data_type().clone())
                .map_err(|error| error.to_string())
        };
        let there = merged(&a, &b);
        assert_eq!(there.clone().ok(), merged(&b, &a).ok(), "the order of files counts for {a} and {b}");
        there
    }

    fn dictionary(value: DataType) -> DataType {
        DataType::Dictionary(Box::new(Int32), Box::new(value))
    }

    #[test]
    fn types_are_widened_where_nothing_is_lost() {
        for (a, b, expected) in [
            (Int8, Int64, Int64),
            (Int32, UInt8, Int32),
            (Int8, UInt8, DataType::Int16),
            (Int8, UInt32, Int64),
            (UInt8, UInt64, UInt64),
            (Float32, Float64, Float64),
            (Int32, Float32, Float64),
            (Utf8, LargeUtf8, Utf8View),
            (Null, Boolean, Boolean),
            (dictionary(Utf8), Utf8, Utf8View),
            (dictionary(Utf8), dictionary(Utf8), dictionary(Utf8)),
            (DataType::Decimal128(5, 2), DataType::Decimal128(10, 4), DataType::Decimal128(10, 4)),
            (DataType::Decimal128(10, 0), DataType::Decimal128(4, 4), DataType::Decimal128(14, 4)),
            (
                DataType::Timestamp(TimeUnit::Second, None),
                DataType::Timestamp(TimeUnit::Microsecond, None),
                DataType::Timestamp(TimeUnit::Microsecond, None),
            ),
        ] {
            assert_eq!(both(a.clone(), b.clone()), Ok(expected), "{a} and {b}");
        }
        for (a, b) in [
            (Int64, Float64),
            (Int64, UInt64),
            (Utf8, Int64),
            (Boolean, Int8),
            (Utf8, Binary),
            (DataType::Date32, Utf8),
            (DataType::Decimal128(38, 0), DataType::Decimal128(38, 10)),
            (DataType::Timestamp(TimeUnit::Second, None), DataType::Timestamp(TimeUnit::Second, Some("UTC".into()))),
            (DataType::Timestamp(TimeUnit::Second, None), DataType::Timestamp(TimeUnit::Nanosecond, None)),
        ] {
            let error = both(a.clone(), b.clone()).unwrap_err();
            assert!(error.contains("two") && error.contains("one") && error.contains("`x`"), "{error}");
        }
    }

    #[test]
    fn missing_columns_are_nullable() {
        let merged =
            merge(&[("one", schema(&[("a", Int64), ("b", Utf8)])), ("two", schema(&[("c", Boolean), ("a", Int64)]))])
                .unwrap();
        let found: Vec<_> = merged.fields().iter().map(|field| (field.name().as_str(), field.is_nullable())).collect();
        assert_eq!(found, [("a", false), ("b", true), ("c", true)]);
    }

    #[test]
    fn structs_are_merged_by_field() {
        let of = |fields: &[(&str, DataType)]| DataType::Struct(schema(fields).fields().clone());
        let one = of(&[("a", Int8), ("b", of(&[("c", Utf8)]))]);
        let two = of(&[("b", of(&[("d", Utf8)])), ("a", Int64)]);
        let merged = merge(&[("one", schema(&[("x", one)])), ("two", schema(&[("x", two)]))]).unwrap();
        let DataType::Struct(fields) = merged.field(0).data_type() else { panic!("{merged}") };
        assert_eq!(fields.find("a").unwrap().1.data_type(), &Int64);
        let DataType::Struct(inner) = fields.find("b").unwrap().1.data_type() else { panic!("{fields:?}") };
        assert!(inner.iter().all(|field| field.is_nullable()) && inner.len() == 2);
        let error = both(of(&[("a", of(&[("b", Int64)]))]), of(&[("a", of(&[("b", Utf8)]))])).unwrap_err();
        assert!(error.contains("`a.b`"), "{error}");
    }

    #[test]
    fn a_name_stands_once_in_a_file() {
        let error = merge(&[("one", schema(&[("a", Int64), ("a", Utf8)]))]).unwrap_err().to_string();
        assert!(error.contains("one") && error.contains("`a`"), "{error}");
        let cases = merge(&[("one", schema(&[("a", Int64), ("A", Utf8)]))]).unwrap();
        assert_eq!(cases.fields().len(), 2);
    }
}
