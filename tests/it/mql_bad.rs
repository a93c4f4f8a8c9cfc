//! Catalogues that nobody wishes for: cycles, odd keys, numbers that no 64 bits hold, mixed types, long lists, hostile
//! patterns. Answers stay exact, or the import names the line and changes nothing.

use crate::support::{empty_lake, rows, session};
use lakeql::{AsOf, Lake, Session, Settings, Shape, Table};
use lakeql_lake::ingest::ImportOptions;
use lakeql_lake::ingest::metacat::{CatalogueReport, import_metacat};
use lakeql_query::model::Overview;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn import(lake: &Lake, lines: &[Value]) -> lakeql_lake::Result<CatalogueReport> {
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    import_text(lake, &text.join("\n")).await
}

async fn import_text(lake: &Lake, text: &str) -> lakeql_lake::Result<CatalogueReport> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("all.jsonl"), text).unwrap();
    import_metacat(lake, &[folder.path().to_owned()], &ImportOptions::default(), &|_| {}).await
}

fn file(name: &str, metadata: Value) -> Value {
    json!({
        "fid": format!("id-{name}"), "namespace": "n", "name": name, "size": 5, "created_timestamp": 1.5,
        "metadata": metadata, "parents": [], "datasets": [{"namespace": "n", "name": "all"}]
    })
}

async fn names(session: &Session, text: &str) -> Vec<String> {
    let rows = rows(session, text, "mql", &Settings::default(), &Shape::default()).await;
    let rows = rows.unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut names: Vec<String> = rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn datasets_below_themselves() {
    let lake = empty_lake().await;
    let dataset =
        |name: &str, below: &[&str]| json!({"namespace": "n", "name": name, "children": below, "metadata": {}});
    let mut lines = vec![dataset("a", &["n:b"]), dataset("b", &["n:c", "n:gone"]), dataset("c", &["n:a", "n:c"])];
    for (name, of) in [("fa", "a"), ("fb", "b"), ("fc", "c"), ("lost", "gone")] {
        let mut line = file(name, json!({}));
        line["datasets"] = json!([{"namespace": "n", "name": of}]);
        lines.push(line);
    }
    import(&lake, &lines).await.unwrap();
    let asked = session(&lake).await;
    assert_eq!(names(&asked, "files from n:a").await, ["fa"]);
    assert_eq!(names(&asked, "files from n:a with subsets").await, ["fa", "fb"]);
    assert_eq!(names(&asked, "files from n:c with subsets recursively").await, ["fa", "fb", "fc"]);
    // A dataset that files name and nobody declares is none.
    assert_eq!(names(&asked, "files from n:gone").await, [""; 0]);
    assert_eq!(names(&asked, "datasets matching n:*").await, ["a", "b", "c"]);
    assert_eq!(names(&asked, "files").await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_exact() {
    let lake = empty_lake().await;
    let text = [
        r#"{"x.v":9007199254740993}"#,
        r#"{"x.v":9007199254740992}"#,
        r#"{"x.v":10000000000000000000000000}"#,
        r#"{"x.v":-9223372036854775809}"#,
        r#"{"x.v":0.30000000000000004}"#,
        r#"{"x.v":0.1000000000000000055511151231257827}"#,
        r#"{"x.v":1e400}"#,
        r#"{"x.v":"9007199254740993"}"#,
        r#"{"x.v":[1,"a",null,{"b":2}]}"#,
        r#"{"x.v":true}"#,
        r#"{"x.v":null}"#,
        r#"{"x.v":{"deep":{"er":1}}}"#,
    ];
    let lines = text.iter().enumerate().map(|(at, metadata)| {
        format!(
            r#"{{"fid":"f{at}","namespace":"n","name":"f{at:02}","created_timestamp":1,"metadata":{metadata},"parents":[],"datasets":[]}}"#
        )
    });
    import_text(&lake, &lines.collect::<Vec<_>>().join("\n")).await.unwrap();
    let asked = session(&lake).await;
    for (condition, expected) in [
        ("x.v = 9007199254740993", &["f00"][..]),
        ("x.v = 9007199254740992.0", &["f01"]),
        ("x.v > 9007199254740992", &["f00", "f02", "f06"]),
        ("x.v = 10000000000000000000000000", &["f02"]),
        ("x.v = 10000000000000000000000001", &[]),
        ("x.v < -9223372036854775808", &["f03"]),
        ("x.v in (-9223372036854775809, 5)", &["f03"]),
        ("x.v > 0.3 and x.v < 0.3000000000000001", &["f04"]),
        ("x.v = 0.1", &[]),
        ("x.v = \"9007199254740993\"", &["f07"]),
        ("x.v = a", &["f08"]),
        ("x.v = true", &["f09"]),
        ("x.v[1] = a", &["f08"]),
        ("x.v[\"deep\"] present", &["f11"]),
        ("len(x.v) = 4", &["f08"]),
    ] {
        assert_eq!(names(&asked, &format!("files where {condition}")).await, expected, "{condition}");
    }
    // Nothing is rounded on its way out either; the numbers beyond what this test itself can read are left out.
    let shape = Shape { select: vec!["name".into(), "x.v".into()], sort: vec!["name".into()], ..Shape::default() };
    let shown = "files where name != f06";
    let shown = rows(&asked, shown, "mql", &Settings::default(), &shape).await.unwrap();
    assert_eq!(shown[0]["x.v"], json!(9_007_199_254_740_993_u64));
    assert_eq!(shown.len(), text.len() - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_keys_and_long_lists() {
    let lake = empty_lake().await;
    let long: Vec<u64> = (0..10_000).collect();
    let keys = ["a.b.c", "a-b.c d", "quo\"te.'s", "🚀.é", "per%cent.x:int", ".", "x."];
    let odd: serde_json::Map<String, Value> = keys.iter().map(|key| ((*key).to_owned(), json!(1))).collect();
    let texts: Vec<String> = (0..10_000).map(|n| format!("t{n}")).collect();
    let lines = [
        file("odd", Value::Object(odd)),
        file("long", json!({"x.ints": long, "x.texts": texts})),
        file("empty", json!({"x.ints": [], "x.texts": []})),
    ];
    import(&lake, &lines).await.unwrap();
    let asked = session(&lake).await;
    assert_eq!(names(&asked, "files where a.b.c = 1").await, ["odd"]);
    assert_eq!(names(&asked, "files where x.ints[any] in 9999:20000").await, ["long"]);
    assert_eq!(names(&asked, "files where x.ints[9999] = 9999").await, ["long"]);
    assert_eq!(names(&asked, "files where len(x.texts) = 10000").await, ["long"]);
    assert_eq!(names(&asked, "files where x.texts[any] ~ \"^t999[89]$\"").await, ["long"]);
    // Missing and empty: every element passes.
    assert_eq!(names(&asked, "files where x.ints[all] < 0").await, ["empty", "odd"]);
    let overview = Shape { overview: Some(Overview::Keys), ..Shape::default() };
    let found = rows(&asked, "files n:odd", "mql", &Settings::default(), &overview).await.unwrap();
    let mut found: Vec<&str> = found.iter().map(|row| row["key"].as_str().unwrap()).collect();
    found.sort_unstable();
    let mut expected = keys.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected);
    for key in keys {
        let shape = Shape { select: vec![key.to_owned()], ..Shape::default() };
        let shown = rows(&asked, "files n:odd", "mql", &Settings::default(), &shape).await.unwrap();
        assert_eq!(shown, [json!({key: 1})]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_patterns_take_linear_time() {
    let lake = empty_lake().await;
    let text = "a".repeat(50_000);
    import(&lake, &[file("long", json!({"x.t": text}))]).await.unwrap();
    let asked = session(&lake).await;
    for pattern in ["(a+)+$", "(a|aa)*b", "((((a*)*)*)*)*c", "(.*)*d", "a{1,200}a{1,200}e"] {
        let started = Instant::now();
        for query in [format!("files where x.t ~ \"{pattern}\""), format!("files where name ~ \"{pattern}\"")] {
            let _ = rows(&asked, &query, "mql", &Settings::default(), &Shape::default()).await;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{pattern}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_lines_leave_the_lake_as_it_was() {
    let lake = empty_lake().await;
    import(&lake, &[file("good", json!({"x.v": 1}))]).await.unwrap();
    let before = lake.snapshot(AsOf::Latest).await.unwrap().version();
    let good = file("good", json!({"x.v": 2})).to_string();
    let other = |change: &str| good.replace("\"created_timestamp\":1.5", change);
    for (line, reason) in [
        (good.replace("id-good", "id-other"), "n:good is the name of two files"),
        ("{\"fid\":".to_owned(), "line"),
        ("[]".to_owned(), "not a JSON object"),
        (other("\"created_timestamp\":\"soon\""), "created_timestamp"),
        (other("\"x\":1"), "created_timestamp"),
        (good.replace("{\"x.v\":2}", "[1]"), "metadata"),
        (good.replace("\"parents\":[]", "\"parents\":[{\"x\":1}]"), "parent"),
        (good.replace("\"size\":5", "\"size\":1e30"), "line"),
        ("\u{1e}{\"namespace\":\"n\"}".to_owned(), "neither a file"),
    ] {
        let error = import_text(&lake, &format!("{good}\n{line}")).await.unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("line 2"), "{line}: {error}");
    }
    let after = lake.snapshot(AsOf::Latest).await.unwrap();
    assert_eq!((after.version(), after.table(Table::Files).rows()), (before, 1));
    assert_eq!(names(&session(&lake).await, "files where x.v = 1").await, ["good"]);
}
