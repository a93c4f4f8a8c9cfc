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
