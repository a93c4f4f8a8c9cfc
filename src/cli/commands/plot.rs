//! `plot`: the points of the series that a query matches, as a picture.

use crate::args::{AxisArg, PlotArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::{style, talk, text};
use futures::TryStreamExt;
use lakeql_engine::{PointsOptions, Results, Statistic};
use lakeql_output::plot::points::{Bands, Lines, Look, Spread};
use lakeql_output::plot::{Chart, SketchOptions, sketch, svg};
use lakeql_output::terminal_width;
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::source::Source;
use std::path::Path;

/// Widest sketch: beyond that the eye no longer follows a line.
const WIDEST: usize = 140;

pub(super) async fn run(context: &Context, args: &PlotArgs) -> Result<(), Failure> {
    let source = text::read(&args.text)?;
    let drawn = Drawn::of(&args.chart.aggregate)?;
    check(context, args)?;
    let output = Output::open(&context.global)?;
    let session = context.session().await?;
    let failed = |error| Failure::of_query(error, &source);
    let mut options = args.options();
    match &drawn {
        // What the line of a run is called.
        Drawn::Points => options.columns.push("run.name".into()),
        Drawn::Statistics { wanted, .. } => {
            options.aggregate.clone_from(wanted);
            // A mean over different metrics has no meaning.
            options.group.insert(0, "name".into());
        }
    }
    let settings = args.language.settings();
    let results = session.points(&source, &args.text.lang, &settings, &options).await.map_err(failed)?;
    let chart = collect(context, args, &source, &drawn, &options, results).await?;
    if chart.series.is_empty() {
        context
            .talk
            .report(&[Diagnostic::note(Kind::NotFound, "no series matches: there is nothing to draw")], &source);
    }
    let picture = if context.global.output.is_some() {
        svg(&chart)
    } else {
        let width = terminal_width().map_or(80, |width| width.min(WIDEST));
        sketch(&chart, &SketchOptions { width, colour: style::stdout(), ..SketchOptions::default() })
    };
    output.text(&picture)
}

/// What the parser of the command line cannot know.
fn check(context: &Context, args: &PlotArgs) -> Result<(), Failure> {
    let is_svg = |path: &Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("svg"));
    if let Some(path) = context.global.output.as_deref().filter(|path| !is_svg(path)) {
        let message = format!("plot writes SVG: give a file that ends in .svg instead of {}", path.display());
        return Err(Failure::Usage(message));
    }
    if let Some(format) = context.global.format {
        return Err(Failure::Usage(format!("plot draws: for the points as {format} use `lakeql points`")));
    }
    let timed = matches!(args.chart.x, AxisArg::Time | AxisArg::Relative);
    if timed && !args.chart.aggregate.is_empty() {
        return Err(Failure::Usage("--aggregate works for steps and epochs: use --x step or --x epoch".into()));
    }
    if args.points.align.is_some() && args.chart.x != AxisArg::Step {
        return Err(Failure::Usage("--align takes the place of the steps: use --x step".into()));
    }
    if args.chart.log_x && args.chart.x == AxisArg::Time {
        return Err(Failure::Usage("moments have no logarithm: use --x relative with --log-x".into()));
    }
    let ends = args.chart.y_range.unwrap_or_default();
    if args.chart.log_y && [ends.low, ends.high].into_iter().flatten().any(|end| end <= 0.0) {
        return Err(Failure::Usage("a logarithmic axis has no end at or below 0".into()));
    }
    Ok(())
}

/// What becomes a line.
#[derive(Debug, PartialEq, Eq)]
enum Drawn {
    /// A series.
    Points,
    /// Statistics of the series of a group.
    Statistics { wanted: Vec<Statistic>, line: &'static str, spread: Spread },
}

impl Drawn {
    /// The line and what surrounds it.
    fn of(named: &[Statistic]) -> Result<Self, Failure> {
        use Statistic::{Ci95, Max, Mean, Min, Std};
        let mut rest: Vec<Statistic> = vec![];
        for statistic in named {
            if !rest.contains(statistic) {
                rest.push(*statistic);
            }
        }
        let with_mean = rest.contains(&Mean);
        rest.retain(|statistic| *statistic != Mean);
        let between = |low: &str, high: &str| Spread::Between(low.to_owned(), high.to_owned());
        let statistics =
            |wanted: &[Statistic], line, spread| Self::Statistics { wanted: wanted.to_vec(), line, spread };
        Ok(match (rest.as_slice(), with_mean) {
            ([], false) => Self::Points,
            ([], true) => statistics(&[Mean], "mean", Spread::None),
            ([Ci95], _) => statistics(&[Mean, Ci95], "mean", between("ci95_low", "ci95_high")),
            ([Std], _) => statistics(&[Mean, Std], "mean", Spread::Around("std".into())),
            ([Min, Max] | [Max, Min], _) => statistics(&[Mean, Min, Max], "mean", between("min", "max")),
            ([Min], false) => statistics(&[Min], "min", Spread::None),
            ([Max], false) => statistics(&[Max], "max", Spread::None),
            _ => {
                let message =
                    "a chart has one line a group: mean, with one of ci95, std or min,max around it, or min, or max";
                return Err(Failure::Usage(message.into()));
            }
        })
    }
}

/// Reads the answer to its end.
async fn collect(
    context: &Context,
    args: &PlotArgs,
    source: &Source,
    drawn: &Drawn,
    options: &PointsOptions,
    mut results: Results,
) -> Result<Chart, Failure> {
    let failed = |error| Failure::of_query(error, source);
    context.talk.report(&results.notes, source);
    let title = args.chart.title.clone();
    let look = Look {
        title: title.unwrap_or_else(|| source.text.split_whitespace().collect::<Vec<_>>().join(" ")),
        smooth: args.chart.smooth,
        log_x: args.chart.log_x,
        log_y: args.chart.log_y,
        range: args.chart.y_range.unwrap_or_default(),
        aligned: options.align.clone(),
    };
    let across = args.chart.x.across();
    let closing = results.closing_notes();
    let chart = match drawn {
        Drawn::Points => {
            if results.schema.field_with_name("value").is_err() {
                let problem = Diagnostic::error(Kind::Semantic, "only metrics have values that can be drawn");
                return Err(Failure::of(problem.hint("`lakeql points` lists the entries of the other sequences")));
            }
            let mut lines = Lines::new(across, &options.group);
            while let Some(batch) = results.stream.try_next().await.map_err(failed)? {
                lines.push(&batch)?;
            }
            if lines.without_place() > 0 {
                let what = if args.chart.x == AxisArg::Epoch { "epoch" } else { "time" };
                let message = format!("{} without {what} not drawn", talk::count(lines.without_place(), "point"));
                context.talk.report(&[Diagnostic::note(Kind::NotFound, message)], source);
            }
            lines.finish(&look)
        }
        Drawn::Statistics { line, spread, .. } => {
            let group = options.group.get(1..).unwrap_or_default();
            let mut bands = Bands::new(across, group, line, spread.clone());
            while let Some(batch) = results.stream.try_next().await.map_err(failed)? {
                bands.push(&batch)?;
            }
            bands.finish(&look)
        }
    };
    context.talk.report(&closing(), source);
    Ok(chart)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Statistic::{Ci95, Max, Mean, Min, Std};

    #[test]
    fn a_chart_has_one_line_a_group() {
        let line = |named: &[Statistic]| match Drawn::of(named) {
            Ok(Drawn::Statistics { line, spread, .. }) => Some((line, spread)),
            Ok(Drawn::Points) | Err(_) => None,
        };
        let bounds = |low: &str, high: &str| Spread::Between(low.into(), high.into());
        assert_eq!(Drawn::of(&[]).ok(), Some(Drawn::Points));
        assert_eq!(line(&[Mean, Mean]), Some(("mean", Spread::None)));
        assert_eq!(line(&[Ci95]), Some(("mean", bounds("ci95_low", "ci95_high"))));
        assert_eq!(line(&[Std, Mean]), Some(("mean", Spread::Around("std".into()))));
        assert_eq!(line(&[Max, Mean, Min]), Some(("mean", bounds("min", "max"))));
        assert_eq!(line(&[Max]), Some(("max", Spread::None)));
        for several in [&[Mean, Max][..], &[Ci95, Std], &[Min, Max, Std]] {
            assert!(matches!(Drawn::of(several), Err(Failure::Usage(_))), "{several:?}");
        }
    }
}
