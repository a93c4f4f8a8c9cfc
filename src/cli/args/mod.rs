//! What stands on the command line.

mod chunks;
mod global;
mod lake;
mod ops;
mod plot;
mod points;
mod query;
mod runs;
mod tree;
pub(crate) mod values;

pub(crate) use chunks::{ChunksArgs, OrderArg};
pub(crate) use global::{ColorWhen, ErrorFormat, Global};
pub(crate) use lake::{
    AttributesArgs, CompletionsArgs, DemoArgs, DescribeArgs, ImportAim, ImportArgs, ImportKind, ImportMetacat,
    ImportNeptune, ImportSamples, ManArgs, VacuumArgs,
};
pub(crate) use ops::{InputFormat, OpsArgs};
pub(crate) use plot::{AxisArg, PlotArgs};
pub(crate) use points::PointsArgs;
pub(crate) use query::{
    BenchArgs, ExplainArgs, FromArgs, LanguageArgs, QueryArgs, QueryFlags, SaveArgs, ShapeArgs, StageArg, TextArgs,
    TreesArgs,
};
pub(crate) use runs::{DiffArgs, ShowArgs};
pub(crate) use tree::{ImportEvents, TreeArgs, TreeCommand, TreeMerge, TreeShow};

use clap::builder::Resettable;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command as ClapCommand, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;

const ABOUT: &str = "One columnar lake, asked in the query languages people already know";

const EXAMPLES: &str = "\
Examples:
  lakeql demo
  lakeql import aim runs.jsonl.gz
  lakeql query 'run.hparams.lr < 0.01' --lang aim --select hash,hparams.lr,loss.last
  lakeql query 'select count(*) from runs' --lang sql --format json

The answer goes to stdout, everything else to stderr.
Exit codes: 0 fine, 1 the query or the data is wrong, 2 the command line is wrong, 130 interrupted.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "lakeql",
    version,
    about = ABOUT,
    after_help = EXAMPLES,
    max_term_width = 100,
    arg_required_else_help = true,
    subcommand_required = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring data into the lake
    Import(ImportArgs),
    /// Ask a query
    Query(QueryArgs),
    /// Show the points behind the series that a query matches
    Points(PointsArgs),
    /// Draw chunks of samples in an exact mixture
    Chunks(ChunksArgs),
    /// Show what becomes of a query, stage by stage
    Explain(ExplainArgs),
    /// Draw the points of the matched series, in the terminal or as SVG
    Plot(PlotArgs),
    /// Show everything that is known of a run
    Show(ShowArgs),
    /// Show what is not the same in several runs
    Diff(DiffArgs),
    /// List, browse and unite trees
    Tree(TreeArgs),
    /// Run Hydra's ops over rows, from stdin or a file
    Ops(OpsArgs),
    /// Save an MQL query under a name
    Save(SaveArgs),
    /// Time queries
    Bench(BenchArgs),
    /// List the attribute paths of the runs: types, number of runs, examples
    Attributes(AttributesArgs),
    /// List the lake's tables: rows, files, bytes
    #[command(after_help = "Example:\n  lakeql tables --format json")]
    Tables,
    /// List the columns of a table or view
    Describe(DescribeArgs),
    /// List the versions of the lake, newest first
    #[command(after_help = "Example:\n  lakeql history\n  lakeql query True --lang aim --as-of 3")]
    History,
    /// Merge small files and drop what was replaced
    #[command(after_help = "Example:\n  lakeql compact")]
    Compact,
    /// Delete files that no version within the retention needs
    Vacuum(VacuumArgs),
    /// Build a small lake from real runs and ask it a few queries
    Demo(DemoArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page, of the program or of one verb
    Man(ManArgs),
}

/// Reads a command line, the program's name first.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let mut command = command().color(color_of(&arguments));
    if arguments.len() < 2 {
        // The environment counts as an argument, and where there are arguments there is no help.
        command = command.mut_arg("lake", |lake| lake.env(Resettable::Reset));
    }
    let matches = command.try_get_matches_from(arguments)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    cli.global.lake_from_flag = is_flag(&matches, "lake");
    Ok(cli)
}

/// The description of the command line, for completions and the manual.
pub(crate) fn command() -> ClapCommand {
    Cli::command()
}

/// Whether the value was given as a flag, before or after the verb, and not by the environment.
fn is_flag(matches: &ArgMatches, name: &str) -> bool {
    let here =
        matches.try_contains_id(name).unwrap_or(false) && matches.value_source(name) == Some(ValueSource::CommandLine);
    here || matches.subcommand().is_some_and(|(_, below)| is_flag(below, name))
}

/// `--color` also concerns the help and the messages of the parser, which are printed before it is parsed.
fn color_of(arguments: &[OsString]) -> clap::ColorChoice {
    let mut arguments = arguments.iter().map(|argument| argument.to_string_lossy());
    while let Some(argument) = arguments.next() {
        let value = match argument.as_ref() {
            "--" => break,
            "--color" => arguments.next(),
            other => other.strip_prefix("--color=").map(|value| value.to_owned().into()),
        };
        match value.as_deref() {
            Some("always") => return clap::ColorChoice::Always,
            Some("never") => return clap::ColorChoice::Never,
            Some(_) | None => {}
        }
    }
    clap::ColorChoice::Auto
}

#[cfg(test)]
mod tests;
