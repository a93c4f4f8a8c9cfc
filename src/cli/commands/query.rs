//! `query`: a text goes in, rows come out.

use super::ops::write::{self, Writer};
use crate::args::{LanguageArgs, QueryArgs, ShapeArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::text;
use futures::TryStreamExt;
use lakeql_engine::Session;
use lakeql_query::diagnostic::Kind;
use lakeql_query::source::Source;
use lakeql_rows::{Columns, Flow, Limits, OpError, Row, Sink};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) async fn run(context: &Context, args: &QueryArgs) -> Result<(), Failure> {
    // What is wrong with the text is told before a lake is opened.
    let given = args.text.saved.is_none().then(|| text::read(&args.text)).transpose()?;
    let output = Output::open(&context.global)?;
    let session = context.session_from(&args.from).await?;
    let source = match given {
        Some(source) => source,
        None => text::of_session(&args.text, &session).await?,
    };
    answer(context, &session, &source, &args.text.lang, &args.language, &args.shape, output).await
}

/// Asks one query of an open lake and writes its answer.
pub(super) async fn answer(
    context: &Context,
    session: &Session,
    source: &Source,
    lang: &str,
    language: &LanguageArgs,
    shape: &ShapeArgs,
    output: Output,
) -> Result<(), Failure> {
    let walked = lang == "hydra" && shape.select.is_none() && shape.sort.is_none();
    if language.trees.hydra_format.is_some() && (!walked || context.global.format.is_some()) {
        let reason = "--hydra-format goes with --lang hydra, without --format, --select and --sort";
        return Err(Failure::Usage(reason.to_owned()));
    }
    if walked {
        return walk(context, session, source, language, shape, output).await;
    }
    let failed = |error| Failure::of_query(error, source);
    let mut results = session.query(source, lang, &language.settings(), &shape.shape()).await.map_err(failed)?;
    context.talk.report(&results.notes, source);
    if shape.dids {
        let mut lines = output.lines();
        while let Some(batch) = results.stream.try_next().await.map_err(failed)? {
            lines.write(&text::lines_of(&batch)?)?;
        }
        return lines.finish();
    }
    let mut answer = output.start(results.schema.clone())?;
    while let Some(batch) = results.stream.try_next().await.map_err(failed)? {
        answer.write(&batch)?;
    }
    answer.finish()
}

/// Walks over trees. Rows are written as they come, each with as many cells and types as it has.
pub(super) async fn walk(
    context: &Context,
    session: &Session,
    source: &Source,
    language: &LanguageArgs,
    shape: &ShapeArgs,
    output: Output,
) -> Result<(), Failure> {
    let failed = |error| Failure::of_query(error, source);
    let timeout = context.global.timeout;
    let interrupted = Arc::<AtomicBool>::default();
    if let Some(timeout) = timeout {
        let interrupted = Arc::clone(&interrupted);
        tokio::spawn(async move {
            tokio::time::sleep(timeout).await;
            interrupted.store(true, Ordering::Relaxed);
        });
    }
    let walking = session.walk(source, &language.settings()).await.map_err(failed)?;
    let limits = Limits { memory: context.global.memory.unwrap_or(Limits::default().memory) / 2, ..Limits::default() };
    let mut out = Out {
        writer: write::writer(output, language.trees.hydra_format, limits),
        columns: Columns::new(),
        skip: shape.offset,
        left: shape.limit.unwrap_or(usize::MAX),
        failure: None,
    };
    // Rows are read and computed without waiting; other threads watch for Ctrl-C.
    let walked = tokio::task::block_in_place(|| walking.run(Some(&interrupted), &mut out));
    if let Some(failure) = out.failure {
        return Err(failure);
    }
    match walked {
        Ok(columns) => out.writer.finish(&columns),
        Err(_) if interrupted.load(Ordering::Relaxed) => {
            let limit = timeout.unwrap_or_default();
            Err(Failure::new(
                Kind::Limit,
                format!("the query took longer than {limit:?}: ask for less, or raise --timeout"),
            ))
        }
        Err(error) => Err(failed(error)),
    }
}

/// What takes the rows; failures of writing wait here until the walk has returned.
struct Out {
    writer: Box<dyn Writer>,
    columns: Columns,
    skip: usize,
    left: usize,
    failure: Option<Failure>,
}

impl Sink for Out {
    fn send(&mut self, row: Row) -> Result<Flow, OpError> {
        if self.skip > 0 {
            self.skip -= 1;
            return Ok(Flow::More);
        }
        if self.left == 0 {
            return Ok(Flow::Stop);
        }
        self.left -= 1;
        self.columns.grow(row.len());
        if let Err(failure) = self.writer.row(row, &self.columns) {
            self.failure = Some(failure);
            return Ok(Flow::Stop);
        }
        Ok(if self.left == 0 { Flow::Stop } else { Flow::More })
    }
}
