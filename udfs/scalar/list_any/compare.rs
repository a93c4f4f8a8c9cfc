//! `list_any_compare(list, operator, value)`: whether some element of a list compares so with a value.
//!
//! Operators are `=`, `!=`, `<`, `<=`, `>` and `>=`; texts compare by code points. Operator and value have to be literals.
//! Null for a null list.
//!
//! ```sql
//! select name from files where list_any_compare("core.runs:ints", '>=', 11001)
//! ```

use super::super::arguments::{Argument, expect_count};
use super::{Test, answer, item_type, list_type};
use arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use std::cmp::Ordering;

/// The function `list_any_compare`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ListAnyCompare {
    signature: Signature,
}

impl ListAnyCompare {
    /// The function.
    #[expect(clippy::new_without_default, reason = "functions are made by name only")]
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for ListAnyCompare {
    fn name(&self) -> &'static str {
        "list_any_compare"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        expect_count(self.name(), given, 3)?;
        let [list, ..] = given else { return exec_err!("list_any_compare takes three arguments") };
        let list = list_type(self.name(), list)?;
        let item = item_type(&list);
        Ok(vec![list, DataType::Utf8, item])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [list, ColumnarValue::Scalar(ScalarValue::Utf8(Some(operator))), ColumnarValue::Scalar(value)] =
            args.args.as_slice()
        else {
            return exec_err!("list_any_compare takes a list, a literal operator and a literal value");
        };
        let holds: fn(Ordering) -> bool = match operator.as_str() {
            "=" => Ordering::is_eq,
            "!=" => Ordering::is_ne,
            "<" => Ordering::is_lt,
            "<=" => Ordering::is_le,
            ">" => Ordering::is_gt,
            ">=" => Ordering::is_ge,
            other => return exec_err!("`{other}` is no comparison"),
        };
        let test = match value {
            ScalarValue::Int64(Some(value)) => Test::Int(Box::new(move |item| holds(item.cmp(value)))),
            ScalarValue::Float64(Some(value)) => {
                Test::Float(Box::new(move |item| item.partial_cmp(value).is_some_and(holds)))
            }
            ScalarValue::Utf8(Some(value))
            | ScalarValue::Utf8View(Some(value))
            | ScalarValue::LargeUtf8(Some(value)) => Test::Text(Box::new(move |item| holds(item.cmp(value)))),
            other => return exec_err!("list_any_compare cannot compare with {other}"),
        };
        answer(&Argument::new(list)?, &test)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ask, floats, ints, texts};
    use super::*;
    use datafusion_expr::ScalarUDF;

    #[test]
    fn some_element() {
        let function = ScalarUDF::from(ListAnyCompare::new());
        let op = |text: &str| ScalarValue::from(text);
        let found = ask(&function, &ints(), vec![op(">"), ScalarValue::from(1_i64)]);
        assert_eq!(found, [Some(true), None, Some(false), Some(true), Some(false)]);
        let found = ask(&function, &ints(), vec![op("!="), ScalarValue::from(-3_i64)]);
        assert_eq!(found, [Some(true), None, Some(false), Some(true), Some(false)]);
        assert_eq!(ask(&function, &floats(), vec![op("="), ScalarValue::from(2.0)]), [Some(true), None]);
        let found = ask(&function, &texts(), vec![op("<="), ScalarValue::from("a1")]);
        assert_eq!(found, [Some(true), None, Some(true)]);
        assert_eq!(
            ask(&function, &ints().slice(3, 2), vec![op("<"), ScalarValue::from(0_i64)]),
            [Some(false), Some(true)]
        );
    }
}
