//! Shares to whole numbers (section 3.3).

/// Parts of `size` in proportion to the weights: rounded down, and what is missing goes to the largest fractions, of equal
/// ones to those that come first. Weights are shares that sum to one, up to rounding.
pub(crate) fn largest_remainder(size: u64, shares: &[f64]) -> Vec<u64> {
    let exact: Vec<f64> = shares.iter().map(|share| size as f64 * share).collect();
    let mut counts: Vec<u64> = exact.iter().map(|part| part.floor() as u64).collect();
    let mut order: Vec<usize> = (0..exact.len()).collect();
    order.sort_by(|a, b| {
        let fraction = |index: &usize| exact.get(*index).map_or(0.0, |part| part.fract());
        fraction(b).total_cmp(&fraction(a))
    });
    let mut missing = size.saturating_sub(counts.iter().sum());
    // Rounding errors may leave more than one for each; the loop ends because every round gives something away.
    while missing > 0 && !order.is_empty() {
        for index in order.iter().take(usize::try_from(missing).unwrap_or(usize::MAX)) {
            if let Some(count) = counts.get_mut(*index) {
                *count += 1;
                missing -= 1;
            }
        }
    }
    counts
}

/// Parts of `size` in proportion to whole numbers, as [`largest_remainder`]; nothing if all are zero.
pub(crate) fn in_proportion(size: u64, weights: &[u64]) -> Option<Vec<u64>> {
    let total: u64 = weights.iter().sum();
    if total == 0 {
        return None;
    }
    let shares: Vec<f64> = weights.iter().map(|weight| *weight as f64 / total as f64).collect();
    Some(largest_remainder(size, &shares))
}

/// Parts of `size` rounded down; the first takes all the rest, or gives what is too much.
pub(crate) fn rest_to_first(size: u64, shares: &[f64]) -> Option<Vec<u64>> {
    let mut counts: Vec<u64> = shares.iter().map(|share| (size as f64 * share).floor() as u64).collect();
    let others: u64 = counts.iter().skip(1).sum();
    *counts.first_mut()? = size.checked_sub(others)?;
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_sum_to_the_whole() {
        let third = 1.0 / 3.0;
        assert_eq!(largest_remainder(11, &[third; 3]), [4, 4, 3]);
        assert_eq!(largest_remainder(10, &[0.97, 0.02, 0.01]), [10, 0, 0]);
        assert_eq!(largest_remainder(7, &[0.5, 0.3, 0.2]), [4, 2, 1]);
        assert_eq!(largest_remainder(5, &[]), Vec::<u64>::new());
        assert_eq!(in_proportion(8, &[10, 0, 2]), Some(vec![7, 0, 1]));
        assert_eq!(in_proportion(8, &[0, 0]), None);
        assert_eq!(rest_to_first(100, &[0.29, 0.71]), Some(vec![29, 71]));
        assert_eq!(rest_to_first(10, &[0.5, 0.2]), Some(vec![8, 2]));
        assert_eq!(rest_to_first(10, &[0.5, 1.2]), None);
    }
}
