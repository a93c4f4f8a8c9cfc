//! Rows with the fourteen columns of the exporter.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, BooleanBuilder, Decimal128Builder, Float64Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder,
    StructArray, TimestampMillisecondBuilder, new_null_array,
};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

/// The columns.
pub(super) fn schema() -> &'static SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let time = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        let list = |item| DataType::List(Arc::new(Field::new("element", item, true)));
        let histogram = Fields::from(vec![
            Field::new("type", DataType::Utf8, true),
            Field::new("edges", list(DataType::Float64), true),
            Field::new("values", list(DataType::Float64), true),
        ]);
        let columns = [
            ("project_id", DataType::Utf8),
            ("run_id", DataType::Utf8),
            ("attribute_path", DataType::Utf8),
            ("attribute_type", DataType::Utf8),
            ("step", DataType::Decimal128(18, 6)),
            ("timestamp", time.clone()),
            ("int_value", DataType::Int64),
            ("float_value", DataType::Float64),
            ("string_value", DataType::Utf8),
            ("bool_value", DataType::Boolean),
            ("datetime_value", time),
            ("string_set_value", list(DataType::Utf8)),
            ("file_value", DataType::Struct(file_fields())),
            ("histogram_value", DataType::Struct(histogram)),
        ];
        Arc::new(Schema::new(columns.map(|(name, data_type)| Field::new(name, data_type, true)).to_vec()))
    });
    &SCHEMA
}

fn file_fields() -> Fields {
    Fields::from(vec![Field::new("path", DataType::Utf8, true)])
}

/// A value of a row; a null of a type is a row that the exporter has made for another run's attribute.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cell<'a> {
    Int(i64),
    Float(f64),
    Text(&'a str),
    Bool(bool),
    /// Milliseconds since 1970.
    Time(i64),
    Set(&'a [&'a str]),
    File(&'a str),
    /// Nothing, of this type.
    Null(&'static str),
    /// Step in millionths, milliseconds since 1970, value (none for NaN).
    FloatPoint(i64, i64, Option<f64>),
    TextPoint(i64, i64, &'a str),
}

impl Cell<'_> {
    fn kind(self) -> &'static str {
        match self {
            Cell::Int(_) => "int",
            Cell::Float(_) => "float",
            Cell::Text(_) => "string",
            Cell::Bool(_) => "bool",
            Cell::Time(_) => "datetime",
            Cell::Set(_) => "string_set",
            Cell::File(_) => "file",
            Cell::Null(kind) => kind,
            Cell::FloatPoint(..) => "float_series",
            Cell::TextPoint(..) => "string_series",
        }
    }
}

/// A batch while its rows arrive.
pub(super) struct Rows {
    project: &'static str,
    run: String,
    rows: usize,
    path: StringBuilder,
    kind: StringBuilder,
    step: Decimal128Builder,
    timestamp: TimestampMillisecondBuilder,
    int: Int64Builder,
    float: Float64Builder,
    text: StringBuilder,
    bool: BooleanBuilder,
    time: TimestampMillisecondBuilder,
    set: ListBuilder<StringBuilder>,
    file: StringBuilder,
}

impl Rows {
    pub(super) fn new(project: &'static str, run: &str) -> Self {
        Rows {
            project,
            run: run.to_owned(),
            rows: 0,
            path: StringBuilder::new(),
            kind: StringBuilder::new(),
            step: Decimal128Builder::new(),
            timestamp: TimestampMillisecondBuilder::new(),
            int: Int64Builder::new(),
            float: Float64Builder::new(),
            text: StringBuilder::new(),
            bool: BooleanBuilder::new(),
            time: TimestampMillisecondBuilder::new(),
            set: ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true)),
            file: StringBuilder::new(),
        }
    }

    pub(super) fn push(&mut self, path: &str, cell: Cell<'_>) {
        self.rows += 1;
        self.path.append_value(path);
        self.kind.append_value(cell.kind());
        let (step, timestamp) = match cell {
            Cell::FloatPoint(step, time, _) | Cell::TextPoint(step, time, _) => (Some(step), Some(time)),
            _ => (None, None),
        };
        self.step.append_option(step.map(i128::from));
        self.timestamp.append_option(timestamp);
        self.int.append_option(if let Cell::Int(value) = cell { Some(value) } else { None });
        self.float.append_option(match cell {
            Cell::Float(value) | Cell::FloatPoint(_, _, Some(value)) => Some(value),
            _ => None,
        });
        self.text.append_option(match cell {
            Cell::Text(value) | Cell::TextPoint(_, _, value) => Some(value),
            _ => None,
        });
        self.bool.append_option(if let Cell::Bool(value) = cell { Some(value) } else { None });
        self.time.append_option(if let Cell::Time(value) = cell { Some(value) } else { None });
        if let Cell::Set(members) = cell {
            members.iter().for_each(|member| self.set.values().append_value(member));
            self.set.append(true);
        } else {
            self.set.append(false);
        }
        self.file.append_option(if let Cell::File(path) = cell { Some(path) } else { None });
    }

    pub(super) fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        let same = |text: &str| -> ArrayRef {
            Arc::new(arrow::array::StringArray::from_iter_values(std::iter::repeat_n(text, self.rows)))
        };
        let paths = self.file.finish();
        let nulls = arrow::array::Array::nulls(&paths).cloned();
        let columns: Vec<ArrayRef> = vec![
            same(self.project),
            same(&self.run),
            Arc::new(self.path.finish()),
            Arc::new(self.kind.finish()),
            Arc::new(self.step.finish().with_precision_and_scale(18, 6)?),
            Arc::new(self.timestamp.finish().with_timezone("UTC")),
            Arc::new(self.int.finish()),
            Arc::new(self.float.finish()),
            Arc::new(self.text.finish()),
            Arc::new(self.bool.finish()),
            Arc::new(self.time.finish().with_timezone("UTC")),
            Arc::new(self.set.finish()),
            Arc::new(StructArray::try_new(file_fields(), vec![Arc::new(paths)], nulls)?),
            new_null_array(schema().field(13).data_type(), self.rows),
        ];
        RecordBatch::try_new(Arc::clone(schema()), columns)
    }
}
