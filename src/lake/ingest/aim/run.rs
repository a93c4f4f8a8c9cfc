//! One line: a run with everything that belongs to it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::flatten::{Target, flatten_document};
use super::sequence::read_sequence;
use crate::ingest::block::{Block, Rows, Run, SeriesKind, Span};
use crate::ingest::fault::{Fault, Read, shorten};
use crate::ingest::lines::json::{Kind, Reader};
use crate::ingest::lines::time::parse_iso;

/// The fields of a run.
const FIELDS: [&str; 18] = [
    "hash",
    "name",
    "description",
    "experiment",
    "tags",
    "archived",
    "active",
    "created_at",
    "finalized_at",
    "end_time",
    "duration",
    "params",
    "metrics",
    "images",
    "texts",
    "audios",
    "distributions",
    "figures",
];

/// Which fields of an object have been read.
#[derive(Default)]
pub(super) struct Seen(u32);

impl Seen {
    /// Marks a field; a field that is there twice is a fault, because one of the two would be lost.
    pub(super) fn first_time(&mut self, field: usize) -> Read<()> {
        let bit = 1 << field;
        if self.0 & bit != 0 {
            return Err(Fault::new("the field is there twice"));
        }
        self.0 |= bit;
        Ok(())
    }
}

/// The hash of the run in a line, read without reading the rest when it comes first. `None` when there is none.
pub(super) fn peek_hash(text: &str) -> Read<Option<Cow<'_, str>>> {
    let mut reader = Reader::new(text);
    reader.enter_object()?;
    let mut first = true;
    while let Some(key) = reader.next_key(first)? {
        first = false;
        if key == "hash" {
            return reader.text().map(Some).map_err(|fault| fault.in_field("hash"));
        }
        reader.raw().map_err(|fault| fault.in_field(&key))?;
    }
    Ok(None)
}

/// A run while its fields arrive, in any order.
#[derive(Default)]
struct Draft {
    hash: Option<Span>,
    name: Option<Span>,
    description: Option<Span>,
    experiment: Option<Span>,
    tags: Rows,
    archived: bool,
    active: Option<bool>,
    created_at: Option<i64>,
    finalized_at: Option<i64>,
    end_time: Option<f64>,
    duration: Option<f64>,
    params: Option<crate::ingest::block::JsonSpan>,
}

/// Reads a line into the block. On a fault the block may hold half a run: the caller rewinds it. The names of fields
/// that are not part of the format are added to `unknown`.
pub(super) fn read_run(text: &str, digest: [u8; 16], block: &mut Block, unknown: &mut BTreeSet<String>) -> Read<()> {
    let mut reader = Reader::new(text);
    let mut draft = Draft::default();
    let mut seen = Seen::default();
    let series_start = block.series.len() as u32;
    reader.object(|reader, key| {
        match FIELDS.iter().position(|field| *field == key) {
            Some(field) => seen.first_time(field)?,
            None => {
                note(unknown, &key);
                return reader.raw().map(drop);
            }
        }
        match key.as_ref() {
            "metrics" => read_sequences(reader, SeriesKind::Metric, block, unknown),
            "images" => read_sequences(reader, SeriesKind::Images, block, unknown),
            "texts" => read_sequences(reader, SeriesKind::Texts, block, unknown),
            "audios" => read_sequences(reader, SeriesKind::Audios, block, unknown),
            "distributions" => read_sequences(reader, SeriesKind::Distributions, block, unknown),
            "figures" => read_sequences(reader, SeriesKind::Figures, block, unknown),
            other => read_field(reader, other, &mut draft, block),
        }
    })?;
    reader.end()?;
    finish(draft, digest, block, series_start)
}

/// Remembers the name of an unknown field; a few are enough to tell the user.
fn note(unknown: &mut BTreeSet<String>, name: &str) {
    const LIMIT: usize = 20;
    if unknown.len() < LIMIT {
        unknown.insert(shorten(name));
    }
}

fn read_sequences(
    reader: &mut Reader<'_>,
    kind: SeriesKind,
    block: &mut Block,
    unknown: &mut BTreeSet<String>,
) -> Read<()> {
    let field = if kind == SeriesKind::Metric { "metrics" } else { kind.name() };
    reader.list(|reader| read_sequence(reader, kind, block, &mut |name| note(unknown, &format!("{field}[].{name}"))))
}

fn read_field(reader: &mut Reader<'_>, key: &str, draft: &mut Draft, block: &mut Block) -> Read<()> {
    if key == "params" {
        draft.params = Some(flatten_document(reader, block, Target::Params, block.runs.len() as u32)?);
        return Ok(());
    }
    // Everything else may be null, which is the same as absent.
    if reader.kind()? == Kind::Null {
        return reader.null();
    }
    match key {
        "hash" => draft.hash = Some(text(reader, block)?),
        "name" => draft.name = Some(text(reader, block)?),
        "description" => draft.description = Some(text(reader, block)?),
        "experiment" => draft.experiment = Some(text(reader, block)?),
        "tags" => {
            let start = block.spans.len() as u32;
            reader.list(|reader| {
                let tag = text(reader, block)?;
                block.spans.push(tag);
                Ok(())
            })?;
            draft.tags = Rows { start, end: block.spans.len() as u32 };
        }
        "archived" => draft.archived = reader.boolean()?,
        "active" => draft.active = Some(reader.boolean()?),
        "created_at" => draft.created_at = Some(parse_iso(&reader.text()?)?),
        "finalized_at" => draft.finalized_at = Some(parse_iso(&reader.text()?)?),
        "end_time" => draft.end_time = Some(finite(reader)?),
        "duration" => draft.duration = Some(finite(reader)?),
        _ => {}
    }
    Ok(())
}

fn text(reader: &mut Reader<'_>, block: &mut Block) -> Read<Span> {
    let text = reader.text()?;
    Ok(block.add_text(&text))
}

fn finite(reader: &mut Reader<'_>) -> Read<f64> {
    let value = reader.float()?;
    if value.is_finite() { Ok(value) } else { Err(Fault::new("expected a finite number of seconds")) }
}

fn finish(draft: Draft, digest: [u8; 16], block: &mut Block, series_start: u32) -> Read<()> {
    let hash = draft.hash.ok_or_else(|| Fault::new("`hash` is missing"))?;
    if block.text(hash).is_empty() {
        return Err(Fault::new("expected a text that is not empty").in_field("hash"));
    }
    let created_at = draft.created_at.ok_or_else(|| Fault::new("`created_at` is missing"))?;
    let name = match draft.name {
        Some(name) => name,
        None => {
            let name = format!("Run: {}", block.text(hash));
            block.add_text(&name)
        }
    };
    let experiment = match draft.experiment {
        Some(experiment) => experiment,
        None => block.add_text("default"),
    };
    let params = match draft.params {
        Some(params) => params,
        None => {
            let start = block.json.len();
            block.json.push_str("{}");
            block.json_from(start)
        }
    };
    let active = draft.active.unwrap_or(draft.end_time.is_none());
    let duration = match (draft.duration, draft.end_time) {
        // Both times are known, so the duration is.
        (None, Some(end)) if !active => Some(end - created_at as f64 / 1e6),
        (duration, _) => duration,
    };
    block.runs.push(Run {
        hash,
        project: None,
        name,
        experiment,
        description: draft.description,
        tags: draft.tags,
        archived: draft.archived,
        active,
        created_at,
        finalized_at: draft.finalized_at,
        end_time: draft.end_time,
        duration,
        digest,
        params,
        series: Rows { start: series_start, end: block.series.len() as u32 },
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORPUS: &str = include_str!("../../../../tests/gold/aimql/dataset.jsonl");

    #[test]
    fn the_hash_is_found_wherever_it_stands() {
        assert_eq!(peek_hash(r#"{"hash": "a", broken"#).unwrap().as_deref(), Some("a"));
        assert_eq!(peek_hash(r#"{"params": {"hash": "x"}, "hash": "b"}"#).unwrap().as_deref(), Some("b"));
        assert_eq!(peek_hash("{}").unwrap(), None);
        assert_eq!(peek_hash(r#"{"hash": 1}"#).unwrap_err().to_string(), "field `hash`: expected text, got a number");
    }

    #[test]
    fn damaged_lines_are_faults_and_leave_no_trace() {
        // A linear congruential generator is random enough to break lines in every place.
        let mut state = 1u64;
        let mut random = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let lines: Vec<&str> = CORPUS.lines().collect();
        let alphabet = b"{}[]\",:0-9.eEtfn \\u$";
        let mut faults = 0;
        for _ in 0..3000 {
            let mut bytes = lines[random(lines.len())].as_bytes().to_vec();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                match random(3) {
                    0 => bytes[at] = alphabet[random(alphabet.len())],
                    1 => bytes.truncate(at.max(1)),
                    _ => drop(bytes.remove(at)),
                }
                if bytes.is_empty() {
                    bytes.push(b'{');
                }
            }
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let mut reader = Reader::new(&text);
            let ours = reader.raw().and_then(|_| reader.end()).is_ok();
            match serde_json::from_str::<serde_json::Value>(&text) {
                Ok(_) => assert!(ours, "{text}"),
                // A number beyond the doubles is infinite here, as it is in Python.
                Err(error) if error.to_string().contains("number out of range") => {}
                Err(_) => assert!(!ours, "{text}"),
            }
            let mut block = Block::default();
            let mark = block.mark();
            if read_run(&text, [0; 16], &mut block, &mut BTreeSet::new()).is_err() {
                faults += 1;
                block.rewind(&mark);
                assert!(block.runs.is_empty() && block.series.is_empty() && block.json.is_empty());
                // The block takes a good line as if nothing had happened.
                read_run(lines[0], [0; 16], &mut block, &mut BTreeSet::new()).unwrap();
                assert_eq!(block.series[0].points.start, 0);
            }
        }
        assert!(faults > 2000, "{faults}");
    }
}
