//! Names with every unusual character: parameters, metrics, contexts, runs, tags, experiments.

use crate::program::{Place, metric, run_line};
use lakeql_lake::catalog::path::{PathKey, format_path};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Names that break something somewhere when they are handled as text.
const NAMES: [&str; 32] = [
    "plain",
    "with blank",
    " leading and trailing ",
    "a.b",
    ".",
    "..",
    "a:b",
    "a:int",
    "a%b",
    "%3A",
    "a=b",
    "a/b",
    "../../up",
    "back\\slash",
    "'single'",
    "\"double\"",
    "`tick`",
    "line\nbreak",
    "tab\tand\rreturn",
    "nul\0inside",
    "bell\u{7}",
    "[0]",
    "{brace}",
    "(paren)",
    "comma,semi;colon",
    "Ünïcödé",
    "日本語",
    "🚀 rocket 👩‍🔬",
    "e\u{301}",
    "\u{202e}right to left",
    "$map$",
    "SELECT * FROM runs; --",
];

/// The text as a Python literal.
fn python(text: &str) -> String {
    let escaped = |c: char| match c {
        '\'' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\x{:02x}", c as u32),
        c => c.to_string(),
    };
    format!("'{}'", text.chars().map(escaped).collect::<String>())
}

fn params() -> Value {
    let mut flat = serde_json::Map::new();
    for (number, name) in NAMES.iter().enumerate() {
        flat.insert((*name).to_owned(), json!(number));
    }
    let nested = flat.clone();
    flat.insert("deeper".into(), nested.into());
    flat.into()
}

/// A lake with three runs that have every name, and one that has none.
fn place() -> Place {
    let place = Place::new();
    let metrics: Vec<_> = NAMES
        .iter()
        .enumerate()
        .map(|(number, name)| metric(name, &json!({(*name): name, "number": number}), &[number as f64, 0.5]))
        .collect();
    let mut text = run_line("none", 0, &json!({}), &json!([]));
    for hash in ["one", "two", "three"] {
        text += &run_line(hash, 1, &params(), &json!(metrics));
    }
    place.write("names.jsonl", text);
    place.import("names.jsonl");
    place
}

#[test]
fn parameters() {
    let place = place();
    assert_eq!(place.totals(), (4, 3 * NAMES.len() as i64, 6 * NAMES.len() as i64));
    let stored = place.aim("run.hash == 'one'", &["--select", "params"]);
    assert_eq!(stored[0]["params"], params());
    // One query that asks for all of them, at both depths.
    let all = |prefix: &str| {
        let parts = NAMES.iter().enumerate().map(|(number, name)| format!("run{prefix}[{}] == {number}", python(name)));
        parts.collect::<Vec<_>>().join(" and ")
    };
    for prefix in ["", "['deeper']", ".deeper"] {
        let answer = place.aim(&all(prefix), &["--sort", "hash"]);
        assert_eq!(answer, [json!({"hash": "one"}), json!({"hash": "three"}), json!({"hash": "two"})], "{prefix}");
    }
    // None of them is mistaken for another.
    for (number, name) in NAMES.iter().enumerate() {
        let other = format!("run[{}] == {}", python(name), number + 1);
        assert!(place.aim(&other, &[]).is_empty(), "{other}");
    }
}

#[test]
fn columns_and_lists_of_names() {
    let place = place();
    let paths: Vec<_> = NAMES.iter().map(|name| format_path(&[PathKey::Text((*name).to_owned())])).collect();
    let listed = crate::program::json_lines(&place.ok(["attributes", "--format", "jsonl"]));
    let listed: BTreeSet<_> = listed.iter().map(|row| row["path"].as_str().unwrap().to_owned()).collect();
    let deeper = NAMES.iter().map(|name| format_path(&[PathKey::Text("deeper".into()), PathKey::Text((*name).into())]));
    let expected: BTreeSet<_> = paths.iter().cloned().chain(deeper).chain(["deeper".to_owned()]).collect();
    assert_eq!(listed, expected);
    // In quotes every name can be a column; without, a comma would end it.
    let quoted = NAMES.map(|name| json!(name).to_string());
    let select = format!("hash,{}", quoted.join(","));
    let answer = place.aim("run.hash == 'two'", &["--select", &select]);
    let row = answer[0].as_object().unwrap();
    assert_eq!(row.len(), NAMES.len() + 1);
    for (number, name) in quoted.iter().enumerate() {
        assert_eq!(row[name], json!(number), "{name}");
    }
    let pairs = paths.iter().map(|path| format!("'{}'", path.replace('\'', "''"))).collect::<Vec<_>>().join(", ");
    let wide = place.sql(&format!("select * from runs_wide({pairs}) where hash = 'one'"));
    for (number, path) in paths.iter().enumerate() {
        assert_eq!(wide[0][path], json!(number), "{path}");
    }
    let counted = place.sql("select count(*) as n from attributes where kind = 'int'");
    assert_eq!(counted, [json!({"n": 6 * NAMES.len()})]);
}

#[test]
fn metrics_and_contexts() {
    let place = place();
    let found = place.aim("metric.context.number >= 0 and run.hash == 'one'", &["--entity", "metric"]);
    let found: BTreeSet<_> = found.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(found, NAMES.iter().map(|name| (*name).to_owned()).collect());
    let alternatives = NAMES.iter().enumerate().map(|(number, name)| {
        let name = python(name);
        format!("metric.name == {name} and metric.context[{name}] == {name} and metric.first == {number}")
    });
    let query = alternatives.collect::<Vec<_>>().join(" or ");
    assert_eq!(place.aim(&query, &["--entity", "metric"]).len(), 3 * NAMES.len());
    for (number, name) in NAMES.iter().enumerate() {
        let query = format!("run.metrics[{0}, {{{0}: {0}, 'number': {number}}}].last == 0.5", python(name));
        if number % 8 == 0 {
            assert_eq!(place.aim(&query, &[]).len(), 3, "{query}");
        }
    }
}

#[test]
fn runs_tags_and_experiments() {
    let place = Place::new();
    let text: String = NAMES
        .iter()
        .enumerate()
        .map(|(number, name)| {
            let run = json!({
                "hash": name, "name": name, "experiment": name, "description": name, "tags": [name, "all"],
                "created_at": format!("2024-01-01T00:00:{number:02}Z"),
            });
            format!("{run}\n")
        })
        .collect();
    place.write("runs.jsonl", text);
    place.import("runs.jsonl");
    let newest_first: Vec<_> = NAMES.iter().rev().map(|name| json!({"hash": name})).collect();
    assert_eq!(place.aim("'all' in run.tags", &[]), newest_first);
    let alternatives = NAMES.iter().map(|name| {
        let name = python(name);
        format!("(run.hash == {name} and run.name == {name} and run.experiment == {name} and {name} in run.tags)")
    });
    assert_eq!(place.aim(&alternatives.collect::<Vec<_>>().join(" or "), &[]), newest_first);
    let listed = NAMES.map(|name| format!("'{}'", name.replace('\'', "''"))).join(", ").replace('\0', "");
    let found = place.sql(&format!("select count(*) as n from runs where hash in ({listed})"));
    // A NUL cannot stand on a command line.
    assert_eq!(found, [json!({"n": NAMES.len() - 1})]);
    // Every format writes them; those that are read back by rules hold one line a row.
    for format in ["table", "json", "jsonl", "csv", "tsv", "markdown"] {
        let out = place.ok(["query", "--lang", "aim", "", "--format", format, "--select", "hash,name"]);
        assert!(out.contains("日本語") && !out.contains("\u{7}\u{7}"), "{format}");
        let lines = out.lines().count();
        match format {
            "jsonl" => assert_eq!(lines, NAMES.len()),
            "tsv" => assert_eq!(lines, NAMES.len() + 1),
            "markdown" => assert_eq!(lines, NAMES.len() + 2),
            _ => assert!(lines >= NAMES.len(), "{format}"),
        }
    }
}

/// Nobody writes such names; files that are not what they seem have them.
#[test]
fn names_of_a_megabyte() {
    let place = Place::new();
    let long = "n".repeat(1 << 20);
    let metrics = json!([metric(&long, &json!({&long: 1}), &[0.5])]);
    place.write("long.jsonl", run_line(&long, 0, &json!({&long: 1, "short": 2}), &metrics));
    place.import("long.jsonl");
    assert_eq!(place.totals(), (1, 1, 1));
    let found = place.aim("run.short == 2", &["--select", "hash,params"]);
    assert!(found == [json!({"hash": long, "params": {&long: 1, "short": 2}})], "they came back otherwise");
    assert_eq!(place.aim("metric.last == 0.5", &["--entity", "metric", "--select", "last"]), [json!({"last": 0.5})]);
    // Looking for what was probably meant may not take for ever.
    place.write("query.txt", format!("run['{}'] == None", &long[1_000..]));
    let mut asking =
        place.command(["query", "--lang", "aim", "-f", "query.txt"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut answer = asking.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        answer.read_to_string(&mut text).unwrap();
        text
    });
    let deadline = Instant::now() + Duration::from_secs(30);
    while asking.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            asking.kill().unwrap();
            asking.wait().unwrap();
            panic!("no answer within 30 seconds");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(reader.join().unwrap().contains(&long), "another name is another param");
}
