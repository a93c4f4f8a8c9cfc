//! JSON lines to columns of properties: only these are kept of a line.

use std::io::{self, BufRead, Read};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::array::{
    ArrayBuilder, ArrayRef, Float64Builder, Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::Schema;
use chrono::DateTime;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::blocks::{Block, BlockMaker};
use super::packed::open;
use super::schema::{Discovery, SampleSchema, SchemaProperty};
use super::{BATCH_ROWS, fault};
use crate::catalog::samples::{Property, PropertyKind};
use crate::error::{Result, RowPlace};

/// Longest line.
const LONGEST_LINE: u64 = 256 << 20;

/// Calls `each` with every line (its number from 0, the text, and the bytes as they lie in the file) until it says that it
/// is enough.
fn lines(path: &Path, name: &str, mut each: impl FnMut(u64, &[u8], &[u8]) -> Result<bool>) -> Result<()> {
    let unreadable = |row: Option<u64>, error: io::Error| {
        fault(name, row.map(RowPlace::Line), None, format!("the file cannot be read: {error}"))
    };
    let (mut source, _) = open(path).map_err(|error| unreadable(None, error))?;
    let mut line = vec![];
    for number in 0.. {
        line.clear();
        let read = (&mut source).take(LONGEST_LINE).read_until(b'\n', &mut line);
        let read = read.map_err(|error| unreadable(Some(number + 1), error))?;
        if read == 0 {
            break;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = if number == 0 { text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text) } else { text };
        if text.trim_ascii().is_empty() {
            return Err(fault(name, Some(RowPlace::Line(number + 1)), None, "the line is empty"));
        }
        if !each(number, text, &line)? {
            break;
        }
    }
    Ok(())
}

/// Reads a file and hands its properties and blocks on.
pub(super) fn read(
    path: &Path,
    name: &str,
    schema: &SampleSchema,
    block: &mut dyn FnMut(Block) -> bool,
    send: &mut dyn FnMut(RecordBatch) -> Result<bool>,
) -> Result<()> {
    let members = Members::new(schema);
    let mut columns = Columns::new(schema);
    let mut maker = BlockMaker::default();
    let mut values = vec![Value::Null; schema.properties.len()];
    lines(path, name, |number, line, whole| {
        values.fill(Value::Null);
        let place = Some(RowPlace::Line(number + 1));
        let mut parser = serde_json::Deserializer::from_slice(line);
        Line { members: &members.top, values: &mut values }
            .deserialize(&mut parser)
            .and_then(|()| parser.end())
            .map_err(|error| fault(name, place, None, format!("not a JSON object: {error}")))?;
        for ((column, value), known) in columns.builders.iter_mut().zip(&mut values).zip(&schema.properties) {
            known.picked(value);
            column.append(value).map_err(|reason| fault(name, place, Some(&known.property.name), reason))?;
        }
        columns.rows += 1;
        if maker.add(whole.len() as u64, whole).is_some_and(|full| !block(full)) {
            return Ok(false);
        }
        if columns.rows == BATCH_ROWS { send(columns.finish()?) } else { Ok(true) }
    })?;
    maker.finish().map(block);
    if columns.rows > 0 {
        send(columns.finish()?)?;
    }
    Ok(())
}

/// Looks at the first lines of a file.
pub(super) fn discover(path: &Path, name: &str, most: u64, discovery: &mut Discovery) -> Result<()> {
    lines(path, name, |number, line, _| {
        let place = Some(RowPlace::Line(number + 1));
        let sample: Value =
            serde_json::from_slice(line).map_err(|error| fault(name, place, None, error.to_string()))?;
        if !sample.is_object() {
            return Err(fault(name, place, None, "not a JSON object"));
        }
        discovery.look(&sample);
        Ok(number + 1 < most)
    })
}

/// What is wanted of an object.
enum Member {
    Property(usize),
    Object(Vec<(String, Member)>),
}

struct Members {
    top: Vec<(String, Member)>,
}

impl Members {
    fn new(schema: &SampleSchema) -> Self {
        let mut top: Vec<(String, Member)> = vec![];
        for (index, SchemaProperty { path, .. }) in schema.properties.iter().enumerate() {
            match path.as_slice() {
                [outer, inner] => {
                    let known = top.iter_mut().find_map(|(name, member)| match member {
                        Member::Object(inside) if name == outer => Some(inside),
                        Member::Object(_) | Member::Property(_) => None,
                    });
                    let inside = (inner.clone(), Member::Property(index));
                    match known {
                        Some(known) => known.push(inside),
                        None => top.push((outer.clone(), Member::Object(vec![inside]))),
                    }
                }
                other => top.push((other.concat(), Member::Property(index))),
            }
        }
        Self { top }
    }
}

/// Reads an object into the values of properties.
struct Line<'a> {
    members: &'a [(String, Member)],
    values: &'a mut [Value],
}

impl<'de> DeserializeSeed<'de> for Line<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Line<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    /// A missing object has no members.
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match self.members.iter().find(|(known, _)| *known == name) {
                Some((_, Member::Property(index))) => {
                    let value = map.next_value()?;
                    let slot = self.values.get_mut(*index).ok_or_else(|| A::Error::custom("no such property"))?;
                    *slot = value;
                }
                Some((_, Member::Object(members))) => {
                    map.next_value_seed(Line { members, values: &mut *self.values })?
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Columns that are being filled.
pub(super) struct Columns {
    builders: Vec<Column>,
    schema: Arc<Schema>,
    rows: usize,
}

impl Columns {
    pub(super) fn new(schema: &SampleSchema) -> Self {
        let builders = schema.properties.iter().map(|it| Column::new(&it.property)).collect();
        let fields: Vec<_> = schema.properties.iter().map(|it| it.property.field()).collect();
        Self { builders, schema: Arc::new(Schema::new(fields)), rows: 0 }
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds the properties of a sample that is read already; a mistake comes with the name of its property.
    pub(super) fn append_object(
        &mut self,
        schema: &SampleSchema,
        object: &serde_json::Map<String, Value>,
    ) -> Result<(), (String, String)> {
        for (column, known) in self.builders.iter_mut().zip(&schema.properties) {
            let mut parts = known.path.iter();
            let found = parts.next().and_then(|first| object.get(first));
            let mut value = parts.fold(found, |value, part| value?.get(part)).cloned().unwrap_or_default();
            known.picked(&mut value);
            column.append(&value).map_err(|reason| (known.property.name.clone(), reason))?;
        }
        self.rows += 1;
        Ok(())
    }

    /// The rows so far.
    pub(super) fn finish(&mut self) -> Result<RecordBatch> {
        let arrays: Vec<ArrayRef> = self.builders.iter_mut().map(Column::finish).collect();
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(std::mem::take(&mut self.rows)));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?)
    }
}

/// One value after the other of one type.
enum Scalar {
    Text(StringBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Time(TimestampMicrosecondBuilder),
}

enum Column {
    Single(Scalar),
    Texts(ListBuilder<StringBuilder>),
    Ints(ListBuilder<Int64Builder>),
    Floats(ListBuilder<Float64Builder>),
    Times(ListBuilder<TimestampMicrosecondBuilder>),
}

fn times() -> TimestampMicrosecondBuilder {
    TimestampMicrosecondBuilder::new().with_timezone("UTC")
}

impl Column {
    fn new(property: &Property) -> Self {
        match (property.multiple, property.kind) {
            (false, PropertyKind::Text) => Self::Single(Scalar::Text(StringBuilder::new())),
            (false, PropertyKind::Int) => Self::Single(Scalar::Int(Int64Builder::new())),
            (false, PropertyKind::Float) => Self::Single(Scalar::Float(Float64Builder::new())),
            (false, PropertyKind::Time) => Self::Single(Scalar::Time(times())),
            (true, PropertyKind::Text) => Self::Texts(ListBuilder::new(StringBuilder::new())),
            (true, PropertyKind::Int) => Self::Ints(ListBuilder::new(Int64Builder::new())),
            (true, PropertyKind::Float) => Self::Floats(ListBuilder::new(Float64Builder::new())),
            (true, PropertyKind::Time) => Self::Times(ListBuilder::new(times())),
        }
    }

    fn append(&mut self, value: &Value) -> Result<(), String> {
        match self {
            Self::Single(Scalar::Text(builder)) => builder.append_option(text(value)?),
            Self::Single(Scalar::Int(builder)) => builder.append_option(int(value)?),
            Self::Single(Scalar::Float(builder)) => builder.append_option(float(value)?),
            Self::Single(Scalar::Time(builder)) => builder.append_option(time(value)?),
            Self::Texts(builder) => {
                for value in items(value) {
                    builder.values().append_option(text(value)?);
                }
                builder.append(!value.is_null());
            }
            Self::Ints(builder) => {
                for value in items(value) {
                    builder.values().append_option(int(value)?);
                }
                builder.append(!value.is_null());
            }
            Self::Floats(builder) => {
                for value in items(value) {
                    builder.values().append_option(float(value)?);
                }
                builder.append(!value.is_null());
            }
            Self::Times(builder) => {
                for value in items(value) {
                    builder.values().append_option(time(value)?);
                }
                builder.append(!value.is_null());
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Single(Scalar::Text(builder)) => ArrayBuilder::finish(builder),
            Self::Single(Scalar::Int(builder)) => ArrayBuilder::finish(builder),
            Self::Single(Scalar::Float(builder)) => ArrayBuilder::finish(builder),
            Self::Single(Scalar::Time(builder)) => ArrayBuilder::finish(builder),
            Self::Texts(builder) => ArrayBuilder::finish(builder),
            Self::Ints(builder) => ArrayBuilder::finish(builder),
            Self::Floats(builder) => ArrayBuilder::finish(builder),
            Self::Times(builder) => ArrayBuilder::finish(builder),
        }
    }
}

/// The values of a list; a single value is a list of one.
fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        Value::Null => &[],
        other => std::slice::from_ref(other),
    }
}

fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {:?}", text.chars().take(40).collect::<String>()),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn text(value: &Value) -> Result<Option<&str>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Bool(true) => Ok(Some("true")),
        Value::Bool(false) => Ok(Some("false")),
        other => Err(format!("expected a text, found {}", found(other))),
    }
}

fn int(value: &Value) -> Result<Option<i64>, String> {
    match (value, value.as_i64()) {
        (Value::Null, _) => Ok(None),
        (_, Some(number)) => Ok(Some(number)),
        (other, None) => Err(format!("expected a whole number of 64 bits, found {}", found(other))),
    }
}

fn float(value: &Value) -> Result<Option<f64>, String> {
    match (value, value.as_f64()) {
        (Value::Null, _) => Ok(None),
        (_, Some(number)) => Ok(Some(number)),
        (other, None) => Err(format!("expected a number, found {}", found(other))),
    }
}

/// ISO 8601, or seconds since 1970.
fn time(value: &Value) -> Result<Option<i64>, String> {
    let wrong = || format!("expected a time such as 2024-05-31T12:00:00Z, found {}", found(value));
    match value {
        Value::Null => Ok(None),
        Value::String(text) => {
            let micros = DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_micros());
            let micros = micros.or_else(|_| {
                let naive = text.parse::<chrono::NaiveDateTime>().map(|time| time.and_utc().timestamp_micros());
                let date = |_| {
                    text.parse::<chrono::NaiveDate>()
                        .map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros())
                };
                naive.or_else(date)
            });
            micros.map(Some).map_err(|_| wrong())
        }
        Value::Number(number) => match number.as_f64() {
            Some(seconds) if seconds.abs() < 1e11 => Ok(Some((seconds * 1e6).round() as i64)),
            Some(_) | None => Err(wrong()),
        },
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(wrong()),
    }
}
