//! External filters: programs that are named in the configuration.

use crate::gold::mql::catalogue_lake;
use crate::support::{repository, rows};
use lakeql::{Error, FilterProgram, FilterPrograms, Session, Settings, Shape};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// A shell script as a filter. Its first argument is the JSON.
fn script(text: &str) -> FilterProgram {
    FilterProgram {
        command: ["sh", "-c", text].map(str::to_owned).to_vec(),
        folder: None,
        timeout: Duration::from_secs(20),
        memory_bytes: None,
        columns: ["fid", "name", "size", "s.n"].map(str::to_owned).to_vec(),
    }
}

/// A lake on disk and a session that knows these programs.
async fn session(folder: &tempfile::TempDir, programs: Vec<(&str, FilterProgram)>) -> Session {
    let url = catalogue_lake(folder).await;
    let programs: BTreeMap<String, FilterProgram> =
        programs.into_iter().map(|(name, it)| (name.to_owned(), it)).collect();
    Session::builder(&url).filters(FilterPrograms(programs)).build().await.unwrap()
}

async fn names(session: &Session, text: &str) -> Result<Vec<String>, String> {
    match rows(session, text, "mql", &Settings::default(), &Shape::default()).await {
        Ok(rows) => Ok(rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()),
        Err(Error::Query(found)) => {
            assert!(!found[0].labels.is_empty(), "{:?} points nowhere", found[0]);
            Err(found[0].message.clone())
        }
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_take_and_give_streams() {
    let folder = tempfile::tempdir().unwrap();
    let call = folder.path().join("call.json");
    let marked = folder.path().join("ran");
    let programs = vec![
        ("same", script("cat")),
        ("told", script(&format!("printf %s \"$0\" > {}; cat", call.display()))),
        ("deaf", script("exec 0<&-; exit 0")),
        ("broken", script("cat > /dev/null; echo 'no such luck' >&2; exit 3")),
        ("chatty", script("echo hello; cat")),
        ("slow", FilterProgram { timeout: Duration::from_millis(200), ..script("sleep 30") }),
        ("killed", script("kill -9 $$")),
        ("large", FilterProgram { memory_bytes: Some(64 << 20), ..script("ulimit -v; exit 7") }),
        ("missing", FilterProgram { command: vec!["/no/such/program".into()], ..script("") }),
        ("column", FilterProgram { columns: vec!["nosuch.column".into()], ..script("cat") }),
        ("other", script(&format!("touch {}; cat", marked.display()))),
    ];
    let session = session(&folder, programs).await;
    let all = names(&session, "files from s:A ordered").await.unwrap();
    assert_eq!(all.len(), 6);
    // Order goes in and comes out, and a filter is a set like any other.
    assert_eq!(names(&session, "filter same()(files from s:A ordered)").await.unwrap(), all);
    assert_eq!(names(&session, "filter same()(files from s:A ordered) limit 2").await.unwrap(), all[..2]);
    let filtered = "filter same()(files from s:A) where s.n > 3";
    assert_eq!(names(&session, filtered).await.unwrap().len(), 2);
    assert_eq!(
        names(&session, "filter same()(files from s:A) - filter same()(files from s:A)").await.unwrap().len(),
        0
    );

    let text = "filter told(0.5, 1, word, true, 10000000000000000000000000, name=\"two words\")(files from s:A)";
    names(&session, text).await.unwrap();
    let told: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&call).unwrap()).unwrap();
    assert_eq!(told["filter"], "told");
    assert_eq!(told["inputs"], 1);
    assert_eq!(told["args"][0], 0.5);
    assert_eq!((told["args"][2].as_str(), told["args"][3].as_bool()), (Some("word"), Some(true)));
    assert_eq!(told["kwargs"]["name"], "two words");

    let failed = |name: &'static str, text: &str| (name, text.to_owned());
    for (name, reason) in [
        failed("deaf", "wrote no readable Arrow IPC stream"),
        failed("broken", "failed with exit code 3"),
        failed("chatty", "wrote no readable Arrow IPC stream"),
        failed("slow", "took longer than 200ms"),
        failed("killed", "was ended by a signal"),
        failed("large", "failed with exit code 7"),
        failed("missing", "cannot be run: /no/such/program"),
    ] {
        let started = Instant::now();
        let error = names(&session, &format!("filter {name}()(files from s:A)")).await.unwrap_err();
        assert!(error.contains(reason.as_str()) && error.contains(name), "{name}: {error}");
        assert!(started.elapsed() < Duration::from_secs(15), "{name}");
    }
    // Two sets are two streams: what only passes them on gives too much.
    let error = names(&session, "filter same()(files from s:A, files from s:B)").await.unwrap_err();
    assert!(error.contains("wrote something after its Arrow IPC stream"), "{error}");
    let unknown =
        rows(&session, "filter column()(files from s:A)", "mql", &Settings::default(), &Shape::default()).await;
    assert!(unknown.unwrap_err().to_string().contains("no column `nosuch.column`"));
    // Only what the configuration names is run, and only if it is asked for.
    let error = names(&session, "filter nosuch()(files from s:A)").await.unwrap_err();
    assert_eq!(error, "there is no filter `nosuch`");
    assert!(!marked.exists());
}

/// The example of `scripts/lakeql_filter.py`, where there is a Python with pyarrow to run it.
#[tokio::test(flavor = "multi_thread")]
async fn filters_in_python() {
    let found = Command::new("python3").args(["-c", "import pyarrow"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        println!("no pyarrow, nothing tried");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(repository("scripts/lakeql_filter.py"), folder.path().join("lakeql_filter.py")).unwrap();
    let program = "import json\nimport sys\nfrom lakeql_filter import main\n\n\n\
        def larger(inputs, n, reverse=False):\n    print('heard', n, file=sys.stderr)\n    \
        rows = [row for files in inputs for row in files.to_pylist()]\n    \
        ids = [row['fid'] for row in rows if json.loads(row['s.n']) > n]\n    \
        return ids[::-1] if reverse else ids\n\n\nmain(larger)\n";
    std::fs::write(folder.path().join("larger.py"), program).unwrap();
    let larger = FilterProgram {
        command: ["python3", "larger.py"].map(str::to_owned).to_vec(),
        folder: Some(PathBuf::from(folder.path())),
        ..script("")
    };
    let lake = tempfile::tempdir().unwrap();
    let session = session(&lake, vec![("larger", larger)]).await;
    let mut expected = names(&session, "files from s:A where s.n > 2 ordered").await.unwrap();
    assert_eq!(expected.len(), 3);
    assert_eq!(names(&session, "filter larger(2)(files from s:A ordered)").await.unwrap(), expected);
    expected.reverse();
    assert_eq!(names(&session, "filter larger(2, reverse=true)(files from s:A ordered)").await.unwrap(), expected);
    // A file that is in both sets is let through once.
    let both = names(&session, "filter larger(-1)(files from s:A, files from s:B)").await.unwrap();
    let union = names(&session, "union(files from s:A, files from s:B)").await.unwrap();
    assert_eq!(both.len(), union.len());
    let error = names(&session, "filter larger()(files from s:A)").await.unwrap_err();
    assert!(error.contains("failed with exit code 1"), "{error}");
}
