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
use xxhash_rust::xxh3::xxh3_128;

use super::block::{self, Block};
use super::source::Source;

/// Ordinals of files by fingerprints of their ids.
#[derive(Debug, Default)]
pub(super) struct Ids {
    ordinals: HashMap<u128, i64, BuildHasherDefault<Low>>,
}

impl Ids {
    /// Reads the ids of all files.
    pub(super) async fn read(files: &Source, bytes: &Count) -> Result<Self> {
        let mut ids = Self::default();
        let (Ok(fid), Ok(file)) = (files.schema.index_of("fid"), files.schema.index_of("file")) else { return Ok(ids) };
        for (part, groups) in files.parts.iter().map(|part| part.footer.num_row_groups()).enumerate() {
            for group in 0..groups {
                let rows = files.rows(part, group);
                ids.ordinals.reserve(rows);
                let columns = files.blocks(part, group, &[fid, file], bytes).await?;
                let (Some(names), Some(ordinals)) = (columns.get(&fid), columns.get(&file)) else { continue };
                let ordinals = ordinals.values(&block::Chosen::All(rows))?;
                let Some(ordinals) = ordinals.as_primitive_opt::<Int64Type>() else { continue };
                for row in 0..rows {
                    if let Some(id) = block::text(names, row) {
                        ids.ordinals.insert(xxh3_128(id.as_bytes()), ordinals.value(row));
                    }
                }
            }
        }
        Ok(ids)
    }

    /// The ordinal of each id; null where no file has it.
    pub(super) fn ordinals(&self, ids: &Block) -> Int64Array {
        (0..ids.rows())
            .map(|row| block::text(ids, row).and_then(|id| self.ordinals.get(&xxh3_128(id.as_bytes())).copied()))
            .collect()
    }
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
