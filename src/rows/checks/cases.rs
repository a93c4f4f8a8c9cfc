//! Runs the recorded cases. Shared with the integration tests, hence only the public face of the crates is used.

use lakeql_query::dialects::hydra::ops::{Strictness, parse};
use lakeql_query::source::Source;
use lakeql_rows::text::json;
use lakeql_rows::{Cell, Columns, Options, Pipeline, Row};
use serde_json::Value;
use std::collections::BTreeMap;

/// The folder of recorded answers.
const GOLD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/gold/hydra");

/// What came of some cases.
#[derive(Default)]
pub(crate) struct Report {
    /// Passed and all, per tier and group.
    areas: BTreeMap<(String, String), (usize, usize)>,
    /// One line per case that differs.
    pub(crate) wrong: Vec<String>,
}

impl Report {
    /// One line per tier, and one with the groups.
    pub(crate) fn counts(&self, name: &str) -> String {
        let mut tiers: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        let mut groups: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for ((tier, group), (passed, all)) in &self.areas {
            for total in [tiers.entry(tier).or_default(), groups.entry(group).or_default()] {
                total.0 += passed;
                total.1 += all;
            }
        }
        let mut lines: Vec<_> =
            tiers.iter().map(|(tier, (passed, all))| format!("{name} {tier}: {passed} of {all} as recorded")).collect();
        let groups: Vec<_> = groups.iter().map(|(group, (passed, all))| format!("{group} {passed}/{all}")).collect();
        lines.push(format!("{name}: {}", groups.join(", ")));
        lines.join("\n")
    }

    fn note(&mut self, case: &Value, result: Result<(), String>) {
        let word = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
        let area = self.areas.entry((word("tier"), word("group"))).or_default();
        area.1 += 1;
        match result {
            Ok(()) => area.0 += 1,
            Err(reason) => {
                self.wrong.push(format!("{} {:?} {:?}: {reason}", word("id"), word("path"), word("ops")));
            }
        }
    }
}

/// The lines of a file of recorded answers.
pub(crate) fn lines(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(format!("{GOLD}/{name}")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// All cases of ops.
pub(crate) fn ops() -> Report {
    let mut report = Report::default();
    for case in lines("op_cases.jsonl") {
        let rows: Vec<Row> =
            case["input_rows"].as_array().unwrap().iter().map(|row| json::row(row.clone()).unwrap()).collect();
        let columns = Columns::numbered(rows.iter().map(Row::len).max().unwrap_or(0));
        let answer = apply(case["ops"].as_str().unwrap(), &columns, rows).map(|(rows, _)| rows);
        report.note(&case, judge(&case, answer));
    }
    report
}

/// Runs a pipeline; gives the rows and their columns.
pub(crate) fn apply(ops: &str, columns: &Columns, rows: Vec<Row>) -> Result<(Vec<Row>, Columns), String> {
    let parsed = parse(&Source::query(ops), Strictness::default()).map_err(|problem| problem.message)?;
    let pipeline = Pipeline::new(&parsed, columns, Options::default()).map_err(|error| error.to_string())?;
    let columns = pipeline.columns().clone();
    let rows = pipeline.run(rows).map_err(|error| error.to_string())?;
    Ok((rows, columns))
}

/// Whether an answer is the recorded one.
pub(crate) fn judge(case: &Value, answer: Result<Vec<Row>, String>) -> Result<(), String> {
    let fails = !case["error"].is_null();
    let mut rows = match (fails, answer) {
        (true, Err(_)) => return Ok(()),
        (true, Ok(rows)) => return Err(format!("{} rows instead of an error", rows.len())),
        (false, Err(error)) => return Err(error),
        (false, Ok(rows)) => rows,
    };
    let recorded = case["expect_rows"].as_array().unwrap();
    let mut expected: Vec<Row> = recorded.iter().map(|row| json::row(row.clone()).unwrap()).collect();
    rows.iter_mut().chain(&mut expected).for_each(Row::trim);
    let approx = case["approx"].as_bool().unwrap_or(false);
    let same = if case["ordered"].as_bool().unwrap_or(true) {
        rows.len() == expected.len() && rows.iter().zip(&expected).all(|(a, b)| equal_rows(a, b, approx))
    } else {
        same_bag(rows.clone(), &expected, approx)
    };
    if same { Ok(()) } else { Err(format!("\n  got  {}\n  want {}", show(&rows), show(&expected))) }
}

fn show(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows.iter().take(30) {
        json::write_row(row, &mut text);
    }
    text
}

fn same_bag(mut rows: Vec<Row>, expected: &[Row], approx: bool) -> bool {
    let found = expected.iter().all(|wanted| {
        let place = rows.iter().position(|row| equal_rows(row, wanted, approx));
        place.map(|place| rows.swap_remove(place)).is_some()
    });
    found && rows.is_empty()
}

fn equal_rows(a: &Row, b: &Row, approx: bool) -> bool {
    a.len() == b.len() && a.cells.iter().zip(&b.cells).all(|(a, b)| equal(a, b, approx))
}

fn equal(a: &Cell, b: &Cell, approx: bool) -> bool {
    match (a, b) {
        (Cell::Distinct(estimate), other) => equal(&Cell::Int(estimate.count()), other, approx),
        (Cell::Int(a), Cell::Int(b)) if approx => a.abs_diff(*b) as f64 <= (0.03 * b.abs() as f64).max(1.0),
        (Cell::Float(a), Cell::Float(b)) => a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
        (a, b) => a == b,
    }
}
