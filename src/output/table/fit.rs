//! How wide each column of a table gets.

/// Blanks beside a cell's content.
pub(super) const PADDING: usize = 2;

/// A column is not made narrower than this to make room for others.
const MIN: usize = 12;

/// Content widths of the columns to show: all of `natural` in order, or the first ones when not all fit into `width`,
/// the widest ones cut as far as is necessary. The last place is then left for the mark of the hidden ones.
pub(super) fn fit(natural: &[usize], width: Option<usize>) -> Vec<usize> {
    let Some(width) = width else { return natural.to_vec() };
    // Each column brings its padding and one border; one border more closes the table.
    let frame = |columns: usize| columns * (PADDING + 1) + 1;
    let least = |columns: &[usize]| columns.iter().map(|w| (*w).min(MIN)).sum::<usize>() + frame(columns.len());
    if least(natural) <= width {
        return shrink(natural, width - frame(natural.len()));
    }
    // One more column, one character wide, says that there are others.
    let mark = 1 + PADDING + 1;
    let mut shown = natural;
    while let [rest @ .., _] = shown
        && !rest.is_empty()
    {
        shown = rest;
        if least(shown) + mark <= width {
            break;
        }
    }
    shrink(shown, width.saturating_sub(frame(shown.len()) + mark).max(1))
}

/// Cuts the widest columns to one common width, so that all together fit into `room`.
fn shrink(natural: &[usize], room: usize) -> Vec<usize> {
    if natural.iter().sum::<usize>() <= room {
        return natural.to_vec();
    }
    let mut sorted = natural.to_vec();
    sorted.sort_unstable();
    let (mut left, mut cap) = (room, 1);
    for (index, width) in sorted.iter().enumerate() {
        cap = (left / (sorted.len() - index)).max(1);
        if *width > cap {
            break;
        }
        left -= width;
    }
    // What the division leaves over goes to the first columns that were cut.
    let mut spare = room.saturating_sub(natural.iter().map(|w| (*w).min(cap)).sum());
    natural
        .iter()
        .map(|width| {
            let extra = usize::from(*width > cap && spare > 0);
            spare -= extra;
            (*width).min(cap + extra)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(widths: &[usize]) -> usize {
        widths.iter().sum::<usize>() + widths.len() * (PADDING + 1) + 1
    }

    #[test]
    fn without_a_width_everything_is_shown() {
        assert_eq!(fit(&[3, 1000], None), [3, 1000]);
    }

    #[test]
    fn what_fits_is_left_alone() {
        assert_eq!(fit(&[3, 10], Some(20)), [3, 10]);
    }

    #[test]
    fn the_widest_are_cut_and_the_width_is_used_up() {
        let widths = fit(&[3, 50, 40, 9], Some(60));
        assert_eq!(widths, [3, 18, 17, 9]);
        assert_eq!(total(&widths), 60);
    }

    #[test]
    fn columns_are_hidden_when_they_would_get_too_narrow() {
        let widths = fit(&[20; 30], Some(80));
        // 1 for the first border, 4 for the mark, 3 and at least 12 for each column: five of them fill 80.
        assert_eq!(widths, [12; 5]);
        assert_eq!(total(&widths) + 4, 80);
    }

    #[test]
    fn there_is_always_one_column() {
        assert_eq!(fit(&[20, 20], Some(5)), [1]);
        assert_eq!(fit(&[20], Some(3)), [1]);
        assert_eq!(fit(&[], Some(3)), Vec::<usize>::new());
    }
}
