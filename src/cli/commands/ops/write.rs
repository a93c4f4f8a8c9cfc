//! Rows to stdout or a file.

use super::streams;
use crate::failure::Failure;
use crate::output::{Lines, Output};
use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{Field, Schema};
use lakeql_output::Format;
use lakeql_rows::text::delimited::{self, Delimited};
use lakeql_rows::text::json;
use lakeql_rows::{Cell, Columns, Row};
use std::sync::Arc;

/// Text that is gathered before it is written.
const PIECE: usize = 1 << 16;

/// Takes the rows of an answer.
pub(in crate::commands) trait Writer {
    /// Takes a row. It is as long as there are columns.
    fn row(&mut self, row: Row, columns: &Columns) -> Result<(), Failure>;

    /// Completes the answer.
    fn finish(self: Box<Self>, columns: &Columns) -> Result<(), Failure>;
}

pub(in crate::commands) fn writer(output: Output) -> Box<dyn Writer> {
    let format = output.format();
    if streams(format) {
        Box::new(Text { format, lines: output.lines(), text: String::new(), rows: 0 })
    } else {
        Box::new(Table { output, rows: vec![] })
    }
}

/// Rows are padded to the columns that are known by now.
fn pad(row: &mut Row, columns: &Columns) {
    let width = columns.len();
    if row.len() < width {
        row.cells.resize(width, Cell::Empty);
    }
}

struct Text {
    format: Format,
    lines: Lines,
    text: String,
    rows: u64,
}

impl Writer for Text {
    fn row(&mut self, mut row: Row, columns: &Columns) -> Result<(), Failure> {
        pad(&mut row, columns);
        match self.format {
            Format::Json => {
                self.text.push_str(if self.rows == 0 { "[\n" } else { ",\n" });
                json::write_row(&row, &mut self.text);
            }
            Format::Csv => delimited::write_row(&row, Delimited::Csv, &mut self.text),
            Format::Tsv => delimited::write_row(&row, Delimited::Tsv, &mut self.text),
            _ => json::write_row(&row, &mut self.text),
        }
        if self.format != Format::Json {
            self.text.push('\n');
        }
        self.rows += 1;
        if self.text.len() >= PIECE {
            self.lines.write(&std::mem::take(&mut self.text))?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _columns: &Columns) -> Result<(), Failure> {
        if self.format == Format::Json {
            self.text.push_str(if self.rows == 0 { "[\n]\n" } else { "\n]\n" });
        }
        self.lines.write(&self.text)?;
        self.lines.finish()
    }
}

/// Formats that know their columns first.
struct Table {
    output: Output,
    rows: Vec<Row>,
}

impl Writer for Table {
    fn row(&mut self, mut row: Row, columns: &Columns) -> Result<(), Failure> {
        pad(&mut row, columns);
        self.rows.push(row);
        Ok(())
    }

    fn finish(self: Box<Self>, columns: &Columns) -> Result<(), Failure> {
        let width = self.rows.iter().map(Row::len).max().unwrap_or(0);
        let (mut fields, mut arrays) = (vec![], vec![]);
        for position in 0..width {
            let name = columns.name(position).unwrap_or_else(|| position.to_string());
            let array = array(&self.rows, position);
            fields.push(Field::new(name, array.data_type().clone(), true));
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows.len()));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?;
        self.output.batch(&batch)
    }
}

/// A column: of one type if all its cells are, else text.
fn array(rows: &[Row], position: usize) -> ArrayRef {
    let cells = || rows.iter().map(|row| row.get(position));
    let filled = || cells().filter(|cell| !cell.is_empty());
    if filled().next().is_some() && filled().all(|cell| matches!(cell, Cell::Int(_))) {
        let value = |cell: &Cell| if let Cell::Int(value) = cell { Some(*value) } else { None };
        return Arc::new(Int64Array::from_iter(cells().map(value)));
    }
    if filled().next().is_some() && filled().all(|cell| matches!(cell, Cell::Float(_))) {
        let value = |cell: &Cell| if let Cell::Float(value) = cell { Some(*value) } else { None };
        return Arc::new(Float64Array::from_iter(cells().map(value)));
    }
    Arc::new(StringArray::from_iter(cells().map(Cell::to_text)))
}
