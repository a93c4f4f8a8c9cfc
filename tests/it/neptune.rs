//! Exports of Neptune through the program: import, maintenance, and the other languages over what was imported.

use crate::program::{Place, json_lines};
use crate::support::repository;
use serde_json::{Value, json};
use std::path::Path;

/// Copies a folder.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

/// Files in the folders of a folder whose name begins so.
pub(crate) fn files_below(folder: &Path, name: &str) -> Vec<std::path::PathBuf> {
    let entries = |folder: &Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries(folder).filter(|path| path.is_dir()).flat_map(|folder| entries(&folder).collect::<Vec<_>>());
    files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(name)).collect()
}

/// A place with the exporter's sample in `exports`.
fn place() -> Place {
    let place = Place::new();
    copy_folder(&repository("tests/gold/nql/exporter_sample"), &place.path("exports"));
    place
}

/// The experiments behind the sample that fit, by id, those in the trash left out as AimQL does.
fn wanted(fits: impl Fn(&Value) -> bool) -> Vec<String> {
    all_wanted(|run| run["trashed"] != true && fits(run))
}

/// The experiments behind the sample that fit, by id.
fn all_wanted(fits: impl Fn(&Value) -> bool) -> Vec<String> {
    let text = std::fs::read_to_string(repository("tests/gold/nql/dataset.jsonl")).unwrap();
    let runs = json_lines(&text);
    let mut ids: Vec<_> =
        runs.iter().filter(|run| fits(run)).map(|run| run["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn hashes(rows: &[Value]) -> Vec<String> {
    let mut found: Vec<_> = rows.iter().map(|row| row["hash"].as_str().unwrap().to_owned()).collect();
    found.sort();
    found
}

#[test]
fn the_summary_counts_what_the_sample_holds() {
    let place = place();
    let said = place.run(["import", "neptune", "exports/data", "--files", "exports/files"]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.err);
    for line in [
        "imported 55 runs, 120 sequences, 183 points: ",
        "ml-lab/sandbox: 50 runs, 844 attributes (105 bool, 161 datetime, 170 float, 37 int, 325 string, 46 stringSet), \
         111 sequences (61 floatSeries, 49 stringSeries, 1 histogramSeries), \
         269 points (173 floatSeries, 95 stringSeries, 1 histogramSeries), 6 points NaN, \
         8 files (3 artifact, 2 file, 2 fileSeries, 1 fileSet)",
        "ml-lab/scale-demo: 5 runs, 66 attributes (20 bool, 5 datetime, 4 float, 8 int, 26 string, 3 stringSet), \
         8 sequences (4 floatSeries, 3 stringSeries, 1 histogramSeries), \
         17 points (10 floatSeries, 6 stringSeries, 1 histogramSeries), 1 point NaN, 1 file (1 file)",
        "1 run without its first part was left out",
        "exports have no state",
    ] {
        assert!(said.err.contains(line), "{line}\n{}", said.err);
    }
    let said = place.run(["import", "neptune", "exports/data", "--files", "exports/files"]);
    assert!(said.err.contains("nothing new (55 unchanged)"), "{}", said.err);
}

#[test]
fn other_languages_see_the_experiments() {
    let place = place();
    place.ok(["import", "neptune", "exports"]);
    let number = |value: &Value| value.as_f64();
    let parameter = |run: &Value, name: &str| run["parameters"][name]["value"].clone();
    for round in 0..2 {
        let aim = |text: &str| hashes(&place.aim(&format!("({text}) and 'sandbox' in run.experiment"), &[]));
        assert_eq!(
            aim("run.parameters.learning_rate < 0.01"),
            wanted(|run| number(&parameter(run, "learning_rate")).is_some_and(|lr| lr < 0.01))
        );
        assert_eq!(aim("run.parameters.optimizer == 'SGD'"), wanted(|run| parameter(run, "optimizer") == "SGD"));
        assert_eq!(
            aim("run.sys.owner == 'Fred' and not run.sys.failed"),
            wanted(|run| run["owner"] == "Fred" && run["state"] != "failed")
        );
        assert_eq!(
            aim("'pretrained' in run.tags"),
            wanted(|run| run["tags"].as_array().unwrap().contains(&json!("pretrained")))
        );
        assert_eq!(aim("run.sys.size > 20000"), wanted(|run| number(&run["size"]).is_some_and(|size| size > 20_000.0)));
        assert_eq!(aim("run.archived"), all_wanted(|run| run["trashed"] == true));
        assert_eq!(aim("'config' in run.params"), Vec::<String>::new());
        assert_eq!(
            aim("run.data.version.startswith('7d7aaae1')"),
            wanted(|run| {
                run["attributes"]["data/version"]["value"].as_str().is_some_and(|hash| hash.starts_with("7d7aaae1"))
            })
        );
        let lines = place.sql(
            "select hash, project, series.name as name, last_text, last from series join runs using (run) \
             where hash = 'SAN-1' and series.name in ('logs/encoder', 'metrics/Precision') order by 3",
        );
        assert_eq!(
            lines,
            [
                json!({"hash": "SAN-1", "project": "ml-lab/sandbox", "name": "logs/encoder", "last_text": "ResNet101", "last": null}),
                json!({"hash": "SAN-1", "project": "ml-lab/sandbox", "name": "metrics/Precision", "last_text": null, "last": 0.85}),
            ]
        );
        let steps =
            place.sql("select step, substep, value from points where substep is not null and hash like 'SAN-%' order by step, substep");
        let wanted = [(0, 500_000, 0.9), (0, 750_000, 0.7), (1, 250_000, 0.3)];
        assert_eq!(
            steps,
            wanted.map(|(step, substep, value)| json!({"step": step, "substep": substep, "value": value}))
        );
        let chosen = place.aim(
            "run.hash == 'SAN-1'",
            &["--select", "hash,project,train.end,flags,data.version,metrics/Precision.last,logs/encoder.last_text"],
        );
        assert_eq!(chosen[0]["project"], "ml-lab/sandbox");
        assert_eq!(chosen[0]["train.end"], "2024-01-01T00:00:00Z");
        assert_eq!(chosen[0]["flags"], json!(["a", "b"]));
        assert_eq!(
            (&chosen[0]["metrics/Precision.last"], &chosen[0]["logs/encoder.last_text"]),
            (&json!(0.85), &json!("ResNet101"))
        );
        let wide = place.sql("select hash, \"sys.creation_time\" as t, \"sys.tags\" as tags, \"sys.state\" as state from runs_wide('sys.*') where hash = 'SAN-1'");
        assert_eq!((&wide[0]["t"], &wide[0]["state"]), (&json!("2024-01-05T00:00:00Z"), &json!("idle")));
        assert!(place.ok(["attributes", "^sys", "--format", "csv"]).contains("sys.tags,set,"));
        assert!(place.ok(["describe", "points", "--format", "csv"]).contains("substep"));
        if round == 0 {
            // Another segment, then both become one.
            place.write("more.jsonl", r#"{"id": "X-1", "project": "p/q", "parameters": {"learning_rate": {"type": "string", "value": "low"}}}"#);
            place.ok(["import", "neptune", "more.jsonl"]);
            place.ok(["compact"]);
        }
    }
}

#[test]
fn bad_files_leave_the_lake_alone() {
    let place = place();
    place.ok(["import", "neptune", "exports/data"]);
    let folder = "exports/data/ml-lab_scale-demo-8b0c928a86c10f1f";
    place.write(&format!("{folder}/x-1_part_0.parquet"), "no Parquet at all");
    let err = place.fails(["import", "neptune", "exports/data"]);
    assert!(err.contains("x-1_part_0.parquet: not a Parquet file, or a truncated one"), "{err}");
    let said = place.run(["import", "neptune", "exports/data", "--skip-bad", "--report", "bad.jsonl"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("1 bad line was left out, listed in bad.jsonl"), "{}", said.err);
    let err = place.fails(["import", "neptune", "nowhere"]);
    assert!(err.contains("nowhere"), "{err}");
    let said = place.run(["import", "neptune", "exports/data", "--series-timezone", "Mars"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("`Mars` is not a time zone"), "{}", said.err);
}

#[test]
fn a_folder_is_asked_without_being_imported() {
    let place = place();
    place.ok(["import", "neptune", "exports"]);
    let asked = |from: bool, lang: &str, text: &str, flags: &[&str]| {
        let mut arguments = vec!["query", "--lang", lang, text];
        if from {
            arguments.extend(["--from", "exports"]);
        }
        arguments.extend(flags);
        json_lines(&place.ok(arguments))
    };
    for (lang, text, flags) in [
        ("nql", "learning_rate < 0.01 and optimizer = AdamW", &["--project", "ml-lab/sandbox"][..]),
        ("nql", "`train/loss`:floatSeries > 0.1", &["--select", "hash,train/loss.last,config/lr", "--sort", "hash"]),
        ("nql", "precision > 0.5", &["--select", "hash,parameters.learning_rate,sys/owner,metrics/Precision.max"]),
        ("nql", "", &["--sort", "-parameters.learning_rate,hash", "--limit", "5"]),
        ("aim", "run.parameters.learning_rate < 0.01", &["--select", "hash,parameters"]),
        ("aim", "run.metrics['metrics/Precision'].last > 0.5", &[]),
        ("aim", "run.parameters.get('param1') == 5 or 'pretrained' in run.tags", &["--sort", "hash"]),
        (
            "aim",
            "metric.name.startswith('metrics/') and metric.last > 0.9",
            &["--entity", "metric", "--sort", "run,name"],
        ),
        ("sql", "select project, count(*) as n, sum(n) as points from metrics group by 1 order by 1", &[]),
        ("sql", "select hash, params from runs order by created_at, hash", &[]),
    ] {
        let found = asked(true, lang, text, flags);
        assert!(!found.is_empty(), "{lang} {text}");
        assert_eq!(found, asked(false, lang, text, flags), "{lang} {text}");
    }
    let err = place.fails(["query", "--lang", "nql", "a = = b", "--from", "exports"]);
    assert!(err.contains("-->"), "{err}");
    place.write("exports/data/ml-lab_scale-demo-8b0c928a86c10f1f/zzz-1_part_0.parquet", "PAR1");
    let err = place.fails(["query", "--lang", "nql", "lr > 0", "--from", "exports"]);
    assert!(err.contains("zzz-1_part_0.parquet: not a Parquet file"), "{err}");
}
