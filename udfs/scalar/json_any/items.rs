//! The items of a JSON value and tests of them.

use super::decimal::compare;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Which items a value has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scope {
    step: Option<Step>,
    /// Levels of lists that are opened.
    #[serde(default)]
    unwrap: u8,
    /// Whether the items of a dictionary are its values.
    #[serde(default)]
    values: bool,
}

#[derive(Deserialize)]
enum Step {
    Index(i64),
    Member(String),
}

/// What is asked of an item.
#[derive(Deserialize)]
enum Written {
    Anything,
    Compare(Op, Scalar),
    Incomparable(Scalar),
    In(Vec<Scalar>),
    Between(Scalar, Scalar),
    Matches(String),
    Lacks(String),
    Like(String),
    Length(Box<Written>),
    IsList,
    Not(Box<Written>),
}

#[derive(Clone, Copy, Deserialize)]
enum Op {
    Eq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
}

impl Op {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Op::Eq => ordering.is_eq(),
            Op::NotEq => ordering.is_ne(),
            Op::Lt => ordering.is_lt(),
            Op::LtEq => ordering.is_le(),
            Op::Gt => ordering.is_gt(),
            Op::GtEq => ordering.is_ge(),
        }
    }
}

#[derive(Deserialize)]
enum Scalar {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
}

/// A test ready to be made.
enum Test {
    Anything,
    Compare(Op, Scalar),
    Incomparable(Scalar),
    In(Vec<Scalar>),
    Between(Scalar, Scalar),
    Matches(Regex, bool),
    Length(Box<Test>),
    IsList,
    Not(Box<Test>),
}

impl Test {
    fn new(written: Written) -> Result<Self, String> {
        Ok(match written {
            Written::Anything => Test::Anything,
            Written::Compare(op, value) => Test::Compare(op, value),
            Written::Incomparable(value) => Test::Incomparable(value),
            Written::In(values) => Test::In(values),
            Written::Between(low, high) => Test::Between(low, high),
            Written::Matches(regex) => Test::Matches(compiled(&regex)?, true),
            Written::Lacks(regex) => Test::Matches(compiled(&regex)?, false),
            Written::Like(pattern) => Test::Matches(compiled(&like(&pattern))?, true),
            Written::Length(test) => Test::Length(Box::new(Test::new(*test)?)),
            Written::IsList => Test::IsList,
            Written::Not(test) => Test::Not(Box::new(Test::new(*test)?)),
        })
    }
}

fn compiled(regex: &str) -> Result<Regex, String> {
    RegexBuilder::new(regex).size_limit(16 << 20).build().map_err(|error| error.to_string())
}

/// The regular expression for a pattern in which `%` is any text and `_` any character.
fn like(pattern: &str) -> String {
    let mut out = String::from("(?s)^");
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '\\' => out.push_str(&regex::escape(&chars.next().unwrap_or('\\').to_string())),
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    out.push('$');
    out
}

/// A scope and a test.
pub(super) struct Question {
    scope: Scope,
    test: Test,
}

impl Question {
    /// Reads `[scope, test]`.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let (scope, written): (Scope, Written) = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Ok(Self { scope, test: Test::new(written)? })
    }

    /// Whether some item of a JSON value passes; nothing for a text that is no JSON.
    pub(super) fn ask(&self, json: &str) -> Option<bool> {
        let root = json.trim();
        match &self.scope.step {
            None => self.items(root, self.scope.unwrap, self.scope.values),
            Some(Step::Index(index)) => {
                if !root.starts_with('[') {
                    return if *index == 0 { self.items(root, self.scope.unwrap, false) } else { Some(false) };
                }
                let items = list(root)?;
                let item = usize::try_from(*index).ok().and_then(|index| items.get(index));
                item.map_or(Some(false), |item| self.items(item.get(), self.scope.unwrap, false))
            }
            Some(Step::Member(key)) => {
                let mut found = false;
                let dictionaries = if root.starts_with('[') { list(root)? } else { vec![] };
                let texts = dictionaries.iter().map(|item| item.get());
                let one = if root.starts_with('{') { Some(root) } else { None };
                for text in texts.chain(one).filter(|text| text.starts_with('{')) {
                    if let Some(value) = members(text)?.get(key.as_str()) {
                        found |= self.items(value.get(), self.scope.unwrap, false)?;
                    }
                }
                Some(found)
            }
        }
    }

    fn items(&self, json: &str, unwrap: u8, values: bool) -> Option<bool> {
        match json.as_bytes().first()? {
            b'[' if unwrap > 0 => {
                for item in list(json)? {
                    if self.items(item.get(), unwrap - 1, false)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
            b'{' if values => {
                for value in members(json)?.values() {
                    if self.items(value.get(), 1, false)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
            _ => passes(json, &self.test),
        }
    }
}

fn list(json: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(json).ok()
}

fn members(json: &str) -> Option<BTreeMap<Cow<'_, str>, &RawValue>> {
    serde_json::from_str(json).ok()
}

/// How an item compares; nothing if it cannot.
fn ordering(json: &str, value: &Scalar) -> Option<Ordering> {
    match (json.as_bytes().first()?, value) {
        (b'n', Scalar::Null) => Some(Ordering::Equal),
        (b't' | b'f', Scalar::Bool(value)) => Some(json.starts_with('t').cmp(value)),
        (b'-' | b'0'..=b'9', Scalar::Number(value)) => Some(compare(json, value)),
        (b'"', Scalar::Text(value)) => Some(text(json)?.as_ref().cmp(value.as_str())),
        _ => None,
    }
}

fn text(json: &str) -> Option<Cow<'_, str>> {
    // Without escapes the text is there already.
    if !json.contains('\\') {
        return json.get(1..json.len().checked_sub(1)?).map(Cow::Borrowed);
    }
    serde_json::from_str::<String>(json).ok().map(Cow::Owned)
}

fn passes(json: &str, test: &Test) -> Option<bool> {
    let is_null = json.starts_with('n');
    Some(match test {
        Test::Anything => true,
        Test::Compare(op, value) => match ordering(json, value) {
            Some(ordering) => op.holds(ordering),
            // Null differs from everything else.
            None => matches!(op, Op::NotEq) && (is_null || matches!(value, Scalar::Null)),
        },
        Test::Incomparable(value) => !is_null && !matches!(value, Scalar::Null) && ordering(json, value).is_none(),
        Test::In(values) => values.iter().any(|value| ordering(json, value) == Some(Ordering::Equal)),
        Test::Between(low, high) => {
            ordering(json, low).is_some_and(Ordering::is_ge) && ordering(json, high).is_some_and(Ordering::is_le)
        }
        Test::Matches(regex, found) => json.starts_with('"') && regex.is_match(&text(json)?) == *found,
        Test::Length(test) => match json.starts_with('[') {
            true => passes(&list(json)?.len().to_string(), test)?,
            false => false,
        },
        Test::IsList => json.starts_with('['),
        Test::Not(test) => !passes(json, test)?,
    })
}
