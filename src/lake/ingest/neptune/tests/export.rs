//! The files of the exporter.

use super::*;
use crate::ingest::ProjectCounts;

fn sample() -> PathBuf {
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
