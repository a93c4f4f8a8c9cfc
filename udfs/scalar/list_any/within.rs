//! `list_any_in(list, values)`: whether some element of a list is among other values; `list_any_not_in(list, values)`:
//! whether some element is not; `list_all_in`: whether every element is.
//!
//! The values have to be a literal list of the same type. Null for a null list.
//!
//! ```sql
//! select name from files where list_any_in("core.runs:ints", [11001, 12010])
//! ```

use super::super::arguments::{Argument, Texts, expect_count};
use super::{Quantifier, Test, answer, item_type, list_type};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type};
use datafusion_common::{Result, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use std::collections::HashSet;
use std::sync::Arc;

/// The functions `list_any_in` and `list_any_not_in`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ListAnyIn {
    signature: Signature,
    inside: bool,
    quantifier: Quantifier,
}

impl ListAnyIn {
    /// `list_any_in`
    pub fn inside() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable), inside: true, quantifier: Quantifier::Any }
    }

    /// `list_all_in`
    pub fn all() -> Self {
        Self { quantifier: Quantifier::All, ..Self::inside() }
    }

    /// `list_any_not_in`
    pub fn outside() -> Self {
        Self { inside: false, ..Self::inside() }
    }
}

impl ScalarUDFImpl for ListAnyIn {
    fn name(&self) -> &'static str {
        match self.quantifier {
            Quantifier::All => "list_all_in",
            Quantifier::Any if self.inside => "list_any_in",
            Quantifier::Any => "list_any_not_in",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        expect_count(self.name(), given, 2)?;
        let [list, _] = given else { return exec_err!("{} takes two arguments", self.name()) };
        let list = list_type(self.name(), list)?;
        let item = item_type(&list).cloned().unwrap_or(DataType::Null);
        let values = match list {
            DataType::List(_) => list.clone(),
            _ => DataType::List(Arc::new(Field::new_list_field(item, true))),
        };
        Ok(vec![list, values])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [list, ColumnarValue::Scalar(values)] = args.args.as_slice() else {
            return exec_err!("{} takes a list and a literal list", self.name());
        };
        let values = values.to_array()?;
        let values = values.as_list::<i32>().value(0);
        let inside = self.inside;
        let list = Argument::new(list)?;
        match values.data_type() {
            DataType::Int64 => {
                let set: HashSet<i64> = values.as_primitive::<Int64Type>().iter().flatten().collect();
                answer(&list, &Test::ints(move |item| set.contains(&item) == inside), self.quantifier)
            }
            DataType::Float64 => {
                // The two zeros are one value.
                let bits = |value: f64| (if value == 0.0 { 0.0 } else { value }).to_bits();
                let set: HashSet<u64> = values.as_primitive::<Float64Type>().iter().flatten().map(bits).collect();
                answer(&list, &Test::floats(move |item| set.contains(&bits(item)) == inside), self.quantifier)
            }
            _ => {
                let texts = Texts::new(values.as_ref())?;
                let set: HashSet<&str> = (0..values.len()).filter_map(|at| texts.get(at)).collect();
                answer(&list, &Test::texts(|item| set.contains(item) == inside), self.quantifier)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ask, ints, texts};
    use super::*;
    use datafusion_common::ScalarValue;
    use datafusion_expr::ScalarUDF;

    #[test]
    fn some_element() {
        let (inside, outside) = (ScalarUDF::from(ListAnyIn::inside()), ScalarUDF::from(ListAnyIn::outside()));
        let numbers = || {
            let values = [ScalarValue::from(2_i64), ScalarValue::from(-3_i64)];
            vec![ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Int64))]
        };
        assert_eq!(ask(&inside, &ints(), numbers()), [Some(true), None, Some(false), Some(false), Some(true)]);
        assert_eq!(ask(&outside, &ints(), numbers()), [Some(true), None, Some(false), Some(true), Some(false)]);
        let values = ScalarValue::List(ScalarValue::new_list_nullable(&[ScalarValue::from("")], &DataType::Utf8));
        assert_eq!(ask(&inside, &texts(), vec![values]), [Some(false), None, Some(true)]);
    }
}
