//! The list of lines that were left out.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::ingest::{BadLine, ImportOptions};

/// Writes left-out lines to the report as they come. The file is made with the first of them.
pub(super) struct BadLines {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    pub(super) count: u64,
}

impl BadLines {
    /// A report at the place the options name, or beside the first file.
    pub(super) fn new(options: &ImportOptions, files: &[PathBuf]) -> Self {
        let path = match (&options.bad_report, files.first()) {
            (Some(path), _) => path.clone(),
            (None, Some(first)) => beside(first),
            (None, None) => PathBuf::from("import.bad.jsonl"),
        };
        BadLines { path, file: None, count: 0 }
    }

    /// Adds a line.
    pub(super) fn add(&mut self, bad: &BadLine) -> io::Result<()> {
        self.count += 1;
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(File::create(&self.path)?)),
        };
        let entry = serde_json::json!({
            "file": bad.file.to_string_lossy(),
            "line": bad.line,
            "field": bad.field,
            "reason": bad.reason,
        });
        writeln!(file, "{entry}")
    }

    /// Completes the file and says where it is.
    pub(super) fn finish(&mut self) -> io::Result<Option<PathBuf>> {
        match &mut self.file {
            Some(file) => file.flush().map(|()| Some(self.path.clone())),
            None => Ok(None),
        }
    }

    /// Where the report is or would be.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".bad.jsonl");
    file.with_file_name(name)
}
