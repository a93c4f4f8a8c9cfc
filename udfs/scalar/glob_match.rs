//! `glob_match(text, pattern)`: whether a whole text matches a pattern.
//!
//! `*` stands for any number of characters, `?` for one, everything else for itself; case counts. Null where an argument
//! is null.
//!
//! ```sql
//! select path, count from raw.paths where glob_match(path, 'hparams.*.lr')
//! ```

use super::arguments::{Argument, Texts, expect_count, finish, text_type};
use arrow::array::{Array, BooleanBuilder};
use arrow::datatypes::DataType;
use datafusion_common::{Result, exec_err};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use std::sync::Arc;

/// The function `glob_match`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct GlobMatch {
    signature: Signature,
}

impl GlobMatch {
    /// The function.
    #[expect(clippy::new_without_default, reason = "functions are made by name only")]
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for GlobMatch {
    fn name(&self) -> &'static str {
        "glob_match"
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
        let [text, pattern] = args.as_slice() else { return exec_err!("glob_match needs a text and a pattern") };
        let (texts, patterns) = (Texts::new(text.array())?, Texts::new(pattern.array())?);
        let rows = args.iter().find(|arg| !arg.is_literal()).map_or(1, |arg| arg.array().len());
        let mut matches = BooleanBuilder::with_capacity(rows);
        for row in 0..rows {
            let pair = texts.get(text.index(row)).zip(patterns.get(pattern.index(row)));
            matches.append_option(pair.map(|(text, pattern)| is_match(text, pattern)));
        }
        finish(Arc::new(matches.finish()), args.iter().all(Argument::is_literal))
    }
}

/// Whether the whole text matches the pattern.
///
/// A `*` first takes nothing; when the rest does not fit, the last `*` takes one character more. Earlier ones never have
/// to be tried again, so the work is bounded by the product of both lengths.
pub fn is_match(text: &str, pattern: &str) -> bool {
    let (mut text, mut pattern) = (text.chars(), pattern.chars());
    let mut last_star: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let (rest, rest_pattern) = (text.clone(), pattern.clone());
        match (pattern.next(), text.next()) {
            (Some('*'), _) => {
                text = rest;
                last_star = Some((text.clone(), pattern.clone()));
            }
            (Some('?'), Some(_)) => {}
            (Some(expected), Some(found)) if expected == found => {}
            (None, None) => return true,
            (_, None) => return rest_pattern.as_str().chars().all(|c| c == '*'),
            (_, Some(_)) => {
                let Some((from, after)) = &mut last_star else { return false };
                from.next();
                (text, pattern) = (from.clone(), after.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::arguments::testing::call;
    use arrow::array::{AsArray, StringArray};
    use datafusion_common::ScalarValue;
    use datafusion_expr::ScalarUDF;

    #[test]
    fn patterns_match_whole_texts() {
        for (text, pattern) in [
            ("", ""),
            ("", "*"),
            ("hparams.lr", "hparams.*"),
            ("hparams.optim.lr", "*.lr"),
            ("abcbd", "a*b?"),
            ("größe", "gr??e"),
            ("aaab", "*a*b"),
            ("a*b", "a*b"),
            ("[x]", "[x]"),
        ] {
            assert!(is_match(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in
            [("", "?"), ("a", ""), ("hparams", "hparams.*"), ("abc", "a?"), ("LR", "lr"), ("ab", "*a")]
        {
            assert!(!is_match(text, pattern), "{text} {pattern}");
        }
        // Would take ages with one try per split.
        assert!(!is_match(&"a".repeat(5_000), &format!("{}b", "a*".repeat(20))));
    }

    #[test]
    fn columns_against_one_pattern() {
        let texts = ColumnarValue::Array(Arc::new(StringArray::from(vec![Some("ab"), None, Some("b")])));
        let pattern = ColumnarValue::Scalar(ScalarValue::Utf8View(Some("a*".into())));
        let found = call(&ScalarUDF::from(GlobMatch::new()), vec![texts, pattern], 3).unwrap();
        assert_eq!(found.as_boolean().iter().collect::<Vec<_>>(), [Some(true), None, Some(false)]);
    }
}
