//! Flags of the verbs that do not ask queries.

use super::values;
use clap::{Args, Subcommand, ValueHint};
use lakeql_lake::catalog::paths::PathOwner;
use lakeql_lake::ingest::neptune::SeriesZone;
use lakeql_lake::ingest::samples::KnownLayout;
use std::path::PathBuf;
use std::time::Duration;

/// `import`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  lakeql import aim runs.jsonl.gz")]
pub(crate) struct ImportArgs {
    #[command(subcommand)]
    pub(crate) kind: ImportKind,
}

/// Kinds of sources.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ImportKind {
    /// Runs of the Aim experiment tracker, one JSON object a line, as scripts/export_aim.py writes them
    Aim(ImportAim),
    /// Experiments of Neptune: the Parquet files of neptune-exporter, or JSON lines of experiments
    Neptune(ImportNeptune),
    /// Properties of training samples: a catalogue of collections, or JSON lines and Parquet files
    Samples(ImportSamples),
    /// Trees that count events: JSON lines or Parquet files
    Events(super::ImportEvents),
    /// Files, datasets and saved queries of a file catalogue, in the JSON that MetaCat prints
    Metacat(ImportMetacat),
}

/// `import aim`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Importing a file again changes nothing; a run that has changed is replaced.
With a bad line nothing at all is imported, unless --skip-bad is given.

Example:
  lakeql import aim runs.jsonl.gz more.jsonl.zst --skip-bad --report bad_lines.jsonl")]
pub(crate) struct ImportAim {
    /// The files, plain or compressed with gzip or zstd
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    /// Leave out lines that cannot be read, and say how many
    #[arg(long)]
    pub(crate) skip_bad: bool,

    /// Where to list the lines that were left out [default: beside the first file, ending in .bad.jsonl]
    #[arg(long, value_name = "FILE", requires = "skip_bad", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<PathBuf>,
}

/// `import metacat`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
A line is a file with its metadata, parents and datasets, a dataset, or a saved query; a folder means all files in it that
end in .jsonl, .json or .json-seq, perhaps compressed. Importing again changes nothing; a file that has changed is replaced.
With a bad line nothing at all is imported, unless --skip-bad is given.

Example:
  lakeql import metacat catalogue/ more_files.jsonl.gz")]
pub(crate) struct ImportMetacat {
    /// Folders and files of JSON lines or JSON sequences, plain or compressed with gzip or zstd
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,

    /// Leave out lines that cannot be read, and say how many
    #[arg(long)]
    pub(crate) skip_bad: bool,

    /// Where to list the lines that were left out [default: beside the first file, ending in .bad.jsonl]
    #[arg(long, value_name = "FILE", requires = "skip_bad", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<PathBuf>,
}

/// `import neptune`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
A path is the data folder of neptune-exporter (or one project's folder in it, or an object store's URL), or a file of
JSON lines. Importing again takes only what is new or has changed. Runs whose first part is missing were not exported to
the end and are left out. With a damaged file nothing at all is imported, unless --skip-bad is given.

Examples:
  lakeql import neptune exports/data --files exports/files
  lakeql import neptune exports/data --series-timezone Europe/Warsaw
  lakeql import neptune s3://bucket/exports/data/ --inherit-points")]
pub(crate) struct ImportNeptune {
    /// Folders or URLs of exports, and files of JSON lines
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<String>,

    /// The folder with the exported files, to compute the hashes of artifacts
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) files: Option<String>,

    /// The time zone of the machine that has run the exporter, for exports of Neptune 2.x, whose points have local times:
    /// a name such as Europe/Warsaw, or an offset such as +02:00
    #[arg(long, value_name = "ZONE", value_parser = values::series_zone, allow_hyphen_values = true)]
    pub(crate) series_timezone: Option<SeriesZone>,

    /// Give forked runs the points of their parents up to the fork
    #[arg(long)]
    pub(crate) inherit_points: bool,

    /// Leave out what cannot be read, and say how much
    #[arg(long)]
    pub(crate) skip_bad: bool,

    /// Where to list what was left out [default: beside the first path, ending in .bad.jsonl]
    #[arg(long, value_name = "FILE", requires = "skip_bad", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<PathBuf>,
}

/// `import samples`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
SOURCE is a catalogue of collections (JSON), or with --collection a folder, a file, a pattern such as 'data/**/*.parquet', or
a URL of these.
Files are JSON lines (plain, gz, zst, xz, bz2), Parquet or WebDataset tars. Properties are found in the data unless --schema
says what they are: a list of {\"name\", \"dtype\": string|enum|int|float|timestamp, \"multiple\", \"nullable\", \"enum\": [...],
\"path\": \"meta.name\"}, or --layout names a corpus that is known. On a terminal found properties have to be confirmed.
Importing again replaces what has changed; data sets and files keep their numbers. With a bad line nothing is imported.

Examples:
  lakeql import samples collections.json
  lakeql import samples corpus/web --collection web --show-schema
  lakeql import samples corpus/web --collection web --schema schema.json --dataset crawl
  lakeql import samples 's3://bucket/corpus/*.parquet' --collection web --layout fineweb
  lakeql import samples corpus/web --collection web --dataset crawl --schema schema.json --add-files
  lakeql import samples scores.parquet --collection web --dataset crawl --add-properties
  lakeql import samples --collection web --dataset crawl --remove")]
pub(crate) struct ImportSamples {
    /// A catalogue, a folder, a file, a pattern or a URL
    #[arg(value_name = "SOURCE", value_hint = ValueHint::AnyPath, required_unless_present = "remove")]
    pub(crate) source: Option<String>,

    /// The collection that the files go to
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: Option<String>,

    /// The name of the data set [default: that of the folder]
    #[arg(long, value_name = "NAME", requires = "collection")]
    pub(crate) dataset: Option<String>,

    /// What the properties are
    #[arg(long, value_name = "FILE", requires = "collection", value_hint = ValueHint::FilePath)]
    pub(crate) schema: Option<PathBuf>,

    /// The properties of a known corpus: redpajama, slimpajama, pile or fineweb
    #[arg(long, value_name = "NAME", requires = "collection", conflicts_with = "schema", value_parser = values::layout)]
    pub(crate) layout: Option<KnownLayout>,

    /// Print the properties that are found, in the form of a schema file, and import nothing
    #[arg(long, requires = "collection", conflicts_with = "schema")]
    pub(crate) show_schema: bool,

    /// Import with the properties that are found, without asking
    #[arg(long, short, requires = "collection")]
    pub(crate) yes: bool,

    /// Read only files that the data set does not have yet
    #[arg(long, requires = "collection")]
    pub(crate) add_files: bool,

    /// Add properties to samples that are there: SOURCE is Parquet with the columns file and row and one for each property
    #[arg(long, requires = "dataset", conflicts_with_all = ["add_files", "layout", "show_schema"])]
    pub(crate) add_properties: bool,

    /// Take the data set out of the collection
    #[arg(long, requires = "dataset", conflicts_with_all = ["source", "add_files", "add_properties", "schema", "layout"])]
    pub(crate) remove: bool,
}

/// `attributes`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  lakeql attributes
  lakeql attributes '^hparams' --values
  lakeql attributes --of sequences")]
pub(crate) struct AttributesArgs {
    /// Only paths in which this regular expression is found
    #[arg(value_name = "REGEX")]
    pub(crate) regex: Option<String>,

    /// List the values of each path too, with the number of runs that have them
    #[arg(long, conflicts_with = "of")]
    pub(crate) values: bool,

    /// What is listed
    #[arg(long, value_name = "WHAT", default_value = "runs")]
    pub(crate) of: AttributesOf,
}

/// What `attributes` lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum AttributesOf {
    /// Paths of the runs' params, with the number of runs
    Runs,
    /// Names of sequences, with the number of sequences
    Sequences,
    /// Keys of the sequences' contexts, with the number of sequences
    Contexts,
}

impl AttributesOf {
    /// The name of the column that counts.
    pub(crate) fn counted(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Sequences | Self::Contexts => "sequences",
        }
    }

    /// Whose entries of the catalogue these are.
    pub(crate) fn owner(self) -> PathOwner {
        match self {
            Self::Runs => PathOwner::Run,
            Self::Sequences => PathOwner::Series,
            Self::Contexts => PathOwner::Context,
        }
    }
}

/// `describe`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  lakeql describe metrics")]
pub(crate) struct DescribeArgs {
    /// The table or view
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

/// `vacuum`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  lakeql vacuum --retain 1d")]
pub(crate) struct VacuumArgs {
    /// How long old versions stay readable, such as 12h or 7d; 0s keeps only the newest (not while importing)
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = values::duration)]
    pub(crate) retain: Duration,
}

/// `demo`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
The lake is built in ./demo-lake, or where --lake says (LAKEQL_LAKE is left alone).

Example:
  lakeql demo")]
pub(crate) struct DemoArgs {
    /// The folder with tutorial_runs.jsonl and sklearn_runs.jsonl.gz [default: `datasets` of the source tree]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) datasets: Option<PathBuf>,
}

/// `completions`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  lakeql completions bash > ~/.local/share/bash-completion/completions/lakeql
  lakeql completions zsh > ~/.zfunc/_lakeql
  lakeql completions fish > ~/.config/fish/completions/lakeql.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// `man`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  lakeql man > lakeql.1\n  lakeql man query | man -l -")]
pub(crate) struct ManArgs {
    /// The verb
    #[arg(value_name = "VERB")]
    pub(crate) verb: Option<String>,
}
