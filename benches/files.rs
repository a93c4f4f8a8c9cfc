//! MQL over a generated file catalogue: every kind of question of the table in `README.md`, each checked against the
//! generator's count before it is timed. `LAKEQL_BENCH_FILES=100000` makes another catalogue than one of a million files.
#![allow(clippy::unwrap_used, reason = "a bench may fail loudly")]

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use criterion::{Criterion, criterion_group, criterion_main};
use lakeql::dialects::{self, Settings};
use lakeql::source::Source;
use lakeql::{AsOf, Lake, Session, Shape, Table};
use lakeql_datasets::{CatalogueAnswer, CatalogueSpec, write_catalogue};
use lakeql_lake::ingest::ImportOptions;
use lakeql_lake::ingest::metacat::import_metacat;
use lakeql_output::{EncodeOptions, Format, encoder};
use lakeql_query::model::Overview;
use std::path::PathBuf;
use tokio::runtime::Runtime;

struct Bench {
    runtime: Runtime,
    session: Session,
    answers: Vec<CatalogueAnswer>,
}

/// The catalogue, made and imported if it is not there yet.
fn open() -> Bench {
    let files = std::env::var("LAKEQL_BENCH_FILES").ok().and_then(|files| files.parse().ok());
    let spec = CatalogueSpec { files: files.unwrap_or(1_000_000), ..CatalogueSpec::default() };
    let target: PathBuf = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into()).into();
    let folder = target.join(format!("bench/catalogue-{}", spec.files));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("files.jsonl");
    let summary = if file.exists() {
        write_catalogue(&spec, &mut std::io::sink()).unwrap()
    } else {
        let mut out = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
        write_catalogue(&spec, &mut out).unwrap()
    };
    let runtime = Runtime::new().unwrap();
    let url = folder.join("lake").to_string_lossy().into_owned();
    let session = runtime.block_on(async {
        let lake = Lake::open_or_create(&url).await.unwrap();
        let snapshot = lake.snapshot(AsOf::Latest).await.unwrap();
        if !snapshot.has_catalogue() || snapshot.table(Table::Files).rows() == 0 {
            import_metacat(&lake, &[file], &ImportOptions::default(), &|_| {}).await.unwrap();
        }
        Session::of_snapshot(lake.snapshot(AsOf::Latest).await.unwrap()).unwrap()
    });
    Bench { runtime, session, answers: summary.answers }
}

impl Bench {
    fn ask(&self, text: &str, shape: &Shape) -> Vec<RecordBatch> {
        self.runtime.block_on(async {
            let settings = Settings::default();
            let results = self.session.query(&Source::query(text), "mql", &settings, shape).await.unwrap();
            results.collect().await.unwrap()
        })
    }

    fn count(&self, text: &str) -> u64 {
        self.ask(text, &Shape::default()).iter().map(|batch| batch.num_rows() as u64).sum()
    }
}

fn files(criterion: &mut Criterion) {
    let bench = open();
    let mut group = criterion.benchmark_group("files");
    for answer in &bench.answers {
        let ask = || bench.count(answer.text);
        assert_eq!(ask(), answer.rows, "{}", answer.text);
        group.bench_function(answer.id, |b| b.iter(ask));
    }

    let wide = bench.answers.iter().find(|answer| answer.id == "wide_equality").unwrap();
    let totals = Shape { overview: Some(Overview::Totals), ..Shape::default() };
    let sums = bench.ask(wide.text, &totals);
    let of = |name: &str| sums[0].column_by_name(name).unwrap().as_primitive::<Int64Type>().value(0) as u64;
    assert_eq!((of("count"), of("total_size")), (wide.rows, wide.total_size));
    group.bench_function("wide_count_and_size", |b| b.iter(|| bench.ask(wide.text, &totals)));
    let jsonl = || {
        let batches = bench.ask(wide.text, &Shape::default());
        let options = EncodeOptions::default();
        let mut encoder = encoder(Format::Jsonl, batches[0].schema(), &options, Box::new(std::io::sink())).unwrap();
        batches.iter().for_each(|batch| encoder.write(batch).unwrap());
        encoder.finish().unwrap();
    };
    group.bench_function("wide_equality_jsonl", |b| b.iter(jsonl));

    let mql = dialects::find("mql").unwrap();
    let lower = |source: &Source| mql.lower(source, &Settings::default()).unwrap();
    let names: Vec<String> = (0..1_000).map(|n| format!("hd-protodune:np04hd_raw_run{n:06}.hdf5")).collect();
    let names = Source::query(format!("files {}", names.join(", ")));
    group.bench_function("names_1000/parse", |b| b.iter(|| lower(&names)));
    group.bench_function("names_1000", |b| b.iter(|| bench.count(&names.text)));
    let ors: Vec<String> = (0..10).map(|n| format!("(core.runs = {n} or core.event_count > {n})")).collect();
    let ors = Source::query(format!("files where {}", ors.join(" and ")));
    group.bench_function("ands_of_ors/parse", |b| b.iter(|| lower(&ors)));
    group.bench_function("ands_of_ors", |b| b.iter(|| bench.count(&ors.text)));
    group.finish();
}

criterion_group!(benches, files);
criterion_main!(benches);
