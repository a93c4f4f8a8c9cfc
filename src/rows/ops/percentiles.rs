//! `distribution`, `percentrank` and `ftable`.

use super::{TableOp, table};
use crate::cell::Cell;
use crate::error::Problem;
use crate::number::{Number, any_number, integer, integer_or_number};
use crate::pipeline::{Made, Operator, Setting, no_rows};
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::ops::ColumnRef;
use std::collections::BTreeMap;

/// The percentiles that `distribution` shows, as they are written.
const SHOWN: [(&str, f64); 6] =
    [(".5", 0.5), (".75", 0.75), (".95", 0.95), (".98", 0.98), (".99", 0.99), (".999", 0.999)];

struct Distribution {
    column: usize,
}

pub(super) fn distribution(column: usize, setting: &Setting) -> Made {
    super::new(table(Distribution { column }, setting))
}

/// The value below which a share of the sorted values lies, between two of them by a straight line.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positions")]
pub(crate) fn quantile(sorted: &[i64], share: f64) -> f64 {
    let place = share * (sorted.len() as f64 + 1.0);
    let at = |index: usize| sorted.get(index).map_or(0.0, |value| *value as f64);
    if place < 1.0 {
        return at(0);
    }
    if place >= sorted.len() as f64 {
        return at(sorted.len().saturating_sub(1));
    }
    let (lower, upper) = (at(place as usize - 1), at(place as usize));
    lower + (place - place.floor()) * (upper - lower)
}

impl TableOp for Distribution {
    fn table(&mut self, rows: Vec<Row>) -> Result<Vec<Row>, Problem> {
        let values: Result<Vec<_>, _> =
            rows.iter().map(|row| any_number(row.get(self.column)).map(Number::as_int)).collect();
        let mut values = values?;
        if values.is_empty() {
            return Err(no_rows("the distribution"));
        }
        values.sort_unstable();
        let row = |(name, share): (&str, f64)| Row::new(vec![Cell::from(name), quantile(&values, share).into()]);
        Ok(SHOWN.into_iter().map(row).collect())
    }
}

/// `percentrank`: rows without a readable value vanish.
pub(super) struct Rank {
    pub(super) input: usize,
    pub(super) output: usize,
}

impl TableOp for Rank {
    #[allow(clippy::cast_precision_loss, reason = "positions")]
    fn table(&mut self, rows: Vec<Row>) -> Result<Vec<Row>, Problem> {
        let value = |row: &Row| integer(row.get(self.input)).ok();
        let mut values: Vec<i64> = rows.iter().filter_map(value).collect();
        values.sort_unstable();
        let mut ranked = vec![];
        for mut row in rows {
            let Some(value) = value(&row) else { continue };
            let rank = (values.partition_point(|other| *other < value) + 1) as f64 / values.len() as f64;
            let place = self.output.min(row.len());
            row.set(place, rank.into());
            ranked.push(row);
        }
        Ok(ranked)
    }
}

struct FrequencyTable {
    input: Columns,
    keys: Vec<ColumnRef>,
    value: String,
    frequency: String,
    total: bool,
    percentiles: Vec<f64>,
}

pub(super) fn frequency_table(
    input: &Columns,
    keys: &[ColumnRef],
    (value, frequency): (&str, &str),
    total: bool,
    percentiles: &[f64],
    setting: &Setting,
) -> Box<dyn Operator> {
    let op = FrequencyTable {
        input: input.clone(),
        keys: keys.to_vec(),
        value: value.to_owned(),
        frequency: frequency.to_owned(),
        total,
        percentiles: percentiles.to_vec(),
    };
    table(op, setting)
}

impl FrequencyTable {
    /// The first row of a run, its value and frequency replaced by what the run answers.
    fn answer(&self, mut row: Row, columns: (usize, usize), counts: &BTreeMap<i64, i64>) -> Row {
        for column in [columns.0, columns.1] {
            if column < row.len() {
                row.set(column, Cell::Empty);
            }
        }
        row.trim();
        let total: i64 = counts.values().fold(0, |total, count| total.wrapping_add(*count));
        if self.total {
            row.push(Cell::Int(total));
        }
        for share in &self.percentiles {
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "positions")]
            let place = ((share * total as f64 + 0.5).floor() as i64).max(0);
            let mut seen = 0_i64;
            let found = counts.iter().find(|(_, count)| {
                seen = seen.wrapping_add(**count);
                seen >= place
            });
            row.push(Cell::Int(found.map_or(-1, |(value, _)| *value)));
        }
        row
    }
}

impl TableOp for FrequencyTable {
    fn table(&mut self, rows: Vec<Row>) -> Result<Vec<Row>, Problem> {
        let keys = self.input.resolve_all(&self.keys);
        let columns = (self.input.find_or_create(&self.value), self.input.find_or_create(&self.frequency));
        let mut answers = vec![];
        let mut run: Option<(Row, BTreeMap<i64, i64>)> = None;
        for row in rows {
            let number =
                |column: usize| integer_or_number(row.get(column))?.map(Number::as_int).ok_or(Problem::EmptyCell);
            let (value, frequency) = (number(columns.0)?, number(columns.1)?);
            let same = run.as_ref().is_some_and(|(first, _)| {
                keys.iter().all(|key| {
                    let text = row.get(*key).to_text();
                    text.is_some() && text == first.get(*key).to_text()
                })
            });
            if !same && let Some((first, counts)) = run.take() {
                answers.push(self.answer(first, columns, &counts));
            }
            let (_, counts) = run.get_or_insert_with(|| (row, BTreeMap::new()));
            let count = counts.entry(value).or_insert(0);
            *count = count.wrapping_add(frequency);
        }
        if let Some((first, counts)) = run {
            answers.push(self.answer(first, columns, &counts));
        }
        Ok(answers)
    }
}
