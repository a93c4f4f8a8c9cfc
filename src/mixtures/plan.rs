//! Samples and mixture brought together: which components each key takes from, and chunks that can be computed directly.

use crate::component::{Component, Range, joined, normalised};
use crate::draw::{Asked, Chunk, Draw, Part, State};
use crate::error::{Error, Result};
use crate::file::{Event, MixtureFile};
use crate::key::Key;
use crate::mixture::{Fixed, Mixture, Simple};
use crate::shuffle;
use std::collections::BTreeMap;
use std::sync::Arc;

/// In which order the samples of a key are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As Mixtera does: samples with equal properties together, in the order of their keys, each in the order of files.
    #[default]
    Keys,
    /// In the order of data sets, files and positions, whatever other properties the samples have.
    Files,
    /// In an order that depends on this number only.
    Seed(u64),
}

/// Everything that decides about the chunks of a draw.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) components: Vec<Component>,
    pub(crate) mixture: Mixture,
    pub(crate) events: Vec<Event>,
    pub(crate) size: u64,
    pub(crate) order: Order,
    /// All keys, numbered as the trainer knows them.
    pub(crate) ids: Vec<Key>,
    direct: Option<Direct>,
}

/// What is there for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supply {
    /// The key.
    pub key: Key,
    /// Samples that a chunk has of it.
    pub count: u64,
    /// Chosen samples that match it, those that match others too included.
    pub available: u64,
}

/// A strict mixture whose keys share no samples.
#[derive(Clone, Debug)]
struct Direct {
    series: Vec<Series>,
    asked: Asked,
    chunks: u64,
}

/// The samples of one key of a mixture whose keys share none: its components one after the other.
#[derive(Clone, Debug)]
struct Series {
    key: Arc<Key>,
    count: u64,
    components: Vec<usize>,
    /// The weight before each component, and at last of all.
    before: Vec<u64>,
}

impl Plan {
    /// Brings the chosen samples and a mixture together. Components with equal keys are joined.
    ///
    /// # Errors
    /// The size is zero, or the shares cannot be rounded to it.
    pub fn new(components: Vec<Component>, file: MixtureFile, size: u64, order: Order) -> Result<Self> {
        if size == 0 {
            return Err(Error::ChunkSize);
        }
        let MixtureFile { mixture, events, .. } = file;
        let mut by_key: BTreeMap<Key, Vec<Component>> = BTreeMap::new();
        for component in components {
            match by_key.get_mut(&component.key) {
                Some(known) => known.push(component),
                None => drop(by_key.insert(component.key.clone(), vec![component])),
            }
        }
        let named = mixture.keys();
        let mut ids: Vec<Key> = named.iter().chain(by_key.keys()).cloned().collect();
        ids.sort();
        ids.dedup();
        let components = arranged(by_key, &named, &mixture, order);
        let mut plan = Self { components, mixture, events, size, order, ids, direct: None };
        plan.direct = plan.series()?;
        Ok(plan)
    }

    /// What a chunk weighs: its samples, unless they are weighed.
    pub fn chunk_size(&self) -> u64 {
        self.size
    }

    /// The weight of all that was chosen: its samples, unless they are weighed.
    pub fn total(&self) -> u64 {
        self.components.iter().map(Component::total).sum()
    }

    /// Samples that were chosen.
    pub fn samples(&self) -> u64 {
        self.components.iter().map(Component::samples).sum()
    }

    /// The keys by the numbers under which the trainer reports losses.
    pub fn key_ids(&self) -> &[Key] {
        &self.ids
    }

    /// What the first chunks ask for, and what there is; nothing for a mixture without shares.
    ///
    /// # Errors
    /// The shares cannot be rounded.
    pub fn supply(&self) -> Result<Vec<Supply>> {
        let first = match &self.mixture {
            Mixture::Simple(simple) => simple,
            Mixture::Schedule(entries) => match entries.first() {
                Some(entry) => &entry.mixture,
                None => return Ok(vec![]),
            },
            Mixture::Dynamic { initial, .. } => &Simple::Fixed(initial.clone()),
        };
        let Simple::Fixed(fixed) = first else { return Ok(vec![]) };
        let counts = fixed.counts(self.size, &self.components)?;
        let supply = |(key, count): (Key, u64)| {
            let matched = self.components.iter().filter(|it| key.matches(&it.key));
            Supply { available: matched.map(Component::total).sum(), key, count }
        };
        Ok(counts.into_iter().map(supply).collect())
    }

    /// A draw from the first chunk on.
    pub fn draw(self: &Arc<Self>) -> Draw {
        Draw::new(Arc::clone(self), State::new(self))
    }

    /// A draw that goes on where a saved one has stopped.
    ///
    /// # Errors
    /// The state is of another draw.
    pub fn resume(self: &Arc<Self>, state: State) -> Result<Draw> {
        state.check(self)?;
        Ok(Draw::new(Arc::clone(self), state))
    }

    /// Whether any chunk can be computed without those before it.
    pub fn is_direct(&self) -> bool {
        self.direct.is_some()
    }

    /// How many chunks there are, if that is known without drawing them.
    pub fn chunks(&self) -> Option<u64> {
        self.direct.as_ref().map(|direct| direct.chunks)
    }

    /// A chunk by its number, from 0: nothing after the last, or if the plan is not direct.
    pub fn chunk(&self, number: u64) -> Option<Chunk> {
        let direct = self.direct.as_ref().filter(|direct| number < direct.chunks)?;
        let mut parts = Vec::with_capacity(direct.series.len());
        for it in direct.series.iter().filter(|it| it.count > 0) {
            let (from, to) = (number * it.count, (number + 1) * it.count);
            let (mut ranges, mut weight) = (vec![], 0);
            let first = it.before.partition_point(|before| *before <= from).saturating_sub(1);
            for (component, before) in it.components.iter().zip(&it.before).skip(first) {
                if *before >= to {
                    break;
                }
                if let Some(component) = self.components.get(*component) {
                    let end = (to - *before).min(component.total());
                    weight += component.slice(from.saturating_sub(*before), end, &mut ranges);
                }
            }
            // A sample may weigh more than a chunk asks for.
            if !ranges.is_empty() {
                parts.push(self.part(Arc::clone(&it.key), ranges, weight));
            }
        }
        Some(Chunk { number, mixture_id: 0, asked: Arc::clone(&direct.asked), parts })
    }

    /// Ranges as they are handed out: in the order of files, or as shuffled.
    pub(crate) fn part(&self, key: Arc<Key>, ranges: Vec<Range>, weight: u64) -> Part {
        match self.order {
            Order::Seed(_) => Part { key, ranges, weight },
            Order::Keys | Order::Files => Part { key, ranges: normalised(ranges), weight },
        }
    }

    /// The components that a key takes from, in their order.
    pub(crate) fn matched(&self, key: &Key) -> Vec<usize> {
        let matched = self.components.iter().enumerate().filter(|(_, it)| key.matches(&it.key));
        matched.map(|(index, _)| index).collect()
    }

    fn series(&self) -> Result<Option<Direct>> {
        let Mixture::Simple(Simple::Fixed(fixed @ Fixed { strict: true, .. })) = &self.mixture else { return Ok(None) };
        let mut taken = vec![false; self.components.len()];
        let mut all = vec![];
        for (key, count) in fixed.counts(self.size, &self.components)? {
            let components = if count > 0 { self.matched(&key) } else { vec![] };
            let mut before = vec![0];
            let mut total = 0;
            for index in &components {
                let (Some(component), Some(taken)) = (self.components.get(*index), taken.get_mut(*index)) else {
                    continue;
                };
                if std::mem::replace(taken, true) {
                    return Ok(None);
                }
                total += component.total();
                before.push(total);
            }
            all.push(Series { key: Arc::new(key), count, components, before });
        }
        let chunks = all.iter().filter(|it| it.count > 0).map(|it| it.total() / it.count).min();
        let asked = all.iter().map(|it| (Arc::clone(&it.key), it.count)).collect();
        Ok(Some(Direct { series: all, asked, chunks: chunks.unwrap_or_default() }))
    }
}

impl Series {
    fn total(&self) -> u64 {
        self.before.last().copied().unwrap_or_default()
    }
}

/// The components in the order in which they are taken.
fn arranged(by_key: BTreeMap<Key, Vec<Component>>, named: &[Key], mixture: &Mixture, order: Order) -> Vec<Component> {
    let coarse = order != Order::Keys && !mixture.needs_components();
    let mut groups: BTreeMap<Vec<bool>, (Key, Vec<Component>)> = BTreeMap::new();
    let mut all: Vec<(Key, Vec<Component>)> = vec![];
    for (key, parts) in by_key {
        if coarse {
            // Samples that the same keys want are not told apart.
            let wanted: Vec<bool> = named.iter().map(|name| name.matches(&key)).collect();
            groups.entry(wanted).or_insert_with(|| (key, vec![])).1.extend(parts);
        } else {
            all.push((key, parts));
        }
    }
    all.extend(groups.into_values());
    match order {
        Order::Keys | Order::Files => all.into_iter().map(|(key, parts)| together(key, parts)).collect(),
        Order::Seed(seed) => {
            all.sort_by_cached_key(|(key, _)| (shuffle::of_key(seed, key), key.clone()));
            all.into_iter().map(|(key, parts)| shuffle::shuffled(key, weighed(parts), seed)).collect()
        }
    }
}

/// The samples of all of these in the order of files.
fn together(key: Key, mut parts: Vec<Component>) -> Component {
    match parts.pop() {
        // Mostly there is one, and it is in order.
        Some(mut only) if parts.is_empty() && only.is_joined() => {
            only.key = key;
            only
        }
        last => {
            parts.extend(last);
            Component::weighted(key, joined(weighed(parts)))
        }
    }
}

fn weighed(parts: Vec<Component>) -> Vec<(Range, u64)> {
    parts.iter().flat_map(Component::weighed).collect()
}
