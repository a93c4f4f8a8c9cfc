//! A pull reader over the JSON of one line.
//!
//! Written by hand for three reasons: a fault names the field it sits in, integers of any size keep their digits, and
//! the long number arrays of a series go straight into columns. Texts with escapes are left to `serde_json`.

use std::borrow::Cow;

use super::number::Number;
use crate::ingest::fault::{Fault, Read, shorten};

/// Objects and lists may be nested this deep. Training parameters are a handful of levels; the limit keeps hostile
/// input from exhausting the stack.
pub(crate) const MAX_DEPTH: usize = 200;

/// The JSON type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    Text,
    List,
    Object,
}

impl Kind {
    /// The type as it reads in a message.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool => "a boolean",
            Kind::Number => "a number",
            Kind::Text => "text",
            Kind::List => "a list",
            Kind::Object => "an object",
        }
    }
}

/// The fault for a value of the wrong type.
pub(crate) fn expected(what: &str, got: Kind) -> Box<Fault> {
    Fault::new(format!("expected {what}, got {}", got.noun()))
}

/// Reads one JSON text from left to right.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `text`.
    pub(crate) fn new(text: &'a str) -> Self {
        Reader { text, at: 0, depth: 0 }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn skip_blanks(&mut self) -> Option<u8> {
        loop {
            let byte = self.byte();
            match byte {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                _ => return byte,
            }
        }
    }

    fn slice(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// A fault of the notation itself, with the column where reading stopped.
    fn broken(&self, wanted: &str) -> Box<Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match rest.chars().next() {
            None => Fault::new(format!("the line ends too early: expected {wanted}")),
            Some(found) => {
                Fault::new(format!("not valid JSON at column {}: expected {wanted}, found {found:?}", self.at + 1))
            }
        }
    }

    /// The type of the next value, which is not consumed.
    #[inline]
    pub(crate) fn kind(&mut self) -> Read<Kind> {
        match self.skip_blanks() {
            Some(b'"') => Ok(Kind::Text),
            Some(b'-' | b'0'..=b'9') => {
                if self.text.get(self.at..).is_some_and(|rest| rest.starts_with("-Infinity")) {
                    return Err(self.bare_word());
                }
                Ok(Kind::Number)
            }
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::List),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            Some(b'N' | b'I') => Err(self.bare_word()),
            _ => Err(self.broken("a value")),
        }
    }

    /// Python writes NaN and infinities as bare words, which JSON does not know.
    fn bare_word(&self) -> Box<Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        for (word, written) in [("NaN", "nan"), ("Infinity", "inf"), ("-Infinity", "-inf")] {
            if rest.starts_with(word) {
                return Fault::new(format!("`{word}` is not JSON: write {{\"$float\": \"{written}\"}}"));
            }
        }
        self.broken("a value")
    }

    fn word(&mut self, word: &str) -> Read<()> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.broken("`true`, `false`, `null` or another value"))
        }
    }

    /// Consumes `null`; the caller has seen [`Kind::Null`].
    pub(crate) fn null(&mut self) -> Read<()> {
        self.word("null")
    }

    /// Consumes a boolean.
    pub(crate) fn boolean(&mut self) -> Read<bool> {
        match self.kind()? {
            Kind::Bool if self.byte() == Some(b't') => self.word("true").map(|()| true),
            Kind::Bool => self.word("false").map(|()| false),
            other => Err(expected("a boolean", other)),
        }
    }

    /// Consumes a number.
    #[inline]
    pub(crate) fn number(&mut self) -> Read<Number<'a>> {
        match self.kind()? {
            Kind::Number => {}
            other => return Err(expected("a number", other)),
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        match Number::scan(rest) {
            Some(number) => {
                self.at += number.raw.len();
                Ok(number)
            }
            None => Err(self.broken("a number")),
        }
    }

    /// Consumes a text. It is borrowed unless it contains escapes.
    pub(crate) fn text(&mut self) -> Read<Cow<'a, str>> {
        match self.kind()? {
            Kind::Text => {}
            other => return Err(expected("text", other)),
        }
        let quote = self.at;
        let mut escaped = false;
        self.at += 1;
        loop {
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(byte) if byte < 0x20 => return Err(self.broken("an escaped control character")),
                Some(_) => self.at += 1,
                None => {
                    self.at = self.text.len();
                    return Err(self.broken("the closing quote of a text"));
                }
            }
        }
        let inner = self.text.get(quote + 1..self.at).unwrap_or_default();
        self.at += 1;
        if !escaped {
            return Ok(Cow::Borrowed(inner));
        }
        match serde_json::from_str::<String>(self.slice(quote)) {
            Ok(text) => Ok(Cow::Owned(text)),
            Err(_) => Err(Fault::new(format!("not valid JSON at column {}: bad escape in a text", quote + 1))),
        }
    }

    fn enter(&mut self) -> Read<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }

    /// Consumes the opening brace of an object; members follow with [`Reader::next_key`].
    pub(crate) fn enter_object(&mut self) -> Read<()> {
        match self.kind()? {
            Kind::Object => self.enter(),
            other => Err(expected("an object", other)),
        }
    }

    /// The next key of the object entered last, its value to be read next; `None` after the closing brace.
    pub(crate) fn next_key(&mut self, first: bool) -> Read<Option<Cow<'a, str>>> {
        match self.skip_blanks() {
            Some(b'}') => {
                self.at += 1;
                self.depth -= 1;
                return Ok(None);
            }
            Some(b',') if !first => {
                self.at += 1;
                self.skip_blanks();
            }
            _ if first => {}
            _ => return Err(self.broken("`,` or `}`")),
        }
        if self.byte() != Some(b'"') {
            return Err(self.broken("a key in double quotes"));
        }
        let key = self.text()?;
        match self.skip_blanks() {
            Some(b':') => {
                self.at += 1;
                Ok(Some(key))
            }
            _ => Err(self.broken("`:` after a key").in_field(&key)),
        }
    }

    /// Reads an object, handing each key to `member`, which reads the value.
    pub(crate) fn object(&mut self, mut member: impl FnMut(&mut Self, Cow<'a, str>) -> Read<()>) -> Read<()> {
        self.enter_object()?;
        let mut first = true;
        while let Some(key) = self.next_key(first)? {
            first = false;
            // A key without escapes is borrowed, so this copies nothing.
            let name = key.clone();
            member(self, key).map_err(|fault| fault.in_field(&name))?;
        }
        Ok(())
    }

    /// Reads a list, calling `item` in front of each element.
    #[inline]
    pub(crate) fn list(&mut self, mut item: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        match self.kind()? {
            Kind::List => self.enter()?,
            other => return Err(expected("a list", other)),
        }
        if self.skip_blanks() == Some(b']') {
            self.at += 1;
            self.depth -= 1;
            return Ok(());
        }
        let mut index = 0;
        loop {
            item(self).map_err(|fault| fault.at_index(index))?;
            match self.skip_blanks() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    self.depth -= 1;
                    return Ok(());
                }
                _ => return Err(self.broken("`,` or `]`").at_index(index)),
            }
            index += 1;
        }
    }

    /// Skips the next value, checking its notation, and returns its text.
    pub(crate) fn raw(&mut self) -> Read<&'a str> {
        let kind = self.kind()?;
        let start = self.at;
        match kind {
            Kind::Null => self.null()?,
            Kind::Bool => self.boolean().map(drop)?,
            Kind::Number => self.number().map(drop)?,
            Kind::Text => self.text().map(drop)?,
            Kind::List => self.list(|reader| reader.raw().map(drop))?,
            Kind::Object => self.object(|reader, _| reader.raw().map(drop))?,
        }
        Ok(self.slice(start))
    }

    /// Nothing but blanks may follow.
    pub(crate) fn end(&mut self) -> Read<()> {
        match self.skip_blanks() {
            None => Ok(()),
            Some(_) => Err(self.broken("the end of the line")),
        }
    }

    /// The text of a `{"$float": …}` whose key has just been read.
    pub(crate) fn rest_of_float(&mut self) -> Read<f64> {
        let text = self.text().map_err(|fault| fault.in_field("$float"))?;
        let value = match text.as_ref() {
            "nan" => f64::NAN,
            "inf" => f64::INFINITY,
            "-inf" => f64::NEG_INFINITY,
            other => {
                return Err(Fault::new(format!(
                    "`$float` must be \"nan\", \"inf\" or \"-inf\", not {:?}",
                    shorten(other)
                )));
            }
        };
        match self.next_key(false)? {
            None => Ok(value),
            Some(_) => Err(Fault::new("`$float` must be the only key of its object")),
        }
    }

    /// Reads a float: a number, or NaN and the infinities as `{"$float": …}`.
    #[inline]
    pub(crate) fn float(&mut self) -> Read<f64> {
        match self.kind()? {
            Kind::Number => Ok(self.number()?.float()),
            Kind::Object => self.special_float(),
            other => Err(expected("a number", other)),
        }
    }

    fn special_float(&mut self) -> Read<f64> {
        self.enter_object()?;
        match self.next_key(true)?.as_deref() {
            Some("$float") => self.rest_of_float(),
            _ => Err(expected("a number", Kind::Object)),
        }
    }

    /// Reads a 64-bit integer.
    #[inline]
    pub(crate) fn integer(&mut self) -> Read<i64> {
        match self.kind()? {
            Kind::Number => {}
            other => return Err(expected("an integer", other)),
        }
        let number = self.number()?;
        if !number.integer {
            return Err(Fault::new(format!("expected an integer, got {}", shorten(number.raw))));
        }
        number.int().ok_or_else(|| Fault::new(format!("{} does not fit 64 bits", shorten(number.raw))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        let mut reader = Reader::new(text);
        match reader.raw().and_then(|_| reader.end()) {
            Ok(()) => panic!("{text} was accepted"),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn accepts_what_json_accepts() {
        for text in [
            "null",
            " true ",
            "[]",
            "{}",
            r#"{"a": [1, -2.5e-3, {"b": "x\u00e9\n\"\\"}], "": {}}"#,
            "[0, -0, 0.0, 1E5, 1e+5]",
            "\"\u{7f}é😀\"",
        ] {
            let mut reader = Reader::new(text);
            assert_eq!(reader.raw().unwrap(), text.trim(), "{text}");
            reader.end().unwrap();
            assert!(serde_json::from_str::<serde_json::Value>(text).is_ok());
        }
    }

    #[test]
    fn refuses_what_json_refuses() {
        for text in [
            "",
            "{",
            "[1,]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{\"a\":1,}",
            "01",
            "1.",
            ".5",
            "-",
            "1e",
            "+1",
            "tru",
            "nul",
            "\"abc",
            "\"\\x\"",
            "\"\u{1}\"",
            "[1]]",
            "'a'",
            "NaN",
            "Infinity",
            "-Infinity",
            "\"\\",
            "\"\\ud800\"",
            "[,1]",
            "{,}",
            "1 2",
        ] {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text}");
            fault(text);
        }
    }

    #[test]
    fn messages_say_where() {
        assert_eq!(fault("{\"a\": [1, x]}"), "field `a[1]`: not valid JSON at column 11: expected a value, found 'x'");
        assert_eq!(fault("{\"a\": 1"), "the line ends too early: expected `,` or `}`");
        assert_eq!(fault("{\"v\": NaN}"), "field `v`: `NaN` is not JSON: write {\"$float\": \"nan\"}");
    }

    #[test]
    fn nesting_is_limited() {
        assert!(fault(&"[".repeat(5000)).contains("nested deeper than 200 levels"));
        assert!(fault(&"{\"a\":".repeat(5000)).contains("nested deeper than 200 levels"));
        let fits = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        assert!(Reader::new(&fits).raw().is_ok());
    }

    #[test]
    fn typed_reads() {
        assert_eq!(Reader::new("\"a\\u00e9\"").text().unwrap(), "aé");
        assert!(matches!(Reader::new("\"plain\"").text().unwrap(), Cow::Borrowed("plain")));
        assert!(Reader::new("{\"$float\": \"nan\"}").float().unwrap().is_nan());
        assert_eq!(Reader::new("{\"$float\":\"-inf\"}").float().unwrap(), f64::NEG_INFINITY);
        assert_eq!(
            Reader::new("{\"$float\":\"NaN\"}").float().unwrap_err().to_string(),
            "`$float` must be \"nan\", \"inf\" or \"-inf\", not \"NaN\""
        );
        assert!(Reader::new("{\"$float\":\"nan\",\"b\":1}").float().is_err());
        assert_eq!(Reader::new("9223372036854775807").integer().unwrap(), i64::MAX);
        assert_eq!(
            Reader::new("9223372036854775808").integer().unwrap_err().to_string(),
            "9223372036854775808 does not fit 64 bits"
        );
        assert_eq!(Reader::new("1.0").integer().unwrap_err().to_string(), "expected an integer, got 1.0");
        assert_eq!(Reader::new("\"1\"").integer().unwrap_err().to_string(), "expected an integer, got text");
    }
}
