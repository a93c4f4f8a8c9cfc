//! `distribution`, `percentrank` and `ftable`.

use super::{TableOp, hold, send_all, send_read};
use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::limits::Share;
use crate::number::{Number, any_number, integer, integer_or_number};
use crate::pipeline::{Flow, Operator, Setting, Sink, no_rows};
use crate::row::{Columns, Row};
use crate::store::Spool;
use lakeql_query::dialects::hydra::ops::ColumnRef;
use std::collections::BTreeMap;

/// The percentiles that `distribution` shows, as they are written.
const SHOWN: [(&str, f64); 6] =
    [(".5", 0.5), (".75", 0.75), (".95", 0.95), (".98", 0.98), (".99", 0.99), (".999", 0.999)];

/// `distribution`: all values count.
pub(super) struct Distribution {
    column: usize,
    values: Vec<i64>,
    held: Share,
}

impl Distribution {
    pub(super) fn new(column: usize, setting: &Setting) -> Self {
        Self { column, values: vec![], held: setting.budget.share() }
    }
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

impl Operator for Distribution {
    fn push(&mut self, row: Row, _out: &mut dyn Sink) -> Result<Flow, Failure> {
        hold(&mut self.values, any_number(row.get(self.column))?.as_int(), &mut self.held)?;
        Ok(Flow::More)
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        if self.values.is_empty() {
            return Err(no_rows("the distribution").into());
        }
        self.values.sort_unstable();
        let row = |(name, share): (&str, f64)| Row::new(vec![Cell::from(name), quantile(&self.values, share).into()]);
        send_all(SHOWN.into_iter().map(row), out)
    }
}

/// `percentrank`: rows without a readable value vanish.
pub(super) struct Rank {
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) held: Share,
}

impl TableOp for Rank {
    #[allow(clippy::cast_precision_loss, reason = "positions")]
    fn table(&mut self, rows: &Spool, out: &mut dyn Sink) -> Result<Flow, Failure> {
        let value = |row: &Row| integer(row.get(self.input)).ok();
        let mut values: Vec<i64> = vec![];
        for row in rows.rows() {
            if let Some(value) = value(&row?) {
                hold(&mut values, value, &mut self.held)?;
            }
        }
        values.sort_unstable();
        for row in rows.rows() {
            let mut row = row?;
            let Some(value) = value(&row) else { continue };
            let rank = (values.partition_point(|other| *other < value) + 1) as f64 / values.len() as f64;
            let place = self.output.min(row.len());
            row.set(place, rank.into());
            if out.send(row)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::More)
    }
}

/// `ftable`: percentiles of each run of equal keys. They come out when the last row has been seen.
pub(super) struct FrequencyTable {
    input: Columns,
    keys: Vec<ColumnRef>,
    names: [String; 2],
    total: bool,
    percentiles: Vec<f64>,
    bound: Option<Bound>,
    /// The first row of the run, and how often each value was seen.
    run: Option<(Row, BTreeMap<i64, i64>)>,
    answers: Spool,
    held: Share,
}

#[derive(Clone)]
struct Bound {
    keys: Vec<usize>,
    value: usize,
    frequency: usize,
}

impl FrequencyTable {
    pub(super) fn new(
        input: &Columns,
        keys: &[ColumnRef],
        (value, frequency): (&str, &str),
        total: bool,
        percentiles: &[f64],
        setting: &Setting,
    ) -> Self {
        Self {
            input: input.clone(),
            keys: keys.to_vec(),
            names: [value.to_owned(), frequency.to_owned()],
            total,
            percentiles: percentiles.to_vec(),
            bound: None,
            run: None,
            answers: setting.spool(),
            held: setting.budget.share(),
        }
    }

    /// The first row of a run, its value and frequency replaced by what the run answers.
    fn answer(&mut self, bound: &Bound) -> Result<(), Problem> {
        let Some((mut row, counts)) = self.run.take() else { return Ok(()) };
        self.held.give_back(usize::MAX);
        for column in [bound.value, bound.frequency] {
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
        self.answers.push(&row)
    }
}

impl Operator for FrequencyTable {
    fn push(&mut self, row: Row, _out: &mut dyn Sink) -> Result<Flow, Failure> {
        let bound = self.bound.take().unwrap_or_else(|| Bound {
            keys: self.input.resolve_all(&self.keys),
            value: self.input.find_or_create(&self.names[0]),
            frequency: self.input.find_or_create(&self.names[1]),
        });
        let number = |column: usize| integer_or_number(row.get(column))?.map(Number::as_int).ok_or(Problem::EmptyCell);
        let (value, frequency) = (number(bound.value)?, number(bound.frequency)?);
        let same = self.run.as_ref().is_some_and(|(first, _)| {
            bound.keys.iter().all(|key| !row.get(*key).is_empty() && row.get(*key).same_text(first.get(*key)))
        });
        if !same {
            self.answer(&bound)?;
        }
        let (_, counts) = self.run.get_or_insert_with(|| (row, BTreeMap::new()));
        let before = counts.len();
        let count = counts.entry(value).or_insert(0);
        *count = count.wrapping_add(frequency);
        if counts.len() > before {
            // About what an entry of the tree takes.
            self.held.take(32)?;
        }
        self.bound = Some(bound);
        Ok(Flow::More)
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        if let Some(bound) = self.bound.take() {
            self.answer(&bound)?;
        }
        send_read(self.answers.rows(), out)
    }
}
