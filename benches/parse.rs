//! Text to query.
#![allow(clippy::unwrap_used, reason = "a bench may fail loudly")]

use criterion::{Criterion, criterion_group, criterion_main};
use lakeql::dialects::{self, Settings};
use lakeql::source::Source;

fn parse(criterion: &mut Criterion) {
    let aim = dialects::find("aim").unwrap();
    let mut group = criterion.benchmark_group("parse");
    let long = vec!["run.hash == 'a32c912'"; 10_000].join(" or ");
    for (id, text) in [
        ("two_params", "run.hparams.lr > 0.01 and run.hparams.batch_size >= 64"),
        (
            "comprehension",
            "any(x > 200 for x in run.hparams.layers) and run.metrics['loss', {'subset': 'train'}].last < 1",
        ),
        ("ten_thousand_alternatives", &long),
    ] {
        let source = Source::query(text);
        group.bench_function(id, |b| b.iter(|| aim.lower(&source, &Settings::default()).unwrap()));
    }
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
