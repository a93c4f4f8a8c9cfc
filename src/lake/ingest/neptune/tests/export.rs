//! The files of the exporter.

use super::*;
use crate::ingest::ProjectCounts;

pub(super) fn sample() -> PathBuf {
    gold("exporter_sample/data")
}

/// Counts in the words of EXPECTED.json.
fn expected_form(counts: &ProjectCounts) -> Value {
    let part = |found: &BTreeMap<&'static str, u64>, names: &[(&str, &str)]| {
        let named = names.iter().filter_map(|(kind, name)| Some(((*name).to_owned(), json!(found.get(*kind)?))));
        Value::Object(named.collect())
    };
    let scalars = [
        ("bool", "bool"),
        ("time", "datetime"),
        ("float", "float"),
        ("int", "int"),
        ("text", "string"),
        ("set", "stringSet"),
    ];
    let series = [("metric", "floatSeries"), ("distributions", "histogramSeries"), ("texts", "stringSeries")];
    let mut files = counts.attributes.clone();
    files.extend(counts.points.get_key_value("files").map(|(kind, n)| (*kind, *n)));
    let kept = [("artifact", "artifact"), ("file", "file"), ("files", "fileSeries"), ("file_set", "fileSet")];
    json!({
        "files": part(&files, &kept),
        "nan_points": counts.nan_points,
        "params": part(&counts.attributes, &scalars),
        "points": part(&counts.points, &series),
        "runs": counts.runs,
        "series": part(&counts.series, &series),
        "string_set_members": counts.set_members,
    })
}

#[tokio::test]
async fn the_sample_has_exactly_what_it_should() {
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(gold("exporter_sample/EXPECTED.json")).unwrap()).unwrap();
    let lake = new_lake().await;
    let report = import(&lake, &sample(), &NeptuneOptions::default()).await.unwrap();
    assert_eq!((report.added, report.bad), (55, 0));
    let found: serde_json::Map<String, Value> =
        report.projects.iter().map(|counts| (counts.project.clone(), expected_form(counts))).collect();
    assert_eq!(Value::Object(found), expected);
    assert!(report.notes.iter().any(|note| note.starts_with("1 run without its first part")), "{:?}", report.notes);

    // The same counts from the tables.
    let runs = rows(&lake, Table::Runs).await;
    assert_eq!(runs.len(), 55);
    let project: BTreeMap<i64, &str> =
        runs.iter().map(|run| (run["run"].as_i64().unwrap(), run["project"].as_str().unwrap())).collect();
    let points = rows(&lake, Table::Points).await;
    let series = rows(&lake, Table::Series).await;
    for (name, wanted) in expected.as_object().unwrap() {
        let own: Vec<_> = series.iter().filter(|row| project[&row["run"].as_i64().unwrap()] == name.as_str()).collect();
        let metrics = own.iter().filter(|row| row["kind"] == "metric").count() as u64;
        assert_eq!(json!(metrics), wanted["series"]["floatSeries"]);
        let ordinals: Vec<&Value> = own.iter().map(|row| &row["series"]).collect();
        let values: Vec<&Value> =
            points.iter().filter(|row| ordinals.contains(&&row["series"])).map(|row| &row["value"]).collect();
        assert_eq!(json!(values.len()), wanted["points"]["floatSeries"]);
        assert_eq!(json!(values.iter().filter(|value| **value == "NaN").count()), wanted["nan_points"]);
    }
}

#[tokio::test]
async fn the_sample_says_what_the_neutral_lines_say() {
    let (exported, neutral) = (new_lake().await, new_lake().await);
    // The folder above has the files, too.
    import(&exported, &gold("exporter_sample"), &NeptuneOptions::default()).await.unwrap();
    import(&neutral, &gold("dataset.jsonl"), &NeptuneOptions::default()).await.unwrap();
    let left = rows(&exported, Table::Attributes).await;
    let right = rows(&neutral, Table::Attributes).await;
    let by_run = |rows: &[BTreeMap<String, Value>], run: &Value| -> BTreeMap<String, BTreeMap<String, Value>> {
        // An empty set is as good as none, and the sample has both.
        let shown = |row: &BTreeMap<String, Value>| row["kind"] != "dict" && row.get("texts") != Some(&json!([]));
        let own = rows.iter().filter(|row| row["run"] == *run && shown(row)).cloned().map(|mut row| {
            row.remove("run");
            // Sets are exported in any order.
            if let Some(Value::Array(members)) = row.get_mut("texts") {
                members.sort_by_key(|member| member.to_string());
            }
            (row["path"].as_str().unwrap().to_owned(), row)
        });
        own.collect()
    };
    let (left_runs, right_runs) = (runs(&exported).await, runs(&neutral).await);
    for (hash, run) in &right_runs {
        let found = by_run(&left, &left_runs[hash]["run"]);
        let mut wanted = by_run(&right, &run["run"]);
        // What an export cannot say.
        wanted.retain(|path, row| !path.starts_with("sys.legacy") && row.get("float") != Some(&json!("NaN")));
        if let Some(state) = wanted.get_mut("sys.state") {
            state.insert("text".to_owned(), json!("idle"));
        }
        assert_eq!(found, wanted, "{hash}");
        let summaries = |lake: &Lake| {
            let (lake, hash) = (lake.clone(), hash.clone());
            async move {
                let mut found = series(&lake, &hash).await;
                found.values_mut().for_each(|row| {
                    row.retain(|name, _| !["run", "series", "first_row"].contains(&name.as_str()));
                });
                found
            }
        };
        assert_eq!(summaries(&exported).await, summaries(&neutral).await, "{hash}");
    }
    for (hash, name) in [("SAN-11", "metrics/Precision"), ("SAN-42", "metrics/frac"), ("SAN-1", "logs/encoder")] {
        if series(&neutral, hash).await.contains_key(name) {
            assert_eq!(points(&exported, hash, name).await, points(&neutral, hash, name).await, "{hash} {name}");
        }
    }
}

/// A copy of the sample that a test may change.
pub(super) fn copy() -> tempfile::TempDir {
    fn walk(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let (from, to) = {
                let entry = entry.unwrap();
                (entry.path(), to.join(entry.file_name()))
            };
            if from.is_dir() {
                walk(&from, &to);
            } else {
                std::fs::copy(&from, &to).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    walk(&sample(), folder.path());
    folder
}

pub(super) const SANDBOX: &str = "ml-lab_sandbox-ce38b1d16ffb468d";
const SCALE: &str = "ml-lab_scale-demo-8b0c928a86c10f1f";

pub(super) fn files_of(folder: &Path, run: &str) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut own: Vec<_> =
        all.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{run}-"))).collect();
    own.sort();
    own
}

#[tokio::test]
async fn a_second_import_takes_what_is_new() {
    let folder = copy();
    let (sandbox, kept) = (folder.path().join(SANDBOX), tempfile::tempdir().unwrap());
    for path in files_of(&sandbox, "SAN-7").into_iter().chain(files_of(&sandbox, "SAN-11")) {
        std::fs::rename(&path, kept.path().join(path.file_name().unwrap())).unwrap();
    }
    let lake = new_lake().await;
    let options = NeptuneOptions::default();
    let first = import(&lake, folder.path(), &options).await.unwrap();
    assert_eq!((first.added, first.unchanged), (53, 0));
    // Part 0 comes last: until then the run is not there.
    for entry in std::fs::read_dir(kept.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), sandbox.join(entry.file_name())).unwrap();
    }
    let second = import(&lake, folder.path(), &options).await.unwrap();
    assert_eq!((second.added, second.replaced, second.unchanged), (2, 0, 53));
    assert_eq!(second.projects.len(), 1);
    assert_eq!(second.projects[0].runs, 2);
    let third = import(&lake, folder.path(), &options).await.unwrap();
    assert_eq!((third.added, third.unchanged, third.version), (0, 55, second.version));
    // Another reading of the same files is another run.
    let zone = NeptuneOptions { series_timezone: Some("+02:00".parse().unwrap()), ..NeptuneOptions::default() };
    let fourth = import(&lake, folder.path(), &zone).await.unwrap();
    assert_eq!((fourth.added, fourth.replaced, fourth.unchanged), (0, 55, 0));
    let whole = new_lake().await;
    import(&whole, folder.path(), &zone).await.unwrap();
    assert_eq!(contents(&lake).await, contents(&whole).await);
    lake.compact().await.unwrap();
    assert_eq!(contents(&lake).await, contents(&whole).await);
    assert_eq!(lake.snapshot(AsOf::Latest).await.unwrap().segments().count(), 1);
}

/// Everything that can be said of the runs, without the numbers that tables are joined by.
async fn contents(lake: &Lake) -> Vec<String> {
    let strip = |mut row: BTreeMap<String, Value>, names: &[&str]| {
        row.retain(|name, _| !names.contains(&name.as_str()));
        format!("{row:?}")
    };
    let mut found = Vec::new();
    let runs = rows(lake, Table::Runs).await;
    let hashes: BTreeMap<i64, String> =
        runs.iter().map(|run| (run["run"].as_i64().unwrap(), format!("{}{}", run["project"], run["hash"]))).collect();
    let series = rows(lake, Table::Series).await;
    let names: BTreeMap<i64, String> = series
        .iter()
        .map(|row| {
            (row["series"].as_i64().unwrap(), format!("{}{}", hashes[&row["run"].as_i64().unwrap()], row["name"]))
        })
        .collect();
    for run in runs {
        found.push(strip(run, &["run", "imported_at", "digest"]));
    }
    for row in rows(lake, Table::Attributes).await {
        found.push(format!("{} {}", hashes[&row["run"].as_i64().unwrap()], strip(row, &["run"])));
    }
    for row in series {
        found.push(format!(
            "{} {}",
            hashes[&row["run"].as_i64().unwrap()],
            strip(row, &["run", "series", "first_row"])
        ));
    }
    for table in [Table::Points, Table::TextPoints] {
        for row in rows(lake, table).await {
            // Points of replaced runs stay until the lake is compacted.
            if let Some(name) = names.get(&row["series"].as_i64().unwrap()) {
                found.push(format!("{name} {}", strip(row, &["series"])));
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn many_segments_hold_what_one_does() {
    let (one, many) = (new_lake().await, new_lake().await);
    import(&one, &sample(), &NeptuneOptions::default()).await.unwrap();
    let small = crate::ingest::ImportOptions { segment_bytes: 1, threads: Some(3), ..Default::default() };
    let options = NeptuneOptions { import: small, ..NeptuneOptions::default() };
    import(&many, &sample(), &options).await.unwrap();
    assert_eq!(contents(&one).await, contents(&many).await);
    many.compact().await.unwrap();
    assert_eq!(contents(&one).await, contents(&many).await);
}

#[tokio::test]
async fn local_times_become_utc() {
    let (utc, local) = (new_lake().await, new_lake().await);
    import(&utc, &sample(), &NeptuneOptions::default()).await.unwrap();
    let options =
        NeptuneOptions { series_timezone: Some("Europe/Warsaw".parse().unwrap()), ..NeptuneOptions::default() };
    import(&local, &sample(), &options).await.unwrap();
    let (winter, summer) = (("SAN-1", "metrics/Precision"), ("SAN-36", "metrics/precision"));
    let times = |lake: &Lake, (hash, name): (&'static str, &'static str)| {
        let lake = lake.clone();
        async move {
            let names = series(&lake, hash).await;
            let name = names.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned();
            match name {
                Some(name) => points(&lake, hash, &name).await[0].1.as_str().unwrap().to_owned(),
                None => panic!("{:?}", names.keys().collect::<Vec<_>>()),
            }
        }
    };
    assert_eq!(times(&utc, winter).await, "2024-01-05T01:00:00Z");
    assert_eq!(times(&local, winter).await, "2024-01-05T00:00:00Z");
    let before = times(&utc, summer).await;
    let after = times(&local, summer).await;
    let hours = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp() / 3600;
    assert_eq!(hours(&before) - hours(&after), 2, "{before} {after}");
    // Attributes are true UTC.
    assert_eq!(attributes(&local, "SAN-1").await["train.end"].1, json!("2024-01-01T00:00:00Z"));
}

#[tokio::test]
async fn forks_can_have_the_points_of_their_parents() {
    let (own, inherited) = (new_lake().await, new_lake().await);
    import(&own, &sample(), &NeptuneOptions::default()).await.unwrap();
    let options = NeptuneOptions { inherit_points: true, ..NeptuneOptions::default() };
    let report = import(&inherited, &sample(), &options).await.unwrap();
    let fork = attributes(&own, "calm-otter-1-fork").await;
    assert_eq!(fork["sys.forking.parent"].1, "calm-otter-1");
    let last = (fork["sys.forking.step"].1.as_f64().unwrap() * 1e6) as i64;
    for name in series(&own, "calm-otter-1").await.keys() {
        let mut wanted = points(&own, "calm-otter-1", name).await;
        wanted.retain(|(step, _, _)| *step <= last);
        if series(&own, "calm-otter-1-fork").await.contains_key(name) {
            wanted.extend(points(&own, "calm-otter-1-fork", name).await);
        }
        wanted.sort_by_key(|(step, _, _)| *step);
        let found = match series(&inherited, "calm-otter-1-fork").await.contains_key(name) {
            true => points(&inherited, "calm-otter-1-fork", name).await,
            false => Vec::new(),
        };
        assert_eq!(found, wanted, "{name}");
    }
    assert_eq!(
        points(&own, "calm-otter-1", "train/loss").await,
        points(&inherited, "calm-otter-1", "train/loss").await
    );
    let again = import(&inherited, &sample(), &options).await.unwrap();
    assert_eq!((again.unchanged, again.version), (55, report.version));
    // Without the parent the fork has its own points, and a word is said.
    let folder = copy();
    std::fs::remove_file(&files_of(&folder.path().join(SCALE), "calm-otter-1")[0]).unwrap();
    let lake = new_lake().await;
    let report = import(&lake, folder.path(), &options).await.unwrap();
    assert!(report.notes.iter().any(|note| note.contains("calm-otter-1 is not in the export")), "{:?}", report.notes);
}

#[tokio::test]
async fn models_are_projects_of_their_own() {
    let folder = copy();
    let models = folder.path().join(SANDBOX).join("models");
    std::fs::create_dir(&models).unwrap();
    let run = &files_of(&folder.path().join(SANDBOX), "SAN-1")[0];
    std::fs::rename(run, models.join(run.file_name().unwrap())).unwrap();
    let lake = new_lake().await;
    let report = import(&lake, folder.path(), &NeptuneOptions::default()).await.unwrap();
    let projects: Vec<_> = report.projects.iter().map(|counts| (counts.project.as_str(), counts.runs)).collect();
    assert_eq!(projects, [("ml-lab/sandbox", 49), ("ml-lab/sandbox/models", 1), ("ml-lab/scale-demo", 5)]);
}
