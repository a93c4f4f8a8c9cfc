//! `is_in(value, list)`: whether a text, integer or float is one of those in a list.
//!
//! What `value in (…)` is for a few values, this is for thousands: the list is one literal, not an expression for each of
//! its elements, and becomes a hash set once. Null where the value is null; a null in the list is nothing. Floats are the
//! same by their bits, so the two zeros differ.
//!
//! ```sql
//! select hash from runs where is_in(experiment, ['baseline', 'ablation'])
//! ```

use super::arguments::{Argument, Texts, expect_count, finish, text_type};
use super::distinct_texts::test_texts;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type};
use datafusion_common::{Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// The function `is_in`.
#[derive(Debug)]
pub struct IsIn {
    signature: Signature,
    /// The set that was made last, with its list: batches come one after the other with the same one.
    last: Mutex<Option<(Arc<ListArray>, Arc<Set>)>>,
}

#[derive(Debug)]
enum Set {
    Texts(HashSet<Box<str>>),
    Ints(HashSet<i64>),
    Floats(HashSet<u64>),
}

impl IsIn {
    /// The function.
    #[expect(clippy::new_without_default, reason = "functions are made by name only")]
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable), last: Mutex::new(None) }
    }

    fn set(&self, list: &Arc<ListArray>) -> Result<Arc<Set>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, set)) = &*last
            && Arc::ptr_eq(known, list)
        {
            return Ok(Arc::clone(set));
        }
        let values: ArrayRef = list.value(0);
        let set = match values.data_type() {
            DataType::Int64 => Set::Ints(values.as_primitive::<Int64Type>().iter().flatten().collect()),
            DataType::Float64 => {
                Set::Floats(values.as_primitive::<Float64Type>().iter().flatten().map(f64::to_bits).collect())
            }
            _ => {
                let texts = Texts::new(&values)?;
                Set::Texts((0..values.len()).filter_map(|row| texts.get(row)).map(Into::into).collect())
            }
        };
        let set = Arc::new(set);
        *last = Some((Arc::clone(list), Arc::clone(&set)));
        Ok(set)
    }
}

// The set that was made last is no part of what the function is.
impl PartialEq for IsIn {
    fn eq(&self, other: &Self) -> bool {
        self.signature == other.signature
    }
}

impl Eq for IsIn {}

impl Hash for IsIn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.signature.hash(state);
    }
}

impl ScalarUDFImpl for IsIn {
    fn name(&self) -> &'static str {
        "is_in"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        expect_count(self.name(), given, 2)?;
        let [value, DataType::List(item) | DataType::LargeList(item)] = given else {
            return plan_err!("is_in takes a value and a list");
        };
        let (value, element) = match value {
            DataType::Int64 | DataType::Float64 => (value.clone(), value.clone()),
            value if value.is_integer() => (DataType::Int64, DataType::Int64),
            value if value.is_floating() => (DataType::Float64, DataType::Float64),
            value => {
                let element = if item.data_type().is_null() { DataType::Utf8View } else { item.data_type().clone() };
                (text_type(self.name(), value)?, text_type(self.name(), &element)?)
            }
        };
        Ok(vec![value, DataType::List(Arc::new(Field::new_list_field(element, true)))])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value, ColumnarValue::Scalar(ScalarValue::List(list))] = args.args.as_slice() else {
            return exec_err!("the list of is_in has to be a literal");
        };
        let value = Argument::new(value)?;
        let array = value.array();
        if list.is_empty() || list.is_null(0) {
            return finish(Arc::new(BooleanArray::new_null(array.len())), value.is_literal());
        }
        let found = match (&*self.set(list)?, array.data_type()) {
            (Set::Ints(set), DataType::Int64) => {
                let ints = array.as_primitive::<Int64Type>();
                BooleanArray::new(ints.values().iter().map(|int| set.contains(int)).collect(), ints.nulls().cloned())
            }
            (Set::Floats(set), DataType::Float64) => {
                let floats = array.as_primitive::<Float64Type>();
                let found = floats.values().iter().map(|float| set.contains(&float.to_bits()));
                BooleanArray::new(found.collect(), floats.nulls().cloned())
            }
            (Set::Texts(set), _) => test_texts(array, |text| set.contains(text))?,
            (_, other) => return exec_err!("is_in cannot look for {other} in this list"),
        };
        finish(Arc::new(found), value.is_literal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::arguments::testing::call;
    use arrow::array::{Float64Array, Int64Array, StringViewArray};
    use datafusion_expr::ScalarUDF;

    fn list(values: ArrayRef) -> ColumnarValue {
        let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
        let offsets = arrow::buffer::OffsetBuffer::from_lengths([values.len()]);
        ColumnarValue::Scalar(ScalarValue::List(Arc::new(ListArray::new(field, offsets, values, None))))
    }

    fn found(values: ArrayRef, among: ArrayRef) -> Vec<Option<bool>> {
        let rows = values.len();
        let found = call(&ScalarUDF::from(IsIn::new()), vec![ColumnarValue::Array(values), list(among)], rows).unwrap();
        found.as_boolean().iter().collect()
    }

    #[test]
    fn values_are_looked_up() {
        let texts = StringViewArray::from(vec![Some("a"), Some("b"), None]);
        let among = StringViewArray::from(vec![Some("b"), None, Some("c")]);
        assert_eq!(found(Arc::new(texts), Arc::new(among)), [Some(false), Some(true), None]);
        let ints = Int64Array::from(vec![Some(1), Some(2), None]);
        assert_eq!(found(Arc::new(ints), Arc::new(Int64Array::from(vec![2]))), [Some(false), Some(true), None]);
        let floats = Float64Array::from(vec![0.5, 0.0]);
        assert_eq!(found(Arc::new(floats), Arc::new(Float64Array::from(vec![0.5, -0.0]))), [Some(true), Some(false)]);
    }

    #[test]
    fn only_literal_lists() {
        let value = ColumnarValue::Scalar(ScalarValue::Int64(Some(1)));
        let list = ScalarValue::new_list_nullable(&[ScalarValue::Int64(Some(1))], &DataType::Int64);
        let column = ColumnarValue::Array(list as ArrayRef);
        assert!(call(&ScalarUDF::from(IsIn::new()), vec![value, column], 1).is_err());
    }
}
