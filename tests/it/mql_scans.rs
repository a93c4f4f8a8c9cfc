//! Generated catalogues, whose generator counts the answers: cold and hot, with and without room for columns in memory, in
//! one segment and in many, before and after files were replaced.

use crate::support::{empty_lake, rows, session};
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use lakeql::source::Source;
use lakeql::{AsOf, Lake, Session, Settings, Shape, Table};
use lakeql_datasets::{CatalogueAnswer, CatalogueSpec, write_catalogue};
use lakeql_lake::ingest::ImportOptions;
use lakeql_lake::ingest::metacat::import_metacat;
use lakeql_query::model::Overview;
use std::path::Path;

/// Enough blocks for the runs that the questions name.
const FILES: u64 = 13_000;

fn write(folder: &Path) -> Vec<CatalogueAnswer> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(folder.join("files.jsonl")).unwrap());
    write_catalogue(&CatalogueSpec { files: FILES, seed: 3 }, &mut out).unwrap().answers
}

async fn import(lake: &Lake, folder: &Path, segment_bytes: usize) {
    let options = ImportOptions { segment_bytes, ..ImportOptions::default() };
    import_metacat(lake, &[folder.to_owned()], &options, &|_| {}).await.unwrap();
}

async fn check(session: &Session, answers: &[CatalogueAnswer]) {
    for answer in answers {
        let ask = |shape: Shape| async move {
            let results =
                session.query(&Source::query(answer.text), "mql", &Settings::default(), &shape).await.unwrap();
            results.collect().await.unwrap()
        };
        let found: u64 = ask(Shape::default()).await.iter().map(|batch| batch.num_rows() as u64).sum();
        assert_eq!(found, answer.rows, "{}", answer.text);
        if answer.id.contains("ordered") {
            continue;
        }
        let sums = ask(Shape { overview: Some(Overview::Totals), ..Shape::default() }).await;
        let of = |name: &str| sums[0].column_by_name(name).unwrap().as_primitive::<Int64Type>().value(0) as u64;
        assert_eq!((of("count"), of("total_size")), (answer.rows, answer.total_size), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_those_of_the_generator() {
    let folder = tempfile::tempdir().unwrap();
    let answers = write(folder.path());
    assert!(answers.iter().filter(|answer| answer.rows > 0).count() > 20);

    let lake = empty_lake().await;
    import(&lake, folder.path(), 1 << 30).await;
    let one = session(&lake).await;
    assert_eq!(one.snapshot().unwrap().table(Table::Files).files.len(), 1);
    // Cold, then from memory.
    check(&one, &answers).await;
    check(&one, &answers).await;

    let lake = empty_lake().await;
    import(&lake, folder.path(), 2 << 20).await;
    let many = session(&lake).await;
    assert!(many.snapshot().unwrap().table(Table::Files).files.len() > 1);
    check(&many, &answers).await;
    // The order of the whole is that of the one segment.
    let first = "files where core.data_tier = raw ordered skip 5000 limit 50";
    let (settings, shape) = (Settings::default(), Shape::default());
    let ordered = rows(&one, first, "mql", &settings, &shape).await.unwrap();
    assert_eq!(rows(&many, first, "mql", &settings, &shape).await.unwrap(), ordered);
    assert_eq!(ordered.len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_in_memory_answers_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let answers = write(folder.path());
    let lake = tempfile::tempdir().unwrap();
    let url = lake.path().join("lake").to_string_lossy().into_owned();
    import(&Lake::open_or_create(&url).await.unwrap(), folder.path(), 4 << 20).await;
    let session = Session::builder(&url).memory_bytes(24 << 20).threads(1).build().await.unwrap();
    check(&session, &answers).await;
    check(&session, &answers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_files_answer_once() {
    let folder = tempfile::tempdir().unwrap();
    let answers = write(folder.path());
    let lake = empty_lake().await;
    import(&lake, folder.path(), 2 << 20).await;
    let before = lake.snapshot(AsOf::Latest).await.unwrap();
    let untouched: Vec<_> = before.table(Table::Files).files.iter().map(|file| file.location.clone()).collect();

    // One file of a hundred comes again, retired and with another size.
    let text = std::fs::read_to_string(folder.path().join("files.jsonl")).unwrap();
    let files = text.lines().filter(|line| line.starts_with("{\"fid\"") && line.contains("\"retired\":false"));
    let changed: Vec<String> =
        files.take(3_000).step_by(100).map(|line| line.replacen("\"retired\":false", "\"retired\":true", 1)).collect();
    std::fs::write(folder.path().join("files.jsonl"), changed.join("\n")).unwrap();
    import(&lake, folder.path(), 2 << 20).await;
    let asked = session(&lake).await;
    let totals = Shape { overview: Some(Overview::Totals), ..Shape::default() };
    let all = answers.iter().find(|answer| answer.id == "all_files").unwrap();
    let live = rows(&asked, "files", "mql", &Settings::default(), &totals).await.unwrap();
    assert_eq!(live[0]["count"], all.rows - changed.len() as u64);
    let retired = Settings { include_retired: true, ..Settings::default() };
    assert_eq!(rows(&asked, "files", "mql", &retired, &totals).await.unwrap()[0]["count"], FILES);
    // Parents and datasets of a file that has changed are still there, and only those of its new version.
    let members = rows(&asked, "files from matching *:campaign-*", "mql", &retired, &totals).await;
    assert!(members.is_err(), "namespaces take no patterns");
    let sql = "select count(*) as n from members";
    let counted = rows(&asked, sql, "sql", &Settings::default(), &Shape::default()).await.unwrap();
    assert_eq!(counted[0]["n"], FILES * 2);
    // Only files of the segments that had the old versions were written anew.
    let after = lake.snapshot(AsOf::Latest).await.unwrap();
    let kept = after.table(Table::Files).files.iter().filter(|file| untouched.contains(&file.location)).count();
    assert!(kept >= 2 && kept < untouched.len(), "{kept} of {} kept", untouched.len());
}
