//! Flags of `query`, `explain` and `bench`.

use super::values::{self, Columns, hydra_format};
use clap::{Args, Parser, ValueEnum, ValueHint};
use lakeql_engine::PlainSource;
use lakeql_query::dialects::{LegacyPrefixes, Settings};
use lakeql_query::model::{Extra, Overview, Provenance};
use lakeql_rows::text::hydra::HydraFormat;
use std::num::NonZeroUsize;
use std::path::PathBuf;

const QUERY_EXAMPLES: &str = "\
Examples:
  lakeql query 'run.hparams.lr < 0.01 and run.metrics[\"loss\"].last < 0.3' --lang aim
  lakeql query 'metric.name == \"loss\"' --lang aim --entity metric --sort -last --limit 10
  lakeql query 'sys/failed:bool = true AND sys/creation_time > -7d' --lang nql --project team/vision
  lakeql query 'select((\"language\",\"==\",\"en\"))' --lang mixtera --count-by license
  lakeql query 'files from prod:raw where core.runs[any] in (11001, 12010)' --lang mql
  lakeql query '2024-01-01/+/(5)+:+hits' --lang hydra --tree views --ops 'sort=2:n:d'
  lakeql query -f top_ten.sql --lang sql --output top_ten.parquet
  lakeql query 'fare_amount > 20' --lang nql --from 'taxi/*.parquet' --sort -fare_amount
  echo 'run.archived' | lakeql query - --lang aim --format csv";

/// `query`.
#[derive(Clone, Debug, Args)]
#[command(after_help = QUERY_EXAMPLES)]
pub(crate) struct QueryArgs {
    #[command(flatten)]
    pub(crate) text: TextArgs,
    #[command(flatten)]
    pub(crate) from: FromArgs,
    #[command(flatten)]
    pub(crate) shape: ShapeArgs,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
}

/// `explain`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example:
  lakeql explain 'run.hparams.lr < 0.01' --lang aim --stage physical --analyze")]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) text: TextArgs,

    /// The stage to show
    #[arg(long, value_name = "STAGE", value_enum, default_value_t)]
    pub(crate) stage: StageArg,

    /// Run the query too: times, rows, bytes, and row groups read and pruned
    #[arg(long)]
    pub(crate) analyze: bool,

    #[command(flatten)]
    pub(crate) from: FromArgs,
    #[command(flatten)]
    pub(crate) shape: ShapeArgs,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
}

/// `save`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
A saved query of that name is replaced.

Example:
  lakeql save dune:cosmics 'files where core.data_stream = cosmics'
  lakeql query --lang mql --saved dune:cosmics
  lakeql query --lang mql 'files selected by dune:cosmics where core.runs = 20100'")]
pub(crate) struct SaveArgs {
    /// The name
    #[arg(value_name = "NAMESPACE:NAME")]
    pub(crate) name: String,

    /// The query; - reads it from stdin
    #[arg(value_name = "TEXT", required_unless_present = "file", conflicts_with = "file")]
    pub(crate) text: Option<String>,

    /// Read the query from a file
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
}

/// `bench`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Each line of FILE is {\"id\": …, \"lang\": …, \"text\": …, \"options\": {flag: value}},
the options being flags of `query`.
The figures are those of the second and later runs of each query, in this process.

Example:
  lakeql bench --queries queries.jsonl --repeat 20 --format csv")]
pub(crate) struct BenchArgs {
    /// The queries, one JSON object a line; - for stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) queries: PathBuf,

    /// How often each query is timed
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) repeat: NonZeroUsize,

    #[command(flatten)]
    pub(crate) from: FromArgs,
}

/// The flags of a query without its text, as `bench` finds them in its file.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
pub(crate) struct QueryFlags {
    #[command(flatten)]
    pub(crate) shape: ShapeArgs,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
}

/// Where the text of a query comes from and what language it is in.
#[derive(Clone, Debug, Args)]
pub(crate) struct TextArgs {
    /// The query; - reads it from stdin
    #[arg(value_name = "TEXT", required_unless_present_any = ["file", "saved"], conflicts_with = "file")]
    pub(crate) text: Option<String>,

    /// Ask the saved query of this name instead of a text (`query` and `explain`)
    #[arg(long, value_name = "NAMESPACE:NAME", conflicts_with_all = ["text", "file"], help_heading = "MQL")]
    pub(crate) saved: Option<String>,

    /// Read the query from a file
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// The query's language
    #[arg(long, short, value_name = "LANGUAGE", value_parser = values::language_parser())]
    pub(crate) lang: String,
}

/// Plain files instead of a lake.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FromArgs {
    /// Ask Parquet files as they are instead of the lake: a file, a folder, a 'pattern*', or a URL of one. SQL calls the
    /// table data, or NAME; NAMEs allow several. The data folder of neptune-exporter is asked as if it were imported
    #[arg(long, value_name = "[NAME=]FILES", value_parser = values::plain_source)]
    pub(crate) from: Vec<PlainSource>,
}

/// What is done to the rows of any query's answer.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Rows and columns")]
pub(crate) struct ShapeArgs {
    /// Columns to show: attribute paths and summaries of series, such as hash,hparams.lr,loss.last
    #[arg(long, value_name = "COLUMNS", value_parser = values::columns)]
    pub(crate) select: Option<Columns>,

    /// Columns to sort by, a leading minus for largest first, such as -loss.last,hash
    #[arg(long, value_name = "COLUMNS", value_parser = values::columns, allow_hyphen_values = true)]
    pub(crate) sort: Option<Columns>,

    /// Most rows to show
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,

    /// Rows to skip first
    #[arg(long, value_name = "N", default_value_t, hide_default_value = true)]
    pub(crate) offset: usize,

    /// What to show of files beside their names: metadata, provenance, datasets
    #[arg(long, value_name = "EXTRAS", value_enum, value_delimiter = ',', help_heading = "MQL")]
    pub(crate) with: Vec<ExtraArg>,

    /// Show nothing but namespace:name, one a line
    #[arg(long, help_heading = "MQL", conflicts_with_all = ["select", "with", "summary"])]
    pub(crate) dids: bool,

    /// Say how many files there are and how large they are together, or which metadata keys they have
    #[arg(long, value_name = "WHAT", value_enum, num_args = 0..=1, default_missing_value = "totals")]
    #[arg(help_heading = "MQL")]
    pub(crate) summary: Option<SummaryArg>,
}

/// What single languages can be told.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "AimQL")]
pub(crate) struct LanguageArgs {
    /// What is searched [default: run]
    #[arg(long, value_name = "ENTITY", value_parser = values::entity_parser())]
    pub(crate) entity: Option<String>,

    /// Minutes that are subtracted from UTC before a query sees created_at and finalized_at
    #[arg(long, value_name = "N", default_value_t, hide_default_value = true, allow_negative_numbers = true)]
    pub(crate) tz_offset_minutes: i64,

    /// Only runs that come after this one, newest first
    #[arg(long, value_name = "HASH")]
    pub(crate) after: Option<String>,

    /// Only runs of this project
    #[arg(long, value_name = "PROJECT", help_heading = "NQL")]
    pub(crate) project: Option<String>,

    /// The instant that times such as -2d count from [default: now]
    #[arg(long, value_name = "TIME", value_parser = values::instant, help_heading = "NQL")]
    pub(crate) now: Option<i64>,

    /// Take a word or text alone for something to look for in name, description and id
    #[arg(long, help_heading = "NQL")]
    pub(crate) search_terms: bool,

    /// Bytes of a kilobyte in sizes such as 20MB [default: 1024]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..), help_heading = "NQL")]
    pub(crate) size_base: Option<u32>,

    /// The namespace of files and saved queries that are named without one
    #[arg(long, value_name = "NAMESPACE", help_heading = "MQL")]
    pub(crate) namespace: Option<String>,

    /// Count retired files among those of datasets and of the whole catalogue
    #[arg(long, help_heading = "MQL")]
    pub(crate) include_retired: bool,

    /// Files any number of steps away in provenance, instead of those that match
    #[arg(long, value_name = "DIRECTION", value_enum, help_heading = "MQL")]
    pub(crate) closure: Option<ClosureArg>,

    /// Where names of the legacy dialect are: parameters, metrics, logs, properties
    /// [default: parameters/,metrics/,logs/,properties/]
    #[arg(long, value_name = "PREFIXES", value_parser = values::prefixes, help_heading = "NQL")]
    pub(crate) legacy_prefixes: Option<LegacyPrefixes>,

    #[command(flatten)]
    pub(crate) trees: TreesArgs,

    #[command(flatten)]
    pub(crate) samples: SamplesArgs,

    #[command(flatten)]
    pub(crate) shown: ShownArgs,
}

/// What the language of trees can be told.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Hydra")]
pub(crate) struct TreesArgs {
    /// The tree that is walked, several times for several workers [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub(crate) tree: Vec<String>,

    /// What is done to the rows of all trees, such as 'gather=ks;sort=1:n:d'
    #[arg(long, value_name = "OPS", default_value_t, hide_default_value = true)]
    pub(crate) ops: String,

    /// What is done to the rows of each tree
    #[arg(long, value_name = "OPS", default_value_t, hide_default_value = true)]
    pub(crate) rops: String,

    /// Write the rows as Hydra's HTTP interface does: json, csv, tsv, psv, or csv2, tsv2, psv2 with escapes
    #[arg(long, value_name = "FORMAT", value_parser = hydra_format())]
    pub(crate) hydra_format: Option<HydraFormat>,

    /// The sane meaning where Hydra has a known defect
    #[arg(long)]
    pub(crate) strict: bool,
}

/// What languages about samples can be told.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Mixtera")]
pub(crate) struct SamplesArgs {
    /// The collection of samples that is asked [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: Option<String>,

    /// Leave out conditions on unknown fields, with unknown operators or empty lists, and read texts as numbers, as Mixtera
    /// does
    #[arg(long)]
    pub(crate) lenient: bool,
}

/// What is shown of samples.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Mixtera")]
pub(crate) struct ShownArgs {
    /// Ranges of samples that are alike in these properties, with a column key
    #[arg(long, value_name = "PROPERTIES", value_parser = values::columns, conflicts_with = "count_by")]
    pub(crate) ranges_by: Option<Columns>,

    /// Numbers of samples by these properties instead of ranges
    #[arg(long, value_name = "PROPERTIES", value_parser = values::columns)]
    pub(crate) count_by: Option<Columns>,
}

impl SamplesArgs {
    /// As the languages want it.
    pub(crate) fn settings(&self) -> Settings {
        Settings { collection: self.collection.clone(), lenient: self.lenient, ..Settings::default() }
    }
}

impl LanguageArgs {
    /// As the languages want it.
    pub(crate) fn settings(&self) -> Settings {
        let columns = |columns: &Option<Columns>| columns.as_ref().map(|c| c.0.clone()).unwrap_or_default();
        Settings {
            entity: self.entity.clone(),
            tz_offset_minutes: self.tz_offset_minutes,
            after: self.after.clone(),
            plain: false,
            project: self.project.clone(),
            now: self.now,
            search_terms: self.search_terms,
            size_base: self.size_base,
            namespace: self.namespace.clone(),
            include_retired: self.include_retired,
            closure: self.closure.map(|direction| match direction {
                ClosureArg::Parents => Provenance::Parents,
                ClosureArg::Children => Provenance::Children,
            }),
            legacy_prefixes: self.legacy_prefixes.clone().unwrap_or_default(),
            trees: self.trees.tree.clone(),
            ops: self.trees.ops.clone(),
            worker_ops: self.trees.rops.clone(),
            strict: self.trees.strict,
            by: columns(&self.shown.ranges_by),
            count_by: columns(&self.shown.count_by),
            ..self.samples.settings()
        }
    }
}

impl ShapeArgs {
    /// As the engine wants it.
    pub(crate) fn shape(&self) -> lakeql_engine::Shape {
        let columns = |columns: &Option<Columns>| columns.as_ref().map(|c| c.0.clone()).unwrap_or_default();
        lakeql_engine::Shape {
            select: if self.dids { vec!["did".to_owned()] } else { columns(&self.select) },
            sort: columns(&self.sort),
            limit: self.limit,
            offset: self.offset,
            with: self.with.iter().map(|extra| extra.extra()).collect(),
            overview: self.summary.map(SummaryArg::overview),
        }
    }
}

/// Values of `--with`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExtraArg {
    /// The metadata as JSON
    Metadata,
    /// The ids of parents and children
    Provenance,
    /// The datasets the file is in
    Datasets,
}

impl ExtraArg {
    fn extra(self) -> Extra {
        match self {
            Self::Metadata => Extra::Metadata,
            Self::Provenance => Extra::Provenance,
            Self::Datasets => Extra::Datasets,
        }
    }
}

/// Values of `--summary`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SummaryArg {
    /// Number and total size
    Totals,
    /// Metadata keys with types and ranges of values
    Keys,
}

impl SummaryArg {
    fn overview(self) -> Overview {
        match self {
            Self::Totals => Overview::Totals,
            Self::Keys => Overview::Keys,
        }
    }
}

/// Values of `--closure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClosureArg {
    /// What the files were made from, directly or not
    Parents,
    /// What was made from the files, directly or not
    Children,
}

/// Values of `--stage`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum StageArg {
    /// The language's syntax tree
    Ast,
    /// The query with its meaning spelled out
    Query,
    /// The logical plan
    Logical,
    /// The logical plan after all rewrites
    Optimized,
    /// The physical plan
    Physical,
    /// The query as SQL
    Sql,
    /// All of them
    #[default]
    All,
}
