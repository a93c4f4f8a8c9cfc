//! `generate-taxi`: write a table of taxi trips as one Parquet file, for benches and for trying things out.
//!
//! `cargo run --release -p lakeql-datasets --bin generate-taxi -- taxi.parquet [TRIPS] > queries.jsonl`
//!
//! Questions about it go to stdout, each in NQL and in SQL, as `lakeql bench --queries queries.jsonl --from taxi.parquet`
//! reads them.

use lakeql_datasets::{TaxiSpec, write_taxi};
use serde_json::json;
use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;

const USAGE: &str = "usage: generate-taxi FILE [TRIPS]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, trips) = match arguments.as_slice() {
        [file] => (file, Ok(TaxiSpec::default().trips)),
        [file, trips] => (file, trips.parse()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let Ok(trips) = trips else {
        eprintln!("{USAGE}\nTRIPS is a number");
        return ExitCode::from(2);
    };
    match write(file, &TaxiSpec { trips, ..TaxiSpec::default() }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{file}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(file: &str, spec: &TaxiSpec) -> io::Result<()> {
    let answers = write_taxi(spec, &mut File::create(file)?).map_err(io::Error::other)?;
    let mut out = io::stdout().lock();
    for answer in answers {
        let sql = format!("select trip_id from data where {}", answer.sql);
        let options = json!({"select": "trip_id"});
        let nql = json!({"id": format!("{}/nql", answer.id), "lang": "nql", "text": answer.nql, "options": options});
        let sql = json!({"id": format!("{}/sql", answer.id), "lang": "sql", "text": sql});
        writeln!(out, "{nql}\n{sql}")?;
    }
    Ok(())
}
