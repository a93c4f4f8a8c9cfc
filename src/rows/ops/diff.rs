//! `diff`: pairs of adjacent rows with one key become their difference.

use super::{TableOp, new, table};
use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::number::{Number, integer_or_number};
use crate::pipeline::{Flow, Made, Setting, Sink};
use crate::row::Row;
use crate::store::Spool;
use lakeql_query::dialects::hydra::ops::DiffColumn;

struct Diff {
    columns: Vec<DiffColumn>,
    strict: bool,
}

pub(super) fn make(columns: &[DiffColumn], setting: &Setting) -> Made {
    new(table(Diff { columns: columns.to_vec(), strict: setting.strict }, setting))
}

fn number(cell: &Cell) -> Result<Number, Problem> {
    Ok(integer_or_number(cell)?.unwrap_or(Number::Int(0)))
}

impl Diff {
    /// Key and alternating key of a row.
    fn keys(&self, row: &Row) -> (String, String) {
        let (mut key, mut alternating) = (String::new(), String::new());
        for (column, kind) in self.columns.iter().enumerate() {
            let text = row.get(column).to_text().unwrap_or("null".into());
            match kind {
                DiffColumn::Key => key.push_str(&text),
                DiffColumn::Alternating => alternating = text.into_owned(),
                DiffColumn::Difference | DiffColumn::Negative => {}
            }
        }
        (key, alternating)
    }

    /// The alternating key of first rows: the one of the row before the first row that repeats a key.
    fn first_kind(&self, rows: &Spool) -> Result<String, Problem> {
        let (mut last, mut kind) = (None, String::new());
        for row in rows.rows() {
            let (key, alternating) = self.keys(&row?);
            if last.as_ref() == Some(&key) {
                break;
            }
            (last, kind) = (Some(key), alternating);
        }
        Ok(kind)
    }

    /// A row that only one side has.
    fn alone(&self, row: &Row, sign: &str, key: Option<&str>) -> Result<Row, Problem> {
        let negative = sign == "-";
        let cell = |(column, kind): (usize, &DiffColumn)| {
            let cell = row.get(column);
            Ok(match kind {
                DiffColumn::Alternating => Cell::from(sign),
                DiffColumn::Key => key.map_or_else(|| cell.clone(), Cell::from),
                DiffColumn::Difference if negative => Number::Int(0).minus(number(cell)?).into(),
                DiffColumn::Negative if !negative => Number::Int(0).minus(number(cell)?).into(),
                DiffColumn::Difference | DiffColumn::Negative => cell.clone(),
            })
        };
        self.columns.iter().enumerate().map(cell).collect()
    }

    fn both(&self, first: &Row, second: &Row) -> Result<Row, Problem> {
        let cell = |(column, kind): (usize, &DiffColumn)| {
            let (first, second) = (first.get(column), second.get(column));
            Ok(match kind {
                DiffColumn::Alternating => Cell::from(""),
                DiffColumn::Key => second.clone(),
                DiffColumn::Difference => number(second)?.minus(number(first)?).into(),
                DiffColumn::Negative => number(first)?.minus(number(second)?).into(),
            })
        };
        self.columns.iter().enumerate().map(cell).collect()
    }
}

impl TableOp for Diff {
    fn table(&mut self, rows: &Spool, out: &mut dyn Sink) -> Result<Flow, Failure> {
        let first_kind = self.first_kind(rows)?;
        let mut waiting: Option<(String, Row)> = None;
        for row in rows.rows() {
            let row = row?;
            let (key, alternating) = self.keys(&row);
            let answer = match waiting.take() {
                None if alternating == first_kind => {
                    waiting = Some((key, row));
                    continue;
                }
                None => self.alone(&row, "+", None)?,
                Some((before, first)) if before == key => self.both(&first, &row)?,
                Some((_, first)) if self.strict => {
                    if out.send(self.alone(&first, "-", None)?)? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                    if alternating == first_kind {
                        waiting = Some((key, row));
                        continue;
                    }
                    self.alone(&row, "+", None)?
                }
                Some((before, first)) => {
                    // Also when it is a second row: the original does not look again.
                    waiting = Some((key, row));
                    self.alone(&first, "-", Some(&before))?
                }
            };
            if out.send(answer)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        // What waits at the end is lost, as in the original, unless strict.
        match waiting.filter(|_| self.strict) {
            Some((_, first)) => Ok(out.send(self.alone(&first, "-", None)?)?),
            None => Ok(Flow::More),
        }
    }
}
