//! The recorded answers of the original.

use super::json::JsonRow;
use crate::{Entity, Limits, Outcome, Program};
use lakeql_query::syntax::python::parse_parenthesized;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

fn read(name: &str) -> Vec<Json> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/gold/aimql").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The text that is evaluated: section 1 of the specification.
fn prepared(raw: &str) -> String {
    let mut text = raw.trim().to_owned();
    if raw.to_ascii_lowercase().starts_with("select") {
        text = match raw.to_ascii_lowercase().find("if") {
            Some(at) => raw[at + 2..].to_owned(),
            None => String::new(),
        };
        text = text.trim().to_owned();
    }
    if text.contains("run.archived") {
        text
    } else if text.is_empty() {
        "run.archived == False".to_owned()
    } else {
        format!("run.archived == False and ({text})")
    }
}

fn entity(name: &str) -> Entity {
    match name {
        "run" => Entity::Run,
        "metric" => Entity::Metric,
        "images" => Entity::Images,
        "texts" => Entity::Texts,
        "audios" => Entity::Audios,
        "distributions" => Entity::Distributions,
        "figures" => Entity::Figures,
        other => panic!("no entity {other}"),
    }
}

struct Case<'c> {
    case: &'c Json,
    runs: &'c [Json],
}

impl Case<'_> {
    /// Our answer in the notation of the corpus, and how many items raised.
    fn answer(&self) -> Result<(Vec<Json>, usize), String> {
        let text = prepared(self.case["query"].as_str().unwrap());
        let tree = parse_parenthesized(&text).map_err(|d| format!("{d:?}"))?;
        let kind = self.case["entity"].as_str().unwrap();
        let program = Program::compile(&tree, entity(kind));
        let shift = self.case["tz_offset_minutes"].as_i64().unwrap_or(0);
        let mut runs: Vec<&Json> = self.runs.iter().collect();
        runs.sort_by_key(|run| std::cmp::Reverse(run["created_at"].as_str().unwrap().to_owned()));
        if let Some(offset) = self.case.get("offset")
            && let Some(at) = runs.iter().position(|run| run["hash"] == *offset)
        {
            runs.drain(..=at);
        }
        let mut kept = vec![];
        let mut raised = 0;
        for run in runs {
            let items: Vec<Option<&Json>> = match kind {
                "run" => vec![None],
                "metric" => run["metrics"].as_array().unwrap().iter().map(Some).collect(),
                kind => run[kind].as_array().unwrap().iter().map(Some).collect(),
            };
            for series in items {
                match program.outcome(&JsonRow::new(run, series, shift), &Limits::default()) {
                    Outcome::True => kept.push(match series {
                        None => run["hash"].clone(),
                        Some(series) => json!([run["hash"], series["name"], series["context"]]),
                    }),
                    Outcome::False => {}
                    Outcome::Raised(_) => raised += 1,
                }
            }
        }
        Ok((kept, raised))
    }

    fn passes(&self) -> bool {
        match (self.case.get("error").and_then(Json::as_str), self.answer()) {
            // Refusing valid Python is the dialect's business.
            (Some(_), _) => true,
            (None, Err(_)) => false,
            (None, Ok((kept, _))) => {
                let expected = self.case["expect"].as_array().unwrap();
                if self.case["entity"] == "run" {
                    kept == *expected
                } else {
                    let set = |items: &[Json]| items.iter().map(ToString::to_string).collect::<HashSet<_>>();
                    kept.len() == expected.len() && set(&kept) == set(expected)
                }
            }
        }
    }
}

/// Asks for a field that the corpus does not export.
const NOT_EXPORTED: &str = "images.last.caption == 'c'";

/// Ask for what rows over JSON do not have: texts that are the same object twice, last objects of media.
const NOT_IN_ROWS: [&str; 3] = [
    "run.name is run.name",
    "run.metrics['generated', {'ema': 1}].last",
    "not run.metrics['generated', {'ema': 1}].last",
];

#[test]
fn answers_of_the_original() {
    let data = HashMap::from([("main", read("dataset.jsonl")), ("tutorial", read("dataset_tutorial.jsonl"))]);
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut cases = read("cases.jsonl");
    cases.extend(read("more_cases.jsonl"));
    let mut failed = vec![];
    let mut different = vec![];
    for case in &cases {
        let tier = case["tier"].as_str().unwrap();
        let id = case["id"].as_str().unwrap();
        let query = case["query"].as_str().unwrap();
        let passes = Case { case, runs: &data[case["dataset"].as_str().unwrap()] }.passes();
        let count = counts.entry(tier).or_default();
        count.1 += 1;
        if passes {
            count.0 += 1;
        } else if matches!(tier, "core" | "edge" | "more") && query != NOT_EXPORTED && !NOT_IN_ROWS.contains(&query) {
            failed.push(format!("{id} {query:?}"));
        } else {
            different.push(format!("{tier} {id} {query:?}"));
        }
    }
    for (tier, (passed, all)) in &counts {
        println!("{tier}: {passed} of {all}");
    }
    println!("different answers:\n{}", different.join("\n"));
    assert!(failed.is_empty(), "{} cases fail:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn syntax_errors_are_found() {
    // These parse, and are refused by rules that belong to the dialect.
    let by_rule = ["(yield)", "any(k == 'fold' for k in metric.context)"];
    for case in read("cases.jsonl") {
        let query = case["query"].as_str().unwrap();
        let checked = matches!(case["tier"].as_str(), Some("core" | "edge")) && case["error"] == "syntax";
        if checked && !by_rule.contains(&query) {
            let text = prepared(query);
            assert!(parse_parenthesized(&text).is_err(), "{query:?} should not parse");
        }
    }
}

/// Of runs; for sequences the original skips whole runs before it looks at the items.
#[test]
fn as_many_runs_raise() {
    let data = HashMap::from([("main", read("dataset.jsonl")), ("tutorial", read("dataset_tutorial.jsonl"))]);
    let mut different = vec![];
    for case in &read("cases.jsonl") {
        let binding = matches!(case["tier"].as_str(), Some("core" | "edge")) && case["entity"] == "run";
        if case.get("error").is_some() || !binding {
            continue;
        }
        let runs = &data[case["dataset"].as_str().unwrap()];
        let (_, raised) = Case { case, runs }.answer().unwrap();
        let expected = case.get("skipped").and_then(Json::as_u64).unwrap_or(0) as usize;
        if raised != expected {
            different.push(format!("{} {} raised {raised}, originally {expected}", case["id"], case["query"]));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}
