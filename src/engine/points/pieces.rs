//! The rows to read, cut into pieces that are read side by side.
//!
//! A piece costs what its pages cost: a page is fetched and unpacked whole, however few of its rows are wanted.

use super::Sampling;
use super::rows::{GAP, SeriesRows};
use std::collections::BTreeMap;
use std::ops::Range;

/// Rows of a page of a file that does not say where its pages begin.
const PAGE: u64 = 16_384;

/// Pages of a piece: few enough that a thread never waits long for another, and that the rows of a piece fit in memory.
const PIECE_PAGES: u64 = 8;

/// Where the pages of each file begin: a cut elsewhere would have two tasks read the same page.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages(pub(super) BTreeMap<usize, Vec<u64>>);

impl Pages {
    /// The number of the page with this row.
    fn of(&self, file: usize, row: u64) -> u64 {
        match self.0.get(&file) {
            Some(starts) => (starts.partition_point(|start| *start <= row) as u64).saturating_sub(1),
            None => row / PAGE,
        }
    }

    /// The first row of a page; behind the last page there is none.
    fn start(&self, file: usize, page: u64) -> Option<u64> {
        match self.0.get(&file) {
            Some(starts) => starts.get(usize::try_from(page).ok()?).copied(),
            None => page.checked_mul(PAGE),
        }
    }
}

/// Rows of one file that one task reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    /// Which file.
    pub(super) file: usize,
    /// The rows to read, ascending and apart from each other.
    pub(super) ranges: Vec<Range<u64>>,
    /// The series (positions) whose rows these are; the first and the last may go on in other pieces.
    pub(super) series: Range<usize>,
}

/// Cuts the rows of all series, which come by file and row. Where `whole` is set no series goes through a cut.
pub(super) fn cut(series: &[SeriesRows], sampling: Sampling, whole: bool, pages: &Pages) -> Vec<Piece> {
    let mut cutter = Cutter { places: pages, pieces: vec![], pages: 0 };
    for (index, one) in series.iter().enumerate() {
        let mut first = true;
        for range in one.to_read(sampling) {
            if whole {
                cutter.push(one.file, index, range, first);
            } else {
                for part in at_pages(one.file, range, pages) {
                    cutter.push(one.file, index, part, true);
                }
            }
            first = false;
        }
    }
    cutter.pieces
}

/// The range, cut where pages begin: so a piece can end at every page, and no page is in two of them.
fn at_pages(file: usize, range: Range<u64>, pages: &Pages) -> impl Iterator<Item = Range<u64>> {
    let mut start = range.start;
    std::iter::from_fn(move || {
        let next = pages.start(file, pages.of(file, start) + 1);
        let part = start..next.map_or(range.end, |next| range.end.min(next));
        start = part.end;
        (!part.is_empty()).then_some(part)
    })
}

struct Cutter<'a> {
    places: &'a Pages,
    pieces: Vec<Piece>,
    /// Pages of the last piece.
    pages: u64,
}

impl Cutter<'_> {
    /// Adds rows behind all others of this file. `may_cut`: a new piece may begin with them.
    fn push(&mut self, file: usize, series: usize, range: Range<u64>, may_cut: bool) {
        let first_page = self.places.of(file, range.start);
        let pages = self.places.of(file, range.end.saturating_sub(1)).saturating_sub(first_page) + 1;
        if let Some(piece) = self.pieces.last_mut().filter(|piece| piece.file == file)
            && let Some(end) = piece.ranges.last().map(|last| last.end)
        {
            let shared = u64::from(end > 0 && self.places.of(file, end - 1) == first_page);
            let more = pages - shared.min(pages);
            if !may_cut || more == 0 || self.pages + more <= PIECE_PAGES {
                self.pages += more;
                piece.series.end = series + 1;
                match piece.ranges.last_mut() {
                    // Rows that two series share cannot be, but reading them twice would be worse than wrong input.
                    Some(last) if range.start <= last.end.saturating_add(GAP) => last.end = last.end.max(range.end),
                    Some(_) | None => piece.ranges.push(range),
                }
                return;
            }
        }
        self.pages = pages;
        self.pieces.push(Piece { file, ranges: vec![range], series: series..series + 1 });
    }
}

/// Finds out whose rows are read, batch after batch of a piece.
#[derive(Debug)]
pub(super) struct Cursor {
    ranges: std::vec::IntoIter<Range<u64>>,
    /// What is left of the current range.
    current: Range<u64>,
    /// The end of the piece's rows.
    end: u64,
    series: Range<usize>,
    /// The next kept point of the first of `series`.
    index: u64,
    sampling: Sampling,
}

/// The rows of a batch that are wanted, and whose they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Owners {
    /// Rows of the batch, ascending.
    pub(super) rows: Vec<u32>,
    /// The series of each of them.
    pub(super) series: Vec<u32>,
}

impl Cursor {
    pub(super) fn new(piece: &Piece, all: &[SeriesRows], sampling: Sampling) -> Self {
        let start = piece.ranges.first().map_or(0, |range| range.start);
        let end = piece.ranges.last().map_or(0, |range| range.end);
        let index = all
            .get(piece.series.start)
            .map_or(0, |series| sampling.index_from(series.rows, start.saturating_sub(series.start)));
        Self {
            ranges: piece.ranges.clone().into_iter(),
            current: 0..0,
            end,
            series: piece.series.clone(),
            index,
            sampling,
        }
    }

    /// The owners of the next rows that were read, into `owners`. False if these are more than the piece has.
    pub(super) fn next(&mut self, rows: usize, all: &[SeriesRows], owners: &mut Owners) -> bool {
        owners.rows.clear();
        owners.series.clear();
        let mut done = 0;
        while done < rows {
            if self.current.is_empty() {
                match self.ranges.next() {
                    Some(range) => self.current = range,
                    None => return false,
                }
            }
            let count = (self.current.end - self.current.start).min((rows - done) as u64);
            let chunk = self.current.start..self.current.start + count;
            self.owners_of(&chunk, done as u64, all, owners);
            self.current.start = chunk.end;
            done += count as usize;
        }
        true
    }

    /// Whether all rows of the piece have been read.
    pub(super) fn is_done(&self) -> bool {
        self.current.is_empty() && self.ranges.len() == 0
    }

    /// The owners of rows of the file that lie together, the first of which is row `offset` of the batch.
    fn owners_of(&mut self, chunk: &Range<u64>, offset: u64, all: &[SeriesRows], owners: &mut Owners) {
        while let Some(series) = all.get(self.series.start).filter(|_| !self.series.is_empty()) {
            let tag = self.series.start as u32;
            if self.sampling == Sampling::All {
                let end = (series.start + series.rows).min(self.end);
                let (from, to) = (chunk.start.max(series.start + self.index), chunk.end.min(end));
                if from < to {
                    let first = (offset + from - chunk.start) as u32;
                    let count = (to - from) as u32;
                    owners.rows.extend(first..first + count);
                    owners.series.resize(owners.series.len() + count as usize, tag);
                    self.index = to - series.start;
                }
                if chunk.end < end {
                    return;
                }
            } else {
                while let Some(position) = self.sampling.position(series.rows, self.index) {
                    let row = series.start + position;
                    if row >= chunk.end {
                        return;
                    }
                    owners.rows.push((offset + row - chunk.start) as u32);
                    owners.series.push(tag);
                    self.index += 1;
                }
            }
            self.series.start += 1;
            self.index = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(rows: &[(u64, u64)]) -> Vec<SeriesRows> {
        rows.iter().map(|(start, rows)| SeriesRows { file: 0, start: *start, rows: *rows }).collect()
    }

    /// Rows of the file with their series, read by all pieces in batches of this size.
    fn read(all: &[SeriesRows], sampling: Sampling, whole: bool, batch: usize, pages: &Pages) -> Vec<(u64, u32)> {
        let mut found = vec![];
        for piece in cut(all, sampling, whole, pages) {
            let rows: Vec<u64> = piece.ranges.iter().cloned().flatten().collect();
            let mut cursor = Cursor::new(&piece, all, sampling);
            let mut owners = Owners::default();
            for chunk in rows.chunks(batch) {
                assert!(!cursor.is_done());
                assert!(cursor.next(chunk.len(), all, &mut owners));
                found.extend(owners.rows.iter().map(|row| chunk[*row as usize]).zip(owners.series.iter().copied()));
            }
            assert!(cursor.is_done());
            assert!(!cursor.next(1, all, &mut owners));
        }
        found
    }

    fn expected(all: &[SeriesRows], sampling: Sampling) -> Vec<(u64, u32)> {
        let rows = |(tag, series): (usize, &SeriesRows)| {
            let (start, rows) = (series.start, series.rows);
            let kept = (0..).map_while(move |index| sampling.position(rows, index));
            kept.map(move |position| (start + position, tag as u32)).collect::<Vec<_>>()
        };
        all.iter().enumerate().flat_map(rows).collect()
    }

    #[test]
    fn every_wanted_row_is_read_once_by_its_series() {
        let lakes = [
            series(&[]),
            series(&[(0, 1)]),
            series(&[(0, 20), (20, 20), (40, 0), (40, 20)]),
            series(&[(10, 20), (60, 5), (500, 3), (PAGE - 2, 4), (3 * PAGE, 100_000), (20 * PAGE + 7, 300_000)]),
            series(&[(5, 200_000), (200_005, 1), (200_006, 400_000)]),
        ];
        // Regular pages, and some of which only the first few are known.
        let known = Pages([(0, vec![0, 3, 9_000, 9_001, 70_000])].into());
        let regular = Pages::default();
        for (all, pages) in lakes.iter().flat_map(|all| [(all, &regular), (all, &known)]) {
            for sampling in [Sampling::All, Sampling::Every(3), Sampling::Every(1000), Sampling::Density(7)] {
                for (whole, batch) in [(false, 8192), (true, 8192), (false, 1000), (true, 7)] {
                    let found = read(all, sampling, whole, batch, pages);
                    assert_eq!(found, expected(all, sampling), "{sampling:?} {whole} {batch}");
                }
            }
        }
    }

    #[test]
    fn pieces_are_bounded_and_whole_ones_keep_series_together() {
        let all = series(&[(5, 200_000), (200_005, 1), (200_006, 400_000)]);
        let pieces = cut(&all, Sampling::All, false, &Pages::default());
        for piece in &pieces {
            let rows: u64 = piece.ranges.iter().map(|range| range.end - range.start).sum();
            assert!(rows <= PIECE_PAGES * PAGE, "{rows}");
        }
        assert!(pieces.len() >= 5);
        let pieces = cut(&all, Sampling::All, true, &Pages::default());
        assert_eq!(pieces.iter().map(|piece| piece.series.clone()).collect::<Vec<_>>(), [0..2, 2..3]);
    }

    #[test]
    fn cuts_are_where_pages_begin() {
        let all = series(&[(0, 100), (100, 50), (150, 100)]);
        let starts: Vec<u64> = (0..25).map(|page| page * 10).collect();
        let pieces = cut(&all, Sampling::All, false, &Pages([(0, starts)].into()));
        let ranges: Vec<_> = pieces.iter().flat_map(|piece| piece.ranges.clone()).collect();
        assert!(ranges.len() >= 4);
        assert!(
            ranges.iter().all(|range| range.start % 10 == 0 && range.end - range.start <= PIECE_PAGES * 10),
            "{ranges:?}"
        );
    }

    #[test]
    fn near_ranges_are_one_and_far_ones_are_not() {
        let all = series(&[(0, 20), (20 + GAP, 20), (200 + GAP, 20)]);
        assert_eq!(cut(&all, Sampling::All, false, &Pages::default())[0].ranges, [0..40 + GAP, 200 + GAP..220 + GAP]);
    }

    #[test]
    fn files_have_pieces_of_their_own() {
        let all = [SeriesRows { file: 0, start: 3, rows: 2 }, SeriesRows { file: 1, start: 3, rows: 2 }];
        let pieces = cut(&all, Sampling::All, false, &Pages::default());
        assert_eq!(
            pieces.iter().map(|piece| (piece.file, piece.series.clone())).collect::<Vec<_>>(),
            [(0, 0..1), (1, 1..2)]
        );
    }
}
