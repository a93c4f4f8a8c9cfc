//! `size_bytes(text)`: the number of bytes that a size such as `20MB` stands for.
//!
//! A number, perhaps with a fraction, and a unit in any case, perhaps with a blank between: `K`, `KB`, `KiB` are 1024
//! bytes, likewise `M`, `G`, `T` and `P`; `B` or nothing are bytes. A fraction of a byte is cut off. Null stays null;
//! any other text, a negative number and a size beyond 64 bits are errors: a mistyped size would otherwise select nothing
//! without a word.
//!
//! ```sql
//! select hash from runs where "data.bytes:int" > size_bytes('1.5GB')
//! ```

use super::arguments::{Argument, Texts, expect_count, finish, text_type};
use arrow::array::{Array, Int64Builder};
use arrow::datatypes::DataType;
use datafusion_common::{Result, exec_datafusion_err, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use std::sync::Arc;

/// The function `size_bytes`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SizeBytes {
    signature: Signature,
}

impl SizeBytes {
    /// The function.
    #[expect(clippy::new_without_default, reason = "functions are made by name only")]
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for SizeBytes {
    fn name(&self) -> &'static str {
        "size_bytes"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        expect_count(self.name(), given, 1)?;
        given.iter().map(|given| text_type(self.name(), given)).collect()
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [text] = args.args.as_slice() else { return exec_err!("size_bytes needs one text") };
        let text = Argument::new(text)?;
        let texts = Texts::new(text.array())?;
        let mut sizes = Int64Builder::with_capacity(text.array().len());
        for row in 0..text.array().len() {
            let size = texts.get(row).map(|text| {
                parse(text).ok_or_else(|| exec_datafusion_err!("`{text}` is not a size such as 512, 20MB or 1.5 GiB"))
            });
            sizes.append_option(size.transpose()?);
        }
        finish(Arc::new(sizes.finish()), text.is_literal())
    }
}

/// The bytes of a size, or nothing if the text is none.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    let unit = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(unit)?;
    let unit = unit.trim_start();
    let shift = match unit.as_bytes() {
        [] | [b'b' | b'B'] => 0,
        [unit] | [unit, b'b' | b'B'] | [unit, b'i' | b'I', b'b' | b'B'] => match unit.to_ascii_lowercase() {
            b'k' => 10,
            b'm' => 20,
            b'g' => 30,
            b't' => 40,
            b'p' => 50,
            _ => return None,
        },
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let whole = i64::try_from(u128::from(whole) << shift).ok()?;
    // Integers all the way: 1.1 KB is 1126 bytes, whatever floats make of it.
    let digits = fraction.get(..fraction.len().min(18))?;
    let part: u128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let part = (part << shift) / 10_u128.pow(u32::try_from(digits.len()).ok()?);
    whole.checked_add(i64::try_from(part).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::arguments::testing::call;
    use arrow::array::{AsArray, StringArray};
    use arrow::datatypes::Int64Type;
    use datafusion_expr::ScalarUDF;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("0", 0),
            ("512", 512),
            ("7B", 7),
            ("1k", 1024),
            ("20MB", 20 * 1024 * 1024),
            (" 1.5 GiB ", 3 << 29),
            ("2t", 2 << 40),
            ("1.1kb", 1126),
            (".5k", 512),
            ("3.", 3),
            ("9223372036854775807", i64::MAX),
        ] {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
        for text in
            ["", "MB", "-1", "1.2.3", "1e3", "1 M B", "5x", "5kbb", "9223372036854775808", "8192P", ".", "1 . 5"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn columns_of_sizes() {
        let column = |texts: Vec<Option<&str>>| vec![ColumnarValue::Array(Arc::new(StringArray::from(texts)))];
        let function = ScalarUDF::from(SizeBytes::new());
        let sizes = call(&function, column(vec![Some("1K"), None]), 2).unwrap();
        assert_eq!(sizes.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [Some(1024), None]);
        let error = call(&function, column(vec![Some("many")]), 1).unwrap_err();
        assert!(error.to_string().contains("`many` is not a size"), "{error}");
    }
}
