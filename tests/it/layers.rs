//! The rules of the house that the compiler does not know.

use crate::support::repository;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The lines that import something, with what they import.
fn imports(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let uses = text.lines().map(str::trim).filter_map(|line| {
        let line = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
        line.strip_prefix("use ").map(str::to_owned)
    });
    uses.collect()
}

/// A dialect imports std, its own folder and the shared rooms of its crate; it knows neither other dialects nor the engine.
#[test]
fn dialects_keep_to_themselves() {
    let root = repository("src/query/dialects");
    let mut files = vec![];
    for entry in std::fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, &mut files);
        }
    }
    assert!(!files.is_empty());
    let allowed = [
        "std::",
        "super::",
        "self::",
        "crate::syntax",
        "crate::model",
        "crate::diagnostic",
        "crate::source",
        "crate::span",
        "num_bigint::",
        "num_traits::",
        "logos::",
        "serde_json",
        "serde::",
    ];
    let own: Vec<_> = files
        .iter()
        .flat_map(|file| imports(file).into_iter().map(move |import| (file, import)))
        .filter(|(file, import)| {
            // Declarations of own modules are re-exported by their bare names, and so are variants of what is in scope.
            let folder = file.parent().unwrap();
            let own_module = import.split("::").next().is_some_and(|head| {
                head.starts_with(char::is_uppercase)
                    || folder.join(format!("{head}.rs")).exists()
                    || folder.join(head).is_dir()
            });
            !own_module && !allowed.iter().any(|prefix| import.starts_with(prefix))
        })
        .collect();
    assert!(own.is_empty(), "{own:#?}");
}

/// The crate of the languages knows no engine, no files, no clock.
#[test]
fn languages_know_no_engine() {
    let mut files = vec![];
    sources(&repository("src/query"), &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in ["datafusion", "arrow::", "parquet::", "object_store", "tokio", "std::fs", "SystemTime", "Instant"]
        {
            let hit = text.lines().find(|line| line.contains(word) && !line.trim_start().starts_with("//"));
            assert!(hit.is_none(), "{}: {word}", file.display());
        }
    }
}

/// One copy of the crates whose types cross crate borders.
#[test]
fn one_copy_of_the_foundation() {
    let lock = std::fs::read_to_string(repository("Cargo.lock")).unwrap();
    for name in ["arrow", "arrow-array", "parquet", "object_store", "datafusion", "sqlparser"] {
        let copies = lock.matches(&format!("\nname = \"{name}\"\n")).count();
        assert_eq!(copies, 1, "{name}");
    }
}
