//! `datef`: dates written in another way. Times are UTC.

use super::RowOp;
use crate::cell::Cell;
use crate::dates::{Instant, Pattern};
use crate::error::Problem;
use crate::row::Row;

pub(super) struct DateFormat {
    columns: Vec<usize>,
    /// None is milliseconds since 1970.
    input: Option<Pattern>,
    output: Option<Pattern>,
    to: usize,
    text: String,
}

impl DateFormat {
    pub(super) fn new(
        columns: &[usize],
        (input, output): (Option<&str>, Option<&str>),
        to: usize,
    ) -> Result<Self, Problem> {
        let pattern = |text: Option<&str>| text.map(Pattern::new).transpose().map_err(Problem::Other);
        Ok(Self {
            columns: columns.to_vec(),
            input: pattern(input)?,
            output: pattern(output)?,
            to,
            text: String::new(),
        })
    }
}

impl RowOp for DateFormat {
    fn row(&mut self, mut row: Row) -> Result<Option<Row>, Problem> {
        let text = &mut self.text;
        text.clear();
        for column in &self.columns {
            row.get(*column).push_text(text);
        }
        let instant = match &self.input {
            None => Instant::of_millis(text.parse().map_err(|_| Problem::not_a_number(text))?),
            Some(pattern) => pattern.parse(text).map_err(Problem::Other)?,
        };
        let cell = match &self.output {
            None => Cell::Int(instant.millis()),
            Some(pattern) => Cell::from(pattern.print(instant).map_err(Problem::Other)?),
        };
        let place = self.to.min(row.len());
        row.set(place, cell);
        Ok(Some(row))
    }
}
