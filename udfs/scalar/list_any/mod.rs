//! Whether some element of a list, or every one, passes a test: one test, one file.
//!
//! The test is made once for all elements of a batch, then the answers are gathered by the offsets of the lists. The
//! elements of a map are its values. Null lists give null; null elements pass no test; every element of an empty list
//! passes.

pub mod between;
pub mod compare;
pub mod matches;
pub mod within;

#[cfg(test)]
mod properties;

use super::arguments::{Argument, Texts, finish};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion_common::{Result, exec_err, plan_err};
use datafusion_expr::ColumnarValue;
use std::sync::Arc;

/// How many elements have to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Quantifier {
    /// At least one.
    Any,
    /// Every one.
    All,
}

/// The layout in which lists are taken: of 64-bit numbers or texts.
fn list_type(function: &str, given: &DataType) -> Result<DataType> {
    match item_type(given) {
        Some(DataType::Int64 | DataType::Float64 | DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8) => {
            Ok(given.clone())
        }
        Some(other) => plan_err!("{function} takes a list or map of 64-bit numbers or texts, not of {other}"),
        None => plan_err!("{function} takes a list or a map, not {given}"),
    }
}

/// The type of the elements of a list, or of the values of a map.
fn item_type(list: &DataType) -> Option<&DataType> {
    match list {
        DataType::List(item) => Some(item.data_type()),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => fields.get(1).map(|field| field.data_type()),
            _ => None,
        },
        _ => None,
    }
}

/// Which of the elements pass.
type Tested<'a, T> = Box<dyn Fn(&[T]) -> BooleanBuffer + 'a>;

/// A test of all elements of one type.
enum Test<'a> {
    Int(Tested<'a, i64>),
    Float(Tested<'a, f64>),
    Text(Box<dyn Fn(&str) -> bool + 'a>),
}

impl<'a> Test<'a> {
    fn ints(test: impl Fn(i64) -> bool + 'a) -> Self {
        Test::Int(Box::new(move |items| {
            BooleanBuffer::collect_bool(items.len(), |at| items.get(at).is_some_and(|item| test(*item)))
        }))
    }

    fn floats(test: impl Fn(f64) -> bool + 'a) -> Self {
        Test::Float(Box::new(move |items| {
            BooleanBuffer::collect_bool(items.len(), |at| items.get(at).is_some_and(|item| test(*item)))
        }))
    }

    fn texts(test: impl Fn(&str) -> bool + 'a) -> Self {
        Test::Text(Box::new(test))
    }
}

/// The elements of lists or maps, where each begins, and which are null.
struct Lists {
    items: ArrayRef,
    offsets: Vec<usize>,
    nulls: Option<NullBuffer>,
}

impl Lists {
    fn new(array: &ArrayRef) -> Result<Self> {
        let (items, offsets) = match array.data_type() {
            DataType::List(_) => {
                let lists = array.as_list::<i32>();
                (Arc::clone(lists.values()), lists.value_offsets())
            }
            DataType::Map(..) => {
                let maps = array.as_map();
                (Arc::clone(maps.values()), maps.value_offsets())
            }
            other => return exec_err!("expected a list or a map, not {other}"),
        };
        // A slice of lists has the elements of all.
        let first = offsets.first().map_or(0, |offset| *offset as usize);
        let last = offsets.last().map_or(first, |offset| *offset as usize);
        let items = items.slice(first, last.saturating_sub(first));
        let offsets = offsets.iter().map(|offset| (*offset as usize).saturating_sub(first)).collect();
        Ok(Self { items, offsets, nulls: array.nulls().cloned() })
    }

    /// One answer for each list.
    fn gather(&self, passes: &BooleanBuffer, quantifier: Quantifier) -> BooleanArray {
        let mut found = BooleanBufferBuilder::new(self.offsets.len().saturating_sub(1));
        for range in self.offsets.windows(2) {
            let (start, end) = match range {
                [start, end] => (*start, *end),
                _ => (0, 0),
            };
            found.append(match quantifier {
                Quantifier::Any => (start..end).any(|at| passes.value(at)),
                Quantifier::All => (start..end).all(|at| passes.value(at)),
            });
        }
        BooleanArray::new(found.finish(), self.nulls.clone())
    }
}

/// Tests all elements and gathers the answers.
fn answer(list: &Argument, test: &Test<'_>, quantifier: Quantifier) -> Result<ColumnarValue> {
    let lists = Lists::new(list.array())?;
    let items = &lists.items;
    let valid = |passes: BooleanBuffer| match items.nulls() {
        Some(nulls) => &passes & nulls.inner(),
        None => passes,
    };
    let passes = match (items.data_type(), test) {
        (DataType::Int64, Test::Int(test)) => valid(test(items.as_primitive::<Int64Type>().values())),
        (DataType::Float64, Test::Float(test)) => valid(test(items.as_primitive::<Float64Type>().values())),
        (_, Test::Text(test)) => {
            let texts = Texts::new(items.as_ref())?;
            BooleanBuffer::collect_bool(items.len(), |at| texts.get(at).is_some_and(test))
        }
        (other, _) => return exec_err!("a test does not fit elements of type {other}"),
    };
    finish(Arc::new(lists.gather(&passes, quantifier)), list.is_literal())
}

#[cfg(test)]
pub(crate) mod testing {
    use crate::scalar::arguments::testing::call;
    use arrow::array::{ArrayRef, AsArray, Float64Builder, Int64Builder, ListBuilder, StringBuilder};
    use datafusion_common::ScalarValue;
    use datafusion_expr::{ColumnarValue, ScalarUDF};
    use std::sync::Arc;

    /// `[1, 2]`, null, `[]`, `[5, null]`, `[-3]`
    pub(crate) fn ints() -> ArrayRef {
        let mut lists = ListBuilder::new(Int64Builder::new());
        lists.append_value([Some(1), Some(2)]);
        lists.append_null();
        lists.append_value([]);
        lists.append_value([Some(5), None]);
        lists.append_value([Some(-3)]);
        Arc::new(lists.finish())
    }

    pub(crate) fn floats() -> ArrayRef {
        let mut lists = ListBuilder::new(Float64Builder::new());
        lists.append_value([Some(0.5), Some(2.0)]);
        lists.append_null();
        Arc::new(lists.finish())
    }

    pub(crate) fn texts() -> ArrayRef {
        let mut lists = ListBuilder::new(StringBuilder::new());
        lists.append_value([Some("a1"), Some("b")]);
        lists.append_null();
        lists.append_value([None, Some("")]);
        Arc::new(lists.finish())
    }

    pub(crate) fn ask(function: &ScalarUDF, lists: &ArrayRef, rest: Vec<ScalarValue>) -> Vec<Option<bool>> {
        let args = std::iter::once(ColumnarValue::Array(Arc::clone(lists)));
        let args = args.chain(rest.into_iter().map(ColumnarValue::Scalar)).collect();
        call(function, args, lists.len()).unwrap().as_boolean().iter().collect()
    }
}
