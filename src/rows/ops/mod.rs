//! The ops, section 5 of the specification. One op or family one file.

mod change_points;
mod columns;
mod date_format;
mod depivot;
mod diff;
mod disorder;
mod fold;
mod gather;
mod group_by;
mod helpers;
mod histogram;
mod holt_winters;
mod keys;
mod merge;
mod murmur;
mod number;
mod order;
mod percentiles;
mod pivot;
mod replace;
mod roll;
mod seen;
mod select;
mod singletons;
mod size;
mod sort;
mod text;

pub(crate) use histogram::power_below;
pub(crate) use percentiles::quantile;
pub(crate) use replace::whole_regex;

use crate::error::{Failure, Problem};
use crate::limits::Share;
use crate::pipeline::{Flow, Made, Operator, Setting, Sink};
use crate::row::{Columns, Row};
use crate::store::Spool;
use lakeql_query::dialects::hydra::ops::{ColumnRef, Op, Pipeline, RollOutput};

/// Makes an op for rows with these columns.
pub(crate) fn make(op: &Op, input: &Columns, setting: &Setting) -> Result<Made, Problem> {
    let same = |operator: Box<dyn Operator>| Made { operator, columns: input.clone() };
    Ok(match op {
        Op::Gather(spec) => gather::make(spec, input, setting),
        Op::Merge(spec) => merge::make(spec, input, setting),
        Op::GroupBy { keys, ops } => group_by::make(keys, ops, input, setting)?,
        Op::Pivot(spec) => pivot::make(spec, input, setting),
        Op::Depivot(cells) => depivot::make(cells),
        Op::Roll(spec) => same(roll::make(spec, input, setting)),
        Op::Histogram { column, scale } => histogram::powers(*column, *scale, setting),
        Op::Bounds { column, frequency, bounds } => histogram::bounds(*column, *frequency, bounds, setting.strict),
        Op::Distribution { column } => new(Box::new(percentiles::Distribution::new(*column, setting))),
        Op::PercentRank { input: from, output } => {
            same(table(percentiles::Rank { input: *from, output: *output, held: setting.budget.share() }, setting))
        }
        Op::Median => same(table(size::Median, setting)),
        Op::FrequencyTable { keys, value, frequency, total, percentiles } => same(Box::new(
            percentiles::FrequencyTable::new(input, keys, (value, frequency), *total, percentiles, setting),
        )),
        Op::Disorder { primary, secondary, frequency } => {
            new(Box::new(disorder::Disorder::new(*primary, *secondary, *frequency, setting)))
        }
        Op::Seen { column, bits, hashes } => new(Box::new(seen::Seen::new(*column, *bits, *hashes, setting))),
        Op::ChangePoints(spec) => change_points::make(spec, setting),
        Op::HoltWinters(spec) => holt_winters::make(spec, setting),
        Op::Diff(columns) => diff::make(columns, setting),
        Op::RemoveSingletons { key, value } => {
            same(table(singletons::RemoveSingletons::new(*key, *value, input, setting), setting))
        }
        Op::Fold { keys, column, values, copies } => fold::make(input, (keys, column, copies), values, setting)?,
        Op::Sort(keys) => same(Box::new(sort::Sort::new(keys, input, setting))),
        Op::Limit { skip, count } => same(Box::new(size::Limit::new(*skip, *count))),
        Op::Skip(numbers) => same(each(size::Skip::new(numbers))),
        Op::Range { begin, end } => same(size::range(*begin, *end, setting)),
        Op::Reverse => same(table(size::Reverse, setting)),
        Op::NoDuplicates => same(each(size::NoDuplicates::default())),
        Op::Order(columns) => order::make(columns, input),
        Op::Title(names) => same(Box::new(columns::Title::new(names, input))),
        Op::Fill(with) => same(each(columns::Fill::new(with, input, setting))),
        Op::Pad { with, columns } => {
            setting.budget.check_row(*columns)?;
            same(each(columns::Pad::new(with, *columns, input)))
        }
        Op::Contains { column, parts } => same(each(select::Contains::new(*column, parts))),
        Op::Compare { column, equal, other, with } => {
            same(each(select::Compare { column: *column, equal: *equal, other: *other, with: *with }))
        }
        Op::Map { column, entries } => same(each(replace::Map::new(*column, entries))),
        Op::RegexMap { column, entries } => same(each(replace::RegexMap::new(*column, entries)?)),
        Op::OrderMap(rules) => same(each(replace::OrderMap::new(rules, input, setting))),
        Op::DateFormat { columns, input: from, output, to } => {
            same(each(date_format::DateFormat::new(columns, (from.as_deref(), output.as_deref()), *to)?))
        }
        Op::Filter(filters) => same(each(select::Filters::new(filters, input)?)),
        Op::Transpose => columns::transpose(input, setting),
        Op::Number(program) => same(each(number::Calculator::new(program, input, setting))),
        Op::Text(steps) => same(each(text::Texts::new(steps, setting))),
        Op::Sleep { millis, spread } => same(each(helpers::Sleep::new(*millis, *spread))),
        Op::RandomFailure { percent } => same(each(helpers::RandomFailure::new(*percent))),
    })
}

/// How many columns of the input must be known before its first row can be worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Whatever the first row has.
    Any,
    /// So many, which the first row may have.
    AtLeast(usize),
    /// That of the widest row.
    All,
}

/// What a pipeline needs to know about its input: some op makes or fills columns beside those that the first rows have,
/// before any op that sees all rows or has columns of its own.
pub fn needs_width(pipeline: &Pipeline) -> Width {
    let positions = |columns: &[&[ColumnRef]]| {
        let most = columns
            .iter()
            .copied()
            .flatten()
            .try_fold(0, |most: usize, column| Some(most.max(column.position?.saturating_add(1))));
        most.map_or(Width::All, Width::AtLeast)
    };
    for call in &pipeline.ops {
        match &call.op {
            Op::Fill(_) => return Width::All,
            // From here on there are other columns.
            Op::Order(columns) => return positions(&[columns]),
            Op::Fold { keys, column, copies, .. } => {
                return positions(&[keys, std::slice::from_ref(column), copies]);
            }
            Op::Roll(spec) if spec.output == RollOutput::Append => return Width::All,
            Op::GroupBy { ops, .. } if needs_width(ops) != Width::Any => return Width::All,
            Op::Roll(_)
            | Op::GroupBy { .. }
            | Op::Limit { .. }
            | Op::Skip(_)
            | Op::NoDuplicates
            | Op::Title(_)
            | Op::Pad { .. }
            | Op::Contains { .. }
            | Op::Compare { .. }
            | Op::Map { .. }
            | Op::RegexMap { .. }
            | Op::OrderMap(_)
            | Op::DateFormat { .. }
            | Op::Filter(_)
            | Op::Number(_)
            | Op::Text(_)
            | Op::Sleep { .. }
            | Op::RandomFailure { .. } => {}
            Op::Gather(_)
            | Op::Merge(_)
            | Op::Pivot(_)
            | Op::Depivot(_)
            | Op::Histogram { .. }
            | Op::Bounds { .. }
            | Op::Distribution { .. }
            | Op::PercentRank { .. }
            | Op::Median
            | Op::FrequencyTable { .. }
            | Op::Disorder { .. }
            | Op::Seen { .. }
            | Op::ChangePoints(_)
            | Op::HoltWinters(_)
            | Op::Diff(_)
            | Op::RemoveSingletons { .. }
            | Op::Sort(_)
            | Op::Range { .. }
            | Op::Reverse
            | Op::Transpose => return Width::Any,
        }
    }
    Width::Any
}

/// An op with columns `0`, `1`, … of its own, as many as its rows turn out to have.
fn new(operator: Box<dyn Operator>) -> Made {
    Made { operator, columns: Columns::new() }
}

/// An op that looks at one row.
trait RowOp: Send {
    /// The row, changed perhaps, or nothing if it is dropped.
    fn row(&mut self, row: Row) -> Result<Option<Row>, Problem>;
}

struct Each<T>(T);

fn each<T: RowOp + 'static>(op: T) -> Box<dyn Operator> {
    Box::new(Each(op))
}

impl<T: RowOp> Operator for Each<T> {
    fn push(&mut self, row: Row, out: &mut dyn Sink) -> Result<Flow, Failure> {
        match self.0.row(row)? {
            Some(row) => Ok(out.send(row)?),
            None => Ok(Flow::More),
        }
    }
}

/// An op that looks at all rows.
trait TableOp: Send {
    /// Gives what becomes of the rows.
    fn table(&mut self, rows: &Spool, out: &mut dyn Sink) -> Result<Flow, Failure>;
}

/// Keeps the rows for an op that needs all of them, on disk where they do not fit.
struct Table<T> {
    op: T,
    rows: Spool,
}

fn table<T: TableOp + 'static>(op: T, setting: &Setting) -> Box<dyn Operator> {
    Box::new(Table { op, rows: setting.spool() })
}

impl<T: TableOp> Operator for Table<T> {
    fn push(&mut self, row: Row, _out: &mut dyn Sink) -> Result<Flow, Failure> {
        self.rows.push(&row)?;
        Ok(Flow::More)
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        self.op.table(&self.rows, out)
    }
}

/// Sends rows until no more are wanted.
fn send_all(rows: impl IntoIterator<Item = Row>, out: &mut dyn Sink) -> Result<Flow, Failure> {
    for row in rows {
        if out.send(row)? == Flow::Stop {
            return Ok(Flow::Stop);
        }
    }
    Ok(Flow::More)
}

/// As [`send_all`], for rows that may turn out to be unreadable.
fn send_read(rows: impl IntoIterator<Item = Result<Row, Problem>>, out: &mut dyn Sink) -> Result<Flow, Failure> {
    for row in rows {
        if out.send(row?)? == Flow::Stop {
            return Ok(Flow::Stop);
        }
    }
    Ok(Flow::More)
}

/// Values that an op holds in memory, and accounts for.
fn hold<T>(values: &mut Vec<T>, value: T, held: &mut Share) -> Result<(), Problem> {
    if values.len() == values.capacity() {
        held.take(values.len().max(1024) * size_of::<T>())?;
        values.reserve(values.len().max(1024));
    }
    values.push(value);
    Ok(())
}
