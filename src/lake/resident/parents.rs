//! Ids of parents to ordinals.
//!
//! Provenance keeps the id of a parent: the file may come later, and gets a new ordinal whenever it changes. Which ordinal
//! an id has in this version of the lake is found out once, when a query first follows provenance.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use arrow::array::{AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use datafusion::common::Result;
use datafusion::physical_plan::metrics::Count;
use tokio::sync::OnceCell;
use xxhash_rust::xxh3::xxh3_128;

use super::block::{self, Block};
use super::source::Source;

/// Ordinals of files by fingerprints of their ids.
#[derive(Debug, Default)]
pub(super) struct Ids {
    ordinals: Ordinals,
    /// By `namespace:name`, once a parent is known by that only.
    names: OnceCell<Ordinals>,
}

type Ordinals = HashMap<u128, i64, BuildHasherDefault<Low>>;

impl Ids {
    /// Reads the ids of all files.
    pub(super) async fn read(files: &Source, bytes: &Count) -> Result<Self> {
        let ordinals = index(files, &["fid"], bytes).await?;
        Ok(Self { ordinals, names: OnceCell::new() })
    }

    /// The ordinal of each id, or of each `namespace:name`; null where no file has it.
    pub(super) async fn ordinals(&self, ids: &Block, files: &Source, bytes: &Count) -> Result<Int64Array> {
        let rows = 0..ids.rows();
        let mut found: Vec<Option<i64>> = rows
            .map(|row| block::text(ids, row).and_then(|id| self.ordinals.get(&xxh3_128(id.as_bytes())).copied()))
            .collect();
        let named = |row| block::text(ids, row).filter(|id| id.contains(':'));
        if found.iter().enumerate().any(|(row, found)| found.is_none() && named(row).is_some()) {
            let names = self.names.get_or_try_init(|| index(files, &["namespace", "name"], bytes)).await?;
            for (row, found) in found.iter_mut().enumerate().filter(|(_, found)| found.is_none()) {
                *found = named(row).and_then(|name| names.get(&xxh3_128(name.as_bytes())).copied());
            }
        }
        Ok(found.into_iter().collect())
    }
}

/// The ordinals of all files by one or two columns, with a colon between two.
async fn index(files: &Source, by: &[&str], bytes: &Count) -> Result<Ordinals> {
    let mut ordinals = Ordinals::default();
    let names = by.iter().map(|name| files.schema.index_of(name)).collect::<std::result::Result<Vec<_>, _>>()?;
    let file = files.schema.index_of("file")?;
    let columns: Vec<usize> = names.iter().copied().chain([file]).collect();
    for (part, groups) in files.parts.iter().map(|part| part.footer.num_row_groups()).enumerate() {
        for group in 0..groups {
            let rows = files.rows(part, group);
            ordinals.reserve(rows);
            let blocks = files.blocks(part, group, &columns, bytes).await?;
            let texts: Vec<_> = names.iter().filter_map(|index| blocks.get(index)).collect();
            let Some(numbers) = blocks.get(&file) else { continue };
            let numbers = numbers.values(&block::Chosen::All(rows))?;
            let Some(numbers) = numbers.as_primitive_opt::<Int64Type>() else { continue };
            let mut key = String::new();
            for row in 0..rows {
                key.clear();
                for (at, text) in texts.iter().enumerate() {
                    if at > 0 {
                        key.push(':');
                    }
                    key.push_str(block::text(text, row).unwrap_or_default());
                }
                ordinals.insert(xxh3_128(key.as_bytes()), numbers.value(row));
            }
        }
    }
    Ok(ordinals)
}

/// Fingerprints are random already.
#[derive(Default)]
struct Low(u64);

impl Hasher for Low {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, number: u128) {
        self.0 = number as u64;
    }
}
