//! Compaction and vacuum keep what can be seen.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;

use super::compact::CompactReport;
use super::vacuum::VacuumReport;
use crate::catalog::commit::ImportCommit;
use crate::catalog::lake::{AsOf, Lake};
use crate::catalog::path::{ColumnType, column_name};
use crate::catalog::paths::PathOwner;
use crate::catalog::tables::Table;
use crate::catalog::testing::{TestRun, column, expected, import, latest, path_entries, read_back, rows, stage};
use crate::error::Error;

async fn memory() -> (Arc<dyn ObjectStore>, Lake) {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let lake = Lake::with_store(Arc::clone(&store), Path::from("lake")).await.unwrap();
    (store, lake)
}

/// Runs whose times, names and sizes are mixed over the segments.
fn sample(from: i64, to: i64) -> Vec<TestRun> {
    (from..to)
        .map(|number| {
            let run = TestRun::new(&format!("run{number:03}"), (number * 37) % 101).param("lr", number as f64);
            let run = if number % 2 == 0 { run.param("C", number as f64).param("c", 1.0) } else { run };
            let values: Vec<f64> = (0..number % 5).map(|step| (number * 10 + step) as f64).collect();
            run.metric("loss", "val", &values).metric("loss", "train", &[number as f64; 2]).metric("acc", "val", &[0.5])
        })
        .collect()
}

async fn objects(store: &Arc<dyn ObjectStore>, table: Table) -> usize {
    let folder = Path::from("lake").join(table.name());
    store.list_with_delimiter(Some(&folder)).await.unwrap().objects.len()
}

#[tokio::test]
async fn merged_segments_hold_the_same_in_order() {
    let (_, lake) = memory().await;
    let mut runs = sample(0, 60);
    for (part, hot) in [(0..20, &["lr", "C"][..]), (20..21, &[]), (21..45, &["C", "c"]), (45..60, &["lr"])] {
        import(&lake, &runs[part], hot).await;
    }
    for number in [5, 40] {
        runs[number].digest = [255; 16];
        runs[number].params.insert("new".to_owned(), 1.0);
        runs[number].metrics.remove(0);
    }
    let changed = [runs[5].clone(), runs[40].clone()];
    assert_eq!(import(&lake, &changed, &[]).await.replaced, 2);
    let before = latest(&lake).await;
    assert_eq!(before.dead_runs().len(), 2);

    let report = lake.compact().await.unwrap();
    assert_eq!((report.merged, report.segments, report.runs, report.dead_runs), (5, 1, 60, 2));
    let after = latest(&lake).await;
    assert_eq!(after.version(), report.version);
    assert!(!after.has_dead_runs());
    assert_eq!(read_back(&after).await, expected(&runs));
    // 2 of 60 runs have it: too few for a column.
    let hot = ["lr", "C", "c"];
    assert_eq!(after.paths().entries(), path_entries(&runs, &hot));
    assert!(!after.paths().is_hot(PathOwner::Run, "new"));
    for table in Table::ALL {
        assert!(after.table(table).files.len() <= 1);
    }
    // Typed columns say the same as the attributes, also for runs whose segment had no such column.
    for batch in rows(&after, Table::Runs).await {
        let hash = batch["hash"].as_string::<i32>();
        for path in hot {
            let name = column_name(path, ColumnType::Float);
            let values = batch[name.as_str()].as_primitive::<Float64Type>();
            for row in 0..batch.num_rows() {
                let run = runs.iter().find(|run| run.hash == hash.value(row)).unwrap();
                let value = values.is_valid(row).then(|| values.value(row));
                assert_eq!(value, run.params.get(path).copied());
            }
        }
    }
    // Every series begins where it says.
    let points = rows(&after, Table::Points).await;
    let points = arrow::compute::concat_batches(&Table::Points.schema(), &points).unwrap();
    let series_of_points = points["series"].as_primitive::<Int64Type>();
    for batch in rows(&after, Table::Series).await {
        for row in 0..batch.num_rows() {
            let value = |name: &str| batch[name].as_primitive::<Int64Type>().value(row);
            for point in value("first_row")..value("first_row") + value("n") {
                assert_eq!(series_of_points.value(point as usize), value("series"));
            }
        }
    }
    // Once more: nothing to gain. And the old version is still there.
    let again = lake.compact().await.unwrap();
    assert_eq!(again, CompactReport { version: report.version, segments: 1, ..CompactReport::default() });
    assert_eq!(read_back(&lake.snapshot(AsOf::Version(before.version())).await.unwrap()).await, expected(&runs));
    // Importing goes on as before, also of what is there already.
    let outcome = import(&lake, &sample(58, 62), &[]).await;
    assert_eq!((outcome.added, outcome.unchanged, outcome.replaced), (2, 2, 0));
    assert_eq!(lake.history(Some(2)).await.unwrap()[1].operation, "compact");
}

#[tokio::test]
async fn an_import_during_a_compaction_lands() {
    let (store, lake) = memory().await;
    let other = Lake::with_store(store, Path::from("lake")).await.unwrap();
    let mut runs = sample(0, 30);
    for part in runs.chunks(10) {
        import(&lake, part, &["lr"]).await;
    }
    runs[3].digest = [254; 16];
    runs[3].params.insert("changed".to_owned(), 1.0);
    runs.extend(sample(30, 33));
    let mut new = runs[30..].to_vec();
    new.push(runs[3].clone());
    let staged = vec![stage(&other, &new, &[]).await];
    let commit = ImportCommit { staged, ..ImportCommit::default() };
    let (compacted, imported) = futures::join!(lake.compact(), other.commit_import(commit));
    compacted.unwrap();
    let imported = imported.unwrap();
    assert_eq!((imported.added, imported.replaced), (3, 1));
    assert_eq!(read_back(&*latest(&lake).await).await, expected(&runs));
    lake.compact().await.unwrap();
    let snapshot = latest(&lake).await;
    assert_eq!(read_back(&snapshot).await, expected(&runs));
    assert_eq!(snapshot.segments().count(), 1);
}

#[tokio::test]
async fn vacuum_keeps_what_is_needed() {
    let (store, lake) = memory().await;
    let mut runs = sample(0, 20);
    import(&lake, &runs[..10], &["lr"]).await;
    import(&lake, &runs[10..], &["lr"]).await;
    runs[0].digest = [254; 16];
    import(&lake, &runs[..1], &[]).await;
    lake.compact().await.unwrap();
    // An import that never came to its end: its objects, and one table of it in the log.
    let orphan = stage(&lake, &sample(50, 52), &[]).await;
    let loaded = lake.loaded().await.unwrap();
    let add = vec![crate::catalog::log::NewFile { file: orphan.file(Table::Series).unwrap().clone(), dead: vec![] }];
    lake.append_files(&loaded, Table::Series, add).await.unwrap();

    assert_eq!(lake.vacuum(Duration::from_secs(3600)).await.unwrap(), VacuumReport::default());
    assert_eq!(read_back(&lake.snapshot(AsOf::Version(2)).await.unwrap()).await, expected(&sample(0, 20)));

    tokio::time::sleep(Duration::from_millis(5)).await;
    let report = lake.vacuum(Duration::ZERO).await.unwrap();
    // Three segments of five files, one rewritten `runs` and `paths`, the orphan.
    assert_eq!(report.files, 3 * 5 + 2 + 5);
    assert!(report.bytes > 0);
    for table in [Table::Runs, Table::Attributes, Table::Series, Table::Points, Table::Paths] {
        assert_eq!(objects(&store, table).await, 1, "{table}");
    }
    assert_eq!(read_back(&*latest(&lake).await).await, expected(&runs));
    let reopened = Lake::with_store(Arc::clone(&store), Path::from("lake")).await.unwrap();
    assert!(matches!(reopened.snapshot(AsOf::Version(2)).await, Err(Error::MissingFile { .. })));
    assert_eq!(lake.vacuum(Duration::ZERO).await.unwrap(), VacuumReport::default());
    // Numbers of segments are not given twice.
    assert!(reopened.claim_segment().await.unwrap() > orphan.segment);
    let claims: Vec<_> = store.list(Some(&Path::from("lake/_lakeql/segments"))).try_collect().await.unwrap();
    assert_eq!(claims.len(), 2);
    assert_eq!(column(&*latest(&lake).await, Table::Runs, "hash").await.len(), 20);
}

#[tokio::test]
async fn a_damaged_series_is_reported_and_nothing_changes() {
    let (store, lake) = memory().await;
    let runs = sample(1, 9);
    import(&lake, &runs[..4], &[]).await;
    import(&lake, &runs[4..], &[]).await;
    let snapshot = latest(&lake).await;
    let (from, to) = (&snapshot.table(Table::Points).files[1], &snapshot.table(Table::Points).files[0]);
    let bytes = object_store::ObjectStoreExt::get(&store, &from.location).await.unwrap().bytes().await.unwrap();
    object_store::ObjectStoreExt::put(&store, &to.location, bytes.into()).await.unwrap();
    let before = objects(&store, Table::Runs).await;
    assert!(lake.compact().await.is_err());
    assert_eq!(objects(&store, Table::Runs).await, before);
    assert_eq!(latest(&lake).await.version(), 2);
}
