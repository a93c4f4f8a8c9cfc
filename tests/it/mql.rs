//! MQL beyond the recorded queries: what is shown of files, overviews, closures, changes, and conditions against a
//! row-by-row definition.

use crate::gold::mql::catalogue;
use crate::support::{empty_lake, rows, session};
use lakeql::{Error, Session, Settings, Shape};
use lakeql_lake::ingest::ImportOptions;
use lakeql_lake::ingest::metacat::import_metacat;
use lakeql_query::model::{Extra, Overview, Provenance};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn ask(session: &Session, text: &str, settings: &Settings, shape: &Shape) -> Vec<Value> {
    rows(session, text, "mql", settings, shape).await.unwrap()
}

fn names(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_of_files() {
    let session = catalogue().await;
    let (settings, plain) = (Settings::default(), Shape::default());

    let with = Shape { with: vec![Extra::Metadata, Extra::Provenance, Extra::Datasets], ..plain.clone() };
    let rows = ask(&session, "files zoo:p_left", &settings, &with).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["metadata"], json!({"zoo.kind": "p", "p.gen": 1}));
    assert_eq!(rows[0]["parents"].as_array().unwrap().len(), 1);
    assert_eq!(rows[0]["children"].as_array().unwrap().len(), 1);
    let mut datasets: Vec<_> = rows[0]["datasets"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    datasets.sort_unstable();
    assert_eq!(datasets, ["zoo:all", "zoo:prov"]);

    let did = Shape { select: vec!["did".into()], sort: vec!["name".into()], limit: Some(1), ..plain.clone() };
    assert_eq!(ask(&session, "files from s:A", &settings, &did).await, [json!({"did": "zoo:s_0"})]);
    assert_eq!(ask(&session, "datasets s:A", &settings, &did).await, [json!({"did": "s:A"})]);

    let totals = Shape { overview: Some(Overview::Totals), ..plain.clone() };
    assert_eq!(ask(&session, "files from s:A", &settings, &totals).await[0]["count"], 6);
    assert_eq!(ask(&session, "files where size > 10000000000000", &settings, &totals).await[0]["total_size"], 0);
    let keys = Shape { overview: Some(Overview::Keys), ..plain.clone() };
    let rows = ask(&session, "files from s:A", &settings, &keys).await;
    let expected = json!([
        {"key": "s.even", "type": "bool", "files": 6, "least": null, "greatest": null},
        {"key": "s.n", "type": "int", "files": 6, "least": "0", "greatest": "5"},
        {"key": "zoo.kind", "type": "text", "files": 6, "least": "s", "greatest": "s"},
    ]);
    assert_eq!(Value::from(rows), expected);

    let select = Shape {
        select: vec!["fid".into(), "size".into(), "s.n".into()],
        sort: vec!["-name".into()],
        limit: Some(2),
        ..plain.clone()
    };
    let rows = ask(&session, "files from s:A", &settings, &select).await;
    assert_eq!(rows.iter().map(|row| row["s.n"].clone()).collect::<Vec<_>>(), [json!(5), json!(4)]);
    assert!(matches!(
        crate::support::rows(&session, "datasets s:A", "mql", &settings, &totals).await,
        Err(Error::Query(_))
    ));
    assert!(crate::support::rows(&session, "select 1", "sql", &settings, &totals).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn provenance_over_many_levels() {
    let session = catalogue().await;
    let shape = Shape::default();
    let closure = |direction| Settings { closure: Some(direction), ..Settings::default() };
    let up = ask(&session, "files zoo:p_leaf", &closure(Provenance::Parents), &shape).await;
    assert_eq!(names(&up), ["p_left", "p_right", "p_root"].map(str::to_owned).into());
    let down = ask(&session, "files zoo:p_root", &closure(Provenance::Children), &shape).await;
    assert_eq!(names(&down), ["p_left", "p_right", "p_leaf"].map(str::to_owned).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn cycles_and_changes() {
    let lake = empty_lake().await;
    let folder = tempfile::tempdir().unwrap();
    let file = |fid: &str, parent: &str, metadata: &str| {
        format!(
            r#"{{"fid":"{fid}","namespace":"n","name":"{fid}","created_timestamp":1,"metadata":{metadata},"parents":[{{"fid":"{parent}"}}],"datasets":[{{"namespace":"n","name":"unknown"}}]}}"#
        )
    };
    let text = [file("a", "b", r#"{"x.n":1,"ключ-1.\"q\" 🚀":1}"#), file("b", "a", r#"{"x.n":[]}"#)].join("\n");
    let path = folder.path().join("files.jsonl");
    std::fs::write(&path, &text).unwrap();
    import_metacat(&lake, std::slice::from_ref(&path), &ImportOptions::default(), &|_| {}).await.unwrap();
    let asked = session(&lake).await;
    let settings = Settings { closure: Some(Provenance::Parents), ..Settings::default() };
    let found = ask(&asked, "files n:a", &settings, &Shape::default()).await;
    assert_eq!(names(&found), ["a", "b"].map(str::to_owned).into());
    let plain = Settings::default();
    assert_eq!(ask(&asked, "files where x.n = 1", &plain, &Shape::default()).await.len(), 1);
    assert_eq!(ask(&asked, "files from n:unknown", &plain, &Shape::default()).await.len(), 0);

    // A changed file answers with its new values only, in the language and in SQL.
    std::fs::write(&path, file("a", "c", r#"{"x.n":2}"#)).unwrap();
    import_metacat(&lake, &[path], &ImportOptions::default(), &|_| {}).await.unwrap();
    let asked = session(&lake).await;
    assert_eq!(ask(&asked, "files where x.n = 1", &plain, &Shape::default()).await.len(), 0);
    assert_eq!(ask(&asked, "files where x.n = 2", &plain, &Shape::default()).await.len(), 1);
    assert_eq!(ask(&asked, "parents(files)", &plain, &Shape::default()).await.len(), 1);
    let sql =
        rows(&asked, "select count(*) as n from file_attributes", "sql", &plain, &Shape::default()).await.unwrap();
    assert_eq!(sql[0]["n"], 2);
}

/// Conditions over typed columns and lists say what the JSON test says of the whole document, row by row.
#[tokio::test(flavor = "multi_thread")]
async fn columns_agree_with_documents() {
    let session = catalogue().await;
    let (settings, shape) = (Settings { include_retired: true, ..Settings::default() }, Shape::default());
    let symbols = [("=", "Eq"), ("!=", "NotEq"), ("<", "Lt"), ("<=", "LtEq"), (">", "Gt"), (">=", "GtEq")];
    let constants =
        [("5", json!({"Number": "5"})), ("2.5", json!({"Number": "2.5"})), ("\"a1\"", json!({"Text": "a1"}))];
    for key in ["params.x", "data.seq", "data.bits", "core.runs", "text.u", "detector.hv_value"] {
        for (symbol, name) in symbols {
            for (constant, value) in &constants {
                let query = format!("files where {key} {symbol} {constant}");
                let found = names(&ask(&session, &query, &settings, &shape).await);
                let question = json!([{"step": {"Member": key}, "unwrap": 1}, {"Compare": [name, value]}]);
                let sql = format!("select name from files where json_any(metadata, '{question}')");
                let expected = names(&rows(&session, &sql, "sql", &Settings::default(), &shape).await.unwrap());
                assert_eq!(found, expected, "{query}");
            }
        }
    }
}

/// The SQL that a query amounts to gives the same files.
#[tokio::test(flavor = "multi_thread")]
async fn the_sql_of_a_query_gives_its_answer() {
    let session = catalogue().await;
    let (settings, shape) = (Settings::default(), Shape::default());
    for text in [
        "files where core.data_tier = raw and core.runs[any] in (11001, 11003)",
        "files from s:A where s.n > 3",
        "files from s:A - files from s:B",
        "join(files from s:A, files from s:B) where s.n > 1",
        "union(files from s:A, files from s:B) where s.even = true",
        "parents(files zoo:p_leaf)",
        "children(files from zoo:prov) where p.gen > 0",
        "files from prod:raw-all where core.data_tier = raw - parents(files where core.data_tier = full-reconstructed)",
        "files where text.u ~ \"a\" and size > 5",
        "files from s:A ordered skip 1 limit 3",
    ] {
        let source = lakeql::source::Source::query(text);
        let explained = session.explain(&source, "mql", &settings, &shape, lakeql::Stage::Sql, false).await.unwrap();
        let sql = &explained.sections[0].1;
        let expected = names(&ask(&session, text, &settings, &shape).await);
        assert!(!expected.is_empty(), "{text}");
        let found =
            rows(&session, sql, "sql", &settings, &shape).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(names(&found), expected, "{text}\n{sql}");
    }
}

/// A saved query is asked by its name, replaced by another, and refused if it is none.
#[tokio::test(flavor = "multi_thread")]
async fn saved_queries() {
    use lakeql_lake::ingest::metacat::{SavedQuery, save_query};
    let lake = empty_lake().await;
    let folder = crate::support::repository("tests/gold/mql/dataset");
    import_metacat(&lake, &[folder], &ImportOptions::default(), &|_| {}).await.unwrap();
    let save = async |source: &str| {
        let query =
            SavedQuery { namespace: "me".into(), name: "mine".into(), source: source.into(), description: None };
        save_query(&lake, query).await.unwrap()
    };
    let first = save("files from s:A").await;
    assert_eq!(session(&lake).await.saved_query("me:mine").await.unwrap().text, "files from s:A");
    assert_eq!(save("files from s:A where s.n > 3").await, first + 1);
    let asked = session(&lake).await;
    let (settings, shape) = (Settings::default(), Shape::default());
    assert_eq!(ask(&asked, "files selected by me:mine", &settings, &shape).await.len(), 2);
    assert_eq!(ask(&asked, "queries", &settings, &shape).await.len(), 12);
    let Error::Query(found) = asked.saved_query("me:min").await.unwrap_err() else { panic!("no diagnostic") };
    assert!(found[0].message.contains("no saved query me:min") && found[0].hints[0].contains("me:mine"));
}
