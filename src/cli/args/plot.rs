//! Flags of `plot`.

use super::points::{MatchArgs, PointArgs, options, statistic_parser};
use super::query::{LanguageArgs, TextArgs};
use clap::{Args, ValueEnum};
use lakeql_engine::{By, PointsOptions, Statistic};
use lakeql_output::plot::Range;
use lakeql_output::plot::points::Across;

const PLOT_EXAMPLES: &str = "\
Without --output a sketch goes to stdout; with --output FILE.svg a picture for browsers and papers.
Above 12 lines colours stand for groups: --group says of what.

Smoothing is an exponential moving average over the points of a series, as in TensorBoard: each
value counts W of the average so far and 1 - W of itself, divided by 1 - W^n so that the beginning
does not lean towards zero. Where there are few lines the values themselves are drawn faintly.

Examples:
  lakeql plot 'metric.name == \"loss\"' --lang aim
  lakeql plot 'metric.name == \"loss\"' --lang aim --group run.hparams.lr --smooth 0.6 -o loss.svg
  lakeql plot 'metric.name == \"loss\"' --lang aim --x relative --top 10 --sort last -o ten.svg
  lakeql plot 'metric.name == \"loss\"' --lang aim --aggregate mean,ci95 --log-y -o bands.svg";

/// `plot`.
#[derive(Clone, Debug, Args)]
#[command(after_help = PLOT_EXAMPLES)]
pub(crate) struct PlotArgs {
    #[command(flatten)]
    pub(crate) text: TextArgs,
    #[command(flatten)]
    pub(crate) matches: MatchArgs,
    #[command(flatten)]
    pub(crate) points: PointArgs,
    #[command(flatten)]
    pub(crate) chart: ChartArgs,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
}

/// How the chart looks.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Chart")]
pub(crate) struct ChartArgs {
    /// What stands on the horizontal axis
    #[arg(long, value_name = "AXIS", value_enum, default_value_t)]
    pub(crate) x: AxisArg,

    /// Weight of the exponential moving average, from 0 (none) to below 1
    #[arg(long, value_name = "W", default_value_t, hide_default_value = true, value_parser = weight)]
    pub(crate) smooth: f64,

    /// Decades of equal length on the horizontal axis
    #[arg(long)]
    pub(crate) log_x: bool,

    /// Decades of equal length on the vertical axis
    #[arg(long)]
    pub(crate) log_y: bool,

    /// Ends of the vertical axis, either may be left out; lines end where they leave it
    #[arg(long, value_name = "LOW:HIGH", allow_hyphen_values = true, value_parser = range)]
    pub(crate) y_range: Option<Range>,

    /// One line a group: mean (also with ci95, std or min,max around it), min, or max; each metric for itself
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = statistic_parser())]
    pub(crate) aggregate: Vec<Statistic>,

    /// The title [default: the query]
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
}

/// Values of `--x`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum AxisArg {
    /// The step, or what --align has put in its place
    #[default]
    Step,
    /// The epoch
    Epoch,
    /// The moment at which the point was tracked
    Time,
    /// The time since the first point of the series
    Relative,
}

impl AxisArg {
    /// As the charts want it.
    pub(crate) fn across(self) -> Across {
        match self {
            Self::Step => Across::Step,
            Self::Epoch => Across::Epoch,
            Self::Time => Across::Time,
            Self::Relative => Across::Relative,
        }
    }
}

impl PlotArgs {
    /// As the engine wants it, without statistics.
    pub(crate) fn options(&self) -> PointsOptions {
        let by = if self.chart.x == AxisArg::Epoch { By::Epoch } else { By::Step };
        PointsOptions { by, ..options(&self.matches, &self.points) }
    }
}

fn weight(text: &str) -> Result<f64, String> {
    let weight = text.parse::<f64>().ok().filter(|weight| (0.0..1.0).contains(weight));
    weight.ok_or_else(|| "expected a number from 0 to below 1".into())
}

fn range(text: &str) -> Result<Range, String> {
    const EXPECTED: &str = "expected the ends of the axis such as 0:2.5, 0: or :2.5";
    let (low, high) = text.split_once(':').ok_or(EXPECTED)?;
    let end = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse::<f64>().ok().filter(|end| end.is_finite()).map(Some).ok_or(EXPECTED),
    };
    let range = Range { low: end(low)?, high: end(high)? };
    match (range.low, range.high) {
        (Some(low), Some(high)) if low >= high => Err("the lower end comes first".into()),
        _ => Ok(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_an_axis() {
        let ends = |text: &str| range(text).map(|range| (range.low, range.high));
        assert_eq!(ends("-1:2.5"), Ok((Some(-1.0), Some(2.5))));
        assert_eq!((ends("1e-3:"), ends(":0")), (Ok((Some(0.001), None)), Ok((None, Some(0.0)))));
        for wrong in ["", "1", "a:b", "2:1", "1:1", "nan:1", "1:2:3"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn weights_are_below_one() {
        assert_eq!((weight("0"), weight("0.6")), (Ok(0.0), Ok(0.6)));
        for wrong in ["1", "-0.1", "nan", "x", ""] {
            assert!(weight(wrong).is_err(), "{wrong}");
        }
    }
}
