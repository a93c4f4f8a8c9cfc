//! Pictures of points, from the command line to the file.

use crate::program::Place;
use crate::support::repository;

fn tutorial() -> Place {
    let place = Place::new();
    place.ok(["import", "aim", repository("datasets/tutorial_runs.jsonl").to_str().unwrap()]);
    place
}

/// Draws into a file and gives its text.
fn svg(place: &Place, flags: &[&str]) -> String {
    let verb = ["plot", "metric.name == \"loss\"", "--lang", "aim", "-o", "picture.svg"];
    assert_eq!(place.ok([&verb[..], flags].concat()), "");
    std::fs::read_to_string(place.path("picture.svg")).unwrap()
}

/// The texts of a class, and the points of its first path.
fn texts(svg: &str, class: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let found = document.descendants().filter(|node| node.attribute("class") == Some(class));
    let text = |node: roxmltree::Node<'_, '_>| {
        node.children().filter(roxmltree::Node::is_text).filter_map(|text| text.text()).collect::<String>()
    };
    found.map(text).collect()
}

fn count(svg: &str, class: &str) -> usize {
    texts(svg, class).len()
}

#[test]
fn every_series_that_matches_is_drawn() {
    let place = tutorial();
    // Three runs with a loss of train and of test each.
    let picture = svg(&place, &[]);
    assert_eq!((count(&picture, "line"), count(&picture, "entry")), (6, 6));
    assert!(texts(&picture, "entry").contains(&"a32c910 {\"subset\":\"test\"}".to_owned()));
    assert_eq!(texts(&picture, "title"), ["metric.name == \"loss\""]);
    assert_eq!(texts(&picture, "label"), ["loss", "step"]);
    assert_eq!(svg(&place, &["--title", "<b> & c"]).matches("&lt;b&gt; &amp; c").count(), 4);
}

#[test]
fn groups_are_values_of_params_with_and_without_prefix() {
    let place = tutorial();
    for column in ["run.batch_size", "batch_size"] {
        let picture = svg(&place, &["--group", column]);
        assert_eq!(texts(&picture, "heading"), [column]);
        assert_eq!(texts(&picture, "entry"), ["16 (2)", "32 (2)", "64 (2)"]);
    }
}

#[test]
fn statistics_have_areas() {
    let place = tutorial();
    let picture = svg(&place, &["--aggregate", "min,max"]);
    assert_eq!((count(&picture, "line"), count(&picture, "band")), (1, 1));
    assert_eq!(texts(&picture, "label"), ["mean of loss (min to max)", "step"]);
    let picture = svg(&place, &["--aggregate", "mean,ci95", "--group", "batch_size", "--smooth", "0.5"]);
    assert_eq!((count(&picture, "line"), count(&picture, "band")), (3, 3));
    assert_eq!(texts(&picture, "label"), ["mean of loss (ci95), smoothed by 0.5", "step"]);
}

#[test]
fn axes_are_of_what_is_asked_for() {
    let place = tutorial();
    // The points of a run are a second apart, and the longest has thirty.
    let picture = svg(&place, &["--x", "relative"]);
    assert_eq!(texts(&picture, "label")[1], "relative time (s)");
    // The horizontal axis comes last.
    assert_eq!(texts(&picture, "tick").last().map(String::as_str), Some("25"));
    assert_eq!(texts(&svg(&place, &["--x", "time"]), "label")[1], "time (UTC)");
    assert_eq!(texts(&svg(&place, &["--align", "accuracy", "--quiet"]), "label")[1], "accuracy");
    // The tutorial has no epochs: nothing is drawn, and it is said why.
    let said = place.run(["plot", "metric.name == \"loss\"", "--lang", "aim", "--x", "epoch"]);
    assert_eq!(said.code, Some(0));
    assert!(said.err.contains("120 points without epoch not drawn"), "{}", said.err);
    // The values 0 have no place on a logarithmic axis.
    let picture = svg(&place, &["--log-y"]);
    assert!(texts(&picture, "note")[0].starts_with("6 points are not drawn"), "{:?}", texts(&picture, "note"));
}

#[test]
fn nothing_to_draw_is_said() {
    let place = tutorial();
    let said = place.run(["plot", "metric.name == \"nothing\"", "--lang", "aim", "-o", "empty.svg"]);
    assert_eq!(said.code, Some(0));
    assert!(said.err.contains("no series matches"), "{}", said.err);
    let picture = std::fs::read_to_string(place.path("empty.svg")).unwrap();
    assert!(picture.contains("no points"));
    // Sequences without values cannot be drawn, and a failing query leaves the file as it was.
    place.fails(["plot", "run.", "--lang", "aim", "-o", "empty.svg"]);
    assert_eq!(std::fs::read_to_string(place.path("empty.svg")).unwrap(), picture);
}

#[test]
fn sketches_have_colours_only_where_they_are_wanted() {
    let place = tutorial();
    let verb = ["plot", "metric.name == \"loss\"", "--lang", "aim"];
    assert!(!place.ok(verb).contains('\u{1b}'));
    assert!(place.ok([&verb[..], &["--color", "always"]].concat()).contains('\u{1b}'));
}
