//! NQL over the generated lake: single clauses, conjunctions, long lists of ids, patterns, tags. Each question is checked
//! against the same one in AimQL before it is timed.
#![allow(clippy::unwrap_used, reason = "a bench may fail loudly")]

mod common;

use arrow::array::AsArray;
use common::Bench;
use criterion::{Criterion, criterion_group, criterion_main};
use lakeql::dialects::{self, Settings};
use lakeql::source::Source;
use lakeql::{Shape, Table};

/// AimQL leaves archived runs out unless the text speaks of them.
const EVERY_RUN: &str = "run.archived in [True, False]";

/// Name, language, NQL, the same in AimQL.
const QUESTIONS: [(&str, &str, &str, &str); 8] = [
    ("clause", "nql", "hparams/lr:float > 0.01", "run.hparams.lr > 0.01"),
    (
        "and_of_three",
        "nql",
        "hparams/lr:float > 0.01 AND hparams/batch_size:int >= 64 AND NOT data/name:string = imagenet",
        "run.hparams.lr > 0.01 and run.hparams.batch_size >= 64 and not run.data.name == 'imagenet'",
    ),
    (
        "and_of_three_legacy",
        "nql-legacy",
        "`hparams/LR` > 0.01 AND `hparams/batch_size` >= 64 AND NOT `data/name` = imagenet",
        "run.hparams.lr > 0.01 and run.hparams.batch_size >= 64 and not run.data.name == 'imagenet'",
    ),
    ("untyped", "nql-typed", "hparams/lr > 0.01", "run.hparams.lr > 0.01"),
    ("rare", "nql", "hparams/label_smoothing:float > 0.05", "run.hparams.label_smoothing > 0.05"),
    ("missing", "nql", "hparams/warmup:int NOT EXISTS", "run['hparams', 'warmup'] == None"),
    ("regex", "nql", "data/name:string MATCHES \"^im.*net$\"", "run.data.name == 'imagenet'"),
    (
        "tags",
        "nql",
        "`sys/tags`:stringSet CONTAINS baseline AND NOT `sys/tags`:stringSet CONTAINS debug",
        "'baseline' in run.tags and 'debug' not in run.tags",
    ),
];

fn nql(criterion: &mut Criterion) {
    let bench = common::open();
    let mut group = criterion.benchmark_group("nql");
    let shape = Shape::default();
    for (id, lang, text, aim) in QUESTIONS {
        let ask = || bench.count(text, lang, "run", &shape);
        assert_eq!(ask(), bench.count(&format!("({aim}) and {EVERY_RUN}"), "aim", "run", &shape), "{text}");
        group.bench_function(id, |b| b.iter(ask));
        let source = Source::query(text);
        group.bench_function(format!("{id}/plan"), |b| b.iter(|| plan(&bench, &source, lang)));
    }

    let ids = ids(&bench);
    let list: Vec<_> = ids.iter().map(|id| format!("id = \"{id}\"")).collect();
    let list = list.join(" OR ");
    let ask = || bench.count(&list, "nql-legacy", "run", &shape);
    assert_eq!(ask(), ids.len() as u64);
    group.bench_function("ids_15000", |b| b.iter(ask));
    let source = Source::query(list.as_str());
    group.bench_function("ids_15000/plan", |b| b.iter(|| plan(&bench, &source, "nql-legacy")));
    let legacy = dialects::find("nql-legacy").unwrap();
    group.bench_function("ids_15000/parse", |b| b.iter(|| legacy.lower(&source, &Settings::default()).unwrap()));
    group.finish();
}

fn plan(bench: &Bench, source: &Source, lang: &str) {
    let (settings, shape) = (Settings::default(), Shape::default());
    bench.runtime.block_on(bench.session.plan(source, lang, &settings, &shape)).unwrap();
}

/// The ids of every sixth run or so, 15,000 of them if there are as many runs.
fn ids(bench: &Bench) -> Vec<String> {
    let rows = bench.session.snapshot().table(Table::Runs).rows();
    let step = (rows / 15_000).max(1);
    let text =
        format!("select hash from (select hash, row_number() over (order by hash) n from runs) where n % {step} = 0");
    bench.runtime.block_on(async {
        let settings = Settings::default();
        let results = bench.session.query(&Source::query(text), "sql", &settings, &Shape::default()).await.unwrap();
        let batches = results.collect().await.unwrap();
        let hashes = batches.iter().flat_map(|batch| batch.column(0).as_string_view().iter().flatten());
        hashes.take(15_000).map(str::to_owned).collect()
    })
}

criterion_group!(benches, nql);
criterion_main!(benches);
