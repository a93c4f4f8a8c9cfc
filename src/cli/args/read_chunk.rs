//! Flags of `read-chunk`.

use super::values::{self, Columns};
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `read-chunk`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Rows are those of `lakeql chunks` or `lakeql query` about samples, as jsonl, csv or Arrow: chunk and key may be missing. The
files of the samples are read where they were imported from; one that has changed since is an error. As jsonl a sample is
written as it is, in other formats as a row: chunk,key,dataset,file,sample_id and the sample as JSON, or with --columns each
of its members as text.

Examples:
  lakeql chunks 'select()' --mixture mixture.json --chunk-size 100 --count 2 -o chunks.arrow
  lakeql read-chunk chunks.arrow
  lakeql read-chunk chunks.arrow --columns text --format arrow
  lakeql query --lang mixtera 'select()' --limit 1 | lakeql read-chunk --place")]
pub(crate) struct ReadChunkArgs {
    /// The rows; - or nothing reads them from stdin
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// The collection of samples [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: Option<String>,

    /// Only these members of the samples; of Parquet no other column is read
    #[arg(long, value_name = "COLUMNS", value_parser = values::columns)]
    pub(crate) columns: Option<Columns>,

    /// As jsonl, write an object with chunk, key, dataset, file and sample_id around each sample
    #[arg(long)]
    pub(crate) place: bool,
}
