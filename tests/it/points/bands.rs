//! Statistics over series, step by step.

use super::{import, lake, metric, names, pick, points, points_of, run, tracked};
use crate::support::{empty_lake, session};
use lakeql::dialects::Settings;
use lakeql::{By, PointsOptions, Sampling, Statistic};
use lakeql_query::source::Source;
use serde_json::{Value, json};

fn bands(statistics: &[Statistic]) -> PointsOptions {
    PointsOptions { aggregate: statistics.to_vec(), ..PointsOptions::default() }
}

/// Equal but for the last digits of floats.
fn assert_close(found: &[Value], expected: &[Value]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        for (name, value) in expected.as_object().unwrap() {
            match (found[name].as_f64(), value.as_f64()) {
                (Some(one), Some(other)) => assert!((one - other).abs() < 1e-12, "{name}: {found} {expected}"),
                _ => assert_eq!(&found[name], value, "{name}: {found}"),
            }
        }
        assert_eq!(found.as_object().unwrap().len(), expected.as_object().unwrap().len(), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_of_each_step() {
    let lake = empty_lake().await;
    let loss = |values: &[f64]| json!([metric("loss", json!({}), values), metric("other", json!({}), &[100.0])]);
    import(&lake, &[run("a", 1, json!({}), loss(&[1.0, 2.0, f64::NAN])), run("b", 2, json!({}), loss(&[2.0]))]).await;
    import(&lake, &[run("c", 3, json!({}), loss(&[4.0, f64::NAN]))]).await;
    let session = session(&lake).await;
    let all = bands(&Statistic::ALL);
    let rows = points(&session, "metric.name == 'loss'", &all).await;
    // 1, 2, 4: mean 7/3, sample variance 7/3, half width 1.959963984540054 · √(7/9).
    let (mean, std) = (7.0 / 3.0, (7.0_f64 / 3.0).sqrt());
    let half = 1.959_963_984_540_054 * (7.0_f64 / 9.0).sqrt();
    assert_close(
        &rows,
        &[
            json!({"step": 0, "n": 3, "nan": 0, "mean": mean, "min": 1.0, "max": 4.0, "std": std,
                "ci95_low": mean - half, "ci95_high": mean + half}),
            json!({"step": 1, "n": 1, "nan": 1, "mean": 2.0, "min": 2.0, "max": 2.0, "std": null, "ci95_low": null,
                "ci95_high": null}),
            json!({"step": 2, "n": 0, "nan": 1, "mean": null, "min": null, "max": null, "std": null, "ci95_low": null,
                "ci95_high": null}),
        ],
    );
    // In the order in which they were asked for, and no others.
    let some = bands(&[Statistic::Max, Statistic::Mean]);
    let results =
        session.points(&Source::query("metric.name == 'loss'"), "aim", &Settings::default(), &some).await.unwrap();
    let columns: Vec<_> = results.schema.fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(columns, ["step", "n", "nan", "max", "mean"]);
    assert_eq!(results.schema.metadata()["lakeql.points.aggregate"], "max,mean");
    assert_eq!(results.schema.metadata()["lakeql.points.by"], "step");
    // Nothing matches: columns without rows.
    let none = session.points(&Source::query("metric.name == 'x'"), "aim", &Settings::default(), &some).await.unwrap();
    assert_eq!(none.schema.fields().len(), 5);
    assert_eq!(none.collect().await.unwrap().iter().map(|batch| batch.num_rows()).sum::<usize>(), 0);
    // The rows of bands can be cut too.
    let last = PointsOptions { offset: 1, limit: Some(1), ..some };
    assert_eq!(pick(&points(&session, "metric.name == 'loss'", &last).await, &["step"]), [json!([1])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bands_of_groups() {
    let loss = |a: f64, b: f64| {
        json!([metric("loss", json!({"subset": "val"}), &[a, b]), metric("acc", json!({}), &[a * 10.0])])
    };
    let session = lake(&[
        run("a", 1, json!({"lr": 0.1, "opt": "sgd"}), loss(1.0, 2.0)),
        run("b", 2, json!({"lr": 0.1, "opt": "adam"}), loss(3.0, 6.0)),
        run("c", 3, json!({"lr": 0.01, "opt": "sgd"}), loss(5.0, 7.0)),
        run("d", 4, json!({}), loss(8.0, 9.0)),
    ])
    .await;
    let grouped = |groups: &[&str]| PointsOptions { group: names(groups), ..bands(&[Statistic::Mean]) };
    let expected = [
        json!([0.01, 0, 1, 5.0]),
        json!([0.01, 1, 1, 7.0]),
        json!([0.1, 0, 2, 2.0]),
        json!([0.1, 1, 2, 4.0]),
        json!([null, 0, 1, 8.0]),
        json!([null, 1, 1, 9.0]),
    ];
    for (text, entity) in [("metric.name == 'loss'", None), ("metric.context.subset == 'val'", None)] {
        let rows = points_of(&session, text, entity, &grouped(&["lr"])).await.unwrap();
        assert_eq!(pick(&rows, &["lr", "step", "n", "mean"]), expected, "{text}");
    }
    // Properties of the series and of the run together, in a query about runs.
    let rows = points_of(&session, "run.lr >= 0.1", Some("run"), &grouped(&["name", "opt"])).await.unwrap();
    assert_eq!(
        pick(&rows, &["name", "opt", "step", "mean"]),
        [
            json!(["acc", "adam", 0, 30.0]),
            json!(["acc", "sgd", 0, 10.0]),
            json!(["loss", "adam", 0, 3.0]),
            json!(["loss", "adam", 1, 6.0]),
            json!(["loss", "sgd", 0, 1.0]),
            json!(["loss", "sgd", 1, 2.0]),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bands_by_epoch_and_by_another_metric() {
    let loss = json!({"name": "loss", "context": {}, "steps": [0, 1, 2, 3], "values": [1.0, 3.0, 5.0, 7.0],
        "epochs": [0, 0, 0.5, null]});
    let other = tracked("samples", json!({}), &[0, 1, 2], &[64.0, 128.0, 64.0]);
    let session = lake(&[run("a", 1, json!({}), json!([loss, other]))]).await;
    let text = "metric.name == 'loss'";
    let by_epoch = PointsOptions { by: By::Epoch, ..bands(&[Statistic::Mean]) };
    let rows = points(&session, text, &by_epoch).await;
    assert_eq!(
        rows,
        [json!({"epoch": 0.0, "n": 2, "nan": 0, "mean": 2.0}), json!({"epoch": 0.5, "n": 1, "nan": 0, "mean": 5.0})]
    );
    let aligned = PointsOptions { align: Some("samples".into()), ..bands(&[Statistic::Min, Statistic::Max]) };
    let rows = points(&session, text, &aligned).await;
    assert_eq!(
        rows,
        [
            json!({"step": 64.0, "n": 2, "nan": 0, "min": 1.0, "max": 5.0}),
            json!({"step": 128.0, "n": 1, "nan": 0, "min": 3.0, "max": 3.0}),
        ]
    );
    for (options, expected) in
        [(by_epoch, "left out: 1 point has no epoch"), (aligned, "left out: 1 point has no value to be aligned by")]
    {
        let mut results = session.points(&Source::query(text), "aim", &Settings::default(), &options).await.unwrap();
        while results.next().await.unwrap().is_some() {}
        assert_eq!(results.closing_notes()()[0].message, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_sampled_is_aggregated() {
    let runs: Vec<Value> = (0..3_u32)
        .map(|index| {
            let values: Vec<f64> = (0..9).map(|step| f64::from(step * 10 + index)).collect();
            run(&format!("r{index}"), index, json!({}), json!([metric("loss", json!({}), &values)]))
        })
        .collect();
    let session = lake(&runs).await;
    let options = PointsOptions {
        steps: "1:8".parse().unwrap(),
        sampling: Sampling::Every(3),
        ..bands(&[Statistic::Mean, Statistic::Max])
    };
    let rows = points(&session, "", &options).await;
    assert_eq!(
        pick(&rows, &["step", "n", "mean", "max"]),
        [json!([1, 3, 11.0, 12.0]), json!([4, 3, 41.0, 42.0]), json!([7, 3, 71.0, 72.0])]
    );
}
