//! The recorded answers of Aim.

use crate::support::{lake_of, repository, rows, session};
use lakeql::{Error, Session, Settings, Shape};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// One recorded query of Aim.
struct Case {
    id: String,
    tier: String,
    query: String,
    settings: Settings,
    expect: Option<Value>,
    dataset: String,
    /// Whether Aim does not come back.
    hangs: bool,
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(repository("tests/gold/aimql/cases.jsonl")).unwrap();
    let field = |case: &Value, name: &str| case[name].as_str().unwrap().to_owned();
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|case| Case {
            id: field(&case, "id"),
            tier: field(&case, "tier"),
            query: field(&case, "query"),
            dataset: field(&case, "dataset"),
            settings: Settings {
                entity: Some(field(&case, "entity")),
                tz_offset_minutes: case["tz_offset_minutes"].as_i64().unwrap_or(0),
                after: case["offset"].as_str().map(str::to_owned),
                ..Settings::default()
            },
            expect: case.get("expect").cloned(),
            hangs: case["error"] == "hang",
        })
        .collect()
}

/// What went wrong with a case, if anything did.
async fn failure(session: &Session, case: &Case) -> Option<String> {
    let runs = case.settings.entity.as_deref() == Some("run");
    let answer = rows(session, &case.query, "aim", &case.settings, &Shape::default()).await;
    match (&case.expect, answer) {
        (None, Ok(_)) => Some("accepted".into()),
        (None, Err(Error::Query(_))) => None,
        // What never ends in Aim ends here, with an error while it runs.
        (None, Err(_)) if case.hangs => None,
        (_, Err(error)) => Some(format!("{error}")),
        (Some(expected), Ok(rows)) if runs => {
            let hashes: Vec<_> = rows.iter().map(|row| row["hash"].clone()).collect();
            (expected.as_array().unwrap() != &hashes).then(|| format!("{} rows: {hashes:?}", hashes.len()))
        }
        (Some(expected), Ok(rows)) => {
            let triples = |items: Vec<Value>| items.into_iter().map(|item| item.to_string()).collect::<BTreeSet<_>>();
            let got: Vec<_> =
                rows.iter().map(|row| serde_json::json!([row["run"], row["name"], row["context"]])).collect();
            let count = got.len();
            let same = triples(got) == triples(expected.as_array().unwrap().clone());
            (!same || count != expected.as_array().unwrap().len()).then(|| format!("{count} rows"))
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn aimql() {
    let main = session(&lake_of(&["tests/gold/aimql/dataset.jsonl"]).await).await;
    let tutorial = session(&lake_of(&["tests/gold/aimql/dataset_tutorial.jsonl"]).await).await;
    let deviations: BTreeMap<String, String> =
        serde_json::from_str(&std::fs::read_to_string(repository("tests/gold/aimql/deviations.json")).unwrap())
            .unwrap();
    let mut tiers: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut wrong = vec![];
    let mut right_after_all = vec![];
    let cases = cases();
    for case in &cases {
        let session = if case.dataset == "tutorial" { &tutorial } else { &main };
        let failure = failure(session, case).await;
        let (passed, total) = tiers.entry(&case.tier).or_default();
        *total += 1;
        match (failure, deviations.contains_key(&case.id)) {
            (None, listed) => {
                *passed += 1;
                if listed {
                    right_after_all.push(&case.id);
                }
            }
            (Some(_), true) => {}
            (Some(reason), false) => wrong.push(format!("{} {:?}: {reason}", case.id, case.query)),
        }
    }
    for (tier, (passed, total)) in &tiers {
        // Straight to the stream: the counts are wanted from passing runs too.
        writeln!(std::io::stdout(), "aimql {tier}: {passed} of {total} as recorded").unwrap();
    }
    assert!(wrong.is_empty(), "{} cases differ and are not listed as deviations:\n{}", wrong.len(), wrong.join("\n"));
    assert!(right_after_all.is_empty(), "listed as deviations but as recorded: {right_after_all:?}");
}
