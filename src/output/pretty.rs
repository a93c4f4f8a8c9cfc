//! JSON for people: one member a line.

use serde_json::value::RawValue;
use std::fmt::Write;

/// Lists and objects shorter than this stay on their line if nothing in them is nested.
const SHORT: usize = 100;

/// The same JSON with indentation: members one a line, lists one element a line where the elements are nested or long.
/// Numbers and texts stay as they are, keys in their order. A text that is not JSON comes back as it is.
pub fn pretty_json(json: &str) -> String {
    match serde_json::from_str::<&RawValue>(json) {
        Ok(value) => {
            let mut out = String::with_capacity(json.len() * 2);
            write(value.get(), 0, &mut out);
            out
        }
        Err(_) => json.to_owned(),
    }
}

fn write(json: &str, depth: usize, out: &mut String) {
    let pieces = pieces(json);
    let nested = pieces.iter().any(|piece| piece.value.starts_with(['{', '[']));
    if pieces.is_empty() || (depth > 0 && !nested && json.len() <= SHORT) {
        out.push_str(json);
        return;
    }
    let (open, close) = if json.starts_with('{') { ('{', '}') } else { ('[', ']') };
    out.push(open);
    for (index, piece) in pieces.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        let _ = write!(out, "{:width$}", "", width = 2 * (depth + 1));
        if let Some(key) = piece.key {
            let _ = write!(out, "{key}: ");
        }
        write(piece.value, depth + 1, out);
    }
    let _ = write!(out, "\n{:width$}{close}", "", width = 2 * depth);
}

/// An element, or a member with its key.
struct Piece<'a> {
    key: Option<&'a str>,
    value: &'a str,
}

/// The parts of an object or a list that is valid JSON; none of anything else.
fn pieces(json: &str) -> Vec<Piece<'_>> {
    let bytes = json.as_bytes();
    if !json.starts_with(['{', '[']) {
        return vec![];
    }
    let mut pieces = vec![];
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let (mut start, mut colon) = (1, None);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b':' if depth == 1 && colon.is_none() => colon = Some(at),
            b',' | b'}' | b']' => {
                if depth == 1 {
                    let (key, from) = match colon.take() {
                        Some(colon) => (json.get(start..colon).map(str::trim), colon + 1),
                        None => (None, start),
                    };
                    let value = json.get(from..at).unwrap_or_default().trim();
                    if !value.is_empty() {
                        pieces.push(Piece { key, value });
                    }
                    start = at + 1;
                }
                if *byte != b',' {
                    depth = depth.saturating_sub(1);
                }
            }
            _ => {}
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_get_lines_and_short_leaves_stay() {
        let json = r#"{"a":1.0,"b":{"c":[1,2],"d":{"$float":"nan"}},"e":[],"f":[{"x":"a,b:{"},{"y":"\"}"}]}"#;
        let expected = r#"{
  "a": 1.0,
  "b": {
    "c": [1,2],
    "d": {"$float":"nan"}
  },
  "e": [],
  "f": [
    {"x":"a,b:{"},
    {"y":"\"}"}
  ]
}"#;
        assert_eq!(pretty_json(json), expected);
    }

    #[test]
    fn the_value_stays_the_same() {
        let long = format!(r#"{{"l":[{}],"o":{{"k":"{}"}}}}"#, vec!["123456789"; 50].join(","), "x".repeat(200));
        for json in [long.as_str(), "[]", "{}", "1e400", "\"a\"", r#"[[],[[1]],{"a":{}}]"#] {
            let pretty = pretty_json(json);
            let compact: String = pretty.split('\n').map(str::trim_start).collect::<String>().replace("\": ", "\":");
            assert_eq!(compact, json);
        }
        assert_eq!(pretty_json("not json"), "not json");
    }
}
