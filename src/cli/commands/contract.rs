//! Contracts: what was asked of a draw of chunks, of which version of the lake, and what it has handed out.

use lakeql_engine::Account;
use lakeql_mixtures::{Event, State};
use lakeql_query::dialects::Settings;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The form of contracts that this version writes.
const FORMAT: u32 = 1;

/// A contract as a file has it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contract {
    format: u32,
    /// The program that has written it.
    lakeql: String,
    /// The version of the lake.
    pub(super) lake_version: u64,
    pub(super) asked: Asked,
    pub(super) delivered: Account,
}

/// Everything that decides about the chunks, besides the lake.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    pub(super) query: String,
    pub(super) lang: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) collection: Option<String>,
    #[serde(default)]
    pub(super) lenient: bool,
    /// The mixture file as it was.
    pub(super) mixture: Value,
    /// Reports that came in a file of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) events: Option<Vec<Event>>,
    pub(super) chunk_size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) weight: Option<String>,
    /// Whether the samples of a key are taken in the order of files.
    #[serde(default)]
    pub(super) by_files: bool,
    #[serde(default)]
    pub(super) seed: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u64>,
    /// Where the draw has gone on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<State>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<Part>,
}

/// The worker that was served.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    pub(super) groups: u64,
    pub(super) nodes: u64,
    pub(super) workers: u64,
    pub(super) group: u64,
    #[serde(default)]
    pub(super) node: Option<u64>,
    pub(super) worker: u64,
}

impl Asked {
    /// The settings of the query.
    pub(super) fn settings(&self) -> Settings {
        Settings { collection: self.collection.clone(), lenient: self.lenient, ..Settings::default() }
    }
}

impl Contract {
    pub(super) fn new(asked: Asked, lake_version: u64, delivered: Account) -> Self {
        Self { format: FORMAT, lakeql: env!("CARGO_PKG_VERSION").to_owned(), lake_version, asked, delivered }
    }

    /// What is not as the contract says, in words.
    pub(super) fn differences(&self, found: &Account) -> Vec<String> {
        let mut all = vec![];
        if self.format != FORMAT {
            all.push(format!("the contract has the form {}, this version of lakeql knows {FORMAT}", self.format));
        }
        let said = &self.delivered;
        for (what, said, found) in [
            ("the hash of the query", &said.plan_hash, &found.plan_hash),
            ("the hash of the rows", &said.rows_sha256, &found.rows_sha256),
        ] {
            if said != found {
                all.push(format!("{what} is {found}, the contract says {said}"));
            }
        }
        for (what, said, found) in [
            ("chunks", said.chunks, found.chunks),
            ("chosen samples", said.chosen, found.chosen),
            ("delivered samples", said.delivered, found.delivered),
            ("leftover samples", said.leftover, found.leftover),
            ("the weight of chosen samples", said.chosen_weight, found.chosen_weight),
            ("the weight of delivered samples", said.delivered_weight, found.delivered_weight),
        ] {
            if said != found {
                all.push(format!("{what}: {found}, the contract says {said}"));
            }
        }
        for key in &found.keys {
            let said = said.keys.iter().find(|it| it.key == key.key);
            if said != Some(key) {
                let shown = |it: Option<&lakeql_engine::KeyAccount>| {
                    it.map_or("nothing".to_owned(), |it| format!("{} asked and {} delivered", it.asked, it.delivered))
                };
                all.push(format!("the key `{}`: {}, the contract says {}", key.key, shown(Some(key)), shown(said)));
            }
        }
        for key in said.keys.iter().filter(|said| found.keys.iter().all(|it| it.key != said.key)) {
            all.push(format!("the key `{}` of the contract has not come", key.key));
        }
        if said.ended != found.ended {
            all.push(format!("whether these were the last chunks: {}, the contract says {}", found.ended, said.ended));
        }
        all
    }
}
