//! Mixtures: how much of what.

use crate::component::Component;
use crate::counts::{largest_remainder, rest_to_first};
use crate::error::{Error, Result};
use crate::key::Key;

/// How chunks are composed.
#[derive(Clone, Debug, PartialEq)]
pub enum Mixture {
    /// All chunks alike.
    Simple(Simple),
    /// By the steps that the trainer has made: the entry with the greatest beginning that is reached.
    Schedule(Vec<Entry>),
    /// First so, then with shares in proportion to the mean losses that the trainer reports.
    Dynamic {
        /// The mixture until the first report.
        initial: Fixed,
        /// Whether every chunk has exactly its counts.
        strict: bool,
    },
}

/// A mixture that does not change.
#[derive(Clone, Debug, PartialEq)]
pub enum Simple {
    /// Fixed shares.
    Fixed(Fixed),
    /// One key a chunk, the keys in turn, until everything is handed out.
    Arbitrary,
}

/// An entry of a schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The step from which on it holds.
    pub start_step: u64,
    /// The mixture.
    pub mixture: Simple,
}

/// Shares of keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixed {
    /// A chunk that cannot have exactly its counts ends the draw; otherwise other keys take what is missing.
    pub strict: bool,
    /// The shares.
    pub shares: Shares,
}

/// Where shares come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Shares {
    /// Of each key, summing to one.
    Static(Vec<(Key, f64)>),
    /// Of the leaves of a tree; the first takes what rounding leaves.
    Hierarchical(Vec<(Key, f64)>),
    /// As the chosen samples have them.
    Inferring,
}

impl Fixed {
    /// How many samples of each key a chunk has, keys in the order in which they are served.
    pub(crate) fn counts(&self, size: u64, components: &[Component]) -> Result<Vec<(Key, u64)>> {
        let (keys, counts): (Vec<Key>, Vec<u64>) = match &self.shares {
            Shares::Static(shares) => {
                let (keys, weights): (Vec<_>, Vec<_>) = shares.iter().cloned().unzip();
                (keys, largest_remainder(size, &weights))
            }
            Shares::Hierarchical(leaves) => {
                let (keys, weights): (Vec<_>, Vec<f64>) = leaves.iter().cloned().unzip();
                let counts = rest_to_first(size, &weights)
                    .ok_or_else(|| Error::Sum { place: "mixture.root".to_owned(), sum: weights.iter().sum() })?;
                (keys, counts)
            }
            Shares::Inferring => {
                let total: u64 = components.iter().map(Component::total).sum();
                let share = |it: &Component| it.total() as f64 / total as f64;
                let shares: Vec<f64> = components.iter().map(share).collect();
                (components.iter().map(|it| it.key.clone()).collect(), largest_remainder(size, &shares))
            }
        };
        let mut counts: Vec<_> = keys.into_iter().zip(counts).collect();
        counts.sort();
        Ok(counts)
    }

    /// The keys that are named.
    pub(crate) fn keys(&self) -> Vec<&Key> {
        match &self.shares {
            Shares::Static(shares) | Shares::Hierarchical(shares) => shares.iter().map(|(key, _)| key).collect(),
            Shares::Inferring => vec![],
        }
    }

    fn infers(&self) -> bool {
        self.shares == Shares::Inferring
    }
}

impl Mixture {
    fn simple(&self) -> Vec<&Fixed> {
        match self {
            Self::Simple(Simple::Fixed(fixed)) | Self::Dynamic { initial: fixed, .. } => vec![fixed],
            Self::Simple(Simple::Arbitrary) => vec![],
            Self::Schedule(entries) => entries
                .iter()
                .filter_map(|entry| match &entry.mixture {
                    Simple::Fixed(fixed) => Some(fixed),
                    Simple::Arbitrary => None,
                })
                .collect(),
        }
    }

    /// The keys that are named, each once, in the order in which they are served.
    pub fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = self.simple().into_iter().flat_map(Fixed::keys).cloned().collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Whether keys come from the samples, too, so that it matters how exactly these are told apart.
    pub fn needs_components(&self) -> bool {
        let arbitrary = match self {
            Self::Simple(simple) => *simple == Simple::Arbitrary,
            Self::Schedule(entries) => entries.iter().any(|entry| entry.mixture == Simple::Arbitrary),
            Self::Dynamic { .. } => true,
        };
        arbitrary || self.simple().into_iter().any(Fixed::infers)
    }
}
