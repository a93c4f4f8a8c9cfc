//! Ops that replace values: `map`, `rmap`, `ordermap`.

use super::RowOp;
use crate::cell::Cell;
use crate::error::Problem;
use crate::limits::Budget;
use crate::pipeline::Setting;
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::ops as syntax;
use regex::{Regex, RegexBuilder};
use std::collections::HashMap;

/// Most bytes that a compiled regular expression takes.
const LARGEST_REGEX: usize = 1 << 20;

/// A regular expression that occurs somewhere. Matching takes linear time.
pub(crate) fn part_regex(pattern: &str) -> Result<Regex, Problem> {
    build(&translated(pattern))
}

/// A regular expression that matches the whole text.
pub(crate) fn whole_regex(pattern: &str) -> Result<Regex, Problem> {
    let pattern = translated(pattern);
    // Checked alone first: what closes a group it did not open would otherwise close ours.
    build(&pattern)?;
    build(&format!(r"\A(?:{pattern})\z")).or_else(|_| build(&format!("\\A(?:{pattern}\n)\\z")))
}

fn build(pattern: &str) -> Result<Regex, Problem> {
    let built =
        RegexBuilder::new(pattern).size_limit(LARGEST_REGEX).dfa_size_limit(LARGEST_REGEX).nest_limit(100).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => {
            Problem::Limit(format!("a regular expression takes more than {limit} bytes"))
        }
        other => Problem::Regex(reason(&other)),
    })
}

/// What Java writes otherwise: digits, words and blanks are those of ASCII, `\Q…\E` stands for itself.
fn translated(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find('\\') {
        let (before, behind) = rest.split_at(at);
        text.push_str(before);
        let mut chars = behind.chars();
        chars.next();
        let class = match chars.next() {
            Some('d') => "[0-9]",
            Some('D') => "[^0-9]",
            Some('w') => "[a-zA-Z0-9_]",
            Some('W') => "[^a-zA-Z0-9_]",
            Some('s') => r"[ \t\n\x0b\f\r]",
            Some('S') => r"[^ \t\n\x0b\f\r]",
            Some('Q') => {
                let quoted = chars.as_str();
                let (quoted, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                text.push_str(&regex::escape(quoted));
                rest = after;
                continue;
            }
            Some(other) => {
                text.extend(['\\', other]);
                rest = chars.as_str();
                continue;
            }
            None => "\\",
        };
        text.push_str(class);
        rest = chars.as_str();
    }
    text + rest
}

/// The last line of the message, which says what is wrong; those above draw the expression.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// `map`: texts that are equal.
pub(super) struct Map {
    column: usize,
    entries: HashMap<String, Cell>,
    space: String,
}

impl Map {
    pub(super) fn new(column: usize, entries: &[(String, String)]) -> Self {
        let entries = entries.iter().map(|(from, to)| (from.clone(), Cell::from(to.as_str()))).collect();
        Self { column, entries, space: String::new() }
    }
}

impl RowOp for Map {
    fn row(&mut self, mut row: Row) -> Result<Option<Row>, Problem> {
        let new = row.get(self.column).text_in(&mut self.space).and_then(|text| self.entries.get(text)).cloned();
        if let Some(new) = new {
            row.set(self.column, new);
        }
        Ok(Some(row))
    }
}

/// `rmap`: texts that match as a whole; of several patterns the last one counts.
pub(super) struct RegexMap {
    column: usize,
    entries: Vec<(Regex, Cell)>,
    space: String,
}

impl RegexMap {
    pub(super) fn new(column: usize, entries: &[(String, String)]) -> Result<Self, Problem> {
        let entry = |(from, to): &(String, String)| Ok((whole_regex(from)?, Cell::from(to.as_str())));
        let entries = entries.iter().map(entry).collect::<Result<_, Problem>>()?;
        Ok(Self { column, entries, space: String::new() })
    }
}

impl RowOp for RegexMap {
    fn row(&mut self, mut row: Row) -> Result<Option<Row>, Problem> {
        let new = row.get(self.column).text_in(&mut self.space).and_then(|text| {
            self.entries.iter().rev().find(|(pattern, _)| pattern.is_match(text)).map(|(_, new)| new.clone())
        });
        if let Some(new) = new {
            row.set(self.column, new);
        }
        Ok(Some(row))
    }
}

/// `ordermap`: copies a cell where another one has a text.
pub(super) struct OrderMap {
    rules: Vec<syntax::OrderMap>,
    input: Columns,
    budget: Budget,
    space: String,
}

impl OrderMap {
    pub(super) fn new(rules: &[syntax::OrderMap], input: &Columns, setting: &Setting) -> Self {
        Self { rules: rules.to_vec(), input: input.clone(), budget: setting.budget.clone(), space: String::new() }
    }
}

impl RowOp for OrderMap {
    fn row(&mut self, mut row: Row) -> Result<Option<Row>, Problem> {
        for rule in &self.rules {
            if row.get(rule.test).text_in(&mut self.space).is_some_and(|text| text == rule.text.as_str()) {
                let width = self.input.len().max(row.len());
                if rule.to >= width {
                    return Err(Problem::other(format!(
                        "there is no column {} to copy to, rows have {width}",
                        rule.to
                    )));
                }
                self.budget.check_row(rule.to + 1)?;
                let cell = row.get(rule.from).clone();
                row.set(rule.to, cell);
            }
        }
        Ok(Some(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_quotes_are_those_of_java() {
        let matches = |pattern: &str, text: &str| whole_regex(pattern).unwrap().is_match(text);
        assert!(matches(r"\d+", "12") && !matches(r"\d+", "١٢") && matches(r"[\d.]+", "1.2"));
        assert!(matches(r"\w+", "a_1") && !matches(r"\w+", "é") && matches(r"\W", "é"));
        assert!(matches(r"\Qa.b\E.", "a.bc") && !matches(r"\Qa.b\E", "axb") && matches(r"\Q(", "("));
        assert!(matches(r"\\d", r"\d") && matches(r"a\.b", "a.b") && whole_regex(r"a\").is_err());
        assert!(matches("(?x) a # comment", "a"));
    }
}
