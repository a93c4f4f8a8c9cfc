//! Expressions that are evaluated row by row: behind a condition that leaves at most one run in a hundred, and of every
//! run. Counts are checked where columns give the same answer.

mod common;

use common::Bench;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lakeql::Shape;

/// Conditions on columns with something behind them that columns cannot answer.
const BEHIND: [(&str, &str); 4] = [
    (
        "week_and_comprehension",
        "run.created_at >= datetime(2025, 6, 2) and run.created_at < datetime(2025, 6, 9) \
         and any(x > 200 for x in run.model.layers)",
    ),
    ("experiment_and_comprehension", "run.experiment == 'exp-042' and sum(x for x in run.model.layers) > 300"),
    ("rare_and_method", "run.hparams.label_smoothing > 0.19 and str(run.hparams.optimizer.name).startswith('l')"),
    ("experiment_and_arithmetic", "run.experiment == 'exp-042' and run.hparams.lr * run.hparams.batch_size < 1"),
];

/// Simple operations over all runs, each with the question of the generator that has the same answer, if there is one.
const EVERY_RUN: [(&str, &str, Option<&str>); 6] = [
    ("arithmetic", "run.hparams.lr * 1 > 0.01 and run.hparams.batch_size + 0 >= 64", Some("two_params")),
    ("membership", "'net' in str(run.data.name)", Some("text_contains")),
    ("length", "len(run.name) >= 0", Some("all_runs")),
    ("method", "str(run.hparams.optimizer.name).startswith('l')", None),
    ("f_string", "f'{run.hparams.optimizer.name}-{run.hparams.batch_size}' == 'lion-64'", None),
    ("comprehension", "any(x > 200 for x in run.model.layers)", None),
];

fn runs(bench: &Bench, text: &str) -> u64 {
    bench.count(text, "aim", "run", &Shape::default())
}

fn aimql_residual(criterion: &mut Criterion) {
    let bench = common::open();
    let mut group = criterion.benchmark_group("aimql_residual");
    for (id, text) in BEHIND {
        let left = text.rsplit_once(" and ").map_or(text, |(columns, _)| columns);
        let share = runs(&bench, left) as f64 / common::spec().runs as f64;
        println!("{id}: the columns leave {:.2} % of the runs", share * 100.0);
        group.bench_function(id, |b| b.iter(|| runs(&bench, text)));
    }
    group.throughput(Throughput::Elements(common::spec().runs));
    for (id, text, same) in EVERY_RUN {
        if let Some(answer) = same.and_then(|same| bench.answers.iter().find(|answer| answer.id == same)) {
            assert_eq!(runs(&bench, text), answer.rows, "{text}");
        }
        group.bench_function(id, |b| b.iter(|| runs(&bench, text)));
    }
    group.finish();
}

criterion_group!(benches, aimql_residual);
criterion_main!(benches);
