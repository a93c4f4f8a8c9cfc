//! Samples beyond the corpus: importing, kinds of properties, chunks by the program.

use crate::program::{Place, json_lines};
use serde_json::{Value, json};

/// A line of a file of samples.
fn line(language: &str, score: f64, tags: &[&str]) -> String {
    format!(
        "{}\n",
        json!({"text": "…", "language": language, "score": score, "tags": tags, "added": "2024-05-31T12:00:00Z"})
    )
}

fn web(place: &Place) {
    std::fs::create_dir_all(place.path("web/deep")).unwrap();
    place.write("web/b.jsonl", line("en", 0.5, &["a"]).repeat(10) + &line("de", 2.0, &[]).repeat(5));
    place.write("web/deep/a.jsonl", line("en", 0.5, &["a"]).repeat(3));
    place.write(
        "schema.json",
        json!({"properties": [
            {"name": "language", "dtype": "enum", "enum": ["en", "de"], "nullable": false},
            {"name": "score", "dtype": "float"},
            {"name": "tags", "dtype": "string", "multiple": true},
            {"name": "added", "dtype": "timestamp"},
        ]})
        .to_string(),
    );
}

fn ask(place: &Place, text: &str, flags: &[&str]) -> Vec<Value> {
    json_lines(&place.ok(["query", text, "--lang", "mixtera"].into_iter().chain(flags.iter().copied())))
}

fn range(file: &str, start: u64, end: u64) -> Value {
    json!({"dataset": "web", "file": file, "start": start, "end": end})
}

#[test]
fn kinds_of_properties() {
    let place = Place::new();
    web(&place);
    place.ok(["import", "samples", "web", "--collection", "c", "--schema", "schema.json"]);
    let (b, a) = (|start, end| range("b.jsonl", start, end), range("deep/a.jsonl", 0, 3));
    for (text, expected) in [
        ("select()", vec![b(0, 15), a.clone()]),
        ("select(('score','<',1))", vec![b(0, 10), a.clone()]),
        ("select(('score','==',2))", vec![b(10, 15)]),
        ("select(('tags','==','a'))", vec![b(0, 10), a.clone()]),
        ("select(('tags','!=','a'))", vec![b(10, 15)]),
        ("select(('added','>=','2024-05-31'))", vec![b(0, 15), a.clone()]),
        ("select(('added','<','2024-05-31'))", vec![]),
        ("select().difference(select(('language','==','en')))", vec![b(10, 15)]),
        ("select([('sample_id','>=',2),('sample_id','<',12),('file_id','==',1)])", vec![b(2, 12)]),
        ("select(('sample_id','==',[1, 4]))", vec![b(1, 2), b(4, 5), range("deep/a.jsonl", 1, 2)]),
    ] {
        assert_eq!(ask(&place, text, &[]), expected, "{text}");
    }
    let counts = ask(&place, "select()", &["--count-by", "language"]);
    assert_eq!(
        counts,
        [
            json!({"language": "de", "samples": 5, "ranges": 1, "share": 5.0 / 18.0}),
            json!({"language": "en", "samples": 13, "ranges": 2, "share": 13.0 / 18.0}),
        ]
    );
    let sorted = ask(&place, "select()", &["--sort", "-start,file", "--limit", "1", "--select", "file,end"]);
    assert_eq!(sorted, [json!({"file": "b.jsonl", "end": 15})]);
    for (text, message) in [
        ("select(('Language','==','en'))", "did you mean `language`?"),
        ("select(('score','==','high'))", "holds numbers, which do not compare with the text \"high\""),
        ("select(('added','<','yesterday'))", "holds times"),
        ("select(('tags','>','a'))", "has no order"),
    ] {
        let said = place.fails(["query", text, "--lang", "mixtera"]);
        assert!(said.contains(message), "{text}: {said}");
    }
}

#[test]
fn numbers_stay_and_nothing_is_imported_twice() {
    let place = Place::new();
    web(&place);
    let import = ["import", "samples", "web", "--collection", "c", "--schema", "schema.json"];
    place.ok(import);
    let said = place.run(import).err;
    assert!(said.contains("nothing new"), "{said}");
    // A file that sorts first comes last, because the others have their numbers.
    place.write("web/a.jsonl", line("de", 1.0, &[]));
    place.ok(import);
    let files: Vec<Value> = ask(&place, "select()", &["--select", "file"]);
    assert_eq!(files, ["b.jsonl", "deep/a.jsonl", "a.jsonl"].map(|file| json!({"file": file})));
    assert_eq!(ask(&place, "select(('file_id','==',3))", &[]), [range("a.jsonl", 0, 1)]);
    // The version before is still there, and another family does not disturb.
    assert_eq!(ask(&place, "select()", &["--as-of", "1"]).len(), 2);
    place.import(crate::support::repository("datasets/tutorial_runs.jsonl").to_str().unwrap());
    assert_eq!(ask(&place, "select()", &[]).len(), 3);
    assert!(!place.aim("True", &[]).is_empty());
    assert!(place.ok(["tables", "--format", "csv"]).contains("sample_files"));
}

#[test]
fn bad_samples_leave_the_lake_as_it_was() {
    let place = Place::new();
    web(&place);
    let import = ["import", "samples", "web", "--collection", "c", "--schema", "schema.json"];
    place.ok(import);
    for (bad, message) in [
        ("{\"language\": \"en\"", "bad.jsonl, line 2: not a JSON object"),
        ("{\"language\": \"fr\"}", "line 2, field `language`: \"fr\" is none of the allowed values: en, de"),
        ("{\"score\": 1}", "line 2, field `language`: the value is missing"),
        ("{\"language\": \"en\", \"score\": \"1\"}", "line 2, field `score`: expected a number, found the text \"1\""),
        ("{\"language\": [\"en\"]}", "field `language`: expected a text, found a list"),
        ("[1]", "not a JSON object"),
        ("", "line 2: the line is empty"),
    ] {
        place.write("web/bad.jsonl", line("en", 1.0, &[]) + bad + "\n");
        let said = place.fails(import);
        assert!(said.contains(message), "{bad}: {said}");
    }
    std::fs::remove_file(place.path("web/bad.jsonl")).unwrap();
    place.write("twice.json", r#"[{"name": "A", "dtype": "string"}, {"name": "a", "dtype": "string"}]"#);
    let said = place.fails(["import", "samples", "web", "--collection", "c", "--schema", "twice.json"]);
    assert!(said.contains("`a` is there twice"), "{said}");
    // The same property as another type in another data set.
    place.write("other.json", r#"[{"name": "score", "dtype": "int"}]"#);
    let flags = ["--collection", "c", "--schema", "other.json", "--dataset", "other"];
    let said = place.fails(["import", "samples", "web"].into_iter().chain(flags));
    assert!(said.contains("does not go with"), "{said}");
    assert_eq!(ask(&place, "select()", &[]).len(), 2);
}

#[test]
fn properties_are_found() {
    let place = Place::new();
    web(&place);
    let shown = place.ok(["import", "samples", "web", "--collection", "c", "--show-schema"]);
    assert!(!place.lake().exists());
    place.write("found.json", &shown);
    let found: Value = serde_json::from_str(&shown).unwrap();
    let kinds: Vec<_> = found["properties"].as_array().unwrap().iter().map(|it| (&it["name"], &it["dtype"])).collect();
    assert_eq!(
        json!(kinds),
        json!([["added", "string"], ["language", "string"], ["score", "float"], ["tags", "string"]])
    );
    place.ok(["import", "samples", "web/*.jsonl", "--collection", "c", "--schema", "found.json", "--dataset", "web"]);
    assert_eq!(ask(&place, "select(('tags','==','a'))", &[]), [range("b.jsonl", 0, 10)]);
}

#[test]
fn chunks_by_the_program() {
    let place = Place::new();
    web(&place);
    place.ok(["import", "samples", "web", "--collection", "c", "--schema", "schema.json"]);
    let mixture = |first: f64| {
        json!({"type": "static", "components": [
            {"key": {"language": "en"}, "weight": first}, {"key": {"language": ["de"]}, "weight": 0.3}]})
        .to_string()
    };
    place.write("mixture.json", mixture(0.7));
    let chunks = |flags: &[&str]| {
        let start = ["chunks", "select()", "--mixture", "mixture.json", "--chunk-size", "4"];
        json_lines(&place.ok(start.into_iter().chain(flags.iter().copied())))
    };
    let all = chunks(&[]);
    assert_eq!(
        all.first().unwrap(),
        &json!({"chunk": 0, "key": "language:de", "dataset": "web", "file": "b.jsonl", "start": 10, "end": 11})
    );
    let numbers = |rows: &[Value]| {
        rows.iter().map(|row| row["chunk"].as_u64().unwrap()).collect::<std::collections::BTreeSet<_>>()
    };
    // 13 English samples, three a chunk.
    assert_eq!(numbers(&all).into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    let part: Vec<Value> = all.iter().filter(|row| (1..3).contains(&row["chunk"].as_u64().unwrap())).cloned().collect();
    assert_eq!(chunks(&["--from", "1", "--count", "2"]), part);
    let mut drawn = vec![];
    for _ in 0..3 {
        drawn.extend(chunks(&["--state", "state.json", "--count", "2"]));
    }
    assert_eq!(drawn, all);
    assert_eq!(chunks(&["--seed", "1"]), chunks(&["--seed", "1", "--threads", "1"]));
    assert_eq!(numbers(&chunks(&["--seed", "1"])), numbers(&all));

    let start = ["chunks", "select()", "--mixture", "mixture.json", "--chunk-size"];
    let said = place.fails(start.into_iter().chain(["5", "--state", "state.json"]));
    assert!(said.contains("saved for another draw"), "{said}");
    let said = place.run(start.into_iter().chain(["1000"]));
    assert!(said.out.is_empty() && said.err.contains("there are 13"), "{said:?}");
    for (text, message) in [
        (mixture(-0.7), "the weight -0.7 is negative"),
        (mixture(0.5), "the weights sum to 0.8"),
        (mixture(0.7).replace("language", "langauge"), "did you mean `language`?"),
        ("{".to_owned(), "not JSON"),
    ] {
        place.write("mixture.json", text);
        let said = place.fails(start.into_iter().chain(["4"]));
        assert!(said.contains(message), "{said}");
    }
}
