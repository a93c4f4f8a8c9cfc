//! `has_any(list, values)`: whether a list has one of these values. Null where the list is null; a null in either is equal
//! to nothing.
//!
//! ```sql
//! select has_any(['a', 'b'], ['b', 'c'])
//! ```

use super::arguments::expect_count;
use arrow::array::{Array, AsArray, BooleanArray, BooleanBufferBuilder, Scalar};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::cmp::eq;
use arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use std::sync::Arc;

/// The function `has_any`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct HasAny {
    signature: Signature,
}

impl HasAny {
    /// The function.
    #[expect(clippy::new_without_default, reason = "functions are made by name only")]
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for HasAny {
    fn name(&self) -> &'static str {
        "has_any"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        expect_count(self.name(), given, 2)?;
        match given {
            [DataType::List(items), _] => {
                let list = DataType::List(Arc::clone(items));
                Ok(vec![list.clone(), list])
            }
            [other, ..] => plan_err!("has_any takes a list, not {other}"),
            [] => plan_err!("has_any takes a list"),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [lists, ColumnarValue::Scalar(ScalarValue::List(wanted))] = args.args.as_slice() else {
            return exec_err!("has_any takes a list and a list of constants");
        };
        let is_literal = matches!(lists, ColumnarValue::Scalar(_));
        let lists = lists.to_array(args.number_rows)?;
        let lists = lists.as_list::<i32>();
        let items = lists.values();
        let mut found = BooleanBuffer::new_unset(items.len());
        let wanted = wanted.values();
        for index in (0..wanted.len()).filter(|index| wanted.is_valid(*index)) {
            let hits = eq(items, &Scalar::new(wanted.slice(index, 1)))?;
            let hits = match hits.nulls() {
                Some(nulls) => hits.values() & nulls.inner(),
                None => hits.values().clone(),
            };
            found = &found | &hits;
        }
        let mut any = BooleanBufferBuilder::new(lists.len());
        for bounds in lists.value_offsets().windows(2) {
            let range = bounds.iter().map(|at| usize::try_from(*at).unwrap_or_default()).collect::<Vec<_>>();
            any.append(match range.as_slice() {
                [start, end] => (*start..*end).any(|at| found.value(at)),
                _ => false,
            });
        }
        let any = BooleanArray::new(any.finish(), lists.nulls().cloned());
        if is_literal {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&any, 0)?));
        }
        Ok(ColumnarValue::Array(Arc::new(any)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ListBuilder, StringBuilder};
    use arrow::datatypes::Field;
    use datafusion_common::config::ConfigOptions;

    #[test]
    fn missing_and_empty_lists() {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for list in
            [Some(vec![Some("a"), None]), Some(vec![]), None, Some(vec![None]), Some(vec![Some("c"), Some("b")])]
        {
            match list {
                Some(items) => lists.append_value(items),
                None => lists.append_null(),
            }
        }
        let lists: Arc<dyn Array> = Arc::new(lists.finish());
        let text = |text: &str| ScalarValue::Utf8(Some(text.to_owned()));
        let wanted = ScalarValue::new_list_nullable(&[text("a"), text("b"), ScalarValue::Utf8(None)], &DataType::Utf8);
        let args = ScalarFunctionArgs {
            args: vec![ColumnarValue::Array(Arc::clone(&lists)), ColumnarValue::Scalar(ScalarValue::List(wanted))],
            arg_fields: vec![],
            number_rows: lists.len(),
            return_field: Arc::new(Field::new("any", DataType::Boolean, true)),
            config_options: Arc::new(ConfigOptions::default()),
        };
        let found = HasAny::new().invoke_with_args(args).unwrap().to_array(lists.len()).unwrap();
        let found: Vec<_> = found.as_boolean().iter().collect();
        assert_eq!(found, [Some(true), Some(false), None, Some(false), Some(true)]);
    }
}
