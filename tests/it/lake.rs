//! From a file on disk to the right answer.

use crate::support::{lake_of, rows, session};
use lakeql::{Error, Settings, Shape};
use serde_json::json;

async fn tutorial() -> lakeql::Session {
    session(&lake_of(&["datasets/tutorial_runs.jsonl"]).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn params_and_summaries_are_columns_of_any_answer() {
    let session = tutorial().await;
    let shape = Shape {
        select: ["hash", "learning_rate", "accuracy.last"].map(str::to_owned).into(),
        sort: vec!["-learning_rate".into()],
        ..Shape::default()
    };
    let rows = rows(&session, "run.batch_size < 64", "aim", &Settings::default(), &shape).await.unwrap();
    assert_eq!(
        rows,
        [
            json!({"hash": "a32c912", "learning_rate": 0.005, "accuracy.last": 0.29}),
            json!({"hash": "a32c910", "learning_rate": 0.001, "accuracy.last": null}),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_summary_of_several_contexts_must_say_which() {
    let session = tutorial().await;
    let select = |name: &str| Shape { select: vec![name.into()], limit: Some(1), ..Shape::default() };
    let none = Settings::default();
    let Err(Error::Query(found)) = rows(&session, "", "aim", &none, &select("loss.last")).await else { panic!() };
    assert!(found[0].hints[0].contains(r#"loss{"subset":"test"}.last"#), "{found:?}");
    let name = r#"loss{"subset":"train"}.last"#;
    let answer = rows(&session, "", "aim", &none, &select(name)).await.unwrap();
    assert_eq!(answer, [json!({ name: 29.0 })]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_names_are_notes_and_unknown_columns_errors() {
    let session = tutorial().await;
    let source = lakeql_query::source::Source::query("run.learnin_rate > 0");
    let results = session.query(&source, "aim", &Settings::default(), &Shape::default()).await.unwrap();
    assert_eq!(results.notes[0].hints, ["did you mean `learning_rate`?"]);
    let shape = Shape { select: vec!["learnin_rate".into()], ..Shape::default() };
    let Err(Error::Query(found)) = rows(&session, "", "aim", &Settings::default(), &shape).await else { panic!() };
    assert_eq!(found[0].hints, ["did you mean `learning_rate`?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_reads_the_same_tables() {
    let session = tutorial().await;
    let none = (Settings::default(), Shape::default());
    let sql = "select hash, name, count(*) as points, max(value) as top from points \
               where name = 'accuracy' group by hash, name order by hash";
    let answer = rows(&session, sql, "sql", &none.0, &none.1).await.unwrap();
    assert_eq!(
        answer,
        [
            json!({"hash": "a32c911", "name": "accuracy", "points": 20, "top": 0.19}),
            json!({"hash": "a32c912", "name": "accuracy", "points": 30, "top": 0.29}),
        ]
    );
    let wide =
        r#"select hash, learning_rate, batch_size from runs_wide('learning_rate', 'batch_size') order by hash limit 1"#;
    let answer = rows(&session, wide, "sql", &none.0, &none.1).await.unwrap();
    assert_eq!(answer, [json!({"hash": "a32c910", "learning_rate": 0.001, "batch_size": 32})]);
    let Err(Error::Query(_)) = rows(&session, "drop table runs", "sql", &none.0, &none.1).await else { panic!() };
}
