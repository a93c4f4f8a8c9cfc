//! `show`: everything that is known of a run.

use super::diff::values;
use crate::args::ShowArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use lakeql_engine::runs::{Run, Sequence, Value};
use lakeql_output::{Format, pretty_json};
use std::sync::Arc;

pub(super) async fn run(context: &Context, args: &ShowArgs) -> Result<(), Failure> {
    let output = Output::open(&context.global)?;
    let runs = context.session().await?.runs(std::slice::from_ref(&args.run)).await?;
    let Some(run) = runs.first() else { return Ok(()) };
    let format = output.format();
    match format {
        Format::Json => output.text(&(pretty_json(&run.to_json()) + "\n")),
        Format::Jsonl => output.text(&(run.to_json() + "\n")),
        Format::Table | Format::Markdown => {
            let sections = sections(run, format)?;
            output.sections(&sections)
        }
        Format::Csv | Format::Tsv | Format::Arrow | Format::Parquet => output.batch(&flat(run, format)?),
    }
}

/// One row a property, param and summary.
fn flat(run: &Run, format: Format) -> Result<RecordBatch, Failure> {
    let entries = run.entries()?;
    table(vec![
        texts("part", entries.iter().map(|entry| entry.part.to_string())),
        texts("name", entries.iter().map(|entry| entry.name.clone())),
        values(entries.iter().map(|entry| entry.value.as_ref()).collect(), "value", format),
    ])
}

/// Headings with what stands below them.
fn sections(run: &Run, format: Format) -> Result<Vec<(String, RecordBatch)>, Failure> {
    let properties = table(vec![
        texts("property", run.properties.iter().map(|(name, _)| name.clone())),
        values(run.properties.iter().map(|(_, value)| value.as_ref()).collect(), "value", format),
    ])?;
    let mut sections = vec![(format!("Run {}", run.hash), properties)];
    let params = run.flat_params()?;
    if !params.is_empty() {
        let batch = table(vec![
            texts("param", params.iter().map(|(path, _)| path.clone())),
            values(params.iter().map(|(_, value)| Some(value)).collect(), "value", format),
        ])?;
        sections.push(("Params".into(), batch));
    }
    // They come sorted by kind.
    for sequences in run.sequences.chunk_by(|left, right| left.kind == right.kind) {
        let kind = sequences.first().map(|sequence| sequence.kind.as_str()).unwrap_or_default();
        let heading = if kind == "metric" { "Metrics".to_owned() } else { capital(kind) };
        sections.push((heading, summaries(sequences, format)?));
    }
    Ok(sections)
}

fn summaries(sequences: &[Sequence], format: Format) -> Result<RecordBatch, Failure> {
    let mut columns = vec![
        texts("name", sequences.iter().map(|sequence| sequence.name.clone())),
        texts("context", sequences.iter().map(|sequence| sequence.context.clone())),
    ];
    for summary in Sequence::SUMMARIES {
        let found: Vec<Option<&Value>> = sequences.iter().map(|sequence| sequence.summary(summary)).collect();
        // Most kinds of sequences have few of the summaries.
        if found.iter().any(Option::is_some) {
            columns.push(values(found, summary, format));
        }
    }
    table(columns)
}

fn texts(name: &str, texts: impl Iterator<Item = String>) -> (Field, ArrayRef) {
    (Field::new(name, DataType::Utf8, false), Arc::new(StringArray::from_iter_values(texts)))
}

fn table(columns: Vec<(Field, ArrayRef)>) -> Result<RecordBatch, Failure> {
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
