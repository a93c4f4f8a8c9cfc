//! Methods that take texts apart.

use super::text::wanted;
use crate::Raised;
use crate::program::{Args, Eval};
use crate::value::integer::is_space;
use crate::value::{Value, sequence};
use std::sync::Arc;

fn list(eval: &Eval<'_>, parts: Vec<&str>) -> Result<Value, Raised> {
    eval.meter.allocate_items(parts.len().saturating_mul(2))?;
    eval.meter.allocate(parts.iter().map(|part| part.len()).sum())?;
    Ok(Value::list(parts.into_iter().map(Value::text).collect()))
}

/// `str.split` and `str.rsplit`
pub(super) fn split(eval: &Eval<'_>, text: &Arc<str>, name: &str, args: &Args) -> Result<Value, Raised> {
    let [separator, most] = args.bind(name, ["sep", "maxsplit"], 0)?;
    let most = match most.map(sequence::index).transpose()? {
        Some(most) if most >= 0 => usize::try_from(most).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let from_right = name == "rsplit";
    let separator = match separator {
        None | Some(Value::None) => {
            let parts = if from_right { words_from_right(text, most) } else { words(text, most) };
            return list(eval, parts);
        }
        some => wanted(some)?,
    };
    if separator.is_empty() {
        return Err(Raised::value_error("an empty separator"));
    }
    let pieces = most.saturating_add(1);
    let parts = if from_right {
        let mut parts: Vec<&str> = text.rsplitn(pieces, &**separator).collect();
        parts.reverse();
        parts
    } else {
        text.splitn(pieces, &**separator).collect()
    };
    list(eval, parts)
}

/// Words between blanks; after so many splits the rest is one word.
fn words(text: &str, most: usize) -> Vec<&str> {
    let mut parts = vec![];
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        let end = if parts.len() >= most { None } else { rest.find(is_space) };
        let Some(end) = end else {
            parts.push(rest);
            break;
        };
        let (word, tail) = rest.split_at(end);
        parts.push(word);
        rest = tail.trim_start_matches(is_space);
    }
    parts
}

fn words_from_right(text: &str, most: usize) -> Vec<&str> {
    let mut parts = vec![];
    let mut rest = text.trim_end_matches(is_space);
    while !rest.is_empty() {
        let blank = if parts.len() >= most { None } else { rest.char_indices().rfind(|(_, c)| is_space(*c)) };
        let Some((at, c)) = blank else {
            parts.push(rest);
            break;
        };
        parts.push(rest.get(at + c.len_utf8()..).unwrap_or(""));
        rest = rest.get(..at).unwrap_or("").trim_end_matches(is_space);
    }
    parts.reverse();
    parts
}

/// `str.splitlines`
pub(super) fn lines(eval: &Eval<'_>, text: &str, args: &Args) -> Result<Value, Raised> {
    let [keep] = args.bind("splitlines", ["keepends"], 0)?;
    let keep = keep.is_some_and(Value::truthy);
    let is_end = |c: char| {
        matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let mut parts = vec![];
    let mut rest = text;
    while !rest.is_empty() {
        let Some(end) = rest.find(is_end) else {
            parts.push(rest);
            break;
        };
        let tail = rest.get(end..).unwrap_or("");
        let width = if tail.starts_with("\r\n") { 2 } else { tail.chars().next().map_or(1, char::len_utf8) };
        parts.push(rest.get(..if keep { end + width } else { end }).unwrap_or(""));
        rest = rest.get(end + width..).unwrap_or("");
    }
    list(eval, parts)
}

/// `str.partition` and `str.rpartition`
pub(super) fn partition(text: &Arc<str>, name: &str, args: &Args) -> Result<Value, Raised> {
    let [separator] = args.exactly(name)?;
    let separator = wanted(Some(separator))?;
    if separator.is_empty() {
        return Err(Raised::value_error("an empty separator"));
    }
    let right = name == "rpartition";
    let found = if right { text.rsplit_once(&**separator) } else { text.split_once(&**separator) };
    let parts = match found {
        Some((before, after)) => [Value::text(before), Value::Str(separator.clone()), Value::text(after)],
        None if right => [Value::text(""), Value::text(""), Value::Str(text.clone())],
        None => [Value::Str(text.clone()), Value::text(""), Value::text("")],
    };
    Ok(Value::tuple(parts.into()))
}
