//! Sequences and their points.

mod common;

use criterion::{Criterion, criterion_group, criterion_main};
use lakeql::Shape;

fn series(criterion: &mut Criterion) {
    let bench = common::open();
    let mut group = criterion.benchmark_group("series");
    for answer in bench.answers.iter().filter(|answer| answer.entity == "metric") {
        let ask = || bench.count(answer.text, "aim", "metric", &Shape::default());
        assert_eq!(ask(), answer.rows, "{}", answer.text);
        group.bench_function(answer.id, |b| b.iter(ask));
    }
    let best = Shape {
        select: vec!["hash".into(), r#"loss{"subset":"val"}.last"#.into()],
        sort: vec![r#"loss{"subset":"val"}.last"#.into()],
        limit: Some(10),
        ..Shape::default()
    };
    group.bench_function("ten_best_runs", |b| b.iter(|| bench.count("", "aim", "run", &best)));
    let points = "select p.series, p.step, p.value from raw.points p where p.series in \
                  (select series from raw.series where run in (select run from raw.runs order by created_at desc limit 50))";
    group.bench_function("points_of_50_runs_sql", |b| b.iter(|| bench.count(points, "sql", "run", &Shape::default())));
    group.finish();
}

criterion_group!(benches, series);
criterion_main!(benches);
