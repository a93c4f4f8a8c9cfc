//! Flags of `points`.

use super::query::{LanguageArgs, TextArgs};
use super::values::{self, Columns};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use lakeql_engine::{By, PointsOptions, Sampling, Statistic, StepRange};
use lakeql_query::model::{Entity, SeriesKind};
use std::num::NonZeroU64;

const POINTS_EXAMPLES: &str = "\
The matches of a query about runs are runs, and their metrics are shown; those of a query about
series are series. AimQL is about metrics here unless --entity says otherwise.

Examples:
  lakeql points 'metric.name == \"loss\" and run.hparams.lr > 0.01' --lang aim --format csv
  lakeql points 'metric.name == \"loss\"' --lang aim --steps 100:200 --select hparams.lr
  lakeql points 'metric.name == \"loss\"' --lang aim --aggregate mean,ci95 --group hparams.lr
  lakeql points 'metric.name == \"loss\"' --lang aim --sort last --top 10 --density 50";

/// `points`.
#[derive(Clone, Debug, Args)]
#[command(after_help = POINTS_EXAMPLES)]
pub(crate) struct PointsArgs {
    #[command(flatten)]
    pub(crate) text: TextArgs,
    #[command(flatten)]
    pub(crate) matches: MatchArgs,
    #[command(flatten)]
    pub(crate) points: PointArgs,
    #[command(flatten)]
    pub(crate) bands: BandArgs,
    #[command(flatten)]
    pub(crate) rows: RowArgs,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
}

/// Which matches, and how they are told apart.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Series")]
pub(crate) struct MatchArgs {
    /// Which series of matched runs [default: metric]
    #[arg(long, value_name = "KIND", value_parser = kind_parser())]
    pub(crate) kind: Option<SeriesKind>,

    /// Only the points of the first N matches (runs or series): the newest, or as --sort says
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,

    /// Columns that order the matches for --top, a leading minus for largest first, such as -last
    #[arg(long, value_name = "COLUMNS", value_parser = values::columns, allow_hyphen_values = true)]
    pub(crate) sort: Option<Columns>,

    /// Columns to group by: properties and params of the run, context keys and summaries of the series
    #[arg(long, value_name = "COLUMNS", value_parser = values::columns)]
    pub(crate) group: Option<Columns>,
}

/// Which points, and what stands for their steps.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Points")]
pub(crate) struct PointArgs {
    /// Only steps from A up to, not including, B; either may be left out
    #[arg(long, value_name = "A:B", allow_hyphen_values = true)]
    pub(crate) steps: Option<StepRange>,

    /// Only every Nth point of a series, beginning with its first
    #[arg(long, value_name = "N", conflicts_with = "density")]
    pub(crate) every: Option<NonZeroU64>,

    /// At most N points of a series, evenly spread over its points, the first and the last among them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    pub(crate) density: Option<u64>,

    /// Put the values of this metric (same run, context and step) in the place of the steps
    #[arg(long, value_name = "METRIC")]
    pub(crate) align: Option<String>,
}

/// Statistics instead of points.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Statistics")]
pub(crate) struct BandArgs {
    /// Statistics of all series for each step: mean, min, max, std, ci95
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = statistic_parser())]
    pub(crate) aggregate: Vec<Statistic>,

    /// What the statistics are computed for each of
    #[arg(long, value_name = "COLUMN", value_enum, default_value_t, requires = "aggregate")]
    pub(crate) by: ByArg,
}

/// What is shown of the answer.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Rows and columns")]
pub(crate) struct RowArgs {
    /// Columns to add to every point, named as for --group
    #[arg(long, value_name = "COLUMNS", value_parser = values::columns)]
    pub(crate) select: Option<Columns>,

    /// Most rows to show
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,

    /// Rows to skip first
    #[arg(long, value_name = "N", default_value_t, hide_default_value = true)]
    pub(crate) offset: usize,
}

/// Values of `--by`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ByArg {
    /// The step, or what --align has put in its place
    #[default]
    Step,
    /// The epoch
    Epoch,
}

impl PointsArgs {
    /// As the engine wants it.
    pub(crate) fn options(&self) -> PointsOptions {
        PointsOptions {
            columns: named(self.rows.select.as_ref()),
            aggregate: self.bands.aggregate.clone(),
            by: match self.bands.by {
                ByArg::Step => By::Step,
                ByArg::Epoch => By::Epoch,
            },
            offset: self.rows.offset,
            limit: self.rows.limit,
            ..options(&self.matches, &self.points)
        }
    }
}

/// What all verbs about points have in common, as the engine wants it.
pub(crate) fn options(matches: &MatchArgs, points: &PointArgs) -> PointsOptions {
    PointsOptions {
        group: named(matches.group.as_ref()),
        kind: matches.kind,
        sort: named(matches.sort.as_ref()),
        top: matches.top,
        steps: points.steps.unwrap_or_default(),
        sampling: match (points.every, points.density) {
            (Some(stride), _) => Sampling::Every(stride.get()),
            (None, Some(most)) => Sampling::Density(most),
            (None, None) => Sampling::All,
        },
        align: points.align.clone(),
        ..PointsOptions::default()
    }
}

fn named(columns: Option<&Columns>) -> Vec<String> {
    columns.map(|columns| columns.0.clone()).unwrap_or_default()
}

/// `--kind`: the entities that are series.
fn kind_parser() -> impl TypedValueParser<Value = SeriesKind> {
    let kinds = || {
        Entity::ALL.into_iter().filter_map(|entity| match entity {
            Entity::Run => None,
            Entity::Series(kind) => Some(kind),
        })
    };
    PossibleValuesParser::new(kinds().map(SeriesKind::name)).try_map(move |name| {
        kinds().find(|kind| kind.name() == name).ok_or_else(|| format!("there are no series of kind `{name}`"))
    })
}

/// `--aggregate`.
pub(super) fn statistic_parser() -> impl TypedValueParser<Value = Statistic> {
    let value = |statistic: Statistic| PossibleValue::new(statistic.name());
    PossibleValuesParser::new(Statistic::ALL.map(value)).try_map(|name| {
        let found = Statistic::ALL.into_iter().find(|statistic| statistic.name() == name);
        found.ok_or_else(|| format!("there is no statistic `{name}`"))
    })
}
