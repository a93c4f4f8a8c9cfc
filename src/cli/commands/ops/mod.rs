//! `ops`: Hydra's ops over rows.

mod input;
pub(super) mod write;

use crate::args::OpsArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use input::Input;
use lakeql_output::Format;
use lakeql_query::diagnostic::Kind;
use lakeql_query::dialects::hydra::ops::{CATALOGUE, OpInfo, Strictness, parse};
use lakeql_query::source::Source;
use lakeql_rows::ops::needs_width;
use lakeql_rows::{Columns, Flow, Limits, OpError, Options, Pipeline, Row, Sink};
use std::sync::Arc;
use std::time::{Duration, Instant};
use write::Writer;

/// Rows between two looks at the clock.
const ROWS: u64 = 1024;

pub(super) async fn run(context: &Context, args: &OpsArgs) -> Result<(), Failure> {
    let Some(text) = &args.pipeline else { return Output::open(&context.global)?.batch(&catalogue()?) };
    let source = Source::query(text.as_str());
    let wrong = |found| Failure::Wrong { found: vec![found], source: source.clone() };
    let pipeline = parse(&source, Strictness { strict: args.strict }).map_err(wrong)?;
    let input = Input::open(args)?;
    let limits = Limits { memory: context.global.memory.unwrap_or(Limits::default().memory), ..Limits::default() };
    let run = Run {
        options: Options { strict: args.strict, limits },
        header: args.header,
        buffers: needs_width(&pipeline),
        deadline: context.global.timeout.map(|timeout| (Instant::now() + timeout, timeout)),
        rows: 0,
    };
    let output = Output::open(&context.global)?;
    // Rows are read and computed without waiting; other threads watch for Ctrl-C.
    tokio::task::block_in_place(|| run.all(&pipeline, input, output)).map_err(|end| match end {
        End::Op(error) => wrong(error.diagnostic()),
        End::Failure(failure) => failure,
    })
}

/// All ops, for people.
fn catalogue() -> Result<RecordBatch, Failure> {
    let column = |of: &dyn Fn(&OpInfo) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(CATALOGUE.iter().map(of)))
    };
    Ok(RecordBatch::try_from_iter([
        ("op", column(&|info| [&[info.name], info.aliases].concat().join(", "))),
        ("what it does", column(&|info| info.about.to_owned())),
        ("needs", column(&|info| info.scope.name().to_owned())),
        ("how it is written", column(&|info| info.grammar.to_owned())),
    ])?)
}

/// Why it is over before its time.
enum End {
    Op(OpError),
    Failure(Failure),
}

impl From<OpError> for End {
    fn from(error: OpError) -> Self {
        Self::Op(error)
    }
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

struct Run {
    options: Options,
    header: bool,
    /// Whether the number of columns must be known before the first row.
    buffers: bool,
    deadline: Option<(Instant, Duration)>,
    rows: u64,
}

/// What takes the rows of the last op; failures of writing wait here until the ops have returned.
struct Out<'a> {
    writer: &'a mut dyn Writer,
    columns: &'a Columns,
    failure: Option<Failure>,
}

impl Sink for Out<'_> {
    fn send(&mut self, row: Row) -> Result<Flow, OpError> {
        match self.writer.row(row, self.columns) {
            Ok(()) => Ok(Flow::More),
            Err(failure) => {
                self.failure = Some(failure);
                Ok(Flow::Stop)
            }
        }
    }
}

impl Run {
    fn all(
        mut self,
        pipeline: &lakeql_query::dialects::hydra::ops::Pipeline,
        mut input: Input,
        output: Output,
    ) -> Result<(), End> {
        let columns = match self.header.then(|| input.next()).transpose()?.flatten() {
            Some(names) => {
                let names: Vec<_> =
                    names.cells.iter().map(|cell| cell.to_text().unwrap_or_default().into_owned()).collect();
                Columns::named(names.iter().map(String::as_str))
            }
            None => Columns::new(),
        };
        let mut waiting = vec![];
        if self.buffers {
            let mut bytes = 0_usize;
            while let Some(row) = input.next()? {
                self.look()?;
                bytes = bytes.saturating_add(row.size());
                if bytes > self.options.limits.memory {
                    let message = format!("the rows take more than {} bytes of memory", self.options.limits.memory);
                    return Err(Failure::new(Kind::Limit, message).into());
                }
                columns.grow(row.len());
                waiting.push(row);
            }
        }
        let mut ops = Pipeline::new(pipeline, &columns, self.options)?;
        let answer = ops.columns().clone();
        let mut writer = write::writer(output);
        let mut out = Out { writer: &mut *writer, columns: &answer, failure: None };
        let mut waiting = waiting.into_iter();
        let mut width = columns.len();
        while let Some(row) =
            waiting.next().map_or_else(|| if self.buffers { Ok(None) } else { input.next() }, |row| Ok(Some(row)))?
        {
            self.look()?;
            if row.len() > width {
                columns.grow(row.len());
                width = row.len();
            }
            if ops.push(row, &mut out)? == Flow::Stop {
                break;
            }
        }
        if out.failure.is_none() {
            ops.finish(&mut out)?;
        }
        match out.failure.take() {
            Some(failure) => Err(failure.into()),
            None => Ok(writer.finish(&answer)?),
        }
    }

    /// Looks at the clock now and then.
    fn look(&mut self) -> Result<(), Failure> {
        self.rows += 1;
        match self.deadline.filter(|_| self.rows.is_multiple_of(ROWS)) {
            Some((deadline, timeout)) if Instant::now() > deadline => {
                Err(Failure::new(Kind::Limit, format!("it takes longer than {timeout:?}")))
            }
            _ => Ok(()),
        }
    }
}

/// Formats whose rows are written one by one.
fn streams(format: Format) -> bool {
    matches!(format, Format::Json | Format::Jsonl | Format::Csv | Format::Tsv)
}
