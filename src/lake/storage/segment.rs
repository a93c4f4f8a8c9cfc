//! Segments: what one import chunk or one compaction writes, at most one file per table.
//!
//! The number of a segment is the upper half of the ordinals of its runs and series, so two segments never share one
//! and joins need no look at other files.

use std::fmt;

use uuid::Uuid;

use super::writer::WrittenFile;
use crate::catalog::tables::Table;

/// The number of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SegmentId(pub u64);

impl SegmentId {
    /// Greatest number whose ordinals fit a signed 64-bit integer.
    pub const MAX: SegmentId = SegmentId((1 << 31) - 1);

    /// The ordinal of the row `index` of the segment's `runs` or `series`.
    pub const fn ordinal(self, index: u32) -> i64 {
        ((self.0 as i64) << 32) | index as i64
    }

    /// The segment of an ordinal.
    pub const fn of_ordinal(ordinal: i64) -> SegmentId {
        SegmentId((ordinal >> 32) as u64)
    }

    /// The ordinals of the segment, first and last.
    pub const fn ordinals(self) -> (i64, i64) {
        (self.ordinal(0), self.ordinal(u32::MAX))
    }
}

/// The row index of an ordinal inside its segment.
pub const fn ordinal_index(ordinal: i64) -> u32 {
    ordinal as u32
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010}", self.0)
    }
}

/// The name of a file inside the folder of its table: `<segment>-<generation>-<uuid>.parquet`.
///
/// The generation counts rewrites of one table's file within a segment. Files of the same segment and table replace
/// each other, the greatest generation wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    /// The segment.
    pub segment: SegmentId,
    /// 0 for the file an import writes, counted up by rewrites.
    pub generation: u32,
    /// The text.
    pub text: String,
}

impl FileName {
    /// A new name that no other writer can choose.
    pub fn new(segment: SegmentId, generation: u32) -> Self {
        let text = format!("{segment}-{generation:06}-{}.parquet", Uuid::new_v4());
        FileName { segment, generation, text }
    }

    /// The parts of a name, or `None` if LakeQL has not chosen it.
    pub fn parse(text: &str) -> Option<Self> {
        let (segment, rest) = text.strip_suffix(".parquet")?.split_once('-')?;
        let (generation, uuid) = rest.split_once('-')?;
        if segment.len() != 10 || generation.len() != 6 || uuid.is_empty() {
            return None;
        }
        let segment = SegmentId(segment.parse().ok()?);
        Some(FileName { segment, generation: generation.parse().ok()?, text: text.to_owned() })
    }
}

/// The files of a segment that are written and not yet committed.
#[derive(Debug, Clone)]
pub struct Staged {
    /// The segment.
    pub segment: SegmentId,
    /// At most one file per table; `runs` is always there.
    pub files: Vec<WrittenFile>,
    /// The runs of the segment with their digests, in the order of the `runs` file.
    pub runs: Vec<StagedRun>,
    /// Positions of runs that a later segment of the same import replaces.
    pub dropped: Vec<u32>,
}

/// What identifies a run: runs of different projects may have the same name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunKey {
    /// The project; none for runs of Aim.
    pub project: Option<String>,
    /// The run's hash: the id that answers list.
    pub hash: String,
}

impl RunKey {
    /// A run without project.
    pub fn of_hash(hash: impl Into<String>) -> Self {
        RunKey { project: None, hash: hash.into() }
    }
}

/// A run of a staged segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedRun {
    /// Which run.
    pub key: RunKey,
    /// Fingerprint of everything that was imported of it.
    pub digest: Digest,
}

/// The fingerprint of a run.
pub type Digest = [u8; 16];

impl Staged {
    /// The file of a table.
    pub fn file(&self, table: Table) -> Option<&WrittenFile> {
        self.files.iter().find(|file| file.table == table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_and_names_come_back() {
        let segment = SegmentId(17);
        assert_eq!(segment.ordinal(5), (17 << 32) + 5);
        assert_eq!(SegmentId::of_ordinal(segment.ordinal(u32::MAX)), segment);
        assert_eq!(ordinal_index(segment.ordinal(u32::MAX)), u32::MAX);
        assert!(SegmentId::MAX.ordinal(u32::MAX) == i64::MAX);
        let name = FileName::new(segment, 2);
        assert!(name.text.starts_with("0000000017-000002-"));
        assert_eq!(FileName::parse(&name.text), Some(name));
        assert_eq!(FileName::parse("part-00000.parquet"), None);
    }
}
