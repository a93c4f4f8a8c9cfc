//! Flags that every verb understands, before or after it.

use super::values::{self, Bytes};
use clap::{Args, ValueEnum, ValueHint};
use lakeql_lake::AsOf;
use lakeql_output::Format;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// Flags of the whole program.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// The lake: a path or URL (s3:// gs:// az:// https:// file://)
    #[arg(long, global = true, value_name = "URL", env = "LAKEQL_LAKE", default_value = "./lake")]
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) lake: String,

    /// Whether `--lake` stands on the command line.
    #[arg(skip)]
    pub(crate) lake_from_flag: bool,

    /// Read the lake as it was: a version of `history`, or a time such as 2024-05-31T12:00:00Z
    #[arg(long, global = true, value_name = "VERSION|TIME", value_parser = values::as_of)]
    pub(crate) as_of: Option<AsOf>,

    /// The file that says which programs queries may run as filters
    /// [default: lakeql/config.toml in $XDG_CONFIG_HOME or ~/.config, if there is one]
    #[arg(long, global = true, value_name = "FILE", env = "LAKEQL_CONFIG", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,

    /// How to write the answer [default: table on a terminal, by the name of --output, else jsonl]
    #[arg(long, global = true, value_name = "FORMAT", value_parser = values::format_parser())]
    pub(crate) format: Option<Format>,

    /// Write the answer to a file instead of stdout
    #[arg(long, short, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// How to write errors and notes to stderr
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t, hide_default_value = true)]
    pub(crate) error_format: ErrorFormat,

    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t, hide_default_value = true)]
    pub(crate) color: ColorWhen,

    /// Most memory that a query may use, such as 512MB or 2GiB
    #[arg(long, global = true, value_name = "SIZE", value_parser = values::size)]
    pub(crate) memory: Option<Bytes>,

    /// Threads to use [default: one per core]
    #[arg(long, global = true, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Longest time that a query may take, such as 500ms, 30s or 5m
    #[arg(long, global = true, value_name = "DURATION", value_parser = values::duration)]
    pub(crate) timeout: Option<Duration>,

    /// Say nothing on stderr but errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// Values of `--error-format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ErrorFormat {
    /// For people, with a caret under the offending piece
    #[default]
    Human,
    /// For programs, one JSON object a line
    Json,
}

/// Values of `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
