//! The corpus of NQL: invented experiments, and the ids that each query returns or the kind of its error.

use crate::support::{empty_lake, repository, rows, session};
use lakeql::diagnostic::Kind;
use lakeql::{Error, PlainSource, Session, Settings, Shape};
use lakeql_lake::ingest::neptune::{NeptuneOptions, import_neptune};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// What a query gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Ids(BTreeSet<String>),
    Error(String),
}

pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) dialect: String,
    pub(crate) area: String,
    pub(crate) query: String,
    pub(crate) settings: Settings,
    pub(crate) expect: Outcome,
    /// Over the export, where the answer is another one.
    on_export: Option<Outcome>,
}

fn ids(value: &Value) -> Outcome {
    Outcome::Ids(value.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect())
}

pub(crate) fn cases(file: &str) -> Vec<Case> {
    let text = std::fs::read_to_string(repository(&format!("tests/gold/nql/{file}"))).unwrap();
    let field = |case: &Value, name: &str| case[name].as_str().unwrap().to_owned();
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|case| Case {
            id: field(&case, "id"),
            dialect: field(&case, "dialect"),
            area: field(&case, "area"),
            query: field(&case, "query"),
            settings: Settings {
                now: lakeql_query::syntax::time::parse_iso(case["now"].as_str().unwrap_or("2024-06-15T12:00:00Z")),
                search_terms: case["options"]["search_terms"] == true,
                project: case["project"].as_str().map(str::to_owned),
                ..Settings::default()
            },
            expect: match case["error"].as_str() {
                Some(kind) => Outcome::Error(kind.to_owned()),
                None => ids(&case["expect"]),
            },
            on_export: case.get("on_export").map(ids),
        })
        .collect()
}

pub(crate) async fn outcome(session: &Session, case: &Case, lang: &str, settings: &Settings) -> Outcome {
    match rows(session, &case.query, lang, settings, &Shape::default()).await {
        Ok(rows) => {
            let ids: BTreeSet<_> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(ids.len(), rows.len(), "{}: ids come twice", case.id);
            Outcome::Ids(ids)
        }
        Err(Error::Query(found)) => Outcome::Error(match found.first().map(|problem| problem.kind) {
            Some(Kind::Syntax) => "syntax".into(),
            Some(Kind::Type) => "type".into(),
            Some(Kind::Regex) => "regex".into(),
            other => format!("{other:?}"),
        }),
        Err(error) => Outcome::Error(error.to_string()),
    }
}

/// Asks all cases, prints the counts, and says what differs.
async fn ask(session: &Session, cases: &[Case], over: &str, project: Option<&str>, export: bool) -> Vec<String> {
    let mut counts: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    let mut wrong = vec![];
    for case in cases {
        let lang = format!("nql-{}", case.dialect);
        let project = case.settings.project.clone().or_else(|| project.map(str::to_owned));
        let settings = Settings { project, ..case.settings.clone() };
        let expected = case.on_export.as_ref().filter(|_| export).unwrap_or(&case.expect);
        let found = outcome(session, case, &lang, &settings).await;
        let (passed, total) = counts.entry((&case.dialect, &case.area)).or_default();
        *total += 1;
        if found == *expected {
            *passed += 1;
        } else {
            wrong.push(format!("{} {:?}: {found:?} instead of {expected:?}", case.id, case.query));
        }
    }
    // Straight to the stream: the counts are wanted from passing runs too.
    let mut stdout = std::io::stdout();
    for ((dialect, area), (passed, total)) in &counts {
        writeln!(stdout, "nql-{dialect} {area} {over}: {passed} of {total} as recorded").unwrap();
    }
    wrong
}

pub(crate) async fn neutral() -> Session {
    let lake = empty_lake().await;
    let path = repository("tests/gold/nql/dataset.jsonl").to_string_lossy().into_owned();
    import_neptune(&lake, &[path], &NeptuneOptions::default(), &|_| {}).await.unwrap();
    session(&lake).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nql() {
    let session = neutral().await;
    let mut wrong = ask(&session, &cases("cases.jsonl"), "over the experiments", None, false).await;
    wrong.extend(ask(&session, &cases("more_cases.jsonl"), "over the experiments, more", None, false).await);
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

async fn export() -> Session {
    let lake = empty_lake().await;
    let path =
        |part: &str| repository(&format!("tests/gold/nql/exporter_sample/{part}")).to_string_lossy().into_owned();
    let options = NeptuneOptions { files: Some(path("files")), ..NeptuneOptions::default() };
    import_neptune(&lake, &[path("data")], &options, &|_| {}).await.unwrap();
    session(&lake).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nql_over_the_export() {
    let session = export().await;
    let project = Some("ml-lab/sandbox");
    let mut wrong = ask(&session, &cases("cases.jsonl"), "over the export", project, true).await;
    wrong.extend(ask(&session, &cases("more_cases.jsonl"), "over the export, more", project, true).await);
    wrong.extend(ask(&session, &cases("export_cases.jsonl"), "over the export", None, true).await);
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The folder as it is: the same answers, whatever little is read of it.
#[tokio::test(flavor = "multi_thread")]
async fn nql_on_the_folder_of_an_export() {
    let from = repository("tests/gold/nql/exporter_sample").to_string_lossy().into_owned();
    let session = Session::of_files(vec![PlainSource { name: None, from }]).build().await.unwrap();
    let project = Some("ml-lab/sandbox");
    let mut wrong = ask(&session, &cases("cases.jsonl"), "on its folder", project, true).await;
    wrong.extend(ask(&session, &cases("more_cases.jsonl"), "on its folder, more", project, true).await);
    wrong.extend(ask(&session, &cases("export_cases.jsonl"), "on its folder", None, true).await);
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}
