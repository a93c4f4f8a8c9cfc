//! Rows in the order of their keys. Rows with equal keys keep their order.
//!
//! Rows collect in a buffer that fits the caches, where an entry beside each row has the first bytes of its key. A full
//! buffer is sorted and becomes a run: keys and rows one behind the other. Runs stay in memory until the share is used up;
//! then all of them become one run on disk. At the end all runs are merged.

use super::codec::{self, write_row};
use super::disk::{Disk, Extent};
use crate::error::Problem;
use crate::limits::Share;
use crate::row::Row;
use crate::sketch::{In, Out};
use std::cmp::Ordering;
use std::collections::VecDeque;

/// Bytes of the buffer, entries included.
const BUFFER: usize = 16 << 20;
/// Bytes of a piece of a run.
const PIECE: usize = 1 << 18;
/// Runs that are merged at once.
const MOST_RUNS: usize = 64;

/// Collects rows.
pub(crate) struct Sorter {
    bytes: Out,
    entries: Vec<Entry>,
    row: Out,
    runs: Vec<Run>,
    buffer: usize,
    disk: Disk,
    held: Share,
}

/// A row of the buffer.
#[derive(Clone, Copy)]
struct Entry {
    /// The first bytes of its key.
    prefix: [u64; 2],
    /// Where its key stands.
    at: usize,
}

/// Rows in order, as pieces of bytes.
enum Run {
    Memory(VecDeque<Vec<u8>>),
    Disk(VecDeque<Extent>),
}

fn prefix(key: &[u8]) -> [u64; 2] {
    let part = |from: usize| {
        let mut bytes = [0; 8];
        for (to, byte) in bytes.iter_mut().zip(key.get(from..).unwrap_or_default()) {
            *to = *byte;
        }
        u64::from_be_bytes(bytes)
    };
    [part(0), part(8)]
}

/// The key of a record.
fn key_at(bytes: &[u8], at: usize) -> &[u8] {
    In::new(bytes.get(at..).unwrap_or_default()).bytes().unwrap_or_default()
}

impl Sorter {
    pub(crate) fn new(held: Share, disk: Disk) -> Self {
        let buffer = (held.quota() / 4).clamp(1 << 12, BUFFER);
        Self { bytes: Out::default(), entries: vec![], row: Out::default(), runs: vec![], buffer, disk, held }
    }

    /// Takes a row.
    pub(crate) fn push(&mut self, key: &[u8], row: &Row) -> Result<(), Problem> {
        self.row.clear();
        write_row(row, &mut self.row);
        let held = self.bytes.as_slice().len() + self.row.as_slice().len();
        if (self.entries.len() + 1) * size_of::<Entry>() + held > self.buffer {
            self.close_run()?;
        }
        self.entries.push(Entry { prefix: prefix(key), at: self.bytes.as_slice().len() });
        self.bytes.bytes(key);
        self.bytes.bytes(self.row.as_slice());
        Ok(())
    }

    fn sort(&mut self) {
        let bytes = self.bytes.as_slice();
        self.entries.sort_unstable_by(|a, b| match a.prefix.cmp(&b.prefix) {
            Ordering::Equal => key_at(bytes, a.at).cmp(key_at(bytes, b.at)).then(a.at.cmp(&b.at)),
            order => order,
        });
    }

    /// The buffer becomes a run.
    fn close_run(&mut self) -> Result<(), Problem> {
        if self.entries.is_empty() {
            return Ok(());
        }
        self.sort();
        let bytes = self.bytes.as_slice();
        if !self.held.fits(bytes.len()) {
            Self::spill(&mut self.runs, &mut self.held, &self.disk)?;
        }
        let mut run = Writer::new(if self.held.fits(bytes.len()) { None } else { Some(self.disk.clone()) });
        for entry in &self.entries {
            let record = bytes.get(entry.at..).unwrap_or_default();
            let mut rest = In::new(record);
            rest.bytes().and_then(|_| rest.bytes()).ok_or_else(codec::damaged)?;
            run.push(record.get(..record.len() - rest.left()).unwrap_or_default())?;
        }
        let run = run.finish()?;
        if let Run::Memory(pieces) = &run {
            self.held.take(pieces.iter().map(Vec::len).sum())?;
        }
        self.runs.push(run);
        self.bytes.clear();
        self.entries.clear();
        Ok(())
    }

    /// The runs in memory become one on disk. They are the last ones.
    fn spill(runs: &mut Vec<Run>, held: &mut Share, disk: &Disk) -> Result<(), Problem> {
        let first = runs.iter().position(|run| matches!(run, Run::Memory(_))).unwrap_or(runs.len());
        let in_memory = runs.split_off(first);
        if !in_memory.is_empty() {
            runs.push(merge(in_memory, disk)?);
            held.give_back(usize::MAX);
        }
        Ok(())
    }

    /// The rows in order.
    pub(crate) fn finish(mut self) -> Result<Sorted, Problem> {
        if self.runs.is_empty() {
            self.sort();
            let Self { bytes, entries, .. } = self;
            return Ok(Sorted(Source::Buffer { bytes: bytes.done(), entries: entries.into_iter() }));
        }
        self.close_run()?;
        let Self { runs, disk, held, .. } = self;
        Ok(Sorted(Source::Runs(Merge::new(reduce(runs, &disk)?, &disk)?, held)))
    }
}

/// Merges neighbours until few enough runs are left.
fn reduce(mut runs: Vec<Run>, disk: &Disk) -> Result<Vec<Run>, Problem> {
    while runs.len() > MOST_RUNS {
        let mut fewer = vec![];
        let mut rest = runs.into_iter().peekable();
        while rest.peek().is_some() {
            fewer.push(merge(rest.by_ref().take(MOST_RUNS).collect(), disk)?);
        }
        runs = fewer;
    }
    Ok(runs)
}

/// One run on disk out of several.
fn merge(runs: Vec<Run>, disk: &Disk) -> Result<Run, Problem> {
    let mut merged = Writer::new(Some(disk.clone()));
    let mut merge = Merge::new(runs, disk)?;
    while let Some(record) = merge.next()? {
        merged.push(record)?;
    }
    merged.finish()
}

/// Writes a run.
struct Writer {
    disk: Option<Disk>,
    piece: Vec<u8>,
    run: Run,
}

impl Writer {
    fn new(disk: Option<Disk>) -> Self {
        let run = if disk.is_some() { Run::Disk(VecDeque::new()) } else { Run::Memory(VecDeque::new()) };
        Self { disk, piece: vec![], run }
    }

    fn push(&mut self, record: &[u8]) -> Result<(), Problem> {
        if !self.piece.is_empty() && self.piece.len() + record.len() > PIECE {
            self.close_piece()?;
        }
        self.piece.extend_from_slice(record);
        Ok(())
    }

    fn close_piece(&mut self) -> Result<(), Problem> {
        match (&mut self.run, &self.disk) {
            (Run::Disk(extents), Some(disk)) => {
                extents.push_back(disk.write(&self.piece)?);
                self.piece.clear();
            }
            (Run::Memory(pieces), _) => {
                let next = Vec::with_capacity(self.piece.len());
                pieces.push_back(std::mem::replace(&mut self.piece, next));
            }
            (Run::Disk(_), None) => return Err(codec::damaged()),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Run, Problem> {
        if !self.piece.is_empty() {
            self.piece.shrink_to_fit();
            self.close_piece()?;
        }
        Ok(self.run)
    }
}

/// A run that is being read.
struct Cursor {
    run: Run,
    piece: Vec<u8>,
    /// The record.
    start: usize,
    end: usize,
    /// Its key.
    key: (usize, usize),
    prefix: [u64; 2],
}

impl Cursor {
    /// Moves to the next record; whether there is one.
    fn advance(&mut self, disk: &Disk) -> Result<bool, Problem> {
        self.start = self.end;
        if self.start >= self.piece.len() {
            match &mut self.run {
                Run::Memory(pieces) => match pieces.pop_front() {
                    Some(piece) => self.piece = piece,
                    None => return Ok(false),
                },
                Run::Disk(extents) => match extents.pop_front() {
                    Some(extent) => {
                        self.piece.clear();
                        disk.read(extent, &mut self.piece)?;
                    }
                    None => return Ok(false),
                },
            }
            self.start = 0;
        }
        let record = self.piece.get(self.start..).unwrap_or_default();
        let mut rest = In::new(record);
        let key = rest.bytes().ok_or_else(codec::damaged)?;
        let key_end = self.start + record.len() - rest.left();
        self.key = (key_end - key.len(), key_end);
        self.prefix = prefix(key);
        rest.bytes().ok_or_else(codec::damaged)?;
        self.end = self.start + record.len() - rest.left();
        Ok(true)
    }

    fn key(&self) -> &[u8] {
        self.piece.get(self.key.0..self.key.1).unwrap_or_default()
    }

    fn record(&self) -> &[u8] {
        self.piece.get(self.start..self.end).unwrap_or_default()
    }
}

/// Several runs at once: a heap of cursors, the smallest key on top, of equal ones the earlier run.
struct Merge {
    cursors: Vec<Cursor>,
    heap: Vec<usize>,
    disk: Disk,
    started: bool,
}

impl Merge {
    fn new(runs: Vec<Run>, disk: &Disk) -> Result<Self, Problem> {
        let mut cursors = vec![];
        for run in runs {
            let mut cursor = Cursor { run, piece: vec![], start: 0, end: 0, key: (0, 0), prefix: [0; 2] };
            if cursor.advance(disk)? {
                cursors.push(cursor);
            }
        }
        let heap = (0..cursors.len()).collect();
        let mut merge = Self { cursors, heap, disk: disk.clone(), started: false };
        for at in (0..merge.heap.len() / 2).rev() {
            merge.sink(at);
        }
        Ok(merge)
    }

    fn less(&self, a: usize, b: usize) -> bool {
        let (Some(x), Some(y)) = (self.cursors.get(a), self.cursors.get(b)) else { return false };
        match x.prefix.cmp(&y.prefix) {
            Ordering::Equal => x.key().cmp(y.key()).then(a.cmp(&b)).is_lt(),
            order => order.is_lt(),
        }
    }

    /// Moves an entry of the heap down to its place.
    fn sink(&mut self, mut at: usize) {
        loop {
            let mut least = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if let (Some(a), Some(b)) = (self.heap.get(child), self.heap.get(least))
                    && self.less(*a, *b)
                {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            self.heap.swap(at, least);
            at = least;
        }
    }

    /// The next record.
    fn next(&mut self) -> Result<Option<&[u8]>, Problem> {
        if self.started
            && let Some(top) = self.heap.first().copied()
            && let Some(cursor) = self.cursors.get_mut(top)
        {
            if !cursor.advance(&self.disk)? {
                self.heap.swap_remove(0);
            }
            self.sink(0);
        }
        self.started = true;
        Ok(self.heap.first().and_then(|top| self.cursors.get(*top)).map(Cursor::record))
    }
}

/// Rows in order.
pub(crate) struct Sorted(Source);

enum Source {
    Buffer {
        bytes: Vec<u8>,
        entries: std::vec::IntoIter<Entry>,
    },
    /// The share is given back with the last row.
    Runs(Merge, #[allow(dead_code, reason = "held")] Share),
}

impl Sorted {
    /// The next row.
    pub(crate) fn next(&mut self) -> Result<Option<Row>, Problem> {
        let record = match &mut self.0 {
            Source::Buffer { bytes, entries } => entries.next().and_then(|entry| bytes.get(entry.at..)),
            Source::Runs(merge, _) => merge.next()?,
        };
        let Some(record) = record else { return Ok(None) };
        let mut rest = In::new(record);
        let row = rest.bytes().and_then(|_| rest.bytes()).ok_or_else(codec::damaged)?;
        codec::read_row(row).map(Some)
    }
}

/// Runs that are in order already, made one after the other, and merged at the end.
pub(crate) struct Runs {
    runs: Vec<Run>,
    open: Option<Writer>,
    record: Out,
    row: Out,
    disk: Disk,
}

impl Runs {
    pub(crate) fn new(disk: Disk) -> Self {
        Self { runs: vec![], open: None, record: Out::default(), row: Out::default(), disk }
    }

    /// Adds a row to the run; its key is not less than that of the row before.
    pub(crate) fn push(&mut self, key: &[u8], row: &Row) -> Result<(), Problem> {
        self.row.clear();
        write_row(row, &mut self.row);
        self.record.clear();
        self.record.bytes(key);
        self.record.bytes(self.row.as_slice());
        self.open.get_or_insert_with(|| Writer::new(Some(self.disk.clone()))).push(self.record.as_slice())
    }

    /// Ends the run.
    pub(crate) fn close(&mut self) -> Result<(), Problem> {
        if let Some(run) = self.open.take() {
            self.runs.push(run.finish()?);
        }
        Ok(())
    }

    /// The rows of all runs in order.
    pub(crate) fn finish(mut self, share: Share) -> Result<Sorted, Problem> {
        self.close()?;
        let runs = reduce(self.runs, &self.disk)?;
        Ok(Sorted(Source::Runs(Merge::new(runs, &self.disk)?, share)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Cell;
    use crate::limits::{Budget, Limits};
    use crate::store::key::write_integer;

    fn all(mut sorted: Sorted) -> Vec<(i64, i64)> {
        let mut found = vec![];
        while let Some(row) = sorted.next().unwrap() {
            match (row.get(0), row.get(1)) {
                (Cell::Int(key), Cell::Int(order)) => found.push((*key, *order)),
                other => panic!("{other:?}"),
            }
        }
        found
    }

    #[test]
    fn sorted_and_stable_in_memory_and_on_disk() {
        for (memory, count) in [(1 << 30, 3000), (1 << 30, 400_000), (40_000, 100_000), (1 << 22, 300_000), (100, 3000)]
        {
            let mut sorter = Sorter::new(Budget::new(Limits { memory, ..Limits::default() }).share(), Disk::default());
            let (mut expected, mut state) = (vec![], 1_u64);
            for order in 0..count {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let value = i64::try_from(state >> 33).unwrap() % 1000;
                let mut key = vec![];
                write_integer(value, &mut key);
                sorter.push(&key, &Row::new(vec![value.into(), order.into()])).unwrap();
                expected.push((value, order));
            }
            expected.sort();
            assert!(all(sorter.finish().unwrap()) == expected, "{memory} {count}");
        }
    }

    #[test]
    fn long_keys_are_compared_to_their_ends() {
        let mut sorter =
            Sorter::new(Budget::new(Limits { memory: 20_000, ..Limits::default() }).share(), Disk::default());
        for order in 0..1000_i64 {
            let key = format!("{}{:03}", "x".repeat(40), (order * 7) % 1000);
            sorter.push(key.as_bytes(), &Row::new(vec![((order * 7) % 1000).into(), order.into()])).unwrap();
        }
        assert!(all(sorter.finish().unwrap()).into_iter().map(|(key, _)| key).eq(0..1000));
    }
}
