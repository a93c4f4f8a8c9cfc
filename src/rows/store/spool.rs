//! Rows in the order in which they came, to be read as often as one likes, from both ends.

use super::codec;
use super::disk::{Disk, Extent};
use crate::error::Problem;
use crate::limits::{Budget, Limits, Share};
use crate::row::Row;
use crate::sketch::{In, Out};
use std::borrow::Cow;

/// Bytes of a block: what is read from disk at once.
const BLOCK: usize = 1 << 18;

/// Rows that wait.
#[derive(Debug)]
pub struct Spool {
    blocks: Vec<Block>,
    /// The block that is being filled.
    open: Out,
    open_rows: usize,
    /// The row that is being written.
    row: Out,
    rows: u64,
    block: usize,
    disk: Disk,
    held: Share,
}

#[derive(Debug)]
struct Block {
    rows: usize,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Memory(Vec<u8>),
    Disk(Extent),
}

impl Spool {
    /// No rows yet. They take as much memory as the limits allow before they go to disk.
    pub fn new(limits: Limits) -> Self {
        Self::within(Budget::new(limits).share(), Disk::default())
    }

    /// No rows yet, with a share of the memory and a file that others may use too.
    pub(crate) fn within(held: Share, disk: Disk) -> Self {
        let block = (held.quota() / 16).clamp(1 << 12, BLOCK);
        Self { blocks: vec![], open: Out::default(), open_rows: 0, row: Out::default(), rows: 0, block, disk, held }
    }

    /// No rows yet; they go to disk block by block.
    pub(crate) fn on_disk(budget: &Budget, disk: Disk, block: usize) -> Self {
        Self { block, ..Self::within(budget.share_up_to(0), disk) }
    }

    /// How many rows there are.
    pub fn len(&self) -> u64 {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds a row.
    ///
    /// # Errors
    /// There is neither memory nor disk.
    pub fn push(&mut self, row: &Row) -> Result<(), Problem> {
        self.row.clear();
        codec::write_row(row, &mut self.row);
        let row = std::mem::take(&mut self.row);
        let pushed = self.push_bytes(row.as_slice());
        self.row = row;
        pushed
    }

    /// Adds what a row is as bytes.
    pub(crate) fn push_bytes(&mut self, row: &[u8]) -> Result<(), Problem> {
        let open = self.open.as_slice().len();
        if open + row.len() + 5 > self.block && open > 0 {
            self.close_block()?;
        }
        self.open.bytes(row);
        self.open_rows += 1;
        self.rows += 1;
        Ok(())
    }

    fn close_block(&mut self) -> Result<(), Problem> {
        let rows = std::mem::take(&mut self.open_rows);
        let length = self.open.as_slice().len();
        // Once some are on disk, all are: the rest of the query needs the memory more.
        let on_disk = matches!(self.blocks.last(), Some(Block { place: Place::Disk(_), .. }));
        if !on_disk && self.held.fits(length) {
            self.held.take(length)?;
            self.blocks.push(Block { rows, place: Place::Memory(self.open.as_slice().to_vec()) });
        } else {
            if !on_disk {
                self.spill()?;
            }
            self.blocks.push(Block { rows, place: Place::Disk(self.disk.write(self.open.as_slice())?) });
        }
        self.open.clear();
        Ok(())
    }

    /// Moves all blocks to disk.
    fn spill(&mut self) -> Result<(), Problem> {
        for block in &mut self.blocks {
            if let Place::Memory(bytes) = &block.place {
                let length = bytes.len();
                block.place = Place::Disk(self.disk.write(bytes)?);
                self.held.give_back(length);
            }
        }
        Ok(())
    }

    fn block(&self, index: usize) -> Result<Option<Cow<'_, [u8]>>, Problem> {
        match self.blocks.get(index).map(|block| &block.place) {
            Some(Place::Memory(bytes)) => Ok(Some(Cow::Borrowed(bytes))),
            Some(Place::Disk(extent)) => {
                let mut bytes = vec![];
                self.disk.read(*extent, &mut bytes)?;
                Ok(Some(Cow::Owned(bytes)))
            }
            None if index == self.blocks.len() => Ok(Some(Cow::Borrowed(self.open.as_slice()))),
            None => Ok(None),
        }
    }

    /// The rows, first one first.
    pub fn rows(&self) -> Rows<'_> {
        Rows { spool: self, block: Cow::Borrowed(&[]), at: 0, next: 0 }
    }

    /// The rows, last one first.
    pub fn backwards(&self) -> impl Iterator<Item = Result<Row, Problem>> + '_ {
        let mut index = self.blocks.len() + 1;
        let mut rows: Vec<Row> = vec![];
        let mut failed = false;
        std::iter::from_fn(move || {
            while rows.is_empty() && index > 0 && !failed {
                index -= 1;
                match self.rows_of(index) {
                    Ok(read) => rows = read,
                    Err(problem) => {
                        failed = true;
                        return Some(Err(problem));
                    }
                }
            }
            rows.pop().map(Ok)
        })
    }

    fn rows_of(&self, index: usize) -> Result<Vec<Row>, Problem> {
        let Some(block) = self.block(index)? else { return Ok(vec![]) };
        let mut rest = In::new(&block);
        let mut rows = Vec::with_capacity(self.blocks.get(index).map_or(self.open_rows, |block| block.rows));
        while !rest.is_empty() {
            rows.push(codec::read_row(rest.bytes().ok_or_else(codec::damaged)?)?);
        }
        Ok(rows)
    }
}

/// Reads rows in order.
#[derive(Debug)]
pub struct Rows<'a> {
    spool: &'a Spool,
    block: Cow<'a, [u8]>,
    at: usize,
    next: usize,
}

impl Rows<'_> {
    /// The bytes of the next row.
    pub(crate) fn next_bytes(&mut self) -> Result<Option<&[u8]>, Problem> {
        while self.at >= self.block.len() {
            let index = self.next;
            // What cannot be read ends the rows.
            self.next = usize::MAX;
            let Some(block) = self.spool.block(index)? else { return Ok(None) };
            (self.block, self.at, self.next) = (block, 0, index + 1);
        }
        let rest = self.block.get(self.at..).unwrap_or_default();
        let mut behind = In::new(rest);
        let row = behind.bytes().ok_or_else(codec::damaged)?;
        self.at += rest.len() - behind.left();
        Ok(Some(row))
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_bytes() {
            Ok(bytes) => bytes.map(codec::read_row),
            Err(problem) => Some(Err(problem)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Cell;

    fn row(number: i64) -> Row {
        Row::new(vec![Cell::Int(number), Cell::from("x".repeat(usize::try_from(number % 50).unwrap()))])
    }

    #[test]
    fn rows_come_back_in_order_from_memory_and_from_disk() {
        for memory in [10_000, 1 << 20, 1 << 30] {
            let mut spool = Spool::new(Limits { memory, ..Limits::default() });
            assert!(spool.rows().next().is_none() && spool.backwards().next().is_none());
            for number in 0..20_000 {
                spool.push(&row(number)).unwrap();
            }
            let on_disk = spool.blocks.iter().filter(|block| matches!(block.place, Place::Disk(_))).count();
            assert_eq!(on_disk > 0, memory == 10_000, "{memory}");
            assert_eq!(spool.len(), 20_000);
            for _ in 0..2 {
                let read: Result<Vec<_>, _> = spool.rows().collect();
                assert!(read.unwrap().into_iter().eq((0..20_000).map(row)));
                let read: Result<Vec<_>, _> = spool.backwards().collect();
                assert!(read.unwrap().into_iter().eq((0..20_000).rev().map(row)));
            }
        }
    }

    #[test]
    fn long_rows_have_blocks_of_their_own() {
        let mut spool = Spool::new(Limits { memory: 1000, ..Limits::default() });
        let long = Row::new(vec![Cell::from("y".repeat(1 << 20))]);
        for _ in 0..3 {
            spool.push(&long).unwrap();
            spool.push(&row(1)).unwrap();
        }
        assert!(spool.rows().map(Result::unwrap).eq([&long, &row(1)].into_iter().cycle().take(6).cloned()));
    }
}
