//! Conditions to predicates: the three states of a comparison written out as two predicates.

use super::columns::{self, Column};
use super::regex::{Flags, translate};
use super::tree::{Constant, Meta, Op, Operand, Part, Value};
use super::value;
use crate::diagnostic::{Diagnostic, Kind, did_you_mean};
use crate::model::{Expr, ItemOp, ItemTest, Items, RowKind, Scalar, Scope, Step};

/// Seconds of a day.
pub(super) const DAY: f64 = 86_400.0;

/// Where a condition is true and where it is false; in between it is unknown.
#[derive(Clone)]
pub(super) struct Truth {
    pub(super) holds: Expr,
    pub(super) fails: Expr,
}

impl Truth {
    /// A condition that is never unknown.
    fn of(holds: Expr) -> Self {
        Self { fails: holds.clone().negate(), holds }
    }

    pub(super) fn negate(self) -> Self {
        Self { holds: self.fails, fails: self.holds }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self { holds: Expr::all([self.holds, other.holds]), fails: Expr::any([self.fails, other.fails]) }
    }

    pub(super) fn any(parts: Vec<Self>) -> Self {
        let (holds, fails): (Vec<_>, Vec<_>) = parts.into_iter().map(|part| (part.holds, part.fails)).unzip();
        Self { holds: Expr::any(holds), fails: Expr::all(fails) }
    }

    fn all(parts: Vec<Self>) -> Self {
        Self::any(parts.into_iter().map(Self::negate).collect()).negate()
    }
}

/// What conditions are about.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub(super) kind: RowKind,
    /// Whether a word without a dot that is no attribute names a parameter.
    pub(super) bare_keys: bool,
}

/// Words that belong to the language or the data model, so that a parameter of that name is surely a mistake.
const STRUCTURE: [&str; 5] = ["parents", "children", "datasets", "metadata", "files"];

pub(super) fn type_error(message: impl Into<String>, constant: &Constant) -> Diagnostic {
    Diagnostic::error(Kind::Type, message).label(constant.span, "")
}

impl Subject {
    /// Where the condition is true.
    pub(super) fn condition(self, meta: &Meta) -> Result<Expr, Diagnostic> {
        Ok(self.truth(meta)?.holds)
    }

    fn truth(self, meta: &Meta) -> Result<Truth, Diagnostic> {
        match meta {
            Meta::And(parts) => Ok(Truth::all(parts.iter().map(|part| self.truth(part)).collect::<Result<_, _>>()?)),
            Meta::Or(parts) => Ok(Truth::any(parts.iter().map(|part| self.truth(part)).collect::<Result<_, _>>()?)),
            Meta::Not(inner) => Ok(self.truth(inner)?.negate()),
            Meta::Compare { left, op, right } => match self.column(left)? {
                Some(column) => column.compare(*op, right),
                None => compare(left, *op, right),
            },
            Meta::Range { left, negated, low, high } => {
                let truth = match self.column(left)? {
                    Some(column) => column.range(low, high)?,
                    None => return range(left, *negated, low, high),
                };
                Ok(if *negated { truth.negate() } else { truth })
            }
            Meta::Set { left, negated, values } => {
                let truth = match self.column(left)? {
                    Some(column) => column.set(values)?,
                    None => {
                        let days = values.iter().find(|value| matches!(value.value, Value::Day(_)));
                        if let Some(day) = days {
                            let problem = type_error("a set cannot hold days", day);
                            return Err(problem.hint("write a range: `in date(…):date(…)`"));
                        }
                        let values = values.iter().map(|value| value::scalar(&value.value)).collect();
                        return Ok(membership(left, *negated, ItemTest::In(values)));
                    }
                };
                Ok(if *negated { truth.negate() } else { truth })
            }
            Meta::Present { left, negated } => {
                let truth = match self.column(left)? {
                    Some(column) => column.present(),
                    None if left.part == Part::Whole => Truth::of(some(left, opened(0), ItemTest::Anything)),
                    None => Truth::of(some(left, scope(&left.part, 0), ItemTest::Anything)),
                };
                Ok(if *negated { truth.negate() } else { truth })
            }
            Meta::Contains { value, negated, key } => {
                if let Some(column) = self.column(key)? {
                    let message = format!("`{}` is an attribute, not a list", column.operand.word);
                    return Err(Diagnostic::error(Kind::Type, message).label(key.span, ""));
                }
                let truth = contains(value, key)?;
                Ok(if *negated { truth.negate() } else { truth })
            }
        }
    }

    /// The attribute that an operand names; nothing for a parameter.
    fn column<'a>(self, operand: &'a Operand) -> Result<Option<Column<'a>>, Diagnostic> {
        let word = operand.word.as_str();
        if word.contains('.') {
            return Ok(None);
        }
        if let Some((name, column_type)) = columns::find(self.kind, word) {
            let column = Column { name, column_type, operand };
            column.check_part()?;
            return Ok(Some(column));
        }
        if self.bare_keys && !STRUCTURE.contains(&word) {
            return Ok(None);
        }
        let what = match self.kind {
            RowKind::Files => "files have",
            RowKind::Datasets => "datasets have",
            RowKind::Queries => "saved queries have",
        };
        let problem = Diagnostic::error(Kind::NotFound, format!("{what} no attribute `{word}`"));
        let problem = problem.label(operand.span, "");
        let known = ["creator", "created_timestamp", "namespace", "name", "size", "frozen", "monotonic", "file_count"];
        let known = known.into_iter().filter(|name| columns::find(self.kind, name).is_some());
        Err(match (word, did_you_mean(word, known)) {
            ("parents" | "children", _) => problem.hint(format!("`{word}(files …)` follows provenance")),
            (_, Some(near)) => problem.hint(format!("did you mean `{near}`?")),
            _ => problem.hint("names of metadata parameters have a dot in them"),
        })
    }
}

/// Lists opened so many times, dictionaries not.
fn opened(unwrap: u8) -> Scope {
    Scope { step: None, unwrap, values: false }
}

/// The items that a part stands for.
fn scope(part: &Part, unwrap: u8) -> Scope {
    match part {
        Part::Whole | Part::Length => opened(unwrap),
        Part::Any | Part::All => Scope { step: None, unwrap: 2, values: true },
        Part::Index(index) => Scope { step: Some(Step::Index(*index)), unwrap, values: false },
        Part::Member(key) => Scope { step: Some(Step::Member(key.clone())), unwrap, values: false },
    }
}

fn some(operand: &Operand, scope: Scope, test: ItemTest) -> Expr {
    Expr::Items(Box::new(Items { key: operand.word.clone(), span: operand.span, scope, test }))
}

fn compare(left: &Operand, op: Op, right: &Constant) -> Result<Truth, Diagnostic> {
    let op = match op {
        Op::Lt => ItemOp::Lt,
        Op::LtEq => ItemOp::LtEq,
        Op::Gt => ItemOp::Gt,
        Op::GtEq => ItemOp::GtEq,
        Op::Eq => ItemOp::Eq,
        Op::NotEq => ItemOp::NotEq,
        Op::Match { negated, any_case } => {
            let pattern = translate(&pattern(right)?, Flags { any_case, newlines: false }, right.span)?;
            let test = if negated { ItemTest::Lacks(pattern) } else { ItemTest::Matches(pattern) };
            return Ok(textual(left, test));
        }
        Op::Like => return Ok(textual(left, ItemTest::Like(pattern(right)?))),
    };
    if left.part == Part::Length && !matches!(right.value, Value::Int(_) | Value::Float(_)) {
        return Err(type_error("a length is a number", right));
    }
    let Value::Day(start) = right.value else { return Ok(compare_with(left, op, &value::scalar(&right.value))) };
    let at = |op, seconds| compare_with(left, op, &Scalar::Number(value::decimal(seconds)));
    let end = start + DAY;
    Ok(match op {
        ItemOp::Eq => at(ItemOp::GtEq, start).and(at(ItemOp::Lt, end)),
        ItemOp::NotEq => Truth::any(vec![at(ItemOp::Lt, start), at(ItemOp::GtEq, end)]),
        ItemOp::Lt => at(ItemOp::Lt, start),
        ItemOp::GtEq => at(ItemOp::GtEq, start),
        ItemOp::LtEq => at(ItemOp::Lt, end),
        ItemOp::Gt => at(ItemOp::GtEq, end),
    })
}

/// A comparison: unknown if some item cannot be compared and none that can decides it.
fn compare_with(left: &Operand, op: ItemOp, value: &Scalar) -> Truth {
    let scope = scope(&left.part, 1);
    match left.part {
        // «All compare so» is «none compares the other way».
        Part::All => {
            let any = Operand { part: Part::Any, ..left.clone() };
            compare_with(&any, op.opposite(), value).negate()
        }
        Part::Length => {
            let holds = some(left, opened(0), ItemTest::Length(Box::new(ItemTest::Compare(op, value.clone()))));
            let list = some(left, opened(0), ItemTest::IsList);
            Truth { fails: Expr::all([list, holds.clone().negate()]), holds }
        }
        Part::Whole | Part::Any | Part::Index(_) | Part::Member(_) => {
            let holds = some(left, scope.clone(), ItemTest::Compare(op, value.clone()));
            let mut fails = vec![holds.clone().negate()];
            if *value != Scalar::Null {
                fails.push(some(left, scope, ItemTest::Incomparable(value.clone())).negate());
            }
            Truth { holds, fails: Expr::all(fails) }
        }
    }
}

/// A pattern: never unknown.
fn textual(left: &Operand, test: ItemTest) -> Truth {
    match left.part {
        Part::All => Truth::of(some(left, scope(&left.part, 2), ItemTest::Not(Box::new(test)))).negate(),
        // A length is no text.
        Part::Length => Truth::of(Expr::Literal(false)),
        Part::Whole | Part::Any | Part::Index(_) | Part::Member(_) => Truth::of(some(left, scope(&left.part, 2), test)),
    }
}

/// A set or range: never unknown, but for lengths of what is no list.
fn membership(left: &Operand, negated: bool, test: ItemTest) -> Truth {
    let scope = scope(&left.part, 2);
    match (&left.part, negated) {
        (Part::Any, true) => Truth::of(some(left, scope, ItemTest::Not(Box::new(test)))),
        (Part::All, false) => Truth::of(some(left, scope, ItemTest::Not(Box::new(test)))).negate(),
        (Part::All, true) => Truth::of(some(left, scope, test)).negate(),
        (Part::Length, _) => {
            let holds = some(left, opened(0), ItemTest::Length(Box::new(test)));
            let list = some(left, opened(0), ItemTest::IsList);
            let truth = Truth { fails: Expr::all([list, holds.clone().negate()]), holds };
            if negated { truth.negate() } else { truth }
        }
        (Part::Whole | Part::Any | Part::Index(_) | Part::Member(_), false) => Truth::of(some(left, scope, test)),
        (Part::Whole | Part::Index(_) | Part::Member(_), true) => Truth::of(some(left, scope, test)).negate(),
    }
}

fn range(left: &Operand, negated: bool, low: &Constant, high: &Constant) -> Result<Truth, Diagnostic> {
    if let (Value::Day(start), Value::Day(end)) = (&low.value, &high.value) {
        // Two comparisons, so that a list may satisfy them by different elements.
        let at = |op, seconds| compare_with(left, op, &Scalar::Number(value::decimal(seconds)));
        let end = end + DAY;
        return Ok(match negated {
            false => at(ItemOp::GtEq, *start).and(at(ItemOp::Lt, end)),
            true => Truth::any(vec![at(ItemOp::Lt, *start), at(ItemOp::GtEq, end)]),
        });
    }
    let (least, most) = (value::scalar(&low.value), value::scalar(&high.value));
    let day = matches!(low.value, Value::Day(_)) || matches!(high.value, Value::Day(_));
    let alike = match (&least, &most) {
        (Scalar::Number(_), Scalar::Number(_)) => !day,
        (Scalar::Text(_), Scalar::Text(_)) | (Scalar::Bool(_), Scalar::Bool(_)) => true,
        _ => false,
    };
    if !alike {
        let problem = Diagnostic::error(Kind::Type, "both ends of a range have to be of one type");
        return Err(problem.label(high.span, "").label(low.span, ""));
    }
    Ok(membership(left, negated, ItemTest::Between(least, most)))
}

/// `v in key`: an element, or a piece of a text as a pattern.
fn contains(value: &Constant, key: &Operand) -> Result<Truth, Diagnostic> {
    if key.part != Part::Whole {
        let problem = Diagnostic::error(Kind::Syntax, "a subscript cannot stand here").label(key.span, "");
        return Err(problem.hint("write `name[any] = value`"));
    }
    if let Value::Day(_) = value.value {
        return Err(type_error("a day is no element", value).hint("write `name[any] = date(…)`"));
    }
    let scalar = value::scalar(&value.value);
    let any = Operand { part: Part::Any, ..key.clone() };
    let element = compare_with(&any, ItemOp::Eq, &scalar);
    let Scalar::Text(text) = scalar else { return Ok(element) };
    let flags = Flags { any_case: false, newlines: false };
    let piece = Truth::of(some(key, opened(2), ItemTest::Matches(translate(&text, flags, value.span)?)));
    Ok(Truth::any(vec![element, piece]))
}

fn pattern(right: &Constant) -> Result<String, Diagnostic> {
    match &right.value {
        Value::Text(text) => Ok(value::unescape(text)),
        Value::Word(text) => Ok(text.clone()),
        Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Null | Value::Moment(_) | Value::Day(_) => {
            Err(type_error("a pattern has to be a text", right).hint("put it in quotes"))
        }
    }
}
