//! Imports of small catalogues.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::memory::InMemory;

use super::{CatalogueReport, import_metacat};
use crate::catalog::lake::{AsOf, Lake};
use crate::catalog::tables::Table;
use crate::ingest::ImportOptions;

async fn lake() -> Lake {
    Lake::with_store(Arc::new(InMemory::new()), "lake".into()).await.unwrap()
}

async fn import(lake: &Lake, text: &str) -> crate::error::Result<CatalogueReport> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("all.jsonl"), text).unwrap();
    import_metacat(lake, &[folder.path().to_owned()], &ImportOptions::default(), &|_| {}).await
}

fn file(fid: &str, name: &str, metadata: &str) -> String {
    format!(
        r#"{{"fid":"{fid}","namespace":"n","name":"{name}","size":1,"metadata":{metadata},"created_timestamp":1.5,"retired":false,"datasets":[{{"namespace":"n","name":"d"}}],"parents":[]}}"#
    )
}

async fn rows(lake: &Lake, table: Table) -> u64 {
    lake.snapshot(AsOf::Latest).await.unwrap().table(table).rows()
}

#[tokio::test]
async fn the_corpus_comes_in_exactly_once() {
    let lake = lake().await;
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/gold/mql/dataset");
    let first = import_metacat(&lake, std::slice::from_ref(&folder), &ImportOptions::default(), &|_| {}).await.unwrap();
    assert_eq!((first.added, first.datasets, first.queries, first.bad), (318, 53, 11, 0));
    assert_eq!((rows(&lake, Table::Files).await, rows(&lake, Table::Datasets).await), (318, 53));
    let second = import_metacat(&lake, &[folder], &ImportOptions::default(), &|_| {}).await.unwrap();
    assert_eq!((second.added, second.unchanged), (0, 318));
    assert_eq!((rows(&lake, Table::Files).await, rows(&lake, Table::Datasets).await), (318, 53));
}

#[tokio::test]
async fn changed_files_replace_old_ones() {
    let lake = lake().await;
    let (a, b) = (file("a", "1", "{}"), file("b", "2", "{}"));
    import(&lake, &format!("{a}\n\u{1e}{b}\n")).await.unwrap();
    let changed = file("a", "1", r#"{"x.y":5}"#);
    let report = import(&lake, &format!("{changed}\n{b}\n")).await.unwrap();
    assert_eq!((report.added, report.replaced, report.unchanged), (0, 1, 1));
    assert_eq!(rows(&lake, Table::Files).await, 2);
    // The same id twice in one import: the last line counts.
    let again = file("a", "1", r#"{"x.y":6}"#);
    let report = import(&lake, &format!("{again}\n{changed}\n")).await.unwrap();
    assert_eq!((report.replaced, report.superseded), (1, 1));
    assert_eq!(rows(&lake, Table::Files).await, 2);
}

#[tokio::test]
async fn mistakes_name_their_line() {
    let lake = lake().await;
    for (text, reason) in [
        (format!("{}\n{}", file("a", "1", "{}"), file("b", "1", "{}")), "n:1 is the name of two files, a and b"),
        ("[1]".to_owned(), "not a JSON object"),
        (r#"{"x":1}"#.to_owned(), "neither a file"),
        (file("a", "1", "[]"), "metadata"),
    ] {
        let error = import(&lake, &text).await.unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("line"), "{error}");
    }
    assert_eq!(rows(&lake, Table::Files).await, 0);
}
