//! Ranges of steps, thinned out points, another metric's values for steps.

use super::{import, lake, metric, pick, points, run, tracked};
use crate::support::{empty_lake, session};
use lakeql::dialects::Settings;
use lakeql::{PointsOptions, Results, Sampling, Session};
use lakeql_query::source::Source;
use serde_json::{Value, json};

/// Three series, of ten, three and no points.
async fn three() -> Session {
    let tens: Vec<f64> = (0..10).map(|step| f64::from(step) * 10.0).collect();
    lake(&[run(
        "a",
        1,
        json!({}),
        json!([
            metric("ten", json!({}), &tens),
            tracked("three", json!({}), &[-5, 4, 400], &[1.0, 2.0, 3.0]),
            metric("none", json!({}), &[]),
        ]),
    )])
    .await
}

async fn ask(session: &Session, options: &PointsOptions) -> Results {
    session.points(&Source::query(""), "aim", &Settings::default(), options).await.unwrap()
}

fn steps_of<'a>(rows: &'a [Value], name: &'a str) -> Vec<i64> {
    rows.iter().filter(|row| row["name"] == name).map(|row| row["step"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_of_steps_are_half_open() {
    let session = three().await;
    for (range, ten, three) in [
        (":", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9][..], &[-5, 4, 400][..]),
        ("2:5", &[2, 3, 4], &[4]),
        (":2", &[0, 1], &[-5]),
        ("8:", &[8, 9], &[400]),
        ("-5:1", &[0], &[-5]),
        ("0.5:2.5", &[1, 2], &[]),
        ("5:2", &[], &[]),
        ("1000:", &[], &[]),
    ] {
        let options = PointsOptions { steps: range.parse().unwrap(), ..PointsOptions::default() };
        let rows = points(&session, "", &options).await;
        assert_eq!((steps_of(&rows, "ten"), steps_of(&rows, "three")), (ten.to_vec(), three.to_vec()), "{range}");
        let results = ask(&session, &options).await;
        let said = results.schema.metadata().get("lakeql.points.steps").cloned();
        assert_eq!(said.as_deref(), (range != ":").then_some(range));
        let kept = ten.len() + three.len();
        let notes: Vec<_> = results.notes.iter().map(|note| note.message.clone()).collect();
        assert_eq!(notes, if range == ":" { vec![] } else { vec![format!("steps {range}: {kept} of 13 points")] });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thinned_out_points() {
    let session = three().await;
    for (sampling, range, ten, three, key, note) in [
        (Sampling::Every(4), ":", &[0, 4, 8][..], &[-5][..], "every", "every 4: 4 of 13 points"),
        (Sampling::Every(1), ":", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], &[-5, 4, 400], "every", "every 1: 13 of 13 points"),
        // Positions 0, 3, 6, 9.
        (Sampling::Density(4), ":", &[0, 3, 6, 9], &[-5, 4, 400], "density", "density 4: 7 of 13 points"),
        (Sampling::Density(2), ":", &[0, 9], &[-5, 400], "density", "density 2: 4 of 13 points"),
        // Of the points in the range.
        (Sampling::Density(2), "2:8", &[2, 7], &[4], "density", "density 2: 3 of 7 points"),
        (Sampling::Every(3), "2:8", &[2, 5], &[4], "every", "every 3: 3 of 7 points"),
    ] {
        let options = PointsOptions { sampling, steps: range.parse().unwrap(), ..PointsOptions::default() };
        let rows = points(&session, "", &options).await;
        assert_eq!((steps_of(&rows, "ten"), steps_of(&rows, "three")), (ten.to_vec(), three.to_vec()), "{sampling:?}");
        let results = ask(&session, &options).await;
        assert!(results.schema.metadata().contains_key(&format!("lakeql.points.{key}")), "{:?}", results.schema);
        assert_eq!(results.notes.last().unwrap().message, note);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_series_go_through_many_pieces() {
    // Longer than a page and than a piece, between short ones.
    let long: Vec<f64> = (0..150_000).map(f64::from).collect();
    let session = lake(&[run(
        "a",
        1,
        json!({}),
        json!([metric("a", json!({}), &[1.0, 2.0]), metric("long", json!({}), &long), metric("z", json!({}), &[3.0])]),
    )])
    .await;
    let values = |rows: &[Value]| pick(rows, &["value"]).iter().map(|row| row[0].as_f64().unwrap()).collect::<Vec<_>>();
    let with =
        |range: &str, sampling| PointsOptions { steps: range.parse().unwrap(), sampling, ..PointsOptions::default() };
    let all = points(&session, "", &with(":", Sampling::All)).await;
    assert!(values(&all) == [&[1.0, 2.0][..], &long, &[3.0]].concat());
    let some = points(&session, "metric.name == 'long'", &with("140000:140003", Sampling::All)).await;
    assert_eq!(values(&some), [140_000.0, 140_001.0, 140_002.0]);
    let few = points(&session, "metric.name == 'long'", &with(":", Sampling::Density(4))).await;
    // 0, 49999.67, 99999.33, 149999.
    assert_eq!(values(&few), [0.0, 50_000.0, 99_999.0, 149_999.0]);
    let every = points(&session, "metric.name == 'long'", &with("100:", Sampling::Every(50_000))).await;
    assert_eq!(values(&every), [100.0, 50_100.0, 100_100.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_become_values_of_another_metric() {
    let lake = empty_lake().await;
    let train = json!({"subset": "train"});
    import(
        &lake,
        &[run(
            "a",
            1,
            json!({}),
            json!([
                tracked("loss", train.clone(), &[0, 1, 2, 3, 3], &[5.0, 4.0, 3.0, 2.0, 1.0]),
                // Step 2 is missing, step 3 was tracked twice: the later value counts.
                tracked("samples", train.clone(), &[0, 1, 3, 3, 9], &[0.5, 128.0, 300.0, 384.0, 1000.0]),
                tracked("loss", json!({}), &[0], &[9.0]),
            ]),
        )],
    )
    .await;
    import(
        &lake,
        &[
            run(
                "b",
                2,
                json!({}),
                json!([tracked("loss", train.clone(), &[1], &[7.0]), tracked("samples", train, &[1], &[f64::NAN])]),
            ),
            run("c", 3, json!({}), json!([tracked("loss", json!({}), &[0], &[8.0])])),
        ],
    )
    .await;
    let session = session(&lake).await;
    let options = PointsOptions { align: Some("samples".into()), ..PointsOptions::default() };
    let rows = points(&session, "metric.name == 'loss'", &options).await;
    assert_eq!(
        pick(&rows, &["run", "step", "value"]),
        [
            json!(["a", 0.5, 5.0]),
            json!(["a", 128.0, 4.0]),
            json!(["a", 384.0, 2.0]),
            json!(["a", 384.0, 1.0]),
            // There is a value at the step; that it is NaN is for the reader.
            json!(["b", null, 7.0]),
        ]
    );
    let source = Source::query("metric.name == 'loss'");
    let mut results = session.points(&source, "aim", &Settings::default(), &options).await.unwrap();
    assert_eq!(results.schema.metadata().get("lakeql.points.align").map(String::as_str), Some("samples"));
    let closing = results.closing_notes();
    assert!(closing().is_empty());
    while results.next().await.unwrap().is_some() {}
    assert_eq!(closing()[0].message, "left out: 3 points have no value to be aligned by");
    // A metric by itself.
    let own = PointsOptions { align: Some("loss".into()), ..PointsOptions::default() };
    let rows = points(&session, "run.hash == 'b' and metric.name == 'loss'", &own).await;
    assert_eq!(pick(&rows, &["step", "value"]), [json!([7.0, 7.0])]);
    // Nobody has it.
    let unknown = PointsOptions { align: Some("sample".into()), ..PointsOptions::default() };
    assert!(points(&session, "metric.name == 'loss'", &unknown).await.is_empty());
    assert_eq!(ask(&session, &unknown).await.notes[0].hints, ["did you mean `samples`?"]);
}
