//! Files to blocks of whole lines: opening, unpacking and splitting, on a thread of its own.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;

use crate::ingest::budget::Budget;

/// A block is read until it has this many bytes; with a longer line it grows.
const BLOCK_BYTES: usize = 4 << 20;

/// A piece of one file that ends with a whole line.
pub(crate) struct RawBlock {
    /// Blocks are numbered over all files.
    pub(crate) number: u64,
    /// Position in the list of files.
    pub(crate) file: usize,
    /// Line number of the first line, from 1.
    pub(crate) first_line: u64,
    pub(crate) bytes: Vec<u8>,
    /// What the file did not give after these bytes.
    pub(crate) fault: Option<String>,
}

/// Reads all files in their order and sends their blocks. Returns when all is sent or nobody receives any more.
pub(crate) fn read_files(
    files: &[PathBuf],
    max_line_bytes: usize,
    bytes_read: &Arc<AtomicU64>,
    budget: &Budget,
    blocks: &SyncSender<RawBlock>,
) {
    let mut number = 0;
    for (file, path) in files.iter().enumerate() {
        let mut send = |block| blocks.send(block).is_ok();
        let empty = Some("the file is empty: there is no run in it");
        let number = &mut number;
        let mut splitter = Splitter { file, next_line: 1, number, max_line_bytes, budget, empty, blocks: &mut send };
        if !splitter.split(open(path, bytes_read)) {
            return;
        }
    }
}

/// Cuts one file into blocks.
pub(crate) struct Splitter<'a> {
    /// Position in the list of files.
    pub(crate) file: usize,
    pub(crate) next_line: u64,
    /// The number of the next block.
    pub(crate) number: &'a mut u64,
    pub(crate) max_line_bytes: usize,
    pub(crate) budget: &'a Budget,
    /// What is wrong with an empty file, if that is.
    pub(crate) empty: Option<&'static str>,
    /// Takes the blocks; gives `false` when the import has ended meanwhile.
    pub(crate) blocks: &'a mut dyn FnMut(RawBlock) -> bool,
}

impl Splitter<'_> {
    /// `false` when the import has ended meanwhile.
    pub(crate) fn split(&mut self, source: io::Result<Source>) -> bool {
        let mut source = match source {
            Ok(source) => source,
            Err(error) => return self.send(Vec::new(), Some(format!("the file cannot be read: {error}"))),
        };
        match source.fill_buf() {
            // Windows tools like to begin a text with a byte-order mark.
            Ok([0xef, 0xbb, 0xbf, ..]) => source.consume(3),
            Ok(_) => {}
            Err(error) => return self.send(Vec::new(), Some(describe(&error))),
        }
        let mut carry = Vec::new();
        let mut any = false;
        loop {
            let mut bytes = std::mem::take(&mut carry);
            let filled = fill(&mut source, &mut bytes, BLOCK_BYTES, self.max_line_bytes);
            any |= bytes.iter().any(|byte| !byte.is_ascii_whitespace());
            match filled {
                Ok(Filled::Lines(end)) => {
                    carry = Vec::with_capacity(BLOCK_BYTES.max(bytes.len() - end) + 1);
                    carry.extend_from_slice(bytes.get(end..).unwrap_or_default());
                    bytes.truncate(end);
                    if !self.send(bytes, None) {
                        return false;
                    }
                }
                Ok(Filled::End) => {
                    let fault = self.empty.filter(|_| !any).map(str::to_owned);
                    return (bytes.is_empty() && fault.is_none()) || self.send(bytes, fault);
                }
                Ok(Filled::TooLong) => {
                    let megabytes = self.max_line_bytes >> 20;
                    if !self.send(Vec::new(), Some(format!("the line is longer than {megabytes} MiB"))) {
                        return false;
                    }
                    self.next_line += 1;
                    match skip_line(&mut source) {
                        Ok(true) => {}
                        Ok(false) => return true,
                        Err(error) => return self.send(Vec::new(), Some(describe(&error))),
                    }
                }
                Err(error) => {
                    // The part of a line in front of the fault is no line.
                    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                    bytes.truncate(end);
                    return self.send(bytes, Some(describe(&error)));
                }
            }
        }
    }

    fn send(&mut self, bytes: Vec<u8>, fault: Option<String>) -> bool {
        let first_line = self.next_line;
        self.next_line += count_newlines(&bytes);
        if !self.budget.take(bytes.len()) {
            return false;
        }
        let block = RawBlock { number: *self.number, file: self.file, first_line, bytes, fault };
        *self.number += 1;
        (self.blocks)(block)
    }
}

fn count_newlines(bytes: &[u8]) -> u64 {
    // Counted in small pieces so that the compiler can use wide registers.
    bytes.chunks(128).map(|piece| u64::from(piece.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>())).sum()
}

/// A fault while reading, in words for the user.
fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the compressed data ends too early: the file is truncated".to_owned(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
            format!("the compressed data is damaged: {error}")
        }
        _ => format!("the file cannot be read: {error}"),
    }
}

enum Filled {
    /// Up to this position there are whole lines.
    Lines(usize),
    /// The file has ended; the bytes are its last lines.
    End,
    /// There is no end of line within the allowed length. The bytes are dropped.
    TooLong,
}

/// Reads until `bytes` has `wanted` bytes and at least one whole line.
fn fill(source: &mut dyn Read, bytes: &mut Vec<u8>, wanted: usize, max_line: usize) -> io::Result<Filled> {
    let mut limit = wanted;
    loop {
        let before = bytes.len();
        if before < limit {
            source.take((limit - before) as u64).read_to_end(bytes)?;
            if bytes.len() < limit {
                return Ok(Filled::End);
            }
        }
        let new = bytes.get(before..).unwrap_or_default();
        if let Some(at) = new.iter().rposition(|byte| *byte == b'\n') {
            return Ok(Filled::Lines(before + at + 1));
        }
        if bytes.len() >= max_line {
            bytes.clear();
            bytes.shrink_to_fit();
            return Ok(Filled::TooLong);
        }
        limit = (bytes.len() * 2).min(max_line.max(bytes.len() + 1));
    }
}

/// Reads to the end of the current line; `false` at the end of the file.
fn skip_line(source: &mut Source) -> io::Result<bool> {
    source.skip_until(b'\n').map(|_| ())?;
    Ok(!source.fill_buf()?.is_empty())
}

/// A file that is unpacked while it is read.
pub(crate) type Source = BufReader<Box<dyn Read>>;

/// Opens a file and unpacks it by what its first bytes say.
fn open(path: &Path, bytes_read: &Arc<AtomicU64>) -> io::Result<Source> {
    if path.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    unpacked(File::open(path)?, bytes_read)
}

/// Unpacks a file by what its first bytes say.
pub(crate) fn unpacked(file: impl Read + 'static, bytes_read: &Arc<AtomicU64>) -> io::Result<Source> {
    let file = Counted { inner: file, bytes_read: Arc::clone(bytes_read) };
    let mut packed = BufReader::with_capacity(1 << 20, file);
    let head = packed.fill_buf()?;
    let source: Box<dyn Read> = if head.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(packed))
    } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(zstd::stream::read::Decoder::with_buffer(packed)?)
    } else if let Some(format) = foreign_format(head) {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!("it is {format}; JSON lines are read as they are or packed by gzip or zstd"),
        ));
    } else {
        Box::new(packed)
    };
    Ok(BufReader::with_capacity(1 << 16, source))
}

/// Formats a user may take for something we read.
fn foreign_format(head: &[u8]) -> Option<&'static str> {
    let magics: [(&[u8], &str); 5] = [
        (b"BZh", "packed by bzip2"),
        (&[0xfd, b'7', b'z', b'X', b'Z'], "packed by xz"),
        (b"PK\x03\x04", "a zip archive"),
        (b"PAR1", "a Parquet file"),
        (b"SQLite format 3", "an SQLite database"),
    ];
    magics.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name)
}

/// Counts the bytes of the file as they are read, for the progress.
struct Counted<R> {
    inner: R,
    bytes_read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes_read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::mpsc::sync_channel;

    use super::*;

    fn blocks_of(contents: &[u8], max_line: usize) -> Vec<RawBlock> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.jsonl");
        std::fs::write(&path, contents).unwrap();
        let (sender, receiver) = sync_channel(1000);
        read_files(&[path], max_line, &Arc::default(), &Budget::new(usize::MAX), &sender);
        drop(sender);
        receiver.into_iter().collect()
    }

    #[test]
    fn lines_are_whole_and_numbered() {
        let line = format!("{}\n", "x".repeat(999_999));
        let text = line.repeat(20);
        let blocks = blocks_of(text.as_bytes(), 64 << 20);
        assert!(blocks.len() > 2);
        let mut next = 1;
        let mut all = Vec::new();
        for block in &blocks {
            assert_eq!(block.first_line, next);
            assert!(block.bytes.ends_with(b"\n"));
            assert!(block.fault.is_none());
            next += count_newlines(&block.bytes);
            all.extend_from_slice(&block.bytes);
        }
        assert_eq!(all, text.as_bytes());
        assert_eq!(next, 21);
    }

    #[test]
    fn a_long_line_grows_the_block_up_to_the_limit() {
        let text = format!("a\n{}\nb", "y".repeat(9 << 20));
        let blocks = blocks_of(text.as_bytes(), 64 << 20);
        assert_eq!(blocks.iter().map(|block| block.bytes.len()).sum::<usize>(), text.len());
        let blocks = blocks_of(text.as_bytes(), 8 << 20);
        let faults: Vec<_> = blocks.iter().filter_map(|block| Some((block.first_line, block.fault.clone()?))).collect();
        assert_eq!(faults, [(2, "the line is longer than 8 MiB".to_owned())]);
        let last = blocks.last().unwrap();
        assert_eq!((last.first_line, last.bytes.as_slice()), (3, b"b".as_slice()));
    }

    #[test]
    fn packed_files_are_unpacked_and_their_damage_is_seen() {
        let text = b"{}\n{}\n".repeat(1000);
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&text).unwrap();
        let gz = gz.finish().unwrap();
        let zst = zstd::encode_all(text.as_slice(), 1).unwrap();
        for packed in [&gz, &zst] {
            let blocks = blocks_of(packed, 1 << 20);
            assert_eq!(blocks.concat(), text);
            let half = blocks_of(packed.get(..packed.len() - 6).unwrap(), 1 << 20);
            let fault = half.last().unwrap().fault.clone().unwrap();
            assert!(fault.contains("truncated"), "{fault}");
        }
        let fault = blocks_of(b"PAR1....", 1 << 20).remove(0).fault.unwrap();
        assert!(fault.contains("a Parquet file"), "{fault}");
    }

    #[test]
    fn an_empty_file_is_a_fault() {
        for text in ["", "\n\n  \n"] {
            let blocks = blocks_of(text.as_bytes(), 1 << 20);
            assert!(blocks.last().unwrap().fault.clone().unwrap().contains("empty"));
        }
    }

    trait Concat {
        fn concat(&self) -> Vec<u8>;
    }

    impl Concat for Vec<RawBlock> {
        fn concat(&self) -> Vec<u8> {
            self.iter().flat_map(|block| block.bytes.clone()).collect()
        }
    }
}
