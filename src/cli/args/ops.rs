//! Flags of `ops`.

use super::values::hydra_format;
use clap::{Args, ValueEnum, ValueHint};
use lakeql_rows::text::hydra::HydraFormat;
use std::path::PathBuf;

/// `ops`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Ops run from left to right, separated by `;`. Rows come out as early as the ops allow: `gather` and
`sort` need all rows, `merge`, `limit` and `num` do not. Without a pipeline all ops are listed.

Examples:
  lakeql ops 'gather=ks;sort=1:n:d' rows.jsonl
  lakeql ops 'sort=1:n:d;limit=10;title=name,count' --input-format csv --format csv < rows.csv
  echo '[\"a\", 2]' | lakeql ops 'num=c1,n10,mult,v1,set'
  lakeql ops")]
pub(crate) struct OpsArgs {
    /// The ops, such as 'gather=ks;sort=1:n:d'
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipeline: Option<String>,

    /// The rows [default: stdin]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// How the rows are written [default: one JSON array a line, or one JSON array of arrays]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) input_format: Option<InputFormat>,

    /// The first row has the names of the columns: it is left out, and ops find columns by these names
    #[arg(long)]
    pub(crate) header: bool,

    /// Write the rows as Hydra's HTTP interface does: json, csv, tsv, psv, or csv2, tsv2, psv2 with escapes
    #[arg(long, value_name = "FORMAT", value_parser = hydra_format(), conflicts_with = "format")]
    pub(crate) hydra_format: Option<HydraFormat>,

    /// The sane meaning where Hydra has a known defect
    #[arg(long)]
    pub(crate) strict: bool,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// One array of arrays
    Json,
    /// One array a line
    Jsonl,
    /// Commas and quotes
    Csv,
    /// Tabs
    Tsv,
}
