//! The list of what was left out.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::ingest::{BadRow, ImportOptions, RowPlace};

/// Writes left-out lines and rows to the report as they come. The file is made with the first of them.
pub(crate) struct BadRows {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    pub(crate) count: u64,
}

impl BadRows {
    /// A report at the place the options name, or beside the first file.
    pub(crate) fn new(options: &ImportOptions, files: &[PathBuf]) -> Self {
        let path = match (&options.bad_report, files.first()) {
            (Some(path), _) => path.clone(),
            (None, Some(first)) => beside(first),
            (None, None) => PathBuf::from("import.bad.jsonl"),
        };
        BadRows { path, file: None, count: 0 }
    }

    /// Adds an entry.
    pub(crate) fn add(&mut self, bad: &BadRow) -> io::Result<()> {
        self.count += 1;
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(File::create(&self.path)?)),
        };
        let mut entry = serde_json::Map::from_iter([("file".to_owned(), bad.file.clone().into())]);
        match bad.place {
            Some(RowPlace::Line(line)) => entry.insert("line".to_owned(), line.into()),
            Some(RowPlace::Row(row)) => entry.insert("row".to_owned(), row.into()),
            None => None,
        };
        entry.insert("field".to_owned(), bad.field.clone().into());
        entry.insert("reason".to_owned(), bad.reason.clone().into());
        let entry = serde_json::Value::Object(entry);
        writeln!(file, "{entry}")
    }

    /// Completes the file and says where it is.
    pub(crate) fn finish(&mut self) -> io::Result<Option<PathBuf>> {
        match &mut self.file {
            Some(file) => file.flush().map(|()| Some(self.path.clone())),
            None => Ok(None),
        }
    }

    /// Where the report is or would be.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".bad.jsonl");
    file.with_file_name(name)
}
