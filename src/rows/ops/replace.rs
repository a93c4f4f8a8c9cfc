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
    let built =
        RegexBuilder::new(pattern).size_limit(LARGEST_REGEX).dfa_size_limit(LARGEST_REGEX).nest_limit(100).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => {
            Problem::Limit(format!("a regular expression takes more than {limit} bytes"))
        }
        other => Problem::Regex(reason(&other)),
    })
}

/// A regular expression that matches the whole text.
pub(crate) fn whole_regex(pattern: &str) -> Result<Regex, Problem> {
    // Checked alone first: what closes a group it did not open would otherwise close ours.
    part_regex(pattern)?;
    part_regex(&format!(r"\A(?:{pattern})\z")).or_else(|_| part_regex(&format!("\\A(?:{pattern}\n)\\z")))
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
                    return Err(Problem::other(format!("there is no column {} to copy to, rows have {width}", rule.to)));
                }
                self.budget.check_row(rule.to + 1)?;
                let cell = row.get(rule.from).clone();
                row.set(rule.to, cell);
            }
        }
        Ok(Some(row))
    }
}
