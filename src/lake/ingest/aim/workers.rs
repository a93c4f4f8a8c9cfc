//! The threads of an import: one reads, the others parse.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use xxhash_rust::xxh3::xxh3_128;

use super::budget::Budget;
use super::input::{RawBlock, read_files};
use super::run::{peek_hash, read_run};
use crate::ingest::block::Block;
use crate::ingest::fault::{Fault, Read};

/// What the lake knows of its runs before the import.
pub(super) type KnownRuns = HashMap<String, [u8; 16]>;

/// What became of a line, in the order of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Row of [`Block::runs`].
    Run(u32),
    /// The lake has the run exactly so.
    Unchanged(String),
    /// The line is no run.
    Bad(BadLine),
}

/// A line that cannot be imported, without the name of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadLine {
    pub(super) line: u64,
    pub(super) field: Option<String>,
    pub(super) reason: String,
}

/// A block after parsing.
pub(super) struct ParsedBlock {
    pub(super) number: u64,
    pub(super) file: usize,
    pub(super) lines: Vec<Line>,
    pub(super) block: Block,
    /// Names of fields that are not part of the format.
    pub(super) unknown: BTreeSet<String>,
    /// What the block took from the budget.
    pub(super) raw_bytes: usize,
}

/// Settings of the threads.
pub(super) struct Plan {
    pub(super) files: Vec<PathBuf>,
    pub(super) threads: usize,
    pub(super) max_line_bytes: usize,
    pub(super) known: Arc<KnownRuns>,
    pub(super) bytes_read: Arc<AtomicU64>,
    pub(super) budget: Arc<Budget>,
}

/// Nested values are read by recursion; the depth limit needs far less than this.
const STACK_BYTES: usize = 8 << 20;

/// Starts the threads. They end when all is read or the receiver is dropped and the budget closed.
pub(super) fn start(plan: Plan) -> std::io::Result<mpsc::Receiver<ParsedBlock>> {
    let (raw_sender, raw_receiver) = sync_channel::<RawBlock>(2);
    let (sender, receiver) = mpsc::channel(plan.threads.max(1) * 2);
    let raw_receiver = Arc::new(Mutex::new(raw_receiver));
    for number in 0..plan.threads.max(1) {
        let raw = Arc::clone(&raw_receiver);
        let sender = sender.clone();
        let known = Arc::clone(&plan.known);
        std::thread::Builder::new().name(format!("import-parse-{number}")).stack_size(STACK_BYTES).spawn(
            move || {
                while let Some(block) = next(&raw) {
                    if sender.blocking_send(parse(block, &known)).is_err() {
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

/// Parses all lines of a block.
pub(super) fn parse(raw: RawBlock, known: &KnownRuns) -> ParsedBlock {
    let raw_bytes = raw.bytes.len();
    let mut parsed = ParsedBlock {
        number: raw.number,
        file: raw.file,
        lines: Vec::new(),
        block: Block::default(),
        unknown: BTreeSet::new(),
        raw_bytes,
    };
    let mut number = raw.first_line;
    match std::str::from_utf8(&raw.bytes) {
        Ok(text) => {
            for line in text.split_terminator('\n') {
                parsed.line(number, Ok(line), known);
                number += 1;
            }
        }
        // One bad line must not spoil the others.
        Err(_) => {
            for line in raw.bytes.strip_suffix(b"\n").unwrap_or(&raw.bytes).split(|byte| *byte == b'\n') {
                parsed.line(number, std::str::from_utf8(line), known);
                number += 1;
            }
        }
    }
    if let Some(reason) = raw.fault {
        parsed.lines.push(Line::Bad(BadLine { line: number, field: None, reason }));
    }
    parsed.block.shrink();
    parsed
}

impl ParsedBlock {
    fn line(&mut self, number: u64, line: Result<&str, std::str::Utf8Error>, known: &KnownRuns) {
        let line = match line {
            Ok(line) => line.trim_end_matches('\r'),
            Err(error) => {
                let reason = format!("not valid UTF-8 at byte {}", error.valid_up_to() + 1);
                self.lines.push(Line::Bad(BadLine { line: number, field: None, reason }));
                return;
            }
        };
        if line.trim().is_empty() {
            return;
        }
        let mark = self.block.mark();
        match self.run(line, known) {
            Ok(line) => self.lines.push(line),
            Err(fault) => {
                self.block.rewind(&mark);
                self.lines.push(Line::Bad(BadLine {
                    line: number,
                    field: fault.field(),
                    reason: fault.reason().to_owned(),
                }));
            }
        }
    }

    fn run(&mut self, line: &str, known: &KnownRuns) -> Read<Line> {
        let digest = xxh3_128(line.as_bytes()).to_be_bytes();
        if !line.starts_with([' ', '\t', '{']) {
            // Said plainly, because another kind of file is the usual reason.
            return Err(Fault::new("not a JSON object"));
        }
        if !known.is_empty()
            && let Some(hash) = peek_hash(line)?
            && known.get(hash.as_ref()) == Some(&digest)
        {
            return Ok(Line::Unchanged(hash.into_owned()));
        }
        read_run(line, digest, &mut self.block, &mut self.unknown)?;
        Ok(Line::Run(self.block.runs.len() as u32 - 1))
    }
}
