//! Whether some element of a list passes a test: one test, one file.
//!
//! The test is made once for all elements of a batch, then the answers are gathered by the offsets of the lists. Null
//! lists give null; null elements pass no test.

pub mod between;
pub mod compare;
pub mod matches;
pub mod within;

use super::arguments::{Argument, Texts, finish};
use arrow::array::{Array, AsArray, BooleanArray, BooleanBufferBuilder, ListArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion_common::{Result, exec_err, plan_err};
use datafusion_expr::ColumnarValue;
use std::sync::Arc;

/// The layout in which lists are taken: 64-bit numbers or texts.
fn list_type(function: &str, given: &DataType) -> Result<DataType> {
    let item = match given {
        DataType::List(item) => item.data_type(),
        other => return plan_err!("{function} takes a list, not {other}"),
    };
    match item {
        DataType::Int64 | DataType::Float64 | DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => {
            Ok(given.clone())
        }
        other => plan_err!("{function} takes a list of 64-bit numbers or texts, not of {other}"),
    }
}

/// The type of the elements of a list.
fn item_type(list: &DataType) -> DataType {
    match list {
        DataType::List(item) => item.data_type().clone(),
        other => other.clone(),
    }
}

/// One answer for each list: whether any of its elements has one.
fn any(lists: &ListArray, passes: &BooleanBuffer) -> BooleanArray {
    let offsets = lists.value_offsets();
    let mut found = BooleanBufferBuilder::new(lists.len());
    for range in offsets.windows(2) {
        let (start, end) = match range {
            [start, end] => (*start as usize, *end as usize),
            _ => (0, 0),
        };
        found.append((start..end).any(|at| passes.value(at)));
    }
    BooleanArray::new(found.finish(), lists.nulls().cloned())
}

/// The elements of lists with a test on each, by their type.
enum Test<'a> {
    Int(Box<dyn Fn(i64) -> bool + 'a>),
    Float(Box<dyn Fn(f64) -> bool + 'a>),
    Text(Box<dyn Fn(&str) -> bool + 'a>),
}

/// Tests all elements and gathers the answers.
fn answer(list: &Argument, test: &Test<'_>) -> Result<ColumnarValue> {
    let lists = list.array().as_list::<i32>();
    let items = lists.values();
    let valid = |at: usize| items.is_valid(at);
    let passes = match (items.data_type(), test) {
        (DataType::Int64, Test::Int(test)) => {
            let values = items.as_primitive::<Int64Type>().values();
            BooleanBuffer::collect_bool(items.len(), |at| {
                test(values.get(at).copied().unwrap_or_default()) && valid(at)
            })
        }
        (DataType::Float64, Test::Float(test)) => {
            let values = items.as_primitive::<Float64Type>().values();
            BooleanBuffer::collect_bool(items.len(), |at| {
                test(values.get(at).copied().unwrap_or_default()) && valid(at)
            })
        }
        (_, Test::Text(test)) => {
            let texts = Texts::new(items.as_ref())?;
            BooleanBuffer::collect_bool(items.len(), |at| texts.get(at).is_some_and(test))
        }
        (other, _) => return exec_err!("a test does not fit elements of type {other}"),
    };
    finish(Arc::new(any(lists, &passes)), list.is_literal())
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
