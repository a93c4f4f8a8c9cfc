//! The corpus of Mixtera: ranges that queries choose, and chunks of mixtures.

use crate::support::{empty_lake, repository, rows, rows_of, session};
use lakeql::diagnostic::Kind;
use lakeql::mixtures::{MixtureFile, Order};
use lakeql::source::Source;
use lakeql::{ChunkOptions, Error, Session, Settings, Shape, dialects};
use lakeql_lake::ingest::samples::{import_samples, source_of_catalog};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

fn lines(file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(repository(&format!("tests/gold/mixtera/{file}"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn lang(case: &Value) -> &'static str {
    if case["dialect"] == "seed" { "mixtera-seed" } else { "mixtera" }
}

fn settings(case: &Value, lenient: bool) -> Settings {
    Settings { collection: Some(case["collection"].as_str().unwrap().to_owned()), lenient, ..Settings::default() }
}

pub(crate) async fn corpus() -> Session {
    let lake = empty_lake().await;
    let source = source_of_catalog(&repository("tests/gold/mixtera/data/collections.json")).unwrap();
    let report = import_samples(&lake, &source).await.unwrap();
    assert_eq!((report.added, report.files, report.samples), (12, 19, 10_400), "{report:?}");
    // A second time nothing changes.
    let again = import_samples(&lake, &source).await.unwrap();
    assert_eq!((again.unchanged, again.version), (12, report.version));
    session(&lake).await
}

/// Rows with ranges as the record has them: data set, file, list of ranges.
fn tree<'a>(rows: impl IntoIterator<Item = &'a Value>) -> Value {
    let mut ranges: BTreeMap<(String, String), BTreeSet<(u64, u64)>> = BTreeMap::new();
    for row in rows {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let of_file = ranges.entry((text("dataset"), text("file"))).or_default();
        assert!(of_file.insert((row["start"].as_u64().unwrap(), row["end"].as_u64().unwrap())), "a range comes twice");
    }
    let mut tree = Map::new();
    for ((dataset, file), ranges) in ranges {
        let mut joined: Vec<(u64, u64)> = vec![];
        for (start, end) in ranges {
            match joined.last_mut() {
                Some(last) if last.1 == start => last.1 = end,
                _ => joined.push((start, end)),
            }
        }
        let files = tree.entry(dataset).or_insert_with(|| json!({}));
        files.as_object_mut().unwrap().insert(file, json!(joined));
    }
    Value::Object(tree)
}

fn count(rows: &[Value]) -> usize {
    rows.iter().map(|row| (row["end"].as_u64().unwrap() - row["start"].as_u64().unwrap()) as usize).sum()
}

fn ranges_of(tree: &Value) -> usize {
    tree.as_object()
        .unwrap()
        .values()
        .flat_map(|it| it.as_object().unwrap().values())
        .map(|it| it.as_array().unwrap().len())
        .sum()
}

/// What the error of an answer is called in the record.
fn kind(error: &Error) -> String {
    match error.kind() {
        Kind::Type => "type".into(),
        Kind::Semantic | Kind::NotFound if matches!(error, Error::Query(_)) => "ignored_condition".into(),
        other => format!("{other:?}: {error}"),
    }
}

fn recorded(name: &str) -> &str {
    // An order of lists is a matter of types for us.
    if matches!(name, "type_mismatch" | "aggregate_in_where") { "type" } else { name }
}

async fn failure(session: &Session, case: &Value) -> Option<String> {
    let (text, lang) = (case["query"].as_str().unwrap(), lang(case));
    let dialect = dialects::find(lang).unwrap();
    let shown = dialect.syntax_tree(&Source::query(text), &Settings::default());
    if shown.as_deref() != Ok(case["display"].as_str().unwrap()) {
        return Some(format!("printed as {shown:?}"));
    }
    for (form, lenient) in [(text.to_owned(), true), (case["query_json"].to_string(), true), (text.to_owned(), false)] {
        let answer = rows(session, &form, lang, &settings(case, lenient), &Shape::default()).await;
        let strict = case.get("strict").filter(|_| !lenient).map(|strict| strict["error"].as_str().unwrap());
        let wanted = strict.or(case["error"]["kind"].as_str()).map(recorded);
        match (answer, wanted) {
            (Err(error), Some(wanted)) if kind(&error) == wanted => {}
            (Err(error), _) => return Some(format!("lenient {lenient}: {error}")),
            (Ok(_), Some(wanted)) => return Some(format!("lenient {lenient}: not refused: {wanted}")),
            (Ok(rows), None) => {
                let found = tree(&rows);
                if found != case["expect_ranges"] || count(&rows) as u64 != case["expect_total"].as_u64().unwrap() {
                    return Some(format!("lenient {lenient}: {} samples", count(&rows)));
                }
                // The longest ranges: no two of them touch.
                if rows.len() != ranges_of(&found) {
                    return Some("ranges are not joined".into());
                }
            }
        }
    }
    None
}

/// Ranges of every combination of properties, and their counts.
async fn index_failure(session: &Session, case: &Value, properties: &[String]) -> Option<String> {
    let index = case.get("expect_index")?;
    // The record's keys lose what stands behind a semicolon, empty texts and the order of lists.
    if case["collection"] == "edge" {
        return None;
    }
    let text = case["query"].as_str().unwrap();
    let by = Settings { by: properties.to_vec(), ..settings(case, true) };
    let found = rows(session, text, lang(case), &by, &Shape::default()).await.unwrap();
    let mut keys: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for row in &found {
        keys.entry(row["key"].as_str().unwrap().to_owned()).or_default().push(row);
    }
    let found: Map<String, Value> = keys.into_iter().map(|(key, rows)| (key, tree(rows))).collect();
    if Value::Object(found.clone()) != *index {
        return Some(format!("index {} instead of {index}", Value::Object(found)));
    }
    let counts = Settings { count_by: properties.to_vec(), ..settings(case, true) };
    let counted = rows(session, text, lang(case), &counts, &Shape::default()).await.unwrap();
    let samples: u64 = counted.iter().map(|row| row["samples"].as_u64().unwrap()).sum();
    let shares: f64 = counted.iter().map(|row| row["share"].as_f64().unwrap()).sum();
    let total = case["expect_total"].as_u64().unwrap();
    (samples != total || (total > 0 && (shares - 1.0).abs() > 1e-9)).then(|| format!("counted {samples}, {shares}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn mixtera() {
    let session = corpus().await;
    let catalog = session.snapshot().unwrap().samples().await.unwrap().clone();
    let mut groups: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut wrong = vec![];
    for case in lines("cases.jsonl") {
        let collection = &catalog.collections[case["collection"].as_str().unwrap()];
        let properties: Vec<String> = collection.properties().into_iter().map(|property| property.name).collect();
        let (passed, total) = groups.entry(case["group"].as_str().unwrap().to_owned()).or_default();
        *total += 1;
        let mut found = failure(&session, &case).await;
        if found.is_none() {
            found = index_failure(&session, &case, &properties).await;
        }
        match found {
            None => *passed += 1,
            Some(reason) => wrong.push(format!("{} {}: {reason}", case["id"], case["query"])),
        }
    }
    for (group, (passed, total)) in &groups {
        // Straight to the stream: the counts are wanted from passing runs too.
        writeln!(std::io::stdout(), "mixtera {group}: {passed} of {total} as recorded").unwrap();
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The chunks of rows, in order.
fn chunks_of(rows: &[Value]) -> Vec<Value> {
    let mut chunks: BTreeMap<u64, BTreeMap<String, Vec<&Value>>> = BTreeMap::new();
    for row in rows {
        let key = row["key"].as_str().unwrap().to_owned();
        chunks.entry(row["chunk"].as_u64().unwrap()).or_default().entry(key).or_default().push(row);
    }
    chunks
        .into_values()
        .map(|keys| keys.into_iter().map(|(key, rows)| (key, tree(rows))).collect::<Map<_, _>>().into())
        .collect()
}

async fn chunk_failure(session: &Session, case: &Value) -> Option<String> {
    let expect = &case["expect"];
    let mixture = match MixtureFile::of_json(case) {
        Ok(mixture) => mixture,
        Err(error) => return (case["error"]["kind"] != error.kind()).then(|| error.to_string()),
    };
    let options = ChunkOptions {
        mixture,
        chunk_size: case["chunk_size"].as_u64().unwrap(),
        weight: None,
        from: None,
        count: None,
        order: Order::Keys,
        state: None,
        keep_state: false,
        turn: None,
        account: false,
    };
    let source = Source::query(case["query"].as_str().unwrap());
    let ask = async |options: ChunkOptions| {
        let (results, chunks) = session.chunks(&source, lang(case), &settings(case, false), options).await?;
        Ok::<_, Error>((rows_of(results).await?, chunks))
    };
    let found = match ask(options.clone()).await {
        Ok((rows, _)) => chunks_of(&rows),
        Err(error) => return Some(error.to_string()),
    };
    let total: usize = found.len();
    if total as u64 != expect["n_chunks"].as_u64().unwrap() {
        return Some(format!("{total} chunks"));
    }
    let listed = expect["chunks"].as_array().map(Vec::as_slice).unwrap_or_default();
    if case["check"] == "exact" && listed.iter().zip(&found).any(|(expected, found)| expected != found) {
        return Some("another chunk".into());
    }
    // A part of them, with and without a state.
    let middle = total as u64 / 2;
    let part = ChunkOptions { from: Some(middle), count: Some(3), ..options.clone() };
    let wanted = found.iter().skip(total / 2).take(3).cloned().collect::<Vec<_>>();
    if chunks_of(&ask(part).await.unwrap().0) != wanted {
        return Some("a part of the chunks differs".into());
    }
    let first = ChunkOptions { count: Some(middle), keep_state: true, ..options.clone() };
    let (rows, chunks) = ask(first).await.unwrap();
    let saved = serde_json::to_string(&chunks.state().unwrap()).unwrap();
    let rest = ChunkOptions { state: Some(serde_json::from_str(&saved).unwrap()), keep_state: true, ..options };
    let rest = ask(rest).await.unwrap().0;
    let joined = [chunks_of(&rows), chunks_of(&rest)].concat();
    (joined != found).then(|| "resumed to other chunks".into())
}

#[tokio::test(flavor = "multi_thread")]
async fn mixtera_chunks() {
    let session = corpus().await;
    let mut types: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut wrong = vec![];
    for case in lines("chunk_cases.jsonl") {
        let (passed, total) = types.entry(case["mixture"]["type"].as_str().unwrap().to_owned()).or_default();
        *total += 1;
        match chunk_failure(&session, &case).await {
            None => *passed += 1,
            Some(reason) => wrong.push(format!("{}: {reason}", case["id"])),
        }
    }
    for (kind, (passed, total)) in &types {
        writeln!(std::io::stdout(), "mixtera chunks {kind}: {passed} of {total} as recorded").unwrap();
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}
