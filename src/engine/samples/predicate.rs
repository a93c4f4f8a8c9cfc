//! Sets of samples to predicates over runs of equal samples.
//!
//! Conditions are SQL's: where a value is missing they are null, which keeps a row as little as false does. Only what is
//! taken away needs care: everything is kept of which the condition is not true.

use crate::{Error, Result};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Expr, ScalarUDF, cast, lit};
use lakeql_lake::catalog::samples::{Property, PropertyKind};
use lakeql_query::diagnostic::{Diagnostic, Kind, Severity, did_you_mean};
use lakeql_query::model::{CompareOp, Condition, Literal, PropertyTest, SAMPLE_IDS, SampleSet, Unknown};
use lakeql_query::syntax::time::parse_iso;
use std::sync::{Arc, LazyLock};

/// The properties of a collection, and what was found while looking at conditions.
pub(super) struct Resolving<'a> {
    pub(super) properties: &'a [Property],
    pub(super) collection: &'a str,
    pub(super) notes: Vec<Diagnostic>,
    /// Positions at which a run must not go on, because a condition may change there.
    pub(super) cuts: Vec<i64>,
    /// Whether texts are read as something else, which may fail.
    pub(super) reads: bool,
}

static HAS_ANY: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::from(lakeql_udfs::scalar::has_any::HasAny::new())));

/// A column by its name, whatever characters are in it.
pub(super) fn column(name: &str) -> Expr {
    Expr::Column(Column::from_name(name))
}

/// Where a property is, and what its values are.
struct Found {
    column: Expr,
    kind: PropertyKind,
    multiple: bool,
}

impl Resolving<'_> {
    /// The predicate of a set, or nothing if no condition is left in it.
    pub(super) fn set(&mut self, set: &SampleSet) -> Result<Option<Expr>> {
        match set {
            SampleSet::Everything => Ok(None),
            SampleSet::Where(condition) => self.condition(condition),
            SampleSet::All(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.set(part)).collect::<Result<_>>()?;
                Ok(balanced(parts.into_iter().flatten().collect(), Expr::and))
            }
            SampleSet::Any { parts, skips_unconditional } => {
                let parts: Vec<_> = parts.iter().map(|part| self.set(part)).collect::<Result<_>>()?;
                if !skips_unconditional && parts.iter().any(Option::is_none) {
                    return Ok(None);
                }
                Ok(balanced(parts.into_iter().flatten().collect(), Expr::or))
            }
            SampleSet::Without(left, right) => {
                let left = self.set(left)?;
                let Some(right) = self.set(right)? else { return Ok(Some(lit(false))) };
                let kept = right.is_not_true();
                Ok(Some(match left {
                    Some(left) => left.and(kept),
                    None => kept,
                }))
            }
        }
    }

    fn condition(&mut self, condition: &Condition) -> Result<Option<Expr>> {
        let Some(found) = self.find(condition)? else { return Ok(None) };
        let column = || found.column.clone();
        let test = if found.multiple { &condition.several } else { &condition.single };
        let expr = match test {
            PropertyTest::Refused(problem) => return Err(problem.as_ref().clone().into()),
            PropertyTest::Literal(holds) => lit(*holds),
            PropertyTest::Missing(true) => column().is_null(),
            PropertyTest::Missing(false) => column().is_not_null(),
            PropertyTest::OneOf(values) => match self.any_of(&found, condition, values)? {
                Some(any) => any,
                None => lit(false),
            },
            PropertyTest::NoneOf(values) => match self.any_of(&found, condition, values)? {
                Some(Expr::InList(mut list)) => {
                    list.negated = true;
                    Expr::InList(list)
                }
                Some(any) => !any,
                None => column().is_not_null(),
            },
            PropertyTest::Compare(op, values) => {
                let mut parts = vec![];
                for value in values {
                    let (op, value) = ordered(*op, value, found.kind);
                    let value = lit(self.typed(&found, condition, &value)?);
                    parts.push(match op {
                        CompareOp::Eq => column().eq(value),
                        CompareOp::Lt => column().lt(value),
                        CompareOp::LtEq => column().lt_eq(value),
                        CompareOp::Gt => column().gt(value),
                        CompareOp::GtEq => column().gt_eq(value),
                    });
                }
                balanced(parts, Expr::or).unwrap_or(lit(false))
            }
        };
        Ok(Some(expr))
    }

    fn find(&mut self, condition: &Condition) -> Result<Option<Found>> {
        let name = condition.property.as_str();
        if let Some(property) = self.properties.iter().find(|property| property.name == name) {
            let Property { kind, multiple, .. } = *property;
            return Ok(Some(Found { column: column(property.field().name()), kind, multiple }));
        }
        if SAMPLE_IDS.contains(&name) {
            let stored = match name {
                "dataset_id" => "dataset",
                "file_id" => "file",
                _ => "start",
            };
            if stored == "start" {
                self.cut_at(condition);
            }
            return Ok(Some(Found { column: column(stored), kind: PropertyKind::Int, multiple: false }));
        }
        let problem = self.unknown(name).label(condition.span, "");
        match condition.unknown {
            Unknown::Refused => Err(problem.into()),
            Unknown::LeftOut => {
                let message = format!("the condition is left out: {}", problem.message);
                self.notes.push(Diagnostic { severity: Severity::Note, message, ..problem });
                Ok(None)
            }
        }
    }

    /// That there is no property of this name.
    pub(super) fn unknown(&self, name: &str) -> Diagnostic {
        let message = format!("the collection `{}` has no property `{name}`", self.collection);
        let problem = Diagnostic::error(Kind::NotFound, message);
        let names: Vec<&str> = self.properties.iter().map(|property| property.name.as_str()).collect();
        let near = names.iter().find(|known| known.eq_ignore_ascii_case(name)).copied();
        match near.or_else(|| did_you_mean(name, names.iter().copied())) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(format!("properties are {}", names.join(", "))),
        }
    }

    /// Conditions on positions change at their values and behind them.
    fn cut_at(&mut self, condition: &Condition) {
        let (PropertyTest::OneOf(values) | PropertyTest::NoneOf(values) | PropertyTest::Compare(_, values)) =
            &condition.single
        else {
            return;
        };
        for value in values {
            let at = match value {
                Literal::Int(at) => *at,
                Literal::Float(at) => at.floor() as i64,
                Literal::Bool(_) | Literal::Text(_) | Literal::Time(_) => continue,
            };
            self.cuts.extend([at, at.saturating_add(1)]);
        }
    }

    /// That a value, or one of the values of a list, is one of these; nothing if none of these can be one.
    fn any_of(&mut self, found: &Found, condition: &Condition, values: &[Literal]) -> Result<Option<Expr>> {
        let mut column = found.column.clone();
        let reads = condition.reads_texts && found.kind == PropertyKind::Text && !found.multiple;
        let mut typed: Vec<ScalarValue> = vec![];
        if let Some(data_type) = reads.then(|| reading(values)).flatten() {
            self.reads = true;
            column = cast(column, data_type.clone());
            for value in values {
                typed.push(match (value, &data_type) {
                    (Literal::Bool(flag), _) => ScalarValue::Boolean(Some(*flag)),
                    (Literal::Int(number), DataType::Int64) => ScalarValue::Int64(Some(*number)),
                    (Literal::Int(number), _) => ScalarValue::Float64(Some(*number as f64)),
                    (Literal::Float(number), _) => ScalarValue::Float64(Some(*number)),
                    (Literal::Text(_) | Literal::Time(_), _) => continue,
                });
            }
        } else {
            for value in values {
                // No whole number equals a fraction.
                if let (PropertyKind::Int, Literal::Float(number)) = (found.kind, value)
                    && number.fract() != 0.0
                {
                    continue;
                }
                typed.push(self.typed(found, condition, value)?);
            }
        }
        let Some(first) = typed.first() else { return Ok(None) };
        if found.multiple {
            let list = ScalarValue::new_list_nullable(&typed, &first.data_type());
            return Ok(Some(HAS_ANY.call(vec![column, lit(ScalarValue::List(list))])));
        }
        Ok(Some(match typed.as_slice() {
            [one] => column.eq(lit(one.clone())),
            _ => column.in_list(typed.into_iter().map(lit).collect(), false),
        }))
    }

    /// A constant as a value of the property.
    fn typed(&self, found: &Found, condition: &Condition, value: &Literal) -> Result<ScalarValue> {
        let wrong = |hint: Option<String>| -> Result<ScalarValue> {
            let shown = match value {
                Literal::Text(text) => format!("the text {text:?}"),
                Literal::Bool(flag) => format!("the truth value {flag}"),
                other => format!("the number {other}"),
            };
            let holds = match (found.multiple, found.kind) {
                (_, PropertyKind::Text) => "texts",
                (_, PropertyKind::Int) => "whole numbers",
                (_, PropertyKind::Float) => "numbers",
                (_, PropertyKind::Time) => "times",
            };
            let message = format!("`{}` holds {holds}, which do not compare with {shown}", condition.property);
            let problem = Diagnostic::error(Kind::Type, message).label(condition.value_span, "");
            Err(match hint {
                Some(hint) => problem.hint(hint),
                None => problem,
            }
            .into())
        };
        match (found.kind, value) {
            (PropertyKind::Text, Literal::Text(text)) => Ok(ScalarValue::Utf8(Some(text.clone()))),
            (PropertyKind::Text, Literal::Int(_) | Literal::Float(_)) => wrong(Some(format!("write \"{value}\""))),
            (PropertyKind::Int, Literal::Int(number)) => Ok(ScalarValue::Int64(Some(*number))),
            (PropertyKind::Int, Literal::Float(number)) if number.fract() == 0.0 && number.abs() < 9e18 => {
                Ok(ScalarValue::Int64(Some(*number as i64)))
            }
            (PropertyKind::Int, Literal::Float(number)) => Ok(ScalarValue::Float64(Some(*number))),
            (PropertyKind::Float, Literal::Int(number)) => Ok(ScalarValue::Float64(Some(*number as f64))),
            (PropertyKind::Float, Literal::Float(number)) => Ok(ScalarValue::Float64(Some(*number))),
            // Read as the software reads them.
            (PropertyKind::Int, Literal::Text(text)) if condition.reads_texts && text.parse::<i64>().is_ok() => {
                Ok(ScalarValue::Int64(text.parse().ok()))
            }
            (PropertyKind::Int | PropertyKind::Float, Literal::Text(text)) if text.parse::<f64>().is_ok() => {
                wrong(Some(format!("write {text} without quotes")))
            }
            (PropertyKind::Time, Literal::Text(text)) => match parse_iso(text) {
                Some(micros) => Ok(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()))),
                None => wrong(Some("write a time such as \"2024-05-31\" or \"2024-05-31T12:00:00Z\"".to_owned())),
            },
            (PropertyKind::Time, Literal::Time(micros)) => {
                Ok(ScalarValue::TimestampMicrosecond(Some(*micros), Some("UTC".into())))
            }
            (
                PropertyKind::Text | PropertyKind::Int | PropertyKind::Float | PropertyKind::Time,
                Literal::Bool(_) | Literal::Text(_) | Literal::Time(_) | Literal::Int(_) | Literal::Float(_),
            ) => wrong(None),
        }
    }
}

/// Whole numbers compare with a fraction as with the whole number below it.
fn ordered(op: CompareOp, value: &Literal, kind: PropertyKind) -> (CompareOp, Literal) {
    match (kind, value) {
        (PropertyKind::Int, Literal::Float(number)) if number.fract() != 0.0 && number.abs() < 9e15 => {
            let op = match op {
                CompareOp::Lt | CompareOp::LtEq => CompareOp::LtEq,
                CompareOp::Gt | CompareOp::GtEq => CompareOp::Gt,
                CompareOp::Eq => CompareOp::Eq,
            };
            (op, Literal::Int(number.floor() as i64))
        }
        _ => (op, value.clone()),
    }
}

/// The type that texts are read as to be compared with these; nothing if one of these is a text itself.
fn reading(values: &[Literal]) -> Option<DataType> {
    let mut wanted = None;
    for value in values {
        let own = match value {
            Literal::Bool(_) => DataType::Boolean,
            Literal::Int(_) => DataType::Int64,
            Literal::Float(_) => DataType::Float64,
            Literal::Text(_) | Literal::Time(_) => return None,
        };
        wanted = match (wanted, own) {
            (None, own) => Some(own),
            (Some(DataType::Int64), DataType::Float64) | (Some(DataType::Float64), DataType::Int64) => {
                Some(DataType::Float64)
            }
            (Some(known), own) if known == own => Some(own),
            (Some(_), _) => return None,
        };
    }
    wanted
}

/// The parts joined two by two, so that the depth is that of a balanced tree.
fn balanced(mut parts: Vec<Expr>, join: fn(Expr, Expr) -> Expr) -> Option<Expr> {
    while parts.len() > 1 {
        let mut joined = Vec::with_capacity(parts.len().div_ceil(2));
        let mut all = parts.into_iter();
        while let Some(left) = all.next() {
            joined.push(match all.next() {
                Some(right) => join(left, right),
                None => left,
            });
        }
        parts = joined;
    }
    parts.pop()
}

impl Resolving<'_> {
    /// The properties of these names.
    ///
    /// # Errors
    /// There is none of a name.
    pub(super) fn named(&self, names: &[String]) -> Result<Vec<Property>> {
        let find = |name: &String| {
            let found = self.properties.iter().find(|property| property.name == *name);
            found.cloned().ok_or_else(|| Error::from(self.unknown(name)))
        };
        names.iter().map(find).collect()
    }
}
