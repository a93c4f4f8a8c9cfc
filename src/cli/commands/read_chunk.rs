//! `read-chunk`: rows of chunks to the samples themselves.

use crate::args::ReadChunkArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Answer, Lines, Output};
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::csv::ReaderBuilder;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use lakeql_lake::fetch::{Fetcher, Samples, Wanted};
use lakeql_output::Format;
use lakeql_query::diagnostic::{Diagnostic, Kind};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

/// Samples that are read at once: those of a chunk, but not more than so many.
const MOST_SAMPLES: u64 = 8_192;

/// A row of chunks.
#[derive(Clone, Debug, Deserialize)]
struct Row {
    #[serde(default)]
    chunk: Option<i64>,
    #[serde(default)]
    key: Option<String>,
    dataset: String,
    file: String,
    start: u64,
    end: u64,
}

pub(super) async fn run(context: &Context, args: &ReadChunkArgs) -> Result<(), Failure> {
    let output = Output::open_preferring(&context.global, Format::Jsonl)?;
    let snapshot = context.snapshot().await?;
    let columns = args.columns.as_ref().map(|columns| columns.0.clone());
    let mut fetcher = Fetcher::new(snapshot, args.collection.as_deref(), columns.clone()).await?;
    let mut writer = Writer::new(output, columns, args.place)?;
    let mut rows = Rows::open(args.file.as_deref())?;
    // Rows of one chunk together, so that each file is read once for them.
    let mut together: Vec<Row> = vec![];
    let mut samples = 0;
    while let Some(row) = rows.next()? {
        let other = together.last().is_some_and(|last| last.chunk != row.chunk);
        if other || samples >= MOST_SAMPLES {
            writer.write(&together, fetch(&mut fetcher, &together).await?)?;
            together.clear();
            samples = 0;
        }
        samples += row.end.saturating_sub(row.start);
        together.push(row);
    }
    writer.write(&together, fetch(&mut fetcher, &together).await?)?;
    writer.finish()
}

async fn fetch(fetcher: &mut Fetcher, rows: &[Row]) -> Result<Vec<Samples>, Failure> {
    let wanted =
        |row: &Row| Wanted { dataset: row.dataset.clone(), file: row.file.clone(), start: row.start, end: row.end };
    let wanted: Vec<Wanted> = rows.iter().map(wanted).collect();
    Ok(fetcher.fetch(&wanted).await?)
}

/// Rows as they come.
enum Rows {
    Lines {
        source: Box<dyn BufRead + Send>,
        name: String,
        line: u64,
    },
    Batches {
        batches: Box<dyn Iterator<Item = Result<RecordBatch, arrow::error::ArrowError>> + Send>,
        name: String,
        rows: std::vec::IntoIter<Row>,
    },
}

impl Rows {
    fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let (source, name): (Box<dyn Read + Send>, _) = match path {
            None => (Box::new(std::io::stdin()), "<stdin>".to_owned()),
            Some(path) if path == Path::new("-") => (Box::new(std::io::stdin()), "<stdin>".to_owned()),
            Some(path) => {
                let file = File::open(path).map_err(|error| Failure::file("read", path, &error))?;
                (Box::new(file), path.display().to_string())
            }
        };
        let mut source = BufReader::with_capacity(1 << 16, source);
        let head = source.fill_buf().map_err(|error| Failure::file("read", Path::new(&name), &error))?;
        let wrong = |error: arrow::error::ArrowError| Failure::new(Kind::Semantic, format!("{name}: {error}"));
        let (is_arrow, is_json) = (head.starts_with(&[0xff; 4]), head.first().is_none_or(|first| *first == b'{'));
        if is_arrow {
            let batches = StreamReader::try_new(source, None).map_err(wrong)?;
            return Ok(Self::Batches { batches: Box::new(batches), name, rows: vec![].into_iter() });
        }
        if is_json {
            return Ok(Self::Lines { source: Box::new(source), name, line: 0 });
        }
        // The first line has the names.
        let mut header = String::new();
        source.read_line(&mut header).map_err(|error| Failure::file("read", Path::new(&name), &error))?;
        let fields = header.trim_end().split(',').map(|column| {
            let number = matches!(column, "chunk" | "start" | "end");
            Field::new(column, if number { DataType::Int64 } else { DataType::Utf8 }, true)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        if schema.index_of("dataset").is_err() {
            return Err(not_rows(&name, "these are neither jsonl nor Arrow nor csv with a column `dataset`"));
        }
        let batches = ReaderBuilder::new(schema).build_buffered(source).map_err(wrong)?;
        Ok(Self::Batches { batches: Box::new(batches), name, rows: vec![].into_iter() })
    }

    fn next(&mut self) -> Result<Option<Row>, Failure> {
        match self {
            Self::Lines { source, name, line } => loop {
                let mut text = String::new();
                *line += 1;
                let read =
                    source.read_line(&mut text).map_err(|error| Failure::file("read", Path::new(name), &error))?;
                if read == 0 {
                    return Ok(None);
                }
                if text.trim().is_empty() {
                    continue;
                }
                let row = serde_json::from_str(&text);
                return row.map(Some).map_err(|error| not_rows(name, &format!("line {line}: {error}")));
            },
            Self::Batches { batches, name, rows } => loop {
                if let Some(row) = rows.next() {
                    return Ok(Some(row));
                }
                let Some(batch) = batches.next() else { return Ok(None) };
                let batch = batch.map_err(|error| not_rows(name, &error.to_string()))?;
                *rows = rows_of(&batch).map_err(|reason| not_rows(name, &reason))?.into_iter();
            },
        }
    }
}

fn not_rows(name: &str, reason: &str) -> Failure {
    let problem = Diagnostic::error(Kind::Semantic, format!("{name} has no rows of chunks: {reason}"));
    Failure::of(problem.hint("rows have dataset, file, start and end, as `lakeql chunks` writes them"))
}

fn rows_of(batch: &RecordBatch) -> Result<Vec<Row>, String> {
    let column = |name: &str, data_type: &DataType| -> Result<ArrayRef, String> {
        let column = batch.column_by_name(name).ok_or_else(|| format!("there is no column `{name}`"))?;
        cast(column, data_type).map_err(|error| format!("the column `{name}`: {error}"))
    };
    let optional =
        |name: &str, data_type: &DataType| batch.column_by_name(name).map(|_| column(name, data_type)).transpose();
    let (int, text) = (DataType::Int64, DataType::Utf8);
    let (dataset, file) = (column("dataset", &text)?, column("file", &text)?);
    let (start, end) = (column("start", &int)?, column("end", &int)?);
    let (chunk, key) = (optional("chunk", &int)?, optional("key", &text)?);
    let text_at =
        |column: &ArrayRef, row: usize| column.is_valid(row).then(|| column.as_string::<i32>().value(row).to_owned());
    let int_at =
        |column: &ArrayRef, row: usize| column.is_valid(row).then(|| column.as_primitive::<Int64Type>().value(row));
    let position = |column: &ArrayRef, row: usize| int_at(column, row).and_then(|it| u64::try_from(it).ok());
    (0..batch.num_rows())
        .map(|row| {
            let missing = |name: &str| format!("row {}: `{name}` is missing or negative", row + 1);
            Ok(Row {
                chunk: chunk.as_ref().and_then(|column| int_at(column, row)),
                key: key.as_ref().and_then(|column| text_at(column, row)),
                dataset: text_at(&dataset, row).ok_or_else(|| missing("dataset"))?,
                file: text_at(&file, row).ok_or_else(|| missing("file"))?,
                start: position(&start, row).ok_or_else(|| missing("start"))?,
                end: position(&end, row).ok_or_else(|| missing("end"))?,
            })
        })
        .collect()
}

/// Where samples go.
enum Writer {
    Lines { lines: Lines, place: bool },
    Rows { answer: Answer, schema: SchemaRef, columns: Option<Vec<String>> },
}

impl Writer {
    fn new(output: Output, columns: Option<Vec<String>>, place: bool) -> Result<Self, Failure> {
        if output.format() == Format::Jsonl {
            return Ok(Self::Lines { lines: output.lines(), place });
        }
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let int = |name: &str, nullable| Field::new(name, DataType::Int64, nullable);
        let mut fields = vec![int("chunk", true), text("key"), text("dataset"), text("file"), int("sample_id", false)];
        match &columns {
            Some(columns) => fields.extend(columns.iter().map(|column| text(column))),
            None => fields.push(text("sample")),
        }
        let schema = Arc::new(Schema::new(fields));
        Ok(Self::Rows { answer: output.start(Arc::clone(&schema))?, schema, columns })
    }

    fn write(&mut self, rows: &[Row], samples: Vec<Samples>) -> Result<(), Failure> {
        let numbered =
            || rows.iter().zip(&samples).flat_map(|(row, list)| (row.start..).zip(list).map(move |it| (row, it)));
        match self {
            Self::Lines { lines, place } => {
                let mut text = String::new();
                for (row, (number, sample)) in numbered() {
                    if *place {
                        let place =
                            json!({"chunk": row.chunk, "key": row.key, "dataset": row.dataset, "file": row.file});
                        let place = place.to_string();
                        text.push_str(place.strip_suffix('}').unwrap_or(&place));
                        text.push_str(&format!(",\"sample_id\":{number},\"sample\":{sample}}}\n"));
                    } else {
                        text.push_str(sample);
                        text.push('\n');
                    }
                }
                lines.write(&text)
            }
            Self::Rows { answer, schema, columns } => {
                let mut arrays: Vec<ArrayRef> = vec![
                    Arc::new(numbered().map(|(row, _)| row.chunk).collect::<Int64Array>()),
                    Arc::new(numbered().map(|(row, _)| row.key.as_deref()).collect::<StringArray>()),
                    Arc::new(numbered().map(|(row, _)| Some(row.dataset.as_str())).collect::<StringArray>()),
                    Arc::new(numbered().map(|(row, _)| Some(row.file.as_str())).collect::<StringArray>()),
                    Arc::new(numbered().map(|(_, (number, _))| i64::try_from(number).ok()).collect::<Int64Array>()),
                ];
                match columns {
                    None => {
                        arrays.push(Arc::new(numbered().map(|(_, (_, sample))| Some(sample)).collect::<StringArray>()))
                    }
                    Some(columns) => {
                        let parsed: Vec<Value> = numbered()
                            .map(|(_, (_, sample))| serde_json::from_str(sample).unwrap_or_default())
                            .collect();
                        for column in columns.iter() {
                            let text = |sample: &Value| match sample.get(column.as_str()) {
                                None | Some(Value::Null) => None,
                                Some(Value::String(text)) => Some(text.clone()),
                                Some(other) => Some(other.to_string()),
                            };
                            arrays.push(Arc::new(parsed.iter().map(text).collect::<StringArray>()));
                        }
                    }
                }
                answer.write(&RecordBatch::try_new(Arc::clone(schema), arrays)?)
            }
        }
    }

    fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Lines { lines, .. } => lines.finish(),
            Self::Rows { answer, .. } => answer.finish(),
        }
    }
}
