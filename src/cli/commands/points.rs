//! `points`: a text goes in, the points of the series that it matches come out.

use crate::args::PointsArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::text;
use futures::TryStreamExt;

pub(super) async fn run(context: &Context, args: &PointsArgs) -> Result<(), Failure> {
    let source = text::read(&args.text)?;
    let output = Output::open(&context.global)?;
    let session = context.session().await?;
    let failed = |error| Failure::of_query(error, &source);
    let (settings, options) = (args.language.settings(), args.options());
    let mut results = session.points(&source, &args.text.lang, &settings, &options).await.map_err(failed)?;
    context.talk.report(&results.notes, &source);
    let mut answer = output.start(results.schema.clone())?;
    while let Some(batch) = results.stream.try_next().await.map_err(failed)? {
        answer.write(&batch)?;
    }
    answer.finish()?;
    // How many points had to be left out is known when all have been looked at.
    let closing = results.closing_notes();
    context.talk.report(&closing(), &source);
    Ok(())
}
