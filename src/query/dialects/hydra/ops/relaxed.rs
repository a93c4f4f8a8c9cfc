//! The relaxed JSON of arguments: quotes and the outer braces may be missing, `=` or `{` may stand for `:`.

use super::super::Piece;
use crate::span::Span;

/// How deep values stand in each other.
const DEEPEST: usize = 16;

/// A value; everything that is not a list or an object is text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relaxed {
    /// A text, quoted or not.
    Text(String),
    /// A list.
    List(Vec<Relaxed>),
    /// An object, in the order in which it was written.
    Object(Vec<(String, Relaxed)>),
}

/// Reads an object.
///
/// ```text
/// object = [ "{" ] { key ( ( ":" | "=" ) value | object ) [ "," ] } [ "}" ]
/// list   = "[" { value [ "," ] } "]"
/// key    = quoted | bare { "." bare }
/// value  = object | list | quoted | bare
/// ```
///
/// # Errors
/// Where it stops being one, and what was expected.
pub(super) fn object(piece: &Piece) -> Result<Vec<(String, Relaxed)>, (Span, &'static str)> {
    let mut reader = Reader { piece, at: 0 };
    reader.blanks();
    let braces = reader.take('{');
    let entries = reader.entries(braces, 0)?;
    reader.blanks();
    if reader.peek().is_some() { Err(reader.wrong("expected the end")) } else { Ok(entries) }
}

/// Reads a list, or else an object.
///
/// # Errors
/// As [`object`].
pub(super) fn list_or_object(piece: &Piece) -> Result<Relaxed, (Span, &'static str)> {
    let mut reader = Reader { piece, at: 0 };
    reader.blanks();
    if reader.peek() != Some('[') {
        return object(piece).map(Relaxed::Object);
    }
    let list = reader.value(0)?;
    reader.blanks();
    if reader.peek().is_some() { Err(reader.wrong("expected the end")) } else { Ok(list) }
}

struct Reader<'a> {
    piece: &'a Piece,
    at: usize,
}

type Read<T> = Result<T, (Span, &'static str)>;

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.piece.as_str().get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn blanks(&mut self) {
        while let Some(c) = self.peek().filter(|c| c.is_whitespace()) {
            self.at += c.len_utf8();
        }
    }

    fn wrong(&self, expected: &'static str) -> (Span, &'static str) {
        let length = self.peek().map_or(0, char::len_utf8);
        // At the end the last character stands for it.
        let last =
            self.piece.as_str().get(..self.at).and_then(|text| text.chars().next_back()).map_or(0, char::len_utf8);
        let start = if length == 0 { self.at.saturating_sub(last) } else { self.at };
        (self.piece.span_of(start..self.at + length), expected)
    }

    fn entries(&mut self, braces: bool, depth: usize) -> Read<Vec<(String, Relaxed)>> {
        if depth > DEEPEST {
            return Err(self.wrong("too deep"));
        }
        let mut entries = vec![];
        loop {
            self.blanks();
            while self.take(',') {
                self.blanks();
            }
            match self.peek() {
                None if !braces => return Ok(entries),
                None => return Err(self.wrong("expected `}`")),
                Some('}') if braces => {
                    self.take('}');
                    return Ok(entries);
                }
                Some(_) => {}
            }
            let key = self.scalar(&[':', '=', '{', '}', '[', ']', ','])?;
            self.blanks();
            let value = if self.peek() == Some('{') {
                self.value(depth + 1)?
            } else if self.take(':') || self.take('=') {
                self.blanks();
                self.value(depth + 1)?
            } else {
                return Err(self.wrong("expected `:` and a value"));
            };
            entries.push((key, value));
        }
    }

    fn value(&mut self, depth: usize) -> Read<Relaxed> {
        if depth > DEEPEST {
            return Err(self.wrong("too deep"));
        }
        if self.take('{') {
            return Ok(Relaxed::Object(self.entries(true, depth)?));
        }
        if !self.take('[') {
            return Ok(Relaxed::Text(self.scalar(&[',', '}', ']', '{', '['])?));
        }
        let mut items = vec![];
        loop {
            self.blanks();
            while self.take(',') {
                self.blanks();
            }
            match self.peek() {
                None => return Err(self.wrong("expected `]`")),
                Some(']') => {
                    self.take(']');
                    return Ok(Relaxed::List(items));
                }
                Some(_) => items.push(self.value(depth + 1)?),
            }
        }
    }

    /// A quoted text, or everything before one of `ends`, without blanks at its end.
    fn scalar(&mut self, ends: &[char]) -> Read<String> {
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            return self.quoted(quote);
        }
        let rest = self.rest();
        let text = rest.get(..rest.find(ends).unwrap_or(rest.len())).unwrap_or_default();
        if text.trim().is_empty() {
            return Err(self.wrong("expected a name or value"));
        }
        let (length, text) = (text.len(), text.trim_end().to_owned());
        self.at += length;
        Ok(text)
    }

    fn quoted(&mut self, quote: char) -> Read<String> {
        self.take(quote);
        let mut text = String::new();
        loop {
            let Some(c) = self.peek() else { return Err(self.wrong("the quote is not closed")) };
            self.at += c.len_utf8();
            match c {
                _ if c == quote => return Ok(text),
                '\\' => {
                    let Some(escaped) = self.peek() else { continue };
                    self.at += escaped.len_utf8();
                    match escaped {
                        'n' => text.push('\n'),
                        't' => text.push('\t'),
                        'r' => text.push('\r'),
                        'b' => text.push('\u{8}'),
                        'f' => text.push('\u{c}'),
                        'u' => {
                            let code = self.rest().get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                            let Some(code) = code else { return Err(self.wrong("expected four hexadecimal digits")) };
                            self.at += 4;
                            text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                        }
                        other => text.push(other),
                    }
                }
                other => text.push(other),
            }
        }
    }
}
