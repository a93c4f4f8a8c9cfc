//! `json_any(json, question)`: whether some item of a JSON value passes a test.
//!
//! The question is a literal JSON text `[scope, test]`. The scope says which items a value has: `step` takes an element
//! (`{"Index": 0}`) or a member (`{"Member": "k"}`) first, `unwrap` is how many levels of lists are opened, with `values`
//! the items of a dictionary are its values. The test is one of `"Anything"`, `"IsList"`, `{"Compare": ["Lt", value]}` (with
//! `Eq`, `NotEq`, `Lt`, `LtEq`, `Gt`, `GtEq`), `{"Incomparable": value}`, `{"In": [value…]}`, `{"Between": [low, high]}`,
//! `{"Matches": regex}`, `{"Lacks": regex}` (a text without a match), `{"Like": pattern}`, `{"Length": test}`, and
//! `{"Not": test}`; a value is `"Null"`, `{"Bool": true}`, `{"Number": "1e25"}` or `{"Text": "…"}`. Numbers compare exactly as
//! decimals. Null for a null, and for a text that is no JSON.
//!
//! ```sql
//! select name from datasets
//! where json_any(metadata, '[{"step": {"Member": "ds.level"}, "unwrap": 1}, {"Compare": ["Gt", {"Number": "1"}]}]')
//! ```

pub mod decimal;
mod items;

use super::arguments::{Argument, Texts, expect_count, finish, text_type};
use arrow::array::{Array, BooleanBuilder};
use arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use items::Question;
use std::sync::Arc;

/// The function `json_any`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct JsonAny {
    signature: Signature,
}

impl JsonAny {
    /// The function.
    #[expect(clippy::new_without_default, reason = "functions are made by name only")]
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for JsonAny {
    fn name(&self) -> &'static str {
        "json_any"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        expect_count(self.name(), given, 2)?;
        let [json, _] = given else { return exec_err!("json_any takes two arguments") };
        Ok(vec![text_type(self.name(), json)?, DataType::Utf8])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [json, ColumnarValue::Scalar(ScalarValue::Utf8(Some(question)))] = args.args.as_slice() else {
            return exec_err!("json_any takes a JSON text and a literal question");
        };
        let question = match Question::new(question) {
            Ok(question) => question,
            Err(reason) => return exec_err!("the question of json_any cannot be read: {reason}"),
        };
        let json = Argument::new(json)?;
        let texts = Texts::new(json.array())?;
        let mut found = BooleanBuilder::with_capacity(json.array().len());
        for row in 0..json.array().len() {
            found.append_option(texts.get(row).and_then(|text| question.ask(text)));
        }
        finish(Arc::new(found.finish()), json.is_literal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::arguments::testing::call;
    use arrow::array::{AsArray, StringArray};
    use datafusion_expr::ScalarUDF;

    fn ask(json: &str, question: &str) -> Option<bool> {
        let args = vec![
            ColumnarValue::Array(Arc::new(StringArray::from(vec![json]))),
            ColumnarValue::Scalar(ScalarValue::from(question)),
        ];
        let array = call(&ScalarUDF::from(JsonAny::new()), args, 1).unwrap();
        let answer = array.as_boolean();
        answer.is_valid(0).then(|| answer.value(0))
    }

    #[test]
    fn items_are_found() {
        let eq5 = |scope: &str| format!(r#"[{scope}, {{"Compare": ["Eq", {{"Number": "5"}}]}}]"#);
        for (json, scope, expected) in [
            ("5.0", r#"{"unwrap":1}"#, true),
            ("\"5\"", r#"{"unwrap":1}"#, false),
            ("[4,5]", r#"{"unwrap":1}"#, true),
            ("[[5]]", r#"{"unwrap":1}"#, false),
            ("[[5]]", r#"{"unwrap":2}"#, true),
            (r#"{"a":5}"#, r#"{"unwrap":2}"#, false),
            (r#"{"a":[5]}"#, r#"{"unwrap":2,"values":true}"#, true),
            ("[4,[5]]", r#"{"step":{"Index":1},"unwrap":1}"#, true),
            ("5", r#"{"step":{"Index":0}}"#, true),
            (r#"[{"a":4},{"a":5}]"#, r#"{"step":{"Member":"a"}}"#, true),
            ("[]", r#"{"unwrap":1}"#, false),
        ] {
            assert_eq!(ask(json, &eq5(scope)), Some(expected), "{json} {scope}");
        }
        assert_eq!(ask("nonsense", &eq5("{}")), Some(false));
        assert_eq!(ask("[1", &eq5(r#"{"unwrap":1}"#)), None);
    }

    #[test]
    fn nulls_and_kinds() {
        let test = |json: &str, test: &str| ask(json, &format!(r#"[{{"unwrap":1}}, {test}]"#)).unwrap();
        assert!(test("null", r#"{"Compare":["NotEq",{"Number":"5"}]}"#));
        assert!(!test("null", r#"{"Compare":["LtEq",{"Number":"5"}]}"#));
        assert!(!test("null", r#"{"Incomparable":{"Number":"5"}}"#));
        assert!(test("{}", r#"{"Incomparable":{"Number":"5"}}"#));
        assert!(test("{}", r#"{"Compare":["NotEq","Null"]}"#));
        assert!(test("\"a_b\"", r#"{"Like":"a\\_b"}"#) && !test("\"axb\"", r#"{"Like":"a\\_b"}"#));
        assert!(test("5", r#"{"Not":{"Matches":"5"}}"#) && !test("5", r#"{"Lacks":"x"}"#));
    }
}
