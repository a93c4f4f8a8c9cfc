//! `contains_folded(text, piece)`: whether a text contains a piece, whatever the case of their letters.
//!
//! Letters are compared as their lower case, character by character (no language's rules, `ß` is not `ss`). Null where an
//! argument is null.
//!
//! ```sql
//! select hash from runs where contains_folded(name, 'baseline')
//! ```

use super::arguments::{Argument, Texts, expect_count, finish, text_type};
use super::distinct_texts::test_texts;
use arrow::array::{Array, BooleanArray, BooleanBuilder};
use arrow::datatypes::DataType;
use datafusion_common::{Result, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use std::borrow::Cow;
use std::sync::Arc;

/// The function `contains_folded`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ContainsFolded {
    signature: Signature,
}

impl ContainsFolded {
    /// The function.
    #[expect(clippy::new_without_default, reason = "functions are made by name only")]
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// The lower case of every character.
fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().flat_map(char::to_lowercase).collect())
}

impl ScalarUDFImpl for ContainsFolded {
    fn name(&self) -> &'static str {
        "contains_folded"
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
        let [text, piece] = args.as_slice() else { return exec_err!("contains_folded takes a text and a piece") };
        let pieces = Texts::new(piece.array())?;
        if piece.is_literal() {
            let found = match pieces.get(0) {
                Some(piece) => {
                    let piece = fold(piece);
                    test_texts(text.array(), |text| fold(text).contains(piece.as_ref()))?
                }
                None => BooleanArray::new_null(text.array().len()),
            };
            return finish(Arc::new(found), text.is_literal());
        }
        let texts = Texts::new(text.array())?;
        let mut found = BooleanBuilder::with_capacity(piece.array().len());
        for row in 0..piece.array().len() {
            let pair = texts.get(text.index(row)).zip(pieces.get(row));
            found.append_option(pair.map(|(text, piece)| fold(text).contains(fold(piece).as_ref())));
        }
        finish(Arc::new(found.finish()), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::arguments::testing::call;
    use arrow::array::{AsArray, StringViewArray};
    use datafusion_common::ScalarValue;
    use datafusion_expr::ScalarUDF;

    #[test]
    fn case_does_not_count() {
        let texts = StringViewArray::from(vec![Some("My Baseline"), Some("ŻÓŁW"), Some("Straße"), None]);
        let function = ScalarUDF::from(ContainsFolded::new());
        for (piece, expected) in [
            ("baseLINE", [Some(true), Some(false), Some(false), None]),
            ("żółw", [Some(false), Some(true), Some(false), None]),
            ("STRASSE", [Some(false), Some(false), Some(false), None]),
            ("", [Some(true), Some(true), Some(true), None]),
        ] {
            let piece = ColumnarValue::Scalar(ScalarValue::Utf8View(Some(piece.into())));
            let found = call(&function, vec![ColumnarValue::Array(Arc::new(texts.clone())), piece], 4).unwrap();
            assert_eq!(found.as_boolean().iter().collect::<Vec<_>>(), expected);
        }
    }
}
