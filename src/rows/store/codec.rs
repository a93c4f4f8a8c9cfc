//! Rows as bytes.
//!
//! ```text
//! row  = count { cell }
//! cell = 0                    empty
//!      | 1 integer
//!      | 2 double
//!      | 3 text
//!      | 4 bytes
//!      | 5 count { cell }     array
//!      | 6 count { text cell }   map
//!      | 7 estimate of distinct values
//!      | 8 bloom filter
//!      | 16 + length, bytes   text of less than 240 bytes
//! ```

use crate::cell::Cell;
use crate::error::Problem;
use crate::row::Row;
use crate::sketch::{Bloom, Cardinality, In, Out};
use std::sync::Arc;

/// Tag of a text of no bytes; the length is added.
const SHORT: u8 = 16;

/// Appends a row.
pub(crate) fn write_row(row: &Row, into: &mut Out) {
    into.count(row.cells.len());
    for cell in &row.cells {
        write_cell(cell, into);
    }
}

fn write_cell(cell: &Cell, into: &mut Out) {
    match cell {
        Cell::Empty => into.raw(&[0]),
        Cell::Int(value) => {
            into.raw(&[1]);
            into.int(*value);
        }
        Cell::Float(value) => {
            into.raw(&[2]);
            into.float(*value);
        }
        Cell::Text(text) => match u8::try_from(text.len()).ok().and_then(|length| length.checked_add(SHORT)) {
            Some(tag) => {
                into.raw(&[tag]);
                into.raw(text.as_bytes());
            }
            None => {
                into.raw(&[3]);
                into.text(text);
            }
        },
        Cell::Bytes(bytes) => {
            into.raw(&[4]);
            into.bytes(bytes);
        }
        Cell::List(items) => {
            into.raw(&[5]);
            into.count(items.len());
            items.iter().for_each(|item| write_cell(item, into));
        }
        Cell::Map(entries) => {
            into.raw(&[6]);
            into.count(entries.len());
            for (key, value) in entries.iter() {
                into.text(key);
                write_cell(value, into);
            }
        }
        Cell::Distinct(estimate) => {
            into.raw(&[7]);
            estimate.write(into);
        }
        Cell::Bloom(filter) => {
            into.raw(&[8]);
            filter.write(into);
        }
    }
}

/// The row that these bytes are.
///
/// # Errors
/// Bytes that are none: the temporary file was changed by somebody else.
pub(crate) fn read_row(bytes: &[u8]) -> Result<Row, Problem> {
    let mut from = In::new(bytes);
    row(&mut from).filter(|_| from.is_empty()).ok_or_else(damaged)
}

/// What is said about bytes that are no row.
pub(crate) fn damaged() -> Problem {
    Problem::Disk("a temporary file has been damaged".into())
}

fn row(from: &mut In<'_>) -> Option<Row> {
    let count = from.count()?;
    let mut cells = Vec::with_capacity(count);
    for _ in 0..count {
        cells.push(cell(from)?);
    }
    Some(Row { cells })
}

fn cell(from: &mut In<'_>) -> Option<Cell> {
    Some(match *from.raw(1)?.first()? {
        0 => Cell::Empty,
        1 => Cell::Int(from.int()?),
        2 => Cell::Float(from.float()?),
        3 => Cell::from(from.text()?),
        4 => Cell::Bytes(from.bytes()?.into()),
        5 => Cell::List((0..from.count()?).map(|_| cell(from)).collect::<Option<_>>()?),
        6 => {
            let count = from.count()?;
            let entry = |_| Some((from.text()?.to_owned(), cell(from)?));
            Cell::Map(Arc::new((0..count).map(entry).collect::<Option<_>>()?))
        }
        7 => Cell::Distinct(Arc::new(Cardinality::read(from)?)),
        8 => Cell::Bloom(Arc::new(Bloom::read(from)?)),
        tag => {
            let length = usize::from(tag.checked_sub(SHORT)?);
            Cell::from(std::str::from_utf8(from.raw(length)?).ok()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_survives() {
        let mut estimate = Cardinality::default();
        let mut filter = Bloom::new(1000, 3);
        for value in 0..50 {
            estimate.add(&value.to_string());
            filter.add(&value.to_string());
        }
        let mut large = Cardinality::default();
        for value in 0..5000 {
            large.add(&value.to_string());
        }
        let cells = vec![
            Cell::Empty,
            Cell::Int(0),
            Cell::Int(-1),
            Cell::Int(i64::MIN),
            Cell::Int(i64::MAX),
            Cell::Float(-0.0),
            Cell::Float(f64::INFINITY),
            Cell::from(""),
            Cell::from("日本"),
            Cell::from("x".repeat(239)),
            Cell::from("x".repeat(240)),
            Cell::from("x".repeat(70_000)),
            Cell::Bytes([0, 255].into()),
            Cell::List([Cell::Int(1), Cell::Empty, Cell::List([].into())].into()),
            Cell::Map(Arc::new([("k".to_owned(), Cell::Int(1)), ("l".to_owned(), Cell::Empty)].into())),
            Cell::Distinct(Arc::new(estimate)),
            Cell::Distinct(Arc::new(large)),
            Cell::Bloom(Arc::new(filter)),
            Cell::Empty,
        ];
        for row in [Row::new(cells), Row::default(), Row::new(vec![Cell::Empty])] {
            let mut out = Out::default();
            write_row(&row, &mut out);
            let bytes = out.done();
            assert_eq!(read_row(&bytes).unwrap(), row);
            for end in 0..bytes.len().min(2000) {
                assert!(read_row(bytes.get(..end).unwrap()).is_err());
            }
        }
        let mut out = Out::default();
        write_row(&Row::new(vec![Cell::Float(f64::NAN)]), &mut out);
        assert!(matches!(read_row(out.as_slice()).unwrap().get(0), Cell::Float(value) if value.is_nan()));
    }
}
