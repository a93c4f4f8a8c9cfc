//! `generate-experiments`: write a lake of generated runs as JSONL, for benches and for trying things out.
//!
//! `cargo run --release -p lakeql-datasets --bin generate-experiments -- --runs 100000 --output runs.jsonl`
//!
//! A summary goes to stderr as one JSON object: what was written, and queries with the number of rows they must find.

use std::fs::File;
use std::io::{self, Write};
use std::num::ParseIntError;
use std::process::ExitCode;
use std::str::FromStr;

use lakeql_datasets::{ExperimentSpec, Summary, write_experiments};
use serde_json::json;

const USAGE: &str = "usage: generate-experiments [OPTION VALUE]...

  --runs N               number of runs (100000)
  --paths N              number of different parameter paths (2000)
  --params-per-run N     parameters of an average run (60)
  --series-per-run N     metric series of a run (10)
  --points-per-series N  points of an average series (20)
  --seed S               the same seed gives the same bytes (1)
  --output FILE          write here instead of to stdout
";

/// What the command line asks for.
#[derive(Debug, Default, PartialEq)]
struct Options {
    spec: ExperimentSpec,
    output: Option<String>,
    help: bool,
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(name) = arguments.next() {
        if name == "--help" || name == "-h" {
            return Ok(Options { help: true, ..options });
        }
        let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "--runs" => options.spec.runs = number(&name, value)?,
            "--paths" => options.spec.paths = number(&name, value)?,
            "--params-per-run" => options.spec.params_per_run = number(&name, value)?,
            "--series-per-run" => options.spec.series_per_run = number(&name, value)?,
            "--points-per-series" => options.spec.points_per_series = number(&name, value)?,
            "--seed" => options.spec.seed = number(&name, value)?,
            "--output" => options.output = Some(value()?),
            unknown => return Err(format!("unknown option {unknown}")),
        }
    }
    Ok(options)
}

/// The value of an option as a number.
fn number<N: FromStr<Err = ParseIntError>>(
    name: &str,
    value: impl FnOnce() -> Result<String, String>,
) -> Result<N, String> {
    let value = value()?;
    value.parse().map_err(|error| format!("{name} {value}: {error}"))
}

fn write(options: &Options) -> io::Result<Summary> {
    match &options.output {
        Some(path) => write_experiments(&options.spec, &mut File::create(path)?),
        None => write_experiments(&options.spec, &mut io::stdout().lock()),
    }
}

/// The summary as JSON.
fn report(summary: &Summary) -> serde_json::Value {
    let answers = summary
        .answers
        .iter()
        .map(|answer| json!({"id": answer.id, "entity": answer.entity, "text": answer.text, "rows": answer.rows}));
    json!({
        "runs": summary.runs, "archived": summary.archived, "params": summary.params, "series": summary.series,
        "points": summary.points, "bytes": summary.bytes, "answers": answers.collect::<Vec<_>>(),
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

    fn parsed(text: &str) -> Result<Options, String> {
        parse(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options() {
        assert_eq!(parsed(""), Ok(Options::default()));
        let options = parsed("--runs 5 --points-per-series 7 --seed 9 --output x").unwrap();
        assert_eq!(options.spec, ExperimentSpec { runs: 5, points_per_series: 7, seed: 9, ..Default::default() });
        assert_eq!(options.output.as_deref(), Some("x"));
        assert!(parsed("--help").unwrap().help);
        for wrong in ["--runs", "--runs x", "--runs -1", "--nosuch", "--nosuch 1"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
