//! The command line, as sessions in `tests/cli/*.trycmd` and as what sessions cannot show.

use crate::program::{Place, Said};
use crate::support::repository;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

/// A lake with the three runs of the AimQL tutorial.
fn tutorial() -> Place {
    let place = Place::new();
    place.ok(["import", "aim", repository("datasets/tutorial_runs.jsonl").to_str().unwrap()]);
    place
}

/// Sessions in a folder, asked of the lake of a place.
fn run_sessions(pattern: &str, place: &Place) {
    trycmd::TestCases::new()
        .case(pattern)
        .register_bin("lakeql", std::path::Path::new(crate::program::PROGRAM))
        .env("LAKEQL_LAKE", place.lake().to_str().unwrap())
        .env("NO_COLOR", "")
        .insert_var("[LAKE]", place.lake().to_str().unwrap().to_owned())
        .unwrap()
        .run();
}

#[test]
fn sessions() {
    run_sessions("tests/cli/*.trycmd", &tutorial());
}

#[test]
fn sessions_with_a_catalogue() {
    let place = Place::new();
    place.ok(["import", "metacat", repository("tests/gold/mql/dataset").to_str().unwrap()]);
    run_sessions("tests/cli/catalogue/*.trycmd", &place);
}

#[test]
fn sessions_with_trees() {
    let place = Place::new();
    let datasets = |name: &str| repository("datasets").join(name).display().to_string();
    place.ok(["import", "events", "--tree", &datasets("views_tree.json"), &datasets("views.jsonl")]);
    run_sessions("tests/cli/trees/*.trycmd", &place);
}

#[test]
fn sessions_with_samples() {
    run_sessions("tests/cli/samples/*.trycmd", &Place::new());
}

#[test]
fn binary_formats_hold_the_same_rows() {
    use datafusion::arrow::array::{AsArray, RecordBatch};
    use datafusion::arrow::ipc::reader::StreamReader;
    use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    fn check(batches: &[RecordBatch], expected: &[&str]) {
        let schema = batches.first().map(RecordBatch::schema);
        if let Some(schema) = schema {
            assert_eq!(
                schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(),
                ["hash", "batch_size"]
            );
        }
        let hashes = batches.iter().flat_map(|batch| {
            let column =
                datafusion::arrow::compute::cast(batch.column(0), &datafusion::arrow::datatypes::DataType::Utf8)
                    .unwrap();
            column.as_string::<i32>().iter().map(|hash| hash.unwrap().to_owned()).collect::<Vec<_>>()
        });
        assert_eq!(hashes.collect::<Vec<_>>(), expected);
    }

    let place = tutorial();
    for (query, expected) in [("run.batch_size > 16", &["a32c911", "a32c910"][..]), ("run.batch_size > 9999", &[])] {
        for name in ["answer.arrow", "answer.parquet"] {
            place.ok(["query", "--lang", "aim", query, "--select", "hash,batch_size", "--output", name]);
            let bytes = std::fs::read(place.path(name)).unwrap();
            if name.ends_with("arrow") {
                let reader = StreamReader::try_new(bytes.as_slice(), None).unwrap();
                assert_eq!(reader.schema().fields().len(), 2);
                check(&reader.map(Result::unwrap).collect::<Vec<_>>(), expected);
            } else {
                let file = std::fs::File::open(place.path(name)).unwrap();
                let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
                assert_eq!(builder.schema().fields().len(), 2);
                check(&builder.build().unwrap().map(Result::unwrap).collect::<Vec<_>>(), expected);
            }
        }
    }
}

#[test]
fn the_name_of_the_file_tells_the_format() {
    let place = tutorial();
    let ask = |flags: &[&str]| place.ok([&["query", "--lang", "aim", "run.batch_size == 64"], flags].concat());
    for (name, expected) in [
        ("a.csv", "hash\r\na32c911\r\n"),
        ("a.tsv", "hash\na32c911\n"),
        ("a.jsonl", "{\"hash\":\"a32c911\"}\n"),
        ("a.md", "| hash |\n| --- |\n| a32c911 |\n"),
    ] {
        assert_eq!(ask(&["--output", name]), "");
        let found = std::fs::read_to_string(place.path(name)).unwrap();
        // Line ends and the width of a Markdown rule are free.
        let plain = |text: &str| text.replace('\r', "").replace([' ', '-', ':'], "");
        assert_eq!(plain(&found), plain(expected), "{name}");
    }
    assert_eq!(ask(&["--output", "a.csv", "--format", "jsonl"]), "");
    assert_eq!(std::fs::read_to_string(place.path("a.csv")).unwrap(), "{\"hash\":\"a32c911\"}\n");
    // A failing query leaves the file that was there.
    place.fails(["query", "--lang", "aim", "run.", "--output", "a.csv"]);
    assert_eq!(std::fs::read_to_string(place.path("a.csv")).unwrap(), "{\"hash\":\"a32c911\"}\n");
    let said = place.fails(["query", "--lang", "aim", "run.x", "--output", "no/folder/a.csv"]);
    assert!(said.contains("no/folder/a.csv"), "{said}");
}

#[test]
fn errors_for_programs() {
    let place = tutorial();
    let kind = |arguments: &[&str]| -> Value {
        let said = place.run(arguments.iter().copied().chain(["--error-format", "json"]));
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:?}");
        let lines: Vec<Value> = said.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let first = lines[0].clone();
        for key in ["kind", "message", "labels", "hints"] {
            assert!(first.get(key).is_some(), "{first}");
        }
        first
    };
    let text = "run.batch_size == 32 && run.archived";
    let error = kind(&["query", "--lang", "aim", text]);
    assert_eq!(error["kind"], "syntax");
    let start = usize::try_from(error["labels"][0]["start"].as_u64().unwrap()).unwrap();
    assert!((21..=23).contains(&start), "{error}");
    let error = kind(&["query", "--lang", "aim", "run._a == 1"]);
    assert_eq!(
        (&error["kind"], &error["labels"]),
        (&json!("forbidden"), &json!([{"start": 4, "end": 6, "text": "not allowed"}]))
    );
    for (expected, arguments) in [
        ("not-found", &["query", "--lang", "aim", "", "--select", "nothing"][..]),
        ("not-found", &["query", "--lang", "sql", "select nothing from runs"]),
        ("not-found", &["query", "--lang", "sql", "select * from nothing"]),
        ("syntax", &["query", "--lang", "sql", "select from where"]),
        ("forbidden", &["query", "--lang", "sql", "delete from runs"]),
        ("not-found", &["describe", "nothing"]),
        ("regex", &["attributes", "a("]),
        ("regex", &["query", "--lang", "sql", "select hash from runs where name ~ 'a('"]),
        ("not-found", &["--lake", "nowhere", "tables"]),
        ("not-found", &["--as-of", "99", "tables"]),
        ("io", &["query", "--lang", "aim", "-f", "nowhere.txt"]),
        ("io", &["import", "aim", "nowhere.jsonl"]),
    ] {
        assert_eq!(kind(arguments)["kind"], expected, "{arguments:?}");
    }
}

#[test]
fn colours_only_where_they_are_wanted() {
    let place = tutorial();
    let escapes = |said: &Said| said.out.contains('\u{1b}') || said.err.contains('\u{1b}');
    let wrong = ["query", "--lang", "aim", "run.", "--format", "table"];
    let right = ["query", "--lang", "aim", "run.batch_size == 32", "--format", "table"];
    for arguments in [wrong, right] {
        // Into a pipe there are none, unless they are asked for.
        assert!(!escapes(&place.run(arguments)));
        assert!(escapes(&place.run(arguments.into_iter().chain(["--color", "always"]))));
        assert!(!escapes(&place.run(arguments.into_iter().chain(["--color", "never"]))));
        let forced = place.command(arguments).env("CLICOLOR_FORCE", "1").output().unwrap();
        assert!(escapes(&forced.into()));
        let asked_not_to = place.command(arguments).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").output().unwrap();
        assert!(!escapes(&asked_not_to.into()));
    }
}

#[test]
fn queries_come_from_stdin_and_files() {
    let place = tutorial();
    place.write("query.txt", "run.batch_size == 16\n");
    let expected = "{\"hash\":\"a32c912\"}\n";
    assert_eq!(place.ok(["query", "--lang", "aim", "-f", "query.txt"]), expected);
    let mut command = place.command(["query", "--lang", "aim", "-"]);
    let mut asking = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    asking.stdin.take().unwrap().write_all(b"run.batch_size == 16").unwrap();
    let output = asking.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    // A mistake in a file is shown with the file's name.
    place.write("wrong.txt", "run.batch_size ==");
    assert!(place.fails(["query", "--lang", "aim", "-f", "wrong.txt"]).contains("wrong.txt:1:"));
}

#[test]
fn a_closed_pipe_is_fine() {
    let place = tutorial();
    let sql = "select p.hash, p.step, q.value, r.name from points p cross join points q cross join runs r";
    let mut command = place.command(["query", "--lang", "sql", sql, "--format", "csv"]);
    let mut asking = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(asking.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim_end(), "hash,step,value,name");
    let output = asking.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn limits_of_time_and_memory() {
    let place = tutorial();
    let endless = "select count(*) from points a, points b, points c, points d, points e where a.value + b.value + c.value \
                   + d.value + e.value = 0.5";
    let said = place.run(["query", "--lang", "sql", endless, "--timeout", "500ms", "--error-format", "json"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(serde_json::from_str::<Value>(said.err.trim()).unwrap()["kind"], "limit");
    let greedy =
        "select a.hash, b.step, c.value, array_agg(a.value) from points a, points b, points c group by 1, 2, 3";
    let said = place.run(["query", "--lang", "sql", greedy, "--memory", "1MB", "--error-format", "json"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(serde_json::from_str::<Value>(said.err.trim()).unwrap()["kind"], "limit");
}

#[cfg(unix)]
#[test]
fn control_c_cancels() {
    let place = tutorial();
    let endless = "select count(*) from points a, points b, points c, points d, points e where a.value + b.value + c.value \
                   + d.value + e.value = 0.5";
    let mut asking = place.command(["query", "--lang", "sql", endless]).stderr(Stdio::piped()).spawn().unwrap();
    // However late the signal comes, the query is still at it.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let status = std::process::Command::new("kill").args(["-INT", &asking.id().to_string()]).status().unwrap();
    assert!(status.success());
    assert_eq!(asking.wait().unwrap().code(), Some(130));
}

#[test]
fn completions_and_manual() {
    let place = Place::new();
    for (shell, head) in [("bash", "_lakeql() {"), ("zsh", "#compdef lakeql"), ("fish", "# Print an optspec")] {
        let script = place.ok(["completions", shell]);
        assert!(script.starts_with(head), "{shell}: {}", script.lines().next().unwrap_or_default());
        for verb in ["import", "query", "explain", "attributes", "vacuum"] {
            assert!(script.contains(verb), "{shell} does not know {verb}");
        }
    }
    assert!(place.ok(["man"]).contains(".TH lakeql 1"));
    assert!(place.ok(["man", "query"]).contains("\\-\\-select"));
}

#[test]
fn bench_times_queries() {
    let place = tutorial();
    let queries = [
        json!({"id": "two", "lang": "aim", "text": "run.batch_size > 16", "options": {"limit": 1}}),
        json!({"id": "points", "lang": "sql", "text": "select * from points"}),
    ];
    place.write("queries.jsonl", queries.map(|query| query.to_string()).join("\n"));
    let out = place.ok(["bench", "--queries", "queries.jsonl", "--repeat", "2", "--format", "jsonl"]);
    let rows = crate::program::json_lines(&out);
    assert_eq!((&rows[0]["id"], &rows[0]["rows"]), (&json!("two"), &json!(1)));
    assert_eq!((&rows[1]["id"], &rows[1]["rows"]), (&json!("points"), &json!(170)));
    for key in ["plan_ms", "min_ms", "median_ms", "max_ms"] {
        assert!(rows.iter().all(|row| row[key].as_f64().unwrap() > 0.0), "{key}: {rows:?}");
    }
    assert!(rows[1]["bytes_read"].as_u64().unwrap() > 0);
}
