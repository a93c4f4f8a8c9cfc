//! `generate-samples`: write a corpus of training samples as Parquet files, for benches and for trying things out.
//!
//! `cargo run --release -p lakeql-datasets --bin generate-samples -- DIR [SAMPLES] [runs|shuffled|combinations] [tokens]`
//!
//! The files go to `DIR/data`. Beside it come schemas, a mixture, and `queries.jsonl`, which
//! `lakeql bench --queries DIR/queries.jsonl` reads after
//! `lakeql import samples DIR/data --collection web --schema DIR/schema.json`.

use lakeql_datasets::{SAMPLE_MIXTURE, SampleShape, SampleSpec, SampleSummary, sample_schema, write_samples};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: generate-samples DIR [SAMPLES] [runs|shuffled|combinations] [tokens]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((folder, flags)) = arguments.split_first() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let mut spec = SampleSpec::default();
    for flag in flags {
        match (flag.as_str(), flag.parse()) {
            ("runs", _) => spec.shape = SampleShape::Runs,
            ("shuffled", _) => spec.shape = SampleShape::Shuffled,
            ("combinations", _) => spec.shape = SampleShape::Combinations,
            ("tokens", _) => spec.tokens = true,
            (_, Ok(samples)) => spec.samples = samples,
            (_, Err(_)) => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    match write(&spec, Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{folder}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(spec: &SampleSpec, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let data = folder.join("data");
    std::fs::create_dir_all(&data)?;
    let summary = write_samples(spec, &data)?;
    let names: &[&str] = match (spec.shape, spec.tokens) {
        (SampleShape::Combinations, _) => &["language", "domain"],
        (SampleShape::Runs | SampleShape::Shuffled, false) => &["language", "license", "source"],
        (SampleShape::Runs | SampleShape::Shuffled, true) => &["language", "license", "source", "tokens"],
    };
    std::fs::write(folder.join("schema.json"), sample_schema(names))?;
    std::fs::write(folder.join("two.json"), sample_schema(&["language", "license"]))?;
    std::fs::write(folder.join("mixture.json"), SAMPLE_MIXTURE)?;
    std::fs::write(folder.join("queries.jsonl"), queries(&summary, names)?)?;
    Ok(())
}

/// Lines for `lakeql bench`; those about properties that the schema leaves out are not among them.
fn queries(summary: &SampleSummary, names: &[&str]) -> Result<String, serde_json::Error> {
    let mut lines = vec![];
    for answer in &summary.answers {
        let others = ["license", "source"];
        if others
            .into_iter()
            .any(|it| !names.contains(&it) && (answer.text.contains(it) || answer.count_by.contains(it)))
        {
            continue;
        }
        let mut options = serde_json::Map::new();
        for (flag, value) in [("ranges-by", answer.ranges_by), ("count-by", answer.count_by)] {
            if !value.is_empty() {
                options.insert(flag.to_owned(), value.into());
            }
        }
        lines.push(json!({"id": answer.id, "lang": "mixtera", "text": answer.text, "options": options}));
    }
    let mixture: Value = serde_json::from_str(SAMPLE_MIXTURE)?;
    for (id, more) in [
        ("all_chunks", json!({})),
        ("all_chunks_files", json!({"order": "files"})),
        ("chunk_5000", json!({"from": 5_000, "count": 1})),
        ("chunk_5000_files", json!({"from": 5_000, "count": 1, "order": "files"})),
    ] {
        let mut chunks = json!({"mixture": mixture, "chunk-size": 1_000});
        if let (Some(chunks), Some(more)) = (chunks.as_object_mut(), more.as_object()) {
            chunks.extend(more.clone());
        }
        lines.push(json!({"id": id, "lang": "mixtera", "text": "select()", "chunks": chunks}));
    }
    Ok(lines.iter().map(|line| format!("{line}\n")).collect())
}
