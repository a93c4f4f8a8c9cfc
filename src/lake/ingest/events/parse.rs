//! Blocks to events, and what in them is none.

use lakeql_rows::tree::{Events, Fields, read_event};

use super::columns;
use super::read::Block;
use crate::ingest::lines::input::RawBlock;
use crate::ingest::{BadRow, RowPlace};

/// The events of a block.
pub(super) struct Parsed {
    pub(super) events: Events,
    pub(super) bad: Vec<BadRow>,
}

/// Parses a block. `name` is that of its file.
pub(super) fn parse(block: Block, name: &str, fields: &Fields) -> Parsed {
    let mut parsed = Parsed { events: Events::new(fields.names().len()), bad: vec![] };
    match block {
        Block::Lines(block) => lines(&block, name, fields, &mut parsed),
        Block::Rows { rows, fault, .. } => {
            columns::read(&rows, fields, &mut parsed.events);
            if let Some((seen, reason)) = fault {
                let place = (seen > 0).then_some(RowPlace::Row(seen + 1));
                parsed.bad.push(BadRow { file: name.to_owned(), place, field: None, reason });
            }
        }
    }
    parsed
}

fn lines(block: &RawBlock, name: &str, fields: &Fields, parsed: &mut Parsed) {
    let mut number = block.first_line;
    let bytes = block.bytes.strip_suffix(b"\n").unwrap_or(&block.bytes);
    if !bytes.is_empty() {
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                for text in text.split('\n') {
                    line(text, name, number, fields, parsed);
                    number += 1;
                }
            }
            // One bad line must not spoil the others.
            Err(_) => {
                for bytes in bytes.split(|byte| *byte == b'\n') {
                    match std::str::from_utf8(bytes) {
                        Ok(text) => line(text, name, number, fields, parsed),
                        Err(error) => {
                            let reason = format!("not valid UTF-8 at byte {}", error.valid_up_to() + 1);
                            bad(name, number, reason, parsed);
                        }
                    }
                    number += 1;
                }
            }
        }
    }
    if let Some(reason) = &block.fault {
        bad(name, number, reason.clone(), parsed);
    }
}

fn bad(name: &str, number: u64, reason: String, parsed: &mut Parsed) {
    parsed.bad.push(BadRow { file: name.to_owned(), place: Some(RowPlace::Line(number)), field: None, reason });
}

fn line(text: &str, name: &str, number: u64, fields: &Fields, parsed: &mut Parsed) {
    let text = text.trim_ascii();
    if text.is_empty() {
        return;
    }
    if !text.starts_with('{') {
        return bad(name, number, "an event is a JSON object".to_owned(), parsed);
    }
    if let Err(error) = read_event(text, fields, &mut parsed.events) {
        let message = error.to_string();
        let what = message.split(" at line ").next().unwrap_or_default();
        bad(name, number, format!("not JSON: {what} at byte {}", error.column()), parsed);
    }
}
