//! Conditions that columns can answer, with what Aim does about missing and mismatched values (specification sections 3
//! to 6 and 8).

use super::access::{Access, access};
use crate::model::{Attribute, CompareOp, Entity, Expr, Literal, Place};
use crate::span::Span;
use crate::syntax::python::{self as py, PyExpr, PyKind, UnaryOp};
use num_traits::ToPrimitive;

/// A condition as columns: where it is true and where it raises.
pub(super) struct Leaf {
    /// Where it is true.
    pub(super) holds: Expr,
    /// Where it raises; nothing if columns cannot tell.
    pub(super) raises: Option<Expr>,
}

impl Leaf {
    fn never_raises(holds: Expr) -> Self {
        Self { holds, raises: Some(Expr::Literal(false)) }
    }

    fn always_raises() -> Self {
        Self { holds: Expr::Literal(false), raises: Some(Expr::Literal(true)) }
    }

    /// Whether it never raises.
    pub(super) fn total(&self) -> bool {
        self.raises == Some(Expr::Literal(false))
    }

    fn negate(self) -> Option<Self> {
        let raises = self.raises?;
        let holds = Expr::all([raises.clone().negate(), self.holds.negate()]);
        Some(Self { holds, raises: Some(raises) })
    }
}

/// A constant.
#[derive(Clone, Debug)]
enum Constant {
    None,
    Value(Literal),
}

/// The types a property can have; what it does when compared follows from it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    OptionalText,
    Bool,
    Number,
    OptionalNumber,
    Time,
    OptionalTime,
    Texts,
}

/// The condition as columns, or nothing if it needs the row evaluator.
pub(super) fn leaf(expr: &PyExpr, entity: Entity, offset_minutes: i64) -> Option<Leaf> {
    let cx = Cx { entity, offset_minutes };
    match &expr.kind {
        PyKind::Compare { left, rest } => cx.comparison(left, rest),
        PyKind::Call { func, args, keywords } if keywords.is_empty() => cx.affix(func, args),
        _ => match cx.constant(expr) {
            Some(Constant::None) => Some(Leaf::never_raises(Expr::Literal(false))),
            Some(Constant::Value(value)) => Some(Leaf::never_raises(Expr::Literal(truthy(&value)))),
            None => {
                let access = access(expr, entity)?;
                cx.truthiness(&access, expr.span)
            }
        },
    }
}

fn truthy(value: &Literal) -> bool {
    match value {
        Literal::Bool(value) => *value,
        Literal::Int(value) => *value != 0,
        Literal::Float(value) => *value != 0.0,
        Literal::Text(value) => !value.is_empty(),
        Literal::Time(_) => true,
    }
}

struct Cx {
    entity: Entity,
    offset_minutes: i64,
}

impl Cx {
    /// `a < b`, `a < b < c` where every pair is a leaf of its own.
    fn comparison(&self, left: &PyExpr, rest: &[(py::CompareOp, PyExpr)]) -> Option<Leaf> {
        let mut at = left;
        let mut holds = vec![];
        let mut raises = Some(vec![]);
        for (op, right) in rest {
            let pair = self.pair(at, *op, right)?;
            // A later pair is looked at, and can raise, only where the earlier ones are true.
            raises = match (raises, pair.raises) {
                (Some(mut earlier), Some(this)) => {
                    earlier.push(Expr::all(holds.iter().cloned().chain([this])));
                    Some(earlier)
                }
                _ => None,
            };
            holds.push(pair.holds);
            at = right;
        }
        Some(Leaf { holds: Expr::all(holds), raises: raises.map(Expr::any) })
    }

    fn pair(&self, left: &PyExpr, op: py::CompareOp, right: &PyExpr) -> Option<Leaf> {
        type Py = py::CompareOp;
        if let Some(of) = access(left, self.entity) {
            let span = left.span;
            return match op {
                Py::In => self.membership(&of, span, right),
                Py::NotIn => self.membership(&of, span, right)?.negate(),
                Py::Is => self.identity(&of, span, &self.constant(right)?),
                Py::IsNot => self.identity(&of, span, &self.constant(right)?)?.negate(),
                Py::Eq => self.equality(&of, span, &self.constant(right)?),
                Py::NotEq => self.equality(&of, span, &self.constant(right)?)?.negate(),
                Py::Lt | Py::LtE | Py::Gt | Py::GtE => self.order(&of, span, order(op)?, &self.constant(right)?),
            };
        }
        let of = access(right, self.entity)?;
        let (constant, span) = (self.constant(left)?, right.span);
        match op {
            Py::Eq => self.equality(&of, span, &constant),
            Py::NotEq => self.equality(&of, span, &constant)?.negate(),
            Py::Lt | Py::LtE | Py::Gt | Py::GtE => self.order(&of, span, order(op)?.flipped(), &constant),
            Py::In => contains(&of, span, &constant),
            Py::NotIn => contains(&of, span, &constant)?.negate(),
            Py::Is | Py::IsNot => None,
        }
    }

    fn truthiness(&self, of: &Access, span: Span) -> Option<Leaf> {
        let attribute = attribute(of, span)?;
        let holds = match of {
            Access::Property(name) => match property_type(name)? {
                Type::Time => Expr::Literal(true),
                Type::OptionalTime => Expr::Present(attribute),
                _ => Expr::Truthy(attribute),
            },
            Access::Context(_) => {
                return Some(Leaf {
                    holds: Expr::Truthy(attribute.clone()),
                    raises: Some(Expr::Present(attribute).negate()),
                });
            }
            _ => Expr::Truthy(attribute),
        };
        Some(Leaf::never_raises(holds))
    }

    fn equality(&self, of: &Access, span: Span, constant: &Constant) -> Option<Leaf> {
        let attribute = attribute(of, span)?;
        let compare =
            |value: &Literal| Expr::Compare { attribute: attribute.clone(), op: CompareOp::Eq, value: value.clone() };
        match (of, constant) {
            (Access::Property(name), Constant::None) => Some(Leaf::never_raises(match property_type(name)? {
                Type::OptionalText | Type::OptionalNumber | Type::OptionalTime => Expr::Present(attribute).negate(),
                _ => Expr::Literal(false),
            })),
            (Access::Property(name), Constant::Value(value)) => {
                Some(Leaf::never_raises(if comparable(property_type(name)?, value) {
                    compare(value)
                } else {
                    Expr::Literal(false)
                }))
            }
            (Access::SeriesName, Constant::None) => Some(Leaf::never_raises(Expr::Literal(false))),
            (
                Access::SeriesName | Access::Param { .. } | Access::Summary { .. } | Access::SeriesSummary(_),
                Constant::Value(value),
            ) => Some(Leaf::never_raises(compare(value))),
            // What is missing at the first step equals None, what is missing further down does not.
            (Access::Param { nested: false, .. }, Constant::None) => Some(Leaf::never_raises(Expr::any([
                Expr::IsNull(attribute.clone()),
                Expr::Present(attribute).negate(),
            ]))),
            (Access::Param { nested: true, .. }, Constant::None) => Some(Leaf::never_raises(Expr::IsNull(attribute))),
            (Access::Summary { .. }, Constant::None) => Some(Leaf::never_raises(Expr::Literal(false))),
            (Access::SeriesSummary(_), Constant::None) => Some(Leaf::never_raises(Expr::Present(attribute).negate())),
            (Access::Context(_), constant) => {
                let holds = match constant {
                    Constant::None => Expr::IsNull(attribute.clone()),
                    Constant::Value(value) => compare(value),
                };
                Some(Leaf { holds, raises: Some(Expr::Present(attribute).negate()) })
            }
        }
    }

    fn order(&self, of: &Access, span: Span, op: CompareOp, constant: &Constant) -> Option<Leaf> {
        let attribute = attribute(of, span)?;
        let compare = |value: &Literal| Expr::Compare { attribute: attribute.clone(), op, value: value.clone() };
        match (of, constant) {
            (Access::Property(_) | Access::SeriesName, Constant::None) => Some(Leaf::always_raises()),
            (Access::SeriesName, Constant::Value(value)) => Some(match value {
                Literal::Text(_) => Leaf::never_raises(compare(value)),
                _ => Leaf::always_raises(),
            }),
            (Access::Property(name), Constant::Value(value)) => {
                let kind = property_type(name)?;
                if kind == Type::Bool {
                    return None;
                }
                if !comparable(kind, value) {
                    return Some(Leaf::always_raises());
                }
                let raises = match kind {
                    Type::OptionalText | Type::OptionalNumber | Type::OptionalTime => {
                        Expr::Present(attribute.clone()).negate()
                    }
                    _ => Expr::Literal(false),
                };
                Some(Leaf { holds: compare(value), raises: Some(raises) })
            }
            // Values of another type, and missing ones, are not ordered: false both ways.
            (Access::Param { .. } | Access::Summary { .. } | Access::SeriesSummary(_), Constant::Value(value)) => {
                Some(Leaf::never_raises(if matches!(value, Literal::Time(_)) {
                    Expr::Literal(false)
                } else {
                    compare(value)
                }))
            }
            (Access::Param { .. } | Access::Summary { .. } | Access::SeriesSummary(_), Constant::None) => {
                Some(Leaf::never_raises(Expr::Literal(false)))
            }
            (Access::Context(_), constant) => {
                let holds = match constant {
                    Constant::Value(value) if !matches!(value, Literal::Time(_)) => compare(value),
                    _ => Expr::Literal(false),
                };
                Some(Leaf { holds, raises: Some(Expr::Present(attribute).negate()) })
            }
        }
    }

    /// `is None`, `is True`, `is False`: plain objects are what they are, params and summaries are wrappers and never any
    /// of these.
    fn identity(&self, of: &Access, span: Span, constant: &Constant) -> Option<Leaf> {
        match (of, constant) {
            (Access::Property(_) | Access::SeriesName, Constant::None) => self.equality(of, span, constant),
            (Access::Property("archived" | "active"), Constant::Value(Literal::Bool(_))) => {
                self.equality(of, span, constant)
            }
            (Access::Param { .. } | Access::Summary { .. } | Access::SeriesSummary(_), Constant::None) => {
                Some(Leaf::never_raises(Expr::Literal(false)))
            }
            (Access::Context(_), Constant::None) => {
                let present = Expr::Present(attribute(of, span)?);
                Some(Leaf { holds: Expr::Literal(false), raises: Some(present.negate()) })
            }
            _ => None,
        }
    }

    /// `x in [1, 2]`: equality with one of them; in a set the value must be hashable, which a missing one is not.
    fn membership(&self, of: &Access, span: Span, container: &PyExpr) -> Option<Leaf> {
        let (items, set) = match &container.kind {
            PyKind::List(items) | PyKind::Tuple(items) => (items, false),
            PyKind::Set(items) => (items, true),
            _ => return None,
        };
        let mut holds = vec![];
        let mut raises = Some(match of {
            Access::Context(_) => Expr::Present(attribute(of, span)?).negate(),
            _ => Expr::Literal(false),
        });
        for item in items {
            let leaf = self.equality(of, span, &self.constant(item)?)?;
            holds.push(leaf.holds);
            raises = leaf.raises;
        }
        if set && !matches!(of, Access::Property("hash" | "name" | "experiment") | Access::SeriesName) {
            raises = None;
            if items.iter().any(|item| matches!(self.constant(item), Some(Constant::None))) {
                return None;
            }
        }
        Some(Leaf { holds: Expr::any(holds), raises })
    }

    /// `run.name.startswith('a')` on plain texts.
    fn affix(&self, func: &PyExpr, args: &[PyExpr]) -> Option<Leaf> {
        let PyKind::Attribute { value, name, .. } = &func.kind else { return None };
        let [PyExpr { kind: PyKind::Str(text), .. }] = args else { return None };
        let of = access(value, self.entity)?;
        if !matches!(of, Access::Property("hash" | "name" | "experiment") | Access::SeriesName) {
            return None;
        }
        let attribute = attribute(&of, value.span)?;
        let text = text.clone();
        Some(Leaf::never_raises(match name.as_str() {
            "startswith" => Expr::StartsWith { attribute, prefix: text },
            "endswith" => Expr::EndsWith { attribute, suffix: text },
            _ => return None,
        }))
    }

    fn constant(&self, expr: &PyExpr) -> Option<Constant> {
        Some(Constant::Value(match &expr.kind {
            PyKind::None => return Some(Constant::None),
            PyKind::Bool(value) => Literal::Bool(*value),
            PyKind::Int(number) => Literal::Int(number.to_i64()?),
            PyKind::Float(number) => Literal::Float(*number),
            PyKind::Str(text) => Literal::Text(text.clone()),
            PyKind::Unary { op: UnaryOp::Neg, operand } => match &operand.kind {
                PyKind::Int(number) => Literal::Int((-number).to_i64()?),
                PyKind::Float(number) => Literal::Float(-number),
                _ => return None,
            },
            PyKind::Call { func, args, keywords } => {
                let PyKind::Name(name) = &func.kind else { return None };
                if name != "datetime" || args.iter().any(|arg| matches!(arg.kind, PyKind::Starred(_))) {
                    return None;
                }
                let micros = datetime(args, keywords)?;
                Literal::Time(micros.checked_add(self.offset_minutes.checked_mul(60_000_000)?)?)
            }
            _ => return None,
        }))
    }
}

/// `'x' in run.name`, `'x' in run.tags`.
fn contains(of: &Access, span: Span, constant: &Constant) -> Option<Leaf> {
    let attribute = attribute(of, span)?;
    let Constant::Value(Literal::Text(needle)) = constant else { return None };
    let holds = Expr::Contains { attribute: attribute.clone(), needle: needle.clone() };
    match of {
        Access::SeriesName => Some(Leaf::never_raises(holds)),
        Access::Property(name) => match property_type(name)? {
            Type::Text | Type::Texts => Some(Leaf::never_raises(holds)),
            Type::OptionalText => Some(Leaf { holds, raises: Some(Expr::Present(attribute).negate()) }),
            _ => Some(Leaf::always_raises()),
        },
        _ => None,
    }
}

fn attribute(of: &Access, span: Span) -> Option<Attribute> {
    let place = match of {
        Access::Property(name) => {
            property_type(name)?;
            Place::Run((*name).to_owned())
        }
        Access::Param { path, .. } => Place::Param(path.clone()),
        Access::Summary { series, context, field } => {
            Place::Summary { series: series.clone(), context: context.clone(), field: field.clone() }
        }
        Access::SeriesName => Place::Series("name".into()),
        Access::SeriesSummary(field) => Place::Series((*field).to_owned()),
        Access::Context(path) => Place::Context(path.clone()),
    };
    Some(Attribute { place, span })
}

/// The type of a property that is a column as it is.
fn property_type(name: &str) -> Option<Type> {
    Some(match name {
        "hash" | "name" | "experiment" => Type::Text,
        "description" => Type::OptionalText,
        "archived" | "active" => Type::Bool,
        "duration" => Type::Number,
        "end_time" => Type::OptionalNumber,
        "created_at" => Type::Time,
        "finalized_at" => Type::OptionalTime,
        "tags" => Type::Texts,
        _ => return None,
    })
}

fn comparable(kind: Type, value: &Literal) -> bool {
    match value {
        Literal::Bool(_) | Literal::Int(_) | Literal::Float(_) => {
            matches!(kind, Type::Bool | Type::Number | Type::OptionalNumber)
        }
        Literal::Text(_) => matches!(kind, Type::Text | Type::OptionalText),
        Literal::Time(_) => matches!(kind, Type::Time | Type::OptionalTime),
    }
}

fn order(op: py::CompareOp) -> Option<CompareOp> {
    Some(match op {
        py::CompareOp::Lt => CompareOp::Lt,
        py::CompareOp::LtE => CompareOp::LtEq,
        py::CompareOp::Gt => CompareOp::Gt,
        py::CompareOp::GtE => CompareOp::GtEq,
        py::CompareOp::Eq
        | py::CompareOp::NotEq
        | py::CompareOp::Is
        | py::CompareOp::IsNot
        | py::CompareOp::In
        | py::CompareOp::NotIn => return None,
    })
}

/// Microseconds since 1970 of `datetime(year, month, day, …)` with constant parts; nothing if they are not a date.
fn datetime(args: &[PyExpr], keywords: &[(Option<String>, PyExpr)]) -> Option<i64> {
    const NAMES: [&str; 7] = ["year", "month", "day", "hour", "minute", "second", "microsecond"];
    let mut parts: [Option<i64>; 7] = [None; 7];
    let number = |expr: &PyExpr| match &expr.kind {
        PyKind::Int(number) => number.to_i64(),
        _ => None,
    };
    for (index, arg) in args.iter().enumerate() {
        *parts.get_mut(index)? = Some(number(arg)?);
    }
    for (name, value) in keywords {
        let index = NAMES.iter().position(|known| Some(*known) == name.as_deref())?;
        let slot = parts.get_mut(index)?;
        if slot.is_some() {
            return None;
        }
        *slot = Some(number(value)?);
    }
    let [year, month, day, hour, minute, second, micro] = parts;
    let (year, month, day) = (year?, month?, day?);
    let clock = [hour, minute, second, micro].map(Option::unwrap_or_default);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let in_range = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days).contains(&day)
        && clock.iter().zip([24, 60, 60, 1_000_000]).all(|(part, end)| (0..end).contains(part));
    if !in_range {
        return None;
    }
    let [hour, minute, second, micro] = clock;
    Some((((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + micro)
}

/// Days of the proleptic Gregorian calendar, counted in years that begin in March so that a leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}
