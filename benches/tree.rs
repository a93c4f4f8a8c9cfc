//! Count trees: building them, walking them, and the same questions in SQL over the events.
#![allow(clippy::unwrap_used, reason = "a bench may fail loudly")]

mod common;

use criterion::{Criterion, criterion_group, criterion_main};
use lakeql::{AsOf, Lake, PlainSource, Session, Settings, Shape};
use lakeql_datasets::{EVENT_TOPS, EVENT_TREE, EventSpec, product_name, write_event_table, write_events};
use lakeql_lake::ingest::events::{Definitions, EventOptions, import_events};
use lakeql_query::source::Source;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use tokio::runtime::Runtime;

/// 10 million events unless `LAKEQL_BENCH_EVENTS` says otherwise.
fn spec() -> EventSpec {
    let events = std::env::var("LAKEQL_BENCH_EVENTS").ok().and_then(|events| events.parse().ok());
    EventSpec { events: events.unwrap_or(10_000_000), ..EventSpec::default() }
}

/// Builds the trees of one definition.
fn build(runtime: &Runtime, lake: &Path, events: &Path, tree: &str) -> u64 {
    runtime.block_on(async {
        let lake = Lake::open_or_create(&lake.to_string_lossy()).await.unwrap();
        let definitions = Definitions::parse(tree, "spec.json").unwrap();
        let sources = [events.to_string_lossy().into_owned()];
        let report = import_events(&lake, &definitions, &sources, &EventOptions::default(), &|_| ()).await.unwrap();
        report.events
    })
}

fn count(runtime: &Runtime, session: &Session, text: &str, lang: &str, settings: &Settings) -> usize {
    runtime.block_on(async {
        let results = session.query(&Source::query(text), lang, settings, &Shape::default()).await.unwrap();
        results.collect().await.unwrap().iter().map(|batch| batch.num_rows()).sum()
    })
}

fn trees(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let spec = spec();
    let folder = common::target().join(format!("bench/events-{}", spec.events));
    std::fs::create_dir_all(&folder).unwrap();
    let (lines, table, lake) = (folder.join("events.jsonl"), folder.join("events.parquet"), folder.join("lake"));
    if !lines.exists() {
        let mut out = BufWriter::new(File::create(&lines).unwrap());
        write_events(&spec, &mut out).unwrap();
        out.flush().unwrap();
    }
    if !table.exists() {
        write_event_table(&spec, &mut File::create(&table).unwrap()).unwrap();
    }
    if !lake.exists() {
        assert_eq!(build(&runtime, &lake, &lines, EVENT_TREE), spec.events);
        build(&runtime, &lake, &table, EVENT_TOPS);
    }
    let session = runtime.block_on(async {
        let lake = Lake::open(&lake.to_string_lossy()).await.unwrap();
        Session::of_snapshot(lake.snapshot(AsOf::Latest).await.unwrap()).unwrap()
    });
    let source = PlainSource { name: None, from: table.to_string_lossy().into_owned() };
    let raw = runtime.block_on(Session::of_files(vec![source]).build()).unwrap();

    let product = product_name(3);
    let listing = format!("2024-02-10/{product}/(1)+/(100)+:+count,+nodes,+mem");
    let days = format!("product/{product}/+@2024-01-10,2024-01-20:+hits$+xfer=sum");
    let questions: [(&str, &str, &str, &str, Option<String>); 6] = [
        ("listing", "views", &listing, "", None),
        (
            "hits_per_day",
            "views",
            "+:+hits",
            "",
            Some("select date, count(*) from data group by date order by date".to_owned()),
        ),
        (
            "product_and_days",
            "tops",
            &days,
            "",
            Some(format!(
                "select date, count(*), sum(xfer) from data where product = '{product}' and date >= '2024-01-10' \
                 and date < '2024-01-20' group by date order by date"
            )),
        ),
        (
            "five_urls_of_each_country",
            "tops",
            "country/+/(5)+%urls:+hits",
            "",
            Some(
                "select country, url, n from (select country, url, count(*) as n, row_number() over (partition by \
                 country order by count(*) desc) as place from data group by country, url) where place <= 5"
                    .to_owned(),
            ),
        ),
        ("ten_products_by_hits", "views", "+/+:+hits", "gather=iks;sort=1:n:d;limit=10", None),
        (
            "gather_all_urls",
            "views",
            "2024-01-05,2024-01-06,2024-01-07/+/+/+:+hits",
            "gather=iiiks;sort=1:n:d;limit=10",
            None,
        ),
    ];
    let mut group = criterion.benchmark_group("tree");
    group.sample_size(10);
    for (name, tree, path, ops, sql) in questions {
        let settings = Settings { trees: vec![tree.to_owned()], ops: ops.to_owned(), ..Settings::default() };
        assert!(count(&runtime, &session, path, "hydra", &settings) > 0, "{name}");
        group.bench_function(name, |b| b.iter(|| count(&runtime, &session, path, "hydra", &settings)));
        if let Some(sql) = sql {
            group.bench_function(format!("{name}/sql"), |b| {
                b.iter(|| count(&runtime, &raw, &sql, "sql", &Settings::default()));
            });
        }
    }
    for (name, events) in [("build", &lines), ("build_of_parquet", &table)] {
        group.bench_function(name, |b| {
            b.iter_with_large_drop(|| {
                let folder = tempfile::tempdir_in(&folder).unwrap();
                build(&runtime, &folder.path().join("lake"), events, EVENT_TREE);
                folder
            });
        });
    }
    group.finish();
}

criterion_group!(benches, trees);
criterion_main!(benches);
