//! `query`: a text goes in, rows come out.

use crate::args::{LanguageArgs, QueryArgs, ShapeArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::text;
use futures::TryStreamExt;
use lakeql_engine::Session;
use lakeql_query::source::Source;

pub(super) async fn run(context: &Context, args: &QueryArgs) -> Result<(), Failure> {
    let source = text::read(&args.text)?;
    let output = Output::open(&context.global)?;
    let session = context.session_from(&args.from).await?;
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
    let failed = |error| Failure::of_query(error, source);
    let mut results = session.query(source, lang, &language.settings(), &shape.shape()).await.map_err(failed)?;
    context.talk.report(&results.notes, source);
    let mut answer = output.start(results.schema.clone())?;
    while let Some(batch) = results.stream.try_next().await.map_err(failed)? {
        answer.write(&batch)?;
    }
    answer.finish()
}
