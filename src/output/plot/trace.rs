//! Points to lines: gaps, and as many points as can be told apart.

/// A place in a picture.
pub(super) type Spot = (f64, f64);

/// Points that all lines of a picture may have together. Long series are thinned to stay below; each keeps [`COLUMNS`].
const POINTS: usize = 60_000;

/// Columns that every line can have.
const COLUMNS: usize = 30;

/// How finely the lines of a picture are drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grain {
    /// Width of a column of the picture within which only extremes are kept.
    width: f64,
    /// Points that a line may have before it is thinned.
    most: usize,
}

impl Grain {
    /// For so many lines over so many pixels.
    pub(super) fn new(lines: usize, pixels: f64) -> Self {
        let columns = (POINTS / lines.max(1) / 4).clamp(COLUMNS, pixels.max(1.0) as usize);
        Self { width: pixels / columns as f64, most: columns * 4 }
    }
}

/// The unbroken pieces of a line. `None` is a gap.
///
/// A line with more points than the grain allows keeps of every column its first, lowest, highest and last point, so the
/// picture is that of all points.
pub(super) fn pieces(spots: impl Iterator<Item = Option<Spot>>, grain: Grain) -> Vec<Vec<Spot>> {
    let mut pieces = vec![];
    let mut piece: Vec<Spot> = vec![];
    let mut total = 0_usize;
    for spot in spots {
        match spot {
            Some(spot) => {
                total += 1;
                piece.push(spot);
            }
            None if piece.is_empty() => {}
            None => pieces.push(std::mem::take(&mut piece)),
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    if total > grain.most {
        pieces.iter_mut().for_each(|piece| *piece = thinned(piece, grain.width));
    }
    pieces
}

fn thinned(piece: &[Spot], width: f64) -> Vec<Spot> {
    let column = |spot: &Spot| (spot.0 / width).floor();
    let mut kept = vec![];
    for run in piece.chunk_by(|left, right| column(left) == column(right)) {
        let of = |better: fn(f64, f64) -> bool| {
            let mut best = 0;
            for (index, spot) in run.iter().enumerate() {
                if run.get(best).is_some_and(|found| better(spot.1, found.1)) {
                    best = index;
                }
            }
            best
        };
        let mut wanted = [0, of(|new, old| new < old), of(|new, old| new > old), run.len() - 1];
        wanted.sort_unstable();
        let mut last = None;
        for index in wanted {
            if last.replace(index) != Some(index) {
                kept.extend(run.get(index));
            }
        }
    }
    kept
}

/// The parts of a line between two heights; where it crosses one of them it ends there.
pub(super) fn clipped(spots: impl Iterator<Item = Option<Spot>>, (top, bottom): (f64, f64)) -> Vec<Option<Spot>> {
    let inside = |spot: &Spot| (top..=bottom).contains(&spot.1);
    let mut found = vec![];
    let mut last: Option<Spot> = None;
    for spot in spots {
        let (Some(from), Some(to)) = (last, spot) else {
            found.push(spot.filter(inside));
            last = spot;
            continue;
        };
        let cut = |height: f64| (from.0 + (to.0 - from.0) * (height - from.1) / (to.1 - from.1), height);
        if !inside(&from) {
            found.push(None);
            // From above or from below, if at all.
            let (edge, beyond) = if from.1 < top { (top, to.1 >= top) } else { (bottom, to.1 <= bottom) };
            if beyond {
                found.push(Some(cut(edge)));
            }
        }
        if inside(&to) {
            found.push(Some(to));
        } else {
            let (edge, crosses) = if to.1 < top { (top, from.1 >= top) } else { (bottom, from.1 <= bottom) };
            if crosses {
                found.push(Some(cut(edge)));
            }
            found.push(None);
        }
        last = Some(to);
    }
    found
}

/// A position with a lower and an upper bound.
pub(super) type Bounds = (f64, f64, f64);

/// The unbroken pieces of an area, thinned to the extremes of each column like lines.
pub(super) fn areas(bounds: impl Iterator<Item = Option<Bounds>>, grain: Grain) -> Vec<Vec<Bounds>> {
    let bounds: Vec<_> = bounds.collect();
    let thin = bounds.iter().flatten().count() > grain.most;
    let mut areas: Vec<Vec<Bounds>> = vec![];
    for area in bounds.split(Option::is_none).filter(|area| !area.is_empty()) {
        let area = area.iter().copied().flatten();
        if !thin {
            areas.push(area.collect());
            continue;
        }
        let area: Vec<Bounds> = area.collect();
        let column = |bounds: &Bounds| (bounds.0 / grain.width).floor();
        let runs = area.chunk_by(|left, right| column(left) == column(right));
        let merged = runs.filter_map(|run| {
            let first = run.first()?;
            let merge = |all: Bounds, one: &Bounds| (all.0, all.1.max(one.1), all.2.min(one.2));
            // In pictures the upper bound is the smaller number.
            Some(run.iter().fold(*first, merge))
        });
        let mut merged: Vec<Bounds> = merged.collect();
        merged.extend(area.last());
        areas.push(merged);
    }
    areas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_break_lines() {
        let spots = [None, Some((0.0, 1.0)), None, None, Some((1.0, 1.0)), Some((2.0, 1.0)), None];
        let found = pieces(spots.into_iter(), Grain::new(1, 100.0));
        assert_eq!(found, [vec![(0.0, 1.0)], vec![(1.0, 1.0), (2.0, 1.0)]]);
    }

    #[test]
    fn lines_end_where_they_leave_the_picture() {
        let clip = |spots: &[Spot]| {
            let found = clipped(spots.iter().copied().map(Some), (10.0, 20.0));
            pieces(found.into_iter(), Grain::new(1, 100.0))
        };
        assert_eq!(
            clip(&[(0.0, 15.0), (2.0, 25.0), (4.0, 15.0)]),
            [vec![(0.0, 15.0), (1.0, 20.0)], vec![(3.0, 20.0), (4.0, 15.0)]]
        );
        assert_eq!(clip(&[(0.0, 5.0), (2.0, 25.0)]), [vec![(0.5, 10.0), (1.5, 20.0)]]);
        assert_eq!(clip(&[(0.0, 25.0), (2.0, 5.0)]), [vec![(0.5, 20.0), (1.5, 10.0)]]);
        assert!(clip(&[(0.0, 5.0), (2.0, 9.0)]).is_empty() && clip(&[(0.0, 25.0)]).is_empty());
        assert_eq!(clip(&[(0.0, 10.0), (1.0, 20.0)]), [vec![(0.0, 10.0), (1.0, 20.0)]]);
    }

    #[test]
    fn short_lines_keep_every_point() {
        let spots: Vec<_> = (0..400).map(|n| Some((f64::from(n) / 4.0, f64::from(n % 7)))).collect();
        assert_eq!(pieces(spots.iter().copied(), Grain::new(1, 100.0))[0].len(), 400);
    }

    #[test]
    fn long_lines_keep_ends_and_extremes_of_every_column() {
        let spot = |n: u32| (f64::from(n) / 1000.0, f64::from((n * 7919) % 1013));
        let spots: Vec<Spot> = (0..100_000).map(spot).collect();
        let found = pieces(spots.iter().copied().map(Some), Grain::new(1, 100.0)).remove(0);
        assert!(found.len() <= 400, "{}", found.len());
        assert_eq!((found[0], found[found.len() - 1]), (spots[0], spots[99_999]));
        for column in 0..100 {
            let of = |spots: &[Spot]| {
                let inside = spots.iter().filter(|spot| spot.0.floor() as u32 == column).map(|spot| spot.1);
                (inside.clone().fold(f64::INFINITY, f64::min), inside.fold(f64::NEG_INFINITY, f64::max))
            };
            assert_eq!(of(&found), of(&spots), "column {column}");
        }
        assert!(found.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    }

    #[test]
    fn all_lines_together_stay_small() {
        for lines in [1, 10, 200, 500] {
            let spots = (0..50_000).map(|n| Some((f64::from(n) * 0.016, f64::from(n % 13))));
            let points: usize = pieces(spots, Grain::new(lines, 800.0)).iter().map(Vec::len).sum();
            assert!(points * lines <= POINTS + lines * 4, "{lines} lines: {points}");
        }
    }

    #[test]
    fn areas_are_thinned_to_their_widest() {
        let bounds =
            (0..10_000).map(|n| Some((f64::from(n) / 100.0, 50.0 + f64::from(n % 10), 50.0 - f64::from(n % 10))));
        let found = areas(bounds, Grain::new(1, 100.0)).remove(0);
        assert!(found.len() <= 101, "{}", found.len());
        assert!(found.iter().take(100).all(|(_, low, high)| (*low, *high) == (59.0, 41.0)));
        let gap = [Some((0.0, 1.0, 0.0)), None, Some((1.0, 1.0, 0.0))];
        assert_eq!(areas(gap.into_iter(), Grain::new(1, 100.0)).len(), 2);
    }
}
