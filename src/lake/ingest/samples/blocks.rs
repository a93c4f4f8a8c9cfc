//! Blocks of a file: where some consecutive samples begin, how many bytes they have, and a checksum of these, so that
//! samples can be read by themselves and a file that has changed is noticed.

use xxhash_rust::xxh3::xxh3_64;

/// Samples of a block of lines or of a tar.
const SAMPLES: u64 = 16;

/// Bytes from which on a block is full.
const BYTES: usize = 64 << 10;

/// Some consecutive samples of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// The number of its first sample.
    pub(crate) first: u64,
    /// Where it begins, in the unpacked file.
    pub(crate) offset: u64,
    /// How long it is.
    pub(crate) bytes: u64,
    /// XXH3 of what stands for its content.
    pub(crate) checksum: i64,
}

/// The checksum of bytes.
pub(crate) fn checksum(bytes: &[u8]) -> i64 {
    i64::from_ne_bytes(xxh3_64(bytes).to_ne_bytes())
}

/// Makes blocks of samples that come one after the other.
#[derive(Debug, Default)]
pub(super) struct BlockMaker {
    first: u64,
    offset: u64,
    samples: u64,
    /// Bytes of the file.
    length: u64,
    /// What the checksum is of.
    content: Vec<u8>,
}

impl BlockMaker {
    /// Adds a sample of so many bytes, for whose content these stand. Gives the block that is full.
    pub(super) fn add(&mut self, length: u64, content: &[u8]) -> Option<Block> {
        self.samples += 1;
        self.length += length;
        self.content.extend_from_slice(content);
        (self.samples - self.first >= SAMPLES || self.content.len() >= BYTES).then(|| self.block())
    }

    /// The last block, if samples are left.
    pub(super) fn finish(mut self) -> Option<Block> {
        (self.samples > self.first).then(|| self.block())
    }

    fn block(&mut self) -> Block {
        let block =
            Block { first: self.first, offset: self.offset, bytes: self.length, checksum: checksum(&self.content) };
        self.first = self.samples;
        self.offset += std::mem::take(&mut self.length);
        self.content.clear();
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_follow_each_other() {
        let mut maker = BlockMaker::default();
        let mut blocks = vec![];
        for _ in 0..20 {
            blocks.extend(maker.add(10, b"0123456789"));
        }
        blocks.extend(maker.add(70_000, &vec![b'x'; 70_000]));
        blocks.extend(maker.add(1, b"y"));
        blocks.extend(maker.finish());
        let places: Vec<_> = blocks.iter().map(|it| (it.first, it.offset, it.bytes)).collect();
        assert_eq!(places, [(0, 0, 160), (16, 160, 70_040), (21, 70_200, 1)]);
        assert_eq!(blocks[2].checksum, checksum(b"y"));
        assert_eq!(BlockMaker::default().finish(), None);
    }
}
