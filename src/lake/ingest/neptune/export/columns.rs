//! The columns of a batch with their types settled.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, Int32Array, Int64Array, ListArray,
    RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal128Type, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};

use super::part::PartFault;

/// Texts that repeat: small numbers and what they stand for.
pub(super) struct Repeated {
    keys: Int32Array,
    texts: StringArray,
}

impl Repeated {
    fn new(column: &ArrayRef) -> Option<Self> {
        let dictionary = column.as_dictionary_opt::<Int32Type>()?;
        Some(Repeated { keys: dictionary.keys().clone(), texts: dictionary.values().as_string_opt()?.clone() })
    }

    /// The text of a row.
    pub(super) fn get(&self, row: usize) -> Option<&str> {
        if !self.keys.is_valid(row) {
            return None;
        }
        let key = usize::try_from(self.keys.value(row)).ok()?;
        (key < self.texts.len() && self.texts.is_valid(key)).then(|| self.texts.value(key))
    }

    /// Whether two rows surely have the same text.
    fn same(&self, a: usize, b: usize) -> bool {
        match (self.keys.is_valid(a), self.keys.is_valid(b)) {
            (true, true) => self.keys.value(a) == self.keys.value(b),
            (a, b) => a == b,
        }
    }
}

/// The columns of a batch. Value columns that have no values at all in the piece of the file are not there.
pub(super) struct Columns {
    pub(super) rows: usize,
    pub(super) project: Option<Repeated>,
    pub(super) run: Option<Repeated>,
    pub(super) path: Option<Repeated>,
    pub(super) kind: Option<Repeated>,
    pub(super) step: Option<Decimal128Array>,
    /// Microseconds since 1970.
    pub(super) time: Option<TimestampMicrosecondArray>,
    pub(super) int: Option<Int64Array>,
    pub(super) float: Option<Float64Array>,
    pub(super) text: Option<StringArray>,
    pub(super) bool: Option<BooleanArray>,
    /// Microseconds since 1970.
    pub(super) datetime: Option<TimestampMicrosecondArray>,
    pub(super) set: Option<ListArray>,
    pub(super) file: Option<StringArray>,
    pub(super) histogram: Option<Histograms>,
}

/// A column of histograms.
pub(super) struct Histograms {
    column: StructArray,
    kind: StringArray,
    edges: ListArray,
    values: ListArray,
}

impl Histograms {
    fn new(column: &ArrayRef) -> Option<Self> {
        let column = column.as_struct_opt()?.clone();
        let list = |name: &str| column.column_by_name(name).and_then(|column| column.as_list_opt::<i32>()).cloned();
        let kind = column.column_by_name("type")?.as_string_opt::<i32>()?.clone();
        let (edges, values) = (list("edges")?, list("values")?);
        Some(Histograms { column, kind, edges, values })
    }

    /// Type, edges and values of a row.
    pub(super) fn get(&self, row: usize) -> Option<(Option<&str>, Vec<f64>, Vec<f64>)> {
        let list = |lists: &ListArray| {
            let items = lists.is_valid(row).then(|| lists.value(row));
            let items = items.as_ref().and_then(|items| items.as_primitive_opt::<Float64Type>());
            // A null among the numbers was NaN.
            items.map(|items| items.iter().map(|item| item.unwrap_or(f64::NAN)).collect()).unwrap_or_default()
        };
        let kind = self.kind.is_valid(row).then(|| self.kind.value(row));
        self.column.is_valid(row).then(|| (kind, list(&self.edges), list(&self.values)))
    }
}

/// Timestamps of any unit as microseconds.
fn micros(column: &ArrayRef) -> Option<TimestampMicrosecondArray> {
    let wanted = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Some(cast(column, &wanted).ok()?.as_primitive_opt::<TimestampMicrosecondType>()?.clone())
}

impl Columns {
    /// Takes a batch apart.
    pub(super) fn new(batch: &RecordBatch) -> Result<Self, PartFault> {
        // The types were checked with the schema.
        fn find<T>(
            batch: &RecordBatch,
            name: &str,
            take: impl Fn(&ArrayRef) -> Option<T>,
        ) -> Result<Option<T>, PartFault> {
            let Some(column) = batch.column_by_name(name) else { return Ok(None) };
            take(column).map(Some).ok_or_else(|| PartFault {
                field: Some(name.to_owned()),
                reason: format!("unexpected type {}", column.data_type()),
            })
        }
        let text = |column: &ArrayRef| column.as_string_opt::<i32>().cloned();
        Ok(Columns {
            rows: batch.num_rows(),
            project: find(batch, "project_id", Repeated::new)?,
            run: find(batch, "run_id", Repeated::new)?,
            path: find(batch, "attribute_path", Repeated::new)?,
            kind: find(batch, "attribute_type", Repeated::new)?,
            step: find(batch, "step", |column| column.as_primitive_opt::<Decimal128Type>().cloned())?,
            time: find(batch, "timestamp", micros)?,
            int: find(batch, "int_value", |column| column.as_primitive_opt::<Int64Type>().cloned())?,
            float: find(batch, "float_value", |column| column.as_primitive_opt::<Float64Type>().cloned())?,
            text: find(batch, "string_value", text)?,
            bool: find(batch, "bool_value", |column| column.as_boolean_opt().cloned())?,
            datetime: find(batch, "datetime_value", micros)?,
            set: find(batch, "string_set_value", |column| column.as_list_opt::<i32>().cloned())?,
            file: find(batch, "file_value", file_paths)?,
            histogram: find(batch, "histogram_value", Histograms::new)?,
        })
    }

    /// The row behind the last of the rows from `row` on that have one run, path and type.
    pub(super) fn stretch(&self, row: usize) -> usize {
        let columns = [&self.project, &self.run, &self.path, &self.kind];
        let same = |other: usize| columns.iter().all(|column| column.as_ref().is_none_or(|it| it.same(row, other)));
        (row + 1..self.rows).find(|other| !same(*other)).unwrap_or(self.rows)
    }

    /// The step of a row in millionths.
    pub(super) fn step(&self, row: usize) -> Option<i64> {
        let steps = self.step.as_ref()?;
        // 18 digits fit.
        steps.is_valid(row).then(|| i64::try_from(steps.value(row)).ok()).flatten()
    }
}

/// The paths of a column of files; a null file has none.
fn file_paths(column: &ArrayRef) -> Option<StringArray> {
    let files = column.as_struct_opt()?;
    let paths = files.column_by_name("path")?.as_string_opt::<i32>()?;
    if files.null_count() == 0 {
        return Some(paths.clone());
    }
    Some((0..files.len()).map(|row| (files.is_valid(row) && paths.is_valid(row)).then(|| paths.value(row))).collect())
}
