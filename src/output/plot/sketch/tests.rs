use super::super::testing::losses;
use super::*;

fn line(ys: &[f64]) -> Chart {
    let xs = (0..ys.len()).map(|x| x as f64).collect();
    let series = Series { label: "one".into(), xs, ys: ys.to_vec(), ..Series::default() };
    Chart { title: "title".into(), series: vec![series], ..Chart::default() }
}

/// The characters of the area with the points.
fn area(sketch: &str) -> Vec<Vec<char>> {
    let rows = sketch.lines().filter_map(|line| line.split_once(['│', '┤']));
    rows.map(|(_, row)| row.chars().collect()).collect()
}

#[test]
fn a_rising_line_goes_from_below_left_to_above_right() {
    let sketch = sketch(&line(&[0.0, 1.0]), &SketchOptions { width: 40, height: 10, colour: false });
    let area = area(&sketch);
    assert_eq!(area.len(), 10);
    let first: Vec<Option<usize>> = area.iter().map(|row| row.iter().position(|c| *c != ' ')).collect();
    let seen: Vec<usize> = first.into_iter().flatten().collect();
    assert!(seen.len() >= 9 && seen.windows(2).all(|pair| pair[0] > pair[1]), "{sketch}");
    assert!(sketch.starts_with("title\n") && sketch.contains("── one"));
}

#[test]
fn lines_have_letters_at_their_ends() {
    let found = sketch(&losses(3, 30), &SketchOptions::default());
    let last: String = area(&found).iter().map(|row| row.last().copied().unwrap_or(' ')).collect();
    assert!(['a', 'b', 'c'].iter().all(|letter| last.contains(*letter)), "{found}");
    for entry in ["a ── run 000", "b ── run 001", "c ── run 002"] {
        assert!(found.contains(entry), "{found}");
    }
}

#[test]
fn sketches_fit_and_have_colours_only_if_asked() {
    for lines in [0, 1, 10, 200] {
        for width in [20, 60, 120] {
            let options = SketchOptions { width, height: 12, colour: false };
            let plain = sketch(&losses(lines, 100), &options);
            assert!(plain.lines().all(|line| line.chars().count() <= width), "{plain}");
            assert!(!plain.contains('\u{1b}') && plain.lines().count() < 12 + 4 + 14 + 2);
            let coloured = sketch(&losses(lines, 100), &SketchOptions { colour: true, ..options });
            assert_eq!(coloured.contains('\u{1b}'), lines > 0 || !plain.is_empty());
        }
    }
}

#[test]
fn what_comes_from_data_does_not_move_the_cursor() {
    let mut chart = line(&[1.0, 2.0]);
    chart.title = "a\u{1b}[2Jb\nc".into();
    chart.series[0].label = "x\ry".into();
    let sketch = sketch(&chart, &SketchOptions::default());
    assert!(!sketch.contains(['\u{1b}', '\r']) && sketch.contains("b c") && sketch.contains("x y"));
}

#[test]
fn odd_values_draw_what_can_be_drawn() {
    for ys in [vec![], vec![f64::NAN], vec![1.0], vec![f64::INFINITY, 1.0, 2.0], vec![1e300, -1e300], vec![0.0; 5]] {
        let mut chart = line(&ys);
        for log in [false, true] {
            chart.y.log = log;
            assert_eq!(area(&sketch(&chart, &SketchOptions::default())).len(), 18);
        }
    }
}
