//! Runs the recorded cases. Shared with the integration tests, hence only the public face of the crates is used.

use lakeql_query::dialects::hydra::ops::{Strictness, parse};
use lakeql_query::dialects::hydra::path;
use lakeql_query::source::Source;
use lakeql_rows::text::json;
use lakeql_rows::tree::{
    Attachment, Events, Fields, Grower, InMemory, MemoryTree, NameRange, Plan, Query, Run, Spec, Spilled, Tree, merge,
    read_event, spill,
};
use lakeql_rows::{Cell, Columns, Options, Pipeline, Row};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A file of recorded answers, from this crate or from the root.
fn read(name: &str) -> String {
    let crate_folder = env!("CARGO_MANIFEST_DIR");
    let place = |root: &str| std::fs::read_to_string(format!("{crate_folder}/{root}tests/gold/hydra/{name}"));
    place("").or_else(|_| place("../../")).unwrap()
}

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
    read(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
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
        (Cell::Float(a), Cell::Float(b)) => {
            a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
        }
        (a, b) => a == b,
    }
}

/// The trees of the corpus, built from its events.
pub(crate) fn trees() -> BTreeMap<String, MemoryTree> {
    let spec = Spec::parse(&read("treespec.json")).unwrap();
    let mut fields = Fields::default();
    let plans: Vec<_> =
        spec.trees.iter().map(|(name, tree)| (name.clone(), Arc::new(Plan::new(tree, &mut fields).unwrap()))).collect();
    let mut events = Events::new(fields.names().len());
    for line in read("events.jsonl").lines() {
        read_event(line, &fields, &mut events).unwrap();
    }
    plans
        .into_iter()
        .map(|(name, plan)| (name, grown(&plan, &events, std::slice::from_ref(&(0..events.len())))))
        .collect()
}

/// The tree of some events that grows in parts: each part of the events by itself, through bytes and back.
pub(crate) fn grown(plan: &Arc<Plan>, events: &Events, parts: &[std::ops::Range<usize>]) -> MemoryTree {
    let columns: Arc<[_]> = plan.columns().into();
    let grow = |rows: &std::ops::Range<usize>| {
        let mut grower = Grower::new(plan.clone());
        grower.take(events, rows.clone()).unwrap();
        let mut bytes = vec![];
        spill(&mut grower.into_run(), &columns, &mut bytes).unwrap();
        Box::new(Spilled::new(std::io::Cursor::new(bytes), &columns).unwrap()) as Box<dyn Run>
    };
    let mut runs: Vec<Box<dyn Run>> = parts.iter().map(grow).collect();
    let mut tree = InMemory::new(&columns);
    merge(&mut runs, &columns, &mut tree).unwrap();
    tree.done()
}

/// All cases of paths, over trees built from the events.
pub(crate) fn paths<T: Tree>(trees: &BTreeMap<String, T>) -> Report {
    let mut report = Report::default();
    for case in lines("path_cases.jsonl") {
        let names: Vec<&str> = match &case["tree"] {
            Value::Array(names) => names.iter().map(|name| name.as_str().unwrap()).collect(),
            name => vec![name.as_str().unwrap()],
        };
        let workers: Vec<&T> = names.iter().map(|name| &trees[*name]).collect();
        report.note(&case, judge(&case, ask(&case, &workers)));
    }
    report
}

fn ask<T: Tree>(case: &Value, workers: &[&T]) -> Result<Vec<Row>, String> {
    let text = |name: &str| Source::query(case[name].as_str().unwrap_or_default());
    let ops = |name: &str| parse(&text(name), Strictness::default()).map_err(|problem| problem.message);
    let path = path::parse(&text("path")).map_err(|problem| problem.message)?;
    let query = Query { path, worker_ops: ops("rops")?, ops: ops("ops")? };
    let mut rows = vec![];
    query.run(workers, Options::default(), None, &mut rows).map_err(|error| error.to_string())?;
    Ok(rows)
}

/// The nodes of the corpus that the built trees do not have in the same way, and the number of all.
pub(crate) fn different_nodes<T: Tree>(trees: &BTreeMap<String, T>) -> (Vec<String>, usize) {
    let mut wrong = vec![];
    let mut dumps: BTreeMap<&str, std::vec::IntoIter<Value>> = BTreeMap::new();
    for (name, tree) in trees {
        let mut nodes = vec![];
        dump(tree, tree.root(), &mut vec![], &mut nodes);
        dumps.insert(name, nodes.into_iter());
    }
    let recorded = lines("tree_nodes.jsonl");
    for mut node in recorded.clone() {
        let name = node["tree"].as_str().unwrap().to_owned();
        node.as_object_mut().unwrap().remove("tree");
        let own = dumps.get_mut(name.as_str()).and_then(Iterator::next).unwrap_or(Value::Null);
        if !same_node(&own, &node) {
            wrong.push(format!("{name}\n  got  {own}\n  want {node}"));
        }
    }
    wrong.extend(
        dumps.iter().filter(|(_, rest)| !rest.as_slice().is_empty()).map(|(name, _)| format!("{name} has more nodes")),
    );
    (wrong, recorded.len())
}

fn dump<T: Tree>(tree: &T, node: T::Node, path: &mut Vec<String>, nodes: &mut Vec<Value>) {
    let mut own = serde_json::json!({"path": path, "count": tree.hits(&node), "nodes": tree.child_count(&node)});
    let mut data = serde_json::Map::new();
    for name in tree.attachments(&node).unwrap() {
        let attachment = tree.attachment(&node, &name).unwrap().unwrap();
        data.extend(state(&attachment).map(|state| (name.to_string(), state)));
    }
    if !data.is_empty() {
        own["data"] = Value::Object(data);
    }
    nodes.push(own);
    for child in tree.children(&node, &NameRange::all(), usize::MAX).unwrap() {
        path.push(tree.name(&child).to_string());
        dump(tree, child, path, nodes);
        path.pop();
    }
}

/// An attachment in the notation of the corpus; filters are not in it.
fn state(attachment: &Attachment) -> Option<Value> {
    let ask = |key: &str| json::value(&attachment.answer(Some(key)).unwrap());
    let entries = |entries: Vec<(String, Value)>| Value::Object(entries.into_iter().collect());
    Some(match attachment {
        Attachment::Sum { sum, num } => serde_json::json!({"kind": "sum", "sum": sum, "num": num}),
        Attachment::SumFloat { sum, count } => serde_json::json!({"kind": "sumf", "sum": sum, "count": count}),
        Attachment::Time { first, last } => serde_json::json!({"kind": "time", "first": first, "last": last}),
        Attachment::Count(estimate) => serde_json::json!({"kind": "count", "count": estimate.count()}),
        Attachment::KeyTop(top) | Attachment::LimitTop(top) => {
            let kind = if matches!(attachment, Attachment::KeyTop(_)) { "key.top" } else { "limit.top" };
            let counts = top.sorted().into_iter().map(|(key, count)| (key.to_string(), count.into())).collect();
            serde_json::json!({"kind": kind, "entries": entries(counts)})
        }
        Attachment::Map(map) => {
            let map = map.iter().map(|(key, value)| (key.to_string(), Value::from(&**value))).collect();
            serde_json::json!({"kind": "map", "entries": entries(map)})
        }
        Attachment::Copy(copy) => {
            let copy = copy.iter().map(|(key, value)| (key.to_string(), Value::from(&**value))).collect();
            serde_json::json!({"kind": "copy", "entries": entries(copy)})
        }
        Attachment::Histogram(buckets) => {
            let buckets = buckets.iter().map(|(bucket, count)| (bucket.to_string(), (*count).into())).collect();
            serde_json::json!({"kind": "histo", "entries": entries(buckets)})
        }
        Attachment::Distribution(_) => serde_json::json!({
            "kind": "distribution", "min": ask("min"), "max": ask("max"), "mean": ask("mean"), "median": ask("median"),
        }),
        // The recorded trees have none of the others.
        _ => return None,
    })
}

/// Equal but for rounding of doubles and estimates.
fn same_node(own: &Value, wanted: &Value) -> bool {
    match (own, wanted) {
        (Value::Object(own), Value::Object(wanted)) => {
            own.len() == wanted.len()
                && wanted.iter().all(|(key, wanted_value)| match own.get(key) {
                    Some(own_value) if key == "count" && wanted.get("kind").is_some_and(|kind| kind == "count") => {
                        equal(&json::cell(own_value.clone()), &json::cell(wanted_value.clone()), true)
                    }
                    Some(own_value) => same_node(own_value, wanted_value),
                    None => false,
                })
        }
        (Value::Number(_), Value::Number(_)) => equal(&json::cell(own.clone()), &json::cell(wanted.clone()), false),
        (own, wanted) => own == wanted,
    }
}
