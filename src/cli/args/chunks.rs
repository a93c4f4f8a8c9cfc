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
\"chunk_size\". Rows are chunk,key,dataset,file,start,end, the end excluded.

Examples:
  lakeql chunks 'select((\"license\",\"==\",\"MIT\"))' --mixture mixture.json --chunk-size 100
  lakeql chunks 'select()' --mixture mixture.json --chunk-size 100 --from 5 --count 1 --format csv
  lakeql chunks 'select()' --mixture mixture.json --chunk-size 100 --count 10 --state draw.json --seed 7")]
pub(crate) struct ChunksArgs {
    /// The query; - reads it from stdin
    #[arg(value_name = "TEXT", required_unless_present = "file", conflicts_with = "file")]
    pub(crate) text: Option<String>,

    /// Read the query from a file
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// The query's language
    #[arg(long, short, value_name = "LANGUAGE", value_parser = values::language_parser(), default_value = "mixtera")]
    pub(crate) lang: String,

    /// The mixture
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) mixture: PathBuf,

    /// Samples of a chunk [default: what the mixture's file says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) chunk_size: Option<u64>,

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

    #[command(flatten)]
    pub(crate) samples: SamplesArgs,
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
