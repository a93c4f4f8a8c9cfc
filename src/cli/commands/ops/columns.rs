//! Rows as Arrow columns: of one type each, without unions.

use crate::failure::Failure;
use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use lakeql_rows::{Cell, Columns, Row};
use std::sync::Arc;

/// What the cells of each column have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct Shapes(Vec<Shape>);

/// The type of a column: that of its cells if they have one, else text. Estimates are their integer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Shape {
    #[default]
    Empty,
    Integer,
    Float,
    Text,
}

impl Shape {
    fn of(cell: &Cell) -> Self {
        match cell {
            Cell::Empty => Self::Empty,
            Cell::Int(_) | Cell::Distinct(_) | Cell::Bloom(_) => Self::Integer,
            Cell::Float(_) => Self::Float,
            Cell::Text(_) | Cell::Bytes(_) | Cell::List(_) | Cell::Map(_) => Self::Text,
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Empty | Self::Text => DataType::Utf8,
        }
    }
}

impl Shapes {
    /// Takes a row into account.
    pub(super) fn see(&mut self, row: &Row) {
        self.widen(row.len());
        for (shape, cell) in self.0.iter_mut().zip(&row.cells) {
            let other = Shape::of(cell);
            *shape = match (*shape, other) {
                (Shape::Empty, other) => other,
                (own, Shape::Empty) => own,
                (own, other) if own == other => own,
                _ => Shape::Text,
            };
        }
    }

    /// At least so many columns.
    pub(super) fn widen(&mut self, width: usize) {
        if self.0.len() < width {
            self.0.resize(width, Shape::Empty);
        }
    }

    /// Names and types of the columns.
    pub(super) fn schema(&self, columns: &Columns) -> SchemaRef {
        let field = |(position, shape): (usize, &Shape)| {
            let name = columns.name(position).unwrap_or_else(|| position.to_string());
            Field::new(name, shape.data_type(), true)
        };
        Arc::new(Schema::new(self.0.iter().enumerate().map(field).collect::<Vec<_>>()))
    }

    /// Rows as columns of these types.
    pub(super) fn batch(&self, rows: &[Row], columns: &Columns) -> Result<RecordBatch, Failure> {
        let arrays = self.0.iter().enumerate().map(|(position, shape)| array(rows, position, *shape)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok(RecordBatch::try_new_with_options(self.schema(columns), arrays, &options)?)
    }
}

fn array(rows: &[Row], position: usize, shape: Shape) -> ArrayRef {
    let cells = || rows.iter().map(|row| row.get(position));
    match shape {
        Shape::Integer => Arc::new(Int64Array::from_iter(
            cells().map(|cell| cell.as_number().map(lakeql_rows::number::Number::as_int)),
        )),
        Shape::Float => Arc::new(Float64Array::from_iter(
            cells().map(|cell| cell.as_number().map(lakeql_rows::number::Number::as_float)),
        )),
        Shape::Empty | Shape::Text => {
            let mut texts = StringBuilder::new();
            cells().for_each(|cell| texts.append_option(cell.to_text()));
            Arc::new(texts.finish())
        }
    }
}
