//! The order of the rows of all tables of a segment, as positions in the blocks.

use std::collections::HashSet;

use super::NO_PLACE;
use crate::ingest::block::{Block, Context, Run, Series, SeriesKind, Value};
use crate::ingest::intern::{Interner, TextMap};

/// A row of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) block: u32,
    pub(super) row: u32,
}

/// An attribute row with its sort key.
#[derive(Debug, Clone, Copy)]
pub(super) struct AttributePlace {
    /// Rank of the path above the place of the run.
    key: u64,
    pub(super) place: Place,
}

impl AttributePlace {
    /// Number of the path in [`Ordered::paths`].
    pub(super) fn path(self) -> usize {
        (self.key >> 32) as usize
    }

    /// Place of the run in the file of `runs`.
    pub(super) fn run(self) -> u32 {
        self.key as u32
    }
}

/// A series row with its sort key.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeriesPlace {
    /// Rank of the name above the rank of the context key.
    key: u64,
    pub(super) run: u32,
    kind: SeriesKind,
    pub(super) place: Place,
}

/// The rows of a segment in the order of its tables.
pub(super) struct Ordered<'a> {
    pub(super) blocks: &'a [Block],
    /// Newest first.
    pub(super) runs: Vec<Place>,
    /// For every block the place of each of its runs in `runs`.
    local: Vec<Vec<u32>>,
    /// Paths of parameters in byte order.
    pub(super) paths: Vec<&'a str>,
    pub(super) attributes: Vec<AttributePlace>,
    pub(super) series: Vec<SeriesPlace>,
}

impl<'a> Ordered<'a> {
    /// Sorts everything but `dropped` runs and what belongs to them.
    pub(super) fn new(blocks: &'a [Block], dropped: &[HashSet<u32>]) -> Self {
        let (runs, local) = order_runs(blocks, dropped);
        let (paths, attributes) = order_attributes(blocks, &local);
        let series = order_series(blocks, &local);
        Ordered { blocks, runs, local, paths, attributes, series }
    }

    /// For every block the place of its runs.
    pub(super) fn places(&self) -> Vec<Vec<u32>> {
        self.local.clone()
    }

    /// The block and the run of a row of `runs`.
    pub(super) fn run(&self, place: Place) -> Option<(&'a Block, &'a Run)> {
        let block = self.blocks.get(place.block as usize)?;
        Some((block, block.runs.get(place.row as usize)?))
    }

    /// The block and the value of a row of `attributes`.
    pub(super) fn attribute(&self, place: Place) -> Option<(&'a Block, Value)> {
        let block = self.blocks.get(place.block as usize)?;
        Some((block, *block.attributes.value.get(place.row as usize)?))
    }

    /// The block, the series and its context of a row of `series`.
    pub(super) fn series(&self, place: Place) -> Option<(&'a Block, &'a Series, &'a Context)> {
        let block = self.blocks.get(place.block as usize)?;
        let series = block.series.get(place.row as usize)?;
        Some((block, series, block.contexts.get(series.context as usize)?))
    }
}

fn order_runs(blocks: &[Block], dropped: &[HashSet<u32>]) -> (Vec<Place>, Vec<Vec<u32>>) {
    let mut keyed: Vec<(std::cmp::Reverse<i64>, &str, Place)> = Vec::new();
    for (number, block) in blocks.iter().enumerate() {
        for (row, run) in block.runs.iter().enumerate() {
            let place = Place { block: number as u32, row: row as u32 };
            if !dropped.get(number).is_some_and(|rows| rows.contains(&place.row)) {
                keyed.push((std::cmp::Reverse(run.created_at), block.text(run.hash), place));
            }
        }
    }
    keyed.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    let mut local: Vec<Vec<u32>> = blocks.iter().map(|block| vec![NO_PLACE; block.runs.len()]).collect();
    let mut runs = Vec::with_capacity(keyed.len());
    for (_, _, place) in keyed {
        if let Some(slot) = local.get_mut(place.block as usize).and_then(|rows| rows.get_mut(place.row as usize)) {
            *slot = runs.len() as u32;
        }
        runs.push(place);
    }
    (runs, local)
}

/// One numbering, in byte order, for the texts of all blocks.
pub(super) struct Merged<'a> {
    /// The texts in byte order.
    pub(super) texts: Vec<&'a str>,
    /// For every block the number of each of its texts.
    pub(super) ranks: Vec<Vec<u32>>,
}

/// Merges the texts of the blocks.
pub(super) fn merge<'a>(texts: impl Iterator<Item = Vec<&'a str>>) -> Merged<'a> {
    let mut ids: TextMap<&'a str, u32> = TextMap::default();
    let mut all: Vec<&'a str> = Vec::new();
    let mut ranks: Vec<Vec<u32>> = Vec::new();
    for block in texts {
        let mut of_block = Vec::with_capacity(block.len());
        for text in block {
            of_block.push(*ids.entry(text).or_insert_with(|| {
                all.push(text);
                all.len() as u32 - 1
            }));
        }
        ranks.push(of_block);
    }
    let mut order: Vec<(&str, u32)> = all.iter().enumerate().map(|(id, text)| (*text, id as u32)).collect();
    order.sort_unstable();
    let mut rank_of = vec![0; order.len()];
    for (rank, (text, id)) in order.into_iter().enumerate() {
        if let Some(slot) = rank_of.get_mut(id as usize) {
            *slot = rank as u32;
        }
        if let Some(slot) = all.get_mut(rank) {
            *slot = text;
        }
    }
    for of_block in &mut ranks {
        for id in of_block {
            *id = rank_of.get(*id as usize).copied().unwrap_or_default();
        }
    }
    Merged { texts: all, ranks }
}

/// The texts of an interner.
pub(super) fn texts(interner: &Interner) -> Vec<&str> {
    interner.texts().iter().map(|text| &**text).collect()
}

fn order_attributes<'a>(blocks: &'a [Block], local: &[Vec<u32>]) -> (Vec<&'a str>, Vec<AttributePlace>) {
    let merged = merge(blocks.iter().map(|block| texts(&block.attributes.paths)));
    let rows = blocks.iter().map(|block| block.attributes.value.len()).sum();
    let mut attributes = Vec::with_capacity(rows);
    for (number, ((block, ranks), local)) in blocks.iter().zip(&merged.ranks).zip(local).enumerate() {
        for (row, (owner, path)) in block.attributes.owner.iter().zip(&block.attributes.path).enumerate() {
            let run = local.get(*owner as usize).copied().unwrap_or(NO_PLACE);
            if run == NO_PLACE {
                continue;
            }
            let rank = ranks.get(*path as usize).copied().unwrap_or_default();
            let place = Place { block: number as u32, row: row as u32 };
            attributes.push(AttributePlace { key: u64::from(rank) << 32 | u64::from(run), place });
        }
    }
    attributes.sort_unstable_by_key(|attribute| attribute.key);
    (merged.texts, attributes)
}

fn order_series(blocks: &[Block], local: &[Vec<u32>]) -> Vec<SeriesPlace> {
    let names = merge(blocks.iter().map(|block| texts(&block.names)));
    let contexts =
        merge(blocks.iter().map(|block| block.contexts.iter().map(|context| block.text(context.key)).collect()));
    let mut rows = Vec::with_capacity(blocks.iter().map(|block| block.series.len()).sum());
    for (number, (block, local)) in blocks.iter().zip(local).enumerate() {
        let rank = |merged: &Merged<'_>, id: u32| {
            merged.ranks.get(number).and_then(|ranks| ranks.get(id as usize)).copied().unwrap_or_default()
        };
        for (run, place) in block.runs.iter().zip(local) {
            if *place == NO_PLACE {
                continue;
            }
            for row in run.series.start..run.series.end {
                let Some(series) = block.series.get(row as usize) else { continue };
                rows.push(SeriesPlace {
                    key: u64::from(rank(&names, series.name)) << 32 | u64::from(rank(&contexts, series.context)),
                    run: *place,
                    kind: series.kind,
                    place: Place { block: number as u32, row },
                });
            }
        }
    }
    rows.sort_unstable_by_key(|row| (row.key, row.run, row.kind, row.place.block, row.place.row));
    rows
}
