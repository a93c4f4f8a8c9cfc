//! Keys as bytes: comparing the bytes is comparing the cells.
//!
//! A cell is a byte that tells whether it is empty, then its value. In descending order all its bits are turned over, which
//! also puts empty cells first.

use crate::cell::Cell;
use crate::error::Problem;
use crate::number::{float_or_number, integer_or_number};
use lakeql_query::dialects::hydra::ops::SortType;

const UNREADABLE: u8 = 0;
const VALUE: u8 = 1;
/// Behind all values.
const EMPTY: u8 = 2;

/// Appends a cell. Integers cut doubles, all numbers read texts; what cannot be read is an error.
///
/// # Errors
/// A value that is no number where one is wanted.
pub(crate) fn write(cell: &Cell, as_type: SortType, descending: bool, into: &mut Vec<u8>) -> Result<(), Problem> {
    let start = into.len();
    match (as_type, cell) {
        (_, Cell::Empty) => into.push(EMPTY),
        (SortType::Integer, _) => match integer_or_number(cell)? {
            Some(number) => write_integer(number.as_int(), into),
            None => into.push(EMPTY),
        },
        (SortType::Float, _) => match float_or_number(cell)? {
            Some(number) => write_float(number.as_float(), into),
            None => into.push(EMPTY),
        },
        (SortType::Text, Cell::Text(text)) => write_text(text, into),
        (SortType::Text, other) => write_text(&other.to_text().unwrap_or_default(), into),
    }
    if descending {
        into.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
    }
    Ok(())
}

/// Appends what stands for a text that is no number: before all values.
pub(crate) fn write_unreadable(descending: bool, into: &mut Vec<u8>) {
    into.push(if descending { !UNREADABLE } else { UNREADABLE });
}

/// Appends an integer.
#[allow(clippy::cast_sign_loss, reason = "bits")]
pub(crate) fn write_integer(value: i64, into: &mut Vec<u8>) {
    into.push(VALUE);
    into.extend_from_slice(&(value as u64 ^ 1 << 63).to_be_bytes());
}

/// Java's order: -0.0 before 0.0, every NaN the same and last.
fn write_float(value: f64, into: &mut Vec<u8>) {
    into.push(VALUE);
    let bits = if value.is_nan() { f64::NAN.to_bits() & !(1 << 63) } else { value.to_bits() };
    let ordered = if bits >> 63 == 1 { !bits } else { bits ^ 1 << 63 };
    into.extend_from_slice(&ordered.to_be_bytes());
}

/// Texts by UTF-16 units. Only the first bytes of characters differ from the order of UTF-8: those of four bytes come before
/// U+E000 and above. A zero gets a byte behind it, so that the two at the end are less than anything that goes on.
fn write_text(text: &str, into: &mut Vec<u8>) {
    into.push(VALUE);
    let start = into.len();
    into.extend_from_slice(text.as_bytes());
    let plain = |byte: &u8| (1..0xee).contains(byte);
    if !text.as_bytes().iter().all(plain) {
        into.truncate(start);
        for byte in text.bytes() {
            match byte {
                0 => into.extend_from_slice(&[0, 0xff]),
                0xf0..=0xf4 => into.push(byte - 2),
                0xee | 0xef => into.push(byte + 5),
                other => into.push(other),
            }
        }
    }
    into.extend_from_slice(&[0, 0]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::{compare_floats, compare_texts};
    use std::cmp::Ordering;

    fn order(a: &Cell, b: &Cell, as_type: SortType, descending: bool) -> Ordering {
        let key = |cell: &Cell| {
            let mut bytes = vec![];
            write(cell, as_type, descending, &mut bytes).unwrap();
            bytes
        };
        key(a).cmp(&key(b))
    }

    #[test]
    fn bytes_compare_as_the_values() {
        let texts = [
            "",
            "\0",
            "\0\0",
            "\0a",
            "a",
            "a\0",
            "a\u{1}",
            "aa",
            "z",
            "é",
            "\u{d7ff}",
            "\u{e000}",
            "\u{ff5e}",
            "😀",
            "😀a",
            "\u{10ffff}",
        ];
        for a in texts {
            for b in texts {
                let (x, y) = (Cell::from(a), Cell::from(b));
                assert_eq!(order(&x, &y, SortType::Text, false), compare_texts(a, b), "{a:?} {b:?}");
                assert_eq!(order(&x, &y, SortType::Text, true), compare_texts(b, a), "{a:?} {b:?}");
            }
        }
        let floats = [f64::NEG_INFINITY, -1.5, -0.0, 0.0, 1e-300, 2.0, f64::INFINITY, f64::NAN, -f64::NAN];
        for a in floats {
            for b in floats {
                let found = order(&Cell::Float(a), &Cell::Float(b), SortType::Float, false);
                assert_eq!(found, compare_floats(a, b), "{a} {b}");
            }
        }
        for a in [i64::MIN, -5, -1, 0, 1, 7, i64::MAX] {
            for b in [i64::MIN, -5, -1, 0, 1, 7, i64::MAX] {
                assert_eq!(order(&Cell::Int(a), &Cell::Int(b), SortType::Integer, false), a.cmp(&b));
            }
            assert_eq!(order(&Cell::Empty, &Cell::Int(a), SortType::Integer, false), Ordering::Greater);
            assert_eq!(order(&Cell::Empty, &Cell::Int(a), SortType::Integer, true), Ordering::Less);
        }
        assert_eq!(order(&Cell::Float(1.9), &Cell::from("1"), SortType::Integer, false), Ordering::Equal);
        assert_eq!(order(&Cell::Int(10), &Cell::Int(2), SortType::Text, false), Ordering::Less);
    }
}
