//! The table `runs`: one row per run, newest first.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{Schema, SchemaRef};

use super::order::{Ordered, Place};
use super::typed::TypedColumns;
use super::{Batches, Target};
use crate::catalog::tables::Table;
use crate::error::Error;
use crate::ingest::block::{Block, Run};

/// Rows of a batch: fewer than elsewhere, because parameter documents are long.
const RUNS_BATCH_ROWS: usize = 8_192;

/// The schema of a table followed by its typed columns, all of which may be null.
pub(super) fn with_typed(base: &SchemaRef, typed: &TypedColumns) -> SchemaRef {
    let mut fields: Vec<_> = base.fields().iter().cloned().collect();
    for (name, column) in typed {
        fields.push(Arc::new(arrow::datatypes::Field::new(name, column.data_type().clone(), true)));
    }
    Arc::new(Schema::new(fields))
}

/// The batches of the table.
pub(super) fn batches<'a>(
    ordered: &'a Ordered<'a>,
    target: &'a Target,
    typed: TypedColumns,
) -> Result<Batches<'a>, Error> {
    let schema = with_typed(&Table::Runs.schema(), &typed);
    let chunks = ordered.runs.chunks(RUNS_BATCH_ROWS).enumerate();
    Ok(Box::new(chunks.map(move |(number, rows)| {
        let first = number * RUNS_BATCH_ROWS;
        let mut columns = system_columns(ordered, target, first, rows);
        columns.extend(typed.iter().map(|(_, column)| column.slice(first, rows.len())));
        Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
    })))
}

fn system_columns(ordered: &Ordered<'_>, target: &Target, first: usize, rows: &[Place]) -> Vec<ArrayRef> {
    let mut columns = Columns::new();
    for (index, place) in rows.iter().enumerate() {
        let ordinal = target.segment.ordinal((first + index) as u32);
        if let Some((block, run)) = ordered.run(*place) {
            columns.push(ordinal, target.imported_at, block, run);
        }
    }
    columns.finish()
}

struct Columns {
    run: Int64Builder,
    hash: StringBuilder,
    name: StringBuilder,
    experiment: StringBuilder,
    project: StringBuilder,
    description: StringBuilder,
    tags: ListBuilder<StringBuilder>,
    archived: BooleanBuilder,
    active: BooleanBuilder,
    created_at: TimestampMicrosecondBuilder,
    finalized_at: TimestampMicrosecondBuilder,
    end_time: Float64Builder,
    duration: Float64Builder,
    imported_at: TimestampMicrosecondBuilder,
    digest: BinaryBuilder,
    params: StringBuilder,
}

impl Columns {
    fn new() -> Self {
        let time = || TimestampMicrosecondBuilder::new().with_timezone("UTC");
        Columns {
            run: Int64Builder::new(),
            hash: StringBuilder::new(),
            name: StringBuilder::new(),
            experiment: StringBuilder::new(),
            project: StringBuilder::new(),
            description: StringBuilder::new(),
            tags: ListBuilder::new(StringBuilder::new()),
            archived: BooleanBuilder::new(),
            active: BooleanBuilder::new(),
            created_at: time(),
            finalized_at: time(),
            end_time: Float64Builder::new(),
            duration: Float64Builder::new(),
            imported_at: time(),
            digest: BinaryBuilder::new(),
            params: StringBuilder::new(),
        }
    }

    fn push(&mut self, ordinal: i64, imported_at: i64, block: &Block, run: &Run) {
        self.run.append_value(ordinal);
        self.hash.append_value(block.text(run.hash));
        self.name.append_value(block.text(run.name));
        self.experiment.append_value(block.text(run.experiment));
        self.project.append_option(run.project.map(|text| block.text(text)));
        self.description.append_option(run.description.map(|text| block.text(text)));
        for tag in block.spans.get(run.tags.range()).unwrap_or_default() {
            self.tags.values().append_value(block.text(*tag));
        }
        self.tags.append(true);
        self.archived.append_value(run.archived);
        self.active.append_value(run.active);
        self.created_at.append_value(run.created_at);
        self.finalized_at.append_option(run.finalized_at);
        self.end_time.append_option(run.end_time);
        self.duration.append_option(run.duration);
        self.imported_at.append_value(imported_at);
        self.digest.append_value(run.digest);
        self.params.append_value(block.json_text(run.params));
    }

    fn finish(mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.run.finish()),
            Arc::new(self.hash.finish()),
            Arc::new(self.name.finish()),
            Arc::new(self.experiment.finish()),
            Arc::new(self.project.finish()),
            Arc::new(self.description.finish()),
            Arc::new(self.tags.finish()),
            Arc::new(self.archived.finish()),
            Arc::new(self.active.finish()),
            Arc::new(self.created_at.finish()),
            Arc::new(self.finalized_at.finish()),
            Arc::new(self.end_time.finish()),
            Arc::new(self.duration.finish()),
            Arc::new(self.imported_at.finish()),
            Arc::new(self.digest.finish()),
            Arc::new(self.params.finish()),
        ]
    }
}
