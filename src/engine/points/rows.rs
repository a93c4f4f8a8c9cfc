//! Which rows of a points file are wanted.

use super::Sampling;
use std::ops::Range;

/// The rows of one series in the file of its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SeriesRows {
    /// Which file.
    pub(super) file: usize,
    /// The first row.
    pub(super) start: u64,
    /// Rows one after the other, from which the sampling chooses.
    pub(super) rows: u64,
}

/// A gap of this many rows costs about as much to skip as to decode: what lies closer together is read in one go.
pub(super) const GAP: u64 = 64;

impl Sampling {
    /// The position of the `index`-th point that is kept of so many.
    pub(super) fn position(self, rows: u64, index: u64) -> Option<u64> {
        let position = match self {
            Self::Every(stride) => index.checked_mul(stride.max(1))?,
            Self::Density(most) if rows > most.max(2) => {
                let last = most.max(2) - 1;
                if index > last {
                    return None;
                }
                // index · (rows - 1) / last, rounded half up; exact, since rows are fewer than 2^63.
                let exact = (2 * u128::from(index) * u128::from(rows - 1) + u128::from(last)) / (2 * u128::from(last));
                u64::try_from(exact).ok()?
            }
            Self::All | Self::Density(_) => index,
        };
        (position < rows).then_some(position)
    }

    /// How many of so many points are kept.
    pub(super) fn kept(self, rows: u64) -> u64 {
        match self {
            Self::All => rows,
            Self::Every(stride) => rows.div_ceil(stride.max(1)),
            Self::Density(most) => rows.min(most.max(2)),
        }
    }

    /// The index of the first kept point at this position or behind it.
    pub(super) fn index_from(self, rows: u64, position: u64) -> u64 {
        if self == Self::All {
            return position;
        }
        let (mut low, mut high) = (0, self.kept(rows));
        while low < high {
            let middle = low + (high - low) / 2;
            match self.position(rows, middle) {
                Some(found) if found < position => low = middle + 1,
                Some(_) | None => high = middle,
            }
        }
        low
    }

    /// Whether the kept points of a series lie so far apart that they are read one by one.
    pub(super) fn is_sparse(self, rows: u64) -> bool {
        rows / self.kept(rows).max(1) > GAP
    }
}

impl SeriesRows {
    /// The rows to read, in ascending order.
    pub(super) fn to_read(self, sampling: Sampling) -> impl Iterator<Item = Range<u64>> {
        let sparse = sampling.is_sparse(self.rows);
        let count = if sparse { sampling.kept(self.rows) } else { u64::from(self.rows > 0) };
        (0..count).filter_map(move |index| {
            if !sparse {
                return Some(self.start..self.start + self.rows);
            }
            let row = self.start + sampling.position(self.rows, index)?;
            Some(row..row + 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(sampling: Sampling, rows: u64) -> Vec<u64> {
        (0..).map_while(|index| sampling.position(rows, index)).collect()
    }

    #[test]
    fn every_so_many_begins_with_the_first() {
        assert_eq!(positions(Sampling::All, 3), [0, 1, 2]);
        assert_eq!(positions(Sampling::Every(1), 3), [0, 1, 2]);
        assert_eq!(positions(Sampling::Every(3), 7), [0, 3, 6]);
        assert_eq!(positions(Sampling::Every(3), 6), [0, 3]);
        assert_eq!(positions(Sampling::Every(9), 6), [0]);
        assert_eq!(positions(Sampling::Every(u64::MAX), 6), [0]);
        assert_eq!(positions(Sampling::Every(2), 0), [0; 0]);
    }

    #[test]
    fn density_is_even_and_keeps_both_ends() {
        assert_eq!(positions(Sampling::Density(5), 5), [0, 1, 2, 3, 4]);
        assert_eq!(positions(Sampling::Density(5), 3), [0, 1, 2]);
        assert_eq!(positions(Sampling::Density(3), 9), [0, 4, 8]);
        assert_eq!(positions(Sampling::Density(2), 9), [0, 8]);
        // 0, 7.25, 14.5, 21.75, 29: half up.
        assert_eq!(positions(Sampling::Density(5), 30), [0, 7, 15, 22, 29]);
        for (most, rows) in [(2, 3), (7, 8), (50, 1000), (99, 100)] {
            let found = positions(Sampling::Density(most), rows);
            assert_eq!(found.len() as u64, most);
            assert_eq!((found[0], found[found.len() - 1]), (0, rows - 1));
            let steps: Vec<_> = found.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let (least, most) = (*steps.iter().min().unwrap(), *steps.iter().max().unwrap());
            assert!(least >= 1 && most - least <= 1, "{steps:?}");
        }
    }

    #[test]
    fn counts_and_indexes_agree_with_positions() {
        for sampling in [Sampling::All, Sampling::Every(3), Sampling::Every(70), Sampling::Density(4)] {
            for rows in [0, 1, 2, 3, 4, 5, 100, 1000] {
                let all = positions(sampling, rows);
                assert_eq!(sampling.kept(rows), all.len() as u64, "{sampling:?} {rows}");
                for position in [0, 1, 2, 3, 50, 99].into_iter().filter(|position| *position < rows) {
                    let expected = all.iter().position(|found| *found >= position).unwrap_or(all.len());
                    assert_eq!(sampling.index_from(rows, position), expected as u64, "{sampling:?} {rows} {position}");
                }
            }
        }
    }

    #[test]
    fn far_points_are_read_alone_and_near_ones_together() {
        let series = SeriesRows { file: 0, start: 100, rows: 1000 };
        let read = |sampling| series.to_read(sampling).collect::<Vec<_>>();
        let range = 100..1100;
        let whole = std::slice::from_ref(&range);
        assert_eq!(read(Sampling::All), whole);
        assert_eq!(read(Sampling::Every(2)), whole);
        assert_eq!(read(Sampling::Density(3)), [100..101, 600..601, 1099..1100]);
        assert_eq!(SeriesRows { rows: 0, ..series }.to_read(Sampling::All).count(), 0);
    }
}
