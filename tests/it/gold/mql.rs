//! The corpus of MQL: a synthetic catalogue, the answers of MetaCat, and rulings where it contradicts its manual.

use crate::support::{empty_lake, repository, rows, session};
use lakeql::{Error, Session, Settings, Shape};
use lakeql_lake::ingest::ImportOptions;
use lakeql_lake::ingest::metacat::import_metacat;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

pub(crate) async fn catalogue() -> Session {
    let lake = empty_lake().await;
    let folder = repository("tests/gold/mql/dataset");
    import_metacat(&lake, &[folder], &ImportOptions::default(), &|_| {}).await.unwrap();
    session(&lake).await
}

/// The same catalogue as a lake on disk. Gives its URL.
pub(crate) async fn catalogue_lake(folder: &tempfile::TempDir) -> String {
    let url = folder.path().join("lake").to_string_lossy().into_owned();
    let lake = lakeql::Lake::open_or_create(&url).await.unwrap();
    let source = repository("tests/gold/mql/dataset");
    import_metacat(&lake, &[source], &ImportOptions::default(), &|_| {}).await.unwrap();
    url
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// What is wrong with the answer of a case, if anything is.
async fn failure(session: &Session, case: &Value) -> Option<String> {
    let settings = Settings {
        namespace: case["default_namespace"].as_str().map(str::to_owned),
        include_retired: case["include_retired"] == true,
        ..Settings::default()
    };
    let answer = rows(session, case["query"].as_str().unwrap(), "mql", &settings, &Shape::default()).await;
    let found: Vec<String> = match answer {
        Ok(rows) => rows
            .iter()
            .map(|row| format!("{}:{}", row["namespace"].as_str().unwrap(), row["name"].as_str().unwrap()))
            .collect(),
        Err(Error::Query(_)) if case.get("error").is_some() => return None,
        Err(error) => return Some(format!("{error}")),
    };
    if case.get("error").is_some() {
        return Some(format!("accepted: {found:?}"));
    }
    let set: BTreeSet<&String> = found.iter().collect();
    if set.len() != found.len() {
        return Some(format!("a row comes twice: {found:?}"));
    }
    if let Some(order) = case.get("expect_order") {
        return (texts(order) != found).then(|| format!("{found:?} instead of {order}"));
    }
    if let Some(count) = case.get("expect_count") {
        let all: BTreeSet<String> = texts(&case["subset_of"]).into_iter().collect();
        let right = found.len() as u64 == count.as_u64().unwrap() && found.iter().all(|row| all.contains(row));
        return (!right).then(|| format!("{found:?} instead of {count} rows"));
    }
    let expected = texts(&case["expect"]);
    let expected: BTreeSet<&String> = expected.iter().collect();
    let missing: Vec<_> = expected.difference(&set).take(8).collect();
    let extra: Vec<_> = set.difference(&expected).take(8).collect();
    (expected != set).then(|| format!("missing {missing:?}, too many {extra:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn mql() {
    let session = catalogue().await;
    let mut wrong = vec![];
    for file in ["cases", "rulings"] {
        let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let text = std::fs::read_to_string(repository(&format!("tests/gold/mql/{file}.jsonl"))).unwrap();
        for line in text.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let (passed, total) = counts.entry(case["feature"].as_str().unwrap().to_owned()).or_default();
            *total += 1;
            match failure(&session, &case).await {
                None => *passed += 1,
                Some(reason) => wrong.push(format!("{} {}: {reason}", case["id"], case["query"])),
            }
        }
        for (feature, (passed, total)) in counts {
            // Straight to the stream: the counts are wanted from passing runs too.
            let mut out = std::io::stdout();
            writeln!(out, "mql {file} {feature}: {passed} of {total} as recorded").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}
