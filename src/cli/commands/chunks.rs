//! `chunks`: samples in an exact mixture.

use crate::args::{ChunksArgs, OrderArg, TextArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::text;
use futures::TryStreamExt;
use lakeql_engine::ChunkOptions;
use lakeql_mixtures::{MixtureFile, Order, State, events};
use lakeql_query::diagnostic::{Diagnostic, Kind};
use std::path::Path;

pub(super) async fn run(context: &Context, args: &ChunksArgs) -> Result<(), Failure> {
    let text = TextArgs { text: args.text.clone(), file: args.file.clone(), lang: args.lang.clone(), saved: None };
    let source = text::read(&text)?;
    let options = options(args)?;
    let output = Output::open(&context.global)?;
    let session = context.session().await?;
    let failed = |error| Failure::of_query(error, &source);
    let settings = args.samples.settings();
    let (mut results, chunks) = session.chunks(&source, &args.lang, &settings, options).await.map_err(failed)?;
    context.talk.report(&results.notes, &source);
    let mut answer = output.start(results.schema.clone())?;
    while let Some(batch) = results.stream.try_next().await.map_err(failed)? {
        answer.write(&batch)?;
    }
    answer.finish()?;
    let closing = results.closing_notes();
    for note in closing() {
        context.talk.say(&note.message);
    }
    // Only when the rows are out: a state that is ahead of what anybody has seen would lose chunks.
    if let (Some(path), Some(state)) = (&args.state, chunks.state()) {
        save(path, &state)?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))
}

fn options(args: &ChunksArgs) -> Result<ChunkOptions, Failure> {
    let wrong = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::new(Kind::Semantic, format!("{}: {error}", path.display()))
    };
    let mut mixture = MixtureFile::parse(&read(&args.mixture)?).map_err(|error| wrong(&args.mixture, &error))?;
    if let Some(path) = &args.events {
        mixture.events = events(&read(path)?).map_err(|error| wrong(path, &error))?;
    }
    let Some(chunk_size) = args.chunk_size.or(mixture.chunk_size) else {
        return Err(Failure::of(
            Diagnostic::error(Kind::Semantic, "nobody says how large a chunk is").hint("add --chunk-size N"),
        ));
    };
    let state = match &args.state {
        Some(path) if path.exists() => {
            let state: State = serde_json::from_str(&read(path)?).map_err(|error| wrong(path, &error))?;
            Some(state)
        }
        Some(_) | None => None,
    };
    let order = match (args.seed, args.order) {
        (Some(seed), _) => Order::Seed(seed),
        (None, OrderArg::Keys) => Order::Keys,
        (None, OrderArg::Files) => Order::Files,
    };
    let keep_state = args.state.is_some();
    Ok(ChunkOptions { mixture, chunk_size, from: args.from, count: args.count, order, state, keep_state })
}

/// Writes beside the file first, so that there is always a whole one.
fn save(path: &Path, state: &State) -> Result<(), Failure> {
    let text = serde_json::to_string(state).map_err(|error| Failure::new(Kind::Io, error.to_string()))?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".part");
    let failed = |error: std::io::Error| Failure::file("write", path, &error);
    std::fs::write(&temporary, text + "\n").map_err(failed)?;
    std::fs::rename(&temporary, path).map_err(failed)
}
