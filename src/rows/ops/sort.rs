//! `sort`: stable. Empty cells come last ascending and first descending. Rows that do not fit in memory go to disk.

use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::pipeline::{Flow, Operator, Setting, Sink};
use crate::row::{Columns, Row};
use crate::store::disk::Disk;
use crate::store::key;
use crate::store::sorter::Sorter;
use lakeql_query::dialects::hydra::ops::{ColumnRef, SortKey};

pub(super) struct Sort {
    keys: Keys,
    sorter: Option<Sorter>,
    key: Vec<u8>,
}

impl Sort {
    pub(super) fn new(keys: &[SortKey], input: &Columns, setting: &Setting) -> Self {
        let sorter = Sorter::new(setting.share(), Disk::default());
        Self { keys: Keys::new(keys, input), sorter: Some(sorter), key: vec![] }
    }
}

impl Operator for Sort {
    fn push(&mut self, row: Row, _out: &mut dyn Sink) -> Result<Flow, Failure> {
        self.key.clear();
        self.keys.write(&row, &mut self.key);
        if let Some(sorter) = &mut self.sorter {
            sorter.push(&self.key, &row)?;
        }
        Ok(Flow::More)
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        self.keys.create();
        let Some(sorter) = self.sorter.take() else { return Ok(Flow::More) };
        let mut sorted = sorter.finish()?;
        let mut before: Option<Row> = None;
        while let Some(row) = sorted.next()? {
            if self.keys.unreadable {
                if let Some(before) = &before {
                    self.keys.compare(before, &row)?;
                }
                before = Some(row.clone());
            }
            if out.send(row)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::More)
    }
}

/// The columns by which rows are sorted.
struct Keys {
    keys: Vec<SortKey>,
    input: Columns,
    /// Where each is, once that is known. As long as there is no such column, no row has a cell of it.
    positions: Vec<Option<usize>>,
    /// How many columns there were when they were looked for.
    known: usize,
    /// Whether there was a text that is no number. That is an error only beside a value that it would have to be compared
    /// with: in rows that the columns before do not tell apart.
    unreadable: bool,
}

impl Keys {
    fn new(keys: &[SortKey], input: &Columns) -> Self {
        let positions = vec![None; keys.len()];
        Self { keys: keys.to_vec(), input: input.clone(), positions, known: usize::MAX, unreadable: false }
    }

    fn write(&mut self, row: &Row, into: &mut Vec<u8>) {
        let width = self.input.len();
        if width != self.known {
            self.known = width;
            for (key, position) in self.keys.iter().zip(&mut self.positions) {
                let by_number = || key.column.position.filter(|position| *position < width);
                *position = position.or_else(by_number).or_else(|| self.input.find(&key.column.text));
            }
        }
        for (key, position) in self.keys.iter().zip(&self.positions) {
            if key::write(cell(row, key, *position), key.as_type, key.descending, into).is_err() {
                self.unreadable = true;
                key::write_unreadable(key.descending, into);
            }
        }
    }

    /// Whether neighbours can be compared.
    fn compare(&self, above: &Row, below: &Row) -> Result<(), Problem> {
        for (key, position) in self.keys.iter().zip(&self.positions) {
            let (above, below) = (cell(above, key, *position), cell(below, key, *position));
            if above.is_empty() && below.is_empty() {
                continue;
            }
            if above.is_empty() || below.is_empty() {
                return Ok(());
            }
            let (mut a, mut b) = (vec![], vec![]);
            key::write(above, key.as_type, key.descending, &mut a)?;
            key::write(below, key.as_type, key.descending, &mut b)?;
            if a != b {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Columns that are nowhere are created, as all ops do.
    fn create(&self) {
        let refs: Vec<ColumnRef> = self.keys.iter().map(|key| key.column.clone()).collect();
        self.input.resolve_all(&refs);
    }
}

/// The cell of a key. A row may have cells beyond the columns that have a name.
fn cell<'a>(row: &'a Row, key: &SortKey, position: Option<usize>) -> &'a Cell {
    let position = position.or(key.column.position.filter(|position| *position < row.len()));
    position.map_or(&crate::cell::EMPTY, |position| row.get(position))
}

/// Rows in the order of one column.
pub(super) fn by_column(rows: Vec<Row>, by: &SortKey, position: usize) -> Result<Vec<Row>, Problem> {
    if rows.len() < 2 {
        return Ok(rows);
    }
    let mut keyed = vec![];
    for row in rows {
        let mut bytes = vec![];
        key::write(row.get(position), by.as_type, by.descending, &mut bytes)?;
        keyed.push((bytes, row));
    }
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(keyed.into_iter().map(|(_, row)| row).collect())
}
