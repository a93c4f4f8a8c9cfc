//! NQL over a lake: what the corpus of single queries does not ask.

use crate::gold::nql::{Outcome, cases, neutral, outcome};
use crate::support::{empty_lake, repository, rows, rows_of, session};
use lakeql::diagnostic::Kind;
use lakeql::source::Source;
use lakeql::{Error, PlainSource, Session, Settings, Shape};
use lakeql_lake::ingest::neptune::{NeptuneOptions, import_neptune};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn lake_of_lines(files: &[Vec<Value>]) -> Session {
    let lake = empty_lake().await;
    let folder = tempfile::tempdir().unwrap();
    for (number, lines) in files.iter().enumerate() {
        let path = folder.path().join(format!("{number}.jsonl"));
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, text).unwrap();
        let path = path.to_string_lossy().into_owned();
        import_neptune(&lake, &[path], &NeptuneOptions::default(), &|_| {}).await.unwrap();
    }
    session(&lake).await
}

fn corpus() -> Vec<Value> {
    let text = std::fs::read_to_string(repository("tests/gold/nql/dataset.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn ids(session: &Session, lang: &str, text: &str) -> BTreeSet<String> {
    ids_with(session, lang, text, &Settings::default()).await
}

async fn ids_with(session: &Session, lang: &str, text: &str, settings: &Settings) -> BTreeSet<String> {
    let found = rows(session, text, lang, settings, &Shape::default()).await.unwrap_or_else(|e| panic!("{text}: {e}"));
    found.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

async fn refusal(session: &Session, lang: &str, text: &str) -> lakeql::diagnostic::Diagnostic {
    match rows(session, text, lang, &Settings::default(), &Shape::default()).await {
        Err(Error::Query(mut found)) => found.remove(0),
        other => panic!("{text}: {other:?}"),
    }
}

fn run(id: &str, project: &str, attributes: Value) -> Value {
    json!({"id": id, "project": project, "state": "succeeded", "name": id, "created": "2024-01-05T00:00:00Z",
           "attributes": attributes})
}

/// A condition built from recorded ones has the answer that sets of the recorded ones have: nothing is neither true nor
/// false, wherever NOT stands.
#[tokio::test(flavor = "multi_thread")]
async fn compositions_of_recorded_conditions() {
    let session = neutral().await;
    let everything = ids(&session, "nql", "").await;
    let cases = cases("cases.jsonl");
    let mut seed = 11_u64;
    let mut dice = move |sides: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % sides
    };
    for dialect in ["legacy", "typed"] {
        let leaves: Vec<_> = cases
            .iter()
            .filter(|case| case.dialect == dialect && !case.query.trim().is_empty() && case.query.len() < 500)
            .filter(|case| case.area != "terms" && !case.query.contains("-1M"))
            .filter_map(|case| match &case.expect {
                Outcome::Ids(ids) => Some((case.query.as_str(), ids)),
                Outcome::Error(_) => None,
            })
            .collect();
        for _ in 0..60 {
            let (mut text, mut expected) = (String::new(), BTreeSet::new());
            for part in 0..4 {
                let (query, found) = leaves[dice(leaves.len())];
                let negated = dice(2) == 0;
                let found: BTreeSet<_> =
                    if negated { everything.difference(found).cloned().collect() } else { found.clone() };
                let query = if negated { format!("NOT ({query})") } else { format!("({query})") };
                (text, expected) = match (part, dice(3)) {
                    (0, _) => (query, found),
                    (_, 0) => (format!("({text}) AND {query}"), expected.intersection(&found).cloned().collect()),
                    (_, 1) => (format!("{query} OR ({text})"), expected.union(&found).cloned().collect()),
                    _ => {
                        let kept: BTreeSet<_> = expected.union(&found).cloned().collect();
                        (format!("NOT (({text}) OR {query})"), everything.difference(&kept).cloned().collect())
                    }
                };
            }
            let settings = cases[0].settings.clone();
            assert_eq!(ids_with(&session, &format!("nql-{dialect}"), &text, &settings).await, expected, "{text}");
        }
    }
}

/// Segments know different paths; frequent ones have columns in one and not in the other.
#[tokio::test(flavor = "multi_thread")]
async fn several_imports_answer_like_one() {
    let lines = corpus();
    let (few, many) = lines.split_at(7);
    let session = lake_of_lines(&[few.to_vec(), many.to_vec()]).await;
    let mut wrong = vec![];
    for case in cases("cases.jsonl") {
        let found = outcome(&session, &case, &format!("nql-{}", case.dialect), &case.settings).await;
        if found != case.expect {
            wrong.push(format!("{} {:?}: {found:?}", case.id, case.query));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where the tokens tell the dialect that a case is in, `nql` gives its answer.
#[tokio::test(flavor = "multi_thread")]
async fn the_dialect_is_found() {
    let session = neutral().await;
    let mut asked = 0;
    for case in cases("cases.jsonl") {
        let Outcome::Ids(_) = &case.expect else { continue };
        let found = outcome(&session, &case, "nql", &case.settings).await;
        asked += usize::from(found == case.expect);
        // Untyped names without a slash, colon or function are legacy names.
        assert!(found == case.expect || case.dialect == "typed", "{} {:?}: {found:?}", case.id, case.query);
    }
    assert!(asked > 240, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_and_deep_queries() {
    let session = neutral().await;
    let list: Vec<_> = (0..15_000).map(|number| format!("`sys/id`:string = \"SAN-{}\"", number * 25)).collect();
    let expected = BTreeSet::from(["SAN-25".to_owned(), "SAN-50".to_owned()]);
    assert_eq!(ids(&session, "nql", &list.join(" OR ")).await, expected);
    let without: Vec<_> = (3..5_000).map(|number| format!("id != SAN-{number}")).collect();
    assert_eq!(ids(&session, "nql", &without.join(" AND ")).await.len(), 2);
    // 250,000 characters of conditions that are no list.
    let mixed: Vec<_> = (0..9_000).map(|number| format!("size > {number} AND `a b` < {number}")).collect();
    let text = mixed.join(" OR ");
    assert!(text.len() > 250_000);
    assert_eq!(ids(&session, "nql-legacy", &text).await, BTreeSet::new());
    let deep = (0..120).fold("id = SAN-9".to_owned(), |inner, level| {
        let none = format!("id = SAN-{}", 100 + level);
        if level % 2 == 0 { format!("NOT ({none} OR NOT ({inner}))") } else { format!("(size >= 0 AND ({inner}))") }
    });
    assert_eq!(ids(&session, "nql", &deep).await, BTreeSet::from(["SAN-9".to_owned()]));
    let nots = format!("{}id = SAN-9", "NOT ".repeat(151));
    assert_eq!(ids(&session, "nql", &nots).await.len(), 49);
    let brackets = |depth: usize| format!("{}id = SAN-9{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(ids(&session, "nql", &brackets(200)).await.len(), 1);
    assert_eq!(refusal(&session, "nql", &brackets(100_000)).await.kind, Kind::Limit);
}

/// Several projects in one lake: rows are named by both, types are those of the project that is asked.
#[tokio::test(flavor = "multi_thread")]
async fn projects_side_by_side() {
    let session = lake_of_lines(&[vec![
        run("A-1", "x/a", json!({"lr": {"type": "float", "value": 0.1}, "only": {"type": "int", "value": 1}})),
        run("A-2", "x/a", json!({"lr": {"type": "float", "value": 0.2}})),
        run("A-1", "x/b", json!({"lr": {"type": "int", "value": 1}})),
        run("B-2", "x/b", json!({"lr": {"type": "floatSeries", "value": [[0, 3.0, "2024-01-05T00:00:00Z"]]}})),
    ]])
    .await;
    let all = rows(&session, "", "nql", &Settings::default(), &Shape::default()).await.unwrap();
    let mut keys: Vec<_> = all.iter().map(|row| (row["project"].clone(), row["id"].clone())).collect();
    keys.sort_by_key(|(project, id)| format!("{project}{id}"));
    assert_eq!(
        keys,
        [("x/a", "A-1"), ("x/a", "A-2"), ("x/b", "A-1"), ("x/b", "B-2")].map(|(p, i)| (json!(p), json!(i)))
    );
    let problem = refusal(&session, "nql-typed", "lr > 0").await;
    assert_eq!(problem.kind, Kind::Type);
    assert_eq!(problem.message, "`lr` has several types: float (2 runs), int (1 run), floatSeries (1 run)");
    assert_eq!(problem.hints, ["say which one is meant: `lr`:float"]);
    let project = |name: &str| Settings { project: Some(name.into()), ..Settings::default() };
    let one = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(ids_with(&session, "nql-typed", "lr > 0.15", &project("x/a")).await, one(&["A-2"]));
    assert_eq!(ids_with(&session, "nql-typed", "lr:int = 1", &project("x/b")).await, one(&["A-1"]));
    assert_eq!(ids_with(&session, "nql-legacy", "lr > 0.15", &project("x/b")).await, one(&["A-1", "B-2"]));
    // Of the other project's names nothing is known.
    assert_eq!(ids_with(&session, "nql-typed", "only != 1", &project("x/b")).await.len(), 2);
    let settings = project("x/b");
    let answer = session.query(&Source::query("lr > 0"), "nql-typed", &settings, &Shape::default()).await;
    let Err(Error::Query(found)) = answer else { panic!("accepted") };
    assert_eq!(found[0].message, "`lr` has several types: int (1 run), floatSeries (1 run)");
}

/// A state that is not there is missing, like any other value (R3). Only exports have theirs made up (X5).
#[tokio::test(flavor = "multi_thread")]
async fn experiments_without_a_state() {
    let mut stateless = run("A-2", "x/a", json!({}));
    stateless.as_object_mut().unwrap().remove("state");
    let session = lake_of_lines(&[vec![run("A-1", "x/a", json!({})), stateless]]).await;
    for (text, expected) in [
        ("state = succeeded", vec!["A-1"]),
        ("state >= running", vec!["A-1"]),
        ("state EXISTS", vec!["A-1"]),
        ("state NOT EXISTS", vec!["A-2"]),
        ("state != failed", vec!["A-1", "A-2"]),
        ("NOT state < failed", vec!["A-2"]),
    ] {
        let expected: BTreeSet<_> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(ids(&session, "nql-legacy", text).await, expected, "{text}");
    }
}

/// A folder in which no run is finished is an export without runs, and no table of its columns.
#[tokio::test(flavor = "multi_thread")]
async fn folders_without_a_finished_run() {
    let folder = tempfile::tempdir().unwrap();
    let part = "SAN-99-5247c368d6b234f5_part_1.parquet";
    let sample = repository("tests/gold/nql/exporter_sample/data/ml-lab_sandbox-ce38b1d16ffb468d");
    std::fs::copy(sample.join(part), folder.path().join(part)).unwrap();
    let from = folder.path().to_string_lossy().into_owned();
    let session = Session::of_files(vec![PlainSource { name: None, from }]).build().await.unwrap();
    let answer = session.query(&Source::query("id = SAN-99"), "nql", &Settings::default(), &Shape::default()).await;
    let answer = answer.unwrap();
    let told: Vec<_> = answer.notes.iter().map(|note| note.message.as_str()).collect();
    assert!(told.iter().any(|note| note.starts_with("1 run without its first part was left out")), "{told:?}");
    assert!(rows_of(answer).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_nobody_has_are_noted() {
    let session = neutral().await;
    for (lang, text, message, hint) in [
        ("nql-legacy", "learning_rat > 1", "no run has `learning_rat`", Some("did you mean `learning_rate`?")),
        ("nql-typed", "`scores/f2`:float > 1", "no run has `scores/f2`", None),
        ("nql-typed", "`scores/f1`:int > 1", "no run has `scores/f1` as int", None),
        ("nql-typed", "`SYS/owner`:string = Fred", "no run has `SYS/owner`", Some("did you mean `sys/owner`?")),
    ] {
        let answer = session.query(&Source::query(text), lang, &Settings::default(), &Shape::default()).await.unwrap();
        assert_eq!(answer.notes.first().map(|note| note.message.as_str()), Some(message), "{text}");
        if let Some(hint) = hint {
            assert_eq!(answer.notes[0].hints, [hint], "{text}");
        }
    }
    for (lang, text) in [("nql-legacy", "state = failed and owner = Fred"), ("nql-typed", "`scores/f1` > 1")] {
        let answer = session.query(&Source::query(text), lang, &Settings::default(), &Shape::default()).await.unwrap();
        assert!(answer.notes.is_empty(), "{text}: {:?}", answer.notes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_the_language() {
    let session = neutral().await;
    let megabyte = |base| Settings { size_base: Some(base), ..Settings::default() };
    let large = ids_with(&session, "nql", "size > 20MB", &megabyte(1024)).await;
    let large_by_thousands = ids_with(&session, "nql", "size > 20MB", &megabyte(1000)).await;
    assert!(large.is_subset(&large_by_thousands) && large.len() < large_by_thousands.len());
    let prefixes = lakeql_query::dialects::LegacyPrefixes { parameters: "elsewhere/".into(), ..Default::default() };
    let settings = Settings { legacy_prefixes: prefixes, ..Settings::default() };
    assert!(ids_with(&session, "nql-legacy", "param1 = 5", &settings).await.is_empty());
    assert!(!ids_with(&session, "nql-legacy", "`parameters/param1` = 5", &settings).await.is_empty());
}

/// Columns of the answer by the names that the language has for them.
#[tokio::test(flavor = "multi_thread")]
async fn columns_by_their_paths() {
    let session = neutral().await;
    let names = ["id", "sys/owner", "metrics/loss", "scores/f1", "sys/creation_time"];
    let shape = Shape { select: names.map(str::to_owned).into(), sort: vec!["-sys/size".into()], ..Shape::default() };
    let found = rows(&session, "id = SAN-41 or id = SAN-2", "nql", &Settings::default(), &shape).await.unwrap();
    assert_eq!(found[0]["id"], "SAN-41");
    assert_eq!((&found[1]["sys/owner"], &found[1]["scores/f1"]), (&json!("Fred"), &json!(0.85)));
    assert_eq!(found[0]["metrics/loss"], json!(0.2));
}
