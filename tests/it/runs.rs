//! Runs as a whole, against what the corpus says about them.

use crate::support::{lake_of, repository, session};
use lakeql::Session;
use lakeql_engine::runs::{Run, diff};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const CORPUS: &str = "tests/gold/aimql/dataset.jsonl";

fn corpus() -> Vec<Value> {
    let text = std::fs::read_to_string(repository(CORPUS)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn runs(session: &Session, names: &[&str]) -> Vec<Run> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    session.runs(&names).await.unwrap()
}

/// Part, name and values, read by people.
async fn differences(session: &Session, names: &[&str]) -> Vec<(String, String, Vec<Option<String>>)> {
    let runs = runs(session, names).await;
    let readable = |values: &[Option<lakeql_engine::runs::Value>]| {
        values.iter().map(|value| value.as_ref().map(lakeql_engine::runs::Value::readable)).collect()
    };
    let found = diff(&runs).unwrap();
    found.iter().map(|one| (one.part.to_string(), one.name.clone(), readable(&one.values))).collect()
}

/// The sequences of a run of the corpus by kind, name and context, with the summaries that it gives.
fn sequences(run: &Value) -> BTreeMap<(String, String, String), Map<String, Value>> {
    let kinds = [("metrics", "metric"), ("images", "images"), ("texts", "texts"), ("audios", "audios")];
    let kinds = kinds.into_iter().chain([("distributions", "distributions"), ("figures", "figures")]);
    let mut found = BTreeMap::new();
    for (field, kind) in kinds {
        for sequence in run[field].as_array().unwrap() {
            let key = (kind.to_owned(), sequence["name"].to_string(), sequence["context"].to_string());
            let given = ["dtype", "first", "last", "min", "max", "first_step", "last_step", "record_max_length"];
            let given = given.into_iter().filter_map(|name| Some((name.to_owned(), sequence.get(name)?.clone())));
            found.insert(key, given.collect());
        }
    }
    found
}

/// Every run of the corpus comes back as it was given: properties, nested params, contexts, summaries with their types.
#[tokio::test]
async fn every_run_of_the_corpus_is_shown_as_it_was_given() {
    let session = session(&lake_of(&[CORPUS]).await).await;
    let all = corpus();
    let hashes: Vec<&str> = all.iter().map(|run| run["hash"].as_str().unwrap()).collect();
    let shown = runs(&session, &hashes).await;
    for (given, shown) in all.iter().zip(&shown) {
        let shown: Value = serde_json::from_str(&shown.to_json()).unwrap();
        for name in ["hash", "name", "experiment", "description", "tags", "archived", "active", "end_time"] {
            assert_eq!(shown[name], given[name], "{} {name}", given["hash"]);
        }
        if given["active"] == false {
            assert_eq!(shown["duration"], given["duration"], "{}", given["hash"]);
        } else {
            assert!(shown["duration"].as_f64().unwrap() > 0.0);
        }
        assert_eq!(shown["params"], given["params"], "{}", given["hash"]);
        let mut expected = sequences(given);
        for sequence in shown["sequences"].as_array().unwrap() {
            let key =
                (sequence["kind"].as_str().unwrap(), sequence["name"].to_string(), sequence["context"].to_string());
            let given = expected.remove(&(key.0.to_owned(), key.1.clone(), key.2.clone()));
            for (name, value) in given.unwrap_or_else(|| panic!("{key:?} is not in the corpus")) {
                assert_eq!(sequence.get(&name).unwrap_or(&Value::Null), &value, "{key:?}.{name}");
            }
        }
        assert!(expected.is_empty(), "{} lacks {expected:?}", given["hash"]);
    }
}

#[tokio::test]
async fn params_have_the_paths_that_select_knows() {
    let session = session(&lake_of(&[CORPUS]).await).await;
    let shown = runs(&session, &["01049c0a8124db51564a954f", "ascii"]).await;
    let flat = |run: &Run| -> BTreeMap<String, String> {
        run.flat_params().unwrap().into_iter().map(|(path, value)| (path, value.readable())).collect()
    };
    let sweep = flat(&shown[0]);
    for (path, value) in [
        ("\"optim.lr\"", "1.0"),
        ("optim.lr", "0.1"),
        ("hparams.optimizer.weight-decay", "0"),
        ("hparams.layers", "[64,64]"),
        ("hparams.scheduler", "None"),
        ("hparams.amp", "true"),
        ("dataset.\"n.samples\"", "1000"),
        ("dataset.version", "\"1.0\""),
        ("note text", "n0"),
    ] {
        assert_eq!(sweep.get(path).map(String::as_str), Some(value), "{path}");
    }
    let map = flat(&shown[1]);
    assert_eq!((map["d.0"].as_str(), map["d[0]"].as_str(), map["d[1]"].as_str()), ("str-zero", "zero", "one-0"));
}

/// `typed 00` has x = 1 where `typed 01` has x = 1.0: no difference. What differs was read off the corpus by hand.
#[tokio::test]
async fn only_what_differs_is_told() {
    let session = session(&lake_of(&[CORPUS]).await).await;
    let found = differences(&session, &["typed 00", "123388"]).await;
    let params: Vec<_> = found.iter().filter(|one| one.0 == "param").collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        params,
        [
            &("param".into(), "deep.y".into(), vec![text("0"), text("1")]),
            &("param".into(), "idx".into(), vec![text("0"), text("1")]),
        ]
    );
    // The sequence has another context in each run, so each summary is missing in one of them.
    let last = |context: &str| format!("score{{\"i\":{context}}}.last");
    for (name, values) in [(last("0"), vec![text("0"), None]), (last("1"), vec![None, text("2")])] {
        assert!(found.contains(&("metric".into(), name, values)));
    }
    assert!(found.iter().all(|one| one.1 != "experiment" && one.1 != "imported_at" && one.1 != "hash"));
}

/// NaN is NaN, and something else than the infinities.
#[tokio::test]
async fn what_is_no_number_is_told_apart() {
    let session = session(&lake_of(&[CORPUS]).await).await;
    let found = differences(&session, &["typed 15", "typed 16", "typed 17"]).await;
    let x = found.iter().find(|one| one.1 == "x").unwrap();
    assert_eq!(x.2, [Some("NaN".to_owned()), Some("inf".to_owned()), Some("-inf".to_owned())]);
    assert!(found.iter().all(|one| one.1 != "kind"));
}

#[tokio::test]
async fn nothing_is_told_of_runs_that_are_alike() {
    let line = |hash: &str| {
        let run = json!({
            "hash": hash, "name": "same", "created_at": "2024-01-01T00:00:00.000000Z", "end_time": 1_704_067_260.0,
            "params": {"a": {"b": [1, {"c": null}]}, "nan": {"$float": "nan"}},
        });
        format!("{run}\n")
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.jsonl");
    std::fs::write(&file, line("aaaa") + &line("aabb")).unwrap();
    let lake = crate::support::empty_lake().await;
    let options = lakeql_lake::ingest::ImportOptions::default();
    lakeql_lake::ingest::aim::import_aim(&lake, &[file], &options, &|_| {}).await.unwrap();
    let session = session(&lake).await;
    assert_eq!(differences(&session, &["aaa", "aab"]).await, []);
    // Both have this name, and both hashes begin so.
    for text in ["same", "aa"] {
        let error = session.runs(&[text.to_owned()]).await.unwrap_err();
        assert!(error.to_string().contains("could be 2 runs"), "{error}");
    }
}
