//! JSON lines: files to lines on one thread, lines to columns on several others.
//!
//! What a line means is up to its [`LineFormat`].

pub(crate) mod input;
pub(crate) mod json;
pub(crate) mod number;
pub(crate) mod time;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use xxhash_rust::xxh3::xxh3_128;

use self::input::{RawBlock, read_files};
use super::block::Block;
use super::budget::{Budget, Closer};
use super::fault::{Fault, Read};
use super::session::{BYTES_UNDER_WAY, Item, KnownRuns, Parsed, Session};
use super::{BadRow, Progress, RowPlace};
use crate::error::{Error, Result};
use crate::storage::segment::{Digest, RunKey};

/// What one line of a kind of export holds: a run.
pub(crate) trait LineFormat: Send + Sync {
    /// Which run the line is about, read without reading all of it. `None` when the line does not say.
    fn peek(&self, line: &str) -> Read<Option<RunKey>>;

    /// Reads a line into the block. On a fault the block may hold half a run: the caller rewinds it. The names of fields
    /// that are not part of the format are added to `unknown`.
    fn read(&self, line: &str, digest: Digest, block: &mut Block, unknown: &mut BTreeSet<String>) -> Read<()>;
}

/// Reads all lines of `files` into a session.
pub(crate) async fn feed(
    session: &mut Session<'_>,
    files: &[PathBuf],
    format: Arc<dyn LineFormat>,
    progress: &dyn Fn(Progress),
) -> Result<()> {
    let budget = Arc::new(Budget::new(BYTES_UNDER_WAY));
    let closer = Closer(Arc::clone(&budget));
    let blocks = start(Plan {
        files: files.to_vec(),
        threads: session.threads(),
        max_line_bytes: session.options().max_line_bytes,
        format,
        known: session.known(),
        bytes_read: session.bytes_read(),
        budget: Arc::clone(&budget),
    })
    .map_err(|error| Error::io("threads for the import cannot be started", error))?;
    let done = session.take_all(blocks, &budget, progress).await;
    drop(closer);
    done
}

/// Settings of the threads.
struct Plan {
    files: Vec<PathBuf>,
    threads: usize,
    max_line_bytes: usize,
    format: Arc<dyn LineFormat>,
    known: Arc<KnownRuns>,
    bytes_read: Arc<AtomicU64>,
    budget: Arc<Budget>,
}

/// Nested values are read by recursion; the depth limit needs far less than this.
const STACK_BYTES: usize = 8 << 20;

/// Starts the threads. They end when all is read or the receiver is dropped and the budget closed.
fn start(plan: Plan) -> std::io::Result<mpsc::Receiver<Parsed>> {
    let (raw_sender, raw_receiver) = sync_channel::<RawBlock>(2);
    let (sender, receiver) = mpsc::channel(plan.threads.max(1) * 2);
    let raw_receiver = Arc::new(Mutex::new(raw_receiver));
    for number in 0..plan.threads.max(1) {
        let raw = Arc::clone(&raw_receiver);
        let sender = sender.clone();
        let known = Arc::clone(&plan.known);
        let format = Arc::clone(&plan.format);
        let names: Arc<[String]> = plan.files.iter().map(|file| file.display().to_string()).collect();
        std::thread::Builder::new().name(format!("import-parse-{number}")).stack_size(STACK_BYTES).spawn(
            move || {
                while let Some(block) = next(&raw) {
                    let file = names.get(block.file).cloned().unwrap_or_default();
                    if sender.blocking_send(Lines::parse(block, file, &known, format.as_ref())).is_err() {
                        return;
                    }
                }
            },
        )?;
    }
    std::thread::Builder::new().name("import-read".to_owned()).spawn(move || {
        read_files(&plan.files, plan.max_line_bytes, &plan.bytes_read, &plan.budget, &raw_sender);
    })?;
    Ok(receiver)
}

fn next(raw: &Mutex<Receiver<RawBlock>>) -> Option<RawBlock> {
    raw.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).recv().ok()
}

/// The lines of a block on their way to columns.
struct Lines<'a> {
    parsed: Parsed,
    file: String,
    known: &'a KnownRuns,
    format: &'a dyn LineFormat,
}

impl Lines<'_> {
    /// Parses all lines of a block.
    fn parse(raw: RawBlock, file: String, known: &KnownRuns, format: &dyn LineFormat) -> Parsed {
        let parsed = Parsed { number: raw.number, raw_bytes: raw.bytes.len(), ..Parsed::default() };
        let mut lines = Lines { parsed, file, known, format };
        let mut number = raw.first_line;
        match std::str::from_utf8(&raw.bytes) {
            Ok(text) => {
                for line in text.split_terminator('\n') {
                    lines.line(number, Ok(line));
                    number += 1;
                }
            }
            // One bad line must not spoil the others.
            Err(_) => {
                for line in raw.bytes.strip_suffix(b"\n").unwrap_or(&raw.bytes).split(|byte| *byte == b'\n') {
                    lines.line(number, std::str::from_utf8(line));
                    number += 1;
                }
            }
        }
        if let Some(reason) = raw.fault {
            lines.bad(number, None, reason);
        }
        lines.parsed.block.shrink();
        lines.parsed
    }

    fn bad(&mut self, line: u64, field: Option<String>, reason: String) {
        let bad = BadRow { file: self.file.clone(), place: Some(RowPlace::Line(line)), field, reason };
        self.parsed.items.push(Item::Bad(bad));
    }

    fn line(&mut self, number: u64, line: Result<&str, std::str::Utf8Error>) {
        let line = match line {
            Ok(line) => line.trim_end_matches('\r'),
            Err(error) => {
                return self.bad(number, None, format!("not valid UTF-8 at byte {}", error.valid_up_to() + 1));
            }
        };
        if line.trim().is_empty() {
            return;
        }
        let mark = self.parsed.block.mark();
        match self.run(line) {
            Ok(item) => self.parsed.items.push(item),
            Err(fault) => {
                self.parsed.block.rewind(&mark);
                self.bad(number, fault.field(), fault.reason().to_owned());
            }
        }
    }

    fn run(&mut self, line: &str) -> Read<Item> {
        let digest = xxh3_128(line.as_bytes()).to_be_bytes();
        if !line.starts_with([' ', '\t', '{']) {
            // Said plainly, because another kind of file is the usual reason.
            return Err(Fault::new("not a JSON object"));
        }
        if !self.known.is_empty()
            && let Some(key) = self.format.peek(line)?
            && self.known.get(&key) == Some(&digest)
        {
            return Ok(Item::Unchanged(key));
        }
        self.format.read(line, digest, &mut self.parsed.block, &mut self.parsed.unknown)?;
        Ok(Item::Run(self.parsed.block.runs.len() as u32 - 1))
    }
}
