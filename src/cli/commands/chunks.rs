//! `chunks`: samples in an exact mixture.

use super::contract::{Asked, Contract, Part};
use crate::args::{ChunksArgs, OrderArg, TextArgs, TurnArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::text;
use futures::TryStreamExt;
use lakeql_engine::{ChunkOptions, Chunks, Results, Turn};
use lakeql_mixtures::{MixtureFile, Order, State, events};
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::source::Source;
use serde_json::Value;
use std::path::Path;

pub(super) async fn run(context: &Context, args: &ChunksArgs) -> Result<(), Failure> {
    if let Some(path) = &args.verify {
        return verify(context, path).await;
    }
    let text = TextArgs { text: args.text.clone(), file: args.file.clone(), lang: args.lang.clone(), saved: None };
    let (source, document) = Document::of(text::read(&text)?)?;
    let asked = asked(args, &source, document)?;
    let options = asked
        .options(args.state.is_some(), args.contract.is_some())
        .map_err(|reason| Failure::new(Kind::Semantic, format!("{}: {reason}", path_of(args.mixture.as_deref()))))?;
    let output = Output::open(&context.global)?;
    let session = context.session().await?;
    let failed = |error| Failure::of_query(error, &source);
    let (mut results, chunks) =
        session.chunks(&source, &asked.lang, &asked.settings(), options).await.map_err(failed)?;
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
    if let Some(path) = &args.contract {
        let version = session.snapshot().map_or(0, |snapshot| snapshot.version());
        save(path, &Contract::new(asked, version, account(&chunks)?))?;
    }
    if let (Some(path), Some(state)) = (&args.state, chunks.state()) {
        save(path, &state)?;
    }
    Ok(())
}

fn path_of(path: Option<&Path>) -> String {
    path.map(|path| path.display().to_string()).unwrap_or_default()
}

fn account(chunks: &Chunks) -> Result<lakeql_engine::Account, Failure> {
    chunks.account().ok_or_else(|| Failure::new(Kind::Io, "the draw has ended without an account"))
}

/// Draws again what a contract says.
async fn verify(context: &Context, path: &Path) -> Result<(), Failure> {
    let wrong = |reason: String| Failure::new(Kind::Semantic, format!("{}: {reason}", path.display()));
    let contract: Contract = serde_json::from_str(&read(path)?).map_err(|error| wrong(error.to_string()))?;
    let source = Source::query(contract.asked.query.as_str());
    let options = contract.asked.options(false, true).map_err(wrong)?;
    let mut context = context.clone();
    context.global.as_of = Some(lakeql_lake::AsOf::Version(contract.lake_version));
    let session = context.session().await?;
    let failed = |error| Failure::of_query(error, &source);
    let settings = contract.asked.settings();
    let drawn = session.chunks(&source, &contract.asked.lang, &settings, options).await;
    let (results, chunks): (Results, Chunks) = drawn.map_err(failed)?;
    let mut stream = results.stream;
    while stream.try_next().await.map_err(failed)?.is_some() {}
    let found = account(&chunks)?;
    let differences = contract.differences(&found);
    if differences.is_empty() {
        let text = format!(
            "verified: {} chunks of {} samples from version {} of the lake are as {} says",
            found.chunks,
            found.delivered,
            contract.lake_version,
            path.display()
        );
        return Output::open(&context.global)?.text(&(text + "\n"));
    }
    let problem = Diagnostic::error(Kind::Semantic, format!("the draw is not as {} says", path.display()));
    Err(Failure::of(differences.into_iter().fold(problem, Diagnostic::hint)))
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))
}

/// What a document says besides the query.
#[derive(Default)]
struct Document {
    mixture: Option<Value>,
    chunk_size: Option<Value>,
    by_files: bool,
}

impl Document {
    /// The query of a document, and the rest of it; any other text is a query alone.
    fn of(source: Source) -> Result<(Source, Self), Failure> {
        let Ok(Value::Object(mut object)) = serde_json::from_str(&source.text) else {
            return Ok((source, Self::default()));
        };
        if object.len() < 2 || !object.contains_key("query") {
            return Ok((source, Self::default()));
        }
        let wrong = |message: String| {
            let problem = Diagnostic::error(Kind::Semantic, message);
            Failure::of(problem.hint("a document has \"query\" and perhaps \"mixture\", \"chunk_size\" and \"order\""))
        };
        let query = object.remove("query").unwrap_or_default();
        let (mixture, chunk_size) = (object.remove("mixture"), object.remove("chunk_size"));
        let by_files = match object.remove("order") {
            None => false,
            Some(Value::String(order)) if order == "file" || order == "files" => true,
            Some(Value::String(order)) if order == "keys" => false,
            Some(other) => return Err(wrong(format!("there is no order {other}: orders are \"keys\" and \"file\""))),
        };
        if let Some(name) = object.keys().next() {
            return Err(wrong(format!("a document has no \"{name}\"")));
        }
        Ok((Source { text: query.to_string(), ..source }, Self { mixture, chunk_size, by_files }))
    }
}

fn asked(args: &ChunksArgs, source: &Source, document: Document) -> Result<Asked, Failure> {
    let wrong = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::new(Kind::Semantic, format!("{}: {error}", path.display()))
    };
    let (mixture, place) = match (&args.mixture, document.mixture) {
        (Some(path), _) => {
            let mixture: Value = serde_json::from_str(&read(path)?)
                .map_err(|error| wrong(path, &format!("the mixture is not JSON: {error}")))?;
            (mixture, path.clone())
        }
        (None, Some(mixture)) => (mixture, "the document".into()),
        (None, None) => return Err(Failure::Usage("give a mixture: --mixture FILE".to_owned())),
    };
    let file = MixtureFile::of_json(&mixture).map_err(|error| wrong(&place, &error))?;
    let of_document = match document.chunk_size {
        None => None,
        Some(value) => match value.as_u64().filter(|size| *size > 0) {
            Some(size) => Some(size),
            None => return Err(wrong(&place, &format!("chunk_size: expected a whole number from 1, found {value}"))),
        },
    };
    let events = match &args.events {
        Some(path) => Some(events(&read(path)?).map_err(|error| wrong(path, &error))?),
        None => None,
    };
    let Some(chunk_size) = args.chunk_size.or(of_document).or(file.chunk_size) else {
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
    Ok(Asked {
        query: source.text.clone(),
        lang: args.lang.clone(),
        collection: args.samples.collection.clone(),
        lenient: args.samples.lenient,
        mixture,
        events,
        chunk_size,
        weight: args.weight.clone(),
        by_files: args.seed.is_none() && (args.order == OrderArg::Files || document.by_files),
        seed: args.seed,
        from: args.from,
        count: args.count,
        state,
        part: part(&args.turn)?,
    })
}

/// Whose chunks are wanted; nothing if there is one worker only.
fn part(args: &TurnArgs) -> Result<Option<Part>, Failure> {
    let all =
        [("group", args.groups, args.group), ("node", args.nodes, args.node), ("worker", args.workers, args.worker)];
    for (name, many, one) in all {
        match one {
            // Nodes get the same, so it does not matter which one asks.
            None if many > 1 && name != "node" => {
                let message = format!("there are {many} {name}s: say which one is served with --{name} I, from 0");
                return Err(Failure::Usage(message));
            }
            Some(one) if one >= many => {
                let there =
                    if many == 1 { "there is only 0".to_owned() } else { format!("they are 0 to {}", many - 1) };
                return Err(Failure::Usage(format!("there is no {name} {one}: {there} (--{name}s {many})")));
            }
            Some(_) | None => {}
        }
    }
    if args.groups == 1 && args.workers == 1 && args.nodes == 1 {
        return Ok(None);
    }
    Ok(Some(Part {
        groups: args.groups,
        nodes: args.nodes,
        workers: args.workers,
        group: args.group.unwrap_or(0),
        node: args.node,
        worker: args.worker.unwrap_or(0),
    }))
}

impl Part {
    fn turn(&self) -> Turn {
        Turn { groups: self.groups, workers: self.workers, group: self.group, worker: self.worker }
    }
}

impl Asked {
    /// As the engine wants it.
    pub(super) fn options(&self, keep_state: bool, account: bool) -> Result<ChunkOptions, String> {
        let mut mixture = MixtureFile::of_json(&self.mixture).map_err(|error| error.to_string())?;
        if let Some(events) = &self.events {
            mixture.events.clone_from(events);
        }
        if self.chunk_size == 0 {
            return Err("chunk_size: a chunk needs at least one sample".to_owned());
        }
        let order = match (self.seed, self.by_files) {
            (Some(seed), _) => Order::Seed(seed),
            (None, true) => Order::Files,
            (None, false) => Order::Keys,
        };
        Ok(ChunkOptions {
            mixture,
            chunk_size: self.chunk_size,
            weight: self.weight.clone(),
            from: self.from,
            count: self.count,
            order,
            state: self.state.clone(),
            keep_state,
            turn: self.part.as_ref().map(Part::turn),
            account,
        })
    }
}

/// Writes beside the file first, so that there is always a whole one.
fn save(path: &Path, value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(Kind::Io, error.to_string()))?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".part");
    let failed = |error: std::io::Error| Failure::file("write", path, &error);
    std::fs::write(&temporary, text + "\n").map_err(failed)?;
    std::fs::rename(&temporary, path).map_err(failed)
}
