//! WebDataset tars: consecutive members whose names are equal up to the first dot are one sample.
//!
//! A sample is an object with a member for each ending: that of `.json` is what the file holds, that of `.txt`, `.text`,
//! `.caption`, `.cls`, `.id` and `.index` its text (a whole number if it is one), of any other file nothing is read while
//! importing. `__key__` is the name in front of the dot.

use std::io::Read;
use std::path::Path;

use arrow::array::RecordBatch;
use parquet::file::reader::Length;
use serde_json::{Map, Value};

use super::blocks::{Block, BlockMaker};
use super::json::Columns;
use super::packed::{Packing, open};
use super::schema::{Discovery, SampleSchema};
use super::{BATCH_ROWS, fault};
use crate::error::{Result, RowPlace};
use crate::storage::anywhere::{AnyFile, size};

/// Largest member that holds properties.
const LARGEST: u64 = 64 << 20;

/// Whether a file is one, by its name: nothing else says so for certain.
pub(crate) fn is_tar(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz"].iter().any(|ending| name.ends_with(ending))
}

/// The name of a sample and the ending, or nothing if a name has no dot.
pub(crate) fn split(name: &str) -> Option<(&str, &str)> {
    let start = name.rfind('/').map_or(0, |at| at + 1);
    let dot = start + name.get(start..)?.find('.')?;
    Some((name.get(..dot)?, name.get(dot + 1..)?)).filter(|(_, ending)| !ending.is_empty())
}

/// Whether the text of a member is a value.
pub(crate) fn is_text(ending: &str) -> bool {
    matches!(ending, "txt" | "text" | "caption" | "cls" | "id" | "index")
}

/// What a text member stands for.
pub(crate) fn text_value(text: &str) -> Value {
    text.trim().parse::<i64>().map_or_else(|_| Value::from(text), Value::from)
}

/// A sample that is being put together.
struct Sample {
    key: String,
    object: Map<String, Value>,
    /// Headers of the members.
    headers: Vec<u8>,
    /// Where its first member begins.
    offset: u64,
}

/// Takes a sample: its number, its object, where it begins and its headers; false ends the reading.
type Each<'a> = dyn FnMut(u64, &Map<String, Value>, u64, &[u8]) -> Result<bool> + 'a;

/// Calls `each` with every sample: its object, where it begins, and its headers; until it says that it is enough.
fn samples(path: &Path, name: &str, each: &mut Each<'_>) -> Result<()> {
    let unreadable = |error: std::io::Error| fault(name, None, None, format!("the file cannot be read: {error}"));
    let (source, packing) = open(path).map_err(unreadable)?;
    if packing == Packing::None {
        // What is not wanted is not read.
        let file = AnyFile::open(path).map_err(unreadable)?;
        let length = Length::len(&file);
        let mut archive = tar::Archive::new(file);
        let end = walk(archive.entries_with_seek().map_err(unreadable)?, name, each)?;
        // Seeking beyond the end is no error.
        return match end > length {
            true => Err(fault(name, None, None, "the file is damaged: it is cut off within a member".to_owned())),
            false => Ok(()),
        };
    }
    let mut archive = tar::Archive::new(source);
    walk(archive.entries().map_err(unreadable)?, name, each).map(drop)
}

/// Gives where the last member that was visited ends, filled up to whole blocks.
fn walk<R: Read>(entries: tar::Entries<'_, R>, name: &str, each: &mut Each<'_>) -> Result<u64> {
    let mut number = 0;
    let mut open: Option<Sample> = None;
    // Where the next member begins, with whatever headers stand in front of its own.
    let mut next: u64 = 0;
    for entry in entries {
        let place = Some(RowPlace::Row(number + 1));
        let wrong = |field: Option<&str>, reason: String| fault(name, place, field, reason);
        let mut entry = entry.map_err(|error| wrong(None, format!("the file is damaged: {error}")))?;
        // Content is filled up to whole blocks of 512 bytes.
        let end = entry.raw_file_position().saturating_add(entry.size().saturating_add(511) / 512 * 512);
        let offset = std::mem::replace(&mut next, end);
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let member = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some((key, ending)) = split(&member) else { continue };
        if open.as_ref().is_none_or(|sample| sample.key != key) {
            if let Some(done) = open.take() {
                if !each(number, &done.object, done.offset, &done.headers)? {
                    return Ok(offset);
                }
                number += 1;
            }
            let object = Map::from_iter([("__key__".to_owned(), Value::from(key))]);
            open = Some(Sample { key: key.to_owned(), object, headers: vec![], offset });
        }
        let Some(sample) = &mut open else { continue };
        sample.headers.extend_from_slice(entry.header().as_bytes());
        let value = if ending == "json" || is_text(ending) {
            let mut text = vec![];
            let read = entry.by_ref().take(LARGEST).read_to_end(&mut text);
            read.map_err(|error| wrong(Some(member.as_str()), format!("the file is damaged: {error}")))?;
            if ending == "json" {
                serde_json::from_slice(&text)
                    .map_err(|error| wrong(Some(member.as_str()), format!("not JSON: {error}")))?
            } else {
                text_value(&String::from_utf8_lossy(&text))
            }
        } else {
            Value::Null
        };
        if sample.object.insert(ending.to_owned(), value).is_some() {
            return Err(wrong(Some(member.as_str()), "the sample has this member twice".to_owned()));
        }
    }
    if let Some(done) = open {
        each(number, &done.object, done.offset, &done.headers)?;
    }
    Ok(next)
}

/// Reads a file and hands its properties and blocks on.
pub(super) fn read(
    path: &Path,
    name: &str,
    schema: &SampleSchema,
    block: &mut dyn FnMut(Block) -> bool,
    send: &mut dyn FnMut(RecordBatch) -> Result<bool>,
) -> Result<()> {
    let mut columns = Columns::new(schema);
    let mut maker = BlockMaker::default();
    // A sample is as long as it is to the next one.
    let mut last: Option<(u64, Vec<u8>)> = None;
    samples(path, name, &mut |number, object, offset, headers| {
        if let Some((before, headers)) = last.replace((offset, headers.to_vec()))
            && let Some(full) = maker.add(offset.saturating_sub(before), &headers)
            && !block(full)
        {
            return Ok(false);
        }
        columns
            .append_object(schema, object)
            .map_err(|(field, reason)| fault(name, Some(RowPlace::Row(number + 1)), Some(&field), reason))?;
        if columns.rows() == BATCH_ROWS { send(columns.finish()?) } else { Ok(true) }
    })?;
    if let Some((offset, headers)) = last {
        // How long an unpacked tar is nobody knows before its end.
        let packed = open(path).map_or(Packing::None, |(_, packing)| packing) != Packing::None;
        let end = size(path).unwrap_or_default();
        let length = if packed { 1 << 40 } else { end.saturating_sub(offset) };
        maker.add(length, &headers).map(&mut *block);
    }
    maker.finish().map(block);
    if columns.rows() > 0 {
        send(columns.finish()?)?;
    }
    Ok(())
}

/// Looks at the first samples of a file.
pub(super) fn discover(path: &Path, name: &str, most: u64, discovery: &mut Discovery) -> Result<()> {
    samples(path, name, &mut |number, object, _, _| {
        let mut object = object.clone();
        // Its name tells a sample from all others.
        object.remove("__key__");
        discovery.look(&Value::Object(object));
        Ok(number + 1 < most)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_the_first_dot_of_the_last_part() {
        for (name, expected) in [
            ("a/b.c/0001.seg.png", Some(("a/b.c/0001", "seg.png"))),
            ("0001.json", Some(("0001", "json"))),
            ("README", None),
            ("a.b/README", None),
            ("x.", None),
        ] {
            assert_eq!(split(name), expected, "{name}");
        }
        assert_eq!((text_value(" 7\n"), text_value("a 7")), (Value::from(7), Value::from("a 7")));
    }
}
