//! Exports asked as they are.

use super::*;
use crate::ingest::neptune::{Export, PathFilter};

fn sample() -> String {
    gold("exporter_sample/data").to_str().unwrap().to_owned()
}

async fn column(snapshot: &crate::Snapshot, table: Table, name: &str) -> Vec<String> {
    let mut found = crate::catalog::testing::column(snapshot, table, name).await;
    found.dedup();
    found
}

#[tokio::test]
async fn a_view_has_all_runs_and_the_wanted_paths() {
    let options = NeptuneOptions::default();
    for other in [gold("dataset.jsonl").to_str().unwrap(), "/no/such/folder", "/no/such/*.parquet"] {
        assert!(Export::find(other, &options).await.unwrap().is_none(), "{other}");
    }
    let export = Export::find(&sample(), &options).await.unwrap().unwrap();
    let lake = new_lake().await;
    import(&lake, Path::new(&sample()), &NeptuneOptions::default()).await.unwrap();
    let imported = lake.snapshot(AsOf::Latest).await.unwrap();
    let whole = export.view(&PathFilter::all()).await.unwrap();
    for table in [Table::Runs, Table::Attributes, Table::Series, Table::Points, Table::TextPoints] {
        assert_eq!(whole.snapshot.table(table).rows(), imported.table(table).rows(), "{table}");
    }
    let view = export.view(&PathFilter::only(["parameters/learning_rate", "metrics/Precision"])).await.unwrap();
    assert_eq!(column(&view.snapshot, Table::Runs, "hash").await, column(&imported, Table::Runs, "hash").await);
    assert_eq!(column(&view.snapshot, Table::Series, "name").await, ["metrics/Precision"]);
    let paths = column(&view.snapshot, Table::Attributes, "path").await;
    assert!(paths.contains(&"parameters.learning_rate".to_owned()), "{paths:?}");
    assert!(!paths.contains(&"parameters.optimizer".to_owned()), "{paths:?}");
    // The rows of runs are those of an import, the document excepted.
    for name in ["name", "description", "project"] {
        assert_eq!(column(&view.snapshot, Table::Runs, name).await, column(&imported, Table::Runs, name).await);
    }
}

#[tokio::test]
async fn of_large_files_only_pieces_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("p-1");
    std::fs::create_dir(&project).unwrap();
    let rows = 150_000;
    let bytes = super::bad::written(&[
        super::bad::parameters("R-1", &[("sys/name", "one"), ("parameters/a", "x")]),
        super::bad::series_of("R-1", "metrics/big", rows),
        super::bad::series_of("R-1", "metrics/small", 10),
    ]);
    assert!(bytes.len() > 1 << 20, "{}", bytes.len());
    std::fs::write(project.join("R-1-00_part_0.parquet"), &bytes).unwrap();
    let export = Export::find(folder.path().to_str().unwrap(), &NeptuneOptions::default()).await.unwrap().unwrap();
    let view = export.view(&PathFilter::only(["metrics/small"])).await.unwrap();
    assert!(view.bytes_read < 10_000, "{}", view.bytes_read);
    assert_eq!(view.snapshot.table(Table::Points).rows(), 10);
    assert_eq!(column(&view.snapshot, Table::Runs, "name").await, ["one"]);
    let view = export.view(&PathFilter::only(["metrics/big"])).await.unwrap();
    assert_eq!(view.snapshot.table(Table::Points).rows(), rows as u64);
}
