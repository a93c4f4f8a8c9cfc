//! `json_list(list)`: the JSON text of a list of numbers, texts or booleans.
//!
//! Floats that JSON has no number for become texts: `"nan"`, `"inf"`, `"-inf"`. Whole floats keep their point (`1.0`).
//!
//! ```sql
//! select json_list(tags) from runs
//! ```

use super::arguments::{Argument, Texts, expect_count, finish};
use arrow::array::{Array, AsArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type};
use datafusion_common::{Result, exec_err, plan_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use std::fmt::Write;
use std::sync::Arc;

/// The function `json_list`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct JsonList {
    signature: Signature,
}

impl JsonList {
    /// The function.
    #[expect(clippy::new_without_default, reason = "functions are made by name only")]
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for JsonList {
    fn name(&self) -> &'static str {
        "json_list"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        expect_count(self.name(), given, 1)?;
        let (DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)) = &given[0] else {
            return match &given[0] {
                DataType::Null => Ok(vec![DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)))]),
                other => plan_err!("json_list takes a list, not {other}"),
            };
        };
        let item = match item.data_type() {
            it if it.is_integer() => DataType::Int64,
            it if it.is_floating() => DataType::Float64,
            DataType::Null => DataType::Int64,
            it @ (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Boolean) => it.clone(),
            other => return plan_err!("json_list takes a list of numbers, texts or booleans, not of {other}"),
        };
        Ok(vec![DataType::List(Arc::new(Field::new_list_field(item, true)))])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [list] = args.args.as_slice() else { return exec_err!("json_list needs one list") };
        let list = Argument::new(list)?;
        let lists = list.array().as_list::<i32>();
        let items = lists.values();
        let write: WriteItem<'_> = match items.data_type() {
            DataType::Int64 => {
                let items = items.as_primitive::<Int64Type>();
                Box::new(|json, at| write!(json, "{}", items.value(at)))
            }
            DataType::Float64 => {
                let items = items.as_primitive::<Float64Type>();
                Box::new(|json, at| write_float(json, items.value(at)))
            }
            DataType::Boolean => {
                let items = items.as_boolean();
                Box::new(|json, at| write!(json, "{}", items.value(at)))
            }
            _ => {
                let items = Texts::new(items)?;
                Box::new(move |json, at| write_text(json, items.get(at).unwrap_or_default()))
            }
        };
        let mut json = StringBuilder::new();
        for row in 0..lists.len() {
            if lists.is_null(row) {
                json.append_null();
                continue;
            }
            let (start, end) = (lists.value_offsets()[row] as usize, lists.value_offsets()[row + 1] as usize);
            // Writing into a builder cannot fail.
            let _ = json.write_char('[');
            for at in start..end {
                if at > start {
                    let _ = json.write_char(',');
                }
                let _ = if items.is_null(at) { json.write_str("null") } else { write(&mut json, at) };
            }
            let _ = json.write_char(']');
            json.append_value("");
        }
        finish(Arc::new(json.finish()), list.is_literal())
    }
}

/// Appends the item at a place.
type WriteItem<'a> = Box<dyn Fn(&mut StringBuilder, usize) -> std::fmt::Result + 'a>;

fn write_float(json: &mut StringBuilder, value: f64) -> std::fmt::Result {
    if value.is_finite() {
        // The shortest text that reads back as the same number.
        write!(json, "{value:?}")
    } else if value.is_nan() {
        json.write_str("\"nan\"")
    } else {
        json.write_str(if value > 0.0 { "\"inf\"" } else { "\"-inf\"" })
    }
}

fn write_text(json: &mut StringBuilder, text: &str) -> std::fmt::Result {
    json.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => json.write_str("\\\"")?,
            '\\' => json.write_str("\\\\")?,
            '\n' => json.write_str("\\n")?,
            '\r' => json.write_str("\\r")?,
            '\t' => json.write_str("\\t")?,
            c if c < ' ' => write!(json, "\\u{:04x}", u32::from(c))?,
            c => json.write_char(c)?,
        }
    }
    json.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::arguments::testing::call;
    use arrow::array::{ArrayRef, BooleanBuilder, Float64Builder, Int32Builder, ListBuilder};
    use datafusion_expr::ScalarUDF;

    fn ask(lists: ArrayRef) -> Vec<Option<String>> {
        let rows = lists.len();
        let array = call(&ScalarUDF::from(JsonList::new()), vec![ColumnarValue::Array(lists)], rows).unwrap();
        array.as_string::<i32>().iter().map(|it| it.map(str::to_owned)).collect()
    }

    #[test]
    fn lists_become_json() {
        let mut ints = ListBuilder::new(Int32Builder::new());
        ints.append_value([Some(1), None, Some(-3)]);
        ints.append_null();
        ints.append_value([]);
        let expected = [Some("[1,null,-3]".to_owned()), None, Some("[]".into())];
        let ints: ArrayRef = Arc::new(ints.finish());
        assert_eq!(ask(ints.clone()), expected);
        assert_eq!(ask(ints.slice(1, 2)), expected[1..]);

        let mut floats = ListBuilder::new(Float64Builder::new());
        floats.append_value([1.0, -0.0, 1e-7, f64::NAN, f64::NEG_INFINITY].map(Some));
        assert_eq!(ask(Arc::new(floats.finish())), [Some(r#"[1.0,-0.0,1e-7,"nan","-inf"]"#.to_owned())]);

        let mut texts = ListBuilder::new(StringBuilder::new());
        texts.append_value(["a\"\\\n", "\u{1}ü", ""].map(Some));
        let json = ask(Arc::new(texts.finish())).remove(0).unwrap();
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), ["a\"\\\n", "\u{1}ü", ""]);

        let mut flags = ListBuilder::new(BooleanBuilder::new());
        flags.append_value([Some(true), Some(false)]);
        assert_eq!(ask(Arc::new(flags.finish())), [Some("[true,false]".to_owned())]);
    }
}
