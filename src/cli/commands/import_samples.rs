//! `import samples`: what is known of training samples comes in.

use crate::args::ImportSamples;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::talk::count;
use indicatif::DecimalBytes;
use lakeql_lake::Lake;
use lakeql_lake::ingest::samples::{
    SampleReport, SampleSchema, discover, import_samples, source_of_catalog, source_of_files,
};
use lakeql_query::diagnostic::Kind;
use std::path::Path;

pub(super) async fn run(context: &Context, args: &ImportSamples) -> Result<(), Failure> {
    let source = match &args.collection {
        None => {
            let path = Path::new(&args.source);
            if path.is_dir() {
                let message = "a folder of samples needs a collection: add --collection NAME";
                return Err(Failure::Usage(message.to_owned()));
            }
            source_of_catalog(path)?
        }
        Some(collection) => {
            let schema = match &args.schema {
                Some(path) => {
                    let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
                    SampleSchema::parse(&text, &path.display().to_string(), None)?
                }
                None => discover(&args.source)?,
            };
            if args.show_schema {
                return Output::open(&context.global)?.text(&shown(&schema)?);
            }
            if args.schema.is_none() {
                context.talk.say(&format!("properties found: {}", listed(&schema)));
            }
            source_of_files(&args.source, collection, args.dataset.as_deref(), schema)?
        }
    };
    let lake = Lake::open_or_create(&context.global.lake).await?;
    let report = import_samples(&lake, &source).await?;
    for line in summary(&report) {
        context.talk.say(&line);
    }
    Ok(())
}

/// A schema in the form of a schema file.
fn shown(schema: &SampleSchema) -> Result<String, Failure> {
    let properties: Vec<_> = schema
        .properties
        .iter()
        .map(|it| {
            let property = &it.property;
            serde_json::json!({
                "name": property.name, "dtype": property.kind.name(), "multiple": property.multiple,
                "nullable": property.nullable, "path": it.path.join("."),
            })
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
    let changed = report.added + report.replaced;
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
    if report.unchanged > 0 {
        others.push(format!("{} unchanged", report.unchanged));
    }
    let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    let (sets, files) = (count(changed, "data set"), count(report.files, "file"));
    let (samples, runs) = (count(report.samples, "sample"), count(report.runs, "row"));
    vec![
        format!(
            "imported {sets}{others}, {files}, {samples} as {runs}: {read}, wrote {}",
            DecimalBytes(report.bytes_written)
        ),
        format!("the lake is now at version {}", report.version),
    ]
}
