//! Stored documents as values of the evaluator.
//!
//! Parameter documents and contexts are JSON in the notation of the run export: `{"$float": "nan"}`, `{"$map": [[key,
//! value], …]}`, `{"$bytes": "base64"}`. A query wants one value of a document that may be long, so [`find`] walks to it
//! without building what it passes.

use lakeql_eval::{Dict, Key, Limits, Meter, Value};
use lakeql_query::syntax::python::{PyKind, parse_parenthesized};
use std::borrow::Cow;
use std::sync::Arc;

/// Deepest nesting that is read; what an import accepts is less deep.
const MAX_DEPTH: u32 = 256;

/// A stored text that is not JSON: the lake is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not valid JSON at byte {at}")]
pub(super) struct Broken {
    at: usize,
}

type Read<T> = Result<T, Broken>;

/// The value of a whole text.
pub(super) fn parse(text: &str) -> Read<Value> {
    let mut reader = Reader::new(text);
    let value = reader.value()?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.broken()),
    }
}

/// The value at a path, if there is one.
pub(super) fn find(text: &str, path: &[Key]) -> Read<Option<Value>> {
    let mut reader = Reader::new(text);
    for (depth, key) in path.iter().enumerate() {
        let here = reader.clone();
        let found = match (reader.peek(), key) {
            (Some(b'{'), _) => match reader.member(key)? {
                Member::Found => true,
                Member::Absent => false,
                Member::Notation => {
                    reader = here;
                    let value = reader.value()?;
                    return Ok(path.iter().skip(depth).try_fold(value, |value, key| child(&value, key)));
                }
            },
            (Some(b'['), Key::Int(index)) => reader.element(*index)?,
            _ => false,
        };
        if !found {
            return Ok(None);
        }
    }
    reader.value().map(Some)
}

/// What stands under a key of a value.
pub(super) fn child(value: &Value, key: &Key) -> Option<Value> {
    match (value, key) {
        (Value::Dict(dict), Key::Text(text)) => dict.get_text(text).cloned(),
        (Value::Dict(dict), Key::Int(number)) => {
            dict.get(&Value::Int(*number), &Meter::new(&Limits::default())).ok().flatten().cloned()
        }
        (Value::List(items) | Value::Tuple(items), Key::Int(index)) => {
            items.get(usize::try_from(*index).ok()?).cloned()
        }
        _ => None,
    }
}

/// Whether an object has a key.
enum Member {
    /// The reader stands at its value.
    Found,
    Absent,
    /// The object may be one of the notation and has to be read as a whole.
    Notation,
}

#[derive(Clone)]
struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    fn broken(&self) -> Broken {
        Broken { at: self.at }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is not blank.
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.byte() {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Whether this byte comes next; if so it is passed.
    fn next_is(&mut self, wanted: u8) -> bool {
        let is_it = self.peek() == Some(wanted);
        self.at += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, wanted: u8) -> Read<()> {
        if self.next_is(wanted) { Ok(()) } else { Err(self.broken()) }
    }

    fn value(&mut self) -> Read<Value> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::list),
            Some(b'"') => Ok(Value::text(self.string()?.as_ref())),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::None),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.broken()),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Read<Value>) -> Read<Value> {
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.broken());
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn word(&mut self, word: &str, value: Value) -> Read<Value> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.broken());
        }
        self.at += word.len();
        Ok(value)
    }

    fn list(&mut self) -> Read<Value> {
        let mut items = vec![];
        if self.next_is(b']') {
            return Ok(Value::list(items));
        }
        loop {
            items.push(self.value()?);
            if self.next_is(b']') {
                return Ok(Value::list(items));
            }
            self.expect(b',')?;
        }
    }

    fn object(&mut self) -> Read<Value> {
        let mut entries: Vec<(Arc<str>, Value)> = vec![];
        if !self.next_is(b'}') {
            loop {
                let key = Arc::from(self.key()?.as_ref());
                entries.push((key, self.value()?));
                if self.next_is(b'}') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        match entries.as_slice() {
            [(key, value)] if key.starts_with('$') => match notation(key, value) {
                Some(value) => Ok(value),
                None => Ok(Value::dict(entries)),
            },
            _ => Ok(Value::dict(entries)),
        }
    }

    /// A key with its colon.
    fn key(&mut self) -> Read<Cow<'a, str>> {
        if self.peek() != Some(b'"') {
            return Err(self.broken());
        }
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// A text; the reader stands at its opening quote.
    fn string(&mut self) -> Read<Cow<'a, str>> {
        let start = self.at;
        let plain = self.skip_string()?;
        if plain {
            return self.text.get(start + 1..self.at - 1).map(Cow::Borrowed).ok_or(Broken { at: start });
        }
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| Broken { at: start })
    }

    /// Passes a text; whether it has no escapes.
    fn skip_string(&mut self) -> Read<bool> {
        let mut plain = true;
        self.at += 1;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            match rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
                Some(length) if rest.get(length) == Some(&b'"') => {
                    self.at += length + 1;
                    return Ok(plain);
                }
                Some(length) => {
                    self.at += length + 2;
                    plain = false;
                }
                None => return Err(self.broken()),
            }
        }
    }

    fn number(&mut self) -> Read<Value> {
        let start = self.at;
        let mut integer = true;
        while let Some(byte) = self.byte() {
            match byte {
                b'0'..=b'9' | b'-' => {}
                b'+' | b'.' | b'e' | b'E' => integer = false,
                _ => break,
            }
            self.at += 1;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let value = if integer {
            text.parse().ok().map(Value::Int).or_else(|| big_integer(text))
        } else {
            text.parse().ok().map(Value::Float)
        };
        value.ok_or(Broken { at: start })
    }

    /// Walks to the value of a key of the object at hand.
    fn member(&mut self, wanted: &Key) -> Read<Member> {
        self.expect(b'{')?;
        if self.next_is(b'}') {
            return Ok(Member::Absent);
        }
        let mut first = true;
        loop {
            let key = self.key()?;
            if first && key.starts_with('$') {
                return Ok(Member::Notation);
            }
            first = false;
            match wanted {
                Key::Text(wanted) if **wanted == *key => return Ok(Member::Found),
                Key::Text(_) => {}
                Key::Int(_) => return Ok(Member::Absent),
            }
            self.skip()?;
            if self.next_is(b'}') {
                return Ok(Member::Absent);
            }
            self.expect(b',')?;
        }
    }

    /// Walks to an element of the list at hand; whether there is one.
    fn element(&mut self, index: i64) -> Read<bool> {
        self.expect(b'[')?;
        if index < 0 || self.next_is(b']') {
            return Ok(false);
        }
        for _ in 0..index {
            self.skip()?;
            if self.next_is(b']') {
                return Ok(false);
            }
            self.expect(b',')?;
        }
        Ok(true)
    }

    /// Passes a value without looking into it.
    fn skip(&mut self) -> Read<()> {
        let mut open = 0_usize;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.skip_string()?;
                }
                Some(b'{' | b'[') => {
                    open += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') if open > 0 => {
                    open -= 1;
                    self.at += 1;
                }
                Some(b',' | b':') if open > 0 => self.at += 1,
                Some(b'-' | b'a'..=b'z' | b'0'..=b'9') => {
                    let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
                    let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
                    self.at += rest.iter().position(ends).unwrap_or(rest.len());
                }
                _ => return Err(self.broken()),
            }
            if open == 0 {
                return Ok(());
            }
        }
    }
}

/// The value an object of one key stands for, if it is one of the notation.
fn notation(key: &str, value: &Value) -> Option<Value> {
    match (key, value) {
        ("$float", Value::Str(name)) => Some(Value::Float(match &**name {
            "nan" => f64::NAN,
            "inf" => f64::INFINITY,
            "-inf" => f64::NEG_INFINITY,
            _ => return None,
        })),
        ("$map", Value::List(pairs)) => {
            let meter = Meter::new(&Limits { steps: u64::MAX, bytes: u64::MAX, depth: u32::MAX });
            let mut dict = Dict::default();
            for pair in pairs.iter() {
                let Value::List(pair) = pair else { return None };
                let [key, value] = &pair[..] else { return None };
                dict.insert(key.clone(), value.clone(), &meter).ok()?;
            }
            Some(Value::Dict(Arc::new(dict)))
        }
        ("$bytes", Value::Str(text)) => base64(text).map(|bytes| Value::Bytes(bytes.into())),
        _ => None,
    }
}

/// An integer beyond 64 bits. The Python parser reads integers of any size, so they need no code here.
fn big_integer(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match parse_parenthesized(digits).ok()?.kind {
        PyKind::Int(number) => Some(Value::integer(if digits == text { number } else { -number })),
        _ => None,
    }
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from((bits >> count) & 0xff).unwrap_or_default());
        }
    }
    Some(out)
}
