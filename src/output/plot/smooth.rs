//! Smoothing.

/// The exponential moving average of values, as TensorBoard has it: every value counts `weight` (0 to below 1) of the
/// average so far and `1 - weight` of itself, and the average is divided by `1 - weight^n` so that it does not lean
/// towards zero in the beginning. Values that are not finite stay as they are and count for nothing.
///
/// ```
/// // 0; then (0.5 · 0.5 · 0 + 0.5 · 1) / (1 - 0.25); then (0.5 · 0.5 + 0.5 · 1) / (1 - 0.125)
/// assert_eq!(lakeql_output::plot::smooth(&[0.0, 1.0, 1.0], 0.5), [0.0, 0.5 / 0.75, 0.75 / 0.875]);
/// ```
pub fn smooth(values: &[f64], weight: f64) -> Vec<f64> {
    let weight = if weight.is_finite() { weight.clamp(0.0, 1.0) } else { 0.0 };
    // At a weight of 1 only the beginning would count, divided by nothing.
    if weight == 0.0 || weight >= 1.0 {
        return values.to_vec();
    }
    let (mut average, mut left) = (0.0, 1.0);
    let next = |value: &f64| {
        if !value.is_finite() {
            return *value;
        }
        average = average * weight + (1.0 - weight) * value;
        left *= weight;
        average / (1.0 - left)
    };
    values.iter().map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: &[f64], right: &[f64]) -> bool {
        left.len() == right.len()
            && left.iter().zip(right).all(|(l, r)| (l - r).abs() < 1e-12 || (l.is_nan() && r.is_nan()))
    }

    #[test]
    fn the_first_value_stays_and_constants_stay() {
        assert!(near(&smooth(&[5.0, 5.0, 5.0], 0.9), &[5.0, 5.0, 5.0]));
        assert!(near(&smooth(&[2.0], 0.6), &[2.0]));
    }

    #[test]
    fn weights_are_those_of_a_weighted_mean() {
        // After n values the average is the mean with the weights w^(n-1) … w, 1.
        let (values, w): (_, f64) = ([3.0, -1.0, 4.0, 1.0], 0.6);
        let expected: Vec<f64> = (1..=4)
            .map(|n| {
                let weights: Vec<f64> = (0..n).map(|i| w.powi(n - 1 - i)).collect();
                let sum: f64 = weights.iter().zip(values).map(|(w, v)| w * v).sum();
                sum / weights.iter().sum::<f64>()
            })
            .collect();
        assert!(near(&smooth(&values, w), &expected));
    }

    #[test]
    fn gaps_stay_gaps_and_do_not_count() {
        let with = smooth(&[1.0, f64::NAN, 3.0], 0.5);
        let without = smooth(&[1.0, 3.0], 0.5);
        assert!(with[1].is_nan() && near(&[with[0], with[2]], &without));
    }

    #[test]
    fn no_weight_is_no_smoothing() {
        for weight in [0.0, -1.0, 1.0, f64::NAN] {
            assert_eq!(smooth(&[1.0, 2.0], weight), [1.0, 2.0]);
        }
    }
}
