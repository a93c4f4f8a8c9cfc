use super::*;
use crate::error::Error;
use crate::storage::url::Place;
use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::prelude::SessionContext;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use std::sync::Arc;

fn file(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
    let mut bytes = vec![];
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn ints(name: &str, values: &[i64]) -> Vec<u8> {
    file(vec![(name, Arc::new(Int64Array::from(values.to_vec())))])
}

async fn store(files: &[(&str, Vec<u8>)]) -> Arc<dyn ObjectStore> {
    let store = InMemory::new();
    for (path, bytes) in files {
        store.put(&Path::from(*path), bytes.clone().into()).await.unwrap();
    }
    Arc::new(store)
}

/// The files that a pattern names below `data`, or `data` itself if it is empty.
async fn find(store: &Arc<dyn ObjectStore>, pattern: &str) -> Result<Located, Error> {
    let place = Place::with_store(Arc::clone(store), Path::from("data"), "data").unwrap();
    let patterns = match pattern {
        "" => vec![],
        pattern => super::glob::without_braces(pattern).unwrap(),
    };
    Located::find_at(&place, "data", &patterns).await
}

fn names(located: &Located) -> Vec<&str> {
    located.files.iter().map(|file| file.location.as_ref()).collect()
}

async fn open(located: &Located) -> Result<(PlainTable, SessionContext), Error> {
    let context = SessionContext::new();
    let url = ObjectStoreUrl::parse("plain://0/").unwrap();
    context.register_object_store(url.as_ref(), Arc::clone(&located.store));
    let footers = context.runtime_env().cache_manager.get_file_metadata_cache();
    Ok((PlainTable::open("data", located, url, &footers).await?, context))
}

async fn sql(located: &Located, text: &str) -> String {
    let (table, context) = open(located).await.unwrap();
    context.register_table("data", Arc::new(table)).unwrap();
    let batches = context.sql(text).await.unwrap().collect().await.unwrap();
    let options = arrow::util::display::FormatOptions::default().with_null("null");
    let mut rows = vec![];
    for batch in &batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| arrow::util::display::ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            rows.push(columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(","));
        }
    }
    rows.join(" ")
}

#[tokio::test]
async fn patterns_and_folders_name_files() {
    let empty = Vec::new;
    let store = store(&[
        ("data/a.parquet", empty()),
        ("data/b.PARQUET", empty()),
        ("data/c.txt", empty()),
        ("data/_tmp/x.parquet", empty()),
        ("data/.hidden.parquet", empty()),
        ("data/deep/er/d.pq", empty()),
        ("data/deep/er/e.parq", empty()),
        ("database/f.parquet", empty()),
    ])
    .await;
    for (pattern, expected) in [
        ("", &["data/a.parquet", "data/b.PARQUET", "data/deep/er/d.pq", "data/deep/er/e.parq"][..]),
        ("*", &["data/a.parquet", "data/b.PARQUET", "data/c.txt", "data/deep/er/d.pq", "data/deep/er/e.parq"]),
        ("*.parquet", &["data/a.parquet"]),
        ("{c,a}.*", &["data/a.parquet", "data/c.txt"]),
        ("c.txt", &["data/c.txt"]),
        ("deep", &["data/deep/er/d.pq", "data/deep/er/e.parq"]),
        ("**/*.pa*", &["data/a.parquet", "data/deep/er/e.parq"]),
        ("**", &["data/a.parquet", "data/b.PARQUET", "data/deep/er/d.pq", "data/deep/er/e.parq"]),
        ("*/er/*.pq", &["data/deep/er/d.pq"]),
        ("_tmp/*", &["data/_tmp/x.parquet"]),
    ] {
        assert_eq!(names(&find(&store, pattern).await.unwrap()), expected, "{pattern}");
    }
    for nothing in ["*.csv", "no/*.parquet", "no", "?"] {
        assert!(matches!(find(&store, nothing).await, Err(Error::NoFiles { .. })), "{nothing}");
    }
}

#[tokio::test]
async fn folders_that_are_something_else_are_explained() {
    let delta = store(&[("data/_delta_log/0.json", vec![]), ("data/a.parquet", vec![])]).await;
    let error = find(&delta, "").await.unwrap_err().to_string();
    assert!(error.contains("Delta table"), "{error}");
    assert_eq!(names(&find(&delta, "*.parquet").await.unwrap()), ["data/a.parquet"]);
    let texts = store(&[("data/a.csv", vec![])]).await;
    let error = find(&texts, "").await.unwrap_err().to_string();
    assert!(error.contains(".parquet"), "{error}");
}

#[tokio::test]
async fn exports_are_recognised() {
    let hash = "0123456789abcdef";
    let parts = [format!("data/p/run-1-{hash}_part_0.parquet"), format!("data/p/run-1-{hash}_part_10.parquet")];
    let export = store(&[(&parts[0], vec![]), (&parts[1], vec![])]).await;
    assert!(find(&export, "").await.unwrap().is_neptune_export());
    for other in ["data/a.parquet", "data/part_0.parquet", "data/x-0123_part_0.parquet"] {
        let other = store(&[(other, vec![])]).await;
        assert!(!find(&other, "").await.unwrap().is_neptune_export());
    }
}

#[tokio::test]
async fn files_are_one_table() {
    let store = store(&[
        ("data/y=2024/a.parquet", ints("n", &[1, 2])),
        (
            "data/y=2025/b.parquet",
            file(vec![("t", Arc::new(StringArray::from(vec!["x"]))), ("n", Arc::new(Int32Array::from(vec![Some(3)])))]),
        ),
    ])
    .await;
    let located = find(&store, "").await.unwrap();
    assert_eq!(sql(&located, "select * from data order by n").await, "1,null,2024 2,null,2024 3,x,2025");
    assert_eq!(sql(&located, "select count(*) from data where y = 2025").await, "1");
    assert_eq!(sql(&located, "select n from data where n >= 2 and t is null").await, "2");
    let (table, _) = open(&located).await.unwrap();
    assert_eq!((table.rows(), table.files()), (3, 2));
    let narrow = table.narrowed(|name| name == "t");
    let columns: Vec<_> = narrow.schema().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(columns, ["t", "y"]);
}

#[tokio::test]
async fn a_table_may_have_no_rows() {
    let store = store(&[("data/a.parquet", ints("n", &[]))]).await;
    let located = find(&store, "").await.unwrap();
    assert_eq!(sql(&located, "select count(*), max(n) from data").await, "0,null");
}

#[tokio::test]
async fn files_that_do_not_fit_are_named() {
    let store = store(&[
        ("data/a.parquet", ints("n", &[1])),
        ("data/b.parquet", file(vec![("n", Arc::new(Float64Array::from(vec![1.0])))])),
    ])
    .await;
    let error = open(&find(&store, "").await.unwrap()).await.map(|_| ()).unwrap_err().to_string();
    for word in ["data/b.parquet", "data/a.parquet", "`n`", "Int64", "Float64"] {
        assert!(error.contains(word), "{error}");
    }
}

#[tokio::test]
async fn broken_files_are_named() {
    let good = ints("n", &[1, 2, 3]);
    let cut = good.get(..good.len() - 10).unwrap().to_vec();
    let mut damaged = good.clone();
    // The length of the footer stands before the last four bytes.
    let at = damaged.len() - 6;
    damaged[at] = 0x7f;
    for (bytes, expected) in [
        (vec![], "it is empty"),
        (b"a,b\n1,2\n".to_vec(), "it is not a Parquet file"),
        (b"PAR1".to_vec(), "it is cut off"),
        (b"PAR1\0\0\0\0PAR1".to_vec(), "its footer cannot be read"),
        (cut, "it is cut off"),
        (damaged, "cannot be read"),
    ] {
        let store = store(&[("data/a.parquet", good.clone()), ("data/b.parquet", bytes)]).await;
        let error = open(&find(&store, "").await.unwrap()).await.map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Data { .. }), "{error:?}");
        let error = error.to_string();
        assert!(error.starts_with("data/b.parquet: ") && error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn local_files_are_found_by_their_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    std::fs::create_dir(path("a b")).unwrap();
    for name in ["a b/one.parquet", "a b/two%20.parquet", "a b/[3].parquet", "data.bin"] {
        std::fs::write(path(name), ints("n", &[1])).unwrap();
    }
    for (from, files) in [
        (path("a b"), 3),
        (path("a b/"), 3),
        (path("a b/*"), 3),
        (path("a b/*%*.parquet"), 1),
        (path("a b/[3].parquet"), 1),
        (path("*/{one,[[]3[]]}.parquet"), 2),
        (path("data.bin"), 1),
        (format!("file://{}", path("data.bin")), 1),
        (format!("file://{}/*/*.parquet", folder.path().display()), 3),
    ] {
        let located = Located::find(&from).await.unwrap();
        assert_eq!(located.files.len(), files, "{from}");
        assert_eq!(open(&located).await.unwrap().0.rows(), files as u64, "{from}");
    }
    for nothing in [path("none.parquet"), path("*.parquet"), path("none/*.parquet"), path("a b/none/**")] {
        assert!(matches!(Located::find(&nothing).await, Err(Error::NoFiles { .. })), "{nothing}");
    }
    for wrong in ["", " ", "ftp://x/y", "https://host/a.parquet?x=1", "a{b", "x/[a", "x/a**"] {
        let error = Located::find(wrong).await.unwrap_err();
        assert!(matches!(error, Error::From { .. }), "{wrong}: {error:?}");
    }
}
