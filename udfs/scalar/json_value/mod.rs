//! `json_value(json, key…)` and `json_text(json, key…)`: what lies in a JSON text at a path.
//!
//! A text key is a member of an object, an integer an element of a list: from 0, or from the end when negative.
//! `json_value` gives the value as JSON text exactly as it stands there; `json_text` gives a text without quotes and
//! escapes, and null for JSON's null. Without keys the whole document is the value. Null where the path leads nowhere and
//! where an argument is null; a text that is not JSON is an error.
//!
//! ```sql
//! select json_value(params, 'hparams', 'layers', 0), json_text(params, 'hparams', 'optimizer', 'name') from runs
//! ```

use super::arguments::{Argument, Texts, finish, text_type};
use arrow::array::{Array, AsArray, StringBuilder};
use arrow::datatypes::{DataType, Int64Type};
use datafusion_common::{Result, exec_datafusion_err, exec_err, plan_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use serde_json::value::RawValue;
use std::sync::Arc;

mod seek;

use seek::{Key, seek};

/// The functions `json_value` and `json_text`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct JsonValue {
    signature: Signature,
    bare: bool,
}

impl JsonValue {
    /// `json_value`: JSON text.
    pub fn json() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable), bare: false }
    }

    /// `json_text`: texts without quotes.
    pub fn text() -> Self {
        Self { bare: true, ..Self::json() }
    }

    fn append(&self, value: &RawValue, values: &mut StringBuilder) -> Result<()> {
        let text = value.get();
        if !self.bare {
            values.append_value(text);
        } else if text == "null" {
            values.append_null();
        } else if !text.starts_with('"') {
            values.append_value(text);
        } else if let Ok(inner) = serde_json::from_str::<&str>(text) {
            values.append_value(inner);
        } else {
            // Only texts with escapes have to be built.
            let inner: String = serde_json::from_str(text).map_err(|error| exec_datafusion_err!("{error}"))?;
            values.append_value(inner);
        }
        Ok(())
    }
}

impl ScalarUDFImpl for JsonValue {
    fn name(&self) -> &str {
        if self.bare { "json_text" } else { "json_value" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let Some((json, keys)) = given.split_first() else {
            return plan_err!("{} takes a JSON text and the keys of a path", self.name());
        };
        let key = |given: &DataType| {
            if given.is_integer() { Ok(DataType::Int64) } else { text_type("a path in JSON", given) }
        };
        std::iter::once(text_type(self.name(), json)).chain(keys.iter().map(key)).collect()
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let args = args.args.iter().map(Argument::new).collect::<Result<Vec<_>>>()?;
        let Some((json, keys)) = args.split_first() else {
            return exec_err!("{} needs a JSON text", self.name());
        };
        let rows = args.iter().find(|arg| !arg.is_literal()).map_or(1, |arg| arg.array().len());
        let texts = Texts::new(json.array())?;
        let keys = keys.iter().map(|key| Ok((key, Keys::new(key)?))).collect::<Result<Vec<_>>>()?;
        let mut values = StringBuilder::new();
        let mut path = Vec::with_capacity(keys.len());
        for row in 0..rows {
            path.clear();
            path.extend(keys.iter().map_while(|(key, values)| values.get(key.index(row))));
            let text = texts.get(json.index(row)).filter(|_| path.len() == keys.len());
            let Some(text) = text else {
                values.append_null();
                continue;
            };
            match seek(text, &path).map_err(|error| exec_datafusion_err!("{}: {error}", not_json(text)))? {
                Some(value) => self.append(value, &mut values)?,
                None => values.append_null(),
            }
        }
        finish(Arc::new(values.finish()), args.iter().all(Argument::is_literal))
    }
}

/// The beginning of a text that is not JSON.
fn not_json(text: &str) -> String {
    let start: String = text.chars().take(20).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("`{start}{more}` is not JSON")
}

/// A column of keys.
enum Keys<'a> {
    Text(Texts<'a>),
    Int(&'a arrow::array::Int64Array),
}

impl<'a> Keys<'a> {
    fn new(key: &'a Argument) -> Result<Self> {
        match key.array().data_type() {
            DataType::Int64 => Ok(Self::Int(key.array().as_primitive::<Int64Type>())),
            _ => Ok(Self::Text(Texts::new(key.array())?)),
        }
    }

    fn get(&self, index: usize) -> Option<Key<'a>> {
        match self {
            Self::Text(texts) => texts.get(index).map(Key::Text),
            Self::Int(array) => array.is_valid(index).then(|| Key::Int(array.value(index))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::arguments::testing::call;
    use arrow::array::{ArrayRef, Int64Array, StringArray, StringViewArray};
    use datafusion_common::ScalarValue;
    use datafusion_expr::ScalarUDF;

    fn ask(function: JsonValue, json: &[Option<&str>], keys: Vec<ColumnarValue>) -> Result<Vec<Option<String>>> {
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter(json.iter().copied()));
        let args = std::iter::once(ColumnarValue::Array(texts)).chain(keys).collect();
        let array = call(&ScalarUDF::from(function), args, json.len())?;
        Ok(array.as_string::<i32>().iter().map(|it| it.map(str::to_owned)).collect())
    }

    fn key(text: &str) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::Utf8(Some(text.into())))
    }

    fn at(index: i32) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::Int32(Some(index)))
    }

    #[test]
    fn values_are_found_along_paths() {
        let json = [
            Some(r#"{"a": {"b": [1, 2.0, {"c": "x\ny"}]}, "z": 1}"#),
            Some(r#"{"z": {"b": 1}, "a": {"b": [null]}}"#),
            Some(r#"{"a": 5}"#),
            None,
            Some("[]"),
        ];
        let found = |function, keys| ask(function, &json, keys).unwrap();
        assert_eq!(
            found(JsonValue::json(), vec![key("a"), key("b"), at(0)]),
            [Some("1".to_owned()), Some("null".into()), None, None, None]
        );
        assert_eq!(
            found(JsonValue::text(), vec![key("a"), key("b"), at(0)]),
            [Some("1".to_owned()), None, None, None, None]
        );
        assert_eq!(found(JsonValue::json(), vec![key("a"), key("b"), at(-2)])[0].as_deref(), Some("2.0"));
        assert_eq!(found(JsonValue::json(), vec![key("a"), key("b"), at(3)])[0], None);
        let deep = || vec![key("a"), key("b"), at(-1), key("c")];
        assert_eq!(found(JsonValue::json(), deep())[0].as_deref(), Some(r#""x\ny""#));
        assert_eq!(found(JsonValue::text(), deep())[0].as_deref(), Some("x\ny"));
        assert_eq!(found(JsonValue::json(), vec![])[4].as_deref(), Some("[]"));
        assert_eq!(
            found(JsonValue::json(), vec![ColumnarValue::Scalar(ScalarValue::Null)]),
            [const { None::<String> }; 5]
        );
    }

    #[test]
    fn keys_may_be_columns_and_have_escapes() {
        let keys = ColumnarValue::Array(Arc::new(StringArray::from(vec![Some("a\"b"), Some("c"), None])));
        let json = [Some(r#"{"a\"b": 1}"#), Some(r#"{"c": 2}"#), Some("{}")];
        assert_eq!(ask(JsonValue::json(), &json, vec![keys]).unwrap(), [Some("1".to_owned()), Some("2".into()), None]);
        let indexes = ColumnarValue::Array(Arc::new(Int64Array::from(vec![0, 1, -1])));
        let lists = [Some("[7, 8]"); 3];
        let found = ask(JsonValue::json(), &lists, vec![indexes]).unwrap();
        assert_eq!(found, ["7", "8", "8"].map(|it| Some(it.to_owned())));
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        let error = ask(JsonValue::json(), &[Some("{a: 1}")], vec![key("a")]).unwrap_err();
        assert!(error.to_string().contains("`{a: 1}` is not JSON"), "{error}");
        let error = ask(JsonValue::json(), &[Some("{}")], vec![ColumnarValue::Scalar(ScalarValue::Boolean(None))]);
        assert!(error.unwrap_err().to_string().contains("takes a text"));
    }
}
