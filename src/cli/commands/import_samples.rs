//! `import samples`: what is known of training samples comes in.

use crate::args::ImportSamples;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::talk::count;
use indicatif::DecimalBytes;
use lakeql_lake::Lake;
use lakeql_lake::ingest::samples::{
    SampleReport, SampleSchema, add_properties, add_samples, discover, import_samples, remove_dataset,
    source_of_catalog, source_of_files,
};
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use std::io::{IsTerminal, Write};
use std::path::Path;

pub(super) async fn run(context: &Context, args: &ImportSamples) -> Result<(), Failure> {
    if args.remove {
        return remove(context, args).await;
    }
    let Some(place) = &args.source else { return Err(Failure::Usage("give a SOURCE".to_owned())) };
    if args.add_properties {
        return added(context, args, place).await;
    }
    let source = match &args.collection {
        None => {
            let path = Path::new(place);
            if path.is_dir() || place.contains(['*', '?']) || place.contains("://") {
                let message = "a folder of samples needs a collection: add --collection NAME";
                return Err(Failure::Usage(message.to_owned()));
            }
            source_of_catalog(path)?
        }
        Some(collection) => {
            let schema = match (schema(args)?, args.layout) {
                (Some(schema), _) => schema,
                (None, Some(layout)) => layout.schema(),
                (None, None) => discover(place)?,
            };
            if args.show_schema {
                return Output::open(&context.global)?.text(&shown(&schema)?);
            }
            if args.schema.is_none() && args.layout.is_none() {
                context.talk.say(&format!("properties found: {}", listed(&schema)));
                confirm(args)?;
            }
            source_of_files(place, collection, args.dataset.as_deref(), schema)?
        }
    };
    let lake = Lake::open_or_create(&context.global.lake).await?;
    let report =
        if args.add_files { add_samples(&lake, &source).await? } else { import_samples(&lake, &source).await? };
    for line in summary(&report) {
        context.talk.say(&line);
    }
    Ok(())
}

fn schema(args: &ImportSamples) -> Result<Option<SampleSchema>, Failure> {
    let Some(path) = &args.schema else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
    Ok(Some(SampleSchema::parse(&text, &path.display().to_string(), None)?))
}

/// Asks whether what was found is right, if there is somebody to ask.
fn confirm(args: &ImportSamples) -> Result<(), Failure> {
    if args.yes || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(());
    }
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "import with these properties? [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    let _ = std::io::stdin().read_line(&mut answer);
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    let problem = Diagnostic::error(Kind::Semantic, "nothing was imported");
    Err(Failure::of(
        problem.hint("write down with --show-schema what the properties are, change it and give it as --schema"),
    ))
}

async fn remove(context: &Context, args: &ImportSamples) -> Result<(), Failure> {
    let (Some(collection), Some(dataset)) = (&args.collection, &args.dataset) else {
        return Err(Failure::Usage("say which one: --collection NAME --dataset NAME".to_owned()));
    };
    let lake = Lake::open(&context.global.lake).await?;
    match remove_dataset(&lake, collection, dataset).await? {
        Some(version) => {
            context.talk.say(&format!("removed the data set `{dataset}` of `{collection}`"));
            context.talk.say(&format!("the lake is now at version {version}"));
            Ok(())
        }
        None => {
            let snapshot = lake.snapshot(lakeql_lake::AsOf::Latest).await?;
            let catalog = snapshot.samples().await?;
            let problem = Diagnostic::error(
                Kind::NotFound,
                format!("there is no data set `{dataset}` in the collection `{collection}`"),
            );
            let known: Vec<&str> = match catalog.collections.get(collection) {
                Some(found) => found.datasets.iter().map(|it| it.name.as_str()).collect(),
                None => vec![],
            };
            Err(Failure::of(match did_you_mean(dataset, known.iter().copied()) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None if known.is_empty() => problem,
                None => problem.hint(format!("data sets are {}", known.join(", "))),
            }))
        }
    }
}

async fn added(context: &Context, args: &ImportSamples, place: &str) -> Result<(), Failure> {
    let (Some(collection), Some(dataset)) = (&args.collection, &args.dataset) else {
        return Err(Failure::Usage("say to which: --collection NAME --dataset NAME".to_owned()));
    };
    let lake = Lake::open(&context.global.lake).await?;
    let report = add_properties(&lake, Path::new(place), collection, dataset, schema(args)?).await?;
    let (samples, runs) = (count(report.samples, "sample"), count(report.runs, "row"));
    context.talk.say(&format!(
        "added to {samples} as {runs}: read {} in {:.2} s, wrote {}",
        DecimalBytes(report.bytes_read),
        report.seconds,
        DecimalBytes(report.bytes_written)
    ));
    context.talk.say(&format!("the lake is now at version {}", report.version));
    Ok(())
}

/// A schema in the form of a schema file.
fn shown(schema: &SampleSchema) -> Result<String, Failure> {
    let properties: Vec<_> = schema
        .properties
        .iter()
        .map(|it| {
            let property = &it.property;
            let mut shown = serde_json::json!({
                "name": property.name, "dtype": property.kind.name(), "multiple": property.multiple,
                "nullable": property.nullable, "path": it.path.join("."),
            });
            if let (Some(shown), Some(pick)) = (shown.as_object_mut(), &it.pick) {
                shown.insert("pick".to_owned(), pick.as_str().into());
            }
            if let (Some(shown), Some(options)) = (shown.as_object_mut(), &property.options) {
                shown.insert("dtype".to_owned(), "enum".into());
                shown.insert("enum".to_owned(), options.as_slice().into());
            }
            shown
        })
        .collect();
    let text = serde_json::to_string_pretty(&serde_json::json!({ "properties": properties }));
    text.map(|text| text + "\n").map_err(|error| Failure::new(Kind::Io, error.to_string()))
}

fn listed(schema: &SampleSchema) -> String {
    let one = |it: &lakeql_lake::ingest::samples::SchemaProperty| {
        let list = if it.property.multiple { "list of " } else { "" };
        format!("{} ({list}{})", it.property.name, it.property.kind.name())
    };
    if schema.properties.is_empty() {
        return "none".to_owned();
    }
    schema.properties.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn summary(report: &SampleReport) -> Vec<String> {
    let read = format!("read {} in {:.2} s", DecimalBytes(report.bytes_read), report.seconds);
    let changed = report.added + report.replaced + report.extended;
    if changed == 0 {
        return vec![
            format!("nothing new ({} unchanged): {read}", count(report.unchanged, "data set")),
            format!("the lake has not changed: it is at version {}", report.version),
        ];
    }
    let mut others = vec![];
    if report.replaced > 0 {
        others.push(format!("{} replaced", report.replaced));
    }
    if report.extended > 0 {
        others.push(format!("{} with new files", report.extended));
    }
    if report.unchanged > 0 {
        others.push(format!("{} unchanged", report.unchanged));
    }
    let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    let (sets, files) = (count(changed, "data set"), count(report.files, "file"));
    let (samples, runs) = (count(report.samples, "sample"), count(report.runs, "row"));
    let dropped = report.dropped.iter().map(|it| format!("the added property {it} is gone: add it again"));
    let lines = [
        format!(
            "imported {sets}{others}, {files}, {samples} as {runs}: {read}, wrote {}",
            DecimalBytes(report.bytes_written)
        ),
        format!("the lake is now at version {}", report.version),
    ];
    lines.into_iter().chain(dropped).collect()
}
