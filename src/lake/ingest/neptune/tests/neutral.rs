//! The neutral lines.

use super::*;

#[tokio::test]
async fn the_corpus_comes_back() {
    let lake = new_lake().await;
    let report = import(&lake, &gold("dataset.jsonl"), &NeptuneOptions::default()).await.unwrap();
    assert_eq!((report.added, report.bad), (50, 0));
    assert!(report.unknown_fields.is_empty(), "{:?}", report.unknown_fields);
    let counts = &report.projects[0];
    assert_eq!((counts.project.as_str(), counts.runs), ("ml-lab/sandbox", 50));
    let found = runs(&lake).await;
    let all_attributes = rows(&lake, Table::Attributes).await;
    let all_series = rows(&lake, Table::Series).await;
    for line in std::fs::read_to_string(gold("dataset.jsonl")).unwrap().lines() {
        let wanted: Value = serde_json::from_str(line).unwrap();
        let id = wanted["id"].as_str().unwrap();
        let run = &found[id];
        assert_eq!((&run["project"], &run["experiment"]), (&wanted["project"], &wanted["project"]), "{id}");
        assert_eq!(
            (&run["name"], &run["tags"], &run["archived"]),
            (&wanted["name"], &wanted["tags"], &wanted["trashed"])
        );
        assert_eq!((&run["created_at"], &run["active"]), (&wanted["created"], &json!(false)));
        assert_eq!(run.get("finalized_at"), wanted.get("finished"));
        let value = |path: &str, column: &str| {
            let mut rows = all_attributes.iter().filter(|row| row["run"] == run["run"] && row["path"] == path);
            let row = rows.next();
            assert!(rows.next().is_none());
            row.and_then(|row| row.get(column)).cloned()
        };
        assert_eq!(value("sys.legacy.state", "text").as_ref(), Some(&wanted["state"]));
        let running = wanted["state"] == "running";
        assert_eq!(value("sys.state", "text"), Some(json!(if running { "running" } else { "idle" })));
        assert_eq!(value("sys.failed", "bool"), Some(json!(wanted["state"] == "failed")));
        assert_eq!(value("sys.size", "float").and_then(|size| size.as_f64()), wanted["size"].as_f64());
        assert_eq!(value("sys.legacy.commitId", "text").as_ref(), wanted.get("commitId"));
        for (name, parameter) in wanted["parameters"].as_object().into_iter().flatten() {
            let mut path = String::new();
            super::super::draft::attribute_path(&format!("parameters/{name}"), &mut path);
            let column = match parameter["type"].as_str().unwrap() {
                "string" => "text",
                other => other,
            };
            let found = value(&path, column).unwrap();
            let same = match (found.as_f64(), parameter["value"].as_f64()) {
                (Some(a), Some(b)) => a == b,
                _ => found == parameter["value"],
            };
            assert!(same, "{id} {path}: {found}");
        }
        for (name, points) in wanted["metrics"].as_object().into_iter().flatten() {
            let points = points.as_array().unwrap();
            let name = format!("metrics/{name}");
            let row = all_series.iter().find(|row| row["run"] == run["run"] && row["name"] == name.as_str());
            assert_eq!(row.map_or(0, |row| row["n"].as_i64().unwrap()), points.len() as i64, "{id} {name}");
        }
    }
    let empty = all_series.iter().filter(|row| row["n"] == 0).count();
    assert_eq!(empty, 0);
    let again = import(&lake, &gold("dataset.jsonl"), &NeptuneOptions::default()).await.unwrap();
    assert_eq!((again.added, again.unchanged, again.version), (0, 50, report.version));
}

fn line(id: &str, project: &str, more: &Value) -> String {
    let mut run = json!({"id": id, "project": project, "created": "2024-01-01T00:00:00Z"});
    run.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    format!("{run}\n")
}

#[tokio::test]
async fn series_are_ordered_and_summed_up() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.jsonl");
    let at = |seconds: u32| format!("2024-01-01T00:00:{seconds:02}Z");
    let run = json!({
        "metrics": {
            "loss": [[1.5, 2, at(3)], [0.25, "NaN", at(1)], [1.5, 4, at(2)], [-0.5, 1, null], [1, 3, at(9)]],
            "last nan": [[0, 1, at(1)], [1, "NaN", at(2)]],
            "only nan": [[0, "NaN", at(1)]],
            "none": [],
        },
        "text_logs": {"log": [[2, "c", at(3)], [0, "a", at(5)], [2, "b", at(2)]]},
        "attributes": {
            "h": {"type": "histogramSeries", "value": [[0, {"type": "C", "edges": [0, 0.5], "values": ["NaN"]}, at(1)]]},
            "f": {"type": "fileSeries", "value": [[1, "p/1.png", null]]},
            "e": {"type": "stringSet", "value": []}, "t": {"type": "datetime", "value": "2024-01-01T02:00:00+02:00"},
            "a": {"type": "artifact", "value": null}, "g": {"type": "gitRef"}, "i": {"type": "int", "value": 9_007_199_254_740_993_i64},
        },
    });
    std::fs::write(&file, line("A-1", "p/q", &run)).unwrap();
    let lake = new_lake().await;
    import(&lake, &file, &NeptuneOptions::default()).await.unwrap();
    let found = series(&lake, "A-1").await;
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["f", "h", "logs/log", "metrics/last nan", "metrics/loss", "metrics/only nan"]);
    let loss = &found["metrics/loss"];
    let numbers = |name: &str| loss[name].as_f64().unwrap();
    // By step, then time: -0.5, 0.25 (NaN), 1, 1.5 at two seconds, 1.5 at three.
    assert_eq!(["first", "last", "min", "max", "mean", "m2"].map(numbers), [1.0, 2.0, 1.0, 4.0, 2.5, 5.0]);
    assert_eq!(
        [&loss["n"], &loss["n_nan"], &loss["first_step"], &loss["last_step"]],
        [5, 1, -1, 1].map(|n| json!(n)).each_ref()
    );
    let steps: Vec<_> =
        points(&lake, "A-1", "metrics/loss").await.into_iter().map(|(step, _, value)| (step, value)).collect();
    let wanted = [
        (-500_000, json!(1.0)),
        (250_000, json!("NaN")),
        (1_000_000, json!(3.0)),
        (1_500_000, json!(4.0)),
        (1_500_000, json!(2.0)),
    ];
    assert_eq!(steps, wanted);
    assert_eq!((&found["metrics/last nan"]["last"], &found["metrics/last nan"]["max"]), (&json!("NaN"), &json!(1.0)));
    assert!(!found["metrics/only nan"].contains_key("min") && !found["metrics/only nan"].contains_key("mean"));
    assert_eq!((&found["logs/log"]["kind"], &found["logs/log"]["last_text"]), (&json!("texts"), &json!("c")));
    assert_eq!((&found["f"]["kind"], &found["f"]["last_text"]), (&json!("files"), &json!("p/1.png")));
    let texts: Vec<_> = points(&lake, "A-1", "logs/log").await.into_iter().map(|(_, _, text)| text).collect();
    assert_eq!(texts, [json!("a"), json!("b"), json!("c")]);
    assert_eq!(
        points(&lake, "A-1", "h").await[0].2,
        json!(r#"{"type":"C","edges":[0.0,0.5],"values":[{"$float":"nan"}]}"#)
    );
    let own = attributes(&lake, "A-1").await;
    assert_eq!(own["t"], ("time".to_owned(), json!("2024-01-01T00:00:00Z")));
    assert_eq!(own["a"], ("artifact".to_owned(), Value::Null));
    assert_eq!(own["g"], ("git_ref".to_owned(), Value::Null));
    assert_eq!(own["i"], ("int".to_owned(), json!(9_007_199_254_740_993_i64)));
    assert_eq!(own["e"], ("set".to_owned(), json!([])));
}

#[tokio::test]
async fn runs_of_two_projects_may_share_an_id() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.jsonl");
    let with = |value: i64| json!({"parameters": {"x": {"type": "int", "value": value}}});
    std::fs::write(&file, line("A-1", "p/q", &with(1)) + &line("A-1", "p/r", &with(2))).unwrap();
    let lake = new_lake().await;
    assert_eq!(import(&lake, &file, &NeptuneOptions::default()).await.unwrap().added, 2);
    std::fs::write(&file, line("A-1", "p/q", &with(1)) + &line("A-1", "p/r", &with(3))).unwrap();
    let report = import(&lake, &file, &NeptuneOptions::default()).await.unwrap();
    assert_eq!((report.added, report.replaced, report.unchanged), (0, 1, 1));
    lake.compact().await.unwrap();
    let mut values: Vec<_> =
        rows(&lake, Table::Attributes).await.into_iter().filter_map(|row| row.get("int").cloned()).collect();
    values.sort_by_key(|value| value.as_i64());
    assert_eq!(values, [json!(1), json!(3)]);
}

#[tokio::test]
async fn faults_name_line_and_field() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.jsonl");
    let lake = new_lake().await;
    for (more, wanted) in [
        (json!({"id": 1}), "line 1, field `id`: expected a text"),
        (json!({"project": null}), "line 1: `project` is missing"),
        (json!({"state": "done"}), "field `state`: expected running, succeeded, aborted or failed, got \"done\""),
        (json!({"created": "soon"}), "field `created`: expected a time"),
        (json!({"metrics": {"m": [[0, "x", null]]}}), "field `metrics.m[0][1]`: expected a number, got \"x\""),
        (json!({"metrics": {"m": [[0, 1]]}}), "field `metrics.m[0]`: expected [step, value, time], got 2 elements"),
        (json!({"metrics": {"m": [[1e300, 1, null]]}}), "field `metrics.m[0][0]`: the step is out of range"),
        (json!({"attributes": {"a/b": {"type": "double", "value": 1}}}), "there is no type \"double\""),
        (
            json!({"attributes": {"a": {"type": "int", "value": 1.5}}}),
            "field `attributes.a.value`: expected an integer",
        ),
        (
            json!({"properties": {"x": "t"}, "attributes": {"properties/x": {"type": "int", "value": 1}}}),
            "the attribute properties/x is there twice",
        ),
    ] {
        std::fs::write(&file, line("A-1", "p/q", &more)).unwrap();
        let error = import(&lake, &file, &NeptuneOptions::default()).await.unwrap_err().to_string();
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
    assert!(runs(&lake).await.is_empty());
}
