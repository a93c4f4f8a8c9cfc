//! Samples and the files they are in: kinds of files, adding and removing, weights, contracts, and reading samples back.

use crate::program::{Place, json_lines};
use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, StructArray};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

fn ask(place: &Place, text: &str, flags: &[&str]) -> Vec<Value> {
    json_lines(&place.ok(["query", text, "--lang", "mixtera"].into_iter().chain(flags.iter().copied())))
}

fn row(dataset: &str, file: &str, start: u64, end: u64) -> Value {
    json!({"dataset": dataset, "file": file, "start": start, "end": end})
}

/// A line whose text tells which one it is.
fn line(language: &str, number: usize) -> String {
    format!("{}\n", json!({"text": format!("text {number}"), "language": language, "tokens": number % 7}))
}

/// 100 lines, the first 60 English.
fn hundred() -> String {
    (0..100).map(|number| line(if number < 60 { "en" } else { "de" }, number)).collect()
}

const SCHEMA: &str = r#"[{"name": "language", "dtype": "string"}, {"name": "tokens", "dtype": "int"}]"#;

fn parquet(place: &Place, name: &str, columns: Vec<(&str, ArrayRef)>, group: usize) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let file = std::fs::File::create(place.path(name)).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn texts(values: impl IntoIterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// Unpacked by these, whatever packs them: gzip and zstd are at hand here, xz and bzip2 are files from the tools.
fn packed(place: &Place, name: &str, bytes: &[u8]) {
    let mut out = std::fs::File::create(place.path(name)).unwrap();
    let command = match name.rsplit('.').next() {
        Some("gz") => "gzip",
        Some("zst") => "zstd",
        Some("xz") => "xz",
        Some("bz2") => "bzip2",
        other => panic!("{other:?}"),
    };
    let packing = std::process::Command::new(command)
        .arg("-c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn();
    let Ok(mut packing) = packing else {
        // Without the tool there is nothing to test; plain lines are read all the same.
        out.write_all(bytes).unwrap();
        return;
    };
    let bytes = bytes.to_vec();
    let mut stdin = packing.stdin.take().unwrap();
    let feeding = std::thread::spawn(move || stdin.write_all(&bytes).unwrap());
    let done = packing.wait_with_output().unwrap();
    feeding.join().unwrap();
    out.write_all(&done.stdout).unwrap();
}

#[test]
fn every_kind_of_file_gives_the_same_samples_back() {
    let place = Place::new();
    std::fs::create_dir(place.path("web")).unwrap();
    place.write("web/a.jsonl", hundred());
    for name in ["web/b.jsonl.gz", "web/c.jsonl.zst", "web/d.jsonl.xz", "web/e.jsonl.bz2"] {
        packed(&place, name, hundred().as_bytes());
    }
    let languages = (0..100).map(|number| if number < 60 { "en".to_owned() } else { "de".to_owned() });
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("text", texts((0..100).map(|number| format!("text {number}")))),
        ("language", texts(languages)),
        ("tokens", Arc::new(Int64Array::from_iter_values((0..100).map(|number| number % 7)))),
    ];
    parquet(&place, "web/f.parquet", columns, 30);
    place.write("schema.json", SCHEMA);
    place.ok(["import", "samples", "web", "--collection", "c", "--schema", "schema.json"]);
    let german = "select(('language','==','de'))";
    let rows = place.ok(["query", german, "--lang", "mixtera"]);
    assert_eq!(json_lines(&rows).len(), 6);
    place.write("rows.jsonl", &rows);
    let samples = place.ok(["read-chunk", "rows.jsonl"]);
    let expected: Vec<String> = (60..100).map(|number| format!("text {number}")).collect();
    let found = json_lines(&samples);
    assert_eq!(found.len(), 240);
    for samples in found.chunks(40) {
        let texts: Vec<&str> = samples.iter().map(|it| it["text"].as_str().unwrap()).collect();
        assert_eq!(texts, expected);
        assert!(samples.iter().all(|it| it["language"] == "de"));
    }
    // Lines are written as they are.
    assert!(samples.starts_with(&hundred().lines().nth(60).unwrap().to_owned()), "{samples}");
    // Ranges in any order, a part of the members, a place around them, other formats.
    place.write(
        "few.csv",
        "chunk,key,dataset,file,start,end\n7,k,web,c.jsonl.zst,80,81\n7,k,web,c.jsonl.zst,3,5\n8,k,web,f.parquet,29,31\n",
    );
    let some = json_lines(&place.ok(["read-chunk", "few.csv", "--columns", "text", "--place"]));
    let shown = |chunk: u64, file: &str, number: u64| {
        json!({"chunk": chunk, "key": "k", "dataset": "web", "file": file, "sample_id": number,
            "sample": {"text": format!("text {number}")}})
    };
    let zst = |number| shown(7, "c.jsonl.zst", number);
    assert_eq!(some, [zst(80), zst(3), zst(4), shown(8, "f.parquet", 29), shown(8, "f.parquet", 30)]);
    let csv = place.ok(["read-chunk", "few.csv", "--columns", "tokens,text", "--format", "csv"]);
    assert_eq!(
        csv.lines().take(2).collect::<Vec<_>>(),
        ["chunk,key,dataset,file,sample_id,tokens,text", "7,k,web,c.jsonl.zst,80,3,text 80"]
    );
    place.ok(["query", german, "--lang", "mixtera", "--format", "arrow", "--output", "rows.arrow"]);
    assert_eq!(place.ok(["read-chunk", "rows.arrow"]), samples);
    for (rows, message) in [
        ("{\"dataset\": \"web\", \"file\": \"x.jsonl\", \"start\": 0, \"end\": 1}", "has no file `x.jsonl`"),
        ("{\"dataset\": \"wab\", \"file\": \"a.jsonl\", \"start\": 0, \"end\": 1}", "has no data set `wab`"),
        ("{\"dataset\": \"web\", \"file\": \"a.jsonl\", \"start\": 99, \"end\": 101}", "the file has 100"),
        ("{\"dataset\": \"web\"}", "missing field `file`"),
        ("a,b\n1,2\n", "neither jsonl nor Arrow nor csv"),
    ] {
        place.write("bad", rows);
        let said = place.fails(["read-chunk", "bad"]);
        assert!(said.contains(message), "{rows}: {said}");
    }
}

#[test]
fn files_that_have_changed_are_noticed() {
    let place = Place::new();
    std::fs::create_dir(place.path("web")).unwrap();
    let original = hundred();
    place.write("web/a.jsonl", &original);
    let columns = |first: &str| -> Vec<(&'static str, ArrayRef)> {
        vec![
            ("language", texts((0..50).map(|_| "en".to_owned()))),
            ("text", texts((0..50).map(|it| format!("{first}{it}")))),
        ]
    };
    parquet(&place, "web/b.parquet", columns("a"), 10);
    place.write("schema.json", r#"[{"name": "language", "dtype": "string"}]"#);
    place.ok(["import", "samples", "web", "--collection", "c", "--schema", "schema.json"]);
    let read = |file: &str, start: u64| {
        place.write("rows.jsonl", row("web", file, start, start + 1).to_string());
        place.run(["read-chunk", "rows.jsonl"])
    };
    assert_eq!(read("a.jsonl", 50).code, Some(0));
    // One letter, far behind: the lines in front are what they were.
    place.write("web/a.jsonl", original.replace("text 90", "text 9O"));
    assert_eq!(read("a.jsonl", 3).code, Some(0));
    let said = read("a.jsonl", 85);
    assert!(said.code == Some(1) && said.err.contains("a.jsonl: the file has changed"), "{said:?}");
    assert!(said.err.contains("lines 81 to 96 are others"), "{said:?}");
    place.write("web/a.jsonl", original.get(..500).unwrap());
    let said = read("a.jsonl", 3);
    assert!(said.err.contains("shrunk from"), "{said:?}");
    std::fs::remove_file(place.path("web/a.jsonl")).unwrap();
    assert!(read("a.jsonl", 3).err.contains("the file is not there any more"));
    let size = std::fs::metadata(place.path("web/b.parquet")).unwrap().len();
    parquet(&place, "web/b.parquet", columns("b"), 10);
    let now = std::fs::metadata(place.path("web/b.parquet")).unwrap().len();
    let said = read("b.parquet", 3);
    assert!(said.code == Some(1) && said.err.contains("b.parquet: the file has changed"), "{size} {now} {said:?}");
}

#[test]
fn files_properties_and_data_sets_come_and_go() {
    let place = Place::new();
    std::fs::create_dir(place.path("web")).unwrap();
    place.write("web/b.jsonl", hundred());
    place.write("schema.json", SCHEMA);
    let import = ["import", "samples", "web", "--collection", "c", "--schema", "schema.json"];
    place.ok(import);
    // Scores by file and row, in no order, not for all.
    let scored: Vec<usize> = (0..100).rev().filter(|number| number % 3 == 0).collect();
    let scores = || -> Vec<(&'static str, ArrayRef)> {
        vec![
            ("file", texts(scored.iter().map(|_| "b.jsonl".to_owned()))),
            ("row", Arc::new(Int64Array::from_iter_values(scored.iter().map(|it| *it as i64)))),
            ("score", Arc::new(Float64Array::from_iter_values(scored.iter().map(|it| *it as f64 / 100.0)))),
        ]
    };
    parquet(&place, "scores.parquet", scores(), 7);
    let add = ["import", "samples", "scores.parquet", "--collection", "c", "--dataset", "web", "--add-properties"];
    place.ok(add);
    let high = "select([('score','>=',0.9),('language','==','de')])";
    let at = |number: u64| row("web", "b.jsonl", number, number + 1);
    assert_eq!(ask(&place, high, &[]), [at(90), at(93), at(96), at(99)]);
    let missing = ask(&place, "select(('score','==',None))", &["--count-by", "language"]);
    assert_eq!(missing.iter().map(|it| it["samples"].as_u64().unwrap()).collect::<Vec<_>>(), [26, 40]);
    // Nothing of the samples was read again, and importing them again keeps what was added.
    let said = place.run(import).err;
    assert!(said.contains("nothing new"), "{said}");
    assert_eq!(ask(&place, high, &[]).len(), 4);
    // A further file has no scores yet, and comes behind the others although it sorts first.
    place.write("web/a.jsonl", line("de", 1).repeat(5));
    let more: Vec<&str> = import.into_iter().chain(["--add-files"]).collect();
    let said = place.run(&more).err;
    assert!(said.contains("1 with new files") && said.contains("1 file, 5 samples"), "{said}");
    assert!(place.run(&more).err.contains("nothing new"));
    assert_eq!(ask(&place, "select(('file_id','==',2))", &[]), [row("web", "a.jsonl", 0, 5)]);
    assert_eq!(ask(&place, high, &[]).len(), 4);
    assert_eq!(ask(&place, "select([('score','==',None),('file_id','==',2)])", &[]), [row("web", "a.jsonl", 0, 5)]);
    place.write("rows.jsonl", row("web", "a.jsonl", 4, 5).to_string());
    assert_eq!(json_lines(&place.ok(["read-chunk", "rows.jsonl"])), json_lines(&line("de", 1)));
    // Mistakes leave the lake as it was.
    let one = |file: &str, row: i64, name: &str| {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("file", texts([file.to_owned(), file.to_owned()])),
            ("row", Arc::new(Int64Array::from(vec![0, row]))),
            (name, Arc::new(Float64Array::from(vec![0.5, 0.5]))),
        ];
        parquet(&place, "scores.parquet", columns, 9);
        place.fails(add)
    };
    for (said, message) in [
        (one("x.jsonl", 1, "score"), "row 1, field `file`: the data set `web` has no file `x.jsonl`"),
        (one("b.jsonl", 100, "score"), "row 2, field `row`: there is no sample 100 in `b.jsonl`, it has 100"),
        (one("b.jsonl", -1, "score"), "there is no sample -1"),
        (one("b.jsonl", 0, "score"), "sample 0 is there twice"),
        (one("b.jsonl", 1, "language"), "have the property `language` already"),
        (one("b.jsonl", 1, "Language"), "have the property `language` already"),
    ] {
        assert!(said.contains(message), "{message}: {said}");
    }
    // Another data set, and away with the first.
    std::fs::create_dir(place.path("more")).unwrap();
    place.write("more/a.jsonl", line("fr", 1));
    place.ok(["import", "samples", "more", "--collection", "c", "--schema", "schema.json"]);
    let remove = |name: &'static str| ["import", "samples", "--collection", "c", "--dataset", name, "--remove"];
    assert!(place.fails(remove("weeb")).contains("did you mean `web`?"));
    place.ok(remove("web"));
    assert_eq!(ask(&place, "select()", &[]), [row("more", "a.jsonl", 0, 1)]);
    // The version before still has it.
    let version = json_lines(&place.ok(["history", "--format", "jsonl"]))[1]["version"].as_u64().unwrap().to_string();
    assert_eq!(ask(&place, "select()", &["--as-of", &version]).len(), 3);
}

/// A tar as `tar` writes them: members of 512 bytes of header and padded content.
fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = vec![];
    for (name, content) in members {
        let mut header = [0_u8; 512];
        let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, name.as_bytes());
        put(100, b"0000644\0");
        put(124, format!("{:011o}\0", content.len()).as_bytes());
        put(136, b"00000000000\0");
        put(156, b"0");
        put(257, b"ustar\x0000");
        put(148, b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

#[test]
fn tars_are_samples_by_the_names_of_their_members() {
    let place = Place::new();
    std::fs::create_dir(place.path("shards")).unwrap();
    let names: Vec<[String; 3]> =
        (0..40).map(|number| ["json", "jpg", "cls"].map(|ending| format!("train/{number:04}.{ending}"))).collect();
    let contents: Vec<[Vec<u8>; 3]> = (0..40)
        .map(|number| {
            let caption =
                json!({"caption": format!("picture {number}"), "license": if number < 10 { "CC0" } else { "MIT" }});
            [caption.to_string().into_bytes(), vec![0xff, number as u8], (number % 4).to_string().into_bytes()]
        })
        .collect();
    let members: Vec<(&str, &[u8])> = names
        .iter()
        .zip(&contents)
        .flat_map(|(names, contents)| names.iter().map(String::as_str).zip(contents.iter().map(Vec::as_slice)))
        .collect();
    place.write("shards/a.tar", tar(&members));
    packed(&place, "shards/b.tar.gz", &tar(&members));
    place.write(
        "schema.json",
        r#"[{"name": "license", "dtype": "string", "path": "json.license"}, {"name": "class", "dtype": "int", "path": "cls"}]"#,
    );
    place.ok(["import", "samples", "shards", "--collection", "c", "--schema", "schema.json"]);
    let free = "select(('license','==','CC0'))";
    assert_eq!(ask(&place, free, &[]), [row("shards", "a.tar", 0, 10), row("shards", "b.tar.gz", 0, 10)]);
    assert_eq!(ask(&place, "select([('class','==',3),('license','==','CC0')])", &[]).len(), 4);
    for file in ["a.tar", "b.tar.gz"] {
        place.write("rows.jsonl", format!("{}\n{}", row("shards", file, 39, 40), row("shards", file, 15, 17)));
        let samples = json_lines(&place.ok(["read-chunk", "rows.jsonl"]));
        let numbers: Vec<&str> = samples.iter().map(|it| it["json"]["caption"].as_str().unwrap()).collect();
        assert_eq!(numbers, ["picture 39", "picture 15", "picture 16"], "{file}");
        // 0xff 39 in base 64.
        assert_eq!(samples[0]["jpg"]["base64"], "/yc=");
        assert_eq!((&samples[0]["cls"], &samples[0]["__key__"]), (&json!(3), &json!("train/0039")));
    }
    let shown = place.ok(["import", "samples", "shards", "--collection", "d", "--show-schema"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let names: BTreeSet<&str> =
        shown["properties"].as_array().unwrap().iter().map(|it| it["path"].as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["cls", "json.caption", "json.license"]));
    // Cut off in the middle of a member.
    place.write("shards/a.tar", &tar(&members)[..5_000]);
    let said = place.fails(["import", "samples", "shards", "--collection", "c", "--schema", "schema.json"]);
    assert!(said.contains("a.tar"), "{said}");
}

#[test]
fn known_corpora_need_no_schema() {
    let place = Place::new();
    place.write(
        "red.jsonl",
        [
            json!({"text": "a", "meta": {"language": "en", "timestamp": "2020-01-01T00:00:00", "source": "c4"}}),
            json!({"text": "b", "meta": {"language": [{"name": "Rust", "bytes": "9"}, {"name": "C", "bytes": "1"}]}}),
            json!({"text": "c", "meta": {}}),
        ]
        .map(|it| it.to_string())
        .join("\n"),
    );
    place.write("slim.jsonl", json!({"text": "a", "meta": {"redpajama_set_name": "RedPajamaC4"}}).to_string());
    place.write("pile.jsonl", json!({"text": "a", "meta": {"pile_set_name": "Pile-CC"}}).to_string());
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("text", texts(["a".to_owned()])),
        ("dump", texts(["CC-MAIN-2024-10".to_owned()])),
        ("url", texts(["https://example.org".to_owned()])),
        ("date", texts(["2024-02-20T18:15:42Z".to_owned()])),
        ("language", texts(["en".to_owned()])),
        ("language_score", Arc::new(Float64Array::from(vec![0.9]))),
        ("token_count", Arc::new(Int64Array::from(vec![150]))),
    ];
    parquet(&place, "fine.parquet", columns, 9);
    let meta = StructArray::from(vec![(
        Arc::new(Field::new("redpajama_set_name", DataType::Utf8, true)),
        texts(["RedPajamaArXiv".to_owned()]),
    )]);
    parquet(&place, "slim.parquet", vec![("text", texts(["a".to_owned()])), ("meta", Arc::new(meta))], 9);
    for (file, layout, query) in [
        ("red.jsonl", "redpajama", "select(('language','==','C'))"),
        ("slim.jsonl", "slimpajama", "select(('redpajama_set_name','==','RedPajamaC4'))"),
        ("slim.parquet", "slimpajama", "select(('redpajama_set_name','==','RedPajamaArXiv'))"),
        ("pile.jsonl", "pile", "select(('pile_set_name','==','Pile-CC'))"),
        (
            "fine.parquet",
            "fineweb",
            "select([('token_count','>',100),('date','<','2024-03-01'),('language_score','>',0.5)])",
        ),
    ] {
        let flags = ["--collection", file, "--dataset", "it", "--layout", layout];
        place.ok(["import", "samples", file].into_iter().chain(flags));
        let start = u64::from(file == "red.jsonl");
        assert_eq!(ask(&place, query, &["--collection", file]), [row("it", file, start, start + 1)], "{file}");
    }
    assert_eq!(
        ask(&place, "select(('language','==',None))", &["--collection", "red.jsonl"]),
        [row("it", "red.jsonl", 2, 3)]
    );
    place.write("pile.jsonl", json!({"text": "a", "meta": {"pile_set_name": "Heap"}}).to_string());
    let said = place.fails(["import", "samples", "pile.jsonl", "--collection", "p", "--layout", "pile"]);
    assert!(said.contains("\"Heap\" is none of the allowed values"), "{said}");
}

fn mixture(place: &Place) {
    let text = json!({"type": "static", "components": [
        {"key": {"language": "en"}, "weight": 0.5}, {"key": {"language": "de"}, "weight": 0.5}]});
    place.write("mixture.json", text.to_string());
}

/// 100 samples of which the numbers of tokens are 0 to 6.
fn weighed() -> Place {
    let place = Place::new();
    std::fs::create_dir(place.path("web")).unwrap();
    place.write("web/a.jsonl", hundred());
    place.write("schema.json", SCHEMA);
    place.ok(["import", "samples", "web", "--collection", "c", "--schema", "schema.json"]);
    mixture(&place);
    place
}

#[test]
fn chunks_can_be_of_tokens() {
    let place = weighed();
    let draw = |flags: &[&str]| {
        let start = ["chunks", "select()", "--mixture", "mixture.json", "--weight", "tokens"];
        json_lines(&place.ok(start.into_iter().chain(flags.iter().copied())))
    };
    let rows = draw(&["--chunk-size", "40"]);
    // By hand: a sample belongs to the chunk in which its first token lies; 20 tokens of each language a chunk.
    let mut expected: Vec<(u64, u64)> = vec![];
    for (from, to) in [(60, 100_u64), (0, 60)] {
        let (mut before, mut own) = (0, vec![]);
        for number in from..to {
            own.push((before / 20, number));
            before += number % 7;
        }
        // The scarcer language says when it ends: 121 tokens of German make six chunks.
        expected.extend(own.into_iter().filter(|(chunk, _)| *chunk < 6));
    }
    expected.sort_unstable();
    let mut found: Vec<(u64, u64)> = rows
        .iter()
        .flat_map(|row| {
            let chunk = row["chunk"].as_u64().unwrap();
            (row["start"].as_u64().unwrap()..row["end"].as_u64().unwrap()).map(move |number| (chunk, number))
        })
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    // Any chunk by itself, on from a state, best effort and all orders go by the same rule.
    let middle: Vec<Value> = rows.iter().filter(|row| row["chunk"] == 2).cloned().collect();
    assert_eq!(draw(&["--chunk-size", "40", "--from", "2", "--count", "1"]), middle);
    let mut drawn = draw(&["--chunk-size", "40", "--state", "s.json", "--count", "2"]);
    drawn.extend(draw(&["--chunk-size", "40", "--state", "s.json"]));
    assert_eq!(drawn, rows);
    assert_eq!(draw(&["--chunk-size", "40", "--order", "files"]), rows);
    for (property, message) in [("language", "is no number"), ("tokns", "did you mean `tokens`?")] {
        let flags = ["--mixture", "mixture.json", "--chunk-size", "4", "--weight", property];
        let said = place.fails(["chunks", "select()"].into_iter().chain(flags));
        assert!(said.contains(message), "{said}");
    }
    for (tokens, message) in [("null", "`tokens` is missing"), ("-3", "`tokens` is -3")] {
        place.write("web/a.jsonl", format!("{{\"language\": \"en\", \"tokens\": {tokens}}}\n"));
        place.ok(["import", "samples", "web", "--collection", "c", "--schema", "schema.json"]);
        let flags = ["--mixture", "mixture.json", "--chunk-size", "4", "--weight", "tokens"];
        let said = place.fails(["chunks", "select()"].into_iter().chain(flags));
        assert!(said.contains("sample 0 of web/a.jsonl cannot be weighed") && said.contains(message), "{said}");
    }
}

#[test]
fn a_draw_can_be_repeated_and_audited() {
    let place = weighed();
    let draw = ["chunks", "select()", "--mixture", "mixture.json", "--chunk-size", "10", "--seed", "3"];
    place.ok(draw.into_iter().chain(["--contract", "draw.json"]));
    let contract =
        || -> Value { serde_json::from_str(&std::fs::read_to_string(place.path("draw.json")).unwrap()).unwrap() };
    let delivered = contract()["delivered"].clone();
    assert_eq!(
        (&delivered["chunks"], &delivered["delivered"], &delivered["leftover"], &delivered["ended"]),
        (&json!(8), &json!(80), &json!(20), &json!(true))
    );
    let key = |key: &str| json!({"key": key, "asked": 40, "delivered": 40, "delivered_weight": 40});
    assert_eq!(delivered["keys"], json!([key("language:de"), key("language:en")]));
    let verified = place.ok(["chunks", "--verify", "draw.json"]);
    assert!(verified.starts_with("verified: 8 chunks of 80 samples from version 1"), "{verified}");
    // Later versions of the lake do not matter.
    place.write("web/a.jsonl", line("fr", 1));
    place.ok(["import", "samples", "web", "--collection", "c", "--schema", "schema.json"]);
    place.ok(["chunks", "--verify", "draw.json"]);
    // What does not depend on how the query is written.
    place.ok([
        "chunks",
        "select([])",
        "--mixture",
        "mixture.json",
        "--chunk-size",
        "10",
        "--seed",
        "3",
        "--contract",
        "two.json",
        "--as-of",
        "1",
    ]);
    let two: Value = serde_json::from_str(&std::fs::read_to_string(place.path("two.json")).unwrap()).unwrap();
    assert_eq!(two["delivered"], delivered);
    // Whoever changes it is found out.
    for (from, to, message) in [
        ("\"chunk_size\": 10", "\"chunk_size\": 20", "the hash of the rows"),
        ("\"leftover\": 20", "\"leftover\": 19", "leftover samples: 20, the contract says 19"),
        ("\"asked\": 40", "\"asked\": 41", "the key `language:de`: 40 asked"),
        ("\"lake_version\": 1", "\"lake_version\": 9", "has no version 9"),
        ("\"format\": 1", "\"format\": 2", "form 2"),
        ("\"chunk_size\"", "\"chunk_sise\"", "unknown field `chunk_sise`"),
    ] {
        let text = std::fs::read_to_string(place.path("draw.json")).unwrap();
        assert!(text.contains(from), "{text}");
        place.write("changed.json", text.replacen(from, to, 1));
        let said = place.fails(["chunks", "--verify", "changed.json"]);
        assert!(said.contains(message), "{said}");
    }
}

#[test]
fn workers_share_the_chunks() {
    let place = weighed();
    let draw = |flags: &[&str]| {
        let start = ["chunks", "select()", "--mixture", "mixture.json", "--chunk-size", "4"];
        json_lines(&place.ok(start.into_iter().chain(flags.iter().copied())))
    };
    let all = draw(&[]);
    let mut together = vec![];
    for group in ["0", "1"] {
        for worker in ["0", "1", "2"] {
            let part = |node| {
                draw(&[
                    "--groups",
                    "2",
                    "--workers",
                    "3",
                    "--nodes",
                    "2",
                    "--group",
                    group,
                    "--worker",
                    worker,
                    "--node",
                    node,
                ])
            };
            assert_eq!(part("0"), part("1"));
            together.extend(part("0"));
        }
    }
    // Every chunk once.
    assert_eq!(together.len(), all.len());
    together.sort_by_key(|row| (row["chunk"].as_u64(), row["key"].as_str().unwrap().to_owned()));
    assert_eq!(together, all);
    let second = draw(&["--groups", "2", "--group", "1", "--count", "2"]);
    let numbers: BTreeSet<u64> = second.iter().map(|row| row["chunk"].as_u64().unwrap()).collect();
    assert_eq!(numbers, BTreeSet::from([1, 3]));
    for (flags, message) in [
        (["--groups", "2", "--group", "2"], "there is no group 2: they are 0 to 1"),
        (["--workers", "2", "--groups", "1"], "say which one is served with --worker I"),
    ] {
        let start = ["chunks", "select()", "--mixture", "mixture.json", "--chunk-size", "4"];
        let said = place.run(start.into_iter().chain(flags));
        assert!(said.code == Some(2) && said.err.contains(message), "{said:?}");
    }
}

/// Values that hardly ever repeat are kept apart, which changes no answer.
#[test]
fn scores_do_not_cut_runs() {
    let place = Place::new();
    std::fs::create_dir(place.path("web")).unwrap();
    let line = |number: u64| {
        let score = (number.wrapping_mul(2_654_435_761) % 10_007) as f64 / 10_007.0;
        json!({"language": if (number / 500).is_multiple_of(2) { "en" } else { "de" }, "score": score}).to_string()
            + "\n"
    };
    place.write("web/a.jsonl", (0..4_000).map(line).collect::<String>());
    place.write("schema.json", r#"[{"name": "language", "dtype": "string"}, {"name": "score", "dtype": "float"}]"#);
    place.ok(["import", "samples", "web", "--collection", "c", "--schema", "schema.json"]);
    let segments = json_lines(&place.ok(["tables", "--format", "jsonl"]));
    let samples = segments.iter().find(|it| it["table"] == "samples" || it["name"] == "samples").unwrap();
    assert_eq!(samples["files"], 2, "{samples}");
    assert_eq!(ask(&place, "select(('language','==','en'))", &[]).len(), 4);
    let count = |text: &str| -> u64 {
        ask(&place, text, &["--count-by", "language"]).iter().map(|it| it["samples"].as_u64().unwrap()).sum()
    };
    let score = |number: u64| (number.wrapping_mul(2_654_435_761) % 10_007) as f64 / 10_007.0;
    let high = (0..4_000).filter(|number| score(*number) > 0.5).count() as u64;
    let both = (0..4_000).filter(|number| score(*number) > 0.5 && (number / 500).is_multiple_of(2)).count() as u64;
    assert_eq!(count("select(('score','>',0.5))"), high);
    assert_eq!(count("select([('score','>',0.5),('language','==','en')])"), both);
    assert_eq!(count("select(('score','>',0.5)).select(('language','==','de'))"), 2_000 + both);
}
