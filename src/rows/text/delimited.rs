//! Rows as CSV and TSV.
//!
//! An unquoted number that would be written the same way again is a number (`007` and `1.50` stay text), an unquoted empty
//! field is an empty cell, everything else is text.

use crate::cell::{Cell, push_integer};
use crate::number::float_text;
use crate::row::Row;

/// How fields are separated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delimited {
    /// Commas, and quotes around what needs them.
    Csv,
    /// Tabs; `\t`, `\n`, `\r` and `\\` are escapes.
    Tsv,
}

/// Reads rows line by line: a quoted field of CSV may go over several.
#[derive(Debug)]
pub struct Reader {
    form: Delimited,
    pending: String,
    /// Whether `pending` ends inside of quotes.
    open: bool,
}

impl Reader {
    /// Nothing read yet.
    pub fn new(form: Delimited) -> Self {
        Self { form, pending: String::new(), open: false }
    }

    /// Takes a line, without its break; gives a row when one is complete.
    pub fn line(&mut self, line: &str) -> Option<Row> {
        if self.form == Delimited::Tsv {
            let cell = |field: &str| if field.contains('\\') { plain(&unescape(field)) } else { plain(field) };
            return Some(line.split('\t').map(cell).collect());
        }
        if self.open {
            self.pending.push('\n');
        }
        // A doubled quote changes nothing about being inside.
        self.open ^= memchr::memchr_iter(b'"', line.as_bytes()).count() % 2 == 1;
        if self.pending.is_empty() && !self.open {
            return Some(csv(line));
        }
        self.pending.push_str(line);
        (!self.open).then(|| csv(&std::mem::take(&mut self.pending)))
    }

    /// Bytes of an unfinished row.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Whether the text ends inside of quotes.
    pub fn is_open(&self) -> bool {
        self.open
    }
}

fn csv(record: &str) -> Row {
    let mut cells = Vec::with_capacity(4);
    let mut rest = record;
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside),
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (plain(rest.get(..end).unwrap_or_default()), rest.get(end..).unwrap_or_default())
            }
        };
        cells.push(cell);
        match after.strip_prefix(',') {
            Some(following) => rest = following,
            None => return Row::new(cells),
        }
    }
}

/// A quoted field, and what follows it up to the next comma.
fn quoted(inside: &str) -> (Cell, &str) {
    let mut text = String::new();
    let mut rest = inside;
    while let Some(at) = rest.find('"') {
        text.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        match rest.strip_prefix('"') {
            Some(following) => {
                text.push('"');
                rest = following;
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                text.push_str(rest.get(..end).unwrap_or_default());
                return (Cell::from(text), rest.get(end..).unwrap_or_default());
            }
        }
    }
    text.push_str(rest);
    (Cell::from(text), "")
}

fn plain(field: &str) -> Cell {
    if field.is_empty() {
        return Cell::Empty;
    }
    if field.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        // No zero at the front, no minus before a zero: the integer would be written otherwise.
        let digits = field.strip_prefix('-').unwrap_or(field);
        if (!digits.starts_with('0') || field == "0")
            && let Ok(value) = field.parse::<i64>()
        {
            return Cell::Int(value);
        }
        if field.contains('.')
            && let Ok(value) = field.parse::<f64>()
            && float_text(value) == field
        {
            return Cell::Float(value);
        }
    }
    Cell::from(field)
}

fn unescape(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('t') => text.push('\t'),
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('\\') | None => text.push('\\'),
                Some(other) => text.extend(['\\', other]),
            },
            (plain, false) => text.push(plain),
        }
    }
    text
}

/// Writes a row, without a line break. Texts that would be read as numbers are quoted.
pub fn write_row(row: &Row, form: Delimited, into: &mut String) {
    for (index, cell) in row.cells.iter().enumerate() {
        if index > 0 {
            into.push(if form == Delimited::Csv { ',' } else { '\t' });
        }
        match (cell, form) {
            (Cell::Empty, _) => {}
            (Cell::Int(value), _) => push_integer(*value, into),
            (Cell::Text(text), Delimited::Tsv) => escape(text, into),
            (other, Delimited::Tsv) => escape(&other.to_text().unwrap_or_default(), into),
            (Cell::Text(text), Delimited::Csv) => quote(text, reads_otherwise(text), into),
            (other, Delimited::Csv) => quote(&other.to_text().unwrap_or_default(), false, into),
        }
    }
}

/// Whether a text would be read as something else.
fn reads_otherwise(text: &str) -> bool {
    match text.bytes().next() {
        None => true,
        Some(b'-' | b'0'..=b'9') => !matches!(plain(text), Cell::Text(_)),
        Some(_) => false,
    }
}

fn escape(text: &str, into: &mut String) {
    if !text.bytes().any(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b'\\')) {
        return into.push_str(text);
    }
    for c in text.chars() {
        match c {
            '\t' => into.push_str("\\t"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\\' => into.push_str("\\\\"),
            plain => into.push(plain),
        }
    }
}

fn quote(text: &str, needed: bool, into: &mut String) {
    if !needed && !text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        return into.push_str(text);
    }
    into.push('"');
    into.push_str(&text.replace('"', "\"\""));
    into.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_there_and_back() {
        let row = Row::new(vec![
            Cell::from("a,\"b\"\nc"),
            Cell::Int(-5),
            Cell::from("5"),
            Cell::Float(1.5),
            Cell::from("007"),
            Cell::Empty,
            Cell::from(""),
            Cell::from("x"),
        ]);
        let mut text = String::new();
        write_row(&row, Delimited::Csv, &mut text);
        assert_eq!(text, "\"a,\"\"b\"\"\nc\",-5,\"5\",1.5,007,,\"\",x");
        let mut reader = Reader::new(Delimited::Csv);
        let rows: Vec<_> = text.lines().filter_map(|line| reader.line(line)).collect();
        assert_eq!(rows, [row]);
        let mut reader = Reader::new(Delimited::Tsv);
        let row = reader.line("a\\tb\t1\t\t1.50").unwrap();
        assert_eq!(row.cells, [Cell::from("a\tb"), Cell::Int(1), Cell::Empty, Cell::from("1.50")]);
        let mut text = String::new();
        write_row(&row, Delimited::Tsv, &mut text);
        assert_eq!(text, "a\\tb\t1\t\t1.50");
    }

    #[test]
    fn odd_lines() {
        let read = |line: &str| Reader::new(Delimited::Csv).line(line).map(|row| row.cells);
        assert_eq!(read(""), Some(vec![Cell::Empty]));
        assert_eq!(read("\"a\"b,c"), Some(vec![Cell::from("ab"), Cell::from("c")]));
        assert_eq!(read("a\"\"b,"), Some(vec![Cell::from("a\"\"b"), Cell::Empty]));
        assert_eq!(read("\"a"), None);
    }
}
