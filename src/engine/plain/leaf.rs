//! Tests of one value as predicates over its column.
//!
//! A leaf comes as a pair: where it holds and where it does not, so that nothing above it has to be negated. Both are
//! comparisons that statistics can prune by wherever that is right. Where a predicate is null it does not hold.

use super::interval::{Bound, Interval, interval, within};
use super::kind::{Kind, Width};
use crate::Result;
use crate::resolve::balanced;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::functions::string::expr_fn::contains;
use datafusion::functions_nested::expr_fn::{array_has, array_length};
use datafusion::logical_expr::{Expr, ScalarUDF, cast, lit};
use lakeql_query::model::{CompareOp, Literal, Test};
use lakeql_udfs::scalar::{contains_folded, is_in, is_nan, regex_found};
use std::cmp::Ordering;

/// Longer lists are one literal and one function: an expression for each of thousands of values takes longer to plan than
/// to answer.
const LONGEST_LIST: usize = 64;

/// A value that is asked about.
pub(super) struct Asked {
    /// The value in a row.
    value: Expr,
    kind: Kind,
    nullable: bool,
    /// Whether the value is a float, and may be NaN.
    float: bool,
}

/// Where a test holds, and where it does not.
pub(super) struct Leaf {
    pub(super) holds: Expr,
    pub(super) fails: Expr,
}

impl Leaf {
    pub(super) fn constant(holds: bool) -> Self {
        Self { holds: lit(holds), fails: lit(!holds) }
    }

    /// A predicate that nothing can be pruned by.
    fn opaque(holds: Expr) -> Self {
        Self { fails: holds.clone().is_not_true(), holds }
    }

    fn any(leaves: Vec<Self>) -> Self {
        let (holds, fails) = leaves.into_iter().map(|leaf| (leaf.holds, leaf.fails)).unzip();
        Self { holds: balanced(holds, false), fails: balanced(fails, true) }
    }
}

impl Asked {
    pub(super) fn new(value: Expr, data_type: &DataType, kind: Kind, nullable: bool) -> Self {
        let stored = match data_type {
            DataType::Dictionary(_, value) => value,
            other => other,
        };
        let wanted = match (&kind, stored) {
            // Floats of 16 bits are rare; those of 32 hold them all.
            (Kind::Float(Width::Single), DataType::Float16) => Some(DataType::Float32),
            // Texts in dictionaries compare without being taken out.
            (Kind::Text, _) => None,
            (_, stored) if stored != data_type => Some(stored.clone()),
            _ => None,
        };
        let value = match wanted {
            Some(wanted) => cast(value, wanted),
            None => value,
        };
        let float = matches!(kind, Kind::Float(_));
        Self { value, kind, nullable, float }
    }

    /// The leaf that asks this of the value. Tests that make no sense for its type never hold.
    pub(super) fn test(&self, test: &Test) -> Result<Leaf> {
        Ok(match test {
            Test::Present => self.present(),
            Test::Compare { op, value } => self.compare(*op, value),
            Test::In(values) => self.one_of(values),
            Test::Any(tests) => Leaf::any(tests.iter().map(|test| self.test(test)).collect::<Result<_>>()?),
            Test::TimeWithin(from, to) => match &self.kind {
                Kind::Whole(whole) => self.between(within(whole, *from, *to)),
                Kind::Float(_) | Kind::Text | Kind::Bool | Kind::List(_) | Kind::Null => Leaf::constant(false),
            },
            Test::IsNan if self.float => Leaf::opaque(is_nan(self.value.clone())),
            Test::IsNan => Leaf::constant(false),
            Test::Contains(piece) => match &self.kind {
                Kind::Text if piece.is_empty() => self.present(),
                Kind::Text => Leaf::opaque(contains(self.value.clone(), lit(piece.as_str()))),
                Kind::Whole(_) | Kind::Float(_) | Kind::Bool | Kind::List(_) | Kind::Null => Leaf::constant(false),
            },
            Test::ContainsFolded(piece) => match &self.kind {
                Kind::Text => Leaf::opaque(
                    ScalarUDF::from(contains_folded::ContainsFolded::new())
                        .call(vec![self.value.clone(), lit(piece.as_str())]),
                ),
                Kind::Whole(_) | Kind::Float(_) | Kind::Bool | Kind::List(_) | Kind::Null => Leaf::constant(false),
            },
            Test::Has(element) => match &self.kind {
                Kind::List(item) => self.has(item, element),
                Kind::Whole(_) | Kind::Float(_) | Kind::Text | Kind::Bool | Kind::Null => Leaf::constant(false),
            },
            Test::Matches(pattern) => match &self.kind {
                Kind::Text => Leaf::opaque(
                    ScalarUDF::from(regex_found::RegexFound::new())
                        .call(vec![self.value.clone(), lit(pattern.regex.as_str())]),
                ),
                Kind::Whole(_) | Kind::Float(_) | Kind::Bool | Kind::List(_) | Kind::Null => Leaf::constant(false),
            },
        })
    }

    fn present(&self) -> Leaf {
        match &self.kind {
            Kind::Null => Leaf::constant(false),
            Kind::List(_) => Leaf::opaque(array_length(self.value.clone()).gt(lit(ScalarValue::UInt64(Some(0))))),
            Kind::Whole(_) | Kind::Float(_) | Kind::Text | Kind::Bool => {
                Leaf { holds: self.value.clone().is_not_null(), fails: self.value.clone().is_null() }
            }
        }
    }

    fn compare(&self, op: CompareOp, literal: &Literal) -> Leaf {
        if let Some(interval) = interval(&self.kind, op, literal) {
            return self.between(interval);
        }
        let value = || self.value.clone();
        match (&self.kind, literal) {
            (Kind::Text, Literal::Text(text)) => {
                let text = lit(text.as_str());
                Leaf {
                    holds: compared(value(), op, text.clone()),
                    fails: self.or_missing(not_compared(value(), op, text)),
                }
            }
            (Kind::Bool, Literal::Bool(flag)) if op == CompareOp::Eq => {
                let (yes, no) = (value(), !value());
                let (holds, fails) = if *flag { (yes, no) } else { (no, yes) };
                Leaf { holds, fails: self.or_missing(fails) }
            }
            _ => Leaf::constant(false),
        }
    }

    fn one_of(&self, literals: &[Literal]) -> Leaf {
        let mut values = vec![];
        for literal in literals {
            match (&self.kind, literal) {
                (Kind::Text, Literal::Text(text)) => values.push(ScalarValue::Utf8(Some(text.clone()))),
                (Kind::Bool, Literal::Bool(flag)) => values.push(ScalarValue::Boolean(Some(*flag))),
                _ => {
                    let Some(Interval::Between { low: Some(low), high: Some(high) }) =
                        interval(&self.kind, CompareOp::Eq, literal)
                    else {
                        continue;
                    };
                    // Both zeros, where the value is a zero.
                    if low != high {
                        values.push(high.value);
                    }
                    values.push(low.value);
                }
            }
        }
        let value = || self.value.clone();
        match values.len() {
            0 => Leaf::constant(false),
            1 => {
                let only = lit(values.remove(0));
                Leaf { holds: value().eq(only.clone()), fails: self.or_missing(value().not_eq(only)) }
            }
            2..=LONGEST_LIST => self.in_list(values),
            _ => self.in_set(values),
        }
    }

    fn in_list(&self, values: Vec<ScalarValue>) -> Leaf {
        let values: Vec<_> = values.into_iter().map(lit).collect();
        let value = || self.value.clone();
        Leaf { holds: value().in_list(values.clone(), false), fails: self.or_missing(value().in_list(values, true)) }
    }

    /// Membership in a long list, within its smallest and largest value: by these statistics prune.
    fn in_set(&self, values: Vec<ScalarValue>) -> Leaf {
        let item = match &self.kind {
            Kind::Text => DataType::Utf8,
            Kind::Float(Width::Double) => DataType::Float64,
            Kind::Whole(whole) if whole.fits_long() => DataType::Int64,
            Kind::Whole(_) | Kind::Float(Width::Single) | Kind::Bool | Kind::List(_) | Kind::Null => {
                return self.in_list(values);
            }
        };
        let by = |a: &&ScalarValue, b: &&ScalarValue| a.partial_cmp(b).unwrap_or(Ordering::Equal);
        let (Some(least), Some(greatest)) = (values.iter().min_by(by), values.iter().max_by(by)) else {
            return Leaf::constant(false);
        };
        let bounds = self.value.clone().gt_eq(lit(least.clone())).and(self.value.clone().lt_eq(lit(greatest.clone())));
        let Ok(set) = values.iter().map(|value| value.cast_to(&item)).collect::<Result<Vec<_>, _>>() else {
            return self.in_list(values);
        };
        let list = lit(ScalarValue::List(ScalarValue::new_list_nullable(&set, &item)));
        let found = ScalarUDF::from(is_in::IsIn::new()).call(vec![self.value.clone(), list]);
        Leaf { fails: self.or_missing(!found.clone()), holds: bounds.and(found) }
    }

    fn between(&self, interval: Interval) -> Leaf {
        let value = || self.value.clone();
        let (low, high) = match interval {
            Interval::Never => return Leaf::constant(false),
            Interval::Between { low: None, high: None } => return self.present(),
            Interval::Between { low: Some(low), high: Some(high) } if low == high && low.inclusive => {
                let only = lit(low.value);
                return Leaf { holds: value().eq(only.clone()), fails: self.or_missing(value().not_eq(only)) };
            }
            Interval::Between { low, high } => (low, high),
        };
        let (mut holds, mut fails) = (vec![], vec![]);
        let mut bound = |bound: Option<Bound>, inside: [CompareOp; 2]| {
            if let Some(Bound { value: bound, inclusive }) = bound {
                let op = if inclusive { inside[0] } else { inside[1] };
                holds.push(compared(value(), op, lit(bound.clone())));
                fails.push(not_compared(value(), op, lit(bound)));
            }
        };
        bound(low, [CompareOp::GtEq, CompareOp::Gt]);
        bound(high, [CompareOp::LtEq, CompareOp::Lt]);
        Leaf { holds: balanced(holds, true), fails: self.or_missing(balanced(fails, false)) }
    }

    fn has(&self, item: &Kind, element: &str) -> Leaf {
        let element = match item {
            Kind::Text => Some(lit(element)),
            Kind::Bool => match element.to_ascii_lowercase().as_str() {
                "true" => Some(lit(true)),
                "false" => Some(lit(false)),
                _ => None,
            },
            Kind::Whole(_) | Kind::Float(_) => {
                let number = element.parse().map(Literal::Int).or_else(|_| element.parse().map(Literal::Float));
                let found = number.ok().and_then(|number| interval(item, CompareOp::Eq, &number));
                match found {
                    // A zero of either sign is in the list under one of them.
                    Some(Interval::Between { low: Some(low), high: Some(high) }) if low != high => {
                        let one = |bound: Bound| Leaf::opaque(array_has(self.value.clone(), lit(bound.value)));
                        return Leaf::any(vec![one(low), one(high)]);
                    }
                    Some(Interval::Between { low: Some(low), .. }) => Some(lit(low.value)),
                    _ => None,
                }
            }
            Kind::List(_) | Kind::Null => None,
        };
        element.map_or_else(|| Leaf::constant(false), |element| Leaf::opaque(array_has(self.value.clone(), element)))
    }

    /// Where this holds, or the value is missing, or it is NaN. Statistics leave NaN out, so that a row group whose values
    /// are all 5 may well have rows that are not 5: the function, of which statistics know nothing, keeps it.
    fn or_missing(&self, fails: Expr) -> Expr {
        let mut parts = vec![fails];
        if self.float {
            parts.push(is_nan(self.value.clone()));
        }
        if self.nullable {
            parts.push(self.value.clone().is_null());
        }
        balanced(parts, false)
    }
}

fn is_nan(value: Expr) -> Expr {
    ScalarUDF::from(is_nan::IsNan::new()).call(vec![value])
}

fn compared(value: Expr, op: CompareOp, bound: Expr) -> Expr {
    match op {
        CompareOp::Eq => value.eq(bound),
        CompareOp::Lt => value.lt(bound),
        CompareOp::LtEq => value.lt_eq(bound),
        CompareOp::Gt => value.gt(bound),
        CompareOp::GtEq => value.gt_eq(bound),
    }
}

fn not_compared(value: Expr, op: CompareOp, bound: Expr) -> Expr {
    match op {
        CompareOp::Eq => value.not_eq(bound),
        CompareOp::Lt => value.gt_eq(bound),
        CompareOp::LtEq => value.gt(bound),
        CompareOp::Gt => value.lt_eq(bound),
        CompareOp::GtEq => value.lt(bound),
    }
}
