//! What several tests need.

use futures::TryStreamExt;
use lakeql::{Error, Lake, Session, Settings, Shape};
use lakeql_lake::AsOf;
use lakeql_lake::ingest::ImportOptions;
use lakeql_lake::ingest::aim::import_aim;
use lakeql_query::diagnostic::render;
use lakeql_query::source::Source;
use object_store::memory::InMemory;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file below the repository's root.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// An empty lake in memory.
pub(crate) async fn empty_lake() -> Lake {
    Lake::with_store(Arc::new(InMemory::new()), object_store::path::Path::from("lake")).await.unwrap()
}

/// A lake in memory that holds these exports.
pub(crate) async fn lake_of(files: &[&str]) -> Lake {
    let lake = empty_lake().await;
    let files: Vec<_> = files.iter().map(|file| repository(file)).collect();
    import_aim(&lake, &files, &ImportOptions::default(), &|_| {}).await.unwrap();
    lake
}

/// A session over the newest version.
pub(crate) async fn session(lake: &Lake) -> Session {
    Session::of_snapshot(lake.snapshot(AsOf::Latest).await.unwrap()).unwrap()
}

/// All rows of an answer as JSON objects, one a line of `jsonl`.
pub(crate) async fn rows(
    session: &Session,
    text: &str,
    lang: &str,
    settings: &Settings,
    shape: &Shape,
) -> lakeql::Result<Vec<serde_json::Value>> {
    rows_of(session.query(&Source::query(text), lang, settings, shape).await?).await
}

/// All rows of this answer likewise.
pub(crate) async fn rows_of(results: lakeql::Results) -> lakeql::Result<Vec<serde_json::Value>> {
    let (schema, buffer) = (results.schema.clone(), Buffer::default());
    let options = lakeql::output::EncodeOptions::default();
    let mut encoder =
        lakeql::output::encoder(lakeql::output::Format::Jsonl, schema, &options, Box::new(buffer.clone())).unwrap();
    let batches: Vec<_> = results.stream.try_collect().await?;
    for batch in &batches {
        encoder.write(batch).unwrap();
    }
    encoder.finish().unwrap();
    let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
    Ok(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// A sink that can be looked into afterwards.
#[derive(Clone, Default)]
struct Buffer(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a query that must be refused is told. Wherever it points, that is in the text and between characters.
pub(crate) fn told<T>(name: &str, source: &Source, answer: Result<T, Error>) -> String {
    let found = match answer {
        Err(Error::Query(found)) => found,
        Err(other) => panic!("{name}: not a diagnostic: {other}"),
        Ok(_) => panic!("{name}: accepted"),
    };
    for diagnostic in &found {
        let text = &diagnostic.within.as_deref().unwrap_or(source).text;
        for label in &diagnostic.labels {
            assert!(text.get(label.span.range()).is_some(), "{name}: {label:?}");
        }
    }
    found.iter().map(|diagnostic| render(diagnostic, source, false)).collect::<Vec<_>>().join("\n")
}

/// Compares what a wrong query is told with `tests/errors/FOLDER/NAME.snap`.
pub(crate) fn assert_told(folder: &str, name: &str, told: &str) {
    assert!(told.starts_with("error: "), "{name}: {told}");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("../errors/{folder}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // Seen at the end of the line, blanks mean nothing; in a file they only make differences.
    let told: Vec<_> = told.lines().map(str::trim_end).collect();
    settings.bind(|| insta::assert_snapshot!(name, told.join("\n")));
}
