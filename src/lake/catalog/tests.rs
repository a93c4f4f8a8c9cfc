//! Creating, committing, reopening and racing, on the store in memory and in a folder.

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::commit::{CommitOutcome, ImportCommit};
use super::lake::{AsOf, Lake};
use super::log::Change;
use super::paths::PathOwner;
use super::tables::Table;
use super::testing::{TestRun, column, expected, import, latest, path_entries, read_back, stage};
use crate::error::Error;

async fn memory() -> (Arc<dyn ObjectStore>, Lake) {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let lake = Lake::with_store(Arc::clone(&store), Path::from("some/lake")).await.unwrap();
    (store, lake)
}

fn sample(from: i64, to: i64) -> Vec<TestRun> {
    (from..to)
        .map(|number| {
            let run = TestRun::new(&format!("run{number:03}"), number * 1000).param("hparams.lr", number as f64);
            let run = if number % 3 == 0 { run.param("hparams.C", 1.0).param("rare", 2.0) } else { run };
            run.metric("loss", "val", &[0.5; 3]).metric("loss", "train", &[number as f64, 1.0]).metric(
                "acc",
                "val",
                &[],
            )
        })
        .collect()
}

#[tokio::test]
async fn an_empty_lake_has_all_tables_and_no_rows() {
    let (store, lake) = memory().await;
    let snapshot = latest(&lake).await;
    assert_eq!(snapshot.version(), 0);
    assert_eq!(snapshot.table_infos().iter().map(|table| table.rows).sum::<u64>(), 0);
    assert_eq!(snapshot.tables().count(), Table::ALL.len());
    // A second creation changes nothing.
    let again = Lake::with_store(store, Path::from("some/lake")).await.unwrap();
    assert_eq!(again.version().await.unwrap(), 0);
}

#[tokio::test]
async fn nothing_is_there_before_it_is_created() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("none").display().to_string();
    assert!(matches!(Lake::open(&url).await, Err(Error::NotFound { url: shown }) if shown == url));
    assert!(!folder.path().join("none").exists());
}

#[tokio::test]
async fn what_is_committed_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("a lake").display().to_string();
    let lake = Lake::open_or_create(&url).await.unwrap();
    let runs = sample(0, 10);
    let outcome = import(&lake, &runs[..6], &["hparams.lr", "hparams.C"]).await;
    assert_eq!(outcome, CommitOutcome { version: 1, added: 6, ..CommitOutcome::default() });
    assert_eq!(import(&lake, &runs[6..], &["hparams.lr"]).await.version, 2);

    let lake = Lake::open(&url).await.unwrap();
    let snapshot = latest(&lake).await;
    assert_eq!(snapshot.version(), 2);
    assert_eq!(read_back(&snapshot).await, expected(&runs));
    let typed: Vec<_> = snapshot.table(Table::Runs).typed_columns().map(|(_, path, _)| path).collect();
    assert_eq!(typed, ["hparams.lr", "hparams.C"]);
    let lr = snapshot.paths().get(PathOwner::Run, "hparams.lr");
    assert_eq!((lr.len(), lr[0].count), (1, 10));
    assert!(snapshot.paths().is_hot(PathOwner::Run, "hparams.lr"));
    assert!(!snapshot.paths().is_hot(PathOwner::Run, "hparams.C"), "the second segment has runs with it");
    let file = &snapshot.table(Table::Series).files[0];
    assert_eq!(file.stats.texts("name"), Some(("acc", "loss")));
    assert_eq!(file.stats.ints("series"), Some((file.segment().ordinal(0), file.segment().ordinal(17))));
    let known: Vec<_> = snapshot.known_runs().try_collect().await.unwrap();
    assert_eq!(known.len(), 10);
    assert_eq!(known[0].key.hash, "run005");

    let before = lake.snapshot(AsOf::Version(1)).await.unwrap();
    assert_eq!(read_back(&before).await, expected(&runs[..6]));
    assert_eq!(before.paths().get(PathOwner::Run, "hparams.lr")[0].count, 6);
    assert_eq!(lake.snapshot(AsOf::Time(before.time())).await.unwrap().version(), 1);
    assert_eq!(lake.snapshot(AsOf::Time(chrono::Utc::now())).await.unwrap().version(), 2);
    let long_ago = lake.snapshot(AsOf::Time(chrono::DateTime::UNIX_EPOCH)).await;
    assert!(matches!(long_ago, Err(Error::NoSuchVersion { .. })));
    assert!(matches!(lake.snapshot(AsOf::Version(3)).await, Err(Error::NoSuchVersion { .. })));
    let history = lake.history(None).await.unwrap();
    let shown: Vec<_> = history.iter().map(|it| (it.version, it.operation.as_str(), it.runs_added)).collect();
    assert_eq!(shown, [(2, "import test", 4), (1, "import test", 6), (0, "create", 0)]);
}

#[tokio::test]
async fn two_writers_from_one_version_both_land() {
    let (store, lake) = memory().await;
    let other = Lake::with_store(store, Path::from("some/lake")).await.unwrap();
    let runs = sample(0, 12);
    let first = stage(&lake, &runs[..6], &["hparams.lr"]).await;
    let second = stage(&other, &runs[6..], &["hparams.C"]).await;
    assert_ne!(first.segment, second.segment);
    let commit = |staged| ImportCommit { staged: vec![staged], ..ImportCommit::default() };
    let done = futures::join!(lake.commit_import(commit(first)), other.commit_import(commit(second)));
    let mut versions = [done.0.unwrap().version, done.1.unwrap().version];
    versions.sort_unstable();
    assert_eq!(versions, [1, 2]);
    assert_eq!(read_back(&*latest(&lake).await).await, expected(&runs));
    assert_eq!(latest(&other).await.table(Table::Runs).typed_columns().count(), 2);
}

#[tokio::test]
async fn two_imports_of_the_same_runs_give_one_of_each() {
    let (store, lake) = memory().await;
    let other = Lake::with_store(store, Path::from("some/lake")).await.unwrap();
    let runs = sample(0, 8);
    let first = stage(&lake, &runs[..6], &["hparams.lr"]).await;
    let second = stage(&other, &runs[4..], &["hparams.lr"]).await;
    let third = stage(&other, &runs[..2], &["hparams.lr"]).await;
    let commit = |staged| ImportCommit { staged, ..ImportCommit::default() };
    assert_eq!(lake.commit_import(commit(vec![first])).await.unwrap().added, 6);
    let outcome = other.commit_import(commit(vec![second])).await.unwrap();
    assert_eq!(outcome, CommitOutcome { version: 2, added: 2, replaced: 0, unchanged: 2 });
    // Nothing new at all: no version.
    let outcome = other.commit_import(commit(vec![third])).await.unwrap();
    assert_eq!(outcome, CommitOutcome { version: 2, added: 0, replaced: 0, unchanged: 2 });
    let snapshot = latest(&lake).await;
    assert_eq!(snapshot.dead_runs().len(), 2);
    assert_eq!(read_back(&snapshot).await, expected(&runs));
    let entries = path_entries(&runs, &["hparams.lr"]);
    assert_eq!(snapshot.paths().entries(), entries);
}

#[tokio::test]
async fn changed_runs_replace_the_old_ones() {
    let (_, lake) = memory().await;
    let mut runs = sample(0, 9);
    import(&lake, &runs, &["hparams.lr"]).await;
    for (round, number) in [(1, 3usize), (2, 3), (3, 0)] {
        runs[number].digest = [200 + round; 16];
        runs[number].params.insert(format!("round{round}"), 1.0);
        runs[number].metrics.pop();
        let outcome = import(&lake, &runs[number..=number], &[]).await;
        assert_eq!((outcome.replaced, outcome.added), (1, 0));
        let snapshot = latest(&lake).await;
        assert_eq!(read_back(&snapshot).await, expected(&runs), "round {round}");
        let counts = |entries: &[super::paths::PathEntry]| -> Vec<(String, u64)> {
            entries.iter().map(|entry| (entry.path.clone(), entry.count)).collect()
        };
        assert_eq!(counts(snapshot.paths().entries()), counts(&path_entries(&runs, &[])));
    }
    // The second change left nothing of the segment of the first, so two segments of changes are live.
    let snapshot = latest(&lake).await;
    assert_eq!(snapshot.segments().count(), 3);
    assert_eq!(snapshot.dead_runs().len(), 2);
    // The version before any change is still there.
    assert_eq!(read_back(&lake.snapshot(AsOf::Version(1)).await.unwrap()).await, expected(&sample(0, 9)));
}

#[tokio::test]
async fn a_run_dropped_by_its_own_import_is_not_seen() {
    let (_, lake) = memory().await;
    let runs = sample(0, 4);
    let mut staged = stage(&lake, &runs, &[]).await;
    // Rows lie newest first.
    staged.dropped = vec![0];
    let outcome = lake.commit_import(ImportCommit { staged: vec![staged], ..Default::default() }).await.unwrap();
    assert_eq!(outcome.added, 3);
    assert_eq!(read_back(&*latest(&lake).await).await, expected(&runs[..3]));
}

#[tokio::test]
async fn an_import_that_dies_half_way_is_not_seen() {
    let (store, lake) = memory().await;
    let runs = sample(0, 6);
    import(&lake, &runs[..3], &[]).await;
    let staged = stage(&lake, &runs[3..], &["rare"]).await;
    // Everything but `runs` is committed, then the process is gone.
    let loaded = lake.loaded().await.unwrap();
    for table in Table::COMMIT_ORDER.into_iter().filter(|table| *table != Table::Runs) {
        let add = staged.file(table).map(|file| super::log::NewFile { file: file.clone(), dead: Vec::new() });
        lake.append_files(&loaded, table, add.into_iter().collect()).await.unwrap();
    }
    let lake = Lake::with_store(store, Path::from("some/lake")).await.unwrap();
    assert_eq!(read_back(&*latest(&lake).await).await, expected(&runs[..3]));
    // The next import moves the other tables on past the orphans, which stay invisible.
    import(&lake, &runs[5..], &[]).await;
    let alive: Vec<_> = runs[..3].iter().chain(&runs[5..]).cloned().collect();
    let snapshot = latest(&lake).await;
    assert_eq!(read_back(&snapshot).await, expected(&alive));
    assert_eq!(column(&snapshot, Table::Attributes, "path").await.iter().filter(|path| *path == "rare").count(), 1);
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let (store, lake) = memory().await;
    import(&lake, &sample(0, 2), &[]).await;
    let path = Path::from("some/lake/runs/_delta_log/00000000000000000001.json");
    let text = store.get(&path).await.unwrap().bytes().await.unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    let newer = text.replace(r#""appId":"lakeql/format","version":2"#, r#""appId":"lakeql/format","version":3"#);
    assert_ne!(text, newer);
    store.put(&path, newer.into()).await.unwrap();
    let refused = Lake::with_store(Arc::clone(&store), Path::from("some/lake")).await;
    assert!(matches!(refused, Err(Error::NewerFormat { .. })), "{refused:?}");

    let newer = format!("{text}\n{}", r#"{"protocol":{"minReaderVersion":9,"minWriterVersion":9}}"#);
    store.put(&path, newer.into()).await.unwrap();
    let refused = Lake::with_store(store, Path::from("some/lake")).await;
    assert!(matches!(refused, Err(Error::NewerFormat { .. })), "{refused:?}");
}

#[tokio::test]
async fn many_versions_are_checkpointed_and_reopened() {
    let (store, lake) = memory().await;
    let runs = sample(0, 25);
    for run in &runs {
        import(&lake, std::slice::from_ref(run), &["hparams.lr"]).await;
    }
    let checkpoint = Path::from("some/lake/runs/_delta_log/00000000000000000020.checkpoint.parquet");
    store.head(&checkpoint).await.unwrap();
    let lake = Lake::with_store(store, Path::from("some/lake")).await.unwrap();
    assert_eq!(read_back(&*latest(&lake).await).await, expected(&runs));
    assert_eq!(read_back(&lake.snapshot(AsOf::Version(21)).await.unwrap()).await, expected(&runs[..21]));
}

#[tokio::test]
async fn a_deleted_file_is_named() {
    let (store, lake) = memory().await;
    import(&lake, &sample(0, 2), &[]).await;
    let location = latest(&lake).await.table(Table::Runs).files[0].location.clone();
    store.delete(&location).await.unwrap();
    let missing = latest(&lake).await.known_runs().try_collect::<Vec<_>>().await;
    assert!(matches!(missing, Err(Error::MissingFile { path }) if path == location.as_ref()));
}

#[tokio::test]
async fn commits_of_runs_do_not_pass_each_other() {
    let (store, lake) = memory().await;
    let other = Lake::with_store(store, Path::from("some/lake")).await.unwrap();
    let (mine, theirs) = (lake.loaded().await.unwrap(), other.loaded().await.unwrap());
    let change = Change { pins: Some(mine.pins.clone()), ..Change::default() };
    assert_eq!(lake.commit_runs(&mine, change.clone()).await.unwrap(), 1);
    assert!(matches!(other.commit_runs(&theirs, change).await, Err(Error::Conflict { .. })));
}
