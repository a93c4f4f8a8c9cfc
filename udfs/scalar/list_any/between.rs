//! `list_any_between(list, low, high)`: whether some element of a list lies between two values, both included;
//! `list_any_not_between(list, low, high)`: whether some element does not; `list_all_between`: whether every one does.
//!
//! The values have to be literals. Null for a null list.
//!
//! ```sql
//! select name from files where list_any_between("core.events:ints", 100, 200)
//! ```

use super::super::arguments::{Argument, expect_count};
use super::{Quantifier, Test, answer, item_type, list_type};
use arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// The functions `list_any_between` and `list_any_not_between`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ListAnyBetween {
    signature: Signature,
    inside: bool,
    quantifier: Quantifier,
}

impl ListAnyBetween {
    /// `list_any_between`
    pub fn inside() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable), inside: true, quantifier: Quantifier::Any }
    }

    /// `list_all_between`
    pub fn all() -> Self {
        Self { quantifier: Quantifier::All, ..Self::inside() }
    }

    /// `list_any_not_between`
    pub fn outside() -> Self {
        Self { inside: false, ..Self::inside() }
    }
}

impl ScalarUDFImpl for ListAnyBetween {
    fn name(&self) -> &'static str {
        match self.quantifier {
            Quantifier::All => "list_all_between",
            Quantifier::Any if self.inside => "list_any_between",
            Quantifier::Any => "list_any_not_between",
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
        Ok(vec![list, item.clone(), item])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [list, ColumnarValue::Scalar(low), ColumnarValue::Scalar(high)] = args.args.as_slice() else {
            return exec_err!("{} takes a list and two literals", self.name());
        };
        let inside = self.inside;
        let test = match (low, high) {
            (ScalarValue::Int64(Some(low)), ScalarValue::Int64(Some(high))) => {
                let (low, high) = (*low, *high);
                Test::ints(move |item| (low <= item && item <= high) == inside)
            }
            (ScalarValue::Float64(Some(low)), ScalarValue::Float64(Some(high))) => {
                let (low, high) = (*low, *high);
                Test::floats(move |item| (low <= item && item <= high) == inside)
            }
            (low, high) => match (text(low), text(high)) {
                (Some(low), Some(high)) => Test::texts(move |item| (low <= item && item <= high) == inside),
                _ => return exec_err!("{} cannot compare with {low} and {high}", self.name()),
            },
        };
        answer(&Argument::new(list)?, &test, self.quantifier)
    }
}

fn text(value: &ScalarValue) -> Option<&str> {
    match value {
        ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text) => text.as_deref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ask, ints, texts};
    use super::*;
    use datafusion_expr::ScalarUDF;

    #[test]
    fn some_element() {
        let (inside, outside) = (ScalarUDF::from(ListAnyBetween::inside()), ScalarUDF::from(ListAnyBetween::outside()));
        let ends = || vec![ScalarValue::from(2_i64), ScalarValue::from(5_i64)];
        assert_eq!(ask(&inside, &ints(), ends()), [Some(true), None, Some(false), Some(true), Some(false)]);
        assert_eq!(ask(&outside, &ints(), ends()), [Some(true), None, Some(false), Some(false), Some(true)]);
        let ends = vec![ScalarValue::from("a"), ScalarValue::from("b")];
        assert_eq!(ask(&inside, &texts(), ends), [Some(true), None, Some(false)]);
    }
}
