//! Parquet files that are in no lake.

use crate::program::{Place, json_lines, wait};
use crate::support::rows;
use datafusion::arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int64Array,
    ListArray, RecordBatch, StringArray, StringDictionaryBuilder, StructArray, TimestampMillisecondArray,
    TimestampNanosecondArray, UInt64Array,
};
use datafusion::arrow::datatypes::{DataType, Field, Int8Type, Int64Type};
use datafusion::parquet::arrow::ArrowWriter;
use lakeql::diagnostic::Kind;
use lakeql::source::Source;
use lakeql::{PlainSource, Session, Settings, Shape, Stage};
use lakeql_datasets::{TaxiAnswer, TaxiSpec, write_taxi};
use lakeql_engine::explain::ScanReport;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A table of ten row groups of ten pages each.
const SPEC: TaxiSpec = TaxiSpec { trips: 20_000, trips_per_group: 2_000, trips_per_page: 200, seed: 11 };

/// The taxi table in `taxi.parquet`, and what is known of it.
fn taxi() -> (Place, Vec<TaxiAnswer>) {
    let place = Place::new();
    let mut file = std::fs::File::create(place.path("taxi.parquet")).unwrap();
    let answers = write_taxi(&SPEC, &mut file).unwrap();
    (place, answers)
}

async fn open(from: &Path) -> Session {
    Session::of_files(vec![PlainSource { name: None, from: from.to_string_lossy().into_owned() }])
        .threads(1)
        .build()
        .await
        .unwrap()
}

fn settings() -> Settings {
    Settings { now: Some(1_704_067_200_000_000), ..Settings::default() }
}

fn sql(answer: &TaxiAnswer) -> String {
    format!("select * from data where {}", answer.sql)
}

async fn read(session: &Session, text: &str, lang: &str) -> (u64, ScanReport) {
    let mut results = session.query(&Source::query(text), lang, &settings(), &Shape::default()).await.unwrap();
    assert!(results.notes.is_empty(), "{:?}", results.notes);
    let mut rows = 0;
    while let Some(batch) = results.next().await.unwrap() {
        rows += batch.num_rows() as u64;
    }
    (rows, ScanReport::collect(results.plan.as_ref(), Duration::ZERO))
}

#[tokio::test]
async fn nql_and_sql_say_the_same_at_the_same_cost() {
    let (place, answers) = taxi();
    let session = open(&place.path("taxi.parquet")).await;
    for answer in &answers {
        let (from_nql, nql_read) = read(&session, &answer.nql, "nql").await;
        let (from_sql, sql_read) = read(&session, &sql(answer), "sql").await;
        assert_eq!((from_nql, from_sql), (answer.rows, answer.rows), "{}", answer.nql);
        let cost = |report: &ScanReport| {
            let total = &report.total;
            (total.row_groups_pruned, total.pages_pruned, total.bytes_scanned, total.filter_rows_pruned)
        };
        assert_eq!(cost(&nql_read), cost(&sql_read), "{}", answer.nql);
        // The same operators, and the same predicates for reading and pruning.
        let plan = async |text: &str, lang: &str| {
            let plan = session.plan(&Source::query(text), lang, &settings(), &Shape::default()).await.unwrap();
            lakeql_engine::explain::physical_text(plan.as_ref())
        };
        let (nql, sql) = (plan(&answer.nql, "nql").await, plan(&sql(answer), "sql").await);
        assert_eq!(nql, sql, "{}", answer.nql);
        assert!(nql.contains("predicate="), "{nql}");
        assert_eq!(nql.contains("pruning_predicate="), !["airport", "from_queens"].contains(&answer.id), "{nql}");
    }
}

/// What `explain --analyze` says of a condition: pruned row groups and pages.
async fn pruned(session: &Session, text: &str) -> (usize, usize) {
    let explain = session
        .explain(&Source::query(text), "nql", &settings(), &Shape::default(), Stage::Physical, true)
        .await
        .unwrap();
    let report = &explain.sections.iter().find(|(title, _)| title == "read").unwrap().1;
    let total = report.split("in total").nth(1).unwrap();
    let pruned = |what: &str| {
        let line = total.lines().find(|line| line.trim_start().starts_with(what)).unwrap_or_default();
        line.split(", ").nth(1).map_or(0, |pruned| pruned.split(' ').next().unwrap().parse().unwrap())
    };
    // A condition that cannot hold reads nothing at all.
    assert!(report.contains("scan of data") || total.contains(" 0 of 0 read"), "{report}");
    (pruned("row groups"), pruned("pages"))
}

#[tokio::test]
async fn statistics_page_index_and_bloom_filters_prune() {
    let (place, answers) = taxi();
    let session = open(&place.path("taxi.parquet")).await;
    let nql = |id: &str| answers.iter().find(|answer| answer.id == id).unwrap().nql.clone();
    // The file is sorted by the time: one row group has the hour, and in it one or two pages.
    let (groups, pages) = pruned(&session, &nql("one_hour")).await;
    assert!(groups >= 8 && pages >= 8, "{groups} row groups, {pages} pages");
    // Ids are random hexadecimal digits: the statistics of every row group hold them, the bloom filters do not.
    let (groups, _) = pruned(&session, &nql("one_id")).await;
    assert!(groups >= 8, "{groups} row groups");
    let (groups, _) = pruned(&session, "trip_id = 7fffffffffffffff").await;
    assert!(groups >= 8, "{groups} row groups");
    // By statistics alone, in all shapes that a condition may have.
    for (text, groups) in [
        ("fare_amount > 1000000", 10),
        ("not fare_amount <= 1000000", 0), // NaN would be a row, and statistics do not know of it
        ("not passenger_count <= 1000000", 0), // as would be a null
        ("passenger_count > 1000000 or fare_amount < -1", 10),
        ("passenger_count > 2.5 and passenger_count < 3", 0),
        ("passenger_count > 6.5", 10),
        ("passenger_count = 1.5", 0),
        ("tolls > 9.75", 10),
        ("rating > 5.1", 10),
        ("payment_type = \"no such\"", 10),
        ("not pickup_at < 2030-01-01", 10), // no null in the column
        ("pickup_at >= 2030-01-01", 10),
        ("odometer >= 1e20", 0),
    ] {
        assert_eq!(pruned(&session, text).await.0, groups, "{text}");
    }
}

/// A table with one column of each sort; the row's number is in `n`.
fn zoo() -> RecordBatch {
    let list = |texts: [Option<Vec<&str>>; 5]| {
        let mut builder = datafusion::arrow::array::ListBuilder::new(datafusion::arrow::array::StringBuilder::new());
        for texts in texts {
            match texts {
                Some(texts) => builder.append_value(texts.into_iter().map(Some)),
                None => builder.append_null(),
            }
        }
        builder.finish()
    };
    let mut words = StringDictionaryBuilder::<Int8Type>::new();
    for word in [Some("a"), Some("B"), None, Some("ą"), Some("")] {
        words.append_option(word);
    }
    let inner = StructArray::from(vec![
        (
            Arc::new(Field::new("deep", DataType::Int64, true)),
            Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("Name", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![Some("x"), None, Some("y"), Some("x"), None])) as ArrayRef,
        ),
    ]);
    let millis = TimestampMillisecondArray::from(vec![Some(0), Some(1), Some(86_400_000), None, Some(-1)]);
    let nanos = TimestampNanosecondArray::from(vec![Some(0), Some(999_999), Some(1_000_000), None, Some(-1)]);
    let money = Decimal128Array::from(vec![Some(10), Some(-10), Some(0), None, Some(12_345)]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("n", Arc::new(Int64Array::from(vec![0, 1, 2, 3, 4]))),
        ("big", Arc::new(UInt64Array::from(vec![Some(u64::MAX), Some(0), Some(1 << 63), None, Some(7)]))),
        ("exact", Arc::new(Int64Array::from(vec![Some((1 << 53) + 1), Some(1 << 53), Some(i64::MIN), None, Some(0)]))),
        (
            "f",
            Arc::new(Float64Array::from(vec![Some(f64::NAN), Some(-f64::NAN), Some(-0.0), None, Some(f64::INFINITY)])),
        ),
        ("half", Arc::new(Float32Array::from(vec![Some(0.1), Some(0.5), Some(f32::NAN), None, Some(0.0)]))),
        ("word", Arc::new(words.finish())),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true), Some(false)]))),
        ("day", Arc::new(Date32Array::from(vec![Some(0), Some(1), Some(-1), None, Some(20_000)]))),
        ("at", Arc::new(millis.with_timezone("Europe/Warsaw"))),
        ("fine", Arc::new(nanos)),
        ("money", Arc::new(money.with_precision_and_scale(10, 2).unwrap())),
        ("tags", Arc::new(list([Some(vec!["a", "b"]), Some(vec!["ab"]), Some(vec![]), None, Some(vec!["a"])]))),
        (
            "counts",
            Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([
                Some(vec![Some(1), Some(2)]),
                Some(vec![]),
                None,
                Some(vec![Some(10)]),
                Some(vec![None]),
            ])),
        ),
        ("inner", Arc::new(inner)),
        ("raw", Arc::new(BinaryArray::from(vec![b"a".as_slice(); 5]))),
        ("none", datafusion::arrow::array::new_null_array(&DataType::Null, 5)),
        ("run/time", Arc::new(Int64Array::from(vec![5, 6, 7, 8, 9]))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap()
}

fn write(path: &Path, batch: &RecordBatch) {
    let mut writer = ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

async fn numbers(session: &Session, text: &str, lang: &str) -> lakeql::Result<Vec<u64>> {
    let shape = Shape { select: vec!["n".into()], ..Shape::default() };
    let found = rows(session, text, lang, &settings(), &shape).await?;
    Ok(found.iter().map(|row| row["n"].as_u64().unwrap()).collect())
}

/// Expected rows are those of the rules: R3, R4, R6, R10, R13, R21, R23 and T4, T7, T9, T12, T13, T18.
#[tokio::test]
async fn values_compare_by_their_stored_type() {
    let place = Place::new();
    write(&place.path("zoo.parquet"), &zoo());
    let session = open(&place.path("zoo.parquet")).await;
    for (lang, text, expected) in [
        ("nql-legacy", "big > 9223372036854775807", &[0, 2][..]),
        ("nql-legacy", "big >= 9223372036854775808", &[0, 2]),
        ("nql-legacy", "big != 7", &[0, 1, 2, 3]),
        ("nql-legacy", "big > -1", &[0, 1, 2, 4]),
        ("nql-legacy", "not big > -1", &[3]),
        ("nql-legacy", "exact = 9007199254740993", &[0]),
        ("nql-legacy", "exact = 9007199254740992", &[1]),
        ("nql-legacy", "exact < -9e18", &[2]),
        ("nql-legacy", "exact = 0.5 or exact = 0", &[4]),
        ("nql-legacy", "f = 0", &[2]),
        ("nql-legacy", "f != 0", &[0, 1, 3, 4]),
        ("nql-legacy", "f < 1", &[2]),
        ("nql-legacy", "f > 1", &[4]),
        ("nql-legacy", "not f > 1", &[0, 1, 2, 3]),
        ("nql-legacy", "f >= inf", &[4]),
        ("nql-legacy", "f = nan", &[0, 1]),
        ("nql-legacy", "f != nan", &[2, 3, 4]),
        ("nql-legacy", "f exists", &[0, 1, 2, 4]),
        ("nql-legacy", "f not exists", &[3]),
        ("nql-legacy", "half = 0.5 or half = 0", &[1, 4]),
        ("nql-legacy", "half > 0.1", &[0, 1]),
        ("nql-legacy", "half <= 0.1", &[4]),
        ("nql-legacy", "word > B", &[0, 3]),
        ("nql-legacy", "word = b", &[]),
        ("nql-legacy", "word != a", &[1, 2, 3, 4]),
        ("nql-legacy", "word = a or word = \"ą\"", &[0, 3]),
        ("nql-legacy", "word != a and word != B", &[2, 3, 4]),
        ("nql-legacy", "word contains \"\"", &[0, 1, 3, 4]),
        ("nql-legacy", "word not contains \"ą\"", &[0, 1, 2, 4]),
        ("nql-legacy", "WORD = a", &[0]),
        ("nql-legacy", "flag = TRUE", &[0, 3]),
        ("nql-legacy", "flag != true", &[1, 2, 4]),
        ("nql-typed", "day = 1970-01-02", &[1]),
        ("nql-typed", "day > \"1970-01-01T00:00:01\"", &[1, 4]),
        ("nql-typed", "day < 1970-01-01", &[2]),
        ("nql-typed", "at = \"1970-01-01T01:00:00.001+01:00\"", &[1]),
        ("nql-typed", "at > 1970-01-01", &[1, 2]),
        ("nql-typed", "fine = 1970-01-01", &[0, 1]),
        ("nql-typed", "fine > 1970-01-01", &[2]),
        ("nql-typed", "fine < 1970-01-01", &[4]),
        ("nql-typed", "fine <= 1970-01-01", &[0, 1, 4]),
        ("nql-typed", "NOT fine <= 1970-01-01", &[2, 3]),
        ("nql-legacy", "money = 0.1", &[0]),
        ("nql-legacy", "money < 0.105 and money > -0.105", &[0, 1, 2]),
        ("nql-legacy", "money = 123.45", &[4]),
        ("nql-typed", "money:float > 0", &[0, 4]),
        ("nql-typed", "money:int > 0", &[]),
        ("nql-typed", "exact:float = 0", &[]),
        ("nql-typed", "exact:float != 0", &[0, 1, 2, 3, 4]),
        ("nql-typed", "word:string MATCHES \"^[aą]$\"", &[0, 3]),
        ("nql-typed", "word NOT MATCHES \"^[aą]$\"", &[1, 2, 4]),
        ("nql-legacy", "tags contains a", &[0, 4]),
        ("nql-legacy", "tags not contains a", &[1, 2, 3]),
        ("nql-legacy", "tags exists", &[0, 1, 4]),
        ("nql-typed", "counts CONTAINS 2", &[0]),
        ("nql-typed", "counts CONTAINS 1", &[0]),
        ("nql-typed", "counts CONTAINS x", &[]),
        ("nql-typed", "inner.deep > 3", &[3, 4]),
        ("nql-typed", "inner.Name = x and inner.deep < 3", &[0]),
        ("nql-legacy", "INNER.name = x", &[0, 3]),
        ("nql-legacy", "not inner.name = x", &[1, 2, 4]),
        ("nql-typed", "none = 1", &[]),
        ("nql-typed", "none != 1", &[0, 1, 2, 3, 4]),
        ("nql-typed", "run/time > 7", &[3, 4]),
        ("nql", "`run/time`:int = 5", &[0]),
        ("nql", "", &[0, 1, 2, 3, 4]),
        ("nql", "nothing = 1", &[]),
        ("nql", "not nothing = 1", &[0, 1, 2, 3, 4]),
        ("nql-typed", "nothing:int NOT EXISTS", &[0, 1, 2, 3, 4]),
    ] {
        let found = match numbers(&session, text, lang).await {
            Ok(found) => found,
            Err(error) => panic!("{text}: {error}"),
        };
        let expected: Vec<u64> = expected.to_vec();
        assert_eq!(found, expected, "{lang} {text}");
    }
    for (lang, text, kind, words) in [
        ("nql-legacy", "raw = a", Kind::Type, "bytes"),
        ("nql-typed", "raw EXISTS", Kind::Type, "`raw`"),
        ("nql-typed", "inner = a", Kind::Type, "struct"),
        ("nql-typed", "exact = many", Kind::Type, "many"),
        ("nql-typed", "flag > true", Kind::Type, ""),
        ("nql-typed", "tags = a", Kind::Type, ""),
        ("nql-typed", "day > tomorrow", Kind::Type, "tomorrow"),
    ] {
        let error = numbers(&session, text, lang).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{text}: {error}");
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
    let lakeql::Error::Query(found) = numbers(&session, "inner = a", "nql-typed").await.unwrap_err() else { panic!() };
    assert!(found[0].hints[0].contains("inner.deep, inner.Name"), "{found:?}");
}

#[tokio::test]
async fn names_that_files_have_not_are_worth_a_word() {
    let place = Place::new();
    write(&place.path("zoo.parquet"), &zoo());
    let session = open(&place.path("zoo.parquet")).await;
    let notes = async |text: &str, lang: &str| {
        session.query(&Source::query(text), lang, &settings(), &Shape::default()).await.unwrap().notes
    };
    for (lang, text, hint) in [
        ("nql", "exakt = 1", Some("did you mean `exact`?")),
        ("nql", "deep = 1 and deep = 2", Some("did you mean `inner.deep`?")),
        ("nql-typed", "WORD:string = a", Some("did you mean `word`?")),
        ("nql", "zzzz = 1", None),
    ] {
        let notes = notes(text, lang).await;
        assert!(!notes.is_empty() && notes.iter().all(|note| note.kind == Kind::NotFound), "{notes:?}");
        assert_eq!(notes[0].hints.first().map(String::as_str), hint, "{text}");
    }
    let typed = notes("exact:float = 1", "nql-typed").await;
    assert!(typed.len() == 1 && typed[0].message.contains("int"), "{typed:?}");
}

#[test]
fn the_program_asks_files() {
    let (place, answers) = taxi();
    let expected = |id: &str| answers.iter().find(|answer| answer.id == id).unwrap().rows;
    let nql = |text: &str, flags: &[&str]| {
        let arguments = ["query", "--lang", "nql", "--from", "taxi.parquet", text];
        json_lines(&place.ok(arguments.iter().chain(flags)))
    };
    let found = nql("fare_amount > 20 and payment_type = card", &["--sort", "-fare_amount", "--limit", "3"]);
    assert_eq!(found.len(), 3);
    let columns: Vec<_> = found[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(columns.len(), 14, "{columns:?}");
    let fares: Vec<f64> = found.iter().map(|row| row["fare_amount"].as_f64().unwrap()).collect();
    assert!(fares.is_sorted_by(|a, b| a >= b), "{fares:?}");
    let next =
        nql("fare_amount > 20 and payment_type = card", &["--sort", "-fare_amount", "--limit", "2", "--offset", "1"]);
    assert_eq!(next[0]["trip_id"], found[1]["trip_id"]);
    let nested = nql(
        "pickup.borough = Queens",
        &["--select", "pickup.zone,pickup.borough", "--sort", "-pickup.zone", "--limit", "2"],
    );
    assert_eq!(nested[0]["pickup.borough"], "Queens");
    assert!(nested[0]["pickup.zone"].as_i64() >= nested[1]["pickup.zone"].as_i64());
    // Every format has every column, nested ones included.
    for format in ["table", "json", "jsonl", "csv", "tsv", "markdown", "arrow", "parquet"] {
        let output = format!("answer.{format}");
        place.ok([
            "query",
            "--lang",
            "nql",
            "--from",
            "taxi.parquet",
            "passenger_count = 6",
            "--format",
            format,
            "--output",
            &output,
        ]);
        assert!(std::fs::metadata(place.path(&output)).unwrap().len() > 0, "{format}");
    }
    // What was written can be asked in turn.
    let again = place.ok(["query", "--lang", "sql", "--from", "answer.parquet", "select count(*) as n from data"]);
    assert_eq!(json_lines(&again), [json!({"n": expected("six_passengers")})]);
    // Several tables, by name.
    let joined = place.ok([
        "query",
        "--lang",
        "sql",
        "--from",
        "taxi.parquet",
        "--from",
        "six=answer.parquet",
        "select count(*) as n from data join six using (trip_id)",
    ]);
    assert_eq!(json_lines(&joined), [json!({"n": expected("six_passengers")})]);
    let text = place.ok(["explain", "--lang", "nql", "--from", "*.parquet", "trip_id = a"]);
    for stage in ["ast", "query", "logical", "sql", "optimized", "physical"] {
        assert!(text.contains(&format!("── {stage} ──")), "{text}");
    }
    let queries = json!({"id": "six", "lang": "nql", "text": "passenger_count = 6"}).to_string();
    place.write("queries.jsonl", queries);
    let times = place.ok([
        "bench",
        "--queries",
        "queries.jsonl",
        "--repeat",
        "2",
        "--from",
        "taxi.parquet",
        "--format",
        "jsonl",
    ]);
    assert_eq!(json_lines(&times)[0]["rows"], expected("six_passengers"));
}

#[test]
fn folders_and_patterns_are_tables() {
    let place = Place::new();
    for (year, month) in [(2023, 12), (2024, 1), (2024, 2)] {
        let folder = place.path(&format!("taxi/year={year}/month={month:02}"));
        std::fs::create_dir_all(&folder).unwrap();
        let mut file = std::fs::File::create(folder.join("part.parquet")).unwrap();
        write_taxi(&TaxiSpec { trips: 100, seed: month, ..SPEC }, &mut file).unwrap();
    }
    std::fs::write(place.path("taxi/_SUCCESS"), "").unwrap();
    let count = |from: &str, text: &str| {
        let arguments = ["query", "--lang", "nql", "--from", from, text, "--select", "year,month"];
        json_lines(&place.ok(arguments)).len()
    };
    assert_eq!(count("taxi", ""), 300);
    assert_eq!(count("taxi", "year = 2024 and month < 2"), 100);
    assert_eq!(count("taxi/year=*/month=0*/*.parquet", ""), 200);
    let url = format!("file://{}/taxi/", place.path("").display());
    assert_eq!(count(url.trim_end_matches('/'), "month != 12"), 200);
    let one = place.ok(["query", "--lang", "nql", "--from", "taxi/year=2024", "", "--limit", "1"]);
    let row = &json_lines(&one)[0];
    assert_eq!((row.get("year"), &row["month"].is_number()), (None, &true), "folders below the one that is named");
    let sql = place.ok([
        "query",
        "--lang",
        "sql",
        "--from",
        "taxi",
        "select year, count(*) as n from data group by 1 order by 1",
    ]);
    assert_eq!(json_lines(&sql), [json!({"year": 2023, "n": 100}), json!({"year": 2024, "n": 200})]);
}

#[test]
fn what_cannot_be_read_is_named() {
    let place = Place::new();
    std::fs::create_dir(place.path("data")).unwrap();
    let batch = zoo();
    write(&place.path("data/a.parquet"), &batch);
    let kind = |arguments: &[&str], code: i32, words: &[&str]| -> Value {
        let said = place.run(arguments.iter().copied().chain(["--error-format", "json"]));
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{said:?}");
        let error: Value = serde_json::from_str(said.err.lines().next().unwrap()).unwrap();
        for word in words {
            assert!(error["message"].as_str().unwrap().contains(word), "{error}");
        }
        error["kind"].clone()
    };
    let ask = |from: &'static str| ["query", "--lang", "sql", "select 1 from data", "--from", from];
    assert_eq!(kind(&ask("none.parquet"), 1, &["none.parquet", "no such file"]), "not-found");
    assert_eq!(kind(&ask("data/*.csv"), 1, &["data/*.csv"]), "not-found");
    assert_eq!(kind(&ask("ftp://x/y"), 1, &["ftp://x/y"]), "semantic");
    assert_eq!(kind(&ask("a{b"), 1, &["a{b"]), "semantic");
    let whole = std::fs::read(place.path("data/a.parquet")).unwrap();
    std::fs::write(place.path("data/b.parquet"), &whole[..whole.len() / 2]).unwrap();
    assert_eq!(kind(&ask("data"), 1, &["data/b.parquet", "cut off"]), "semantic");
    std::fs::write(place.path("data/b.parquet"), "n\n1\n").unwrap();
    assert_eq!(kind(&ask("data"), 1, &["data/b.parquet", "not a Parquet file"]), "semantic");
    let other: ArrayRef = Arc::new(StringArray::from(vec!["one"]));
    write(&place.path("data/b.parquet"), &RecordBatch::try_from_iter([("n", other)]).unwrap());
    assert_eq!(kind(&ask("data"), 1, &["data/b.parquet", "data/a.parquet", "`n`", "Int64"]), "semantic");
    // Only what --from names can be read, and only read.
    let of = |text: &'static str| ["query", "--lang", "sql", text, "--from", "data/a.parquet"];
    assert_eq!(kind(&of("select * from 'data/b.parquet'"), 1, &["data/b.parquet"]), "not-found");
    assert_eq!(kind(&of("select * from \"data/b.parquet\""), 1, &["data/b.parquet"]), "not-found");
    assert_eq!(kind(&of("create external table x stored as parquet location 'data/b.parquet'"), 1, &[]), "forbidden");
    assert_eq!(kind(&of("copy data to 'x.parquet'"), 1, &[]), "forbidden");
    assert_eq!(kind(&of("select * from runs"), 1, &["runs"]), "not-found");
    // Languages of runs, columns that are not there, flags that mean nothing.
    let aim = ["query", "--lang", "aim", "run.n > 1", "--from", "data/a.parquet"];
    assert_eq!(kind(&aim, 1, &["plain files"]), "semantic");
    let select = ["query", "--lang", "nql", "", "--from", "data/a.parquet", "--select", "wordd"];
    assert_eq!(kind(&select, 1, &["wordd"]), "not-found");
    let two = ["query", "--lang", "nql", "", "--from", "data/a.parquet", "--from", "b=data/b.parquet"];
    assert_eq!(kind(&two, 1, &["several"]), "semantic");
    let same = ["query", "--lang", "sql", "select 1", "--from", "data/a.parquet", "--from", "data/b.parquet"];
    assert_eq!(kind(&same, 1, &["`data`"]), "semantic");
    for flags in [["--as-of", "3"], ["--lake", "x"]] {
        assert_eq!(kind(&[&ask("data/a.parquet")[..], &flags].concat(), 2, &[flags[0]]), "semantic");
    }
    assert!(wait(async { open(&place.path("data/a.parquet")).await.plain().len() }) == 1);
}
