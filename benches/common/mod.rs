//! The lake that the benches ask, made once below `target/bench`.
#![allow(dead_code, reason = "every bench uses its part")]
#![allow(clippy::unwrap_used, reason = "a bench may fail loudly")]

use lakeql::{AsOf, Lake, Session, Settings, Shape};
use lakeql_datasets::{Answer, ExperimentSpec, write_experiments};
use lakeql_lake::ingest::{ImportOptions, aim::import_aim};
use lakeql_query::source::Source;
use std::path::PathBuf;
use tokio::runtime::Runtime;

/// A lake and what is known of it.
pub(crate) struct Bench {
    pub(crate) runtime: Runtime,
    pub(crate) session: Session,
    pub(crate) answers: Vec<Answer>,
}

/// The shape of the lake: 100,000 runs unless `LAKEQL_BENCH_RUNS` says otherwise.
pub(crate) fn spec() -> ExperimentSpec {
    let runs = std::env::var("LAKEQL_BENCH_RUNS").ok().and_then(|runs| runs.parse().ok());
    ExperimentSpec { runs: runs.unwrap_or(100_000), ..ExperimentSpec::default() }
}

/// Where builds and what benches make are kept.
pub(crate) fn target() -> PathBuf {
    std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into()).into()
}

/// A folder of this shape.
pub(crate) fn folder() -> PathBuf {
    let folder = target().join(format!("bench/experiments-{}", spec().runs));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The export of the lake; written if it is not there yet.
pub(crate) fn export() -> (PathBuf, Vec<Answer>) {
    let file = folder().join("runs.jsonl");
    let summary = if file.exists() {
        write_experiments(&spec(), &mut std::io::sink()).unwrap()
    } else {
        let mut out = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
        write_experiments(&spec(), &mut out).unwrap()
    };
    (file, summary.answers)
}

/// The lake, imported if it is not there yet.
pub(crate) fn open() -> Bench {
    let runtime = Runtime::new().unwrap();
    let (file, answers) = export();
    let url = folder().join("lake").to_string_lossy().into_owned();
    let session = runtime.block_on(async {
        let lake = Lake::open_or_create(&url).await.unwrap();
        if lake.snapshot(AsOf::Latest).await.unwrap().table(lakeql::Table::Runs).rows() == 0 {
            import_aim(&lake, &[file], &ImportOptions::default(), &|_| {}).await.unwrap();
        }
        Session::of_snapshot(lake.snapshot(AsOf::Latest).await.unwrap()).unwrap()
    });
    Bench { runtime, session, answers }
}

impl Bench {
    /// Asks a query and counts its rows.
    pub(crate) fn count(&self, text: &str, lang: &str, entity: &str, shape: &Shape) -> u64 {
        let settings = Settings { entity: Some(entity.into()), ..Settings::default() };
        self.runtime.block_on(async {
            let results = self.session.query(&Source::query(text), lang, &settings, shape).await.unwrap();
            results.collect().await.unwrap().iter().map(|batch| batch.num_rows() as u64).sum()
        })
    }
}
