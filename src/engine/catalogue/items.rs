//! One test of a metadata value, over the columns that may hold it.
//!
//! A value is in exactly one of them. Each column knows what its values are, so the test becomes a plain comparison on
//! scalars, a kernel over the elements on lists, and a look into the JSON on the rest.

use super::bounds::{Bound, floats, ints};
use crate::Result;
use crate::resolve::balanced;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::functions_nested::expr_fn::{array_element, array_length};
use datafusion::logical_expr::{Expr, ScalarUDF, cast, lit};
use lakeql_query::model::{ItemOp, ItemTest, Items, Scalar, Scope, Step};
use lakeql_udfs::scalar::glob_match::is_match;
use lakeql_udfs::scalar::json_any::JsonAny;
use lakeql_udfs::scalar::list_any::between::ListAnyBetween;
use lakeql_udfs::scalar::list_any::compare::ListAnyCompare;
use lakeql_udfs::scalar::list_any::matches::ListAnyMatches;
use lakeql_udfs::scalar::list_any::within::ListAnyIn;
use lakeql_udfs::scalar::regex_found::RegexFound;

/// The columns of a key; none where the data has no values of that type.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyColumns {
    pub(super) int: Option<Expr>,
    pub(super) float: Option<Expr>,
    pub(super) text: Option<Expr>,
    pub(super) bool: Option<Expr>,
    pub(super) ints: Option<Expr>,
    pub(super) floats: Option<Expr>,
    pub(super) texts: Option<Expr>,
    pub(super) json: Option<Expr>,
    /// Whether the key has dictionaries more often than lists.
    pub(super) dictionaries: bool,
}

/// Types of scalars.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Int,
    Float,
    Text,
    Bool,
}

/// The predicate that some item passes; null or false where none does.
pub(super) fn items(columns: &KeyColumns, items: &Items) -> Result<Expr> {
    let mut parts = vec![];
    let scalars = [
        (&columns.int, Class::Int),
        (&columns.float, Class::Float),
        (&columns.text, Class::Text),
        (&columns.bool, Class::Bool),
    ];
    for (column, class) in scalars {
        let reached = matches!(items.scope.step, None | Some(Step::Index(0)));
        if let Some(column) = column.as_ref().filter(|_| reached) {
            parts.extend(scalar(column, class, &items.test));
        }
    }
    let lists = [(&columns.ints, Class::Int), (&columns.floats, Class::Float), (&columns.texts, Class::Text)];
    for (column, class) in lists {
        let Some(column) = column else { continue };
        match (&items.scope.step, items.scope.unwrap) {
            (Some(Step::Member(_)), _) => {}
            (Some(Step::Index(index)), _) => {
                if let Some(place) = index.checked_add(1).filter(|place| *place > 0) {
                    parts.extend(scalar(&array_element(column.clone(), lit(place)), class, &items.test));
                }
            }
            (None, 0) => parts.extend(whole(column, &items.test)),
            (None, _) => parts.extend(elements(column, class, &items.test)),
        }
    }
    if let Some(column) = &columns.json {
        let scope = Scope { values: items.scope.values && columns.dictionaries, ..items.scope.clone() };
        let question =
            serde_json::to_string(&(scope, &items.test)).map_err(|_| super::internal("a test without text"))?;
        parts.push(ScalarUDF::from(JsonAny::new()).call(vec![column.clone(), lit(question)]));
    }
    Ok(balanced(parts, false))
}

/// Comparisons by their operator.
pub(super) fn compared(left: Expr, op: ItemOp, right: Expr) -> Expr {
    match op {
        ItemOp::Eq => left.eq(right),
        ItemOp::NotEq => left.not_eq(right),
        ItemOp::Lt => left.lt(right),
        ItemOp::LtEq => left.lt_eq(right),
        ItemOp::Gt => left.gt(right),
        ItemOp::GtEq => left.gt_eq(right),
    }
}

/// A bound as a predicate on a column.
fn bounded<N: datafusion::logical_expr::Literal>(column: &Expr, bound: Bound<N>) -> Option<Expr> {
    match bound {
        Bound::Never => None,
        Bound::Always => Some(column.clone().is_not_null()),
        Bound::Compare(op, value) => Some(compared(column.clone(), op, lit(value))),
    }
}

/// A comparison of a scalar column; nothing if it cannot hold.
fn compare(column: &Expr, class: Class, op: ItemOp, value: &Scalar) -> Option<Expr> {
    match (class, value) {
        (Class::Int, Scalar::Number(text)) => bounded(column, ints(op, text)),
        (Class::Float, Scalar::Number(text)) => bounded(column, floats(op, text)),
        (Class::Text, Scalar::Text(text)) => Some(compared(column.clone(), op, lit(text.as_str()))),
        (Class::Bool, Scalar::Bool(value)) => Some(compared(column.clone(), op, lit(*value))),
        (_, Scalar::Null) if op == ItemOp::NotEq => Some(column.clone().is_not_null()),
        _ => None,
    }
}

fn comparable(class: Class, value: &Scalar) -> bool {
    match value {
        Scalar::Null => true,
        Scalar::Bool(_) => class == Class::Bool,
        Scalar::Number(_) => matches!(class, Class::Int | Class::Float),
        Scalar::Text(_) => class == Class::Text,
    }
}

/// The numbers among constants that a type has, as literals.
fn equals(class: Class, values: &[Scalar]) -> Vec<ScalarValue> {
    let literal = |value: &Scalar| match (class, value) {
        (Class::Int, Scalar::Number(text)) => match ints(ItemOp::Eq, text) {
            Bound::Compare(_, value) => Some(ScalarValue::from(value)),
            Bound::Never | Bound::Always => None,
        },
        (Class::Float, Scalar::Number(text)) => match floats(ItemOp::Eq, text) {
            Bound::Compare(_, value) => Some(ScalarValue::from(value)),
            Bound::Never | Bound::Always => None,
        },
        (Class::Text, Scalar::Text(text)) => Some(ScalarValue::from(text.as_str())),
        (Class::Bool, Scalar::Bool(value)) => Some(ScalarValue::from(*value)),
        _ => None,
    };
    values.iter().filter_map(literal).collect()
}

/// A test of a column of scalars; nothing if it never holds.
fn scalar(column: &Expr, class: Class, test: &ItemTest) -> Option<Expr> {
    let there = || column.clone().is_not_null();
    match test {
        ItemTest::Anything => Some(there()),
        ItemTest::Compare(op, value) => compare(column, class, *op, value),
        ItemTest::Incomparable(value) => (!comparable(class, value)).then(there),
        ItemTest::In(values) => {
            let values: Vec<Expr> = equals(class, values).into_iter().map(lit).collect();
            match values.as_slice() {
                [] => None,
                [one] => Some(column.clone().eq(one.clone())),
                _ => Some(column.clone().in_list(values, false)),
            }
        }
        ItemTest::Between(low, high) => {
            let low = compare(column, class, ItemOp::GtEq, low)?;
            Some(low.and(compare(column, class, ItemOp::LtEq, high)?))
        }
        ItemTest::Matches(regex) if class == Class::Text => {
            Some(ScalarUDF::from(RegexFound::new()).call(vec![column.clone(), lit(regex.as_str())]))
        }
        ItemTest::Lacks(regex) if class == Class::Text => {
            Some(Expr::Not(Box::new(scalar(column, class, &ItemTest::Matches(regex.clone()))?)))
        }
        ItemTest::Like(pattern) if class == Class::Text => Some(column.clone().like(lit(pattern.as_str()))),
        ItemTest::Matches(_) | ItemTest::Lacks(_) | ItemTest::Like(_) | ItemTest::Length(_) | ItemTest::IsList => None,
        ItemTest::Not(test) => Some(match scalar(column, class, test) {
            Some(holds) => there().and(holds.is_not_true()),
            None => there(),
        }),
    }
}

/// A test of lists as they are.
fn whole(column: &Expr, test: &ItemTest) -> Option<Expr> {
    match test {
        ItemTest::Anything | ItemTest::IsList => Some(column.clone().is_not_null()),
        ItemTest::Length(test) => scalar(&cast(array_length(column.clone()), DataType::Int64), Class::Int, test),
        ItemTest::Compare(ItemOp::NotEq, Scalar::Null) => Some(column.clone().is_not_null()),
        ItemTest::Compare(..)
        | ItemTest::In(_)
        | ItemTest::Between(..)
        | ItemTest::Matches(_)
        | ItemTest::Lacks(_)
        | ItemTest::Like(_) => None,
        ItemTest::Incomparable(value) => (*value != Scalar::Null).then(|| column.clone().is_not_null()),
        ItemTest::Not(test) => Some(match whole(column, test) {
            Some(holds) => column.clone().is_not_null().and(holds.is_not_true()),
            None => column.clone().is_not_null(),
        }),
    }
}

/// A test of the elements of lists, of which there is at least one; nothing if it never holds.
fn elements(column: &Expr, class: Class, test: &ItemTest) -> Option<Expr> {
    let there = || Some(column.clone().is_not_null());
    let call = |function: ScalarUDF, rest: Vec<Expr>| {
        Some(function.call(std::iter::once(column.clone()).chain(rest).collect()))
    };
    match test {
        ItemTest::Anything => there(),
        ItemTest::Compare(op, value) => {
            let literal = match (class, value) {
                (_, Scalar::Null) => return if *op == ItemOp::NotEq { there() } else { None },
                (Class::Int, Scalar::Number(text)) => bound_literal(ints(*op, text)),
                (Class::Float, Scalar::Number(text)) => bound_literal(floats(*op, text)),
                (Class::Text, Scalar::Text(text)) => Bound::Compare(*op, lit(text.as_str())),
                _ => Bound::Never,
            };
            match literal {
                Bound::Never => None,
                Bound::Always => there(),
                Bound::Compare(op, value) => {
                    call(ScalarUDF::from(ListAnyCompare::new()), vec![lit(op.symbol()), value])
                }
            }
        }
        ItemTest::Incomparable(value) => {
            if comparable(class, value) {
                None
            } else {
                there()
            }
        }
        ItemTest::In(values) => {
            let values = equals(class, values);
            if values.is_empty() {
                None
            } else {
                call(ScalarUDF::from(ListAnyIn::inside()), vec![list(class, &values)])
            }
        }
        ItemTest::Between(low, high) => match (class, low, high) {
            (Class::Text, Scalar::Text(low), Scalar::Text(high)) => {
                call(ScalarUDF::from(ListAnyBetween::inside()), vec![lit(low.as_str()), lit(high.as_str())])
            }
            (Class::Int, Scalar::Number(low), Scalar::Number(high)) => {
                let ends = (int_end(ItemOp::GtEq, low)?, int_end(ItemOp::LtEq, high)?);
                call(ScalarUDF::from(ListAnyBetween::inside()), vec![lit(ends.0), lit(ends.1)])
            }
            (Class::Float, Scalar::Number(low), Scalar::Number(high)) => {
                let ends = (float_end(ItemOp::GtEq, low)?, float_end(ItemOp::LtEq, high)?);
                call(ScalarUDF::from(ListAnyBetween::inside()), vec![lit(ends.0), lit(ends.1)])
            }
            _ => None,
        },
        ItemTest::Matches(regex) if class == Class::Text => {
            call(ScalarUDF::from(ListAnyMatches::found()), vec![lit(regex.as_str())])
        }
        ItemTest::Lacks(regex) if class == Class::Text => {
            call(ScalarUDF::from(ListAnyMatches::missed()), vec![lit(regex.as_str())])
        }
        ItemTest::Like(pattern) if class == Class::Text => {
            call(ScalarUDF::from(ListAnyMatches::found()), vec![lit(like(pattern))])
        }
        ItemTest::Matches(_) | ItemTest::Lacks(_) | ItemTest::Like(_) | ItemTest::Length(_) | ItemTest::IsList => None,
        ItemTest::Not(inner) => match &**inner {
            ItemTest::Not(test) => elements(column, class, test),
            ItemTest::In(values) => {
                let values = equals(class, values);
                match values.is_empty() {
                    true => there(),
                    false => call(ScalarUDF::from(ListAnyIn::outside()), vec![list(class, &values)]),
                }
            }
            ItemTest::Between(low, high) => {
                // Outside is below or above.
                let below =
                    elements(column, class, &ItemTest::Not(Box::new(ItemTest::Compare(ItemOp::GtEq, low.clone()))));
                let above =
                    elements(column, class, &ItemTest::Not(Box::new(ItemTest::Compare(ItemOp::LtEq, high.clone()))));
                Some(balanced(below.into_iter().chain(above).collect(), false))
            }
            ItemTest::Compare(op, value) if comparable(class, value) && *value != Scalar::Null => {
                elements(column, class, &ItemTest::Compare(op.opposite(), value.clone()))
            }
            ItemTest::Compare(op, Scalar::Null) => {
                if *op == ItemOp::NotEq {
                    None
                } else {
                    there()
                }
            }
            ItemTest::Compare(..) => there(),
            ItemTest::Matches(regex) if class == Class::Text => {
                elements(column, class, &ItemTest::Lacks(regex.clone()))
            }
            ItemTest::Lacks(regex) if class == Class::Text => {
                elements(column, class, &ItemTest::Matches(regex.clone()))
            }
            ItemTest::Like(pattern) if class == Class::Text => elements(column, class, &ItemTest::Lacks(like(pattern))),
            ItemTest::Anything => None,
            ItemTest::Incomparable(value) => {
                if comparable(class, value) {
                    there()
                } else {
                    None
                }
            }
            ItemTest::Matches(_) | ItemTest::Lacks(_) | ItemTest::Like(_) | ItemTest::Length(_) | ItemTest::IsList => {
                there()
            }
        },
    }
}

fn bound_literal<N: datafusion::logical_expr::Literal>(bound: Bound<N>) -> Bound<Expr> {
    match bound {
        Bound::Never => Bound::Never,
        Bound::Always => Bound::Always,
        Bound::Compare(op, value) => Bound::Compare(op, lit(value)),
    }
}

/// The first or last integer of a range; nothing if there is none.
fn int_end(op: ItemOp, text: &str) -> Option<i64> {
    match ints(op, text) {
        Bound::Never => None,
        Bound::Always => Some(if op == ItemOp::GtEq { i64::MIN } else { i64::MAX }),
        Bound::Compare(ItemOp::Gt, value) => value.checked_add(1),
        Bound::Compare(_, value) => Some(value),
    }
}

/// The first or last float of a range; nothing if there is none.
fn float_end(op: ItemOp, text: &str) -> Option<f64> {
    match floats(op, text) {
        Bound::Never => None,
        Bound::Always => Some(if op == ItemOp::GtEq { f64::MIN } else { f64::MAX }),
        Bound::Compare(ItemOp::Gt, value) => Some(value.next_up()),
        Bound::Compare(_, value) => Some(value),
    }
}

fn list(class: Class, values: &[ScalarValue]) -> Expr {
    let item = match class {
        Class::Int => DataType::Int64,
        Class::Float => DataType::Float64,
        Class::Text => DataType::Utf8,
        Class::Bool => DataType::Boolean,
    };
    lit(ScalarValue::List(ScalarValue::new_list_nullable(values, &item)))
}

/// The regular expression for a pattern in which `%` is any text and `_` any character.
pub(super) fn like(pattern: &str) -> String {
    let mut out = String::from("(?s)^");
    let mut chars = pattern.chars();
    let escaped =
        |c: char| if c.is_alphanumeric() || !c.is_ascii() || c == ' ' { c.to_string() } else { format!("\\{c}") };
    while let Some(c) = chars.next() {
        match c {
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '\\' => out.push_str(&escaped(chars.next().unwrap_or('\\'))),
            c => out.push_str(&escaped(c)),
        }
    }
    out.push('$');
    out
}

/// Whether a name has the shape of a pattern in which `%` is any text and `_` any character.
pub(super) fn is_like(name: &str, pattern: &str) -> bool {
    // The two notations differ in their signs only; a character that is a sign in the other one is made one that no name
    // has.
    let sign = |c| match c {
        '*' => '\u{1}',
        '?' => '\u{2}',
        c => c,
    };
    let name: String = name.chars().map(sign).collect();
    let mut glob = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        glob.push(match c {
            '%' => '*',
            '_' => '?',
            '\\' => sign(chars.next().unwrap_or('\\')),
            c => sign(c),
        });
    }
    is_match(&name, &glob)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(is_like("raw_all", "raw%") && is_like("raw-all", "raw_all") && !is_like("raw-all", "raw\\_all"));
        assert!(is_like("a*b", "a*b") && !is_like("axb", "a*b") && !is_like("RAW", "raw"));
        assert_eq!(like("a.b%_\\%"), "(?s)^a\\.b.*.\\%$");
    }
}
