//! `list_any_matches(list, regex)`: whether some text of a list has a match of a regular expression;
//! `list_any_not_matches(list, regex)`: whether some text has none; `list_all_match`: whether every text has one.
//!
//! The expression is a literal in the syntax of the crate `regex`, found anywhere in a text unless it has anchors. Null for
//! a null list.
//!
//! ```sql
//! select name from files where list_any_matches("detector.modules:texts", '^a[12]$')
//! ```

use super::super::arguments::{Argument, expect_count};
use super::{Quantifier, Test, answer, item_type, list_type};
use arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue, exec_datafusion_err, exec_err, plan_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use regex::{Regex, RegexBuilder};

/// Largest compiled expression in bytes.
const SIZE_LIMIT: usize = 16 << 20;

/// The functions `list_any_matches` and `list_any_not_matches`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ListAnyMatches {
    signature: Signature,
    found: bool,
    quantifier: Quantifier,
}

impl ListAnyMatches {
    /// `list_any_matches`
    pub fn found() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable), found: true, quantifier: Quantifier::Any }
    }

    /// `list_all_match`
    pub fn all() -> Self {
        Self { quantifier: Quantifier::All, ..Self::found() }
    }

    /// `list_any_not_matches`
    pub fn missed() -> Self {
        Self { found: false, ..Self::found() }
    }
}

impl ScalarUDFImpl for ListAnyMatches {
    fn name(&self) -> &'static str {
        match self.quantifier {
            Quantifier::All => "list_all_match",
            Quantifier::Any if self.found => "list_any_matches",
            Quantifier::Any => "list_any_not_matches",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        expect_count(self.name(), given, 2)?;
        let [list, _] = given else { return exec_err!("{} takes two arguments", self.name()) };
        let list = list_type(self.name(), list)?;
        match item_type(&list) {
            Some(DataType::Int64 | DataType::Float64) => plan_err!("{} takes a list of texts", self.name()),
            _ => Ok(vec![list, DataType::Utf8]),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [list, ColumnarValue::Scalar(ScalarValue::Utf8(Some(text)))] = args.args.as_slice() else {
            return exec_err!("{} takes a list and a literal expression", self.name());
        };
        let regex: Regex = RegexBuilder::new(text)
            .size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| exec_datafusion_err!("`{text}` is not a regular expression: {error}"))?;
        let found = self.found;
        let test = Test::texts(move |item| regex.is_match(item) == found);
        answer(&Argument::new(list)?, &test, self.quantifier)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ask, texts};
    use super::*;
    use datafusion_expr::ScalarUDF;

    #[test]
    fn some_element() {
        let (found, missed) = (ScalarUDF::from(ListAnyMatches::found()), ScalarUDF::from(ListAnyMatches::missed()));
        let regex = || vec![ScalarValue::from("^a")];
        assert_eq!(ask(&found, &texts(), regex()), [Some(true), None, Some(false)]);
        assert_eq!(ask(&missed, &texts(), regex()), [Some(true), None, Some(true)]);
    }
}
