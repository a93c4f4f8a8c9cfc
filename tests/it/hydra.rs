//! Hydra: the recorded answers, and the verb `ops`.

#[path = "../../src/rows/checks/cases.rs"]
pub(crate) mod cases;

use crate::program::{Place, Said, json_lines};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

#[test]
fn recorded_answers() {
    let ops = cases::ops();
    let trees = cases::trees();
    let (wrong, nodes) = cases::different_nodes(&trees);
    let paths = cases::paths(&trees);
    let mut out = std::io::stdout();
    writeln!(out, "{}\n{}", ops.counts("hydra ops"), paths.counts("hydra paths")).unwrap();
    writeln!(out, "hydra trees: {} of {nodes} nodes as recorded", nodes - wrong.len()).unwrap();
    for wrong in [wrong, ops.wrong, paths.wrong] {
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// Runs `ops` with these rows on stdin.
fn ops(place: &Place, arguments: &[&str], rows: &str) -> Said {
    let mut command = place.command([&["ops"], arguments].concat());
    let mut program = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may end before it has read everything.
    let _ = program.stdin.take().unwrap().write_all(rows.as_bytes());
    program.wait_with_output().unwrap().into()
}

const ROWS: &str = "[\"A\",1]\n[\"A\",3]\n[\"B\",2]\n\n[\"C\",5]\n[\"B\",1]\n";

#[test]
fn rows_in_and_out_in_every_format() {
    let place = Place::new();
    let run = |arguments: &[&str], rows: &str| {
        let said = ops(&place, arguments, rows);
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
        said.out
    };
    let sorted = "gather=ks;sort=1:n:d";
    let expected = vec![json!(["C", 5]), json!(["A", 4]), json!(["B", 3])];
    assert_eq!(json_lines(&run(&[sorted], ROWS)), expected);
    assert_eq!(serde_json::from_str::<Vec<Value>>(&run(&[sorted, "--format", "json"], ROWS)).unwrap(), expected);
    assert_eq!(run(&[sorted, "--format", "csv"], ROWS), "C,5\nA,4\nB,3\n");
    assert_eq!(run(&[sorted, "--format", "tsv"], ROWS), "C\t5\nA\t4\nB\t3\n");
    assert!(run(&[sorted, "--format", "table"], ROWS).contains("│ C │ 5 │"));
    assert_eq!(
        run(&[sorted, "--input-format", "csv"], "A,1\nA,3\nB,2\nC,5\nB,1\n"),
        "[\"C\",5]\n[\"A\",4]\n[\"B\",3]\n"
    );
    assert_eq!(run(&["order=1,0", "--input-format", "tsv"], "a\t\nb\t1.5\n"), "[null,\"a\"]\n[1.5,\"b\"]\n");
    for document in ["[[\"A\", 1], [\"A\", 3],\n [\"]\", 2]]", "[\n[\"A\", 1],\n[\"A\",3],[\"]\",2]\n]\n"] {
        assert_eq!(run(&["gather=ks;sort=0"], document), "[\"A\",4]\n[\"]\",2]\n");
    }
    assert_eq!(run(&["gather=ks", "--input-format", "json"], "[]"), "");
    assert_eq!(run(&["gather=ks", "--format", "json"], ""), "[\n]\n");
    let named = run(&["order=n;sort=n:n:d;title", "--input-format", "csv", "--header"], "name,n\na,1\nb,2\n");
    assert_eq!(named, "[\"n\"]\n[2]\n[1]\n");
    // The width is that of the widest row, wherever it is.
    assert_eq!(run(&["fill=0"], "[\"a\"]\n[\"b\",1,2]\n"), "[\"a\",0,0]\n[\"b\",1,2]\n");
    place.write("rows.jsonl", ROWS);
    assert_eq!(json_lines(&run(&["limit=1:1", "rows.jsonl"], "")), [json!(["A", 3])]);
    assert_eq!(run(&["gather=kp", "--strict"], ROWS), "[\"A\",3]\n[\"B\",2]\n[\"C\",5]\n");
    assert!(run(&[], "").contains("gather, top"));
}

#[test]
fn rows_that_do_not_fit_go_to_disk() {
    let place = Place::new();
    let rows: String = (0..20_000).map(|n| format!("[\"key {}\",{n},null]\n", (n * 7919) % 4_001)).collect();
    for pipeline in ["sort=0;merge=ks", "gather=ksu;sort=1:n:d", "fill=0;reverse;limit=5000"] {
        let answer = |memory: &str| {
            let said = ops(&place, &[pipeline, "--memory", memory], &rows);
            assert_eq!(said.code, Some(0), "{pipeline}: {}", said.err);
            said.out
        };
        let plenty = answer("1GB");
        assert_eq!(plenty.lines().count(), if pipeline.starts_with("fill") { 5000 } else { 4001 });
        assert!(answer("100kB") == plenty, "{pipeline}");
    }
}

#[test]
fn formats_of_hydra() {
    let place = Place::new();
    let rows = "[\"a \\\"b\\\"\",1,1.5]\n[\"c|d\",null,[1]]\n";
    let run = |format: &str| {
        let said = ops(&place, &["order=0,1,2", "--hydra-format", format], rows);
        assert_eq!(said.code, Some(0), "{}", said.err);
        said.out
    };
    assert_eq!(run("json"), "[[\"a \\\"b\\\"\",1,1.5],[\"c|d\",null,[1]]]\n");
    assert_eq!(run("csv"), "\"a 'b'\",1,1.5\n\"c|d\",,\n");
    assert_eq!(run("tsv"), "\"a 'b'\"\t1\t1.5\n\"c|d\"\t\t\n");
    assert_eq!(run("psv2"), "\"a \\\"b\\\"\"|1|1.5\n\"c|d\"||\n");
    assert_eq!(ops(&place, &["t", "--hydra-format", "xml"], rows).code, Some(2));
    assert_eq!(ops(&place, &["t", "--hydra-format", "csv", "--format", "csv"], rows).code, Some(2));
}

/// Columns whose cells have one type keep it; the others are text.
#[test]
fn rows_as_columns() {
    let place = Place::new();
    let rows = "[\"a\",1,1.5,1]\n[\"b\",null,2.5,\"x\"]\n[\"b\",3]\n";
    let said = ops(&place, &["sort=0", "--format", "parquet", "--output", "rows.parquet"], rows);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let sql = "select \"0\", sum(\"1\") as n, max(\"2\") as x, max(\"3\") as t from data group by 1 order by 1";
    let said = place.run(["query", sql, "--lang", "sql", "--from", "rows.parquet"]);
    let expected = [json!({"0": "a", "n": 1, "x": 1.5, "t": "1"}), json!({"0": "b", "n": 3, "x": 2.5, "t": "x"})];
    assert_eq!(json_lines(&said.out), expected, "{}", said.err);
}

#[test]
fn walks_are_tables_of_sql() {
    let place = Place::new();
    place.write("spec.json", r#"{"trees": {"web": {"root": [{"field": "day"}, {"field": "url"}]}}}"#);
    let event = |day: &str, url: &str| format!("{{\"day\": \"{day}\", \"url\": \"{url}\"}}\n");
    place.write("a.jsonl", &(event("1", "/x") + &event("1", "/y") + &event("2", "/x")));
    place.ok(["import", "events", "--tree", "spec.json", "a.jsonl"]);
    let sql = |text: &str| place.run(["query", text, "--lang", "sql", "--format", "jsonl", "--error-format", "json"]);
    let said = sql("select sum(\"1\") as n, max(\"0\") as day from hydra('web', '+:+hits', 'sort=1:n:d')");
    assert_eq!(json_lines(&said.out), [json!({"n": 3, "day": "2"})], "{}", said.err);
    for (text, message) in [
        ("select * from hydra('web')", "hydra takes a tree"),
        ("select * from hydra('web', 5)", "hydra takes a tree"),
        ("select * from hydra('wbe', '+')", "there is no tree `wbe`"),
        ("select * from hydra('web', '+', 'srt=0')", "there is no op `srt`"),
        ("select * from hydra('web', '..')", ""),
    ] {
        let said = sql(text);
        assert_eq!(said.code, Some(1), "{text}: {}", said.out);
        assert!(said.err.contains(message), "{text}: {}", said.err);
    }
    let said = place.run(["query", "+:+hits", "--lang", "hydra", "--hydra-format", "psv"]);
    assert_eq!(said.out, "\"1\"|2\n\"2\"|1\n", "{}", said.err);
    assert_eq!(place.run(["query", "+", "--lang", "hydra", "--hydra-format", "psv", "--sort", "0"]).code, Some(2));
}

#[test]
fn rows_come_out_before_all_are_read() {
    let place = Place::new();
    let mut command = place.command(["ops", "num=c0,n1,add,v0,set;limit=2"]);
    let mut program = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = program.stdin.take().unwrap();
    stdin.write_all(b"[1]\n[2]\n").unwrap();
    // The end of stdin is not needed: the limit ends the work.
    assert_eq!(program.wait().unwrap().code(), Some(0));
    drop(stdin);
}

#[test]
fn mistakes_have_a_place_and_an_exit_code() {
    let place = Place::new();
    let wrong = |arguments: &[&str], rows: &str| {
        let said = ops(&place, &[arguments, &["--error-format", "json"]].concat(), rows);
        assert_eq!(said.code, Some(1), "{said:?}");
        serde_json::from_str::<Value>(said.err.trim()).unwrap()
    };
    let unknown = wrong(&["gather=ks;srt=0"], ROWS);
    assert_eq!((&unknown["kind"], &unknown["labels"][0]["start"]), (&json!("semantic"), &json!(10)));
    assert_eq!(unknown["hints"][0], "did you mean `sort`?");
    let number = wrong(&["gather=sk"], ROWS);
    assert_eq!(number["kind"], "type");
    assert!(number["message"].as_str().unwrap().contains("`A` is not a number (row 1)"), "{number}");
    assert!(wrong(&["t"], "[1]\n{}\n")["message"].as_str().unwrap().contains("line 2"));
    assert!(wrong(&["t"], "[1]\n[\n")["message"].as_str().unwrap().contains("line 2"));
    assert!(
        wrong(&["t", "--input-format", "json"], "[[1],2]")["message"].as_str().unwrap().contains("a row is an array")
    );
    assert!(wrong(&["t", "--input-format", "csv"], "a,\"b\n")["message"].as_str().unwrap().contains("not closed"));
    assert_eq!(wrong(&["t", "missing.jsonl"], "")["kind"], "io");
    assert_eq!(wrong(&["pivot=0,1,1", "--memory", "100B"], &ROWS.repeat(20))["kind"], "limit");
    let long = format!("[\"{}\"]", "x".repeat(65 << 20));
    let too_long = wrong(&["t"], &long);
    assert_eq!(too_long["kind"], "limit");
    assert!(too_long["message"].as_str().unwrap().contains("stdin, line 1"), "{too_long}");
    assert_eq!(wrong(&["rmap=0::{\"(\":\"x\"}"], ROWS)["kind"], "regex");
    assert_eq!(place.run(["ops", "t", "--input-format", "xml"]).code, Some(2));
}
