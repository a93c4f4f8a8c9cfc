//! Text to physical plan.
#![allow(clippy::unwrap_used, reason = "a bench may fail loudly")]

mod common;

use criterion::{Criterion, criterion_group, criterion_main};
use lakeql::source::Source;
use lakeql::{Settings, Shape};

fn resolve(criterion: &mut Criterion) {
    let bench = common::open();
    let mut group = criterion.benchmark_group("resolve");
    for answer in &bench.answers {
        let settings = Settings { entity: Some(answer.entity.into()), ..Settings::default() };
        let source = Source::query(answer.text);
        group.bench_function(answer.id, |b| {
            b.iter(|| {
                bench.runtime.block_on(bench.session.plan(&source, "aim", &settings, &Shape::default())).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, resolve);
criterion_main!(benches);
