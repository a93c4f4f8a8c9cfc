//! The module `string`.

use super::Builtin;
use crate::Raised;
use crate::methods;
use crate::program::Args;
use crate::value::Value;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const SPACE: &str = " \t\n\r\u{b}\u{c}";

/// An attribute of the module.
pub(super) fn attribute(name: &str) -> Result<Value, Raised> {
    Ok(match name {
        "ascii_letters" => Value::text([LOWER, UPPER].concat()),
        "ascii_lowercase" => Value::text(LOWER),
        "ascii_uppercase" => Value::text(UPPER),
        "digits" => Value::text(DIGITS),
        "hexdigits" => Value::text("0123456789abcdefABCDEF"),
        "octdigits" => Value::text("01234567"),
        "punctuation" => Value::text(PUNCTUATION),
        "printable" => Value::text([DIGITS, LOWER, UPPER, PUNCTUATION, SPACE].concat()),
        "whitespace" => Value::text(SPACE),
        "capwords" => Value::Builtin(&CAPWORDS),
        "Formatter" => return Err(Raised::unsupported("string.Formatter")),
        "Template" => Value::Object("Template"),
        _ => Value::None,
    })
}

const CAPWORDS: Builtin = Builtin::new("string.capwords", |eval, args| {
    let [text, separator] = args.bind("capwords", ["s", "sep"], 1)?;
    let (text, separator) = (text.cloned().unwrap_or(Value::None), separator.cloned());
    let text = text.unwrapped().clone();
    let words = methods::call(eval, &text, "split", Args::new(separator.clone().into_iter().collect()))?;
    let mut capitalized = vec![];
    for word in eval.collect(&words.unwrap_or(Value::None))? {
        capitalized.extend(methods::call(eval, &word, "capitalize", Args::default())?);
    }
    let joint = separator.filter(|separator| separator.truthy()).unwrap_or_else(|| Value::text(" "));
    let joined = methods::call(eval, &joint, "join", Args::new(vec![Value::list(capitalized)]))?;
    joined.ok_or_else(|| Raised::type_error("capwords() takes a text"))
});
