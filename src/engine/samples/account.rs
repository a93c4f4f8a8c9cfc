//! What a draw has handed out, so that it can be written down, repeated and compared.

use super::names::Names;
use lakeql_mixtures::{Chunk, Key, Plan};
use lakeql_query::model::SampleSet;
use ring::digest::{Context, SHA256, digest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

/// What a draw has handed out. Counts are of samples, or of what they weigh where that is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Stands for the collection and the set of samples, however its query is written.
    pub plan_hash: String,
    /// Stands for the rows: SHA-256 of a line `chunk<TAB>key<TAB>dataset<TAB>file<TAB>start<TAB>end` for each.
    pub rows_sha256: String,
    /// Chunks.
    pub chunks: u64,
    /// Whether these were the last there are.
    pub ended: bool,
    /// Samples that were chosen.
    pub chosen: u64,
    /// Samples in the chunks.
    pub delivered: u64,
    /// Chosen samples in none of the chunks.
    pub leftover: u64,
    /// What all chosen samples weigh: their number, unless they are weighed.
    pub chosen_weight: u64,
    /// What the samples in the chunks weigh.
    pub delivered_weight: u64,
    /// The keys that have been asked or served.
    pub keys: Vec<KeyAccount>,
}

/// What one key has brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyAccount {
    /// The key as chunks show it.
    pub key: String,
    /// What it was to bring, over all chunks, in weight.
    pub asked: u64,
    /// Samples it has brought.
    pub delivered: u64,
    /// What they weigh.
    pub delivered_weight: u64,
}

/// Counts while chunks are drawn.
pub(super) struct Accounting {
    plan_hash: String,
    rows: Context,
    line: String,
    chunks: u64,
    chosen: (u64, u64),
    keys: BTreeMap<Arc<Key>, KeyAccount>,
    into: Arc<Mutex<Option<Account>>>,
}

impl Accounting {
    pub(super) fn new(plan_hash: String, plan: &Plan, into: Arc<Mutex<Option<Account>>>) -> Self {
        Self {
            plan_hash,
            rows: Context::new(&SHA256),
            line: String::new(),
            chunks: 0,
            chosen: (plan.samples(), plan.total()),
            keys: BTreeMap::new(),
            into,
        }
    }

    /// Adds a chunk.
    pub(super) fn add(&mut self, chunk: &Chunk, names: &Names) {
        self.chunks += 1;
        for (key, count) in chunk.asked.iter() {
            entry(&mut self.keys, key).asked += count;
        }
        for part in &chunk.parts {
            let account = entry(&mut self.keys, &part.key);
            account.delivered += part.total();
            account.delivered_weight += part.weight;
            for range in &part.ranges {
                let [dataset, file] = names.of(range.file);
                self.line.clear();
                let (number, key) = (chunk.number, &account.key);
                let _ = writeln!(self.line, "{number}\t{key}\t{dataset}\t{file}\t{}\t{}", range.start, range.end);
                self.rows.update(self.line.as_bytes());
            }
        }
    }

    /// Leaves the account where it is looked for.
    pub(super) fn close(self, ended: bool) {
        let keys: Vec<KeyAccount> = self.keys.into_values().collect();
        let sum = |value: fn(&KeyAccount) -> u64| keys.iter().map(value).sum::<u64>();
        let (delivered, delivered_weight) = (sum(|it| it.delivered), sum(|it| it.delivered_weight));
        let account = Account {
            plan_hash: self.plan_hash,
            rows_sha256: hex(self.rows.finish().as_ref()),
            chunks: self.chunks,
            ended,
            chosen: self.chosen.0,
            delivered,
            leftover: self.chosen.0.saturating_sub(delivered),
            chosen_weight: self.chosen.1,
            delivered_weight,
            keys,
        };
        if let Ok(mut into) = self.into.lock() {
            *into = Some(account);
        }
    }
}

fn entry<'a>(keys: &'a mut BTreeMap<Arc<Key>, KeyAccount>, key: &Arc<Key>) -> &'a mut KeyAccount {
    keys.entry(Arc::clone(key)).or_insert_with(|| KeyAccount {
        key: key.to_string(),
        asked: 0,
        delivered: 0,
        delivered_weight: 0,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Stands for a set of samples of a collection, whatever the order of its conditions and the form of its text.
pub(super) fn plan_hash(collection: &str, set: &SampleSet) -> String {
    hex(digest(&SHA256, format!("{collection}\n{}", canonical(set)).as_bytes()).as_ref())
}

fn canonical(set: &SampleSet) -> String {
    let joined = |name: &str, parts: &[SampleSet]| {
        let mut parts: Vec<String> = parts.iter().map(canonical).collect();
        parts.sort_unstable();
        parts.dedup();
        match parts.as_slice() {
            [one] => one.clone(),
            parts => format!("{name}({})", parts.join(";")),
        }
    };
    match set {
        SampleSet::Everything => "everything".to_owned(),
        SampleSet::Where(condition) => format!("{condition}"),
        SampleSet::All(parts) => joined("all", parts),
        SampleSet::Any { parts, skips_unconditional } => {
            joined(if *skips_unconditional { "any with conditions" } else { "any" }, parts)
        }
        SampleSet::Without(left, right) => format!("without({};{})", canonical(left), canonical(right)),
    }
}
