//! `gather`: one row per key. Groups come out in the order in which their keys were first seen, however much memory there is.
//!
//! When the groups fill the memory, keys that are new go to disk as they are, in partitions by the hash of the key; later each
//! partition is gathered by itself. Groups that outgrow the memory are put there too, ahead of their later rows. What the
//! partitions give is merged in the order of first sight.

use super::merge::{Binding, Group};
use crate::cell::Cell;
use crate::error::{Failure, Problem};
use crate::limits::Share;
use crate::pipeline::{Flow, Made, Operator, Setting, Sink};
use crate::row::{Columns, Row};
use crate::sketch::{In, Out, Topper};
use crate::store::codec::{self, write_row};
use crate::store::disk::Disk;
use crate::store::sorter::Runs;
use crate::store::spool::Spool;
use hashbrown::HashTable;
use lakeql_query::dialects::hydra::ops::{Merge, MergeSpec};
use xxhash_rust::xxh3::xxh3_64;

/// Partitions of a level: so many bits of the hash.
const BITS: u32 = 5;
/// Levels of partitions in partitions.
const LEVELS: u32 = 12;
/// A record with a row.
const ROW: u8 = 0;
/// A record with a group.
const GROUP: u8 = 1;

struct Gather {
    binding: Binding,
    groups: Groups,
    /// The column whose greatest running values survive, how many, and which they are. A key that falls out and returns
    /// starts again from nothing; strictly none falls out before the end.
    top: Option<Top>,
    key: String,
    seen: u64,
    setting: Setting,
}

struct Top {
    column: usize,
    size: usize,
    running: Option<Topper>,
}

pub(super) fn make(spec: &MergeSpec, input: &Columns, setting: &Setting) -> Made {
    let binding = Binding::new(spec, input, setting);
    let columns = binding.output().clone();
    let grows = spec.columns.iter().any(|merge| matches!(merge, Merge::Join | Merge::Distinct | Merge::Last));
    let top = spec.top.map(|column| Top {
        column,
        size: usize::try_from(spec.number).unwrap_or(usize::MAX),
        running: (!setting.strict).then(|| Topper::new(false)),
    });
    let groups = Groups::new(grows, top.is_none(), 0, setting);
    let operator = Gather { binding, groups, top, key: String::new(), seen: 0, setting: setting.clone() };
    Made { operator: Box::new(operator), columns }
}

impl Operator for Gather {
    fn push(&mut self, row: Row, _out: &mut dyn Sink) -> Result<Flow, Failure> {
        self.binding.update(&row);
        self.binding.key(&row, &mut self.key);
        self.seen += 1;
        self.groups.add(row, &self.key, self.seen, &self.binding)?;
        if let Some(Top { column, size, running: Some(running) }) = &mut self.top {
            let value = self.groups.value(&self.key, *column)?;
            if let Some(dropped) = running.update(&self.key, value, *size)? {
                self.groups.remove(&dropped);
            }
        }
        Ok(Flow::More)
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        let mut entries = self.groups.take();
        if let Some(Top { column, size, running: None }) = &self.top {
            entries = greatest(entries, *column, *size)?;
        }
        // All of these were seen before the first one on disk, unless there are none.
        for entry in entries {
            if out.send(entry.group.into_row(&self.binding))? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        let Some(overflow) = self.groups.overflow.take() else { return Ok(Flow::More) };
        let mut runs = Runs::new(Disk::default());
        for partition in overflow.partitions {
            self.partition(partition, 1, &mut runs)?;
        }
        let mut sorted = runs.finish(self.setting.share())?;
        while let Some(row) = sorted.next()? {
            if out.send(row)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::More)
    }
}

impl Gather {
    /// Gathers what a partition has into runs.
    fn partition(&mut self, partition: Spool, level: u32, runs: &mut Runs) -> Result<(), Problem> {
        if level >= LEVELS {
            return Err(Problem::Limit("the groups of a few keys take more memory than allowed".into()));
        }
        let mut groups = Groups::new(self.groups.grows, true, level, &self.setting);
        let mut records = partition.rows();
        while let Some(record) = records.next_bytes()? {
            let (kind, order, row) = parse(record)?;
            if kind == ROW {
                self.binding.key(&row, &mut self.key);
                groups.add(row, &self.key, order, &self.binding)?;
            } else {
                groups.restore(row, order, &self.binding)?;
            }
        }
        drop(partition);
        for entry in groups.take() {
            runs.push(&entry.order.to_be_bytes(), &entry.group.into_row(&self.binding))?;
        }
        runs.close()?;
        let overflow = groups.overflow.take();
        drop(groups);
        for partition in overflow.into_iter().flat_map(|overflow| overflow.partitions) {
            self.partition(partition, level + 1, runs)?;
        }
        Ok(())
    }
}

/// The entries with the greatest values, the earlier one of equals, still in their order.
fn greatest(entries: Vec<Entry>, column: usize, size: usize) -> Result<Vec<Entry>, Problem> {
    let mut valued: Vec<(i64, Entry)> = vec![];
    for entry in entries {
        valued.push((entry.group.value(column)?.as_int(), entry));
    }
    valued.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.order.cmp(&b.1.order)));
    valued.truncate(size);
    let mut kept: Vec<Entry> = valued.into_iter().map(|(_, entry)| entry).collect();
    kept.sort_unstable_by_key(|entry| entry.order);
    Ok(kept)
}

fn parse(record: &[u8]) -> Result<(u8, u64, Row), Problem> {
    let (kind, rest) = record.split_first().ok_or_else(codec::damaged)?;
    let mut behind = In::new(rest);
    let order = behind.number().ok_or_else(codec::damaged)?;
    let row = rest.get(rest.len() - behind.left()..).unwrap_or_default();
    Ok((*kind, order, codec::read_row(row)?))
}

/// Groups in memory, and what did not fit.
struct Groups {
    table: HashTable<Entry>,
    /// Whether groups grow while rows come.
    grows: bool,
    /// Whether keys may go to disk.
    spills: bool,
    /// Which bits of the hash choose the partition.
    level: u32,
    overflow: Option<Overflow>,
    setting: Setting,
    held: Share,
}

struct Entry {
    hash: u64,
    key: Box<str>,
    group: Group,
    order: u64,
}

struct Overflow {
    partitions: Vec<Spool>,
    record: Out,
}

impl Groups {
    fn new(grows: bool, spills: bool, level: u32, setting: &Setting) -> Self {
        let (table, held) = (HashTable::new(), setting.share());
        Self { table, grows, spills, level, overflow: None, setting: setting.clone(), held }
    }

    /// Takes a row in.
    fn add(&mut self, mut row: Row, key: &str, order: u64, binding: &Binding) -> Result<(), Problem> {
        let hash = xxh3_64(key.as_bytes());
        let Some(entry) = self.table.find_mut(hash, |entry| *entry.key == *key) else {
            let mut group = binding.group();
            let size = Self::size(key, &group);
            if self.overflow.is_some() || (self.spills && !self.held.fits(size)) {
                row.cells.truncate(binding.spec().columns.len());
                return self.spill(ROW, hash, order, &row);
            }
            self.held.take(size)?;
            let before = group.size();
            group.add(row, binding.spec(), self.setting.strict, &self.setting.budget)?;
            let grown = group.size().saturating_sub(before);
            self.table.insert_unique(hash, Entry { hash, key: key.into(), group, order }, |entry| entry.hash);
            return self.grown(grown);
        };
        self.grows |= row.cells.iter().any(|cell| matches!(cell, Cell::Distinct(_)));
        if !self.grows {
            return entry.group.add(row, binding.spec(), self.setting.strict, &self.setting.budget);
        }
        let before = entry.group.size();
        entry.group.add(row, binding.spec(), self.setting.strict, &self.setting.budget)?;
        let after = entry.group.size();
        self.held.give_back(before.saturating_sub(after));
        self.grown(after.saturating_sub(before))
    }

    /// Memory of a new group, about: twice an entry, because the table is half empty after it has grown.
    fn size(key: &str, group: &Group) -> usize {
        key.len() + 2 * size_of::<Entry>() + group.size() + 32
    }

    /// Accounts for a group that has become larger. If that is too much, all groups go to disk.
    fn grown(&mut self, bytes: usize) -> Result<(), Problem> {
        if bytes == 0 || self.held.fits(bytes) || !self.spills {
            return if bytes == 0 { Ok(()) } else { self.held.take(bytes) };
        }
        for entry in self.take() {
            let mut row = entry.group.into_cells();
            row.push(Cell::from(&*entry.key));
            self.spill(GROUP, entry.hash, entry.order, &row)?;
        }
        Ok(())
    }

    /// Puts a group back that was put on disk.
    fn restore(&mut self, mut row: Row, order: u64, binding: &Binding) -> Result<(), Problem> {
        let Some(Cell::Text(key)) = row.cells.pop() else { return Err(codec::damaged()) };
        let hash = xxh3_64(key.as_bytes());
        let group = Group::from_cells(row, binding.spec()).ok_or_else(codec::damaged)?;
        let size = Self::size(&key, &group);
        if self.overflow.is_some() || !self.held.fits(size) {
            let mut row = group.into_cells();
            row.push(Cell::Text(key));
            return self.spill(GROUP, hash, order, &row);
        }
        self.held.take(size)?;
        self.table.insert_unique(hash, Entry { hash, key: (&*key).into(), group, order }, |entry| entry.hash);
        Ok(())
    }

    fn spill(&mut self, kind: u8, hash: u64, order: u64, row: &Row) -> Result<(), Problem> {
        let overflow = self.overflow.get_or_insert_with(|| {
            let block = (self.setting.quota / 64).clamp(1 << 12, 1 << 16);
            let disk = Disk::default();
            let partition = |_| Spool::on_disk(&self.setting.budget, disk.clone(), block);
            Overflow { partitions: (0..1 << BITS).map(partition).collect(), record: Out::default() }
        });
        overflow.record.clear();
        overflow.record.raw(&[kind]);
        overflow.record.number(order);
        write_row(row, &mut overflow.record);
        let place = usize::try_from((hash >> (BITS * self.level)) & ((1 << BITS) - 1)).unwrap_or(0);
        match overflow.partitions.get_mut(place) {
            Some(partition) => partition.push_bytes(overflow.record.as_slice()),
            None => Ok(()),
        }
    }

    /// All groups, the one that was seen first first. The memory is given back when they are sent.
    fn take(&mut self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = std::mem::take(&mut self.table).into_iter().collect();
        entries.sort_unstable_by_key(|entry| entry.order);
        self.held.give_back(usize::MAX);
        entries
    }

    /// The running value of a key.
    fn value(&self, key: &str, column: usize) -> Result<i64, Problem> {
        let entry = self.table.find(xxh3_64(key.as_bytes()), |entry| *entry.key == *key);
        entry.map_or(Ok(0), |entry| Ok(entry.group.value(column)?.as_int()))
    }

    fn remove(&mut self, key: &str) {
        if let Ok(entry) = self.table.find_entry(xxh3_64(key.as_bytes()), |entry| *entry.key == *key) {
            let (entry, _) = entry.remove();
            self.held.give_back(Self::size(key, &entry.group));
        }
    }
}
