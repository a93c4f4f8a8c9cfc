//! Files to import that are damaged or not what they should be.

use crate::program::{Place, json_lines, metric, run_line};
use crate::support::repository;
use serde_json::{Value, json};

/// A lake with one run, so that «unchanged» means something.
fn place() -> Place {
    let place = Place::new();
    place.write("first.jsonl", run_line("first", 0, &json!({"lr": 0.5}), &json!([metric("loss", &json!({}), &[1.0])])));
    place.import("first.jsonl");
    place
}

/// The one good line that every bad file also has: it must not get in.
fn good(hash: &str) -> String {
    run_line(hash, 1, &json!({"lr": 0.25}), &json!([]))
}

#[test]
fn truncated_lines() {
    let place = place();
    let text = std::fs::read_to_string(repository("datasets/tutorial_runs.jsonl")).unwrap();
    let whole: Vec<_> = text.lines().collect();
    // In the middle of a text, of a number, of a list, and just before the last brace.
    for cut in [20, 700, 1000, whole[2].len() - 1] {
        let file = format!("{}\n{}\n{}", whole[0], whole[1], &whole[2][..cut]);
        place.write("cut.jsonl", file);
        let said = place.fails(["import", "aim", "cut.jsonl"]);
        assert!(said.contains("cut.jsonl, line 3"), "{said}");
        assert!(said.contains("ends too early"), "{said}");
    }
    assert_eq!(place.totals(), (1, 1, 1));
}

#[test]
fn truncated_archives() {
    let place = place();
    let bytes = std::fs::read(repository("datasets/sklearn_runs.jsonl.gz")).unwrap();
    for end in [bytes.len() / 20, bytes.len() / 10, 11] {
        place.write("cut.jsonl.gz", &bytes[..end]);
        let said = place.fails(["import", "aim", "cut.jsonl.gz"]);
        assert!(said.contains("cut.jsonl.gz, line ") && said.contains("truncated"), "{said}");
    }
    // Damaged in the middle instead of cut.
    let mut damaged = bytes[..bytes.len() / 10].to_vec();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0xff);
    place.write("damaged.jsonl.gz", damaged);
    let said = place.fails(["import", "aim", "damaged.jsonl.gz"]);
    assert!(said.contains("damaged.jsonl.gz, line "), "{said}");
    assert_eq!(place.totals(), (1, 1, 1));
}

#[test]
fn files_that_are_something_else() {
    let place = place();
    place.write("empty.jsonl", "");
    place.write("image.jsonl", [0x89, b'P', b'N', b'G', 0, 0, 0xff]);
    place.write("table.parquet", b"PAR1....PAR1");
    place.write("not_text.jsonl", [good("x").as_bytes(), b"{\"hash\": \"\xff\xfe\"}\n"].concat());
    std::fs::create_dir(place.path("folder.jsonl")).unwrap();
    for (file, reason) in [
        ("empty.jsonl", "empty"),
        ("image.jsonl", "line 1"),
        ("table.parquet", "Parquet"),
        ("not_text.jsonl", "line 2: not valid UTF-8 at byte 11"),
        ("folder.jsonl", "folder"),
        ("nowhere.jsonl", "cannot be read"),
    ] {
        let said = place.fails(["import", "aim", file]);
        assert!(said.contains(file) && said.contains(reason), "{file}: {said}");
    }
}

/// What a line must not hold, the field that is named and a word of the reason.
fn wrong_lines() -> Vec<(Value, &'static str, &'static str)> {
    let run = |field: &str, value: Value| {
        let mut run = json!({"hash": "h", "created_at": "2024-01-01T00:00:00Z"});
        run[field] = value;
        run
    };
    let sequence = |field: &str, value: Value| {
        let mut one = json!({"name": "loss", "steps": [0, 1], "values": [0.5, 0.25]});
        one[field] = value;
        run("metrics", json!([{"name": "a", "steps": [], "values": []}, one]))
    };
    vec![
        (run("hash", json!(7)), "hash", "text"),
        (run("hash", json!("")), "hash", "empty"),
        (run("hash", Value::Null), "", ""),
        (run("name", json!(["n"])), "name", "text"),
        (run("tags", json!("baseline")), "tags", "list"),
        (run("tags", json!(["a", 1])), "tags[1]", "text"),
        (run("archived", json!("yes")), "archived", "boolean"),
        (run("created_at", json!("yesterday")), "created_at", "time"),
        (run("created_at", json!(1_640_337_300)), "created_at", "text"),
        (run("created_at", Value::Null), "", "`created_at` is missing"),
        (run("end_time", json!("late")), "end_time", "number"),
        (run("end_time", json!({"$float": "nan"})), "end_time", "finite"),
        (run("params", json!([1, 2])), "params", "object"),
        (run("params", json!({"a": {"$float": "many"}})), "params", "$float"),
        (run("params", json!({"a": {"$map": [[1]]}})), "params", "pair"),
        (run("metrics", json!({"loss": 1})), "metrics", "list"),
        (run("images", json!([7])), "images[0]", "object"),
        (sequence("name", json!(null)), "metrics[1].name", "text"),
        (sequence("steps", json!([0, "one"])), "metrics[1].steps[1]", "integer"),
        (sequence("steps", json!([0, 1.5])), "metrics[1].steps[1]", "integer"),
        (sequence("steps", json!([0])), "metrics[1]", "2 entries for 1 steps"),
        (sequence("steps", json!([0, 9_223_372_036_854_775_808_u64])), "metrics[1].steps[1]", "64 bits"),
        (sequence("values", json!([0.5, "0.25"])), "metrics[1].values[1]", "number"),
        (sequence("times", json!([1.0])), "metrics[1]", "1 entries for 2 steps"),
        (sequence("context", json!("train")), "metrics[1].context", "object"),
        (sequence("last", json!("low")), "metrics[1].last", "number"),
    ]
}

#[test]
fn wrong_types() {
    let place = place();
    for (line, field, reason) in wrong_lines() {
        place.write("wrong.jsonl", format!("{}{line}\n", good("new")));
        let said = place.fails(["import", "aim", "wrong.jsonl"]);
        assert!(said.contains("wrong.jsonl, line 2"), "{line}: {said}");
        assert!(said.contains(field) && said.contains(reason), "{line}: {said}");
    }
    assert_eq!(place.totals(), (1, 1, 1));
}

#[test]
fn bad_lines_can_be_left_out() {
    let place = place();
    let wrong = wrong_lines();
    let bad: String = wrong.iter().map(|(line, ..)| format!("{line}\n")).collect();
    place.write("mixed.jsonl", format!("{}{bad}{}not json\n", good("one"), good("two")));
    place.ok(["import", "aim", "mixed.jsonl", "--skip-bad", "--report", "left_out.jsonl"]);
    let report = json_lines(&std::fs::read_to_string(place.path("left_out.jsonl")).unwrap());
    assert_eq!(report.len(), wrong.len() + 1);
    for (index, entry) in report.iter().enumerate() {
        assert_eq!(entry["file"], "mixed.jsonl");
        let reason = entry["reason"].as_str().unwrap();
        match wrong.get(index) {
            Some((line, field, expected)) => {
                assert_eq!(entry["line"], index + 2, "{line}");
                assert!(reason.contains(expected), "{line}: {reason}");
                let place = entry["field"].as_str().unwrap_or_default();
                assert!(place.starts_with(field), "{line}: {place}");
            }
            None => assert_eq!((&entry["line"], reason), (&json!(wrong.len() + 3), "not a JSON object")),
        }
    }
    assert_eq!(place.totals(), (3, 1, 1));
    // Without --report the list lies beside the file, and good files have none.
    let said = place.run(["import", "aim", "mixed.jsonl", "--skip-bad"]);
    assert_eq!(said.code, Some(0));
    assert!(said.err.contains("27 bad lines were left out, listed in mixed.jsonl.bad.jsonl"), "{}", said.err);
    place.ok(["import", "aim", "first.jsonl", "--skip-bad"]);
    assert!(!place.path("first.jsonl.bad.jsonl").exists());
}

#[test]
fn the_last_line_of_a_run_counts() {
    let place = place();
    let lines: Vec<_> = (0..3).map(|n| run_line("same", 5, &json!({"n": n}), &json!([]))).collect();
    place.write("one.jsonl", format!("{}{}", lines[0], lines[1]));
    place.write("two.jsonl", &lines[2]);
    let said = place.run(["import", "aim", "one.jsonl", "two.jsonl"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("imported 1 run (2 superseded)"), "{}", said.err);
    assert_eq!(place.aim("run.n >= 0", &["--select", "hash,n"]), [json!({"hash": "same", "n": 2})]);
    assert_eq!(place.totals(), (2, 1, 1));
}

#[test]
fn a_field_or_key_twice() {
    let place = place();
    for (line, reason) in [
        (r#"{"hash": "a", "hash": "b", "created_at": "2024-01-01T00:00:00Z"}"#, "hash"),
        (r#"{"hash": "a", "created_at": "2024-01-01T00:00:00Z", "params": {"x": 1, "x": 2}}"#, "params.x"),
    ] {
        place.write("twice.jsonl", line);
        let said = place.fails(["import", "aim", "twice.jsonl"]);
        assert!(said.contains("twice.jsonl, line 1") && said.contains(reason) && said.contains("twice"), "{said}");
    }
}

#[test]
fn texts_of_ten_megabytes() {
    let place = place();
    let long = "ä\"\\".repeat(10 << 18);
    assert_eq!(long.len(), 10 << 20);
    let series = json!([metric("loss", &json!({"note": long}), &[0.5])]);
    place.write("long.jsonl", run_line("long", 9, &json!({"big": long, "small": 1}), &series));
    place.import("long.jsonl");
    assert_eq!(place.totals(), (2, 2, 2));
    let characters = 3 * (10 << 18);
    let query = format!("run.small == 1 and len(run.big) == {characters} and run.big.startswith('ä\"')");
    let answer = place.aim(&query, &["--select", "hash,big"]);
    assert_eq!(answer.len(), 1);
    assert!(answer[0]["big"] == json!(long), "the text came back otherwise");
    let contexts = place.aim("metric.name == 'loss' and run.hash == 'long'", &["--entity", "metric"]);
    assert!(contexts[0]["context"]["note"] == json!(long), "the context came back otherwise");
    let answer = place.sql("select length(big) as n from runs_wide('big') where big is not null");
    assert_eq!(answer, [json!({"n": characters})]);
    // A table shows the head of it.
    assert!(
        place.ok(["query", "--lang", "aim", "run.small == 1", "--format", "csv", "--select", "hash,big"]).len()
            > 10 << 20
    );
    // Tools that list names and examples do not drown in it.
    let listed = place.ok(["attributes", "--format", "jsonl"]);
    assert!(listed.len() < 10_000, "{} bytes", listed.len());
}

#[test]
fn deep_values() {
    let place = place();
    let nested = |open: &str, close: &str, depth: usize| {
        let value = format!("{}0{}", open.repeat(depth), close.repeat(depth));
        format!(
            r#"{}{{"hash": "deep", "created_at": "2024-01-01T00:00:00Z", "params": {{"a": {value}}}}}{}"#,
            good("new"),
            "\n"
        )
    };
    for (open, close) in [("[", "]"), (r#"{"a": "#, "}")] {
        place.write("deep.jsonl", nested(open, close, 5_000));
        let said = place.fails(["import", "aim", "deep.jsonl"]);
        assert!(said.contains("deep.jsonl, line 2") && said.contains("nested deeper than 200 levels"), "{said}");
        assert!(said.len() < 1_000, "{said}");
    }
    // Brackets that never close, where they may and may not stand.
    place.write("open.jsonl", "[".repeat(5_000));
    assert!(place.fails(["import", "aim", "open.jsonl"]).contains("open.jsonl, line 1"));
    // What is allowed comes back as it was.
    place.write("deep.jsonl", nested("[", "]", 100));
    place.import("deep.jsonl");
    let mut value = json!(0);
    (0..100).for_each(|_| value = json!([value]));
    assert_eq!(place.aim("run.hash == 'deep'", &["--select", "params"]), [json!({"params": {"a": value}})]);
}
