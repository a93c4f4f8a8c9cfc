//! WebDataset tars: members of a sample become members of an object by their endings. JSON is taken as it is, texts as
//! texts, everything else as `{"base64": "…"}`.

use std::io::{Read, Seek, SeekFrom};

use serde_json::{Map, Value, json};

use super::base64::encode;
use super::{Known, Samples};
use crate::error::{Error, Result};
use crate::ingest::samples::blocks::{Block, checksum};
use crate::ingest::samples::packed::{Packing, open};
use crate::ingest::samples::tar::{is_text, split, text_value};
use crate::storage::anywhere::AnyFile;

/// A tar.
pub(super) struct TarFile {
    pub(super) known: Known,
}

impl TarFile {
    pub(super) fn new(known: Known) -> Self {
        Self { known }
    }

    pub(super) fn read(&mut self, ranges: &[(u64, u64)], columns: Option<&[String]>) -> Result<Vec<Samples>> {
        let mut lists = vec![];
        let mut last: Option<(u64, Samples)> = None;
        for (start, end) in ranges {
            let mut list = vec![];
            for block in self.known.blocks_of(*start, *end) {
                if last.as_ref().is_none_or(|(first, _)| *first != block.first) {
                    last = Some((block.first, self.samples(block, columns)?));
                }
                let Some((first, samples)) = &last else { continue };
                let from = usize::try_from(start.saturating_sub(*first)).unwrap_or(usize::MAX);
                let to = usize::try_from(end - first).unwrap_or(usize::MAX).min(samples.len());
                list.extend(samples.get(from..to).unwrap_or_default().iter().cloned());
            }
            lists.push(list);
        }
        Ok(lists)
    }

    /// All samples of a block, if their members are what they were.
    fn samples(&self, block: &Block, columns: Option<&[String]>) -> Result<Samples> {
        let unreadable = |error: std::io::Error| self.known.unreadable(&error);
        let (mut source, packing) = open(&self.known.path).map_err(unreadable)?;
        let bytes: Box<dyn Read> = if packing == Packing::None {
            let mut file = AnyFile::open(&self.known.path).map_err(unreadable)?;
            file.seek(SeekFrom::Start(block.offset)).map_err(unreadable)?;
            Box::new(file.take(block.bytes))
        } else {
            std::io::copy(&mut source.by_ref().take(block.offset), &mut std::io::sink()).map_err(unreadable)?;
            Box::new(source.take(block.bytes))
        };
        let mut headers = vec![];
        let mut samples: Vec<(String, Map<String, Value>)> = vec![];
        let mut archive = tar::Archive::new(bytes);
        for entry in archive.entries().map_err(unreadable)? {
            let mut entry = entry.map_err(|error| self.known.changed(error.to_string()))?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let member = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let Some((key, ending)) = split(&member) else { continue };
            headers.extend_from_slice(entry.header().as_bytes());
            if samples.last().is_none_or(|(last, _)| last != key) {
                samples.push((key.to_owned(), Map::from_iter([("__key__".to_owned(), Value::from(key))])));
            }
            if columns.is_some_and(|columns| !columns.iter().any(|column| column == ending)) {
                continue;
            }
            let mut bytes = vec![];
            entry.read_to_end(&mut bytes).map_err(unreadable)?;
            let value = match ending {
                "json" => serde_json::from_slice(&bytes).map_err(|error| Error::Data {
                    file: self.known.name.clone(),
                    row: None,
                    field: Some(member.clone()),
                    reason: format!("not JSON: {error}"),
                })?,
                ending if is_text(ending) => text_value(&String::from_utf8_lossy(&bytes)),
                _ => json!({ "base64": encode(&bytes) }),
            };
            if let Some((_, object)) = samples.last_mut() {
                object.insert(ending.to_owned(), value);
            }
        }
        if checksum(&headers) != block.checksum {
            let end = self.known.end_of(block);
            return Err(self.known.changed(format!("samples {} to {end} are others", block.first)));
        }
        let keeps_key = columns.is_none_or(|columns| columns.iter().any(|column| column == "__key__"));
        let shown = |(_, mut object): (String, Map<String, Value>)| {
            if !keeps_key {
                object.remove("__key__");
            }
            Value::Object(object).to_string()
        };
        Ok(samples.into_iter().map(shown).collect())
    }
}
