//! What is attached to nodes, and what it answers (section 4.3 of the specification).

use crate::cell::Cell;
use crate::error::Problem;
use crate::ops::quantile;
use crate::sketch::{Bloom, Cardinality, CountMin, Digest, Hot, Recent, Topper};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Data attached to a node.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the kinds and their keys")]
pub enum Attachment {
    Sum { sum: i64, num: i64 },
    SumFloat { sum: f64, count: i64 },
    Time { first: i64, last: i64 },
    Count(Cardinality),
    KeyTop(Topper),
    LimitTop(Topper),
    LimitRecent(Recent),
    LimitHot(Hot),
    Map(VecDeque<(Arc<str>, Arc<str>)>),
    Copy(BTreeMap<Arc<str>, Arc<str>>),
    Histogram(BTreeMap<i64, i64>),
    Distribution(Distribution),
    Bloom(Bloom),
    Seen(Bloom),
    CountMin(CountMin),
    Digest(Digest),
}

/// All values of a field; the original keeps a sample of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// The values, ascending.
    pub sorted: Vec<i64>,
}

impl Distribution {
    /// Adds a value.
    pub fn add(&mut self, value: i64) {
        let place = self.sorted.partition_point(|other| *other <= value);
        self.sorted.insert(place, value);
    }

    /// The mean, by integer division.
    fn mean(&self) -> i64 {
        let sum = self.sorted.iter().fold(0_i64, |sum, value| sum.wrapping_add(*value));
        i64::try_from(self.sorted.len()).ok().filter(|count| *count > 0).map_or(0, |count| sum / count)
    }

    #[allow(clippy::cast_precision_loss, reason = "values")]
    fn deviation(&self) -> f64 {
        let count = self.sorted.len() as f64;
        if count < 2.0 {
            return 0.0;
        }
        let mean = self.sorted.iter().map(|value| *value as f64).sum::<f64>() / count;
        let squares: f64 = self.sorted.iter().map(|value| (*value as f64 - mean).powi(2)).sum();
        (squares / (count - 1.0)).sqrt()
    }

    #[allow(clippy::cast_precision_loss, reason = "values")]
    fn answer(&self, key: Option<&str>) -> Cell {
        let of = |share| Cell::Float(quantile(&self.sorted, share));
        match key {
            None | Some("mean") => Cell::Float(self.mean() as f64),
            Some("max") => self.sorted.last().map_or(Cell::Int(0), |value| Cell::Int(*value)),
            Some("min") => self.sorted.first().map_or(Cell::Int(0), |value| Cell::Int(*value)),
            Some("stdev") => Cell::Float(self.deviation()),
            Some("median") => of(0.5),
            Some("75") => of(0.75),
            Some("95") => of(0.95),
            Some("98") => of(0.98),
            Some("99") => of(0.99),
            Some("999") => of(0.999),
            Some(_) => Cell::Empty,
        }
    }
}

/// A node that an attachment makes.
#[derive(Clone, Debug, PartialEq)]
pub enum MadeNode {
    /// A node that is no part of the tree.
    Virtual {
        /// Its name.
        name: Arc<str>,
        /// Its hits.
        hits: i64,
        /// Names of its children, which have no hits.
        children: Vec<Arc<str>>,
        /// What its attachment `stats` answers for `error`.
        error: Option<i64>,
    },
    /// The child of the attachment's node that has this name, if there is one; perhaps with other hits.
    Child {
        /// The name.
        name: Arc<str>,
        /// Hits instead of its own.
        hits: Option<i64>,
    },
}

fn made(name: &Arc<str>, hits: i64) -> MadeNode {
    MadeNode::Virtual { name: name.clone(), hits, children: vec![], error: None }
}

impl Attachment {
    /// What `$name=key` answers.
    ///
    /// # Errors
    /// Kinds that cannot be asked without a key.
    pub fn answer(&self, key: Option<&str>) -> Result<Cell, Problem> {
        let needs_key = || Problem::other("this attachment needs a key, as in `$+name=key`");
        Ok(match self {
            Self::Sum { sum, num } => match key {
                Some("num" | "count") => Cell::Int(*num),
                Some("avg") => Cell::Int(if *num == 0 { 0 } else { sum.wrapping_div(*num) }),
                Some(_) | None => Cell::Int(*sum),
            },
            #[allow(clippy::cast_precision_loss, reason = "counts")]
            Self::SumFloat { sum, count } => match key.ok_or_else(needs_key)? {
                "sum" => Cell::Float(*sum),
                "avg" => Cell::Float(if *count == 0 { 0.0 } else { sum / *count as f64 }),
                "count" => Cell::Int(*count),
                _ => Cell::Empty,
            },
            Self::Time { first, last } => match key {
                Some("first") => Cell::Int(*first),
                Some("last") => Cell::Int(*last),
                Some("life") => Cell::Int(last.wrapping_sub(*first)),
                Some(_) | None => return Err(needs_key()),
            },
            Self::Count(estimate) => count(estimate, key),
            Self::KeyTop(top) => match key.filter(|key| !key.is_empty()) {
                Some(key) => match (key.strip_prefix('g'), key.strip_prefix('e')) {
                    (Some(name), _) => Cell::Int(top.get(name).unwrap_or(0)),
                    (_, Some(_)) if top.error("").is_none() => Cell::Empty,
                    (_, Some(number)) => ranked(top, number, |key, _| top.error(key).map_or(Cell::Empty, Cell::Int)),
                    (None, None) => top_answer(top, key),
                },
                None => Cell::from(format!("{:?}", top.sorted())),
            },
            Self::LimitTop(top) => key.filter(|key| !key.is_empty()).map_or(Cell::Empty, |key| top_answer(top, key)),
            Self::LimitRecent(recent) => Cell::Int(recent.deleted()),
            Self::LimitHot(hot) => Cell::Int(hot.deleted()),
            Self::CountMin(counts) => match key.unwrap_or("total") {
                "total" => Cell::Int(counts.total()),
                key => inside(key, "val").map_or(Cell::Empty, |value| Cell::Int(counts.count(value))),
            },
            Self::Digest(digest) => {
                let asked = match key.filter(|key| !key.is_empty()) {
                    None => digest.quantile(0.95),
                    Some(key) => match (inside(key, "quantile"), inside(key, "cdf")) {
                        (Some(share), _) => share.trim().parse().ok().and_then(|share| digest.quantile(share)),
                        (_, Some(value)) => value.trim().parse().ok().and_then(|value| digest.share_up_to(value)),
                        (None, None) => None,
                    },
                };
                asked.map_or(Cell::Empty, Cell::Float)
            }
            Self::Map(entries) => {
                let found = entries.iter().find(|(name, _)| Some(&**name) == key);
                found.map_or(Cell::Empty, |(_, value)| Cell::Text(value.clone()))
            }
            Self::Copy(entries) => {
                let key = key.unwrap_or_default();
                let (label, default) =
                    key.split_once(';').map_or((key, None), |(label, default)| (label, Some(default)));
                match (entries.get(label), default) {
                    (Some(value), _) => Cell::Text(value.clone()),
                    (None, Some(default)) => Cell::from(default),
                    (None, None) => Cell::Empty,
                }
            }
            Self::Histogram(buckets) => {
                let text: Vec<_> = buckets.iter().map(|(bucket, count)| format!("{bucket}={count}")).collect();
                Cell::from(format!("{{{}}}", text.join(", ")))
            }
            Self::Distribution(values) => values.answer(key),
            Self::Bloom(filter) => {
                let any = key.is_some_and(|key| key.split('~').any(|value| !value.is_empty() && filter.has(value)));
                if any { Cell::Int(1) } else { Cell::Empty }
            }
            Self::Seen(filter) => match key {
                None | Some("") => Cell::Bloom(Arc::new(filter.clone())),
                Some("bits") => Cell::Int(filter.bits()),
                Some("sat") => Cell::Int(filter.bits_set() * 100 / filter.bits().max(1)),
                Some(key) => match key.strip_prefix("ck-") {
                    Some(value) => Cell::Int(i64::from(filter.has(value))),
                    None => Cell::Empty,
                },
            },
        })
    }

    /// The nodes that `%name=argument` stands for.
    pub fn nodes(&self, argument: Option<&str>) -> Vec<MadeNode> {
        match self {
            Self::KeyTop(top) => match argument.map(|argument| (argument.strip_prefix('='), argument)) {
                Some((Some(word @ ("hit" | "node" | "vhit" | "phit")), _)) => top_nodes(top, word),
                Some((Some(word), _)) => virtual_tops(top, word == "guaranteed"),
                Some((None, keys)) => {
                    let keys = keys.split(':').filter(|key| !key.is_empty());
                    keys.filter_map(|key| Some(made(&key.into(), top.get(key)?))).collect()
                }
                None => virtual_tops(top, false),
            },
            Self::LimitTop(top) => top_nodes(top, argument.unwrap_or_default()),
            Self::LimitHot(hot) => {
                let word = argument.unwrap_or_default();
                children(&hot.sorted(), if word == "hot" { "hit" } else { word })
            }
            Self::CountMin(counts) => {
                let values = argument.unwrap_or_default().split('~').filter(|value| !value.is_empty());
                values.map(|value| made(&value.into(), counts.count(value))).collect()
            }
            Self::Digest(digest) => {
                let shares = argument.unwrap_or_default().split('~').map(str::trim);
                #[allow(clippy::cast_possible_truncation, reason = "hits are whole numbers")]
                let node = |text: &str| {
                    let value = text.parse().ok().and_then(|share| digest.quantile(share))?;
                    Some(made(&text.into(), value.round() as i64))
                };
                shares.filter_map(node).collect()
            }
            Self::Map(entries) => {
                let keys: Option<Vec<&str>> = argument.map(|keys| keys.split(',').collect());
                let wanted =
                    entries.iter().filter(|(name, _)| keys.as_ref().is_none_or(|keys| keys.contains(&&**name)));
                wanted.map(|(name, value)| with_child(name, value)).collect()
            }
            Self::Copy(entries) => entries.iter().map(|(name, value)| with_child(name, value)).collect(),
            Self::Histogram(buckets) if argument == Some("tiers") => {
                buckets.iter().map(|(bucket, count)| made(&bucket.to_string().into(), *count)).collect()
            }
            Self::Bloom(filter) => {
                let keys = argument.unwrap_or_default().split(',').filter(|key| !key.is_empty() && filter.has(key));
                keys.map(|key| MadeNode::Child { name: key.into(), hits: None }).collect()
            }
            Self::Sum { .. }
            | Self::SumFloat { .. }
            | Self::Time { .. }
            | Self::Count(_)
            | Self::Histogram(_)
            | Self::Distribution(_)
            | Self::LimitRecent(_)
            | Self::Seen(_) => vec![],
        }
    }

    /// Bytes of memory, about.
    pub fn size(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Sum { .. } | Self::SumFloat { .. } | Self::Time { .. } => 0,
                Self::Count(estimate) => estimate.size(),
                Self::KeyTop(top) | Self::LimitTop(top) => top.size(),
                Self::LimitRecent(recent) => recent.size(),
                Self::LimitHot(hot) => hot.size(),
                Self::CountMin(counts) => counts.size(),
                Self::Digest(digest) => digest.size(),
                Self::Map(entries) => entries.iter().map(|(key, value)| key.len() + value.len() + 64).sum(),
                Self::Copy(entries) => entries.iter().map(|(key, value)| key.len() + value.len() + 64).sum(),
                Self::Histogram(buckets) => buckets.len() * 32,
                Self::Distribution(values) => values.sorted.len() * 8,
                Self::Bloom(filter) | Self::Seen(filter) => filter.size(),
            }
    }
}

fn count(estimate: &Cardinality, key: Option<&str>) -> Cell {
    match key.unwrap_or_default() {
        "" => Cell::Distinct(Arc::new(estimate.clone())),
        "count" => Cell::Int(estimate.count()),
        "class" => Cell::from("HyperLogLogPlus"),
        other => match other.strip_prefix("put(").and_then(|rest| rest.strip_suffix(')')) {
            Some(value) => Cell::Int(i64::from(estimate.clone().add(value))),
            None => Cell::Empty,
        },
    }
}

/// The answer about the entry of a rank, which counts from 1; a bad number is answered with the complaint about it.
fn ranked(top: &Topper, number: &str, answer: impl Fn(&str, i64) -> Cell) -> Cell {
    let Ok(rank) = number.parse::<i64>() else {
        return Cell::from(format!("java.lang.NumberFormatException: For input string: \"{number}\""));
    };
    let Some(index) = rank.checked_sub(1).and_then(|index| usize::try_from(index).ok()) else {
        let index = rank.saturating_sub(1);
        return Cell::from(format!(
            "java.lang.ArrayIndexOutOfBoundsException: Index {index} out of bounds for length {}",
            top.len()
        ));
    };
    top.sorted().get(index).map_or(Cell::Empty, |(key, count)| answer(key, *count))
}

fn top_answer(top: &Topper, key: &str) -> Cell {
    if key == "size" {
        return Cell::Int(i64::try_from(top.len()).unwrap_or(i64::MAX));
    }
    match key.strip_prefix('v') {
        Some(number) => ranked(top, number, |_, count| Cell::Int(count)),
        None => ranked(top, key.strip_prefix('k').unwrap_or(key), |key, _| Cell::from(key)),
    }
}

/// What stands in the parentheses of `word(…)`.
fn inside<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.strip_prefix(word)?.strip_prefix('(')?.strip_suffix(')')
}

fn top_nodes(top: &Topper, word: &str) -> Vec<MadeNode> {
    children(&top.sorted(), word)
}

/// Nodes for names with counts: the children themselves, with these counts, or nodes of their own.
fn children(sorted: &[(Arc<str>, i64)], word: &str) -> Vec<MadeNode> {
    let node = |(name, hits): &(Arc<str>, i64)| match word {
        "hit" | "node" => Some(MadeNode::Child { name: name.clone(), hits: None }),
        "phit" => Some(MadeNode::Child { name: name.clone(), hits: Some(*hits) }),
        "vhit" => Some(made(name, *hits)),
        _ => None,
    };
    sorted.iter().filter_map(node).collect()
}

/// All entries; those whose place is certain, if only these are wanted.
fn virtual_tops(top: &Topper, certain: bool) -> Vec<MadeNode> {
    let sorted = top.sorted();
    let mut nodes = vec![];
    for (index, (name, hits)) in sorted.iter().enumerate() {
        let error = top.error(name);
        let next = sorted.get(index + 1).map(|(_, hits)| *hits);
        if certain && error.zip(next).is_some_and(|(error, next)| hits.saturating_sub(error) < next) {
            break;
        }
        nodes.push(MadeNode::Virtual { name: name.clone(), hits: *hits, children: vec![], error });
    }
    nodes
}

fn with_child(name: &Arc<str>, value: &Arc<str>) -> MadeNode {
    MadeNode::Virtual { name: name.clone(), hits: 0, children: vec![value.clone()], error: None }
}
