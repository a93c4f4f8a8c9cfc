//! The configuration file: which programs queries may run as filters.
//!
//! It is named by `--config` or `LAKEQL_CONFIG`, or lies among the user's other configuration. A lake and the current
//! folder have no say in it: whoever can write there could run programs.

use crate::args::{Global, values};
use crate::failure::Failure;
use lakeql_engine::{BUILT_IN_FILTERS, FilterProgram, FilterPrograms};
use lakeql_query::diagnostic::{Diagnostic, Kind};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a program may take if the file does not say it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What a program is told of files if the file does not say it.
const COLUMNS: [&str; 5] = ["fid", "namespace", "name", "size", "metadata"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    filters: BTreeMap<String, Program>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Program {
    command: Vec<String>,
    timeout: Option<String>,
    memory: Option<String>,
    columns: Option<Vec<String>>,
}

/// The programs that the configuration names.
pub(crate) fn filters(global: &Global) -> Result<FilterPrograms, Failure> {
    let Some(path) = global.config.clone().or_else(default_path) else { return Ok(FilterPrograms::default()) };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && global.config.is_none() => {
            return Ok(FilterPrograms::default());
        }
        Err(error) => return Err(Failure::file("read", &path, &error)),
    };
    parse(&text, &path).map_err(|reason| {
        let problem = Diagnostic::error(Kind::Semantic, format!("{}: {reason}", path.display()));
        Failure::of(problem.hint(
            "a filter is: [filters.name] command = [\"python3\", \"filter.py\"] timeout = \"60s\" memory = \"2GB\"",
        ))
    })
}

fn default_path() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("lakeql").join("config.toml"))
}

fn parse(text: &str, path: &Path) -> Result<FilterPrograms, String> {
    let config: Config = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned);
    let mut programs = BTreeMap::new();
    for (name, program) in config.filters {
        let wrong = |key: &str, reason: String| format!("filters.{name}.{key}: {reason}");
        if BUILT_IN_FILTERS.contains(&name.as_str()) {
            return Err(format!("filters.{name}: `{name}` is a built-in filter, choose another name"));
        }
        if program.command.first().is_none_or(String::is_empty) {
            return Err(wrong("command", "a program and its arguments are missing".to_owned()));
        }
        let timeout = program.timeout.map(|text| values::duration(&text).map_err(|reason| wrong("timeout", reason)));
        let memory = program.memory.map(|text| values::size(&text).map_err(|reason| wrong("memory", reason)));
        let memory = memory.transpose()?.map(|bytes| u64::try_from(bytes).unwrap_or(u64::MAX));
        let columns = program.columns.unwrap_or_else(|| COLUMNS.map(str::to_owned).to_vec());
        programs.insert(
            name.clone(),
            FilterProgram {
                command: program.command,
                folder: folder.clone(),
                timeout: timeout.transpose()?.unwrap_or(TIMEOUT),
                memory_bytes: memory,
                columns,
            },
        );
    }
    Ok(FilterPrograms(programs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_with_their_limits() {
        let text = "[filters.process]\ncommand = [\"python3\", \"f.py\"]\ntimeout = \"1m\"\nmemory = \"2GiB\"\n\n\
                    [filters.other]\ncommand = [\"./other\"]\ncolumns = [\"name\", \"core.runs\"]\n";
        let programs = parse(text, Path::new("/etc/lakeql/config.toml")).unwrap().0;
        let process = &programs["process"];
        assert_eq!(process.command, ["python3", "f.py"]);
        assert_eq!((process.timeout, process.memory_bytes), (Duration::from_secs(60), Some(2 << 30)));
        assert_eq!(process.folder.as_deref(), Some(Path::new("/etc/lakeql")));
        assert_eq!((programs["other"].timeout, programs["other"].columns.len()), (TIMEOUT, 2));
        assert_eq!(parse("", Path::new("config.toml")).unwrap(), FilterPrograms::default());
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("[filters.a]\n", "missing field `command`"),
            ("[filters.a]\ncommand = []\n", "filters.a.command: a program"),
            ("[filters.a]\ncommand = [\"x\"]\ntimeout = \"5 apples\"\n", "filters.a.timeout: unknown unit"),
            ("[filters.a]\ncommand = [\"x\"]\nmemory = \"lots\"\n", "filters.a.memory: "),
            ("[filters.a]\ncommand = [\"x\"]\nretries = 3\n", "unknown field `retries`"),
            ("[filters.sample]\ncommand = [\"x\"]\n", "built-in"),
            ("filters = 5", "invalid type"),
            ("[filters", "line 1"),
        ] {
            let reason = parse(text, Path::new("c.toml")).unwrap_err();
            assert!(reason.contains(expected), "{text}: {reason}");
        }
    }
}
