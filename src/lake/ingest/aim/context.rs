//! Contexts of sequences: their text with sorted keys and the canonical key that stands for Python's equality.

use super::flatten::{Target, flatten_document, write_special, write_text};
use crate::ingest::block::{Block, Context};
use crate::ingest::fault::{Fault, Read};
use crate::ingest::lines::json::{Kind, Reader, expected};

/// A JSON value small enough to be handled as a tree.
enum Node {
    Null,
    Bool(bool),
    /// The digits as given.
    Int(String),
    /// The digits as given and their value.
    Float(String, f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// Integers sort before texts, texts by bytes.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Int(i64),
    Text(String),
}

/// How a node is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Numbers as given.
    Given,
    /// `true`, `1` and `1.0` are all `1`.
    Canonical,
}

/// Reads a context into the block, which keeps one row for contexts written alike. The row's number is returned.
pub(crate) fn read_context(reader: &mut Reader<'_>, block: &mut Block) -> Read<u32> {
    match reader.kind()? {
        Kind::Object => {}
        other => return Err(expected("an object", other)),
    }
    let raw = reader.raw()?;
    let id = block.context_texts.id(raw) as usize;
    match block.context_rows.get(id) {
        Some(row) if *row != u32::MAX => return Ok(*row),
        _ => {}
    }
    let node = read_node(&mut Reader::new(raw))?;
    let mut given = String::new();
    write_node(&node, Style::Given, &mut given);
    let mut key = String::new();
    write_node(&node, Style::Canonical, &mut key);
    let row = block.contexts.len() as u32;
    let text = flatten_document(&mut Reader::new(&given), block, Target::Context, row)?;
    let key = block.add_text(&key);
    block.contexts.push(Context { text, key });
    if block.context_rows.len() <= id {
        block.context_rows.resize(id + 1, u32::MAX);
    }
    if let Some(slot) = block.context_rows.get_mut(id) {
        *slot = row;
    }
    Ok(row)
}

/// The canonical text of a context given as JSON in the notation of the run export (`{"$float": …}`, `{"$map": …}`):
/// two contexts have the same text exactly when Python calls the dicts equal. Keys are sorted, booleans and integral
/// floats are integers. NaN, which equals nothing, is written as it is.
pub fn canonical_context(json: &str) -> Result<String, String> {
    let mut reader = Reader::new(json);
    let node =
        read_node(&mut reader).and_then(|node| reader.end().map(|()| node)).map_err(|fault| fault.to_string())?;
    let mut out = String::new();
    write_node(&node, Style::Canonical, &mut out);
    Ok(out)
}

fn read_node(reader: &mut Reader<'_>) -> Read<Node> {
    Ok(match reader.kind()? {
        Kind::Null => {
            reader.null()?;
            Node::Null
        }
        Kind::Bool => Node::Bool(reader.boolean()?),
        Kind::Number => {
            let number = reader.number()?;
            if number.integer {
                Node::Int(number.raw.to_owned())
            } else {
                Node::Float(number.raw.to_owned(), number.float())
            }
        }
        Kind::Text => Node::Text(reader.text()?.into_owned()),
        Kind::List => {
            let mut items = Vec::new();
            reader.list(|reader| {
                items.push(read_node(reader)?);
                Ok(())
            })?;
            Node::List(items)
        }
        Kind::Object => return read_object(reader),
    })
}

fn read_object(reader: &mut Reader<'_>) -> Read<Node> {
    reader.enter_object()?;
    let mut members = Vec::new();
    let mut first = true;
    while let Some(key) = reader.next_key(first)? {
        if first && key == "$float" {
            let value = reader.rest_of_float()?;
            return Ok(Node::Float(String::new(), value));
        }
        if first && key == "$map" {
            let pairs = read_node(reader).and_then(map_members).map_err(|fault| fault.in_field("$map"))?;
            return match reader.next_key(false)? {
                None => Ok(sorted(pairs)),
                Some(_) => Err(Fault::new("`$map` must be the only key of its object")),
            };
        }
        first = false;
        let value = read_node(reader).map_err(|fault| fault.in_field(&key))?;
        members.push((Key::Text(key.into_owned()), value));
    }
    Ok(sorted(members))
}

fn sorted(mut members: Vec<(Key, Node)>) -> Node {
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    Node::Map(members)
}

fn map_members(pairs: Node) -> Read<Vec<(Key, Node)>> {
    let Node::List(pairs) = pairs else {
        return Err(Fault::new("expected a list of pairs of key and value"));
    };
    let mut members = Vec::new();
    for pair in pairs {
        let pair = match pair {
            Node::List(parts) => <[Node; 2]>::try_from(parts).ok(),
            _ => None,
        };
        let key = match pair {
            Some([Node::Text(text), value]) => (Key::Text(text), value),
            Some([Node::Bool(flag), value]) => (Key::Int(i64::from(flag)), value),
            Some([Node::Int(digits), value]) => match digits.parse() {
                Ok(key) => (Key::Int(key), value),
                Err(_) => return Err(Fault::new(format!("key {digits} does not fit 64 bits"))),
            },
            _ => return Err(Fault::new("expected pairs of a key (text or integer) and a value")),
        };
        members.push(key);
    }
    Ok(members)
}

fn write_node(node: &Node, style: Style, out: &mut String) {
    match node {
        Node::Null => out.push_str("null"),
        Node::Bool(flag) => match style {
            Style::Given => out.push_str(if *flag { "true" } else { "false" }),
            Style::Canonical => out.push_str(if *flag { "1" } else { "0" }),
        },
        Node::Int(digits) => match style {
            Style::Canonical if digits == "-0" => out.push('0'),
            _ => out.push_str(digits),
        },
        Node::Float(_, value) if !value.is_finite() => write_special(*value, out),
        Node::Float(raw, value) => match style {
            Style::Given => out.push_str(raw),
            Style::Canonical if *value == 0.0 => out.push('0'),
            // All digits, as the equal integer has them.
            Style::Canonical if value.fract() == 0.0 => out.push_str(&format!("{value:.0}")),
            Style::Canonical => out.push_str(&format!("{value:?}")),
        },
        Node::Text(text) => write_text(text, out),
        Node::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_node(item, style, out);
            }
            out.push(']');
        }
        Node::Map(members) => write_members(members, style, out),
    }
}

/// Plain object notation when all keys are texts, `$map` otherwise.
fn write_members(members: &[(Key, Node)], style: Style, out: &mut String) {
    let plain = members.iter().all(|(key, _)| matches!(key, Key::Text(_)));
    out.push_str(if plain { "{" } else { "{\"$map\":[" });
    for (index, (key, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        if !plain {
            out.push('[');
        }
        match key {
            Key::Int(key) => out.push_str(&key.to_string()),
            Key::Text(key) => write_text(key, out),
        }
        out.push(if plain { ':' } else { ',' });
        write_node(value, style, out);
        if !plain {
            out.push(']');
        }
    }
    out.push_str(if plain { "}" } else { "]}" });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_calls_equal_has_one_key() {
        for (a, b) in [
            (r#"{"b": 1, "a": 2}"#, r#"{"a":2,"b":1}"#),
            (r#"{"a": true}"#, r#"{"a": 1}"#),
            (r#"{"a": 1.0}"#, r#"{"a": 1}"#),
            (r#"{"a": 1e3}"#, r#"{"a": 1000}"#),
            (r#"{"a": -0.0}"#, r#"{"a": false}"#),
            (r#"{"a": 0.10}"#, r#"{"a": 1e-1}"#),
            (r#"{"a": 1e22}"#, r#"{"a": 10000000000000000000000}"#),
            (r#"{"a": [1, {"c": 2.0}]}"#, r#"{"a": [true, {"c": 2}]}"#),
            (r#"{"$map": [["a", 1]]}"#, r#"{"a": 1}"#),
            (r#"{"$map": [[1, "x"], ["a", 1]]}"#, r#"{"$map": [["a", 1], [true, "x"]]}"#),
            (r#"{"a": "\u00e9"}"#, r#"{"a": "é"}"#),
            ("{}", r#" { } "#),
        ] {
            assert_eq!(canonical_context(a).unwrap(), canonical_context(b).unwrap(), "{a} {b}");
        }
        for (a, b) in [
            (r#"{"a": "1"}"#, r#"{"a": 1}"#),
            (r#"{"a": 1}"#, r#"{"b": 1}"#),
            (r#"{"$map": [[1, "x"]]}"#, r#"{"1": "x"}"#),
            (r#"{"a": null}"#, r#"{}"#),
            (r#"{"a": [1]}"#, r#"{"a": 1}"#),
            (r#"{"a": 9007199254740993}"#, r#"{"a": 9007199254740992.0}"#),
        ] {
            assert_ne!(canonical_context(a).unwrap(), canonical_context(b).unwrap(), "{a} {b}");
        }
    }

    #[test]
    fn text_and_key_differ_in_numbers_only() {
        let mut block = Block::default();
        let row = read_context(&mut Reader::new(r#"{"z": 1.0, "a": {"y": true}}"#), &mut block).unwrap();
        let context = block.contexts[row as usize];
        assert_eq!(block.json_text(context.text), r#"{"a":{"y":true},"z":1.0}"#);
        assert_eq!(block.text(context.key), r#"{"a":{"y":1},"z":1}"#);
        let again = read_context(&mut Reader::new(r#"{"z": 1.0, "a": {"y": true}}"#), &mut block).unwrap();
        assert_eq!(row, again);
        let paths: Vec<&str> =
            block.context_attributes.path.iter().map(|id| block.context_attributes.paths.text(*id)).collect();
        assert_eq!(paths, ["a.y", "a", "z"]);
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused() {
        let mut block = Block::default();
        assert!(read_context(&mut Reader::new(r#"{"a": 1, "a": 2}"#), &mut block).is_err());
    }
}
