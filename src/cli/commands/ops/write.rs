//! Rows to stdout or a file.

use super::columns::Shapes;
use super::{streams, wrong};
use crate::failure::Failure;
use crate::output::{Lines, Output};
use lakeql_output::Format;
use lakeql_rows::text::delimited::{self, Delimited};
use lakeql_rows::text::hydra::HydraFormat;
use lakeql_rows::text::json;
use lakeql_rows::{Cell, Columns, Limits, Row, Spool};

/// Text that is gathered before it is written.
const PIECE: usize = 1 << 16;
/// Rows of a batch.
const BATCH: usize = 8192;

/// Takes the rows of an answer.
pub(in crate::commands) trait Writer {
    /// Takes a row.
    fn row(&mut self, row: Row, columns: &Columns) -> Result<(), Failure>;

    /// Completes the answer.
    fn finish(self: Box<Self>, columns: &Columns) -> Result<(), Failure>;
}

/// The writer of the format; `limits` bound the rows that wait for it.
pub(in crate::commands) fn writer(output: Output, hydra: Option<HydraFormat>, limits: Limits) -> Box<dyn Writer> {
    let format = match (hydra, output.format()) {
        (Some(format), _) => TextFormat::Hydra(format),
        (None, format) if streams(format) => TextFormat::Own(format),
        (None, _) => {
            return Box::new(Table { output, rows: Spool::new(limits), shapes: Shapes::default() });
        }
    };
    Box::new(Text { format, lines: output.lines(), text: String::new(), rows: 0 })
}

/// Rows are padded to the columns that are known by now.
fn pad(row: &mut Row, columns: &Columns) {
    let width = columns.len();
    if row.len() < width {
        row.cells.resize(width, Cell::Empty);
    }
}

enum TextFormat {
    Own(Format),
    Hydra(HydraFormat),
}

struct Text {
    format: TextFormat,
    lines: Lines,
    text: String,
    rows: u64,
}

impl Writer for Text {
    fn row(&mut self, mut row: Row, columns: &Columns) -> Result<(), Failure> {
        pad(&mut row, columns);
        match self.format {
            TextFormat::Hydra(format) => {
                if self.rows == 0 {
                    self.text.push_str(format.start());
                }
                format.write_row(&row, self.rows == 0, &mut self.text);
            }
            TextFormat::Own(Format::Json) => {
                self.text.push_str(if self.rows == 0 { "[\n" } else { ",\n" });
                json::write_row(&row, &mut self.text);
            }
            TextFormat::Own(format) => {
                match format {
                    Format::Csv => delimited::write_row(&row, Delimited::Csv, &mut self.text),
                    Format::Tsv => delimited::write_row(&row, Delimited::Tsv, &mut self.text),
                    _ => json::write_row(&row, &mut self.text),
                }
                self.text.push('\n');
            }
        }
        self.rows += 1;
        if self.text.len() >= PIECE {
            self.lines.write(&self.text)?;
            self.text.clear();
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, _columns: &Columns) -> Result<(), Failure> {
        match self.format {
            TextFormat::Hydra(format) => {
                if self.rows == 0 {
                    self.text.push_str(format.start());
                }
                self.text.push_str(format.end());
            }
            TextFormat::Own(Format::Json) => self.text.push_str(if self.rows == 0 { "[\n]\n" } else { "\n]\n" }),
            TextFormat::Own(_) => {}
        }
        self.lines.write(&self.text)?;
        self.lines.finish()
    }
}

/// Formats that know their columns first: the rows wait.
struct Table {
    output: Output,
    rows: Spool,
    shapes: Shapes,
}

impl Writer for Table {
    fn row(&mut self, row: Row, _columns: &Columns) -> Result<(), Failure> {
        self.shapes.see(&row);
        self.rows.push(&row).map_err(wrong)
    }

    fn finish(self: Box<Self>, columns: &Columns) -> Result<(), Failure> {
        let mut shapes = self.shapes;
        shapes.widen(columns.len());
        let mut answer = self.output.start(shapes.schema(columns))?;
        let mut batch = Vec::with_capacity(BATCH);
        for row in self.rows.rows() {
            batch.push(row.map_err(wrong)?);
            if batch.len() == BATCH {
                answer.write(&shapes.batch(&batch, columns)?)?;
                batch.clear();
            }
        }
        answer.write(&shapes.batch(&batch, columns)?)?;
        answer.finish()
    }
}
