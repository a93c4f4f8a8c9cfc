//! `generate-catalogue`: write a generated file catalogue as JSONL, for benches and for trying things out.
//!
//! `cargo run --release -p lakeql-datasets --bin generate-catalogue -- --files 1000000 --output files.jsonl`
//!
//! A summary goes to stderr as one JSON object: what was written, and queries with the number of rows they must find.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use lakeql_datasets::{CatalogueSpec, CatalogueSummary, write_catalogue};
use serde_json::json;

const USAGE: &str = "usage: generate-catalogue [OPTION VALUE]...

  --files N      number of files (1000000)
  --seed S       the same seed gives the same bytes (1)
  --output FILE  write here instead of to stdout
";

/// What the command line asks for.
#[derive(Debug, Default, PartialEq)]
struct Options {
    spec: CatalogueSpec,
    output: Option<String>,
    help: bool,
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(name) = arguments.next() {
        if name == "--help" || name == "-h" {
            return Ok(Options { help: true, ..options });
        }
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number = || value.parse().map_err(|error| format!("{name} {value}: {error}"));
        match name.as_str() {
            "--files" => options.spec.files = number()?,
            "--seed" => options.spec.seed = number()?,
            "--output" => options.output = Some(value),
            unknown => return Err(format!("unknown option {unknown}")),
        }
    }
    Ok(options)
}

fn write(options: &Options) -> io::Result<CatalogueSummary> {
    match &options.output {
        Some(path) => write_catalogue(&options.spec, &mut BufWriter::new(File::create(path)?)),
        None => write_catalogue(&options.spec, &mut io::stdout().lock()),
    }
}

/// The summary as JSON.
fn report(summary: &CatalogueSummary) -> serde_json::Value {
    let answers = summary.answers.iter().map(
        |answer| json!({"id": answer.id, "text": answer.text, "rows": answer.rows, "total_size": answer.total_size}),
    );
    json!({
        "files": summary.files, "retired": summary.retired, "values": summary.values, "datasets": summary.datasets,
        "links": summary.links, "bytes": summary.bytes, "answers": answers.collect::<Vec<_>>(),
    })
}

fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(options) if options.help => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Ok(options) => options,
        Err(message) => {
            eprint!("{message}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match write(&options) {
        Ok(summary) => {
            // If even stderr is gone there is nobody left to tell.
            let _ = writeln!(io::stderr(), "{}", report(&summary));
            ExitCode::SUCCESS
        }
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let target = options.output.as_deref().unwrap_or("stdout");
            eprintln!("{target}: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options() {
        let parsed = |text: &str| parse(text.split_whitespace().map(str::to_owned));
        assert_eq!(parsed(""), Ok(Options::default()));
        assert_eq!(parsed("--files 5 --seed 9").unwrap().spec, CatalogueSpec { files: 5, seed: 9 });
        assert!(parsed("--help").unwrap().help);
        for wrong in ["--files", "--files x", "--files -1", "--nosuch 1"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
