//! `ops`: Hydra's ops over rows.

mod columns;
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
use lakeql_query::source::Source as Text;
use lakeql_rows::ops::{Width, needs_width};
use lakeql_rows::text::hydra::HydraFormat;
use lakeql_rows::{Columns, Flow, Limits, OpError, Options, Pipeline, Problem, Row, Sink, Spool};
use std::sync::Arc;
use std::time::{Duration, Instant};
use write::Writer;

/// Rows between two looks at the clock.
const ROWS: u64 = 1024;

pub(super) async fn run(context: &Context, args: &OpsArgs) -> Result<(), Failure> {
    let Some(text) = &args.pipeline else { return Output::open(&context.global)?.batch(&catalogue()?) };
    let source = Text::query(text.as_str());
    let wrong = |found| Failure::Wrong { found: vec![found], source: source.clone() };
    let pipeline = parse(&source, Strictness { strict: args.strict }).map_err(wrong)?;
    let input = Input::open(args)?;
    let limits = Limits { memory: context.global.memory.unwrap_or(Limits::default().memory), ..Limits::default() };
    let run = Run {
        options: Options { strict: args.strict, limits },
        header: args.header,
        width: needs_width(&pipeline),
        clock: Clock { deadline: context.global.timeout.map(|timeout| (Instant::now() + timeout, timeout)), rows: 0 },
        format: args.hydra_format,
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
    /// How many columns must be known before the first row.
    width: Width,
    clock: Clock,
    format: Option<HydraFormat>,
}

/// Looks at the clock now and then.
#[derive(Clone, Copy)]
struct Clock {
    deadline: Option<(Instant, Duration)>,
    rows: u64,
}

impl Clock {
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

/// What takes the rows of the last op; failures of writing wait here until the ops have returned.
struct Out<'a> {
    writer: &'a mut dyn Writer,
    columns: &'a Columns,
    clock: Clock,
    failure: Option<Failure>,
}

impl Sink for Out<'_> {
    fn send(&mut self, row: Row) -> Result<Flow, OpError> {
        match self.clock.look().and_then(|()| self.writer.row(row, self.columns)) {
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
        let mut source = Source { input, first: None, spool: None };
        source.start(self.width, &columns, self.options.limits, &mut self.clock)?;
        // Rows that wait before and behind the ops have their part of the memory.
        let waits =
            usize::from(source.spool.is_some()) + usize::from(self.format.is_none() && !streams(output.format()));
        self.options.limits.memory /= 1 + waits;
        let mut ops = Pipeline::new(pipeline, &columns, self.options)?;
        let answer = ops.columns().clone();
        let mut writer = write::writer(output, self.format, self.options.limits);
        let mut out = Out { writer: &mut *writer, columns: &answer, clock: self.clock, failure: None };
        source.each(&mut |row| {
            self.clock.look()?;
            columns.grow(row.len());
            Ok(ops.push(row, &mut out)? == Flow::More)
        })?;
        if out.failure.is_none() {
            ops.finish(&mut out)?;
        }
        match out.failure.take() {
            Some(failure) => Err(failure.into()),
            None => Ok(writer.finish(&answer)?),
        }
    }
}

/// Where rows come from: the input, or what of it had to wait.
struct Source {
    input: Input,
    first: Option<Row>,
    spool: Option<Spool>,
}

impl Source {
    /// Reads as much as must be known before the first row.
    fn start(&mut self, width: Width, columns: &Columns, limits: Limits, clock: &mut Clock) -> Result<(), End> {
        let wanted = match width {
            Width::Any => return Ok(()),
            Width::AtLeast(wanted) => wanted,
            Width::All => usize::MAX,
        };
        let Some(first) = self.input.next()? else { return Ok(()) };
        columns.grow(first.len());
        if columns.len() >= wanted {
            self.first = Some(first);
            return Ok(());
        }
        let mut spool = Spool::new(Limits { memory: limits.memory / 2, ..limits });
        let mut next = Some(first);
        while let Some(row) = next {
            clock.look()?;
            columns.grow(row.len());
            spool.push(&row).map_err(wrong)?;
            next = self.input.next()?;
        }
        self.spool = Some(spool);
        Ok(())
    }

    /// Gives all rows until no more are wanted.
    fn each(mut self, take: &mut dyn FnMut(Row) -> Result<bool, End>) -> Result<(), End> {
        if let Some(spool) = self.spool.take() {
            for row in spool.rows() {
                if !take(row.map_err(wrong)?)? {
                    break;
                }
            }
            return Ok(());
        }
        if let Some(first) = self.first.take()
            && !take(first)?
        {
            return Ok(());
        }
        while let Some(row) = self.input.next()? {
            if !take(row)? {
                break;
            }
        }
        Ok(())
    }
}

/// Rows that could not wait.
fn wrong(problem: Problem) -> Failure {
    Failure::new(problem.kind(), problem.to_string())
}

/// Formats whose rows are written one by one.
fn streams(format: Format) -> bool {
    matches!(format, Format::Json | Format::Jsonl | Format::Csv | Format::Tsv)
}
