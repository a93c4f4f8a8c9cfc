//! Argument columns with their types settled, once for a batch.

use super::bindings::ListColumn;
use super::json::{self, Broken};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray, StringArray, StringViewArray,
    TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::error::{DataFusionError, Result};
use lakeql_eval::Value;
use std::cell::RefCell;
use std::sync::Arc;

/// An argument: one value for each row, or one for all of them.
#[derive(Clone, Debug)]
pub(super) struct Argument {
    pub(super) array: ArrayRef,
    /// The array has one row that stands for all.
    pub(super) single: bool,
}

impl Argument {
    fn at(single: bool, row: usize) -> usize {
        if single { 0 } else { row }
    }

    /// The array as one of this type. Only encodings are looked through: types are never converted.
    fn cast(&self, wanted: &DataType) -> Result<ArrayRef> {
        let found = self.array.data_type();
        if found == wanted {
            return Ok(Arc::clone(&self.array));
        }
        let inner = match found {
            DataType::Dictionary(_, values) => values,
            other => other,
        };
        let fits = match wanted {
            DataType::Utf8View => inner.is_string(),
            DataType::Timestamp(..) => matches!(inner, DataType::Timestamp(..)),
            DataType::List(_) => matches!(
                inner,
                DataType::List(_) | DataType::LargeList(_) | DataType::ListView(_) | DataType::LargeListView(_)
            ),
            wanted => inner == wanted,
        };
        if !fits && !inner.is_null() {
            return Err(DataFusionError::Internal(format!(
                "a program is given a column of type {found}, not {wanted}"
            )));
        }
        Ok(cast(&self.array, wanted)?)
    }
}

macro_rules! primitive_column {
    ($(#[$doc:meta])* $name:ident, $array:ty, $native:ty, $data_type:expr, $downcast:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $name {
            array: $array,
            single: bool,
        }

        impl $name {
            pub(super) fn new(argument: &Argument) -> Result<Self> {
                let array = argument.cast(&$data_type)?;
                let downcast: fn(&ArrayRef) -> $array = $downcast;
                Ok(Self { array: downcast(&array), single: argument.single })
            }

            pub(super) fn get(&self, row: usize) -> Option<$native> {
                let row = Argument::at(self.single, row);
                self.array.is_valid(row).then(|| self.array.value(row))
            }
        }
    };
}

primitive_column!(
    /// Integers.
    Ints,
    Int64Array,
    i64,
    DataType::Int64,
    |array| array.as_primitive::<Int64Type>().clone()
);
primitive_column!(
    /// Floats.
    Floats,
    Float64Array,
    f64,
    DataType::Float64,
    |array| array.as_primitive::<Float64Type>().clone()
);
primitive_column!(
    /// Booleans.
    Bools,
    BooleanArray,
    bool,
    DataType::Boolean,
    |array| array.as_boolean().clone()
);
primitive_column!(
    /// Points in time, microseconds since 1970.
    Times,
    TimestampMicrosecondArray,
    i64,
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    |array| array.as_primitive::<TimestampMicrosecondType>().clone()
);

#[derive(Debug)]
enum TextArray {
    Plain(StringArray),
    View(StringViewArray),
}

/// Texts.
#[derive(Debug)]
pub(super) struct Texts {
    array: TextArray,
    single: bool,
    /// The last value: equal ones often follow each other and need not be copied again.
    last: RefCell<Option<Arc<str>>>,
}

impl Texts {
    pub(super) fn new(argument: &Argument) -> Result<Self> {
        let array = match argument.array.data_type() {
            DataType::Utf8 => TextArray::Plain(argument.array.as_string::<i32>().clone()),
            _ => TextArray::View(argument.cast(&DataType::Utf8View)?.as_string_view().clone()),
        };
        Ok(Self { array, single: argument.single, last: RefCell::new(None) })
    }

    pub(super) fn get(&self, row: usize) -> Option<&str> {
        let row = Argument::at(self.single, row);
        match &self.array {
            TextArray::Plain(array) => array.is_valid(row).then(|| array.value(row)),
            TextArray::View(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }

    pub(super) fn value(&self, row: usize) -> Option<Value> {
        let text = self.get(row)?;
        let mut last = self.last.borrow_mut();
        match &*last {
            Some(known) if **known == *text => Some(Value::Str(known.clone())),
            _ => {
                let shared: Arc<str> = text.into();
                *last = Some(shared.clone());
                Some(Value::Str(shared))
            }
        }
    }
}

/// Lists of texts.
#[derive(Debug)]
pub(super) struct TextLists {
    lists: Lists,
    texts: Texts,
    /// The elements of the last row: asked again, another list has the same ones.
    last: RefCell<Option<(usize, Vec<Value>)>>,
}

impl TextLists {
    pub(super) fn new(argument: &Argument) -> Result<Self> {
        let lists = Lists::new(argument)?;
        let texts = Texts::new(&Argument { array: Arc::clone(lists.array.values()), single: false })?;
        Ok(Self { lists, texts, last: RefCell::new(None) })
    }

    pub(super) fn value(&self, row: usize) -> Option<Value> {
        let mut last = self.last.borrow_mut();
        if let Some((known, items)) = &*last
            && *known == row
        {
            return Some(Value::list(items.clone()));
        }
        let items = self.lists.range(row)?.map(|item| self.texts.get(item).map_or(Value::None, Value::text));
        let items: Vec<_> = items.collect();
        *last = Some((row, items.clone()));
        Some(Value::list(items))
    }
}

/// Lists of anything.
#[derive(Debug)]
pub(super) struct Lists {
    pub(super) array: ListArray,
    single: bool,
}

impl Lists {
    pub(super) fn new(argument: &Argument) -> Result<Self> {
        let wanted = match argument.array.data_type() {
            list @ DataType::List(_) => list.clone(),
            DataType::LargeList(item) | DataType::ListView(item) | DataType::LargeListView(item) => {
                DataType::List(Arc::clone(item))
            }
            _ => DataType::List(Arc::new(Field::new("item", DataType::Utf8View, true))),
        };
        Ok(Self { array: argument.cast(&wanted)?.as_list::<i32>().clone(), single: argument.single })
    }

    /// Where the elements of a row's list lie among the elements of all.
    pub(super) fn range(&self, row: usize) -> Option<std::ops::Range<usize>> {
        let row = Argument::at(self.single, row);
        if !self.array.is_valid(row) {
            return None;
        }
        let end = |offset: usize| self.array.value_offsets().get(offset).and_then(|&at| usize::try_from(at).ok());
        Some(end(row)?..end(row + 1)?)
    }
}

/// The lists of a parameter, of whichever type.
#[derive(Debug, Default)]
pub(super) struct ListValues {
    ints: Option<(Lists, Ints)>,
    floats: Option<(Lists, Floats)>,
    texts: Option<TextLists>,
    json: Option<Texts>,
    /// The list of the last row, for expressions that ask for it again.
    last: RefCell<Option<(usize, Value)>>,
}

impl ListValues {
    pub(super) fn set(&mut self, column: ListColumn, argument: &Argument) -> Result<()> {
        let elements = |lists: &Lists| Argument { array: Arc::clone(lists.array.values()), single: false };
        match column {
            ListColumn::Ints => {
                let lists = Lists::new(argument)?;
                let values = Ints::new(&elements(&lists))?;
                self.ints = Some((lists, values));
            }
            ListColumn::Floats => {
                let lists = Lists::new(argument)?;
                let values = Floats::new(&elements(&lists))?;
                self.floats = Some((lists, values));
            }
            ListColumn::Texts => self.texts = Some(TextLists::new(argument)?),
            ListColumn::Json => self.json = Some(Texts::new(argument)?),
        }
        Ok(())
    }

    /// The list of a row that has one.
    pub(super) fn value(&self, row: usize) -> std::result::Result<Value, Broken> {
        let mut last = self.last.borrow_mut();
        if let Some((known, list)) = &*last
            && *known == row
        {
            return Ok(list.clone());
        }
        let list = self.read(row)?;
        *last = Some((row, list.clone()));
        Ok(list)
    }

    fn read(&self, row: usize) -> std::result::Result<Value, Broken> {
        if let Some((lists, values)) = &self.ints
            && let Some(range) = lists.range(row)
        {
            return Ok(Value::list(range.map(|at| values.get(at).map_or(Value::None, Value::Int)).collect()));
        }
        if let Some((lists, values)) = &self.floats
            && let Some(range) = lists.range(row)
        {
            return Ok(Value::list(range.map(|at| values.get(at).map_or(Value::None, Value::Float)).collect()));
        }
        if let Some(list) = self.texts.as_ref().and_then(|texts| texts.value(row)) {
            return Ok(list);
        }
        match self.json.as_ref().and_then(|json| json.get(row)) {
            Some(text) => json::parse(text),
            None => Ok(Value::list(vec![])),
        }
    }
}

/// Stored summaries of a sequence, whatever they come from.
#[derive(Debug, Default)]
pub(super) struct Summaries {
    floats: [Option<Floats>; 4],
    ints: [Option<Ints>; 4],
    counts: [Option<Ints>; 4],
    dtype: Option<Texts>,
    last_json: Option<Texts>,
    kind: Option<Texts>,
}

const FLOATS: [&str; 4] = ["first", "last", "min", "max"];
const INTS: [&str; 4] = ["first_int", "last_int", "min_int", "max_int"];
const COUNTS: [&str; 4] = ["first_step", "last_step", "version", "record_max_length"];

fn position(names: &[&str], name: &str) -> Option<usize> {
    names.iter().position(|known| *known == name)
}

impl Summaries {
    /// Adds a column of the series table; whether it is a summary.
    pub(super) fn set(&mut self, name: &str, argument: &Argument) -> Result<bool> {
        if let Some(slot) = position(&FLOATS, name).and_then(|at| self.floats.get_mut(at)) {
            *slot = Some(Floats::new(argument)?);
        } else if let Some(slot) = position(&INTS, name).and_then(|at| self.ints.get_mut(at)) {
            *slot = Some(Ints::new(argument)?);
        } else if let Some(slot) = position(&COUNTS, name).and_then(|at| self.counts.get_mut(at)) {
            *slot = Some(Ints::new(argument)?);
        } else {
            let slot = match name {
                "dtype" => &mut self.dtype,
                "last_json" => &mut self.last_json,
                "kind" => &mut self.kind,
                _ => return Ok(false),
            };
            *slot = Some(Texts::new(argument)?);
        }
        Ok(true)
    }

    /// Whether there are columns of this summary.
    pub(super) fn has(&self, field: &str) -> bool {
        let number = position(&FLOATS, field).is_some_and(|at| {
            self.floats.get(at).is_some_and(Option::is_some) || self.ints.get(at).is_some_and(Option::is_some)
        });
        let count = position(&COUNTS, field).and_then(|at| self.counts.get(at)).is_some_and(Option::is_some);
        number || count || (field == "dtype" && self.dtype.is_some())
    }

    /// A summary of the sequence in a row. `media`: the rows are known to be sequences of objects.
    pub(super) fn get(&self, field: &str, row: usize, media: bool) -> std::result::Result<Option<Value>, Broken> {
        if let Some(at) = position(&FLOATS, field) {
            let int = self.ints.get(at).and_then(Option::as_ref).and_then(|column| column.get(row));
            let float = || self.floats.get(at).and_then(Option::as_ref).and_then(|column| column.get(row));
            let number = int.map(Value::Int).or_else(|| float().map(Value::Float));
            return match (number, field) {
                (None, "last") => self.last_object(row, media),
                (number, _) => Ok(number),
            };
        }
        if let Some(at) = position(&COUNTS, field) {
            let count = self.counts.get(at).and_then(Option::as_ref).and_then(|column| column.get(row));
            return Ok(count.map(Value::Int));
        }
        Ok(match field {
            "dtype" => self.dtype.as_ref().and_then(|column| column.value(row)),
            _ => None,
        })
    }

    /// The last object of a media sequence: there is always one, though nothing may be known of it.
    fn last_object(&self, row: usize, media: bool) -> std::result::Result<Option<Value>, Broken> {
        let stored = self.last_json.as_ref().and_then(|column| column.get(row));
        let kind = self.kind.as_ref().and_then(|column| column.get(row));
        let media = media || stored.is_some() || kind.is_some_and(|kind| kind != "metric");
        let object = stored.map(json::parse).transpose()?;
        Ok(match object {
            Some(dict @ Value::Dict(_)) if dict.truthy() => Some(dict),
            _ => media.then_some(Value::Object("media")),
        })
    }
}
