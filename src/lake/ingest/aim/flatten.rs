//! Nested values to attribute rows, and back to compact JSON text in the same walk.

use std::borrow::Cow;

use crate::catalog::path::{PathKey, push_key, push_text};
use crate::ingest::block::{Block, JsonSpan, Rows, Value};
use crate::ingest::fault::{Fault, Read};
use crate::ingest::lines::json::{Kind, Reader, expected};
use crate::ingest::lines::number::Number;

/// Which attribute table of the block a document goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Params,
    Context,
}

/// Reads the object in front of `reader` into attribute rows of `owner`. The compact text of the object is appended to
/// the block's JSON text.
pub(super) fn flatten_document(
    reader: &mut Reader<'_>,
    block: &mut Block,
    target: Target,
    owner: u32,
) -> Read<JsonSpan> {
    let start = block.json.len();
    let mut walk = Walk { block, target, owner, path: String::new() };
    walk.object(reader, true)?;
    Ok(block.json_from(start))
}

struct Walk<'b> {
    block: &'b mut Block,
    target: Target,
    owner: u32,
    /// The path of the value being read.
    path: String,
}

impl Walk<'_> {
    fn add(&mut self, value: Value) -> Read<()> {
        let rows = match self.target {
            Target::Params => &mut self.block.attributes,
            Target::Context => &mut self.block.context_attributes,
        };
        if rows.push(self.owner, &self.path, value) { Ok(()) } else { Err(Fault::new("the key is there twice")) }
    }

    fn value(&mut self, reader: &mut Reader<'_>) -> Read<()> {
        match reader.kind()? {
            Kind::Null => {
                reader.null()?;
                self.block.json.push_str("null");
                self.add(Value::Null)
            }
            Kind::Bool => {
                let value = reader.boolean()?;
                self.block.json.push_str(if value { "true" } else { "false" });
                self.add(Value::Bool(value))
            }
            Kind::Number => {
                let number = reader.number()?;
                let value = self.number(&number);
                self.add(value)
            }
            Kind::Text => {
                let text = reader.text()?;
                self.text_attribute(&text)
            }
            Kind::List => self.list(reader),
            Kind::Object => self.object(reader, false),
        }
    }

    fn text_attribute(&mut self, text: &str) -> Read<()> {
        write_text(text, &mut self.block.json);
        let span = self.block.add_text(text);
        self.add(Value::Text(span))
    }

    fn number(&mut self, number: &Number<'_>) -> Value {
        write_number(number, &mut self.block.json);
        match number.int() {
            Some(value) => Value::Int(value),
            None if number.integer => Value::BigInt(self.block.add_text(number.raw)),
            None => Value::Float(number.float()),
        }
    }

    fn object(&mut self, reader: &mut Reader<'_>, root: bool) -> Read<()> {
        reader.enter_object()?;
        self.block.json.push('{');
        let mut first = true;
        while let Some(key) = reader.next_key(first)? {
            if first && key == "$float" && !root {
                let value = reader.rest_of_float()?;
                self.block.json.pop();
                write_special(value, &mut self.block.json);
                return self.add(Value::Float(value));
            }
            if first && key == "$map" {
                return self.map(reader, root);
            }
            if !first {
                self.block.json.push(',');
            }
            write_text(&key, &mut self.block.json);
            self.block.json.push(':');
            first = false;
            self.member(reader, |path| push_text(path, &key)).map_err(|fault| fault.in_field(&key))?;
        }
        self.block.json.push('}');
        if root { Ok(()) } else { self.add(Value::Dict) }
    }

    /// The rest of `{"$map": [[key, value], …]}`; the brace is written already.
    fn map(&mut self, reader: &mut Reader<'_>, root: bool) -> Read<()> {
        self.block.json.push_str("\"$map\":[");
        let mut first = true;
        let in_map = |fault: Box<Fault>| fault.in_field("$map");
        reader
            .list(|reader| {
                self.block.json.push_str(if first { "[" } else { ",[" });
                first = false;
                let mut key = None;
                let mut parts = 0;
                reader.list(|reader| {
                    parts += 1;
                    match (parts, key.take()) {
                        (1, _) => {
                            key = Some(map_key(reader, &mut self.block.json)?);
                            self.block.json.push(',');
                            Ok(())
                        }
                        (2, Some(key)) => self.member(reader, |path| push_key(path, &key)),
                        _ => Err(Fault::new("expected a pair of key and value")),
                    }
                })?;
                self.block.json.push(']');
                if parts == 2 { Ok(()) } else { Err(Fault::new("expected a pair of key and value")) }
            })
            .map_err(in_map)?;
        self.block.json.push_str("]}");
        if reader.next_key(false)?.is_some() {
            return Err(Fault::new("`$map` must be the only key of its object"));
        }
        if root { Ok(()) } else { self.add(Value::Dict) }
    }

    fn member(&mut self, reader: &mut Reader<'_>, push: impl FnOnce(&mut String)) -> Read<()> {
        let parent = self.path.len();
        push(&mut self.path);
        let done = self.value(reader);
        self.path.truncate(parent);
        done
    }

    /// A list is one attribute: a column if its elements have one type, JSON text otherwise.
    fn list(&mut self, reader: &mut Reader<'_>) -> Read<()> {
        let start = self.block.json.len();
        let (ints, floats, spans) = (self.block.ints.len(), self.block.floats.len(), self.block.spans.len());
        let mut shape = Shape::Empty;
        self.block.json.push('[');
        reader.list(|reader| {
            if shape != Shape::Empty {
                self.block.json.push(',');
            }
            let element = self.element(reader)?;
            shape = if shape == Shape::Empty || shape == element { element } else { Shape::Mixed };
            Ok(())
        })?;
        self.block.json.push(']');
        let rows = |start: usize, end: usize| Rows { start: start as u32, end: end as u32 };
        let value = match shape {
            Shape::Ints => Value::Ints(rows(ints, self.block.ints.len())),
            Shape::Floats => Value::Floats(rows(floats, self.block.floats.len())),
            Shape::Texts => Value::Texts(rows(spans, self.block.spans.len())),
            Shape::Empty | Shape::Mixed => {
                self.block.ints.truncate(ints);
                self.block.floats.truncate(floats);
                self.block.spans.truncate(spans);
                Value::Json(self.block.json_from(start))
            }
        };
        self.add(value)
    }

    fn element(&mut self, reader: &mut Reader<'_>) -> Read<Shape> {
        match reader.kind()? {
            Kind::Number => {
                let number = reader.number()?;
                write_number(&number, &mut self.block.json);
                match number.int() {
                    Some(value) => self.block.ints.push(value),
                    None if number.integer => return Ok(Shape::Mixed),
                    None => {
                        self.block.floats.push(number.float());
                        return Ok(Shape::Floats);
                    }
                }
                Ok(Shape::Ints)
            }
            Kind::Text => {
                let text = reader.text()?;
                write_text(&text, &mut self.block.json);
                let span = self.block.add_text(&text);
                self.block.spans.push(span);
                Ok(Shape::Texts)
            }
            Kind::Object => match compact_object(reader, &mut self.block.json)? {
                Some(value) => {
                    self.block.floats.push(value);
                    Ok(Shape::Floats)
                }
                None => Ok(Shape::Mixed),
            },
            Kind::Null | Kind::Bool | Kind::List => {
                compact(reader, &mut self.block.json)?;
                Ok(Shape::Mixed)
            }
        }
    }
}

/// What the elements of a list have in common so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Empty,
    Ints,
    Floats,
    Texts,
    Mixed,
}

/// The key of a pair of `$map`, written to `out`.
fn map_key(reader: &mut Reader<'_>, out: &mut String) -> Read<PathKey> {
    match reader.kind()? {
        Kind::Text => {
            let text = reader.text()?;
            write_text(&text, out);
            Ok(PathKey::Text(text.into_owned()))
        }
        // In Python a boolean is an integer, as a key too.
        Kind::Bool => {
            let key = i64::from(reader.boolean()?);
            out.push_str(&key.to_string());
            Ok(PathKey::Int(key))
        }
        Kind::Number => {
            let key = reader.integer()?;
            out.push_str(&key.to_string());
            Ok(PathKey::Int(key))
        }
        other @ (Kind::Null | Kind::List | Kind::Object) => Err(expected("text or an integer as key", other)),
    }
}

/// Copies the next value to `out` without blanks, texts with the fewest escapes, and checks the notation of `$float`
/// and `$map`.
pub(super) fn compact(reader: &mut Reader<'_>, out: &mut String) -> Read<()> {
    match reader.kind()? {
        Kind::Null => {
            reader.null()?;
            out.push_str("null");
            Ok(())
        }
        Kind::Bool => {
            out.push_str(if reader.boolean()? { "true" } else { "false" });
            Ok(())
        }
        Kind::Number => {
            write_number(&reader.number()?, out);
            Ok(())
        }
        Kind::Text => {
            write_text(&reader.text()?, out);
            Ok(())
        }
        Kind::List => {
            out.push('[');
            let mut first = true;
            reader.list(|reader| {
                if !first {
                    out.push(',');
                }
                first = false;
                compact(reader, out)
            })?;
            out.push(']');
            Ok(())
        }
        Kind::Object => compact_object(reader, out).map(drop),
    }
}

/// Like [`compact`] for an object; the value of a `{"$float": …}` is returned.
fn compact_object(reader: &mut Reader<'_>, out: &mut String) -> Read<Option<f64>> {
    reader.enter_object()?;
    let mut first = true;
    out.push('{');
    while let Some(key) = reader.next_key(first)? {
        if first && key == "$float" {
            let value = reader.rest_of_float()?;
            out.pop();
            write_special(value, out);
            return Ok(Some(value));
        }
        if first && key == "$map" && reader.kind()? != Kind::List {
            return Err(Fault::new("expected a list of pairs of key and value").in_field("$map"));
        }
        if !first {
            out.push(',');
        }
        first = false;
        write_text(&key, out);
        out.push(':');
        let name: Cow<'_, str> = key;
        compact(reader, out).map_err(|fault| fault.in_field(&name))?;
    }
    out.push('}');
    Ok(None)
}

/// Writes a number as it was given; one that is too large for a double becomes `{"$float": "inf"}`, which is what
/// Python makes of it.
pub(super) fn write_number(number: &Number<'_>, out: &mut String) {
    if !number.integer {
        let value = number.float();
        if value.is_infinite() {
            write_special(value, out);
            return;
        }
    }
    out.push_str(number.raw);
}

/// Writes a float in the notation of the corpus.
pub(crate) fn write_special(value: f64, out: &mut String) {
    if value.is_nan() {
        out.push_str("{\"$float\":\"nan\"}");
    } else if value > 0.0 {
        out.push_str("{\"$float\":\"inf\"}");
    } else {
        out.push_str("{\"$float\":\"-inf\"}");
    }
}

/// Writes a JSON text in double quotes.
pub(crate) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push_str(text);
    } else {
        for character in text.chars() {
            match character {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                control if (control as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", control as u32)),
                other => out.push(other),
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flatten(text: &str) -> Result<(Block, String), String> {
        let mut block = Block::default();
        let mut reader = Reader::new(text);
        let json = flatten_document(&mut reader, &mut block, Target::Params, 0).map_err(|fault| fault.to_string())?;
        let json = block.json_text(json).to_owned();
        Ok((block, json))
    }

    fn rows(block: &Block) -> Vec<(String, Value)> {
        let rows = &block.attributes;
        let mut all: Vec<_> =
            rows.path.iter().map(|id| rows.paths.text(*id).to_owned()).zip(rows.value.iter().copied()).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    #[test]
    fn every_node_is_a_row() {
        let (block, json) = flatten(
            r#" {"a": {"b": 1, "c.d": 1.0}, "n": null, "t": true, "s": "x\u00e9\n", "m": {"$map": [[1, "i"], ["1", {"k": -0.0}]]},
                "f": {"$float": "-inf"}, "big": 123456789012345678901234567890, "e": {}, "huge": 1e999} "#,
        )
        .unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"a":{"b":1,"c.d":1.0},"n":null,"t":true,"s":"xé\n","m":{"$map":[[1,"i"],["1",{"k":-0.0}]]},"#,
                r#""f":{"$float":"-inf"},"big":123456789012345678901234567890,"e":{},"huge":{"$float":"inf"}}"#
            )
        );
        let rows = rows(&block);
        let names: Vec<&str> = rows.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(
            names,
            ["a", "a.\"c.d\"", "a.b", "big", "e", "f", "huge", "m", "m.1", "m.1.k", "m[1]", "n", "s", "t"]
        );
        let value = |path: &str| rows.iter().find(|(name, _)| name == path).unwrap().1;
        assert_eq!(value("a"), Value::Dict);
        assert_eq!(value("a.b"), Value::Int(1));
        assert_eq!(value("a.\"c.d\""), Value::Float(1.0));
        assert_eq!(value("f"), Value::Float(f64::NEG_INFINITY));
        assert_eq!(value("huge"), Value::Float(f64::INFINITY));
        assert_eq!(value("n"), Value::Null);
        assert_eq!(value("t"), Value::Bool(true));
        assert_eq!(value("e"), Value::Dict);
        assert!(matches!(value("m.1.k"), Value::Float(zero) if zero.to_bits() == (-0.0f64).to_bits()));
        assert!(matches!(value("s"), Value::Text(span) if block.text(span) == "xé\n"));
        assert!(matches!(value("big"), Value::BigInt(span) if block.text(span) == "123456789012345678901234567890"));
    }

    #[test]
    fn lists_of_one_type_are_columns() {
        let (block, _) = flatten(
            r#"{"i": [1, -2], "f": [0.5, {"$float": "nan"}], "t": ["a", "b"], "mixed": [1, 0.5], "empty": [],
                "nested": [[1], {"k": [null, true]}], "late": ["a", "b", 3], "big": [1, 99999999999999999999]}"#,
        )
        .unwrap();
        let rows = rows(&block);
        let value = |path: &str| rows.iter().find(|(name, _)| name == path).unwrap().1;
        assert!(matches!(value("i"), Value::Ints(rows) if block.ints[rows.range()] == [1, -2]));
        assert!(matches!(value("f"), Value::Floats(rows) if block.floats[rows.range()][1].is_nan()));
        assert!(matches!(value("t"), Value::Texts(rows) if block.text(block.spans[rows.range()][1]) == "b"));
        for (path, json) in [
            ("mixed", "[1,0.5]"),
            ("empty", "[]"),
            ("nested", r#"[[1],{"k":[null,true]}]"#),
            ("late", r#"["a","b",3]"#),
            ("big", "[1,99999999999999999999]"),
        ] {
            assert!(matches!(value(path), Value::Json(span) if block.json_text(span) == json), "{path}");
        }
        assert_eq!((block.ints.len(), block.floats.len(), block.spans.len()), (2, 2, 2));
    }

    #[test]
    fn faults() {
        let fault = |text: &str| flatten(text).err().unwrap();
        assert_eq!(fault("[]"), "expected an object, got a list");
        assert_eq!(fault(r#"{"a": {"b": 1, "b": 2}}"#), "field `a.b`: the key is there twice");
        assert_eq!(fault(r#"{"a": {"$map": 1}}"#), "field `a.$map`: expected a list, got a number");
        assert_eq!(fault(r#"{"a": {"$map": [[1]]}}"#), "field `a.$map[0]`: expected a pair of key and value");
        assert_eq!(fault(r#"{"a": {"$map": [[1.5, 2]]}}"#), "field `a.$map[0][0]`: expected an integer, got 1.5");
        assert!(fault(r#"{"a": {"$float": "x"}}"#).contains("`$float` must be"));
        assert!(fault(&format!("{{\"a\":{}", "[".repeat(5000))).contains("nested deeper"));
    }
}
