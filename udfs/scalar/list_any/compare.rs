//! `list_any_compare(list, operator, value)`: whether some element of a list (or value of a map) compares so with a value;
//! `list_all_compare`: whether every one does.
//!
//! Operators are `=`, `!=`, `<`, `<=`, `>` and `>=`; texts compare by code points. Operator and value have to be literals.
//! Null for a null list.
//!
//! ```sql
//! select name from files where list_any_compare("core.runs:ints", '>=', 11001)
//! ```

use super::super::arguments::{Argument, expect_count};
use super::{Quantifier, Test, answer, item_type, list_type};
use arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// The function `list_any_compare`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ListAnyCompare {
    signature: Signature,
    quantifier: Quantifier,
}

impl ListAnyCompare {
    /// `list_any_compare`
    #[expect(clippy::new_without_default, reason = "functions are made by name only")]
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable), quantifier: Quantifier::Any }
    }

    /// `list_all_compare`
    pub fn all() -> Self {
        Self { quantifier: Quantifier::All, ..Self::new() }
    }
}

impl ScalarUDFImpl for ListAnyCompare {
    fn name(&self) -> &'static str {
        match self.quantifier {
            Quantifier::Any => "list_any_compare",
            Quantifier::All => "list_all_compare",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        expect_count(self.name(), given, 3)?;
        let [list, ..] = given else { return exec_err!("{} takes three arguments", self.name()) };
        let list = list_type(self.name(), list)?;
        let item = item_type(&list).cloned().unwrap_or(DataType::Null);
        Ok(vec![list, DataType::Utf8, item])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [list, ColumnarValue::Scalar(ScalarValue::Utf8(Some(operator))), ColumnarValue::Scalar(value)] =
            args.args.as_slice()
        else {
            return exec_err!("{} takes a list, a literal operator and a literal value", self.name());
        };
        let test = match value {
            ScalarValue::Int64(Some(value)) => ints(operator, *value),
            ScalarValue::Float64(Some(value)) => floats(operator, *value),
            ScalarValue::Utf8(Some(value))
            | ScalarValue::Utf8View(Some(value))
            | ScalarValue::LargeUtf8(Some(value)) => texts(operator, value),
            other => return exec_err!("{} cannot compare with {other}", self.name()),
        };
        let Some(test) = test else { return exec_err!("`{operator}` is no comparison") };
        answer(&Argument::new(list)?, &test, self.quantifier)
    }
}

// One loop for each operator, with the operator inside it.
macro_rules! comparison {
    ($name:ident, $of:ident, $item:ty) => {
        fn $name(operator: &str, value: $item) -> Option<Test<'_>> {
            Some(match operator {
                "=" => Test::$of(move |item| item == value),
                "!=" => Test::$of(move |item| item != value),
                "<" => Test::$of(move |item| item < value),
                "<=" => Test::$of(move |item| item <= value),
                ">" => Test::$of(move |item| item > value),
                ">=" => Test::$of(move |item| item >= value),
                _ => return None,
            })
        }
    };
}

comparison!(ints, ints, i64);
comparison!(floats, floats, f64);

fn texts<'a>(operator: &str, value: &'a str) -> Option<Test<'a>> {
    Some(match operator {
        "=" => Test::texts(move |item| item == value),
        "!=" => Test::texts(move |item| item != value),
        "<" => Test::texts(move |item| item < value),
        "<=" => Test::texts(move |item| item <= value),
        ">" => Test::texts(move |item| item > value),
        ">=" => Test::texts(move |item| item >= value),
        _ => return None,
    })
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
