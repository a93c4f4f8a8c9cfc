//! The attributes of a run as one document, and the markers of their groups.
//!
//! Neptune's attributes are a flat list of paths, the tables also want to know groups: `parameters` is one when there is
//! `parameters/lr`. Where a path is an attribute and a group at once (the newer product allows it), the document keeps
//! the attribute, and what is below it stands beside it under the rest of its path, slashes and all.

use std::collections::HashSet;

use super::draft::attribute_path;

use crate::ingest::aim::flatten::{write_special, write_text};
use crate::ingest::block::{Block, JsonSpan, Value};
use crate::ingest::fault::{Fault, Read};
use crate::ingest::time_text;

/// Writes the document to the JSON text of the block and adds the groups of `owner` to its attributes. Sorts the
/// attributes.
pub(super) fn write_document(block: &mut Block, owner: u32, attributes: &mut [(String, Value)]) -> Read<JsonSpan> {
    attributes.sort_by(|(a, _), (b, _)| a.split('/').cmp(b.split('/')));
    let known: HashSet<&str> = attributes.iter().map(|(path, _)| path.as_str()).collect();
    let mut out = std::mem::take(&mut block.json);
    let start = out.len();
    out.push('{');
    let mut groups = Groups { block, owner, open: Vec::new(), text: String::new() };
    let mut first = true;
    for (path, value) in attributes.iter() {
        let (parent, key) = place(path, &known);
        let common = groups.close(parent, &mut out, &mut first);
        groups.open(parent, common, &mut out, &mut first);
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        write_text(key, &mut out);
        out.push(':');
        write_value(groups.block, *value, &mut out);
    }
    groups.close("", &mut out, &mut first);
    out.push('}');
    block.json = out;
    if block.json.len() > u32::MAX as usize {
        return Err(Fault::new("the attributes take more than 4 GiB"));
    }
    Ok(block.json_from(start))
}

/// The group of an attribute and its key there. The group is no attribute itself, nor is any around it.
fn place<'p>(path: &'p str, known: &HashSet<&str>) -> (&'p str, &'p str) {
    let mut parent = "";
    let mut key = path;
    let mut from = 0;
    while let Some(at) = path.get(from..).and_then(|rest| rest.find('/')) {
        let end = from + at;
        let group = path.get(..end).unwrap_or_default();
        // A path that begins with a slash has a group without a name, which cannot be told from no group: it stays whole.
        if group.is_empty() || known.contains(group) {
            break;
        }
        parent = group;
        key = path.get(end + 1..).unwrap_or_default();
        from = end + 1;
    }
    (parent, key)
}

struct Groups<'b> {
    block: &'b mut Block,
    owner: u32,
    /// The lengths of the paths of the open groups, and the innermost of them.
    open: Vec<String>,
    text: String,
}

impl Groups<'_> {
    /// Closes groups until those left are around `path`; returns how much of it they cover.
    fn close(&mut self, path: &str, out: &mut String, first: &mut bool) -> usize {
        while let Some(group) = self.open.last() {
            let rest = path.strip_prefix(group.as_str());
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
                return group.len();
            }
            self.open.pop();
            out.push('}');
            *first = false;
        }
        0
    }

    /// Opens the groups of `path` behind the part that is open already.
    fn open(&mut self, path: &str, from: usize, out: &mut String, first: &mut bool) {
        let mut from = from;
        while from < path.len() {
            let begin = if from == 0 { 0 } else { from + 1 };
            let rest = path.get(begin..).unwrap_or_default();
            let end = begin + rest.find('/').unwrap_or(rest.len());
            if !*first {
                out.push(',');
            }
            *first = true;
            write_text(path.get(begin..end).unwrap_or_default(), out);
            out.push_str(":{");
            let group = path.get(..end).unwrap_or_default();
            attribute_path(group, &mut self.text);
            // The rare group that has the text of an attribute's path needs no marker.
            let _ = self.block.attributes.push(self.owner, &self.text, Value::Dict);
            self.open.push(group.to_owned());
            from = end;
            if from == 0 {
                break;
            }
        }
    }
}

fn write_value(block: &Block, value: Value, out: &mut String) {
    match value {
        Value::Null | Value::Dict | Value::Named(_, None) => out.push_str("null"),
        Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Float(value) if !value.is_finite() => write_special(value, out),
        Value::Float(value) => out.push_str(&format!("{value:?}")),
        Value::BigInt(span) => out.push_str(block.text(span)),
        Value::Text(span) | Value::Named(_, Some(span)) => write_text(block.text(span), out),
        Value::Time(micros) => write_text(&time_text(micros), out),
        Value::Texts(rows) | Value::Set(rows) => {
            out.push('[');
            for (index, span) in block.spans.get(rows.range()).unwrap_or_default().iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(block.text(*span), out);
            }
            out.push(']');
        }
        // Neptune has no other lists.
        Value::Ints(_) | Value::Floats(_) | Value::Json(_) => out.push_str("null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(paths: &[&str]) -> (String, Vec<(String, &'static str)>) {
        let mut block = Block::default();
        let mut attributes = Vec::new();
        let mut text = String::new();
        for (number, path) in (0..).zip(paths) {
            attribute_path(path, &mut text);
            assert!(block.attributes.push(0, &text, Value::Int(number)));
            attributes.push(((*path).to_owned(), Value::Int(number)));
        }
        let span = write_document(&mut block, 0, &mut attributes).unwrap();
        let rows = block.attributes.path.iter().zip(&block.attributes.value);
        let rows = rows.map(|(id, value)| (block.attributes.paths.text(*id).to_owned(), value.kind().name()));
        let groups = rows.filter(|(_, kind)| *kind == "dict").collect();
        (block.json_text(span).to_owned(), groups)
    }

    fn groups(names: &[&str]) -> Vec<(String, &'static str)> {
        names.iter().map(|name| ((*name).to_owned(), "dict")).collect()
    }

    #[test]
    fn paths_become_groups() {
        let (json, found) = document(&["b/y", "a", "b/x/1", "c.d/e", "b/x/0"]);
        assert_eq!(json, r#"{"a":1,"b":{"x":{"0":4,"1":2},"y":0},"c.d":{"e":3}}"#);
        assert_eq!(found, groups(&["b", "b.x", "\"c.d\""]));
        assert_eq!(document(&[]).0, "{}");
    }

    #[test]
    fn attributes_that_are_groups_keep_their_value() {
        let (json, found) = document(&["a", "a/b", "a/b/c", "a b", "d/e", "d/e/f"]);
        assert_eq!(json, r#"{"a":0,"a/b":1,"a/b/c":2,"a b":3,"d":{"e":4,"e/f":5}}"#);
        assert_eq!(found, groups(&["d"]));
        let (json, _) = document(&["/x", "/x/y", "//", "z/", "z//q"]);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap().as_object().unwrap().len(), 4, "{json}");
    }
}
