//! Single points: which, in what order, with which columns.

use super::{import, lake, metric, mistake, names, pick, points, points_of, run, tracked};
use crate::support::{empty_lake, rows, session};
use lakeql::dialects::Settings;
use lakeql::{PointsOptions, Shape};
use lakeql_query::model::SeriesKind;
use lakeql_query::source::Source;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn points_have_their_series_and_their_columns() {
    let loss = json!({"name": "loss", "context": {"subset": "val"}, "steps": [0, 10], "values": [0.5, {"$float": "nan"}],
        "epochs": [null, 1.5], "times": [1.25, null]});
    let session = lake(&[run("a", 1, json!({"lr": 0.1}), json!([loss]))]).await;
    let all = points(&session, "metric.name == 'loss'", &PointsOptions::default()).await;
    assert_eq!(
        all,
        [
            json!({"run": "a", "name": "loss", "context": {"subset": "val"}, "step": 0, "epoch": null,
                "time": "1970-01-01T00:00:01.250Z", "value": 0.5}),
            json!({"run": "a", "name": "loss", "context": {"subset": "val"}, "step": 10, "epoch": 1.5, "time": null,
                "value": null}),
        ]
    );
    let columns = PointsOptions {
        columns: names(&["lr", "hash", "n", "context.subset", "step", "name"]),
        group: names(&["lr", "experiment"]),
        ..PointsOptions::default()
    };
    let source = Source::query("metric.name == 'loss'");
    let results = session.points(&source, "aim", &Settings::default(), &columns).await.unwrap();
    let shown: Vec<_> = results.schema.fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(
        shown,
        ["run", "name", "context", "step", "epoch", "time", "value", "lr", "hash", "n", "context.subset", "experiment"]
    );
    assert!(results.schema.metadata().is_empty() && results.notes.is_empty());
    let all = points(&session, "metric.name == 'loss'", &columns).await;
    assert_eq!(pick(&all, &["lr", "hash", "n", "context.subset"])[1], json!([0.1, "a", 2, "val"]));
    // Not one of them, but the columns are known.
    let none =
        session.points(&Source::query("metric.name == 'x'"), "aim", &Settings::default(), &columns).await.unwrap();
    assert_eq!(none.schema.fields().len(), shown.len());
    assert!(none.collect().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn series_come_by_name_context_and_age_and_points_by_step() {
    let session = lake(&[
        run(
            "old",
            1,
            json!({}),
            json!([
                tracked("loss", json!({"k": 2}), &[5, 1, 5, 0], &[1.0, 2.0, 3.0, 4.0]),
                metric("loss", json!({"k": 1}), &[5.0]),
                metric("acc", json!({}), &[6.0]),
                metric("empty", json!({}), &[]),
            ]),
        ),
        run(
            "new",
            2,
            json!({}),
            json!([metric("loss", json!({"k": 2}), &[7.0]), metric("loss", json!({"k": 1}), &[8.0])]),
        ),
    ])
    .await;
    let all = points(&session, "", &PointsOptions::default()).await;
    assert_eq!(
        pick(&all, &["run", "name", "step", "value"]),
        [
            json!(["old", "acc", 0, 6.0]),
            json!(["new", "loss", 0, 8.0]),
            json!(["old", "loss", 0, 5.0]),
            json!(["new", "loss", 0, 7.0]),
            json!(["old", "loss", 0, 4.0]),
            json!(["old", "loss", 1, 2.0]),
            json!(["old", "loss", 5, 1.0]),
            json!(["old", "loss", 5, 3.0]),
        ]
    );
    let cut = PointsOptions { offset: 1, limit: Some(3), ..PointsOptions::default() };
    assert_eq!(points(&session, "", &cut).await, all[1..4]);
    let past = PointsOptions { offset: 100, limit: Some(3), ..PointsOptions::default() };
    assert!(points(&session, "", &past).await.is_empty());
    let none = PointsOptions { limit: Some(0), ..PointsOptions::default() };
    assert!(points(&session, "", &none).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_segments_and_replaced_runs() {
    let lake = empty_lake().await;
    let series =
        |value: f64| json!([metric("loss", json!({}), &[value, value + 1.0]), metric("other", json!({}), &[9.0])]);
    import(&lake, &[run("a", 1, json!({"p": 1}), series(10.0)), run("b", 2, json!({"p": 2}), series(20.0))]).await;
    import(&lake, &[run("c", 3, json!({"p": 3}), series(30.0))]).await;
    // The same run with other points: those in the first segment are dead.
    import(&lake, &[run("a", 1, json!({"p": 4}), series(40.0))]).await;
    let options = PointsOptions { columns: names(&["p"]), ..PointsOptions::default() };
    let expected = [
        json!(["b", 0, 20.0, 2]),
        json!(["b", 1, 21.0, 2]),
        json!(["c", 0, 30.0, 3]),
        json!(["c", 1, 31.0, 3]),
        json!(["a", 0, 40.0, 4]),
        json!(["a", 1, 41.0, 4]),
    ];
    let session = session(&lake).await;
    for (text, entity) in [("metric.name == 'loss'", None), ("run.p > 0", Some("run"))] {
        let all = points_of(&session, text, entity, &options).await.unwrap();
        let all: Vec<Value> = all.into_iter().filter(|row| row["name"] == "loss").collect();
        assert_eq!(pick(&all, &["run", "step", "value", "p"]), expected, "{text}");
    }
    // Compaction puts them into one file, with other ordinals and rows.
    lake.compact().await.unwrap();
    let session = crate::support::session(&lake).await;
    let all = points(&session, "metric.name == 'loss'", &options).await;
    let mut found = pick(&all, &["run", "step", "value", "p"]);
    found.sort_by_key(|row| row[2].as_f64().unwrap() as i64);
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_about_runs_means_all_their_series() {
    let session = lake(&[
        run("a", 1, json!({"lr": 0.1}), json!([metric("x", json!({}), &[1.0]), metric("y", json!({}), &[2.0])])),
        run("b", 2, json!({"lr": 0.2}), json!([metric("x", json!({}), &[3.0])])),
        run("c", 3, json!({"lr": 0.3}), json!([metric("z", json!({}), &[4.0])])),
    ])
    .await;
    let options = PointsOptions { columns: names(&["lr", "x.last"]), ..PointsOptions::default() };
    let about = async |text: &str, options: &PointsOptions| {
        pick(&points_of(&session, text, Some("run"), options).await.unwrap(), &["run", "name", "value", "lr"])
    };
    let (a, b) = ([json!(["a", "x", 1.0, 0.1]), json!(["a", "y", 2.0, 0.1])], json!(["b", "x", 3.0, 0.2]));
    assert_eq!(about("run.lr < 0.25", &options).await, [b.clone(), a[0].clone(), a[1].clone()]);
    // What row-by-row evaluation leaves.
    assert_eq!(about("any(k == 'lr' and run[k] < 0.15 for k in ['lr'])", &options).await, a);
    // The first matches are runs here, and series in a query about series.
    let top = PointsOptions { top: Some(2), ..options.clone() };
    assert_eq!(about("", &top).await, [b.clone(), json!(["c", "z", 4.0, 0.3])]);
    let smallest = PointsOptions { sort: names(&["lr"]), top: Some(1), ..options.clone() };
    assert_eq!(about("", &smallest).await, a);
    let largest = PointsOptions { sort: names(&["-lr"]), top: Some(1), ..options.clone() };
    let found = points(&session, "", &largest).await;
    assert_eq!(pick(&found, &["run", "name"]), [json!(["c", "z"])]);
    let two = PointsOptions { sort: names(&["lr", "name"]), top: Some(2), ..options.clone() };
    assert_eq!(pick(&points(&session, "", &two).await, &["run", "name"]), [json!(["a", "x"]), json!(["a", "y"])]);
    // An order without a number to keep changes nothing, and says so.
    let sorted = PointsOptions { sort: names(&["lr"]), ..options };
    let results = session.points(&Source::query(""), "aim", &Settings::default(), &sorted).await.unwrap();
    assert!(results.notes[0].hints[0].contains("--top"), "{:?}", results.notes);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_kinds_list_their_steps() {
    let texts = json!([
        {"name": "t", "context": {"a": 1}, "steps": [7, 0], "values": ["x", ["y", null]], "epochs": [2, null]},
        {"name": "u", "context": {}, "steps": [3]},
    ]);
    let mut one = run("a", 1, json!({}), json!([metric("loss", json!({}), &[1.0])]));
    one["texts"] = texts;
    one["images"] = json!([{"name": "i", "context": {}, "steps": [4], "values": ["caption"]}]);
    let session = lake(&[one]).await;
    let options = PointsOptions { kind: Some(SeriesKind::Texts), ..PointsOptions::default() };
    let expected = [
        json!({"run": "a", "name": "t", "context": {"a": 1}, "step": 0, "index": 0, "epoch": null, "time": null, "text": "y"}),
        json!({"run": "a", "name": "t", "context": {"a": 1}, "step": 0, "index": 1, "epoch": null, "time": null, "text": null}),
        json!({"run": "a", "name": "t", "context": {"a": 1}, "step": 7, "index": null, "epoch": 2.0, "time": null, "text": "x"}),
        json!({"run": "a", "name": "u", "context": {}, "step": 3, "index": null, "epoch": null, "time": null, "text": null}),
    ];
    assert_eq!(points_of(&session, "", Some("run"), &options).await.unwrap(), expected);
    assert_eq!(
        points_of(&session, "texts.name != ''", Some("texts"), &PointsOptions::default()).await.unwrap(),
        expected
    );
    // Without an entity the kind says what the query is about.
    assert_eq!(points(&session, "texts.name == 'u'", &options).await, expected[3..]);
    let images = points_of(&session, "", Some("images"), &PointsOptions::default()).await.unwrap();
    assert_eq!(pick(&images, &["name", "step", "text"]), [json!(["i", 4, "caption"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_options_are_explained() {
    let session = lake(&[run("a", 1, json!({"value": 7}), json!([metric("loss", json!({}), &[1.0])]))]).await;
    let with = |change: fn(&mut PointsOptions)| {
        let mut options = PointsOptions::default();
        change(&mut options);
        options
    };
    for (text, entity, options, expected) in [
        (
            "",
            None,
            with(|o| o.columns = names(&["valu"])),
            "there is no column, param or sequence `valu`: did you mean `value`?",
        ),
        ("", Some("metric"), with(|o| o.kind = Some(SeriesKind::Images)), "the query matches metric and not images"),
        ("", None, with(|o| o.sampling = lakeql::Sampling::Density(1)), "a density of less than two"),
        ("", None, with(|o| o.sampling = lakeql::Sampling::Every(0)), "every 0th"),
        (
            "",
            None,
            with(|o| (o.aggregate, o.columns) = (vec![lakeql::Statistic::Mean], names(&["lr"]))),
            "a step of many series has no column `lr`: to aggregate for each of its values: --group lr",
        ),
        (
            "",
            None,
            with(|o| (o.aggregate, o.group) = (vec![lakeql::Statistic::Mean], names(&["n"]))),
            "there would be two columns `n`: a param of this name is `run.n`",
        ),
        (
            "",
            None,
            with(|o| (o.aggregate, o.kind) = (vec![lakeql::Statistic::Mean], Some(SeriesKind::Texts))),
            "texts have no values",
        ),
    ] {
        let found = mistake(&session, text, entity, &options).await;
        assert!(found.starts_with(expected), "{found}");
    }
    // A param with the name of a column of points can be asked for by its full name.
    let value = with(|o| o.columns = names(&["value", "run.value"]));
    assert_eq!(pick(&points(&session, "", &value).await, &["value", "run.value"]), [json!([1.0, 7])]);
    let sql = session.points(&Source::query("select 1"), "sql", &Settings::default(), &PointsOptions::default()).await;
    assert!(sql.unwrap_err().to_string().contains("SQL"));
}

/// What the generator writes, in several segments, is what a join of the stored tables gives.
#[tokio::test(flavor = "multi_thread")]
async fn positions_are_where_the_ordinals_are() {
    use lakeql_datasets::{ExperimentSpec, write_experiments};
    let spec = ExperimentSpec { runs: 120, ..ExperimentSpec::default() };
    let mut bytes = Vec::new();
    write_experiments(&spec, &mut bytes).unwrap();
    let lines: Vec<Value> =
        String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lake = empty_lake().await;
    for part in lines.chunks(50) {
        import(&lake, part).await;
    }
    // Some of the first runs once more, with another name.
    let changed: Vec<Value> = lines[10..20]
        .iter()
        .map(|line| {
            let mut line = line.clone();
            line["name"] = json!("again");
            line
        })
        .collect();
    import(&lake, &changed).await;
    let session = session(&lake).await;
    let none = (Settings::default(), Shape::default());
    let key =
        |row: &Value| format!("{} {} {} {} {}", row["run"], row["name"], row["context"], row["step"], row["value"]);
    for (text, condition) in [
        ("run.archived or not run.archived", "true"),
        ("(run.archived or not run.archived) and metric.name == 'loss'", "name = 'loss'"),
    ] {
        let sql = format!("select hash as run, name, context, step, value from points where {condition}");
        let mut expected: Vec<String> =
            rows(&session, &sql, "sql", &none.0, &none.1).await.unwrap().iter().map(key).collect();
        let found = points(&session, text, &PointsOptions::default()).await;
        let mut found: Vec<String> = found
            .iter()
            .map(|row| {
                // In a table of SQL the context is text.
                let context = json!(row["context"].to_string());
                let mut row = row.clone();
                row["context"] = context;
                key(&row)
            })
            .collect();
        expected.sort();
        found.sort();
        assert!(expected.len() > 1000);
        assert_eq!(found.len(), expected.len(), "{text}");
        assert!(found == expected, "{text}");
    }
}
