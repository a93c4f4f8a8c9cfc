//! Filters that are programs of the user's.
//!
//! A query can only name them: which program a name stands for is in the configuration. The program reads its sets of
//! files from stdin, each an Arrow IPC stream, one after the other, and writes one stream with a column `fid` to stdout:
//! the files that it lets through, in its order. Its last argument is JSON: `{"filter": name, "args": [...], "kwargs":
//! {...}, "inputs": number of sets}`. What it writes to stderr goes to stderr.

use super::filters::File;
use super::{Catalogue, internal};
use crate::{Error, Result};
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::prelude::DataFrame;
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::model::{Filter, RowKind, Scalar};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A program that a filter stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterProgram {
    /// The program and its first arguments.
    pub command: Vec<String>,
    /// Where it is run; the current folder if not given.
    pub folder: Option<PathBuf>,
    /// Longest time that it may take.
    pub timeout: Duration,
    /// Most memory that it may reserve, in bytes. Needs a Unix shell.
    pub memory_bytes: Option<u64>,
    /// What it is told of files: columns of files and keys of their metadata. `fid` is always told.
    pub columns: Vec<String>,
}

/// Programs by the names of filters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterPrograms(pub BTreeMap<String, FilterProgram>);

/// How often it is looked whether a program has ended.
const PAUSE: Duration = Duration::from_millis(2);

impl Catalogue<'_> {
    /// What a program lets through.
    pub(super) async fn external(&self, filter: &Filter, program: &FilterProgram) -> Result<Vec<File>> {
        let mut known: HashMap<String, i64> = HashMap::new();
        let mut inputs = vec![];
        for input in &filter.inputs {
            let planned = self.planned(self.rows(input).await?)?.sorted()?;
            let mut columns = vec![super::of(&planned.alias, "file"), super::of(&planned.alias, "fid")];
            for name in program.columns.iter().filter(|name| *name != "fid") {
                columns.push(self.value(&planned.alias, RowKind::Files, name)?.alias(name));
            }
            let plan = planned.plan.project(columns)?.build()?;
            let frame = DataFrame::new(self.state.clone(), plan);
            let schema = shown(frame.schema().as_arrow());
            let mut batches = vec![];
            for batch in frame.collect().await? {
                let ordinals = batch
                    .column(0)
                    .as_primitive_opt::<Int64Type>()
                    .ok_or_else(|| internal("ordinals of another type"))?;
                let ids = super::names::texts(&batch, 1)?;
                for row in 0..batch.num_rows() {
                    known.insert(ids.value(row).to_owned(), ordinals.value(row));
                }
                batches.push(told(&batch, &schema)?);
            }
            inputs.push((schema, batches));
        }
        let failed = |reason: String| -> Error {
            let problem = Diagnostic::error(Kind::Semantic, format!("the filter `{}` {reason}", filter.name));
            problem.label(filter.span, "").into()
        };
        let ids = run(program, &parameters(filter), inputs).await.map_err(&failed)?;
        let mut files = vec![];
        for fid in ids {
            // Each once: the set has no duplicates.
            match known.get_mut(&fid) {
                Some(taken) if *taken < 0 => {}
                Some(file) => {
                    files.push(File { file: *file, fid });
                    *file = -1;
                }
                None => return Err(failed(format!("gave the file {fid}, which it was not given"))),
            }
        }
        Ok(files)
    }
}

/// The columns that a program is told, in types that every Arrow library has.
fn shown(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().skip(1).map(|field| {
        let plain = match field.data_type() {
            DataType::Utf8View => DataType::Utf8,
            DataType::BinaryView => DataType::Binary,
            other => other.clone(),
        };
        Field::new(field.name(), plain, field.is_nullable())
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn told(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let engine = datafusion::error::DataFusionError::from;
    let columns = batch.columns().iter().skip(1).zip(schema.fields());
    let columns = columns.map(|(column, field)| cast(column, field.data_type())).collect::<Result<Vec<_>, _>>();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns.map_err(engine)?).map_err(engine)?)
}

fn parameters(filter: &Filter) -> String {
    let value = |value: &Scalar| match value {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => Value::Bool(*value),
        // As it was written, if JSON has it so.
        Scalar::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())),
        Scalar::Text(text) => Value::String(text.clone()),
    };
    let named: Map<String, Value> = filter.named.iter().map(|(key, it)| (key.clone(), value(it))).collect();
    json!({
        "filter": filter.name,
        "args": filter.positional.iter().map(value).collect::<Vec<_>>(),
        "kwargs": named,
        "inputs": filter.inputs.len(),
    })
    .to_string()
}

type Input = (SchemaRef, Vec<RecordBatch>);

/// Ends a program that nobody waits for any more.
struct Running(Arc<Mutex<Child>>);

impl Running {
    fn lock(&self) -> std::sync::MutexGuard<'_, Child> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut child = self.lock();
        if matches!(child.try_wait(), Ok(None)) {
            // It may have ended in between.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What each message of a stream begins with.
const MESSAGE_START: [u8; 4] = [0xff; 4];

/// Runs a program. Gives the ids that it has written, or what it did wrong.
async fn run(program: &FilterProgram, parameters: &str, inputs: Vec<Input>) -> Result<Vec<String>, String> {
    let mut child = command(program, parameters)?.spawn().map_err(|error| {
        let name = program.command.first().map(String::as_str).unwrap_or_default();
        format!("cannot be run: {name}: {error}")
    })?;
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("has no stdin or stdout".to_owned());
    };
    let running = Running(Arc::new(Mutex::new(child)));
    // The pipes block: they have threads of their own, which end when the program does.
    let threads = || std::thread::Builder::new().name("filter".to_owned());
    let started = |error| format!("cannot be given a thread: {error}");
    threads().spawn(move || give(stdin, &inputs)).map_err(started)?;
    let (sender, receiver) = oneshot::channel();
    let reader = move || {
        // Nobody listens after the time is up.
        let _ = sender.send(take(stdout));
    };
    threads().spawn(reader).map_err(started)?;

    let end = Instant::now() + program.timeout;
    let late = || format!("took longer than {:?}, its timeout", program.timeout);
    let answer = match tokio::time::timeout_at(end.into(), receiver).await {
        Err(_) => return Err(late()),
        // A thread that has panicked sends nothing.
        Ok(answer) => answer.unwrap_or_else(|_| Err("wrote no readable Arrow IPC stream".to_owned())),
    };
    let status = loop {
        if let Some(status) = running.lock().try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        if Instant::now() >= end {
            return Err(late());
        }
        tokio::time::sleep(PAUSE).await;
    };
    // Why it failed says more than what it has not written.
    if status.success() { answer } else { Err(ended(status)) }
}

fn ended(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("failed with exit code {code}; what it said is above"),
        None => format!("was ended by a {status}"),
    }
}

fn command(program: &FilterProgram, parameters: &str) -> Result<Command, String> {
    let Some((name, arguments)) = program.command.split_first() else { return Err("has no command".to_owned()) };
    let mut command = match program.memory_bytes {
        None => Command::new(name),
        Some(bytes) => {
            if !cfg!(unix) {
                return Err("has a memory limit, which needs a Unix shell".to_owned());
            }
            let mut shell = Command::new("sh");
            shell.args(["-c", "ulimit -v \"$0\" || exit 125; exec \"$@\"", &(bytes / 1024).max(1).to_string(), name]);
            shell
        }
    };
    command.args(arguments).arg(parameters).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    if let Some(folder) = &program.folder {
        command.current_dir(folder);
    }
    Ok(command)
}

/// Writes the sets. A program need not read them: a closed pipe is its own business.
fn give(stdin: ChildStdin, inputs: &[Input]) {
    let mut out = BufWriter::new(stdin);
    for (schema, batches) in inputs {
        let stream = || -> std::result::Result<(), datafusion::arrow::error::ArrowError> {
            let mut writer = StreamWriter::try_new(&mut out, schema)?;
            for batch in batches {
                writer.write(batch)?;
            }
            writer.finish()
        };
        let mut stream = stream;
        if stream().is_err() {
            return;
        }
    }
    let _ = out.flush();
}

/// Reads the ids, and whatever else there is: a program that is not read to its end fails for that reason.
fn take(stdout: ChildStdout) -> Result<Vec<String>, String> {
    let mut stdout = BufReader::new(stdout);
    let ids = ids(&mut stdout);
    let _ = std::io::copy(&mut stdout, &mut std::io::sink());
    ids
}

fn ids(stdout: &mut impl Read) -> Result<Vec<String>, String> {
    let none = |reason: &dyn Display| format!("wrote no readable Arrow IPC stream to stdout: {reason}");
    let unreadable = |error: datafusion::arrow::error::ArrowError| none(&error);
    // Text that is printed among the data would be read as the length of a message, of gigabytes.
    let mut start = [0; MESSAGE_START.len()];
    stdout.read_exact(&mut start).map_err(|_| none(&"nothing is there"))?;
    if start != MESSAGE_START {
        return Err(none(&format!("it begins with \"{}\"; print to stderr instead", start.escape_ascii())));
    }
    let mut stdout = start.chain(stdout);
    let mut ids = vec![];
    {
        let mut reader = StreamReader::try_new(&mut stdout, None).map_err(unreadable)?;
        let index = reader.schema().index_of("fid").map_err(|_| "wrote no column `fid`".to_owned())?;
        for batch in &mut reader {
            let batch = batch.map_err(unreadable)?;
            let column = batch.column(index);
            let texts = match column.data_type() {
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
                    cast(column, &DataType::Utf8).map_err(unreadable)?
                }
                other => return Err(format!("wrote a column `fid` of type {other}, not of texts")),
            };
            let texts = texts.as_string_opt::<i32>().ok_or("wrote a column `fid` that is not of texts")?;
            if texts.null_count() > 0 {
                return Err("wrote a null in the column `fid`".to_owned());
            }
            ids.extend(texts.iter().flatten().map(str::to_owned));
        }
    }
    let mut rest = [0];
    match stdout.read(&mut rest) {
        Ok(0) => Ok(ids),
        Ok(_) => Err("wrote something after its Arrow IPC stream".to_owned()),
        Err(error) => Err(format!("cannot be read from: {error}")),
    }
}
