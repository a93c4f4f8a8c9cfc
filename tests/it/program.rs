//! The built program, run on a lake in a temporary folder.

use crate::support::{rows, session};
use lakeql::{AsOf, Lake, Session, Settings, Shape};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_lakeql");

/// A folder of its own, with a lake in `lake` once something is imported.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// What a run of the program has said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs, sequences and points of a lake as SQL counts them.
pub(crate) type Totals = (i64, i64, i64);

/// Waits for work on the library inside of a test that runs programs.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The lake's folder.
    pub(crate) fn lake(&self) -> PathBuf {
        self.path("lake")
    }

    /// Writes a file into the folder and gives its name back.
    pub(crate) fn write<'a>(&self, name: &'a str, bytes: impl AsRef<[u8]>) -> &'a str {
        std::fs::write(self.path(name), bytes).unwrap();
        name
    }

    /// The program in this folder, with nothing of the caller's environment that it looks at.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.folder.path()).args(arguments).stdin(Stdio::null());
        for name in ["LAKEQL_LAKE", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Said {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs the program, which must succeed, and gives its answer.
    pub(crate) fn ok<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(0), "{}", said.err);
        said.out
    }

    /// Runs the program, which must fail by the rules: exit code 1, a message on stderr, no panic, and the lake stays as
    /// it was. Gives the message.
    pub(crate) fn fails<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        let before = self.version();
        let said = self.run(arguments);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(!said.err.trim().is_empty() && !said.err.contains("panicked"), "{}", said.err);
        assert_eq!(self.version(), before, "the lake has changed");
        said.err
    }

    /// Imports a file that is all right.
    pub(crate) fn import(&self, file: &str) {
        self.ok(["import", "aim", file]);
    }

    /// An AimQL answer, one object a row.
    pub(crate) fn aim(&self, text: &str, flags: &[&str]) -> Vec<Value> {
        self.query("aim", text, flags)
    }

    /// An SQL answer, one object a row.
    pub(crate) fn sql(&self, text: &str) -> Vec<Value> {
        self.query("sql", text, &[])
    }

    fn query(&self, lang: &str, text: &str, flags: &[&str]) -> Vec<Value> {
        let arguments = ["query", "--lang", lang, text].into_iter().chain(flags.iter().copied());
        json_lines(&self.ok(arguments))
    }

    /// The newest version, if there is a lake that can be opened.
    pub(crate) fn version(&self) -> Option<u64> {
        wait(async { Lake::open(self.lake().to_str()?).await.ok()?.version().await.ok() })
    }

    /// What the lake holds.
    pub(crate) fn totals(&self) -> Totals {
        wait(async {
            let lake = Lake::open(self.lake().to_str().unwrap()).await.unwrap();
            totals(&session(&lake).await).await
        })
    }

    /// What the lake held.
    pub(crate) fn totals_at(&self, version: u64) -> Totals {
        wait(async {
            let builder = Session::builder(self.lake().to_str().unwrap()).as_of(AsOf::Version(version));
            totals(&builder.build().await.unwrap()).await
        })
    }

    /// Files of a table, in the order of their names.
    pub(crate) fn files(&self, folder: &str, ending: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.lake().join(folder)).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.to_string_lossy().ends_with(ending));
        files.sort();
        files
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// The rows of `jsonl`.
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Counts by SQL; points are counted in their own table, not by what the sequences say.
async fn totals(session: &Session) -> Totals {
    let (settings, shape) = (Settings::default(), Shape::default());
    let mut counts = vec![];
    for table in ["runs", "series", "points"] {
        let text = format!("select count(*) as n from {table}");
        let answer = rows(session, &text, "sql", &settings, &shape).await.unwrap();
        counts.push(answer[0]["n"].as_i64().unwrap());
    }
    (counts[0], counts[1], counts[2])
}

/// A line of an export: a run that began so many seconds after 2024 did, with these parameters and sequences.
pub(crate) fn run_line(hash: &str, second: u32, params: &Value, metrics: &Value) -> String {
    let created_at = format!("2024-01-01T{:02}:{:02}:{:02}.000000Z", second / 3600, second / 60 % 60, second % 60);
    let run = serde_json::json!({
        "hash": hash, "created_at": created_at, "end_time": 1_704_067_200.0 + f64::from(second) + 60.0,
        "params": params, "metrics": metrics,
    });
    format!("{run}\n")
}

/// A metric sequence with these values at steps 0, 1, 2 …
pub(crate) fn metric(name: &str, context: &Value, values: &[f64]) -> Value {
    serde_json::json!({
        "name": name, "context": context, "dtype": "float", "version": 2,
        "first": values[0], "last": values[values.len() - 1], "first_step": 0, "last_step": values.len() - 1,
        "steps": (0..values.len()).collect::<Vec<_>>(), "values": values,
    })
}
