//! Filters over runs: every question of the generator with a known answer, and pages of runs.

mod common;

use criterion::{Criterion, criterion_group, criterion_main};
use lakeql::Shape;

fn filter_runs(criterion: &mut Criterion) {
    let bench = common::open();
    let mut group = criterion.benchmark_group("filter_runs");
    for answer in bench.answers.iter().filter(|answer| answer.entity == "run") {
        let ask = || bench.count(answer.text, "aim", "run", &Shape::default());
        assert_eq!(ask(), answer.rows, "{}", answer.text);
        group.bench_function(answer.id, |b| b.iter(ask));
    }
    let newest = Shape { select: vec!["hash".into(), "params".into()], limit: Some(45), ..Shape::default() };
    group.bench_function("newest_45_with_params", |b| b.iter(|| bench.count("", "aim", "run", &newest)));
    let hash = "select hash from runs order by hash limit 1";
    assert_eq!(bench.count(hash, "sql", "run", &Shape::default()), 1);
    let one = "select * from runs where hash = (select max(hash) from runs)";
    group.bench_function("one_run_whole_sql", |b| b.iter(|| bench.count(one, "sql", "run", &Shape::default())));
    group.finish();
}

criterion_group!(benches, filter_runs);
criterion_main!(benches);
