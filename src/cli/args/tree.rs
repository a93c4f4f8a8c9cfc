//! Flags of `import events` and `tree`.

use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// `import events`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
SPEC.json says how each tree is built: {\"trees\": {\"web\": {\"root\": [{\"field\": \"country\"}, {\"field\": \"url\"}]}}}.
Events are JSON objects, one a line, or rows of Parquet files. Trees of the same names are replaced.
With a bad line nothing at all is imported, unless --skip-bad is given.

Examples:
  lakeql import events --tree web.json events.jsonl.gz
  lakeql import events --tree web.json 'logs/*.parquet' s3://bucket/more.jsonl
  lakeql import events --tree web.json monday.jsonl tuesday.jsonl --worker-trees")]
pub(crate) struct ImportEvents {
    /// The definitions of the trees
    #[arg(long, value_name = "SPEC", value_hint = ValueHint::FilePath)]
    pub(crate) tree: PathBuf,

    /// Files, 'patterns*', folders of Parquet files, or URLs of these
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) sources: Vec<String>,

    /// Build a tree of each FILE, NAME.0, NAME.1 and so on, instead of one of all; --tree NAME asks all of them
    #[arg(long)]
    pub(crate) worker_trees: bool,

    /// Leave out lines that cannot be read, and say how many
    #[arg(long)]
    pub(crate) skip_bad: bool,

    /// Where the list of left-out lines goes [default: beside the first file]
    #[arg(long, value_name = "FILE", requires = "skip_bad", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<PathBuf>,
}

/// `tree`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  lakeql tree show 2026-11 --limit 20")]
pub(crate) struct TreeArgs {
    #[command(subcommand)]
    pub(crate) command: TreeCommand,
}

/// What is done with trees.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum TreeCommand {
    /// List the trees: levels, nodes, events, bytes
    #[command(after_help = "Example:\n  lakeql tree list")]
    List,
    /// Show the children of a node: hits, children, memory
    Show(TreeShow),
    /// Make one tree of several that were built alike
    Merge(TreeMerge),
}

/// `tree show`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  lakeql tree show
  lakeql tree show product/ymd --tree web")]
pub(crate) struct TreeShow {
    /// The path to the node, as in queries; if it leads to several, their children are added up
    #[arg(value_name = "PATH", default_value = "", hide_default_value = true)]
    pub(crate) path: String,

    /// The tree [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub(crate) tree: Vec<String>,

    /// Most children to show
    #[arg(long, value_name = "N", default_value = "100")]
    pub(crate) limit: u64,
}

/// `tree merge`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  lakeql tree merge web.0 web.1 --into web")]
pub(crate) struct TreeMerge {
    /// The trees
    #[arg(value_name = "TREE", required = true)]
    pub(crate) trees: Vec<String>,

    /// The name of the one tree
    #[arg(long, value_name = "NAME")]
    pub(crate) into: String,
}
