//! `tsv`: tabs between values, one row a line whatever the values hold, for `cut` and `awk`.

use crate::cells::{self, Cells};
use crate::sink::Sink;
use crate::{Encoder, Error};
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use std::io::Write;

pub(crate) struct Tsv {
    sink: Sink,
    rows: u64,
}

impl Tsv {
    pub(crate) fn new(schema: &Schema, mut sink: Sink) -> Result<Self, Error> {
        let mut line = String::new();
        for (index, field) in schema.fields().iter().enumerate() {
            separate(index, &mut line);
            escape(field.name(), &mut line);
        }
        line.push('\n');
        sink.write_all(line.as_bytes())?;
        Ok(Self { sink, rows: 0 })
    }
}

impl Encoder for Tsv {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let options = cells::nested_options();
        let mut cells = Cells::new(batch, &options)?;
        let (mut line, mut cell) = (String::new(), String::new());
        for row in 0..batch.num_rows() {
            line.clear();
            for column in 0..batch.num_columns() {
                separate(column, &mut line);
                cell.clear();
                cells.write(column, row, &mut cell)?;
                escape(&cell, &mut line);
            }
            line.push('\n');
            self.sink.write_all(line.as_bytes())?;
        }
        self.sink.flush()?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<u64, Error> {
        self.sink.flush()?;
        Ok(self.rows)
    }
}

fn separate(index: usize, line: &mut String) {
    if index > 0 {
        line.push('\t');
    }
}

fn escape(text: &str, line: &mut String) {
    for character in text.chars() {
        match character {
            '\t' => line.push_str("\\t"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\\' => line.push_str("\\\\"),
            other => line.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Format;
    use crate::testing::{awkward, batch, encode, encode_empty, ints, lists, text};

    #[test]
    fn empty_results_keep_their_header() {
        assert_eq!(encode_empty(Format::Tsv, &awkward().schema()), "text\tn\tx\tlist\ttime\n");
    }

    #[test]
    fn one_row_is_one_line() {
        let column = text(&[Some("a\tb\r\nc\\d"), None, Some("")]);
        let rows = batch(vec![("a\tb", column), ("n", ints(&[Some(1), Some(2), None]))]);
        assert_eq!(encode(Format::Tsv, &[rows]), "a\\tb\tn\na\\tb\\r\\nc\\\\d\t1\n\t2\n\t\n");
    }

    #[test]
    fn lists_are_json_text() {
        assert_eq!(encode(Format::Tsv, &[batch(vec![("l", lists(&[Some(vec![Some(1), Some(2)])]))])]), "l\n[1,2]\n");
    }
}
