//! `generate-events`: write page views as JSON lines, or as Parquet if the file is named so, for count trees.
//!
//! `cargo run --release -p lakeql-datasets --bin generate-events -- events.jsonl [EVENTS] > spec.json`
//!
//! The definition of a tree of them goes to stdout, as `lakeql import events --tree spec.json events.jsonl` reads it.

use lakeql_datasets::{EVENT_TREE, EventSpec, write_event_table, write_events};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

const USAGE: &str = "usage: generate-events FILE [EVENTS]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, events) = match arguments.as_slice() {
        [file] => (file, Ok(EventSpec::default().events)),
        [file, events] => (file, events.parse()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let Ok(events) = events else {
        eprintln!("{USAGE}\nEVENTS is a number");
        return ExitCode::from(2);
    };
    let spec = EventSpec { events, ..EventSpec::default() };
    let written = File::create(file).map(BufWriter::new).and_then(|mut out| {
        if file.ends_with(".parquet") {
            write_event_table(&spec, &mut out).map_err(std::io::Error::other)?;
        } else {
            write_events(&spec, &mut out)?;
        }
        out.flush()?;
        writeln!(std::io::stdout(), "{EVENT_TREE}")
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{file}: {error}");
            ExitCode::FAILURE
        }
    }
}
