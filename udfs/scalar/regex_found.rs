//! `regex_found(text, regex)`: whether a text contains a match of a regular expression.
//!
//! The expression is in the syntax of the crate `regex`, matched over the bytes of UTF-8, and found anywhere unless it has
//! anchors. It is compiled once for a literal, and run once for each distinct text of a dictionary. Null where an argument
//! is null; a malformed expression is an error.
//!
//! ```sql
//! select path from raw.paths where regex_found(path, '^hparams\.(lr|wd)$')
//! ```

use super::arguments::{Argument, Texts, expect_count, finish, text_type};
use super::distinct_texts::test_texts;
use super::needles::Needles;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;
use datafusion_common::{Result, exec_datafusion_err, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use regex::bytes::{Regex, RegexBuilder};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// Largest compiled expression in bytes.
const SIZE_LIMIT: usize = 16 << 20;

/// The function `regex_found`.
#[derive(Debug)]
pub struct RegexFound {
    signature: Signature,
    /// The expression that was compiled last: batches come one after the other with the same one.
    last: Mutex<Option<(String, Regex)>>,
}

impl RegexFound {
    /// The function.
    #[expect(clippy::new_without_default, reason = "functions are made by name only")]
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable), last: Mutex::new(None) }
    }

    fn compiled(&self, text: &str) -> Result<Regex> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, regex)) = &*last
            && known == text
        {
            return Ok(regex.clone());
        }
        let regex = RegexBuilder::new(text)
            .size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| exec_datafusion_err!("`{text}` is not a regular expression: {error}"))?;
        *last = Some((text.to_owned(), regex.clone()));
        Ok(regex)
    }
}

// What was compiled last is no part of what the function is.
impl PartialEq for RegexFound {
    fn eq(&self, other: &Self) -> bool {
        self.signature == other.signature
    }
}

impl Eq for RegexFound {}

impl Hash for RegexFound {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.signature.hash(state);
    }
}

impl ScalarUDFImpl for RegexFound {
    fn name(&self) -> &'static str {
        "regex_found"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        expect_count(self.name(), given, 2)?;
        given.iter().map(|given| text_type(self.name(), given)).collect()
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let args = args.args.iter().map(Argument::new).collect::<Result<Vec<_>>>()?;
        let [text, regex] = args.as_slice() else { return exec_err!("regex_found takes a text and an expression") };
        let expressions = Texts::new(regex.array())?;
        if regex.is_literal() {
            let found = match expressions.get(0) {
                Some(expression) => {
                    let regex = self.compiled(expression)?;
                    match ruled_out(text.array(), expression) {
                        Some(possible) => {
                            let texts = Texts::new(text.array())?;
                            let found = BooleanBuffer::collect_bool(possible.len(), |row| {
                                possible.value(row)
                                    && texts.get(row).is_some_and(|text| regex.is_match(text.as_bytes()))
                            });
                            BooleanArray::new(found, text.array().nulls().cloned())
                        }
                        None => test_texts(text.array(), |text| regex.is_match(text.as_bytes()))?,
                    }
                }
                None => BooleanArray::new_null(text.array().len()),
            };
            return finish(Arc::new(found), text.is_literal());
        }
        let texts = Texts::new(text.array())?;
        let mut found = BooleanBuilder::with_capacity(regex.array().len());
        for row in 0..regex.array().len() {
            let pair = texts.get(text.index(row)).zip(expressions.get(row));
            let test = |(text, expression): (&str, &str)| -> Result<bool> {
                Ok(self.compiled(expression)?.is_match(text.as_bytes()))
            };
            found.append_option(pair.map(test).transpose()?);
        }
        finish(Arc::new(found.finish()), false)
    }
}

/// For many long texts, which of them can have a match at all.
fn ruled_out(texts: &ArrayRef, expression: &str) -> Option<BooleanBuffer> {
    const MANY: usize = 4_096;
    let texts = texts.as_string_view_opt().filter(|texts| texts.len() >= MANY)?;
    Needles::new(expression)?.possible(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::arguments::testing::call;
    use arrow::array::{StringArray, StringViewArray};
    use datafusion_common::ScalarValue;
    use datafusion_expr::ScalarUDF;

    fn found(texts: ColumnarValue, regex: ColumnarValue, rows: usize) -> Result<Vec<Option<bool>>> {
        let found = call(&ScalarUDF::from(RegexFound::new()), vec![texts, regex], rows)?;
        Ok(found.as_boolean().iter().collect())
    }

    #[test]
    fn matches_are_found_anywhere() {
        let texts = || ColumnarValue::Array(Arc::new(StringViewArray::from(vec![Some("vgg16"), Some("a.b"), None])));
        let literal = |text: &str| ColumnarValue::Scalar(ScalarValue::Utf8(Some(text.into())));
        assert_eq!(found(texts(), literal("g+1"), 3).unwrap(), [Some(true), Some(false), None]);
        assert_eq!(found(texts(), literal(""), 3).unwrap(), [Some(true), Some(true), None]);
        assert_eq!(found(texts(), ColumnarValue::Scalar(ScalarValue::Utf8(None)), 3).unwrap(), [None; 3]);
        let error = found(texts(), literal("("), 3).unwrap_err();
        assert!(error.to_string().contains("not a regular expression"), "{error}");
    }

    #[test]
    fn an_expression_for_each_row() {
        let texts = ColumnarValue::Scalar(ScalarValue::Utf8(Some("ab".into())));
        let expressions = StringArray::from(vec![Some("^a$"), Some("b$"), None]);
        let found = found(texts, ColumnarValue::Array(Arc::new(expressions)), 3).unwrap();
        assert_eq!(found, [Some(false), Some(true), None]);
    }
}
