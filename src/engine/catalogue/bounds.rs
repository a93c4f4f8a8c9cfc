//! Comparisons with exact decimals as comparisons of 64-bit numbers.

use lakeql_query::model::ItemOp;
use lakeql_udfs::scalar::json_any::decimal;
use std::cmp::Ordering;

/// What a comparison with a constant comes to for numbers of one type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bound<N> {
    Never,
    Always,
    Compare(ItemOp, N),
}

/// Where no number of the type equals the constant: the greatest one below it, if there is any, decides.
fn between<N>(op: ItemOp, below: Option<N>) -> Bound<N> {
    match (op, below) {
        (ItemOp::Eq, _) => Bound::Never,
        (ItemOp::NotEq, _) => Bound::Always,
        (ItemOp::Lt | ItemOp::LtEq, Some(below)) => Bound::Compare(ItemOp::LtEq, below),
        (ItemOp::Gt | ItemOp::GtEq, Some(below)) => Bound::Compare(ItemOp::Gt, below),
        (ItemOp::Lt | ItemOp::LtEq, None) => Bound::Never,
        (ItemOp::Gt | ItemOp::GtEq, None) => Bound::Always,
    }
}

/// A comparison of 64-bit integers with a decimal.
pub(super) fn ints(op: ItemOp, text: &str) -> Bound<i64> {
    if let Ok(value) = text.parse() {
        return Bound::Compare(op, value);
    }
    // The greatest integer that is not above the constant, by bisection: decimals compare exactly.
    let (mut low, mut high) = (i64::MIN, i64::MAX);
    if decimal::compare(&low.to_string(), text).is_gt() {
        return between(op, None);
    }
    while low < high {
        let middle = (low as i128 + high as i128 + 1).div_euclid(2) as i64;
        if decimal::compare(&middle.to_string(), text).is_gt() {
            high = middle - 1;
        } else {
            low = middle;
        }
    }
    match decimal::compare(&low.to_string(), text) {
        Ordering::Equal => Bound::Compare(op, low),
        Ordering::Less | Ordering::Greater => between(op, Some(low)),
    }
}

/// A comparison of floats, each standing for its shortest decimal, with a decimal.
pub(super) fn floats(op: ItemOp, text: &str) -> Bound<f64> {
    let nearest: f64 = text.parse().unwrap_or(f64::NAN);
    if nearest.is_infinite() {
        return between(op, (nearest > 0.0).then_some(f64::MAX));
    }
    match decimal::compare(&format!("{nearest:e}"), text) {
        Ordering::Equal => Bound::Compare(op, if nearest == 0.0 { 0.0 } else { nearest }),
        Ordering::Less => between(op, Some(nearest)),
        Ordering::Greater => between(op, Some(nearest.next_down())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ItemOp::{Eq, Gt, GtEq, Lt, LtEq, NotEq};

    #[test]
    fn integers() {
        assert_eq!(ints(Lt, "5e0"), Bound::Compare(Lt, 5));
        assert_eq!(ints(Lt, "5.5"), Bound::Compare(LtEq, 5));
        assert_eq!(ints(GtEq, "-5.5"), Bound::Compare(Gt, -6));
        assert_eq!(ints(Eq, "5.5"), Bound::Never);
        assert_eq!(ints(NotEq, "1e25"), Bound::Always);
        assert_eq!(ints(Lt, "1e25"), Bound::Compare(LtEq, i64::MAX));
        assert_eq!(ints(Gt, "-1e25"), Bound::Always);
        assert_eq!(ints(Eq, "9.007199254740992e15"), Bound::Compare(Eq, 9_007_199_254_740_992));
    }

    #[test]
    fn floating() {
        assert_eq!(floats(Eq, "5"), Bound::Compare(Eq, 5.0));
        assert_eq!(floats(Eq, "9007199254740993"), Bound::Never);
        assert_eq!(floats(Gt, "9007199254740993"), Bound::Compare(Gt, 9_007_199_254_740_992.0));
        assert_eq!(floats(Gt, "0.3"), Bound::Compare(Gt, 0.3));
        assert_eq!(floats(Lt, "1e400"), Bound::Compare(LtEq, f64::MAX));
        assert_eq!(floats(Lt, "-1e400"), Bound::Never);
    }
}
