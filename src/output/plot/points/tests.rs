use super::super::AxisKind;
use super::*;
use crate::testing::{batch, floats, ints, text, times};

/// Points: run, name, context, step, seconds after 1970 and value.
type Point<'a> = (&'a str, &'a str, &'a str, i64, Option<i64>, f64);

fn points(points: &[Point<'_>]) -> RecordBatch {
    let texts = |of: fn(&Point<'_>) -> String| {
        let found: Vec<String> = points.iter().map(of).collect();
        text(&found.iter().map(|text| Some(text.as_str())).collect::<Vec<_>>())
    };
    let column = |of: fn(&Point<'_>) -> Option<i64>| points.iter().map(of).collect::<Vec<_>>();
    batch(vec![
        ("run", texts(|point| point.0.to_owned())),
        ("name", texts(|point| point.1.to_owned())),
        ("context", texts(|point| point.2.to_owned())),
        ("step", ints(&column(|point| Some(point.3)))),
        ("time", times(&column(|point| point.4.map(|seconds| seconds * 1_000_000)))),
        ("value", floats(&points.iter().map(|point| Some(point.5)).collect::<Vec<_>>())),
        ("run.name", texts(|point| format!("name of {}", point.0))),
        ("lr", floats(&points.iter().map(|point| (point.0 != "c").then_some(0.5)).collect::<Vec<_>>())),
    ])
}

const TWO: [Point<'static>; 4] = [
    ("a", "loss", "{}", 0, Some(100), 3.0),
    ("a", "loss", "{}", 1, Some(160), 1.0),
    ("b", "loss", "{}", 0, Some(500), f64::NAN),
    ("b", "loss", "{}", 7, None, 2.0),
];

#[test]
fn points_of_a_series_become_a_line_across_batches() {
    let mut lines = Lines::new(Across::Step, &[]);
    for from in 0..4 {
        lines.push(&points(&TWO[from..=from])).unwrap();
    }
    let chart = lines.finish(&Look::default());
    assert_eq!((chart.y.label.as_str(), chart.x.kind, chart.series.len()), ("loss", AxisKind::Whole, 2));
    let found = &chart.series[1];
    assert_eq!((found.label.as_str(), found.xs.as_slice(), found.ys[1]), ("name of b", &[0.0, 7.0][..], 2.0));
    assert!(found.ys[0].is_nan());
}

#[test]
fn times_count_from_1970_or_from_the_first_point() {
    for (across, expected) in [(Across::Time, [100.0, 160.0]), (Across::Relative, [0.0, 60.0])] {
        let mut lines = Lines::new(across, &[]);
        lines.push(&points(&TWO)).unwrap();
        assert_eq!(lines.without_place(), 1);
        let chart = lines.finish(&Look { log_x: true, ..Look::default() });
        assert_eq!(chart.series[0].xs, expected);
        assert_eq!(chart.x.log, across == Across::Relative);
    }
}

#[test]
fn labels_say_what_differs() {
    let mut lines = Lines::new(Across::Step, &[]);
    let several =
        [("a", "loss", "{}", 0, None, 0.0), ("a", "loss", "{\"s\":1}", 0, None, 0.0), ("a", "acc", "{}", 0, None, 0.0)];
    lines.push(&points(&several)).unwrap();
    let chart = lines.finish(&Look::default());
    let labels: Vec<_> = chart.series.iter().map(|series| series.label.as_str()).collect();
    assert_eq!(labels, ["name of a loss", "name of a loss {\"s\":1}", "name of a acc"]);
    assert_eq!((chart.y.label.as_str(), chart.group), ("value", None));
}

#[test]
fn many_lines_of_few_metrics_are_grouped_by_them() {
    let runs: Vec<String> = (0..20).map(|run| format!("r{run}")).collect();
    let all: Vec<Point<'_>> =
        runs.iter().flat_map(|run| ["loss", "acc"].map(|name| (run.as_str(), name, "{}", 0, None, 0.0))).collect();
    let mut lines = Lines::new(Across::Step, &[]);
    lines.push(&points(&all)).unwrap();
    let chart = lines.finish(&Look::default());
    assert_eq!((chart.group.as_deref(), chart.series[0].group.as_deref()), (Some("sequence"), Some("loss")));
}

#[test]
fn groups_are_values_of_columns() {
    let mut lines = Lines::new(Across::Step, &["lr".into()]);
    lines.push(&points(&[TWO[0], ("c", "loss", "{}", 0, None, 0.0)])).unwrap();
    let chart = lines.finish(&Look { smooth: 0.5, ..Look::default() });
    assert_eq!(chart.group.as_deref(), Some("lr"));
    assert_eq!((chart.series[0].group.as_deref(), chart.series[1].group.as_deref()), (Some("0.5"), None));
    assert_eq!((chart.series[0].raw.as_slice(), chart.y.label.as_str()), (&[3.0][..], "loss, smoothed by 0.5"));
    assert!(Lines::new(Across::Step, &["nothing".into()]).push(&points(&TWO)).is_err());
}

#[test]
fn statistics_become_lines_with_areas() {
    let rows = batch(vec![
        ("name", text(&[Some("loss"), Some("loss"), Some("loss")])),
        ("lr", floats(&[Some(0.1), Some(0.1), None])),
        ("step", ints(&[Some(0), Some(1), Some(0)])),
        ("mean", floats(&[Some(2.0), Some(1.0), Some(5.0)])),
        ("std", floats(&[Some(0.5), None, Some(1.0)])),
    ]);
    let mut bands = Bands::new(Across::Step, &["lr".into()], "mean", Spread::Around("std".into()));
    bands.push(&rows).unwrap();
    let chart = bands.finish(&Look::default());
    assert_eq!((chart.series.len(), chart.y.label.as_str()), (2, "mean of loss (± std)"));
    let (first, band) = (&chart.series[0], chart.series[0].band.as_ref().unwrap());
    assert_eq!((first.group.as_deref(), first.ys.as_slice()), (Some("0.1"), &[2.0, 1.0][..]));
    assert_eq!((band.low[0], band.high[0]), (1.5, 2.5));
    assert!(band.low[1].is_nan() && chart.series[1].group.is_none());

    let mut bands = Bands::new(Across::Step, &[], "mean", Spread::Between("std".into(), "mean".into()));
    bands.push(&rows).unwrap();
    let chart = bands.finish(&Look::default());
    assert_eq!((chart.group, chart.series[0].label.as_str()), (None, "mean"));
    assert_eq!(chart.series[0].band.as_ref().unwrap().high, [2.0, 1.0, 5.0]);
}
