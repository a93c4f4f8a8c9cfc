//! Lakes that have lost a file, cannot be written, come from the future, or are not there.

use crate::program::{Place, metric, run_line};
use serde_json::json;

fn place() -> Place {
    let place = Place::new();
    let runs = |numbers: std::ops::Range<u32>| -> String {
        let run = |n: u32| {
            let series = json!([metric("loss", &json!({}), &[1.0, f64::from(n)])]);
            run_line(&format!("run{n}"), n, &json!({"n": n, "rare": {(n.to_string()): n}}), &series)
        };
        numbers.map(run).collect()
    };
    place.write("one.jsonl", runs(0..20));
    place.write("two.jsonl", runs(20..40));
    place.import("one.jsonl");
    place.import("two.jsonl");
    place
}

#[test]
fn a_lost_file_is_named() {
    for (table, query) in [
        ("runs", "select max(name) from runs"),
        ("attributes", "select max(path) from attributes"),
        ("series", "select max(name) from series"),
        ("points", "select max(value) from points"),
    ] {
        let place = place();
        let lost = place.files(table, ".parquet").remove(1);
        std::fs::remove_file(&lost).unwrap();
        let name = lost.file_name().unwrap().to_str().unwrap();
        let said = place.fails(["query", "--lang", "sql", query]);
        assert!(said.contains(name) && said.contains("missing"), "{table}: {said}");
        let said = place.run(["query", "--lang", "sql", query, "--error-format", "json"]);
        let error: serde_json::Value = serde_json::from_str(said.err.lines().next().unwrap()).unwrap();
        assert_eq!(error["kind"], "io", "{table}");
        // The same from AimQL where it needs the table.
        let aim = match table {
            "runs" => place.fails(["query", "--lang", "aim", "run.n >= 0"]),
            "series" => place.fails(["query", "--lang", "aim", "--entity", "metric", "metric.last > 0"]),
            _ => continue,
        };
        assert!(aim.contains(name), "{table}: {aim}");
    }
}

#[test]
fn a_lost_catalogue_is_named() {
    let place = place();
    let lost = place.files("paths", ".parquet").remove(0);
    std::fs::remove_file(&lost).unwrap();
    let said = place.run(["query", "--lang", "aim", "run.n >= 0"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains(lost.file_name().unwrap().to_str().unwrap()), "{}", said.err);
}

#[test]
fn a_damaged_file_is_named() {
    let place = place();
    let damaged = place.files("runs", ".parquet").remove(0);
    let size = std::fs::metadata(&damaged).unwrap().len() as usize;
    for bytes in [vec![0; size], b"PAR1".to_vec(), vec![]] {
        std::fs::write(&damaged, bytes).unwrap();
        let said = place.fails(["query", "--lang", "sql", "select max(name) from runs"]);
        assert!(said.contains(damaged.file_name().unwrap().to_str().unwrap()), "{said}");
    }
}

#[test]
fn a_newer_lake_is_refused() {
    for (old, new) in [
        (r#""appId":"lakeql/format","version":2"#, r#""appId":"lakeql/format","version":3"#),
        (r#""minReaderVersion":1"#, r#""minReaderVersion":99"#),
    ] {
        let place = place();
        let mut edited = 0;
        for entry in place.files("runs/_delta_log", ".json") {
            let text = std::fs::read_to_string(&entry).unwrap();
            edited += usize::from(text.contains(old));
            std::fs::write(&entry, text.replace(old, new)).unwrap();
        }
        assert!(edited > 0, "{old} is in no entry of the log");
        for arguments in [
            &["query", "--lang", "aim", "run.n >= 0"][..],
            &["tables"],
            &["import", "aim", "one.jsonl"],
            &["compact"],
            &["vacuum"],
        ] {
            let said = place.fails(arguments);
            assert!(said.contains("newer LakeQL") && said.contains("lake"), "{arguments:?}: {said}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_lake_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;

    fn permit(folder: &std::path::Path, mode: u32) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                permit(&path, mode);
            }
        }
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    let place = place();
    permit(&place.lake(), 0o555);
    let writable = std::fs::write(place.lake().join("probe"), "").is_ok();
    if writable {
        println!("skipped: this user can write to folders without permission (root?)");
    } else {
        place.write("three.jsonl", run_line("new", 99, &json!({}), &json!([])));
        for arguments in [&["import", "aim", "three.jsonl"][..], &["compact"]] {
            let said = place.fails(arguments);
            assert!(said.contains("the lake at ./lake cannot be written"), "{arguments:?}: {said}");
        }
        // Reading needs no permission to write, and importing what is there already writes nothing.
        assert_eq!(place.aim("run.n == 7", &[]), [json!({"hash": "run7"})]);
        place.import("one.jsonl");
    }
    permit(&place.lake(), 0o755);
}

#[test]
fn no_lake_at_all() {
    let place = Place::new();
    for arguments in [
        &["query", "--lang", "aim", "run.x"][..],
        &["tables"],
        &["history"],
        &["compact"],
        &["vacuum"],
        &["attributes"],
    ] {
        let said = place.fails(arguments);
        assert!(said.contains("there is no lake at ./lake") && said.contains("import"), "{arguments:?}: {said}");
        assert!(!place.lake().exists(), "{arguments:?} has made a lake");
    }
    // A failed import of the first file leaves nothing that looks like data.
    place.write("bad.jsonl", "nothing");
    assert!(place.run(["import", "aim", "bad.jsonl"]).err.contains("bad.jsonl, line 1"));
    if place.version().is_some() {
        assert_eq!(place.totals(), (0, 0, 0));
    }
    // Something else in the lake's place.
    std::fs::write(place.path("file"), "x").unwrap();
    let said = place.run(["--lake", "file", "tables"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let said = place.run(["--lake", "ftp://host/lake", "tables"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("ftp://host/lake"), "{}", said.err);
}
