//! Plain Parquet: the same predicate in NQL and in SQL over one generated table. They have to cost the same.

mod common;

use criterion::{Criterion, criterion_group, criterion_main};
use lakeql::{PlainSource, Session, Settings, Shape};
use lakeql_datasets::{TaxiAnswer, TaxiSpec, write_taxi};
use lakeql_query::source::Source;
use tokio::runtime::Runtime;

/// The table below `target/bench`: a million trips unless `LAKEQL_BENCH_TRIPS` says otherwise; written if it is not there.
#[allow(clippy::unwrap_used, reason = "a bench may fail loudly")]
fn table() -> (String, Vec<TaxiAnswer>) {
    let trips = std::env::var("LAKEQL_BENCH_TRIPS").ok().and_then(|trips| trips.parse().ok());
    let spec = TaxiSpec { trips: trips.unwrap_or(TaxiSpec::default().trips), ..TaxiSpec::default() };
    let folder = common::target().join("bench");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("taxi-{}.parquet", spec.trips));
    // Also where the file is there: the questions depend on the rows.
    let mut bytes = vec![];
    let answers = write_taxi(&spec, &mut bytes).unwrap();
    std::fs::write(&file, bytes).unwrap();
    (file.to_string_lossy().into_owned(), answers)
}

#[allow(clippy::unwrap_used, reason = "a bench may fail loudly")]
fn plain(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let (from, answers) = table();
    let open = Session::of_files(vec![PlainSource { name: None, from: from.clone() }]);
    let session = runtime.block_on(open.build()).unwrap();
    let ask = |text: &str, lang: &str, shape: &Shape| -> u64 {
        let settings = Settings::default();
        runtime.block_on(async {
            let results = session.query(&Source::query(text), lang, &settings, shape).await.unwrap();
            results.collect().await.unwrap().iter().map(|batch| batch.num_rows() as u64).sum()
        })
    };
    let mut group = criterion.benchmark_group("plain");
    let shape = Shape { select: vec!["trip_id".into()], ..Shape::default() };
    for answer in &answers {
        let sql = format!("select trip_id from data where {}", answer.sql);
        assert_eq!(ask(&answer.nql, "nql", &shape), answer.rows, "{}", answer.nql);
        assert_eq!(ask(&sql, "sql", &Shape::default()), answer.rows, "{sql}");
        group.bench_function(format!("{}/nql", answer.id), |b| b.iter(|| ask(&answer.nql, "nql", &shape)));
        group.bench_function(format!("{}/sql", answer.id), |b| b.iter(|| ask(&sql, "sql", &Shape::default())));
    }
    let top = Shape { sort: vec!["-fare_amount".into()], limit: Some(10), ..shape };
    group.bench_function("ten_dearest/nql", |b| b.iter(|| ask("payment_type = card", "nql", &top)));
    let sql = "select trip_id from data where payment_type = 'card' order by fare_amount desc nulls last limit 10";
    group.bench_function("ten_dearest/sql", |b| b.iter(|| ask(sql, "sql", &Shape::default())));
    group.finish();
    // Opening: footers and schemas.
    criterion.bench_function("plain/open", |b| {
        let source = PlainSource { name: None, from: from.clone() };
        b.iter(|| runtime.block_on(Session::of_files(vec![source.clone()]).build()).unwrap().plain().len());
    });
}

criterion_group!(benches, plain);
criterion_main!(benches);
