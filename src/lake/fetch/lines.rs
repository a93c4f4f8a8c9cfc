//! JSON lines: blocks of a plain file are read by themselves; a packed file is unpacked from its beginning.

use std::collections::HashMap;
use std::io::{BufRead, Read, Seek, SeekFrom};

use serde_json::value::RawValue;

use super::{Known, Samples, members};
use crate::error::{Error, Result, RowPlace};
use crate::ingest::samples::blocks::{Block, checksum};
use crate::ingest::samples::packed::{Packing, open};
use crate::storage::anywhere::AnyFile;

/// A file of lines.
pub(super) struct LineFile {
    pub(super) known: Known,
    reader: Option<Reader>,
}

/// What is open, and where it is in the unpacked file.
enum Reader {
    Plain(AnyFile),
    Packed(Box<dyn BufRead + Send>, u64),
}

impl LineFile {
    pub(super) fn new(known: Known) -> Self {
        Self { known, reader: None }
    }

    pub(super) fn read(&mut self, ranges: &[(u64, u64)], columns: Option<&[String]>) -> Result<Vec<Samples>> {
        let mut lists = vec![];
        // The lines of the block that was read last, and its first sample.
        let mut last: Option<(u64, Vec<String>)> = None;
        for (start, end) in ranges {
            let mut list = vec![];
            for block in self.known.blocks_of(*start, *end).to_vec() {
                if last.as_ref().is_none_or(|(first, _)| *first != block.first) {
                    last = Some((block.first, self.lines(&block)?));
                }
                let Some((first, lines)) = &last else { continue };
                let from = usize::try_from(start.saturating_sub(*first)).unwrap_or(usize::MAX);
                let to = usize::try_from(end - first).unwrap_or(usize::MAX).min(lines.len());
                for (number, line) in (*start.max(first)..).zip(lines.get(from..to).unwrap_or_default()) {
                    list.push(self.sample(number, line, columns)?);
                }
            }
            lists.push(list);
        }
        Ok(lists)
    }

    fn sample(&self, number: u64, line: &str, columns: Option<&[String]>) -> Result<String> {
        let Some(columns) = columns else { return Ok(line.to_owned()) };
        let object: HashMap<String, &RawValue> = serde_json::from_str(line).map_err(|error| Error::Data {
            file: self.known.name.clone(),
            row: Some(RowPlace::Line(number + 1)),
            field: None,
            reason: format!("not a JSON object: {error}"),
        })?;
        Ok(members(&object, columns))
    }

    /// The lines of a block, if they are what they were.
    fn lines(&mut self, block: &Block) -> Result<Vec<String>> {
        let bytes = self.bytes(block).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => self.known.changed("it ends too early"),
            _ => self.known.unreadable(&error),
        })?;
        let end = self.known.end_of(block);
        if checksum(&bytes) != block.checksum {
            let lines = format!("lines {} to {end} are others", block.first + 1);
            return Err(self.known.changed(lines));
        }
        let text = String::from_utf8(bytes).map_err(|_| Error::Data {
            file: self.known.name.clone(),
            row: Some(RowPlace::Line(block.first + 1)),
            field: None,
            reason: "the line, or one of those behind it, is not UTF-8 text".to_owned(),
        })?;
        let text = if block.first == 0 { text.strip_prefix('\u{feff}').unwrap_or(&text) } else { &text };
        Ok(text.lines().map(str::to_owned).collect())
    }

    fn bytes(&mut self, block: &Block) -> std::io::Result<Vec<u8>> {
        let behind = |reader: &Reader| matches!(reader, Reader::Packed(_, at) if *at > block.offset);
        if self.reader.as_ref().is_none_or(behind) {
            let (source, packing) = open(&self.known.path)?;
            self.reader = Some(match packing {
                Packing::None => Reader::Plain(AnyFile::open(&self.known.path)?),
                Packing::Gzip | Packing::Zstd | Packing::Bzip2 | Packing::Xz => Reader::Packed(source, 0),
            });
        }
        let mut bytes = vec![0; usize::try_from(block.bytes).unwrap_or_default()];
        match &mut self.reader {
            Some(Reader::Plain(file)) => {
                file.seek(SeekFrom::Start(block.offset))?;
                file.read_exact(&mut bytes)?;
            }
            Some(Reader::Packed(source, at)) => {
                let skipped = block.offset - *at;
                if std::io::copy(&mut source.by_ref().take(skipped), &mut std::io::sink())? < skipped {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                source.read_exact(&mut bytes)?;
                *at = block.offset + block.bytes;
            }
            None => {}
        }
        Ok(bytes)
    }
}
