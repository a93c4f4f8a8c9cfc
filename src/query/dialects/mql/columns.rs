//! Attributes: the words without a dot that have a meaning of their own, and conditions on them.
//!
//! They follow SQL: nothing compares with a missing value, in neither direction.

use super::lower::{Truth, type_error};
use super::regex::{Flags, translate};
use super::tree::{Constant, Op, Operand, Part, Value};
use super::value;
use crate::diagnostic::{Diagnostic, Kind};
use crate::model::{ColumnCheck, ColumnTest, Expr, ItemOp, Literal, RowKind};

/// Types of attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnType {
    Text,
    Int,
    Bool,
    Time,
    /// A dictionary of texts.
    Dictionary,
}

impl ColumnType {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Int => "a whole number",
            Self::Bool => "true or false",
            Self::Time => "a time",
            Self::Dictionary => "a dictionary",
        }
    }
}

/// The column that a word names and its type.
pub(super) fn find(kind: RowKind, word: &str) -> Option<(&'static str, ColumnType)> {
    let common = match word {
        "creator" => Some(("creator", ColumnType::Text)),
        "created_timestamp" => Some(("created_timestamp", ColumnType::Time)),
        "namespace" => Some(("namespace", ColumnType::Text)),
        "name" => Some(("name", ColumnType::Text)),
        _ => None,
    };
    let own = match (kind, word) {
        (RowKind::Files, "fid" | "id") => Some(("fid", ColumnType::Text)),
        (RowKind::Files, "size") => Some(("size", ColumnType::Int)),
        (RowKind::Files, "retired") => Some(("retired", ColumnType::Bool)),
        (RowKind::Files, "retired_by") => Some(("retired_by", ColumnType::Text)),
        (RowKind::Files, "retired_timestamp") => Some(("retired_timestamp", ColumnType::Time)),
        (RowKind::Files, "checksums") => Some(("checksums", ColumnType::Dictionary)),
        (RowKind::Files | RowKind::Datasets, "updated_by") => Some(("updated_by", ColumnType::Text)),
        (RowKind::Files | RowKind::Datasets, "updated_timestamp") => Some(("updated_timestamp", ColumnType::Time)),
        (RowKind::Datasets | RowKind::Queries, "description") => Some(("description", ColumnType::Text)),
        (RowKind::Datasets, "frozen") => Some(("frozen", ColumnType::Bool)),
        (RowKind::Datasets, "monotonic") => Some(("monotonic", ColumnType::Bool)),
        (RowKind::Datasets, "file_count") => Some(("file_count", ColumnType::Int)),
        _ => None,
    };
    common.or(own)
}

/// A column and where it was named.
pub(super) struct Column<'a> {
    pub(super) name: &'static str,
    pub(super) column_type: ColumnType,
    pub(super) operand: &'a Operand,
}

impl Column<'_> {
    fn test(&self, check: ColumnCheck) -> Expr {
        Expr::Column(Box::new(ColumnTest { column: self.name.to_owned(), span: self.operand.span, check }))
    }

    fn null(&self) -> Expr {
        self.test(ColumnCheck::Null)
    }

    /// True where the test holds, false where it does not though there is a value.
    fn where_there(&self, check: ColumnCheck) -> Truth {
        let holds = self.test(check);
        let fails = Expr::all([self.null().negate(), holds.clone().negate()]);
        Truth { holds, fails }
    }

    /// Attributes take no subscripts, but a dictionary has members.
    pub(super) fn check_part(&self) -> Result<(), Diagnostic> {
        match &self.operand.part {
            Part::Whole => Ok(()),
            Part::Member(_) if self.column_type == ColumnType::Dictionary => Ok(()),
            Part::Any | Part::All | Part::Index(_) | Part::Member(_) | Part::Length => {
                let message = format!("`{}` is {}, not a list", self.operand.word, self.column_type.name());
                Err(Diagnostic::error(Kind::Type, message).label(self.operand.span, ""))
            }
        }
    }

    pub(super) fn present(&self) -> Truth {
        let absent = match self.column_type {
            // No checksums are as good as an empty dictionary of them.
            ColumnType::Dictionary => {
                let empty = ColumnCheck::Compare(ItemOp::Eq, Literal::Text("{}".into()));
                Expr::any([self.null(), self.test(empty)])
            }
            ColumnType::Text | ColumnType::Int | ColumnType::Bool | ColumnType::Time => self.null(),
        };
        Truth { holds: absent.clone().negate(), fails: absent }
    }

    pub(super) fn compare(&self, op: Op, right: &Constant) -> Result<Truth, Diagnostic> {
        let op = match op {
            Op::Lt => ItemOp::Lt,
            Op::LtEq => ItemOp::LtEq,
            Op::Gt => ItemOp::Gt,
            Op::GtEq => ItemOp::GtEq,
            Op::Eq => ItemOp::Eq,
            Op::NotEq => ItemOp::NotEq,
            Op::Match { negated, any_case } => {
                let pattern = translate(&self.pattern(right)?, Flags { any_case, newlines: true }, right.span)?;
                let truth = self.where_there(ColumnCheck::Matches(pattern));
                return Ok(if negated { truth.negate() } else { truth });
            }
            Op::Like => return Ok(self.where_there(ColumnCheck::Like(self.pattern(right)?))),
        };
        if let Part::Member(key) = &self.operand.part {
            let (Value::Text(text) | Value::Word(text)) = &right.value else { return Err(self.wrong(right)) };
            let test = |op| self.test(ColumnCheck::Member(key.clone(), op, text.clone()));
            return Ok(Truth { holds: test(op), fails: test(op.opposite()) });
        }
        if right.value == Value::Null {
            return match op {
                ItemOp::Eq => Ok(Truth { holds: self.null(), fails: self.null().negate() }),
                ItemOp::NotEq => Ok(Truth { holds: self.null().negate(), fails: self.null() }),
                _ => Err(self.wrong(right)),
            };
        }
        if let Value::Day(start) = right.value {
            return self.day(op, start, right);
        }
        let literal = self.literal(right)?;
        if self.column_type == ColumnType::Dictionary && !matches!(op, ItemOp::Eq | ItemOp::NotEq) {
            return Err(self.wrong(right));
        }
        Ok(self.compare_with(op, &literal))
    }

    fn compare_with(&self, op: ItemOp, literal: &Literal) -> Truth {
        let test = |op| self.test(ColumnCheck::Compare(op, literal.clone()));
        Truth { holds: test(op), fails: test(op.opposite()) }
    }

    /// A day is all its seconds.
    fn day(&self, op: ItemOp, start: f64, right: &Constant) -> Result<Truth, Diagnostic> {
        if self.column_type != ColumnType::Time {
            return Err(self.wrong(right));
        }
        let at = |op, seconds: f64| self.compare_with(op, &Literal::Time(micros(seconds)));
        let end = start + super::lower::DAY;
        Ok(match op {
            ItemOp::Eq => at(ItemOp::GtEq, start).and(at(ItemOp::Lt, end)),
            ItemOp::NotEq => at(ItemOp::GtEq, start).and(at(ItemOp::Lt, end)).negate(),
            ItemOp::Lt => at(ItemOp::Lt, start),
            ItemOp::GtEq => at(ItemOp::GtEq, start),
            ItemOp::LtEq => at(ItemOp::Lt, end),
            ItemOp::Gt => at(ItemOp::GtEq, end),
        })
    }

    pub(super) fn range(&self, low: &Constant, high: &Constant) -> Result<Truth, Diagnostic> {
        let least = self.compare(Op::GtEq, low)?;
        Ok(least.and(self.compare(Op::LtEq, high)?))
    }

    pub(super) fn set(&self, values: &[Constant]) -> Result<Truth, Diagnostic> {
        if matches!(self.operand.part, Part::Member(_)) || self.column_type == ColumnType::Dictionary {
            let each = values.iter().map(|value| self.compare(Op::Eq, value)).collect::<Result<Vec<_>, _>>()?;
            return Ok(Truth::any(each));
        }
        let mut literals = vec![];
        for value in values {
            if matches!(value.value, Value::Day(_)) {
                return Err(type_error("a set cannot hold days", value).hint("write a range: `in date(…):date(…)`"));
            }
            literals.push(self.literal(value)?);
        }
        Ok(self.where_there(ColumnCheck::In(literals)))
    }

    fn pattern(&self, right: &Constant) -> Result<String, Diagnostic> {
        match (&right.value, self.column_type, &self.operand.part) {
            (Value::Text(text) | Value::Word(text), ColumnType::Text, _) => Ok(text.clone()),
            (Value::Text(_) | Value::Word(_), other, _) => {
                let message = format!("`{}` is {}: patterns are for texts", self.operand.word, other.name());
                let problem = Diagnostic::error(Kind::Type, message).label(self.operand.span, "");
                Err(match other {
                    ColumnType::Dictionary => problem.hint(format!("write {}[\"key\"] = …", self.operand.word)),
                    _ => problem,
                })
            }
            _ => Err(type_error("a pattern has to be a text", right).hint("put it in quotes")),
        }
    }

    /// The constant as a value of the column's type.
    fn literal(&self, constant: &Constant) -> Result<Literal, Diagnostic> {
        let wrong = || self.wrong(constant);
        match (self.column_type, &constant.value) {
            (ColumnType::Text, Value::Text(text) | Value::Word(text)) => Ok(Literal::Text(text.clone())),
            (ColumnType::Int, Value::Int(digits)) => Ok(integer(digits)),
            (ColumnType::Int, Value::Float(number)) => Ok(Literal::Float(*number)),
            (ColumnType::Int, Value::Text(text)) if value::is_int(text.trim()) => Ok(integer(text.trim())),
            (ColumnType::Bool, Value::Bool(value)) => Ok(Literal::Bool(*value)),
            (ColumnType::Bool, Value::Text(text)) => match text.to_ascii_lowercase().as_str() {
                "true" | "t" | "yes" | "on" | "1" => Ok(Literal::Bool(true)),
                "false" | "f" | "no" | "off" | "0" => Ok(Literal::Bool(false)),
                _ => Err(wrong()),
            },
            (ColumnType::Time, Value::Text(text) | Value::Word(text)) => {
                let seconds = value::instant(text)
                    .ok_or_else(|| wrong().hint("write \"2024-01-31\" or \"2024-01-31 12:00:00+01:00\""))?;
                Ok(Literal::Time(micros(seconds)))
            }
            (ColumnType::Time, Value::Int(digits)) => match digits.parse::<f64>() {
                Ok(seconds) => Ok(Literal::Time(micros(seconds))),
                Err(_) => Err(wrong()),
            },
            (ColumnType::Time, Value::Float(seconds) | Value::Moment(seconds)) => Ok(Literal::Time(micros(*seconds))),
            (ColumnType::Dictionary, Value::Text(text)) => match serde_json::from_str::<serde_json::Value>(text) {
                Ok(json) => Ok(Literal::Text(json.to_string())),
                Err(_) => Err(wrong().hint("only a whole JSON dictionary can be compared, such as \"{}\"")),
            },
            _ => Err(wrong()),
        }
    }

    fn wrong(&self, constant: &Constant) -> Diagnostic {
        let message =
            format!("`{}` is {} and cannot be compared with this", self.operand.word, self.column_type.name());
        let problem = type_error(message, constant);
        match (self.column_type, &constant.value) {
            (ColumnType::Text, Value::Int(_) | Value::Float(_) | Value::Bool(_)) => problem.hint("put it in quotes"),
            _ => problem,
        }
    }
}

fn integer(digits: &str) -> Literal {
    match digits.parse() {
        Ok(number) => Literal::Int(number),
        // Beyond 64 bits only the side counts.
        Err(_) => Literal::Float(digits.parse().unwrap_or(f64::INFINITY)),
    }
}

fn micros(seconds: f64) -> i64 {
    // Saturates, which is far enough for times.
    (seconds * 1e6).round() as i64
}
