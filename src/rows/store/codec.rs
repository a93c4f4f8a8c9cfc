//! Rows as bytes.
//!
//! ```text
//! row  = count { cell }
//! cell = 0                        empty
//!      | 1 zigzag                 integer
//!      | 2 8 bytes                double, its bits
//!      | 3 length bytes           text
//!      | 4 length bytes           bytes
//!      | 5 count { cell }         array
//!      | 6 count { length bytes cell }   map
//!      | 7 length bytes           estimate of distinct values
//!      | 8 length bytes           bloom filter
//!      | 16 + length bytes        text of less than 240 bytes
//! ```
//!
//! Counts and lengths are LEB128, integers zigzag and LEB128.

use crate::cell::Cell;
use crate::error::Problem;
use crate::row::Row;
use crate::sketch::{Bloom, Cardinality};
use std::sync::Arc;

/// Tag of a text of no bytes; the length is added.
const SHORT: u8 = 16;

/// Appends a number, seven bits a byte.
pub(crate) fn write_number(mut value: u64, into: &mut Vec<u8>) {
    while value >= 0x80 {
        #[allow(clippy::cast_possible_truncation, reason = "seven bits")]
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    #[allow(clippy::cast_possible_truncation, reason = "seven bits")]
    into.push(value as u8);
}

/// Takes a number from the front.
pub(crate) fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if *byte < 0x80 {
            return Some(value);
        }
        shift += 7;
    }
}

/// Takes so many bytes from the front.
fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// Takes bytes that follow their length.
pub(crate) fn read_bytes<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(read_number(bytes)?).ok()?;
    take(bytes, length)
}

/// Appends bytes behind their length.
pub(crate) fn write_bytes(bytes: &[u8], into: &mut Vec<u8>) {
    write_number(bytes.len() as u64, into);
    into.extend_from_slice(bytes);
}

/// Appends a row.
pub(crate) fn write_row(row: &Row, into: &mut Vec<u8>) {
    write_number(row.cells.len() as u64, into);
    for cell in &row.cells {
        write_cell(cell, into);
    }
}

fn write_cell(cell: &Cell, into: &mut Vec<u8>) {
    match cell {
        Cell::Empty => into.push(0),
        Cell::Int(value) => {
            into.push(1);
            #[allow(clippy::cast_sign_loss, reason = "bits")]
            write_number(((value << 1) ^ (value >> 63)) as u64, into);
        }
        Cell::Float(value) => {
            into.push(2);
            into.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        Cell::Text(text) => match u8::try_from(text.len()).ok().and_then(|length| length.checked_add(SHORT)) {
            Some(tag) => {
                into.push(tag);
                into.extend_from_slice(text.as_bytes());
            }
            None => {
                into.push(3);
                write_bytes(text.as_bytes(), into);
            }
        },
        Cell::Bytes(bytes) => {
            into.push(4);
            write_bytes(bytes, into);
        }
        Cell::List(items) => {
            into.push(5);
            write_number(items.len() as u64, into);
            items.iter().for_each(|item| write_cell(item, into));
        }
        Cell::Map(entries) => {
            into.push(6);
            write_number(entries.len() as u64, into);
            for (key, value) in entries.iter() {
                write_bytes(key.as_bytes(), into);
                write_cell(value, into);
            }
        }
        Cell::Distinct(estimate) => {
            into.push(7);
            write_bytes(&estimate.to_bytes(), into);
        }
        Cell::Bloom(filter) => {
            into.push(8);
            write_bytes(&filter.to_bytes(), into);
        }
    }
}

/// The row that these bytes are.
///
/// # Errors
/// Bytes that are none: the temporary file was changed by somebody else.
pub(crate) fn read_row(mut bytes: &[u8]) -> Result<Row, Problem> {
    row(&mut bytes).filter(|_| bytes.is_empty()).ok_or_else(damaged)
}

/// What is said about bytes that are no row.
pub(crate) fn damaged() -> Problem {
    Problem::Disk("a temporary file has been damaged".into())
}

fn row(bytes: &mut &[u8]) -> Option<Row> {
    let count = usize::try_from(read_number(bytes)?).ok()?;
    // Every cell takes a byte at least.
    let mut cells = Vec::with_capacity(count.min(bytes.len()));
    for _ in 0..count {
        cells.push(cell(bytes)?);
    }
    Some(Row { cells })
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn cell(bytes: &mut &[u8]) -> Option<Cell> {
    let (tag, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(match *tag {
        0 => Cell::Empty,
        1 => {
            let value = read_number(bytes)?;
            #[allow(clippy::cast_possible_wrap, reason = "bits")]
            Cell::Int((value >> 1) as i64 ^ -((value & 1) as i64))
        }
        2 => Cell::Float(f64::from_bits(u64::from_le_bytes(take(bytes, 8)?.try_into().ok()?))),
        3 => Cell::from(text(read_bytes(bytes)?)?),
        4 => Cell::Bytes(read_bytes(bytes)?.into()),
        5 => Cell::List((0..read_number(bytes)?).map(|_| cell(bytes)).collect::<Option<_>>()?),
        6 => {
            let count = read_number(bytes)?;
            let entry = |_| Some((text(read_bytes(bytes)?)?.to_owned(), cell(bytes)?));
            Cell::Map(Arc::new((0..count).map(entry).collect::<Option<_>>()?))
        }
        7 => Cell::Distinct(Arc::new(Cardinality::from_bytes(read_bytes(bytes)?)?)),
        8 => Cell::Bloom(Arc::new(Bloom::from_bytes(read_bytes(bytes)?)?)),
        tag => Cell::from(text(take(bytes, usize::from(tag.checked_sub(SHORT)?))?)?),
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
            let mut bytes = vec![];
            write_row(&row, &mut bytes);
            assert_eq!(read_row(&bytes).unwrap(), row);
            for end in 0..bytes.len().min(2000) {
                assert!(read_row(bytes.get(..end).unwrap()).is_err());
            }
        }
        let mut bytes = vec![];
        write_row(&Row::new(vec![Cell::Float(f64::NAN)]), &mut bytes);
        assert!(matches!(read_row(&bytes).unwrap().get(0), Cell::Float(value) if value.is_nan()));
    }
}
