//! Methods of texts.

use super::{case, template, text_parts};
use crate::Raised;
use crate::program::{Args, Eval};
use crate::value::integer::{decimal_value, is_space};
use crate::value::sequence::{self, slice_positions};
use crate::value::{Value, text};
use std::borrow::Cow;
use std::sync::Arc;

pub(super) const NAMES: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "maketrans",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];

/// A text argument.
pub(super) fn wanted(value: Option<&Value>) -> Result<&Arc<str>, Raised> {
    match value.map(Value::unwrapped) {
        Some(Value::Str(text)) => Ok(text),
        Some(other) => Err(Raised::type_error(format!("a text is wanted, not a value of type {}", other.type_name()))),
        None => Err(Raised::type_error("a text is wanted")),
    }
}

/// A method of a text.
pub(super) fn call(eval: &Eval<'_>, text: &Arc<str>, name: &str, args: &Args) -> Result<Option<Value>, Raised> {
    let meter = &eval.meter;
    // Only the beginning or end is looked at.
    let at_an_end = matches!(name, "startswith" | "endswith") && args.positional.len() == 1;
    meter.walk(if at_an_end { 0 } else { text.len() })?;
    // Mappings of characters make at most three of one.
    let mapped = |map: fn(&str) -> String| -> Result<Value, Raised> {
        args.exactly::<0>(name)?;
        meter.allocate(text.len().saturating_mul(3))?;
        Ok(Value::text(map(text)))
    };
    let is = |holds: fn(&str) -> bool| -> Result<Value, Raised> {
        args.exactly::<0>(name)?;
        Ok(Value::Bool(holds(text)))
    };
    let value = match name {
        "lower" => mapped(str::to_lowercase)?,
        "upper" => mapped(str::to_uppercase)?,
        "casefold" => mapped(case::fold)?,
        "title" => mapped(case::title)?,
        "capitalize" => mapped(case::capitalize)?,
        "swapcase" => mapped(case::swap)?,
        "isupper" => is(|text| case::is_all(text, true))?,
        "islower" => is(|text| case::is_all(text, false))?,
        "istitle" => is(case::is_title)?,
        "isalpha" => is(|text| all(text, is_letter))?,
        "isdecimal" => is(|text| all(text, |c| decimal_value(c).is_some()))?,
        "isdigit" => is(|text| all(text, is_digit))?,
        "isnumeric" => is(|text| all(text, |c| c.is_numeric() || is_digit(c)))?,
        "isalnum" => is(|text| all(text, |c| is_letter(c) || c.is_numeric() || is_digit(c)))?,
        "isspace" => is(|text| all(text, is_space))?,
        "isascii" => is(str::is_ascii)?,
        "isprintable" => is(|text| text.chars().all(text::is_printable))?,
        "isidentifier" => is(|text| {
            all(text, |c| c == '_' || is_letter(c) || decimal_value(c).is_some())
                && text.chars().next().is_some_and(|c| decimal_value(c).is_none())
        })?,
        "startswith" | "endswith" => affix(text, name, args)?,
        "find" | "rfind" | "index" | "rindex" => find(text, name, args)?,
        "count" => {
            let [part, start, end] = args.bind(name, ["", "", ""], 1)?;
            let (window, _) = window(text, start, end)?;
            let part = wanted(part)?;
            match window {
                None => Value::Int(0),
                Some(window) if part.is_empty() => Value::count(window.chars().count() + 1),
                Some(window) => Value::count(window.matches(&**part).count()),
            }
        }
        "replace" => replace(eval, text, args)?,
        "strip" | "lstrip" | "rstrip" => strip(text, name, args)?,
        "removeprefix" => {
            let [affix] = args.exactly(name)?;
            Value::text(text.strip_prefix(&**wanted(Some(affix))?).unwrap_or(text))
        }
        "removesuffix" => {
            let [affix] = args.exactly(name)?;
            Value::text(text.strip_suffix(&**wanted(Some(affix))?).unwrap_or(text))
        }
        "center" | "ljust" | "rjust" | "zfill" => fill(eval, text, name, args)?,
        "expandtabs" => expand_tabs(eval, text, args)?,
        "join" => join(eval, text, args)?,
        "split" | "rsplit" => text_parts::split(eval, text, name, args)?,
        "splitlines" => text_parts::lines(eval, text, args)?,
        "partition" | "rpartition" => text_parts::partition(text, name, args)?,
        "encode" => {
            let [encoding, _] = args.bind(name, ["encoding", "errors"], 0)?;
            let encoding = encoding.map_or(Ok("utf-8".into()), |e| wanted(Some(e)).cloned())?;
            match &*encoding.to_ascii_lowercase() {
                "utf-8" | "utf8" => {}
                "ascii" if text.is_ascii() => {}
                _ => return Err(Raised::unsupported("this encoding")),
            }
            meter.allocate(text.len())?;
            Value::Bytes(text.as_bytes().into())
        }
        "format_map" => {
            let [mapping] = args.exactly(name)?;
            Value::text(template::format_map(eval, text, mapping)?)
        }
        "format" => return Err(Raised::unsupported("str.format; use an f-string or %")),
        "translate" => translate(eval, text, args)?,
        "maketrans" => return Err(Raised::unsupported("str.maketrans")),
        _ => return Ok(None),
    };
    Ok(Some(value))
}

/// A method of bytes.
pub(super) fn bytes(eval: &Eval<'_>, bytes: &[u8], name: &str, args: &Args) -> Result<Option<Value>, Raised> {
    eval.meter.allocate(bytes.len().saturating_mul(2))?;
    match name {
        "decode" => {
            let [_, _] = args.bind(name, ["encoding", "errors"], 0)?;
            let text = std::str::from_utf8(bytes).map_err(|_| Raised::value_error("the bytes are not a text"))?;
            Ok(Some(Value::text(text)))
        }
        "hex" => Ok(Some(Value::text(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))),
        _ => Ok(None),
    }
}

fn all(text: &str, holds: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(holds)
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !c.is_numeric()
}

/// Decimal digits and those that stand above, below or in circles.
fn is_digit(c: char) -> bool {
    decimal_value(c).is_some()
        || matches!(c, '²' | '³' | '¹' | '⁰' | '⁴'..='⁹' | '₀'..='₉' | '①'..='⑨' | '⑴'..='⑼' | '⒈'..='⒐' | '⓪' | '❶'..='❾')
}

/// The part of a text between two positions, and how many characters come before; None if the positions are beyond it.
fn window<'t>(text: &'t str, start: Option<&Value>, end: Option<&Value>) -> Result<(Option<&'t str>, usize), Raised> {
    let none = |value: Option<&Value>| value.cloned().unwrap_or(Value::None);
    if matches!(start, None | Some(Value::None)) && matches!(end, None | Some(Value::None)) {
        return Ok((Some(text), 0));
    }
    let length = text.chars().count();
    if let Some(start) = start.filter(|start| !matches!(start, Value::None))
        && sequence::index(start)? > length as i64
    {
        return Ok((None, 0));
    }
    let range = slice_positions(&[none(start), none(end), Value::None], length)?;
    let (from, to) = (range.start as usize, range.stop as usize);
    if to < from {
        return Ok((None, 0));
    }
    let byte = |position: usize| text.char_indices().nth(position).map_or(text.len(), |(byte, _)| byte);
    Ok((text.get(byte(from)..byte(to)), from))
}

fn affix(text: &str, name: &str, args: &Args) -> Result<Value, Raised> {
    let [affix, start, end] = args.bind(name, ["", "", ""], 1)?;
    let (window, _) = window(text, start, end)?;
    let matches = |affix: &Value| -> Result<bool, Raised> {
        let affix = wanted(Some(affix))?;
        Ok(window.is_some_and(|w| if name == "startswith" { w.starts_with(&**affix) } else { w.ends_with(&**affix) }))
    };
    match affix {
        Some(Value::Tuple(affixes)) => {
            for affix in affixes.iter() {
                if matches(affix)? {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        }
        affix => matches(affix.unwrap_or(&Value::None)).map(Value::Bool),
    }
}

fn find(text: &str, name: &str, args: &Args) -> Result<Value, Raised> {
    let [part, start, end] = args.bind(name, ["", "", ""], 1)?;
    let part = wanted(part)?;
    let (window, before) = window(text, start, end)?;
    let found = window.and_then(|window| {
        let byte = if name.starts_with('r') { window.rfind(&**part) } else { window.find(&**part) }?;
        Some(before + window.get(..byte)?.chars().count())
    });
    match found {
        Some(position) => Ok(Value::count(position)),
        None if name.ends_with("index") => Err(Raised::value_error("the text does not contain this part")),
        None => Ok(Value::Int(-1)),
    }
}

fn replace(eval: &Eval<'_>, text: &Arc<str>, args: &Args) -> Result<Value, Raised> {
    let [old, new, count] = args.bind("replace", ["", "", "count"], 2)?;
    let (old, new) = (wanted(old)?, wanted(new)?);
    let count = match count.map(sequence::index).transpose()? {
        Some(count) if count >= 0 => usize::try_from(count).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let places = text.matches(&**old).take(count).count();
    eval.meter.allocate(text.len().saturating_add(places.saturating_mul(new.len())))?;
    Ok(Value::text(text.replacen(&**old, new, count)))
}

fn strip(text: &str, name: &str, args: &Args) -> Result<Value, Raised> {
    let [chars] = args.bind(name, [""], 0)?;
    let chars = match chars {
        None | Some(Value::None) => None,
        some => Some(wanted(some)?),
    };
    let gone = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
    let mut rest = text;
    if name != "rstrip" {
        rest = rest.trim_start_matches(gone);
    }
    if name != "lstrip" {
        rest = rest.trim_end_matches(gone);
    }
    Ok(Value::text(rest))
}

fn fill(eval: &Eval<'_>, text: &Arc<str>, name: &str, args: &Args) -> Result<Value, Raised> {
    let [width, with] = args.bind(name, ["", ""], 1)?;
    let width = sequence::index(width.unwrap_or(&Value::None))?;
    let length = text.chars().count();
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(length);
    if name == "zfill" {
        eval.meter.allocate(text.len().saturating_add(missing))?;
        let zeros = "0".repeat(missing);
        let signed = text.strip_prefix(['+', '-']);
        let sign = if signed.is_some() { text.get(..1).unwrap_or("") } else { "" };
        return Ok(Value::text(format!("{sign}{zeros}{}", signed.unwrap_or(text))));
    }
    let with = match with {
        None => Cow::Borrowed(" "),
        with => Cow::Owned(wanted(with)?.to_string()),
    };
    if with.chars().count() != 1 {
        return Err(Raised::type_error("one character fills up"));
    }
    eval.meter.allocate(text.len().saturating_add(missing.saturating_mul(with.len())))?;
    let left = match name {
        "ljust" => 0,
        "rjust" => missing,
        // Python puts the odd one to the left only if the width is odd.
        _ => missing / 2 + (missing & usize::try_from(width).unwrap_or(0) & 1),
    };
    Ok(Value::text(format!("{}{text}{}", with.repeat(left), with.repeat(missing - left))))
}

fn expand_tabs(eval: &Eval<'_>, text: &str, args: &Args) -> Result<Value, Raised> {
    let [size] = args.bind("expandtabs", ["tabsize"], 0)?;
    let size = size.map_or(Ok(8), sequence::index)?;
    let size = usize::try_from(size).unwrap_or(0);
    let mut out = String::new();
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' if size > 0 => {
                let blanks = size - column % size;
                eval.meter.allocate(blanks)?;
                out.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            '\t' => {}
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            c => {
                out.push(c);
                column += 1;
            }
        }
    }
    Ok(Value::text(out))
}

fn join(eval: &Eval<'_>, text: &Arc<str>, args: &Args) -> Result<Value, Raised> {
    let [items] = args.exactly("join")?;
    let items = eval.collect(items)?;
    let mut out = String::new();
    for (i, item) in items.iter().enumerate() {
        let item = wanted(Some(item))?;
        eval.meter.allocate(item.len() + text.len())?;
        if i > 0 {
            out.push_str(text);
        }
        out.push_str(item);
    }
    Ok(Value::text(out))
}

fn translate(eval: &Eval<'_>, text: &str, args: &Args) -> Result<Value, Raised> {
    let [table] = args.exactly("translate")?;
    let Value::Dict(table) = table.unwrapped() else { return Err(Raised::type_error("translate() takes a dict")) };
    let mut out = String::new();
    for c in text.chars() {
        let found = table.get(&Value::Int(i64::from(u32::from(c))), &eval.meter)?;
        match found.map(Value::unwrapped) {
            None => out.push(c),
            Some(Value::None) => {}
            Some(Value::Str(text)) => {
                eval.meter.allocate(text.len())?;
                out.push_str(text);
            }
            Some(code) => {
                let code = u32::try_from(sequence::index(code)?).ok().and_then(char::from_u32);
                out.push(code.ok_or_else(|| Raised::value_error("not the number of a character"))?);
            }
        }
    }
    Ok(Value::text(out))
}
