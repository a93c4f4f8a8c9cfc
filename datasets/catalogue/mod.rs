//! File catalogues of any size: the JSON lines that `lakeql import metacat` reads, with known answers.
//!
//! Files come in blocks: the raw files of one detector run and what was made of them, about twenty metadata keys a file.
//! Datasets and a saved query come first, then the files by creation time.

mod answers;
mod file;

use std::io::{self, Write};

pub use answers::CatalogueAnswer;

use answers::Tally;
use file::{BLOCK, Writer};

/// How large a generated catalogue is. The default is that of the speed figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueSpec {
    /// Number of files, over two years from 2023-01-01 on.
    pub files: u64,
    /// The same seed gives the same bytes.
    pub seed: u64,
}

impl Default for CatalogueSpec {
    fn default() -> Self {
        Self { files: 1_000_000, seed: 1 }
    }
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogueSummary {
    /// Files, retired ones included.
    pub files: u64,
    /// Retired files.
    pub retired: u64,
    /// Metadata values.
    pub values: u64,
    /// Datasets.
    pub datasets: u64,
    /// Links between files and what they were made from.
    pub links: u64,
    /// Bytes of JSONL.
    pub bytes: u64,
    /// Queries and the number of rows that each must find.
    pub answers: Vec<CatalogueAnswer>,
}

/// Bytes gathered before they are handed to the writer.
const BUFFER: usize = 1 << 20;

/// Write the catalogue as JSON lines.
///
/// # Errors
/// The writer fails.
pub fn write_catalogue(spec: &CatalogueSpec, out: &mut impl Write) -> io::Result<CatalogueSummary> {
    let mut buffer = Vec::with_capacity(BUFFER + BUFFER / 4);
    let writer = Writer::new(spec);
    let datasets = writer.datasets(&mut buffer);
    let mut summary = CatalogueSummary { files: spec.files, datasets, ..CatalogueSummary::default() };
    let mut tally = Tally::default();
    for block in 0..spec.files.div_ceil(BLOCK) {
        let facts = writer.block(block, &mut buffer);
        tally.add(&facts);
        for file in &facts {
            summary.retired += u64::from(file.retired);
            summary.values += file.values;
            summary.links += file.parents.len() as u64;
        }
        if buffer.len() >= BUFFER {
            out.write_all(&buffer)?;
            summary.bytes += buffer.len() as u64;
            buffer.clear();
        }
    }
    out.write_all(&buffer)?;
    summary.bytes += buffer.len() as u64;
    out.flush()?;
    summary.answers = tally.answers();
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::{BTreeMap, BTreeSet};

    fn generate(files: u64) -> (Vec<Value>, Vec<u8>, CatalogueSummary) {
        let mut bytes = vec![];
        let summary = write_catalogue(&CatalogueSpec { files, seed: 1 }, &mut bytes).unwrap();
        let lines = std::str::from_utf8(&bytes).unwrap().lines();
        (lines.map(|line| serde_json::from_str(line).unwrap()).collect(), bytes, summary)
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let (_, first, summary) = generate(500);
        assert_eq!((first.clone(), summary.clone()), (generate(500).1, generate(500).2));
        assert_eq!(summary.bytes, first.len() as u64);
        let mut other = vec![];
        write_catalogue(&CatalogueSpec { files: 500, seed: 2 }, &mut other).unwrap();
        assert_ne!(first, other);
    }

    #[test]
    fn files_are_as_a_catalogue_has_them() {
        let (lines, _, summary) = generate(20_000);
        let files: Vec<&Value> = lines.iter().filter(|line| line.get("fid").is_some()).collect();
        assert_eq!(files.len() as u64, summary.files);
        let of = |file: &Value, key: &str| file[key].as_str().unwrap().to_owned();
        let ids: BTreeSet<_> = files.iter().map(|file| of(file, "fid")).collect();
        let names: BTreeSet<_> = files.iter().map(|file| (of(file, "namespace"), of(file, "name"))).collect();
        assert_eq!((ids.len(), names.len()), (files.len(), files.len()));
        let times: Vec<f64> = files.iter().map(|file| file["created_timestamp"].as_f64().unwrap()).collect();
        assert!(times.is_sorted());
        let mut keys: BTreeMap<String, usize> = BTreeMap::new();
        let mut values = 0;
        for file in &files {
            for parent in file["parents"].as_array().unwrap() {
                assert!(ids.contains(parent["fid"].as_str().unwrap()));
            }
            for key in file["metadata"].as_object().unwrap().keys() {
                assert!(key.contains('.'));
                *keys.entry(key.clone()).or_default() += 1;
                values += 1;
            }
        }
        assert_eq!(summary.values, values);
        assert!((16..26).contains(&(values / summary.files)), "{} keys a file", values / summary.files);
        // Some are in every file, some in one of a thousand.
        assert!(keys.len() > 200 && keys.values().any(|count| *count == files.len()));
        assert!(keys.values().any(|count| *count * 500 < files.len()));
        let datasets = lines.iter().filter(|line| line.get("frozen").is_some()).count();
        assert_eq!(datasets as u64, summary.datasets);
    }

    /// Answers counted from facts are those of the lines.
    #[test]
    fn answers_are_those_of_the_lines() {
        let (lines, _, summary) = generate(20_000);
        let live: Vec<&Value> =
            lines.iter().filter(|line| line.get("fid").is_some() && line["retired"] == false).collect();
        let count = |holds: &dyn Fn(&Value) -> bool| live.iter().filter(|file| holds(file)).count() as u64;
        let answer = |id: &str| summary.answers.iter().find(|answer| answer.id == id).unwrap().rows;
        let raw = |file: &Value| file["metadata"]["core.data_tier"] == "raw";
        assert_eq!(answer("wide_equality"), count(&raw));
        let runs = |file: &Value| file["metadata"]["core.runs"].as_array().unwrap().contains(&20_100.into());
        assert_eq!(answer("one_run"), count(&runs));
        let hv = |file: &Value| file["metadata"]["detector.hv_value"].as_f64().is_some_and(|value| value > 187.99);
        assert_eq!(answer("rare_inequality"), count(&hv));
        let member = |file: &Value| {
            file["datasets"].as_array().unwrap().iter().any(|set| set["name"] == "campaign-00")
                && file["namespace"] == "hd-protodune"
        };
        assert_eq!(answer("dataset"), count(&member));
        let full: BTreeSet<&str> = live
            .iter()
            .filter(|file| file["metadata"]["core.data_tier"] == "full-reconstructed")
            .flat_map(|file| file["parents"].as_array().unwrap().iter().map(|parent| parent["fid"].as_str().unwrap()))
            .collect();
        let parent = |file: &Value| full.contains(file["fid"].as_str().unwrap());
        assert_eq!(answer("parents"), count(&parent));
        assert_eq!(answer("minus"), count(&|file: &Value| raw(file) && !parent(file)));
        assert!(summary.answers.iter().filter(|answer| answer.rows > 0).count() > 15);
    }
}
