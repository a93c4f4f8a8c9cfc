//! Two-valued expressions of the model as predicates; where a predicate is null it does not hold.

use super::compare;
use super::needs::{Needs, Typed};
use crate::Result;
use datafusion::common::ScalarValue;
use datafusion::functions::string::expr_fn::{contains, ends_with, starts_with};
use datafusion::functions_nested::expr_fn::{array_has, array_length};
use datafusion::logical_expr::{Expr, cast, lit, when};
use lakeql_query::model::{Attribute, Expr as Predicate, Place};

/// Stack that one level of an expression needs at most.
const RED_ZONE: usize = 128 << 10;
/// Stack that is added when less is left.
const STACK: usize = 2 << 20;

/// A value of a row as columns.
pub(super) enum Value {
    /// One column for each type that occurs.
    Typed(Box<Typed>),
    /// A list of texts.
    Texts(Expr),
    /// A point in time.
    Time(Expr),
    /// Only the row evaluator can get at it.
    Opaque,
}

impl Value {
    fn typed(columns: Typed) -> Self {
        Self::Typed(Box::new(columns))
    }
}

impl Needs<'_> {
    /// The predicate that holds where the expression does.
    pub(super) fn predicate(&mut self, expr: &Predicate) -> Result<Expr> {
        // Nesting is limited, but threads of a runtime have little stack.
        stacker::maybe_grow(RED_ZONE, STACK, || self.predicate_of(expr))
    }

    fn predicate_of(&mut self, expr: &Predicate) -> Result<Expr> {
        Ok(match expr {
            Predicate::Literal(value) => lit(*value),
            Predicate::All(parts) => balanced(self.predicates(parts)?, true),
            Predicate::Any(parts) => balanced(self.predicates(parts)?, false),
            Predicate::Not(inner) => self.predicate(inner)?.is_not_true(),
            Predicate::Field(field) => self.field(field)?,
            Predicate::Items(_) | Predicate::Column(_) => {
                return Err(super::internal("a condition on files where rows are runs"));
            }
            Predicate::Evaluate { program, outcome } => self.program(program, *outcome)?,
            Predicate::Compare { attribute, op, value } => {
                self.leaf(expr, attribute, |found| compare::compare(found, *op, value))?
            }
            Predicate::In { attribute, values } => {
                self.leaf(expr, attribute, |found| compare::within(found, values))?
            }
            Predicate::Contains { attribute, needle } => self.leaf(expr, attribute, |found| match found {
                Value::Texts(list) => Some(array_has(list.clone(), lit(needle.as_str()))),
                Value::Typed(typed) => Some(on_text(typed, |text| contains(text, lit(needle.as_str())))),
                Value::Time(_) | Value::Opaque => None,
            })?,
            Predicate::StartsWith { attribute, prefix } => self.leaf(expr, attribute, |found| match found {
                Value::Typed(typed) => Some(on_text(typed, |text| starts_with(text, lit(prefix.as_str())))),
                Value::Texts(_) | Value::Time(_) | Value::Opaque => None,
            })?,
            Predicate::EndsWith { attribute, suffix } => self.leaf(expr, attribute, |found| match found {
                Value::Typed(typed) => Some(on_text(typed, |text| ends_with(text, lit(suffix.as_str())))),
                Value::Texts(_) | Value::Time(_) | Value::Opaque => None,
            })?,
            Predicate::Truthy(attribute) => {
                // Whether a list or mapping is empty is not in the columns.
                let may_nest = match &attribute.place {
                    Place::Param(path) => self.may_nest(path),
                    Place::Run(_) | Place::Summary { .. } | Place::Series(_) | Place::Context(_) => false,
                };
                if may_nest {
                    return self.leaf_program(expr, attribute);
                }
                self.leaf(expr, attribute, truthy)?
            }
            Predicate::Present(attribute) => self.leaf(expr, attribute, |found| match found {
                Value::Typed(typed) => {
                    Some(balanced(typed.columns().map(|(_, c)| c.clone().is_not_null()).collect(), false))
                }
                Value::Texts(column) | Value::Time(column) => Some(column.clone().is_not_null()),
                Value::Opaque => None,
            })?,
            Predicate::IsNull(attribute) => self.leaf(expr, attribute, |found| match found {
                Value::Typed(typed) => Some(typed.kind.clone().map_or_else(|| lit(false), |kind| kind.eq(lit("null")))),
                Value::Texts(_) | Value::Time(_) => Some(lit(false)),
                Value::Opaque => None,
            })?,
        })
    }

    fn predicates(&mut self, parts: &[Predicate]) -> Result<Vec<Expr>> {
        parts.iter().map(|part| self.predicate(part)).collect()
    }

    fn leaf(
        &mut self,
        expr: &Predicate,
        attribute: &Attribute,
        over: impl FnOnce(&Value) -> Option<Expr>,
    ) -> Result<Expr> {
        let value = self.value(&attribute.place)?;
        match over(&value) {
            Some(predicate) => Ok(predicate),
            None => self.leaf_program(expr, attribute),
        }
    }

    /// The columns of a place.
    pub(super) fn value(&mut self, place: &Place) -> Result<Value> {
        Ok(match place {
            Place::Param(path) => Value::typed(self.param(path)),
            Place::Context(path) => self.context(path).map_or(Value::Opaque, Value::typed),
            Place::Run(name) => match name.as_str() {
                "tags" => Value::Texts(self.run(name)),
                "created_at" | "finalized_at" | "imported_at" => Value::Time(self.run(name)),
                "archived" | "active" => Value::typed(Typed { bool: Some(self.run(name)), ..Typed::default() }),
                "duration" => Value::typed(Typed { float: Some(self.duration()?), ..Typed::default() }),
                "end_time" => Value::typed(Typed { float: Some(self.run(name)), ..Typed::default() }),
                _ => Value::typed(Typed { text: Some(self.run(name)), ..Typed::default() }),
            },
            Place::Series(name) => {
                let column = self.series(name);
                Value::typed(summary(name, column))
            }
            Place::Summary { series, context, field } => {
                let column = self.summary(series, context, field)?;
                Value::typed(summary(field, column))
            }
        })
    }

    /// Seconds from creation to the end, or to now while the run is active.
    pub(super) fn duration(&mut self) -> Result<Expr> {
        use datafusion::arrow::datatypes::DataType;
        let created = cast(cast(self.run("created_at"), DataType::Int64), DataType::Float64) / lit(1e6);
        let now = lit(self.now.timestamp_micros() as f64 / 1e6);
        let duration = self.run("duration");
        Ok(when(duration.clone().is_null(), now - created).otherwise(duration)?)
    }
}

/// The column of a stored summary by its type.
fn summary(field: &str, column: Expr) -> Typed {
    match field {
        "name" | "dtype" | "kind" | "context" => Typed { text: Some(column), ..Typed::default() },
        "first" | "last" | "min" | "max" | "mean" | "m2" => Typed { float: Some(column), ..Typed::default() },
        _ => Typed { int: Some(column), ..Typed::default() },
    }
}

fn on_text(typed: &Typed, predicate: impl FnOnce(Expr) -> Expr) -> Expr {
    typed.text.clone().map_or_else(|| lit(false), predicate)
}

fn truthy(value: &Value) -> Option<Expr> {
    Some(match value {
        Value::Typed(typed) => {
            let mut parts = vec![];
            parts.extend(typed.int.clone().map(|column| column.not_eq(lit(0_i64))));
            // NaN is true, both zeros are false.
            parts.extend(typed.float.clone().map(|column| column.clone().lt(lit(-0.0)).or(column.gt(lit(0.0)))));
            parts.extend(typed.text.clone().map(|column| column.not_eq(lit(""))));
            parts.extend(typed.bool.clone());
            balanced(parts, false)
        }
        Value::Texts(list) => array_length(list.clone()).gt(lit(ScalarValue::UInt64(Some(0)))),
        Value::Time(column) => column.clone().is_not_null(),
        Value::Opaque => return None,
    })
}

/// A conjunction or disjunction as a balanced tree: a left-deep one of ten thousand parts would be ten thousand levels
/// deep.
pub(crate) fn balanced(mut parts: Vec<Expr>, all: bool) -> Expr {
    if parts.is_empty() {
        return lit(all);
    }
    while parts.len() > 1 {
        let mut next = Vec::with_capacity(parts.len().div_ceil(2));
        let mut pairs = parts.into_iter();
        while let Some(left) = pairs.next() {
            next.push(match pairs.next() {
                Some(right) if all => left.and(right),
                Some(right) => left.or(right),
                None => left,
            });
        }
        parts = next;
    }
    parts.pop().unwrap_or_else(|| lit(all))
}
