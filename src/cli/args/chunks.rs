//! Flags of `chunks`.

use super::query::SamplesArgs;
use super::values;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;

/// `chunks`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
FILE is a mixture: {\"type\": \"static\", \"components\": [{\"key\": {\"language\": [\"en\"]}, \"weight\": 0.7}, ...]}, or one of the
types hierarchical, inferring, arbitrary, schedule, dynamic; or an object with \"mixture\" and perhaps \"events\" and
\"chunk_size\". Rows are chunk,key,dataset,file,start,end, the end excluded. With --weight a chunk has so many tokens, say,
instead of samples: a sample belongs to the chunk in which its first token lies.

Examples:
  lakeql chunks 'select((\"license\",\"==\",\"MIT\"))' --mixture mixture.json --chunk-size 100
  lakeql chunks 'select()' --mixture mixture.json --chunk-size 100 --from 5 --count 1 --format csv
  lakeql chunks 'select()' --mixture mixture.json --chunk-size 100 --count 10 --state draw.json --seed 7
  lakeql chunks 'select()' --mixture mixture.json --chunk-size 20480 --weight tokens
  lakeql chunks 'select()' --mixture mixture.json --chunk-size 100 --contract contract.json
  lakeql chunks --verify contract.json
  lakeql chunks 'select()' --mixture mixture.json --chunk-size 100 --groups 8 --group 3")]
pub(crate) struct ChunksArgs {
    /// The query; - reads it from stdin
    #[arg(value_name = "TEXT", required_unless_present_any = ["file", "verify"], conflicts_with = "file")]
    pub(crate) text: Option<String>,

    /// Read the query from a file
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// The query's language
    #[arg(long, short, value_name = "LANGUAGE", value_parser = values::language_parser(), default_value = "mixtera")]
    pub(crate) lang: String,

    /// The mixture, unless the query is a document that has one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) mixture: Option<PathBuf>,

    /// Samples of a chunk, or what they weigh [default: what the mixture's file says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) chunk_size: Option<u64>,

    /// The numeric property that says what a sample weighs, such as its tokens [default: every sample weighs 1]
    #[arg(long, value_name = "PROPERTY")]
    pub(crate) weight: Option<String>,

    /// Number of the first chunk, from 0
    #[arg(long, value_name = "K")]
    pub(crate) from: Option<u64>,

    /// Most chunks to draw
    #[arg(long, value_name = "M")]
    pub(crate) count: Option<u64>,

    /// What the trainer has reported: steps, or losses and counts, one JSON object a line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) events: Option<PathBuf>,

    /// Go on where the state in this file says, if it is there, and write the new state to it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) state: Option<PathBuf>,

    /// Shuffle the samples of each key by this number, the same on every machine
    #[arg(long, value_name = "N", conflicts_with = "order")]
    pub(crate) seed: Option<u64>,

    /// In which order the samples of a key are taken
    #[arg(long, value_name = "ORDER", value_enum, default_value_t)]
    pub(crate) order: OrderArg,

    /// Write a contract when the chunks are out: everything needed to repeat the draw, and what it has handed out
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) contract: Option<PathBuf>,

    /// Draw again what a contract says, from the version of the lake that it names, and compare
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["text", "file", "mixture", "chunk_size", "weight", "from", "count", "events", "state"])]
    #[arg(conflicts_with_all = ["seed", "contract", "collection", "group", "node", "worker"])]
    pub(crate) verify: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) turn: TurnArgs,

    #[command(flatten)]
    pub(crate) samples: SamplesArgs,
}

/// Whose chunks are wanted.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Workers")]
pub(crate) struct TurnArgs {
    /// Data-parallel groups of the training; each gets chunks of its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 32), default_value_t = 1)]
    pub(crate) groups: u64,

    /// Nodes of a group; all of them get the same chunks
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 32), default_value_t = 1)]
    pub(crate) nodes: u64,

    /// Workers of a node; each gets chunks of its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 20), default_value_t = 1)]
    pub(crate) workers: u64,

    /// The group that is served, from 0
    #[arg(long, value_name = "I")]
    pub(crate) group: Option<u64>,

    /// The node that is served, from 0
    #[arg(long, value_name = "I")]
    pub(crate) node: Option<u64>,

    /// The worker that is served, from 0
    #[arg(long, value_name = "I")]
    pub(crate) worker: Option<u64>,
}

/// Values of `--order`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderArg {
    /// Samples with equal properties together, as Mixtera does
    #[default]
    Keys,
    /// In the order of files, whatever other properties they have
    Files,
}
