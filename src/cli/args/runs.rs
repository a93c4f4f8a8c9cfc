//! Flags of the verbs about some runs.

use clap::Args;

/// `show`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
A run is named by its hash, by the beginning of its hash, or by its name, if no other run has it.
--format json gives one nested document, table and markdown sections to read; the other formats have
one row a property, param and summary.

Examples:
  lakeql show a32c910
  lakeql show \"Run: a32c910\" --format json")]
pub(crate) struct ShowArgs {
    /// The run
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
}

/// `diff`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
One row a property, param or summary of a sequence that is not the same in all runs, one column a run.
Numbers are the same by value (1 and 1.0), everything else by type and content. What a run does not
have is null; where a param is there and is nothing, tables say None.

Example:
  lakeql diff a32c910 a32c911 --format table")]
pub(crate) struct DiffArgs {
    /// The runs, each by its hash, the beginning of its hash, or its name
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    pub(crate) runs: Vec<String>,
}
