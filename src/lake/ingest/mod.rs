//! Importers: what other tools have recorded becomes rows of the lake.
//!
//! An import is all or nothing. Files are read once, front to back, by one thread; two or more threads parse; every
//! few hundred megabytes a segment is written beside the lake, and one commit at the end makes all of them visible.
//! Memory is bounded by the size of a segment, not by the size of the input.

pub mod aim;
pub(crate) mod bad_rows;
pub(crate) mod block;
pub(crate) mod budget;
pub mod events;
pub(crate) mod fault;
pub(crate) mod intern;
pub(crate) mod lines;
pub mod metacat;
pub mod neptune;
pub mod samples;
pub(crate) mod segment;
pub(crate) mod session;

pub use self::segment::ProjectCounts;
use std::path::PathBuf;

pub use crate::error::RowPlace;

/// A time as its example and the parameter document show it: ISO 8601 in UTC.
pub(crate) fn time_text(micros: i64) -> String {
    use chrono::{DateTime, SecondsFormat};
    // Years that do not fit stay a number.
    DateTime::from_timestamp_micros(micros)
        .map_or_else(|| micros.to_string(), |time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Settings of an import.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Leave lines that cannot be imported out, and list them in a report, instead of giving up.
    pub skip_bad: bool,
    /// Where the report of left-out lines goes. By default it is written beside the first input file, whose name gets
    /// the ending `.bad.jsonl`. It has one JSON object a line: `file`, `line` or `row` (neither for whole files), `field`
    /// (may be null), `reason`. No
    /// file is made when no line is bad.
    pub bad_report: Option<PathBuf>,
    /// Threads that parse; by default as many as there are cores.
    pub threads: Option<usize>,
    /// How much parsed data, in bytes, becomes one segment. Memory grows to about four times this.
    pub segment_bytes: usize,
    /// Lines longer than this are refused.
    pub max_line_bytes: usize,
}

impl Default for ImportOptions {
    fn default() -> Self {
        ImportOptions {
            skip_bad: false,
            bad_report: None,
            threads: None,
            segment_bytes: 128 << 20,
            max_line_bytes: 256 << 20,
        }
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes read from the files, as they lie on disk.
    pub bytes_read: u64,
    /// Bytes of all files.
    pub bytes_total: u64,
    /// Lines with a run that have been read.
    pub runs: u64,
    /// Points of sequences that have been read.
    pub points: u64,
    /// Lines that cannot be imported.
    pub bad: u64,
    /// All is read: the last rows are written and committed.
    pub finishing: bool,
}

/// What an import has done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImportReport {
    /// Runs the lake did not have.
    pub added: u64,
    /// Lines whose run is in the lake exactly so.
    pub unchanged: u64,
    /// Runs the lake had with other content.
    pub replaced: u64,
    /// Lines whose run came again later in the same import: the last line of a run counts.
    pub superseded: u64,
    /// Lines that were left out.
    pub bad: u64,
    /// Sequences written.
    pub series: u64,
    /// Points of metrics written.
    pub points: u64,
    /// Bytes read from the files.
    pub bytes_read: u64,
    /// Bytes of the Parquet files written.
    pub bytes_written: u64,
    /// How long it took.
    pub seconds: f64,
    /// The version of the lake afterwards; a version is only added when something has changed.
    pub version: u64,
    /// Names of fields that are not part of the format and were ignored, at most twenty.
    pub unknown_fields: Vec<String>,
    /// The list of left-out lines, if there are any.
    pub bad_report: Option<PathBuf>,
    /// What was written of each project, where the source knows projects.
    pub projects: Vec<ProjectCounts>,
    /// What else the user should know.
    pub notes: Vec<String>,
}

/// Something that cannot be imported: a line, a row, or a file as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadRow {
    /// The file as it was named.
    pub(crate) file: String,
    /// Where in the file; `None` for all of it.
    pub(crate) place: Option<RowPlace>,
    /// The field, such as `metrics[2].steps`, or the column.
    pub(crate) field: Option<String>,
    /// What is wrong with it.
    pub(crate) reason: String,
}
