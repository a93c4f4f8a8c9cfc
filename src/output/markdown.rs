//! `markdown`: a pipe table to paste into an issue.

use crate::cells::{self, Cells};
use crate::sink::Sink;
use crate::{Encoder, Error};
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use std::io::Write;

pub(crate) struct Markdown {
    sink: Sink,
    rows: u64,
}

impl Markdown {
    pub(crate) fn new(schema: &Schema, mut sink: Sink) -> Result<Self, Error> {
        let (mut names, mut rule) = (String::from("|"), String::from("|"));
        for field in schema.fields() {
            cell(field.name(), &mut names);
            rule.push_str(if field.data_type().is_numeric() { " ---: |" } else { " --- |" });
        }
        sink.write_all(format!("{names}\n{rule}\n").as_bytes())?;
        Ok(Self { sink, rows: 0 })
    }
}

impl Encoder for Markdown {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let options = cells::nested_options();
        let mut cells = Cells::new(batch, &options)?;
        let (mut line, mut text) = (String::new(), String::new());
        for row in 0..batch.num_rows() {
            line.clear();
            line.push('|');
            for column in 0..batch.num_columns() {
                text.clear();
                cells.write(column, row, &mut text)?;
                cell(&text, &mut line);
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

/// Appends one cell; a pipe or a line break would end it early.
fn cell(text: &str, line: &mut String) {
    line.push(' ');
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '|' => line.push_str("\\|"),
            // A backslash before a pipe would take the escape away.
            '\\' => line.push_str("\\\\"),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' => line.push_str("<br>"),
            other => line.push(other),
        }
    }
    line.push_str(" |");
}

#[cfg(test)]
mod tests {
    use crate::Format;
    use crate::testing::{awkward, batch, encode, encode_empty, floats, lists, text};

    #[test]
    fn empty_results_keep_their_header() {
        assert_eq!(
            encode_empty(Format::Markdown, &awkward().schema()),
            "| text | n | x | list | time |\n| --- | ---: | ---: | --- | --- |\n"
        );
    }

    #[test]
    fn pipes_and_line_breaks_stay_inside_their_cell() {
        let rows = batch(vec![
            ("a|b", text(&[Some("x | y\r\nz\\"), None])),
            ("v", floats(&[Some(1.5), Some(f64::INFINITY)])),
            ("l", lists(&[Some(vec![None]), None])),
        ]);
        assert_eq!(
            encode(Format::Markdown, &[rows]),
            "| a\\|b | v | l |\n| --- | ---: | --- |\n| x \\| y<br>z\\\\ | 1.5 | [null] |\n|  | inf |  |\n"
        );
    }
}
