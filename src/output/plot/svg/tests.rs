use super::super::testing::losses;
use super::super::{Axis, AxisKind, Band};
use super::*;
use roxmltree::{Document, Node};

/// The elements of a class, in their order.
fn of_class<'a>(document: &'a Document<'_>, class: &str) -> Vec<Node<'a, 'a>> {
    document.descendants().filter(|node| node.attribute("class") == Some(class)).collect()
}

fn count(svg: &str, class: &str) -> usize {
    of_class(&Document::parse(svg).unwrap(), class).len()
}

/// The text under the pointer and the text that is seen.
fn texts(node: Node<'_, '_>) -> (String, String) {
    let title = node.children().find(|child| child.has_tag_name("title")).and_then(|title| title.text());
    let seen: String = node.children().filter(Node::is_text).filter_map(|text| text.text()).collect();
    (title.unwrap_or_default().to_owned(), seen)
}

fn number(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

/// The points of a path of one piece.
fn points(node: Node<'_, '_>) -> Vec<(f64, f64)> {
    let path = node.attribute("d").unwrap().trim_start_matches('M').trim_end_matches('Z');
    let point = |text: &str| text.split_once(',').map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()));
    path.split(' ').filter_map(point).collect()
}

fn chart(xs: &[f64], ys: &[f64]) -> Chart {
    let series = Series { label: "one".into(), xs: xs.to_vec(), ys: ys.to_vec(), ..Series::default() };
    Chart { title: "t".into(), series: vec![series], ..Chart::default() }
}

#[test]
fn every_series_is_a_line_with_its_name() {
    for lines in [1, 10, 200] {
        let svg = svg(&losses(lines, 50));
        let document = Document::parse(&svg).unwrap();
        let found = of_class(&document, "line");
        assert_eq!(found.len(), lines);
        assert_eq!(texts(found[lines - 1]).0, format!("run {:03} loss {{\"subset\":\"val\"}}", lines - 1));
        assert!(found.iter().all(|line| points(*line).len() == 50));
        // Never a legend of 200.
        assert_eq!(of_class(&document, "entry").len(), if lines > MOST_ENTRIES { 1 } else { lines });
    }
}

#[test]
fn groups_share_a_colour_and_are_counted() {
    let mut chart = losses(200, 20);
    chart.group = Some("hparams.lr".into());
    let svg = svg(&chart);
    let document = Document::parse(&svg).unwrap();
    let entries: Vec<_> = of_class(&document, "entry").into_iter().map(|entry| texts(entry).1).collect();
    // 200 runs take turns among three rates: 67, 67, 66.
    assert_eq!(entries, ["0.001 (67)", "0.01 (67)", "0.1 (66)"]);
    assert_eq!(texts(of_class(&document, "heading")[0]).1, "hparams.lr");
    let samples: Vec<_> = of_class(&document, "sample").iter().map(|sample| sample.attribute("stroke")).collect();
    for (index, line) in of_class(&document, "line").into_iter().enumerate() {
        assert_eq!(line.attribute("stroke"), samples[index % 3]);
        assert!(number(line, "stroke-opacity") < 0.5);
    }
}

#[test]
fn points_are_where_their_ticks_are() {
    // Every value is also a round number of the axes.
    let svg = svg(&chart(&[0.0, 2.0, 4.0, 10.0], &[0.0, 4.0, 10.0, 2.5]));
    let document = Document::parse(&svg).unwrap();
    let ticks = of_class(&document, "tick");
    let place = |value: &str, axis: &str| {
        let found = ticks
            .iter()
            .find(|tick| tick.text() == Some(value) && tick.parent().unwrap().attribute("class") == Some(axis));
        let tick = found.unwrap_or_else(|| panic!("{axis} has no {value}"));
        // Beside the vertical axis texts hang four pixels below their line.
        if axis == "axis x" { number(*tick, "x") } else { number(*tick, "y") - 4.0 }
    };
    let found = points(of_class(&document, "line")[0]);
    for ((x, y), (left, top)) in [("0", "0"), ("2", "4"), ("4", "10")].into_iter().zip(found) {
        assert!((place(x, "axis x") - left).abs() < 0.11 && (place(y, "axis y") - top).abs() < 0.11, "{x} {y}");
    }
    // Larger values are higher, and further right.
    assert!(place("10", "axis y") < place("0", "axis y") && place("10", "axis x") > place("0", "axis x"));
}

#[test]
fn decades_have_equal_lengths() {
    let mut chart = chart(&[1.0, 2.0, 3.0], &[0.01, 0.1, 1.0]);
    chart.y.log = true;
    let svg = svg(&chart);
    let found = points(of_class(&Document::parse(&svg).unwrap(), "line")[0]);
    assert!(((found[0].1 - found[1].1) - (found[1].1 - found[2].1)).abs() < 0.21);
}

#[test]
fn what_has_no_place_is_a_gap_and_counted() {
    let mut chart = chart(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &[1.0, 2.0, f64::NAN, 4.0, 0.0, 6.0]);
    chart.y.log = true;
    let svg = svg(&chart);
    let document = Document::parse(&svg).unwrap();
    // 0 and 1 are a line, 3 and 5 stand alone.
    assert_eq!(of_class(&document, "line").len(), 1);
    assert_eq!(points(of_class(&document, "line")[0]).len(), 2);
    assert_eq!(of_class(&document, "dot").len(), 2);
    assert!(texts(of_class(&document, "note")[0]).1.starts_with("2 points are not drawn"));
}

#[test]
fn bands_surround_their_lines() {
    let mut chart = chart(&[0.0, 1.0, 2.0], &[1.0, 2.0, 3.0]);
    chart.series[0].band = Some(Band { low: vec![0.5, 1.5, f64::NAN], high: vec![1.5, 2.5, f64::NAN] });
    let svg = svg(&chart);
    let document = Document::parse(&svg).unwrap();
    let (band, line) = (points(of_class(&document, "band")[0]), points(of_class(&document, "line")[0]));
    // There and back over the two points that have bounds; the line is in the middle.
    assert_eq!(band.len(), 4);
    assert!(((band[0].1 + band[3].1) / 2.0 - line[0].1).abs() < 0.11 && band[0].1 < band[3].1);
    assert_eq!((band[0].0, band[1].0), (line[0].0, line[1].0));
}

#[test]
fn names_from_data_stay_text() {
    let evil = "</title><script>alert('&\"1\"')</script>\u{0}\u{ffff}]]>";
    let mut chart = losses(3, 5);
    chart.title = evil.into();
    chart.x.label = evil.into();
    chart.y.label = evil.into();
    chart.group = Some(evil.into());
    chart.series.iter_mut().for_each(|series| {
        series.label = evil.into();
        series.group = Some(evil.into());
    });
    let svg = svg(&chart);
    let document = Document::parse(&svg).unwrap();
    assert!(!document.descendants().any(|node| node.has_tag_name("script")));
    let expected = "</title><script>alert('&\"1\"')</script>\u{fffd}\u{fffd}]]>";
    assert_eq!(texts(of_class(&document, "line")[0]).0, expected);
    assert_eq!(document.root_element().attribute("aria-label"), Some(expected));
}

#[test]
fn everything_stays_inside_of_the_picture() {
    let mut long = losses(12, 30);
    long.title = "a very long query ".repeat(40);
    long.y.label = "metric ".repeat(40);
    long.series.iter_mut().for_each(|series| series.label = "label ".repeat(40));
    long.series[0].ys = vec![-1e12; 30];
    for chart in [losses(1, 2), losses(200, 10), long] {
        let svg = svg(&chart);
        let document = Document::parse(&svg).unwrap();
        for node in document.descendants() {
            for (name, most) in [("x", WIDTH), ("cx", WIDTH), ("y", HEIGHT), ("cy", HEIGHT)] {
                let at = node.attribute(name).map_or(0.0, |text| text.parse().unwrap());
                assert!((0.0..=most).contains(&at), "{name}={at}");
            }
        }
        for line in of_class(&document, "line") {
            assert!(points(line).iter().all(|(x, y)| (0.0..=WIDTH).contains(x) && (0.0..=HEIGHT).contains(y)));
        }
        for text in of_class(&document, "entry") {
            assert!(number(text, "x") + text_width(&texts(text).1, SIZE) <= WIDTH, "{:?}", texts(text));
        }
    }
}

#[test]
fn values_before_smoothing_are_faint_and_only_where_lines_are_few() {
    for (lines, expected) in [(3, 3), (50, 0)] {
        let mut chart = losses(lines, 10);
        chart.series.iter_mut().for_each(|series| series.raw = series.ys.clone());
        assert_eq!(count(&svg(&chart), "raw"), expected);
    }
}

#[test]
fn nothing_is_a_picture_too() {
    for chart in [Chart::default(), chart(&[], &[]), chart(&[1.0], &[f64::NAN])] {
        let svg = svg(&chart);
        let document = Document::parse(&svg).unwrap();
        assert!(document.descendants().any(|node| node.text() == Some("no points")));
    }
}

#[test]
fn one_point_is_a_dot_in_the_middle() {
    let svg = svg(&chart(&[5.0], &[7.0]));
    let document = Document::parse(&svg).unwrap();
    let dot = of_class(&document, "dot")[0];
    let frame = of_class(&document, "frame")[0].attribute("d").unwrap().to_owned();
    let (left, right) = (frame[1..].split(',').next().unwrap(), frame.rsplit('H').next().unwrap());
    let middle = (left.parse::<f64>().unwrap() + right.parse::<f64>().unwrap()) / 2.0;
    assert!((number(dot, "cx") - middle).abs() < 0.11);
    assert_eq!(count(&svg, "line"), 0);
}

#[test]
fn big_charts_make_small_files_and_always_the_same() {
    let chart = losses(200, 5000);
    let first = svg(&chart);
    assert!(first.len() < 1_000_000, "{} bytes", first.len());
    assert_eq!(first, svg(&chart));
}

#[test]
fn times_say_their_zone_and_durations_their_unit() {
    let mut chart = chart(&[0.0, 7200.0], &[1.0, 2.0]);
    let label = |chart: &Chart| {
        let svg = svg(chart);
        let document = Document::parse(&svg).unwrap();
        let labels = of_class(&document, "label");
        texts(labels[1]).1
    };
    chart.x = Axis { label: "relative time".into(), kind: AxisKind::Duration, ..Axis::default() };
    assert_eq!(label(&chart), "relative time (min)");
    chart.x = Axis { label: "time".into(), kind: AxisKind::Time, ..Axis::default() };
    assert_eq!(label(&chart), "time (1970-01-01, UTC)");
    chart.x = Axis { label: "size".into(), unit: Some("MB".into()), ..Axis::default() };
    assert_eq!(label(&chart), "size (MB)");
}

#[test]
fn a_line_that_leaves_the_axis_ends_there() {
    let mut chart = chart(&[0.0, 1.0, 2.0, 3.0], &[0.0, 1.0, 1e299, 0.5]);
    chart.y.range = super::super::Range { low: Some(0.0), high: Some(2.0) };
    let svg = svg(&chart);
    let document = Document::parse(&svg).unwrap();
    assert_eq!(of_class(&document, "line").len(), 1);
    assert!(
        !svg.contains("e299") && texts(of_class(&document, "note")[0]).1 == "1 point is outside of the vertical axis"
    );
    let ticks: Vec<_> = of_class(&document, "tick").iter().filter_map(roxmltree::Node::text).collect();
    assert!(ticks.contains(&"2.0") && ticks.contains(&"0"), "{ticks:?}");
}
