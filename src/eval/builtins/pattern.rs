//! The module `re`, as far as a search without captured state needs it. Patterns run in linear time, so look-around and
//! back-references are refused.

use super::Builtin;
use crate::Raised;
use crate::program::{Args, Eval};
use crate::value::Value;
use regex::{Regex, RegexBuilder};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// An attribute of the module; None for those it does not have.
pub(super) fn attribute(name: &str) -> Value {
    match name {
        "match" => Value::Builtin(&MATCH),
        "search" => Value::Builtin(&SEARCH),
        "fullmatch" => Value::Builtin(&FULLMATCH),
        "findall" => Value::Builtin(&FINDALL),
        "sub" => Value::Builtin(&SUB),
        "split" => Value::Builtin(&SPLIT),
        "I" | "IGNORECASE" => Value::Int(2),
        "M" | "MULTILINE" => Value::Int(8),
        "S" | "DOTALL" => Value::Int(16),
        "X" | "VERBOSE" => Value::Int(64),
        "A" | "ASCII" => Value::Int(256),
        _ => Value::None,
    }
}

/// Compiled patterns are kept per thread, this many.
const KEPT: usize = 64;

/// A pattern with its flags and how it is anchored.
type Question = (Arc<str>, i64, u8);

thread_local! {
    static COMPILED: RefCell<HashMap<Question, Arc<Regex>>> = RefCell::default();
}

fn compile(pattern: &Arc<str>, flags: i64, anchor: u8) -> Result<Arc<Regex>, Raised> {
    let key = (pattern.clone(), flags, anchor);
    let known = COMPILED.with(|compiled| compiled.borrow().get(&key).cloned());
    if let Some(known) = known {
        return Ok(known);
    }
    // Python's end of a text is \Z, and its $ also matches before a last newline.
    let body = pattern.replace("\\Z", "\\z");
    let anchored = match anchor {
        0 => body,
        1 => format!("\\A(?:{body})"),
        _ => format!("\\A(?:{body})\\z"),
    };
    let regex = RegexBuilder::new(&anchored)
        .case_insensitive(flags & 2 != 0)
        .multi_line(flags & 8 != 0)
        .dot_matches_new_line(flags & 16 != 0)
        .ignore_whitespace(flags & 64 != 0)
        .size_limit(1 << 20)
        .build()
        .map_err(|_| Raised::value_error("not a regular expression that can be used here"))?;
    let regex = Arc::new(regex);
    COMPILED.with(|compiled| {
        let mut compiled = compiled.borrow_mut();
        if compiled.len() >= KEPT {
            compiled.clear();
        }
        compiled.insert(key, regex.clone());
    });
    Ok(regex)
}

fn text(value: Option<&Value>) -> Result<Arc<str>, Raised> {
    match value.map(Value::unwrapped) {
        Some(Value::Str(text)) => Ok(text.clone()),
        _ => Err(Raised::type_error("regular expressions are for texts")),
    }
}

fn flags(value: Option<&Value>) -> Result<i64, Raised> {
    super::types::optional_index(value, 0)
}

/// The match as a value that is true; its text can be asked by `[0]`, its groups by their numbers.
fn matched(eval: &Eval<'_>, args: &Args, name: &str, anchor: u8) -> Result<Value, Raised> {
    let [pattern, subject, flag] = args.bind(name, ["pattern", "string", "flags"], 2)?;
    let (regex, subject) = (compile(&text(pattern)?, flags(flag)?, anchor)?, text(subject)?);
    eval.meter.steps(subject.len() as u64)?;
    let Some(captures) = regex.captures(&subject) else { return Ok(Value::None) };
    let groups = captures.iter().map(|group| group.map_or(Value::None, |group| Value::text(group.as_str())));
    Ok(Value::record(&["group"], groups.collect()))
}

const MATCH: Builtin = Builtin::new("re.match", |eval, args| matched(eval, args, "match", 1));
const SEARCH: Builtin = Builtin::new("re.search", |eval, args| matched(eval, args, "search", 0));
const FULLMATCH: Builtin = Builtin::new("re.fullmatch", |eval, args| matched(eval, args, "fullmatch", 2));

const FINDALL: Builtin = Builtin::new("re.findall", |eval, args| {
    let [pattern, subject, flag] = args.bind("findall", ["pattern", "string", "flags"], 2)?;
    let (regex, subject) = (compile(&text(pattern)?, flags(flag)?, 0)?, text(subject)?);
    let mut found = vec![];
    eval.meter.steps(subject.len() as u64)?;
    for captures in regex.captures_iter(&subject) {
        eval.meter.allocate(64)?;
        let group = |i: usize| Value::text(captures.get(i).map_or("", |group| group.as_str()));
        found.push(match captures.len() {
            1 => group(0),
            2 => group(1),
            count => Value::tuple((1..count).map(group).collect()),
        });
    }
    Ok(Value::list(found))
});

const SUB: Builtin = Builtin::new("re.sub", |eval, args| {
    let [pattern, replacement, subject, count, flag] =
        args.bind("sub", ["pattern", "repl", "string", "count", "flags"], 3)?;
    let (regex, replacement, subject) =
        (compile(&text(pattern)?, flags(flag)?, 0)?, text(replacement)?, text(subject)?);
    if replacement.contains('\\') {
        return Err(Raised::unsupported("group references in re.sub"));
    }
    let count = usize::try_from(super::types::optional_index(count, 0)?).unwrap_or(0);
    eval.meter.allocate(subject.len().saturating_add(1).saturating_mul(replacement.len().saturating_add(1)))?;
    Ok(Value::text(regex.replacen(&subject, count, regex::NoExpand(&replacement)).into_owned()))
});

const SPLIT: Builtin = Builtin::new("re.split", |eval, args| {
    let [pattern, subject, flag] = args.bind("split", ["pattern", "string", "flags"], 2)?;
    let (regex, subject) = (compile(&text(pattern)?, flags(flag)?, 0)?, text(subject)?);
    if regex.captures_len() > 1 {
        return Err(Raised::unsupported("groups in re.split"));
    }
    eval.meter.steps(subject.len() as u64)?;
    let mut parts = vec![];
    for part in regex.split(&subject) {
        eval.meter.allocate(part.len() + 24)?;
        parts.push(Value::text(part));
    }
    Ok(Value::list(parts))
});
