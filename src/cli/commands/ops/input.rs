//! Rows from stdin or a file.

use crate::args::{InputFormat, OpsArgs};
use crate::failure::Failure;
use lakeql_query::diagnostic::Kind;
use lakeql_rows::Row;
use lakeql_rows::text::delimited::{Delimited, Reader};
use lakeql_rows::text::json;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Longest row.
const LONGEST: usize = 64 << 20;
/// Bytes that are read at once.
const PIECE: usize = 1 << 18;

/// Rows that are being read.
pub(super) struct Input {
    reader: Box<dyn BufRead>,
    path: PathBuf,
    form: Form,
    buffer: Vec<u8>,
    line: u64,
}

enum Form {
    /// One array a line.
    Lines,
    /// One array of arrays: whether its bracket is open.
    Document(State),
    Delimited(Reader),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    First,
    Inside,
    After,
}

impl Input {
    pub(super) fn open(args: &OpsArgs) -> Result<Self, Failure> {
        let path = args.file.clone().unwrap_or_else(|| PathBuf::from("-"));
        let mut reader: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(BufReader::with_capacity(PIECE, std::io::stdin()))
        } else {
            let file = File::open(&path).map_err(|error| Failure::file("read", &path, &error))?;
            Box::new(BufReader::with_capacity(PIECE, file))
        };
        let form = match args.input_format {
            Some(InputFormat::Jsonl) => Form::Lines,
            Some(InputFormat::Json) => Form::Document(State::Before),
            Some(InputFormat::Csv) => Form::Delimited(Reader::new(Delimited::Csv)),
            Some(InputFormat::Tsv) => Form::Delimited(Reader::new(Delimited::Tsv)),
            None => match path.extension().and_then(|extension| extension.to_str()) {
                Some("csv") => Form::Delimited(Reader::new(Delimited::Csv)),
                Some("tsv") => Form::Delimited(Reader::new(Delimited::Tsv)),
                Some("json") => Form::Document(State::Before),
                // A table starts with two brackets, or with one alone on its line.
                _ => match starts_document(&mut reader).map_err(|error| Failure::file("read", &path, &error))? {
                    true => Form::Document(State::Before),
                    false => Form::Lines,
                },
            },
        };
        Ok(Self { reader, path, form, buffer: vec![], line: 0 })
    }

    fn name(&self) -> String {
        if self.path == Path::new("-") { "stdin".into() } else { self.path.display().to_string() }
    }

    fn wrong(&self, message: &str) -> Failure {
        Failure::new(Kind::Syntax, format!("{}, line {}: {message}", self.name(), self.line))
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Result<Option<Row>, Failure> {
        if let Form::Document(state) = self.form {
            return self.element(state);
        }
        loop {
            if !self.read_line()? {
                let open = matches!(&self.form, Form::Delimited(reader) if reader.is_open());
                return if open { Err(self.wrong("a quote is not closed")) } else { Ok(None) };
            }
            let row = match (std::str::from_utf8(&self.buffer), &mut self.form) {
                (Err(_), _) => Err("not UTF-8 text".to_owned()),
                (Ok(line), Form::Delimited(reader)) => Ok(reader.line(line)),
                (Ok(line), _) if line.trim().is_empty() => Ok(None),
                (Ok(line), _) => json::parse_row(line).map(Some),
            };
            match row {
                Ok(Some(row)) => return Ok(Some(row)),
                Ok(None) if matches!(&self.form, Form::Delimited(reader) if reader.pending() > LONGEST) => {
                    return Err(self.too_long());
                }
                Ok(None) => {}
                Err(message) => return Err(self.wrong(&message)),
            }
        }
    }

    fn too_long(&self) -> Failure {
        Failure::new(Kind::Limit, format!("{}, line {}: a row is longer than {LONGEST} bytes", self.name(), self.line))
    }

    /// Reads a line into the buffer; whether there is one.
    fn read_line(&mut self) -> Result<bool, Failure> {
        self.buffer.clear();
        let most = LONGEST as u64 + 1;
        let read = self.reader.by_ref().take(most).read_until(b'\n', &mut self.buffer);
        let read = read.map_err(|error| Failure::file("read", &self.path, &error))?;
        self.line += 1;
        if self.buffer.len() > LONGEST {
            return Err(self.too_long());
        }
        while matches!(self.buffer.last(), Some(b'\n' | b'\r')) {
            self.buffer.pop();
        }
        Ok(read > 0)
    }

    fn peek(&mut self) -> Result<Option<u8>, Failure> {
        loop {
            let byte =
                self.reader.fill_buf().map_err(|error| Failure::file("read", &self.path, &error))?.first().copied();
            match byte {
                Some(blank) if blank.is_ascii_whitespace() => {
                    self.line += u64::from(blank == b'\n');
                    self.reader.consume(1);
                }
                other => return Ok(other),
            }
        }
    }

    /// The next element of the one array.
    fn element(&mut self, state: State) -> Result<Option<Row>, Failure> {
        if self.line == 0 {
            self.line = 1;
        }
        let next = match (state, self.peek()?) {
            (State::Before, Some(b'[')) => {
                self.reader.consume(1);
                self.form = Form::Document(State::First);
                return self.element(State::First);
            }
            (State::First | State::Inside, Some(b']')) => {
                self.reader.consume(1);
                self.form = Form::Document(State::After);
                return self.element(State::After);
            }
            (State::Inside, Some(b',')) => {
                self.reader.consume(1);
                self.peek()?
            }
            (State::Before | State::After, None) => return Ok(None),
            (State::After, Some(_)) => return Err(self.wrong("there is something behind the array")),
            (State::First, next) => next,
            (State::Before, Some(_)) => return Err(self.wrong("expected an array of rows")),
            (State::Inside, _) => return Err(self.wrong("expected `,` or `]`")),
        };
        if next != Some(b'[') {
            return Err(self.wrong("a row is an array"));
        }
        self.array()?;
        self.form = Form::Document(State::Inside);
        let row = match std::str::from_utf8(&self.buffer) {
            Ok(text) => json::parse_row(text),
            Err(_) => Err("not UTF-8 text".to_owned()),
        };
        row.map(Some).map_err(|message| self.wrong(&message))
    }

    /// Reads an array into the buffer, up to the bracket that closes it.
    fn array(&mut self) -> Result<(), Failure> {
        let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
        self.buffer.clear();
        loop {
            let bytes = self.reader.fill_buf().map_err(|error| Failure::file("read", &self.path, &error))?;
            if bytes.is_empty() {
                return Err(self.wrong("the array is not closed"));
            }
            let mut end = None;
            for (index, byte) in bytes.iter().enumerate() {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if quoted => escaped = true,
                    b'"' => quoted = !quoted,
                    b'\n' => self.line += 1,
                    b'[' | b'{' if !quoted => depth += 1,
                    b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if depth == 0 {
                    end = Some(index + 1);
                    break;
                }
            }
            let taken = end.unwrap_or(bytes.len());
            self.buffer.extend_from_slice(bytes.get(..taken).unwrap_or_default());
            self.reader.consume(taken);
            if self.buffer.len() > LONGEST {
                return Err(self.too_long());
            }
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

/// Whether the text is one array of arrays. Looks at what is buffered only.
fn starts_document(reader: &mut dyn BufRead) -> std::io::Result<bool> {
    let bytes = reader.fill_buf()?;
    let mut rest = bytes.iter().skip_while(|byte| byte.is_ascii_whitespace());
    if rest.next() != Some(&b'[') {
        return Ok(false);
    }
    match rest.find(|byte| !byte.is_ascii_whitespace() || **byte == b'\n') {
        Some(b'[' | b'\n') => Ok(true),
        Some(_) | None => Ok(false),
    }
}
