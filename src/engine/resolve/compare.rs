//! One comparison over typed columns: numbers of different types compare exactly by value, NaN with nothing, both zeros are
//! equal, text by code points.
//!
//! Columns order floats totally (−NaN < −∞ < … < −0.0 < 0.0 < … < ∞ < NaN), so bounds are set accordingly.

use super::needs::Typed;
use super::predicate::{Value, balanced};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use lakeql_query::model::{CompareOp, Literal};

/// `value op literal`, or nothing if columns cannot tell.
pub(super) fn compare(value: &Value, op: CompareOp, literal: &Literal) -> Option<Expr> {
    if op == CompareOp::Eq {
        return within(value, std::slice::from_ref(literal));
    }
    Some(match (value, literal) {
        (Value::Time(column), Literal::Time(micros)) => order(column.clone(), op, time(*micros)),
        (Value::Time(_) | Value::Texts(_), _) | (Value::Typed(_), Literal::Time(_)) => lit(false),
        (Value::Typed(typed), Literal::Text(text)) => {
            typed.text.clone().map_or_else(|| lit(false), |column| order(column, op, lit(text_value(text))))
        }
        (Value::Typed(typed), Literal::Bool(flag)) => number_order(typed, op, Number::Int(i64::from(*flag))),
        (Value::Typed(typed), Literal::Int(number)) => number_order(typed, op, Number::Int(*number)),
        (Value::Typed(typed), Literal::Float(number)) => number_order(typed, op, Number::Float(*number)),
        (Value::Opaque, _) => return None,
    })
}

/// The value equals one of the literals, or nothing if columns cannot tell.
pub(super) fn within(value: &Value, literals: &[Literal]) -> Option<Expr> {
    match value {
        Value::Time(column) => {
            let times = literals.iter().filter_map(|literal| match literal {
                Literal::Time(micros) => Some(time_value(*micros)),
                _ => None,
            });
            Some(one_of(column.clone(), times.collect()))
        }
        Value::Typed(typed) => Some(typed_within(typed, literals)),
        Value::Texts(_) => Some(lit(false)),
        Value::Opaque => None,
    }
}

#[derive(Clone, Copy)]
enum Number {
    Int(i64),
    Float(f64),
}

fn typed_within(typed: &Typed, literals: &[Literal]) -> Expr {
    let (mut ints, mut floats, mut texts) = (vec![], vec![], vec![]);
    let (mut truth, mut falsehood, mut zero) = (false, false, false);
    for literal in literals {
        let number = match literal {
            Literal::Text(text) => {
                texts.push(text_value(text));
                continue;
            }
            Literal::Time(_) => continue,
            Literal::Bool(flag) => Number::Int(i64::from(*flag)),
            Literal::Int(number) => Number::Int(*number),
            Literal::Float(number) => Number::Float(*number),
        };
        let (int, float) = match number {
            Number::Int(number) => {
                let float = number as f64;
                (Some(number), (float as i128 == i128::from(number)).then_some(float))
            }
            Number::Float(number) => {
                let int = number as i128;
                let exact = number.is_finite() && int as f64 == number;
                (if exact { i64::try_from(int).ok() } else { None }, Some(number))
            }
        };
        truth |= int == Some(1);
        falsehood |= int == Some(0);
        ints.extend(int.map(|int| ScalarValue::Int64(Some(int))));
        match float {
            Some(0.0) => zero = true,
            Some(float) => floats.push(ScalarValue::Float64(Some(float))),
            None => {}
        }
    }
    let mut parts = vec![];
    parts.extend(typed.int.clone().map(|column| one_of(column, ints)));
    if let Some(column) = &typed.float {
        parts.push(one_of(column.clone(), floats));
        if zero {
            parts.push(column.clone().gt_eq(lit(-0.0)).and(column.clone().lt_eq(lit(0.0))));
        }
    }
    parts.extend(typed.text.clone().map(|column| one_of(column, texts)));
    parts.extend(typed.bool.clone().map(|column| flags(column, truth, falsehood)));
    balanced(parts.into_iter().filter(|part| *part != lit(false)).collect(), false)
}

/// Longer lists are one literal and one function: an expression for each of thousands of values takes longer to plan than
/// to answer, and lists of that length prune nothing.
const LONGEST_LIST: usize = 64;

fn one_of(column: Expr, mut values: Vec<ScalarValue>) -> Expr {
    match values.len() {
        0 => lit(false),
        1 => column.eq(lit(values.remove(0))),
        2..=LONGEST_LIST => column.in_list(values.into_iter().map(lit).collect(), false),
        _ => {
            let item = values.first().map_or(DataType::Null, ScalarValue::data_type);
            let list = ScalarValue::List(ScalarValue::new_list_nullable(&values, &item));
            ScalarUDF::from(lakeql_udfs::scalar::is_in::IsIn::new()).call(vec![column, lit(list)])
        }
    }
}

/// Where a bool column is one of the wanted values.
fn flags(column: Expr, truth: bool, falsehood: bool) -> Expr {
    match (truth, falsehood) {
        (true, true) => column.is_not_null(),
        (true, false) => column,
        (false, true) => column.eq(lit(false)),
        (false, false) => lit(false),
    }
}

fn number_order(typed: &Typed, op: CompareOp, number: Number) -> Expr {
    let mut parts = vec![];
    parts.extend(typed.int.clone().map(|column| int_order(column, op, number)));
    parts.extend(typed.float.clone().map(|column| float_order(column, op, number)));
    parts.extend(typed.bool.clone().map(|column| {
        let holds = |flag: f64| {
            let ordering = flag.partial_cmp(&match number {
                Number::Int(number) => number as f64,
                Number::Float(number) => number,
            });
            ordering.is_some_and(|ordering| match op {
                CompareOp::Eq => ordering.is_eq(),
                CompareOp::Lt => ordering.is_lt(),
                CompareOp::LtEq => ordering.is_le(),
                CompareOp::Gt => ordering.is_gt(),
                CompareOp::GtEq => ordering.is_ge(),
            })
        };
        flags(column, holds(1.0), holds(0.0))
    }));
    balanced(parts.into_iter().filter(|part| *part != lit(false)).collect(), false)
}

fn int_order(column: Expr, op: CompareOp, number: Number) -> Expr {
    let number = match number {
        Number::Int(number) => return order(column, op, lit(number)),
        Number::Float(number) => number,
    };
    // An integer is above 2.5 where it is above 2, and at least 2.5 where it is at least 3.
    let bound = match op {
        CompareOp::Gt | CompareOp::LtEq => number.floor(),
        CompareOp::GtEq | CompareOp::Lt | CompareOp::Eq => number.ceil(),
    };
    // 2^63 as a float is one past the largest integer.
    if bound >= 9_223_372_036_854_775_808.0 {
        return if matches!(op, CompareOp::Lt | CompareOp::LtEq) { column.is_not_null() } else { lit(false) };
    }
    if bound < -9_223_372_036_854_775_808.0 {
        return if matches!(op, CompareOp::Gt | CompareOp::GtEq) { column.is_not_null() } else { lit(false) };
    }
    order(column, op, lit(bound as i64))
}

fn float_order(column: Expr, op: CompareOp, number: Number) -> Expr {
    // The nearest float may lie on either side of a large integer; then the bound itself is in or out.
    let (bound, op) = match number {
        Number::Float(number) => (number, op),
        Number::Int(number) => {
            let bound = number as f64;
            let op = match (bound as i128).cmp(&i128::from(number)) {
                std::cmp::Ordering::Equal => op,
                std::cmp::Ordering::Greater => match op {
                    CompareOp::Gt | CompareOp::GtEq => CompareOp::GtEq,
                    CompareOp::Lt | CompareOp::LtEq | CompareOp::Eq => CompareOp::Lt,
                },
                std::cmp::Ordering::Less => match op {
                    CompareOp::Gt | CompareOp::GtEq => CompareOp::Gt,
                    CompareOp::Lt | CompareOp::LtEq | CompareOp::Eq => CompareOp::LtEq,
                },
            };
            (bound, op)
        }
    };
    let zero = bound == 0.0;
    let not_nan = column.clone().lt_eq(lit(f64::INFINITY));
    match op {
        CompareOp::Gt => column.gt(lit(if zero { 0.0 } else { bound })).and(not_nan),
        CompareOp::GtEq => column.gt_eq(lit(if zero { -0.0 } else { bound })).and(not_nan),
        CompareOp::Lt => column.lt(lit(if zero { -0.0 } else { bound })),
        CompareOp::LtEq => column.lt_eq(lit(if zero { 0.0 } else { bound })),
        CompareOp::Eq => column.eq(lit(bound)),
    }
}

fn order(column: Expr, op: CompareOp, value: Expr) -> Expr {
    match op {
        CompareOp::Eq => column.eq(value),
        CompareOp::Lt => column.lt(value),
        CompareOp::LtEq => column.lt_eq(value),
        CompareOp::Gt => column.gt(value),
        CompareOp::GtEq => column.gt_eq(value),
    }
}

pub(super) fn time(micros: i64) -> Expr {
    lit(time_value(micros))
}

fn time_value(micros: i64) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()))
}

/// A text as our columns have it, so that nothing has to be converted.
pub(super) fn text_value(text: &str) -> ScalarValue {
    ScalarValue::Utf8View(Some(text.to_owned()))
}
