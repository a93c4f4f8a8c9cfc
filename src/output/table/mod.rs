//! `table`: for people. One line a row, cut to the width of the terminal with "…".

mod fit;

use crate::cells::{self, Cells};
use crate::sink::Sink;
use crate::{EncodeOptions, Encoder, Error};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use comfy_table::modifiers::UTF8_ROUND_CORNERS;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, TableComponent, Width};
use std::fmt::Write as _;
use std::io::Write;

/// Longest cell where no width is given; longer ones belong into another format.
const MAX_CELL: usize = 4096;

/// Mark of what is cut, cells and columns alike.
const CUT: &str = "…";

/// Columns of the terminal that stdout is, if it is one.
pub fn terminal_width() -> Option<usize> {
    comfy_table::Table::new().width().map(usize::from)
}

/// Keeps the rows until the end, because the widths depend on all of them.
pub(crate) struct Table {
    schema: SchemaRef,
    options: EncodeOptions,
    sink: Sink,
    shown: Vec<Vec<Value>>,
    rows: u64,
}

enum Value {
    Null,
    Text(String),
}

impl Table {
    pub(crate) fn new(schema: SchemaRef, options: EncodeOptions, sink: Sink) -> Self {
        Self { schema, options, sink, shown: vec![], rows: 0 }
    }

    fn cell(&self, text: &str) -> Cell {
        Cell::new_owned(printable(text, self.options.width.unwrap_or(MAX_CELL)))
    }

    fn header(&self) -> Row {
        let style = |cell: Cell| if self.options.colour { cell.add_attribute(Attribute::Bold) } else { cell };
        let names = self.schema.fields().iter().map(|field| style(self.cell(field.name())));
        one_line(names.chain([Cell::new(CUT)]))
    }

    fn row(&self, values: &[Value]) -> Row {
        let cells = values.iter().map(|value| match value {
            Value::Text(text) => self.cell(text),
            Value::Null if self.options.colour => Cell::new("null").add_attribute(Attribute::Dim),
            Value::Null => Cell::new("null"),
        });
        one_line(cells.chain([Cell::new(CUT)]))
    }

    /// The table and how many of its columns are to be seen.
    fn layout(&self) -> (comfy_table::Table, usize) {
        let mut table = comfy_table::Table::new();
        table
            .load_preset(UTF8_FULL_CONDENSED)
            .apply_modifier(UTF8_ROUND_CORNERS)
            .set_style(TableComponent::VerticalLines, '│')
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_truncation_indicator(CUT)
            // Cells are cut, not wrapped: never split at blanks.
            .set_delimiter('\0')
            .force_no_tty();
        if self.options.colour {
            table.enforce_styling();
        }
        table.set_header(self.header());
        table.add_rows(self.shown.iter().map(|values| self.row(values)));

        let natural = table.column_max_content_widths();
        let natural: Vec<usize> = natural.iter().take(self.schema.fields().len()).map(|w| usize::from(*w)).collect();
        let widths = fit::fit(&natural, self.options.width);
        for (index, column) in table.column_iter_mut().enumerate() {
            let constraint = match widths.get(index) {
                Some(width) => {
                    ColumnConstraint::Absolute(Width::Fixed(u16::try_from(width + fit::PADDING).unwrap_or(u16::MAX)))
                }
                // The last column is the mark that stands for the hidden ones.
                None if index == natural.len() && widths.len() < natural.len() => ColumnConstraint::ContentWidth,
                None => ColumnConstraint::Hidden,
            };
            column.set_constraint(constraint);
            if self.schema.fields().get(index).is_some_and(|field| field.data_type().is_numeric()) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        (table, widths.len())
    }

    fn footer(&self, visible: usize) -> String {
        let all = self.schema.fields().len();
        let mut text = String::new();
        let hidden = self.rows - self.shown.len() as u64;
        if hidden > 0 {
            let _ = writeln!(text, "{CUT} {hidden} more {}", plural(hidden, "row"));
        }
        let _ = write!(text, "({} {}", self.rows, plural(self.rows, "row"));
        if visible < all {
            let _ = write!(text, ", {visible} of {all} columns fit");
        }
        text.push_str(")\n");
        text
    }
}

impl Encoder for Table {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let room = self.options.max_rows.map_or(usize::MAX, |max| max.saturating_sub(self.shown.len()));
        let batch_shown = batch.slice(0, room.min(batch.num_rows()));
        let options = cells::nested_options();
        let mut cells = Cells::new(&batch_shown, &options)?;
        for row in 0..batch_shown.num_rows() {
            let mut values = Vec::with_capacity(batch.num_columns());
            for column in 0..batch.num_columns() {
                let mut text = String::new();
                values.push(if cells.write(column, row, &mut text)? { Value::Text(text) } else { Value::Null });
            }
            self.shown.push(values);
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<u64, Error> {
        if self.schema.fields().is_empty() {
            let footer = self.footer(0);
            self.sink.write_all(footer.as_bytes())?;
        } else {
            let (table, visible) = self.layout();
            for line in table.lines() {
                self.sink.write_all(line.as_bytes())?;
                self.sink.write_all(b"\n")?;
            }
            let footer = self.footer(visible);
            self.sink.write_all(footer.as_bytes())?;
        }
        self.sink.flush()?;
        Ok(self.rows)
    }
}

fn one_line(cells: impl Iterator<Item = Cell>) -> Row {
    let mut row = Row::from(cells.collect::<Vec<_>>());
    row.max_height(1);
    row
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// The text on one line without anything that moves the cursor or changes colours, at most about `limit` characters.
fn printable(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit + 8));
    for (count, character) in text.chars().enumerate() {
        if count > limit {
            out.push_str(CUT);
            break;
        }
        match character {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // Also the marks that reverse the direction of a line.
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests;
