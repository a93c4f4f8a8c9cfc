//! `generate-neptune`: write an export of generated runs as neptune-exporter would, for benches and for trying things out.
//!
//! `cargo run --release -p lakeql-datasets --bin generate-neptune -- --runs 15000 --output export`
//!
//! A summary goes to stderr as one JSON object.

use std::path::Path;
use std::process::ExitCode;

use lakeql_datasets::{NeptuneSpec, write_neptune};
use serde_json::json;

const USAGE: &str = "usage: generate-neptune [OPTION VALUE]... --output FOLDER

  --runs N               number of runs, one file each (15000)
  --params-per-run N     parameters of a run (40)
  --series-per-run N     float series of a run (5)
  --points-per-series N  points of a series (20)
  --seed S               the same seed gives the same rows (1)
  --output FOLDER        where `data` is made
";

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<(NeptuneSpec, String)>, String> {
    let mut spec = NeptuneSpec::default();
    let mut output = None;
    while let Some(name) = arguments.next() {
        if name == "--help" || name == "-h" {
            return Ok(None);
        }
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        let wrong = |error: std::num::ParseIntError| format!("{name} {value}: {error}");
        match name.as_str() {
            "--runs" => spec.runs = value.parse().map_err(wrong)?,
            "--params-per-run" => spec.params_per_run = value.parse().map_err(wrong)?,
            "--series-per-run" => spec.series_per_run = value.parse().map_err(wrong)?,
            "--points-per-series" => spec.points_per_series = value.parse().map_err(wrong)?,
            "--seed" => spec.seed = value.parse().map_err(wrong)?,
            "--output" => output = Some(value),
            unknown => return Err(format!("unknown option {unknown}")),
        }
    }
    output.map(|output| Some((spec, output))).ok_or_else(|| "--output is missing".to_owned())
}

fn main() -> ExitCode {
    let (spec, output) = match parse(std::env::args().skip(1)) {
        Ok(Some(asked)) => asked,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprint!("{message}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match write_neptune(&spec, Path::new(&output)) {
        Ok(summary) => {
            let summary = json!({
                "runs": summary.runs, "attributes": summary.attributes, "series": summary.series,
                "points": summary.points, "nan_points": summary.nan_points, "bytes": summary.bytes,
                "small_lr": summary.small_lr, "low_loss": summary.low_loss, "tagged": summary.tagged,
            });
            eprintln!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{output}: {error}");
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
        let spec = NeptuneSpec { runs: 5, seed: 9, ..NeptuneSpec::default() };
        assert_eq!(parsed("--runs 5 --seed 9 --output x"), Ok(Some((spec, "x".to_owned()))));
        assert_eq!(parsed("--help"), Ok(None));
        for wrong in ["", "--runs", "--runs x --output x", "--nosuch 1 --output x"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
