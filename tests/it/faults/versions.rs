//! What imports, compaction and vacuum may change, and what they may not.

use crate::program::{Place, metric, run_line};
use serde_json::{Value, json};

/// Forty runs; those of a later state differ in a parameter and have one point more.
fn export(state: u32, numbers: std::ops::Range<u32>) -> String {
    let run = |n: u32| {
        let mut values = vec![1.0, 0.5];
        values.extend((0..state).map(|extra| f64::from(extra) / 10.0));
        let metrics = json!([
            metric("loss", &json!({"subset": "train"}), &values),
            metric("loss", &json!({"subset": "val"}), &[f64::from(n)]),
        ]);
        let params = json!({"n": n, "state": state, "group": {"odd": n % 2 == 1}, (format!("only {n}")): [n, state]});
        run_line(&format!("run{n:02}"), n, &params, &metrics)
    };
    numbers.map(run).collect()
}

/// Answers of several ways to read all tables.
fn answers(place: &Place, flags: &[&str]) -> Vec<Vec<Value>> {
    let aim = |text: &str, more: &[&str]| place.aim(text, &[flags, more].concat());
    vec![
        aim("run.n >= 0", &["--select", "hash,state,params,loss{\"subset\":\"train\"}.last"]),
        aim("run.group.odd and run['only 7'] != None", &[]),
        aim("run.metrics['loss', {'subset': 'val'}].last > 30", &[]),
        aim(
            "metric.context.subset == 'train' and run.state == 1",
            &["--entity", "metric", "--sort", "run", "--select", "run,name,context,first,last,n,mean"],
        ),
        place.query_sql("select path, kind, count(*) as n from attributes group by 1, 2 order by 1, 2", flags),
        place.query_sql("select hash, name, step, value from points order by hash, name, value, step", flags),
    ]
}

impl Place {
    fn query_sql(&self, text: &str, flags: &[&str]) -> Vec<Value> {
        let arguments = ["query", "--lang", "sql", text].into_iter().chain(flags.iter().copied());
        crate::program::json_lines(&self.ok(arguments))
    }
}

#[test]
fn importing_again_changes_nothing() {
    let place = Place::new();
    place.write("runs.jsonl", export(0, 0..40));
    place.import("runs.jsonl");
    let before = (place.version(), place.totals());
    let said = place.run(["import", "aim", "runs.jsonl"]);
    assert_eq!(said.code, Some(0));
    assert!(said.err.contains("nothing new (40 unchanged)"), "{}", said.err);
    // The same runs in another order, in two files, one of them named twice.
    let mut lines: Vec<_> = export(0, 0..40).lines().map(str::to_owned).collect();
    lines.reverse();
    place.write("a.jsonl", lines[..20].join("\n"));
    place.write("b.jsonl", lines[20..].join("\r\n"));
    place.ok(["import", "aim", "a.jsonl", "b.jsonl", "a.jsonl"]);
    assert_eq!((place.version(), place.totals()), before);
    assert_eq!(before.1, (40, 80, 120));
}

#[test]
fn changed_runs_are_replaced() {
    let place = Place::new();
    place.write("old.jsonl", export(0, 0..40));
    place.import("old.jsonl");
    let first = place.version().unwrap();
    // Ten that changed, ten that did not, ten that are new.
    place.write("new.jsonl", export(1, 0..10) + &export(0, 20..30) + &export(0, 40..50));
    let said = place.run(["import", "aim", "new.jsonl"]);
    assert!(said.err.contains("imported 20 runs (10 replaced, 10 unchanged)"), "{}", said.err);
    let second = place.version().unwrap();
    assert_eq!(second, first + 1);
    assert_eq!(place.totals(), (50, 100, 160));
    assert_eq!(place.totals_at(first), (40, 80, 120));
    let count = |text: &str, flags: &[&str]| place.aim(text, flags).len();
    assert_eq!(count("run.state == 1", &[]), 10);
    assert_eq!(count("run.state == 0", &[]), 40);
    assert_eq!(count("run['only 3'] == [3, 0]", &[]), 0);
    assert_eq!(count("run['only 3'] == [3, 1]", &[]), 1);
    assert_eq!(count("metric.last == 0.0", &["--entity", "metric"]), 11, "ten that end in 0.0, and run 0's val");
    // The catalogue counts what can be seen.
    let listed = place.ok(["attributes", "^(state|only 3)$", "--format", "jsonl"]);
    let listed: Vec<_> = crate::program::json_lines(&listed).iter().map(|row| row["runs"].clone()).collect();
    assert_eq!(listed, [json!(1), json!(50)]);
    // And everything as it was before.
    let old = first.to_string();
    assert_eq!(count("run.state == 1", &["--as-of", &old]), 0);
    assert_eq!(count("run.state == 0", &["--as-of", &old]), 40);
    assert_eq!(count("run['only 3'] == [3, 0]", &["--as-of", &old]), 1);
}

#[test]
fn compact_and_vacuum_keep_the_answers() {
    let place = Place::new();
    for (name, text) in [
        ("a.jsonl", export(0, 0..20)),
        ("b.jsonl", export(0, 20..40)),
        ("c.jsonl", export(1, 10..30)),
        ("d.jsonl", export(1, 0..5)),
    ] {
        place.write(name, text);
        place.import(name);
    }
    let (before, version) = (answers(&place, &[]), place.version().unwrap());
    assert!(before.iter().all(|rows| !rows.is_empty()), "{before:?}");
    place.ok(["compact"]);
    assert_eq!(place.version(), Some(version + 1));
    assert_eq!(answers(&place, &[]), before);
    assert_eq!(answers(&place, &["--as-of", &version.to_string()]), before);
    // Nothing is left to merge, and importing again still finds nothing new.
    place.ok(["compact"]);
    place.ok(["import", "aim", "c.jsonl", "d.jsonl"]);
    assert_eq!(place.version(), Some(version + 1));
    // The default retention keeps every file of this test.
    place.ok(["vacuum"]);
    assert_eq!(answers(&place, &["--as-of", &version.to_string()]), before);
    place.ok(["vacuum", "--retain", "0s"]);
    assert_eq!(place.files("runs", ".parquet").len(), 1);
    assert_eq!(place.files("points", ".parquet").len(), 1);
    assert_eq!(answers(&place, &[]), before);
    // What vacuum has deleted is gone, which is said.
    let said = place.fails(["query", "--lang", "aim", "run.n >= 0", "--as-of", &version.to_string()]);
    assert!(said.contains("vacuum"), "{said}");
    // The lake goes on.
    place.write("e.jsonl", export(0, 40..41));
    place.import("e.jsonl");
    assert_eq!(place.aim("run.n >= 39", &[]), [json!({"hash": "run40"}), json!({"hash": "run39"})]);
}

#[test]
fn versions_that_are_not_there() {
    let place = Place::new();
    place.write("runs.jsonl", export(0, 0..3));
    place.import("runs.jsonl");
    let newest = place.version().unwrap();
    for as_of in [(newest + 1).to_string(), "2001-01-01".to_owned(), "18446744073709551615".to_owned()] {
        let said = place.fails(["query", "--lang", "aim", "run.n >= 0", "--as-of", &as_of]);
        assert!(said.contains("has no version") && said.contains("history"), "{as_of}: {said}");
    }
    // A time after the newest version is the newest version; the version before the first import is empty.
    assert_eq!(place.aim("run.n >= 0", &["--as-of", "2999-01-01T00:00:00Z"]).len(), 3);
    assert_eq!(place.aim("run.n >= 0", &["--as-of", "0"]).len(), 0);
    // The times of `history` lead to their versions.
    let history = crate::program::json_lines(&place.ok(["history", "--format", "jsonl"]));
    assert_eq!(history.len() as u64, newest + 1);
    for entry in history {
        let time = entry["time"].as_str().unwrap();
        let rows = place.aim("run.n >= 0", &["--as-of", time]).len();
        let expected = if entry["version"].as_u64().unwrap() == newest { 3 } else { 0 };
        // Two versions can be of the same millisecond.
        assert!(rows == expected || rows == 3, "{entry}: {rows}");
    }
}
