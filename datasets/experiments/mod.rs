//! Lakes of experiment runs: the run JSONL that `lakeql import aim` reads, of any size and with known answers.

mod answers;
mod paths;
mod run;
mod series;
mod values;

use std::io::{self, Write};

pub use answers::Answer;

use answers::Tally;
use paths::Catalogue;
use run::RunWriter;

/// How large a generated lake is. The default is the lake of the speed figures (M).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExperimentSpec {
    /// Number of runs, spread over two years from 2024-11-04 on.
    pub runs: u64,
    /// Number of different parameter paths, of which 20 are in nearly every run and most are rare. There are always
    /// the 28 that have names of their own.
    pub paths: usize,
    /// Parameters of an average run; what the frequent paths leave of it goes to the rare ones.
    pub params_per_run: usize,
    /// Metric series of every run.
    pub series_per_run: usize,
    /// Points of an average series; runs have half to one and a half times as many.
    pub points_per_series: usize,
    /// The same seed gives the same bytes.
    pub seed: u64,
}

impl Default for ExperimentSpec {
    fn default() -> Self {
        Self { runs: 100_000, paths: 2_000, params_per_run: 60, series_per_run: 10, points_per_series: 20, seed: 1 }
    }
}

impl ExperimentSpec {
    /// A lake for tests: a few megabytes, every kind of value.
    pub fn small() -> Self {
        Self { runs: 1_000, paths: 400, params_per_run: 50, series_per_run: 8, points_per_series: 10, seed: 1 }
    }
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Runs, archived ones included.
    pub runs: u64,
    /// Archived runs.
    pub archived: u64,
    /// Parameters (leaves; a list is one).
    pub params: u64,
    /// Metric series.
    pub series: u64,
    /// Points of all series.
    pub points: u64,
    /// Bytes of JSONL.
    pub bytes: u64,
    /// AimQL queries and the number of rows that each must find.
    pub answers: Vec<Answer>,
}

/// Bytes gathered before they are handed to the writer.
const BUFFER: usize = 1 << 20;

/// Write the lake as run JSONL, oldest run first.
pub fn write_experiments(spec: &ExperimentSpec, out: &mut impl Write) -> io::Result<Summary> {
    let catalogue = Catalogue::new(spec);
    let mut writer = RunWriter::new(spec, &catalogue);
    let mut tally = Tally::default();
    let mut summary = Summary::default();
    let mut buffer = Vec::with_capacity(BUFFER + BUFFER / 8);
    for index in 0..spec.runs {
        let facts = writer.write(index, &mut buffer);
        tally.add(&facts);
        summary.archived += u64::from(facts.archived);
        summary.params += facts.params;
        summary.series += facts.series;
        summary.points += facts.points;
        if buffer.len() >= BUFFER || index + 1 == spec.runs {
            out.write_all(&buffer)?;
            summary.bytes += buffer.len() as u64;
            buffer.clear();
        }
    }
    out.flush()?;
    summary.runs = spec.runs;
    summary.answers = tally.answers();
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::*;

    fn generate(spec: &ExperimentSpec) -> (Vec<u8>, Summary) {
        let mut out = Vec::new();
        let summary = write_experiments(spec, &mut out).unwrap();
        (out, summary)
    }

    fn runs(bytes: &[u8]) -> Vec<Value> {
        std::str::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Paths and kinds of a parameter document; dotted or odd keys stay one element.
    fn leaves(prefix: &str, value: &Value, found: &mut Vec<(String, &'static str)>) {
        let kind = match value {
            Value::Object(fields) => {
                for (key, inner) in fields {
                    leaves(&format!("{prefix}/{key}"), inner, found);
                }
                return;
            }
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(number) if number.is_f64() => "float",
            Value::Number(_) => "int",
            Value::String(_) => "text",
            Value::Array(_) => "list",
        };
        found.push((prefix.to_owned(), kind));
    }

    fn count(runs: &[Value], holds: impl Fn(&Value) -> bool) -> u64 {
        runs.iter().filter(|run| run["archived"] == false && holds(run)).count() as u64
    }

    fn series<'a>(run: &'a Value, name: &str, context: &Value) -> Option<&'a Value> {
        run["metrics"].as_array().unwrap().iter().find(|one| one["name"] == name && one["context"] == *context)
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let spec = ExperimentSpec { runs: 50, ..ExperimentSpec::small() };
        assert_eq!(generate(&spec), generate(&spec));
        assert_ne!(generate(&spec).0, generate(&ExperimentSpec { seed: 2, ..spec.clone() }).0);
    }

    #[test]
    fn the_summary_is_what_was_written() {
        let (bytes, summary) = generate(&ExperimentSpec::small());
        let runs = runs(&bytes);
        assert_eq!(summary.bytes, bytes.len() as u64);
        assert_eq!(summary.runs, runs.len() as u64);
        assert_eq!(summary.archived, runs.iter().filter(|run| run["archived"] == true).count() as u64);
        let metrics = || runs.iter().flat_map(|run| run["metrics"].as_array().unwrap());
        assert_eq!(summary.series, metrics().count() as u64);
        assert_eq!(summary.points, metrics().map(|one| one["values"].as_array().unwrap().len() as u64).sum::<u64>());
        let mut found = Vec::new();
        runs.iter().for_each(|run| leaves("", &run["params"], &mut found));
        assert_eq!(summary.params, found.len() as u64);
    }

    #[test]
    fn lines_have_the_shape_of_an_export() {
        let (bytes, _) = generate(&ExperimentSpec::small());
        let runs = runs(&bytes);
        let mut hashes = BTreeSet::new();
        let mut before = String::new();
        for run in &runs {
            assert!(hashes.insert(run["hash"].as_str().unwrap().to_owned()));
            let created = run["created_at"].as_str().unwrap();
            assert!(*before < *created, "oldest first");
            before = created.to_owned();
            assert_eq!(run["active"] == true, run["end_time"].is_null());
            assert_eq!(run["active"] == true, run["finalized_at"].is_null());
            for one in run["metrics"].as_array().unwrap() {
                let length = one["values"].as_array().unwrap().len();
                assert!(length > 0);
                for column in ["steps", "times"] {
                    assert_eq!(one[column].as_array().unwrap().len(), length);
                }
                assert!(one["epochs"].as_array().is_none_or(|epochs| epochs.len() == length));
                assert_eq!(one["first"], number(&one["values"][0], &one["dtype"]));
                assert_eq!(one["last"], number(&one["values"][length - 1], &one["dtype"]));
                assert_eq!(one["first_step"], one["steps"][0]);
                assert_eq!(one["last_step"], one["steps"][length - 1]);
                let values = || one["values"].as_array().unwrap().iter().filter_map(Value::as_f64);
                assert_eq!(one["min"].as_f64(), values().reduce(f64::min));
                assert_eq!(one["max"].as_f64(), values().reduce(f64::max));
                assert!(one["context_hash"].is_i64());
            }
        }
        let nan = serde_json::json!({"$float": "nan"});
        let all = || runs.iter().flat_map(|run| run["metrics"].as_array().unwrap());
        assert!(all().any(|one| one["values"].as_array().unwrap().contains(&nan)), "some points are NaN");
    }

    /// A point (always a float) as a summary keeps it.
    fn number(value: &Value, dtype: &Value) -> Value {
        match value.as_f64() {
            Some(float) if dtype == "int" => Value::from(float as i64),
            _ => value.clone(),
        }
    }

    #[test]
    fn keys_are_in_storage_order() {
        // serde_json sorts what it reads, so look at the text: the stored order of two keys is that of their bytes
        // followed by FE, which puts `optim.lr` before `optim`.
        let (bytes, _) = generate(&ExperimentSpec::small());
        let text = std::str::from_utf8(&bytes).unwrap();
        let both = text.lines().filter(|line| line.contains("\"optim.lr\":") && line.contains("\"optim\":{"));
        let ordered: Vec<bool> = both.map(|line| line.find("\"optim.lr\":") < line.find("\"optim\":{")).collect();
        assert!(!ordered.is_empty() && ordered.iter().all(|&right| right));
    }

    #[test]
    fn paths_are_sparse_and_some_have_several_types() {
        let spec = ExperimentSpec { runs: 2_000, series_per_run: 0, ..ExperimentSpec::default() };
        let (bytes, summary) = generate(&spec);
        let mut found = Vec::new();
        runs(&bytes).iter().for_each(|run| leaves("", &run["params"], &mut found));
        let mut paths: BTreeMap<&str, (u64, BTreeSet<&str>)> = BTreeMap::new();
        for (path, kind) in &found {
            let entry = paths.entry(path).or_default();
            entry.0 += 1;
            entry.1.insert(kind);
        }
        let share = |low: f64, high: f64| {
            paths.values().filter(|(count, _)| (low..high).contains(&(*count as f64 / spec.runs as f64))).count()
        };
        assert_eq!(share(0.9, 1.0), 20);
        assert_eq!(share(0.2, 0.3), 80);
        assert!((880..=920).contains(&share(0.011, 0.035)), "{}", share(0.011, 0.035));
        assert!((980..=1000).contains(&share(0.0, 0.011)), "{}", share(0.0, 0.011));
        assert!((58.0..62.0).contains(&(summary.params as f64 / spec.runs as f64)));
        let mixed = paths.values().filter(|(count, kinds)| *count > 20 && kinds.len() > 1).count();
        let seen = paths.values().filter(|(count, _)| *count > 20).count();
        assert!((0.06..0.14).contains(&(mixed as f64 / seen as f64)), "{mixed} of {seen} paths are mixed");
    }

    #[test]
    fn one_week_of_the_large_lake_holds_about_900_runs() {
        let spec = ExperimentSpec { params_per_run: 10, series_per_run: 0, ..ExperimentSpec::default() };
        let summary = write_experiments(&spec, &mut io::sink()).unwrap();
        let week = summary.answers.iter().find(|answer| answer.id == "one_week").unwrap();
        assert!((850..1000).contains(&week.rows), "{}", week.rows);
        assert!((4_500..5_500).contains(&summary.archived), "{}", summary.archived);
    }

    #[test]
    fn answers_are_those_of_the_data() {
        let spec = ExperimentSpec { runs: 3_000, points_per_series: 20, ..ExperimentSpec::small() };
        let (bytes, summary) = generate(&spec);
        let runs = runs(&bytes);
        let train = serde_json::json!({"subset": "train"});
        let val = serde_json::json!({"subset": "val"});
        let hparam = |run: &Value, name: &str| run["params"]["hparams"][name].clone();
        let lr_above = |run: &Value| hparam(run, "lr").as_f64().is_some_and(|lr| lr > 0.01);
        let last = |run: &Value, name: &str, context: &Value| series(run, name, context)?["last"].as_f64();
        let tag = |run: &Value, name: &str| run["tags"].as_array().unwrap().iter().any(|tag| tag == name);
        let data = |run: &Value| run["params"]["data"]["name"].as_str().unwrap_or("").to_owned();
        let best = |run: &Value| last(run, "loss", &train).is_some_and(|loss| loss < 0.1);

        let expected: BTreeMap<&str, u64> = [
            ("all_runs", count(&runs, |_| true)),
            ("archived", summary.archived),
            ("two_params", count(&runs, |run| lr_above(run) && hparam(run, "batch_size").as_i64() >= Some(64))),
            (
                "text_params",
                count(&runs, |run| {
                    let optimizer = hparam(run, "optimizer")["name"].clone();
                    (optimizer == "lamb" || optimizer == "lion") && data(run) == "imagenet"
                }),
            ),
            ("text_contains", count(&runs, |run| data(run).contains("net"))),
            ("tags", count(&runs, |run| tag(run, "baseline") && !tag(run, "debug"))),
            ("missing_param", count(&runs, |run| run["params"]["hparams"].get("warmup").is_none())),
            ("not_equal", count(&runs, |run| hparam(run, "scheduler") != "cosine")),
            ("mixed_type", count(&runs, |run| hparam(run, "dropout").as_f64() == Some(0.0))),
            (
                "rare_param",
                count(&runs, |run| hparam(run, "label_smoothing").as_f64().is_some_and(|value| value > 0.05)),
            ),
            (
                "two_rare_params",
                count(&runs, |run| {
                    let decay = hparam(run, "ema")["decay"].as_f64();
                    decay.is_some_and(|decay| decay > 0.5)
                        && hparam(run, "mixup").as_f64().is_some_and(|mixup| mixup < 0.9)
                }),
            ),
            (
                "one_week",
                count(&runs, |run| {
                    let created = run["created_at"].as_str().unwrap();
                    ("2025-06-02T00:00:00.000000Z".."2025-06-09T00:00:00.000000Z").contains(&created)
                }),
            ),
            ("experiment", count(&runs, |run| run["experiment"] == "exp-042")),
            ("metric_last", count(&runs, best)),
            (
                "two_metrics",
                count(&runs, |run| best(run) && last(run, "accuracy", &val).is_some_and(|value| value > 0.98)),
            ),
            (
                "metric_context_param",
                runs.iter()
                    .filter(|run| run["archived"] == false && lr_above(run))
                    .flat_map(|run| run["metrics"].as_array().unwrap())
                    .filter(|one| one["name"] == "accuracy" && one["context"]["subset"] == "val")
                    .count() as u64,
            ),
        ]
        .into_iter()
        .collect();
        let counted: BTreeMap<&str, u64> = summary.answers.iter().map(|answer| (answer.id, answer.rows)).collect();
        assert_eq!(counted, expected);
        let rare = ["rare_param", "two_rare_params"];
        assert!(counted.iter().all(|(id, &rows)| rows > 0 || rare.contains(id)), "{counted:?}");
    }
}
