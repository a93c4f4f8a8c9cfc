//! Where the answer goes: stdout or a file, in which format.

use crate::args::Global;
use crate::failure::Failure;
use crate::style;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use lakeql_output::{EncodeOptions, Encoder, Format, encoder, terminal_width};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows of a table on a terminal; pipes and files get all.
const ROWS_ON_TERMINAL: usize = 40;

/// A destination that is open, and what is known about it.
pub(crate) struct Output {
    format: Format,
    options: EncodeOptions,
    sink: Box<dyn Write + Send>,
    file: Option<Unfinished>,
}

impl Output {
    /// Opens the destination that the flags name. A file appears under its name only when it is complete.
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        let terminal = global.output.is_none() && std::io::stdout().is_terminal();
        let by_name = global.output.as_deref().and_then(by_extension);
        let format = global.format.or(by_name).unwrap_or(Format::default_for(terminal));
        if terminal && format.is_binary() {
            return Err(Failure::Usage(format!("a terminal cannot show {format}: use --output FILE or a pipe")));
        }
        let (sink, file): (Box<dyn Write + Send>, _) = match &global.output {
            None => (Box::new(std::io::stdout()), None),
            Some(path) => Unfinished::create(path).map_err(|error| Failure::file("write", path, &error))?,
        };
        let options = EncodeOptions {
            width: terminal.then(terminal_width).flatten(),
            max_rows: terminal.then_some(ROWS_ON_TERMINAL),
            colour: global.output.is_none() && style::stdout(),
            rows_as_arrays: false,
        };
        Ok(Self { format, options, sink, file })
    }

    /// The same with another format where the user has not chosen one.
    pub(crate) fn open_preferring(global: &Global, format: Format) -> Result<Self, Failure> {
        Self::open(&Global { format: global.format.or(Some(format)), ..global.clone() })
    }

    /// Starts a result with this schema.
    pub(crate) fn start(self, schema: SchemaRef) -> Result<Answer, Failure> {
        let encoder = encoder(self.format, schema, &self.options, self.sink)?;
        Ok(Answer { encoder, file: self.file })
    }

    /// Writes a result that is one batch.
    pub(crate) fn batch(self, batch: &RecordBatch) -> Result<(), Failure> {
        let mut answer = self.start(batch.schema())?;
        answer.write(batch)?;
        answer.finish()
    }

    /// The format of the answer.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Writes several tables with headings, all rows of them.
    pub(crate) fn sections(self, sections: &[(String, RecordBatch)]) -> Result<(), Failure> {
        let mut text = Vec::new();
        for (heading, batch) in sections {
            let space = if text.is_empty() { "" } else { "\n" };
            let mark = if self.format == Format::Markdown { "## " } else { "" };
            let gap = if self.format == Format::Markdown { "\n" } else { "" };
            text.extend_from_slice(format!("{space}{mark}{heading}\n{gap}").as_bytes());
            let options = EncodeOptions { max_rows: None, ..self.options.clone() };
            let buffer = Buffer::default();
            let mut encoder = encoder(self.format, batch.schema(), &options, Box::new(buffer.clone()))?;
            encoder.write(batch)?;
            encoder.finish()?;
            text.extend(buffer.take());
        }
        self.text(&String::from_utf8_lossy(&text))
    }

    /// Writes text as it is.
    pub(crate) fn text(mut self, text: &str) -> Result<(), Failure> {
        let written = self.sink.write_all(text.as_bytes()).and_then(|()| self.sink.flush());
        written.map_err(|error| {
            if error.kind() == ErrorKind::BrokenPipe { Failure::Closed } else { lakeql_output::Error::Io(error).into() }
        })?;
        finish(self.file)
    }
}

/// Bytes in memory that an encoder can own a handle of.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A result that is being written.
pub(crate) struct Answer {
    encoder: Box<dyn Encoder>,
    file: Option<Unfinished>,
}

impl Answer {
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        Ok(self.encoder.write(batch)?)
    }

    /// Completes the result.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        self.encoder.finish()?;
        finish(self.file)
    }
}

fn finish(file: Option<Unfinished>) -> Result<(), Failure> {
    match file {
        None => Ok(()),
        Some(file) => {
            let path = file.target.clone();
            file.complete().map_err(|error| Failure::file("write", &path, &error))
        }
    }
}

/// The format that a file's name stands for.
fn by_extension(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "json" => Some(Format::Json),
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        "csv" => Some(Format::Csv),
        "tsv" => Some(Format::Tsv),
        "md" | "markdown" => Some(Format::Markdown),
        "txt" => Some(Format::Table),
        "arrow" | "arrows" => Some(Format::Arrow),
        "parquet" => Some(Format::Parquet),
        _ => None,
    }
}

/// A file that gets its name when it is complete; without that it disappears.
#[derive(Debug)]
struct Unfinished {
    target: PathBuf,
    temporary: Option<PathBuf>,
}

impl Unfinished {
    /// Devices and pipes are written directly: there is nothing to rename.
    fn create(target: &Path) -> std::io::Result<(Box<dyn Write + Send>, Option<Self>)> {
        if fs::metadata(target).is_ok_and(|found| !found.is_file()) {
            return Ok((Box::new(File::options().write(true).open(target)?), None));
        }
        // Through a link to the file it leads to; a new file is its own target.
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
        let mut name = OsString::from(".");
        name.push(target.file_name().ok_or(ErrorKind::InvalidInput)?);
        name.push(format!(".{}.part", std::process::id()));
        let temporary = target.with_file_name(name);
        let file = File::create(&temporary)?;
        Ok((Box::new(file), Some(Self { target, temporary: Some(temporary) })))
    }

    fn complete(mut self) -> std::io::Result<()> {
        match self.temporary.take() {
            Some(temporary) => fs::rename(temporary, &self.target),
            None => Ok(()),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = fs::remove_file(temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_format() {
        for format in Format::ALL.into_iter().filter(|format| *format != Format::Table) {
            assert_eq!(by_extension(Path::new(&format!("x.y/answer.{format}"))), Some(format));
        }
        assert_eq!(by_extension(Path::new("answer.NDJSON")), Some(Format::Jsonl));
        assert_eq!(by_extension(Path::new("csv")), None);
        assert_eq!(by_extension(Path::new("x.csv/answer")), None);
    }

    #[test]
    fn a_file_appears_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("answer.csv");
        fs::write(&target, "old").unwrap();

        let (mut sink, file) = Unfinished::create(&target).unwrap();
        sink.write_all(b"new").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
        file.unwrap().complete().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");

        let (mut sink, file) = Unfinished::create(&target).unwrap();
        sink.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
