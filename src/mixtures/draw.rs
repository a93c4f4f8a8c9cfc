//! Chunks one after the other (sections 3.4 and 3.5).

use crate::component::{Component, Range};
use crate::counts::{in_proportion, largest_remainder};
use crate::error::{Error, Result};
use crate::file::Event;
use crate::key::Key;
use crate::mixture::{Mixture, Simple};
use crate::plan::{Order, Plan};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Keys in the order in which they are served, with their counts in a chunk (of samples, or of what these weigh).
pub type Asked = Arc<[(Arc<Key>, u64)]>;

/// The samples of one step of a training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its number, from 0.
    pub number: u64,
    /// How often the mixture had changed when it was made.
    pub mixture_id: u64,
    /// What each key was to bring; nothing where keys take turns.
    pub asked: Asked,
    /// Its samples by key, in the order in which keys are served. No key without samples.
    pub parts: Vec<Part>,
}

/// The samples of a chunk that one key has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The key of the mixture, or of the samples if the mixture has none.
    pub key: Arc<Key>,
    /// Disjoint; ascending and not touching unless they are shuffled.
    pub ranges: Vec<Range>,
    /// What the samples weigh: their number, unless they are weighed.
    pub weight: u64,
}

impl Part {
    /// How many samples there are.
    pub fn total(&self) -> u64 {
        self.ranges.iter().map(Range::len).sum()
    }
}

impl Chunk {
    /// How many samples there are.
    pub fn total(&self) -> u64 {
        self.parts.iter().map(Part::total).sum()
    }
}

/// How far a draw is: everything needed to go on exactly there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// What the draw is of.
    pub fingerprint: String,
    /// The number of the next chunk.
    pub chunk: u64,
    /// Whether the last chunk was made.
    pub ended: bool,
    /// How often the mixture has changed.
    pub mixture_id: u64,
    /// What was handed out so far: samples, or what they weigh.
    pub delivered: u64,
    /// What was taken of each component.
    taken: Vec<u64>,
    /// Events that have happened.
    events: usize,
    /// Steps of the training.
    steps: u64,
    /// Sums of losses and how many they are of, by key.
    losses: BTreeMap<usize, (f64, u64)>,
    /// Whose turn it is where keys take turns.
    turn: usize,
}

impl State {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            fingerprint: fingerprint(plan),
            chunk: 0,
            ended: false,
            mixture_id: 0,
            delivered: 0,
            taken: vec![0; plan.components.len()],
            events: 0,
            steps: 0,
            losses: BTreeMap::new(),
            turn: 0,
        }
    }

    pub(crate) fn check(&self, plan: &Plan) -> Result<()> {
        let wanted = fingerprint(plan);
        if self.fingerprint != wanted || self.taken.len() != plan.components.len() {
            let reason = "the chosen samples, the mixture, the size of chunks or the order have changed";
            return Err(Error::State(reason.to_owned()));
        }
        let events = plan.events.get(..self.events).is_some();
        let taken = self.taken.iter().zip(&plan.components).all(|(taken, it)| *taken <= it.total());
        if !events || !taken {
            return Err(Error::State("it is damaged".to_owned()));
        }
        Ok(())
    }
}

/// A number for everything but the events, which grow while a training goes on.
fn fingerprint(plan: &Plan) -> String {
    // A word at a time: there may be millions of ranges.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |word: u64| {
        hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        hash ^= hash >> 32;
    };
    let text = |text: &str, add: &mut dyn FnMut(u64)| {
        text.bytes().for_each(|byte| add(u64::from(byte)));
        add(0xff00);
    };
    text(&format!("{:?}", plan.mixture), &mut add);
    add(plan.size);
    match plan.order {
        Order::Keys => add(1),
        Order::Files => add(2),
        Order::Seed(seed) => {
            add(3);
            add(seed);
        }
    }
    for component in &plan.components {
        text(&component.key.to_string(), &mut add);
        for (range, weight) in component.weighed() {
            add((u64::from(range.dataset) << 32) | u64::from(range.file));
            add(range.start);
            add(range.end);
            add(weight);
        }
    }
    format!("{hash:016x}")
}

/// What is asked of a chunk.
#[derive(Clone, Debug, PartialEq)]
struct Demand {
    strict: bool,
    /// Keys in the order in which they are served, with their counts and components; none where keys take turns.
    keys: Option<Vec<Wanted>>,
    asked: Asked,
}

#[derive(Clone, Debug, PartialEq)]
struct Wanted {
    key: Arc<Key>,
    count: u64,
    components: Vec<usize>,
}

/// Hands out chunks. It always ends.
#[derive(Debug)]
pub struct Draw {
    plan: Arc<Plan>,
    state: State,
    demand: Option<Demand>,
}

impl Draw {
    pub(crate) fn new(plan: Arc<Plan>, state: State) -> Self {
        Self { plan, state, demand: None }
    }

    /// How far the draw is; to be saved and given to [`Plan::resume`].
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Goes on so many chunks without looking at them; `false` if the draw ends before.
    ///
    /// # Errors
    /// An event does not fit the keys.
    pub fn skip(&mut self, chunks: u64) -> Result<bool> {
        for _ in 0..chunks {
            if self.step(false)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The next chunk, or nothing after the last one.
    ///
    /// # Errors
    /// An event does not fit the keys.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        self.step(true)
    }

    fn step(&mut self, ranges: bool) -> Result<Option<Chunk>> {
        if self.state.ended {
            return Ok(None);
        }
        self.listen()?;
        let number = self.state.chunk;
        let Some(demand) = self.demand.take() else { return Ok(None) };
        let taken = match &demand.keys {
            Some(keys) => self.shares(keys, demand.strict),
            None => self.turn(),
        };
        let asked = Arc::clone(&demand.asked);
        self.demand = Some(demand);
        let Some(taken) = taken else {
            self.state.ended = true;
            return Ok(None);
        };
        self.state.chunk += 1;
        let mut parts = vec![];
        for (key, pieces) in taken {
            let (mut found, mut weight) = (vec![], 0);
            for piece in pieces {
                self.state.delivered += piece.to - piece.from;
                if let Some(component) = self.plan.components.get(piece.component).filter(|_| ranges) {
                    weight += component.slice(piece.from, piece.to, &mut found);
                }
            }
            if !found.is_empty() {
                parts.push(self.plan.part(key, found, weight));
            }
        }
        Ok(Some(Chunk { number, mixture_id: self.state.mixture_id, asked, parts }))
    }

    /// Takes in what the trainer has reported before this chunk.
    fn listen(&mut self) -> Result<()> {
        let before = match self.demand.take() {
            Some(demand) => demand,
            None => self.demand()?,
        };
        let due = |event: &&Event| event.before_chunk <= self.state.chunk;
        let plan = Arc::clone(&self.plan);
        let events: Vec<&Event> = plan.events.iter().skip(self.state.events).take_while(due).collect();
        if events.is_empty() {
            self.demand = Some(before);
            return Ok(());
        }
        self.state.events += events.len();
        for event in events {
            // Steps never go back.
            self.state.steps = self.state.steps.max(event.training_steps.unwrap_or_default());
            if event.losses.len() > self.plan.ids.len() {
                let place = format!("events, before chunk {}", event.before_chunk);
                let reason = format!("there are {} losses and {} keys", event.losses.len(), self.plan.ids.len());
                return Err(Error::Shape { place, reason });
            }
            for (id, (loss, count)) in event.losses.iter().zip(&event.counts).enumerate() {
                let sums = self.state.losses.entry(id).or_default();
                sums.0 += loss;
                sums.1 += count;
            }
        }
        let now = self.demand()?;
        if now != before && self.state.chunk > 0 {
            self.state.mixture_id += 1;
        }
        self.demand = Some(now);
        Ok(())
    }

    /// What the mixture asks for, as far as reports have come.
    fn demand(&self) -> Result<Demand> {
        let (simple, strict) = match &self.plan.mixture {
            Mixture::Simple(simple) => (simple, None),
            Mixture::Schedule(entries) => {
                let reached = entries.iter().rev().find(|entry| entry.start_step <= self.state.steps);
                let Some(entry) = reached else { return Ok(self.asks(true, vec![])) };
                (&entry.mixture, None)
            }
            Mixture::Dynamic { initial, strict } => {
                if let Some(counts) = self.by_loss() {
                    return Ok(self.asks(*strict, counts));
                }
                (&Simple::Fixed(initial.clone()), Some(*strict))
            }
        };
        match simple {
            Simple::Arbitrary => Ok(Demand { strict: false, keys: None, asked: Arc::default() }),
            Simple::Fixed(fixed) => {
                let counts = fixed.counts(self.plan.size, &self.plan.components)?;
                Ok(self.asks(strict.unwrap_or(fixed.strict), counts))
            }
        }
    }

    /// Counts in proportion to the mean losses so far, of keys that have any; nothing before there are losses.
    fn by_loss(&self) -> Option<Vec<(Key, u64)>> {
        let known = self.state.losses.iter().filter(|(_, (_, count))| *count > 0);
        let means: Vec<(usize, f64)> = known.map(|(id, (sum, count))| (*id, sum / *count as f64)).collect();
        let total: f64 = means.iter().map(|(_, mean)| mean).sum();
        if total <= 0.0 || !total.is_finite() {
            return None;
        }
        let shares: Vec<f64> = means.iter().map(|(_, mean)| mean / total).collect();
        let counts = largest_remainder(self.plan.size, &shares);
        let keys = means.iter().filter_map(|(id, _)| self.plan.ids.get(*id).cloned());
        Some(keys.zip(counts).collect())
    }

    fn asks(&self, strict: bool, counts: Vec<(Key, u64)>) -> Demand {
        let of = |(key, count): (Key, u64)| Wanted { components: self.plan.matched(&key), key: Arc::new(key), count };
        let keys: Vec<Wanted> = counts.into_iter().map(of).collect();
        let asked = keys.iter().map(|wanted| (Arc::clone(&wanted.key), wanted.count)).collect();
        Demand { strict, keys: Some(keys), asked }
    }

    /// Takes a chunk of shares; nothing if it cannot be filled. What an unfilled chunk has taken is lost.
    fn shares(&mut self, keys: &[Wanted], strict: bool) -> Option<Vec<(Arc<Key>, Vec<Piece>)>> {
        let mut taken: Vec<Vec<Piece>> = vec![vec![]; keys.len()];
        let mut open: Vec<u64> = keys.iter().map(|wanted| wanted.count).collect();
        while let Some((short, missing)) = self.serve(keys, &mut open, &mut taken) {
            if strict {
                return None;
            }
            // What a key is short of is spread over the keys that have something left, and these are served again, the
            // first ones first. A key that is short stays exhausted, so this ends.
            let weight = |(index, wanted): (usize, &Wanted)| {
                if index == short || self.is_exhausted(&wanted.components) { 0 } else { wanted.count }
            };
            let weights: Vec<u64> = keys.iter().enumerate().map(weight).collect();
            let extra = in_proportion(missing, &weights)?;
            open.iter_mut().zip(extra).for_each(|(open, extra)| *open += extra);
        }
        if taken.iter().all(Vec::is_empty) {
            return None;
        }
        Some(keys.iter().map(|wanted| Arc::clone(&wanted.key)).zip(taken).collect())
    }

    /// Serves the keys in turn, up to the first that is short: which, and how much is missing.
    fn serve(&mut self, keys: &[Wanted], open: &mut [u64], taken: &mut [Vec<Piece>]) -> Option<(usize, u64)> {
        for (index, ((wanted, open), pieces)) in keys.iter().zip(open).zip(taken).enumerate() {
            let missing = self.take(&wanted.components, std::mem::take(open), pieces);
            if missing > 0 {
                return Some((index, missing));
            }
        }
        None
    }

    /// Takes so many samples from the front of the components, and gives how many were not there.
    fn take(&mut self, components: &[usize], count: u64, pieces: &mut Vec<Piece>) -> u64 {
        let mut missing = count;
        for index in components {
            if missing == 0 {
                break;
            }
            let (Some(component), Some(taken)) = (self.plan.components.get(*index), self.state.taken.get_mut(*index))
            else {
                continue;
            };
            let (from, to) = (*taken, component.total().min(taken.saturating_add(missing)));
            if from < to {
                pieces.push(Piece { component: *index, from, to });
                missing -= to - from;
                *taken = to;
            }
        }
        missing
    }

    fn is_exhausted(&self, components: &[usize]) -> bool {
        components.iter().all(|index| self.left(*index) == 0)
    }

    fn left(&self, index: usize) -> u64 {
        let total = self.plan.components.get(index).map_or(0, Component::total);
        total - self.state.taken.get(index).copied().unwrap_or_default().min(total)
    }

    /// Takes a chunk of the component whose turn it is; nothing if all are exhausted.
    fn turn(&mut self) -> Option<Vec<(Arc<Key>, Vec<Piece>)>> {
        let count = self.plan.components.len();
        let index = (0..count).map(|step| (self.state.turn + step) % count).find(|index| self.left(*index) > 0)?;
        let mut pieces = vec![];
        self.take(&[index], self.plan.size, &mut pieces);
        self.state.turn = (index + 1) % count;
        Some(vec![(Arc::new(self.plan.components.get(index)?.key.clone()), pieces)])
    }
}

/// Samples of a component, as positions on its line.
#[derive(Clone, Copy, Debug)]
struct Piece {
    component: usize,
    from: u64,
    to: u64,
}
