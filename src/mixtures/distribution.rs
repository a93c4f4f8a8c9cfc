//! Who gets which chunk (section 3.6).

use std::collections::HashMap;

/// Hands the chunks of one sequence to the workers of a training.
///
/// Groups get different chunks, all nodes of a group the same, workers of a node different ones. Whoever asks first gets
/// the next chunk; [`Distributor::fixed`] is the same without depending on who asks first.
#[derive(Clone, Debug, Default)]
pub struct Distributor {
    next: u64,
    /// How often each worker of each node has asked: group, node, worker.
    asked: HashMap<(u64, u64, u64), u64>,
    /// The chunks that the workers of a group have been given: group, worker.
    given: HashMap<(u64, u64), Vec<u64>>,
}

impl Distributor {
    /// Nothing is handed out yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of the chunk for a worker of a node of a group that asks now.
    pub fn request(&mut self, group: u64, node: u64, worker: u64) -> u64 {
        let asked = self.asked.entry((group, node, worker)).or_default();
        let given = self.given.entry((group, worker)).or_default();
        let turn = usize::try_from(*asked).unwrap_or(usize::MAX);
        *asked += 1;
        match given.get(turn) {
            Some(chunk) => *chunk,
            None => {
                given.push(self.next);
                self.next += 1;
                self.next - 1
            }
        }
    }

    /// The number of the chunk that a worker gets when it asks for the `turn`th time, from 0, of so many groups with so
    /// many workers a node: everybody in turn, whenever they ask. Zero workers count as one.
    pub fn fixed(groups: u64, workers: u64, group: u64, worker: u64, turn: u64) -> u64 {
        let (groups, workers) = (groups.max(1), workers.max(1));
        (turn * groups + group) * workers + worker
    }
}
