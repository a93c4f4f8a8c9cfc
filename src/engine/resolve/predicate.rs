//! Two-valued expressions of the model as predicates; where a predicate is null it does not hold.

use super::compare;
use super::needs::{Needs, Typed};
use super::program::{NUMBERS, only_of_runs};
use crate::Result;
use crate::evaluate::runs_program;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::functions::string::expr_fn::{contains, ends_with, starts_with};
use datafusion::functions_nested::expr_fn::{array_has, array_length};
use datafusion::logical_expr::{Expr, cast, lit, when};
use lakeql_lake::catalog::paths::PathOwner;
use lakeql_query::model::{Attribute, Expr as Predicate, Literal, Place};

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

/// Where it matters what a predicate says: the other conditions that have to hold. Programs are not asked of other rows,
/// so that they cost nothing there and cannot run into limits.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard(Vec<Expr>);

/// Kinds of values that no column of scalars holds: the document has them.
pub(super) const NESTED: [&str; 11] =
    ["list", "dict", "bigint", "time", "set", "state", "artifact", "file", "file_set", "git_ref", "notebook_ref"];

/// Guards of more nodes than this are not worth their own evaluation.
const LARGEST_GUARD: usize = 64;

impl Guard {
    /// This and another condition, unless that would run a program twice.
    fn and(&self, condition: Expr) -> Self {
        let mut size = 0;
        let counted = condition.apply(|_| {
            size += 1;
            Ok(TreeNodeRecursion::Continue)
        });
        let mut guard = self.clone();
        if counted.is_ok() && size <= LARGEST_GUARD && condition != lit(true) && !runs_program(&condition) {
            guard.0.push(condition);
        }
        guard
    }

    /// The guard as one predicate. `of_run`: only what does not speak of the row's sequence.
    pub(super) fn expr(&self, of_run: bool) -> Option<Expr> {
        let parts: Vec<_> = self.0.iter().filter(|part| !of_run || only_of_runs(part)).cloned().collect();
        (!parts.is_empty()).then(|| balanced(parts, true))
    }
}

/// Whether some part of it is evaluated row by row.
fn has_program(expr: &Predicate) -> bool {
    let mut found = false;
    expr.walk(&mut |part| found |= matches!(part, Predicate::Evaluate { .. }));
    found
}

/// A number at which floats have gaps between integers, or beyond: there an integer is not its nearest float.
fn beyond_floats(literal: &Literal) -> bool {
    const LAST: u64 = 1 << 53;
    match literal {
        Literal::Int(number) => number.unsigned_abs() >= LAST,
        Literal::Float(number) => number.is_finite() && number.abs() >= LAST as f64,
        Literal::Bool(_) | Literal::Text(_) | Literal::Time(_) => false,
    }
}

impl Needs<'_> {
    /// The predicate that holds where the expression does.
    pub(super) fn predicate(&mut self, expr: &Predicate) -> Result<Expr> {
        self.guarded(expr, &Guard::default())
    }

    /// The same where the guard holds; elsewhere it may say anything.
    fn guarded(&mut self, expr: &Predicate, guard: &Guard) -> Result<Expr> {
        // Nesting is limited, but threads of a runtime have little stack.
        stacker::maybe_grow(RED_ZONE, STACK, || self.guarded_here(expr, guard))
    }

    fn guarded_here(&mut self, expr: &Predicate, guard: &Guard) -> Result<Expr> {
        Ok(match expr {
            Predicate::Literal(value) => lit(*value),
            Predicate::All(parts) => self.parts(parts, true, guard)?,
            Predicate::Any(parts) => self.parts(parts, false, guard)?,
            Predicate::Not(inner) => self.guarded(inner, guard)?.is_not_true(),
            Predicate::Field(field) => self.field(field)?,
            Predicate::Items(_) | Predicate::Column(_) => {
                return Err(super::internal("a condition on files where rows are runs"));
            }
            Predicate::Evaluate { program, outcome } => self.program(program, *outcome, guard)?,
            Predicate::Compare { attribute, op, value } => {
                let large = beyond_floats(value);
                let exact = |needs: &mut Self, guard: &Guard| {
                    needs.leaf(expr, attribute, large, guard, |found| compare::compare(found, *op, value))
                };
                let number = matches!(value, Literal::Bool(_) | Literal::Int(_) | Literal::Float(_));
                self.or_big(expr, attribute, number, guard, exact)?
            }
            Predicate::In { attribute, values } => {
                let large = values.iter().any(beyond_floats);
                let exact = |needs: &mut Self, guard: &Guard| {
                    needs.leaf(expr, attribute, large, guard, |found| compare::within(found, values))
                };
                self.or_big(expr, attribute, large, guard, exact)?
            }
            Predicate::Contains { attribute, needle } => {
                self.leaf(expr, attribute, false, guard, |found| match found {
                    Value::Texts(list) => Some(array_has(list.clone(), lit(needle.as_str()))),
                    Value::Typed(typed) => Some(on_text(typed, |text| contains(text, lit(needle.as_str())))),
                    Value::Time(_) | Value::Opaque => None,
                })?
            }
            Predicate::StartsWith { attribute, prefix } => {
                self.leaf(expr, attribute, false, guard, |found| match found {
                    Value::Typed(typed) => Some(on_text(typed, |text| starts_with(text, lit(prefix.as_str())))),
                    Value::Texts(_) | Value::Time(_) | Value::Opaque => None,
                })?
            }
            Predicate::EndsWith { attribute, suffix } => {
                self.leaf(expr, attribute, false, guard, |found| match found {
                    Value::Typed(typed) => Some(on_text(typed, |text| ends_with(text, lit(suffix.as_str())))),
                    Value::Texts(_) | Value::Time(_) | Value::Opaque => None,
                })?
            }
            Predicate::Truthy(attribute) => {
                // Whether a list or mapping is empty is not in the columns.
                let (owner, path) = match &attribute.place {
                    Place::Param(path) => (PathOwner::Run, path),
                    Place::Context(path) => (PathOwner::Context, path),
                    Place::Summary { series, context, field } if field == "last" => {
                        let columns = self.leaf(expr, attribute, false, guard, truthy)?;
                        // What a sequence of objects has last is an object, whether it was imported or not.
                        return Ok(columns.or(self.summary(series, context, "kind")?.not_eq(lit("metric"))));
                    }
                    Place::Run(_) | Place::Summary { .. } | Place::Series(_) => {
                        return self.leaf(expr, attribute, false, guard, truthy);
                    }
                };
                let columns = self.leaf(expr, attribute, false, guard, truthy)?;
                if !self.has_kind(owner, path, &NESTED) {
                    return Ok(columns);
                }
                self.or_nested(expr, attribute, columns, &NESTED, guard)?
            }
            Predicate::Present(attribute) => self.leaf(expr, attribute, false, guard, |found| match found {
                Value::Typed(typed) => {
                    Some(balanced(typed.columns().map(|(_, c)| c.clone().is_not_null()).collect(), false))
                }
                Value::Texts(column) | Value::Time(column) => Some(column.clone().is_not_null()),
                Value::Opaque => None,
            })?,
            Predicate::IsNull(attribute) => self.leaf(expr, attribute, false, guard, |found| match found {
                Value::Typed(typed) => Some(typed.kind.clone().map_or_else(|| lit(false), |kind| kind.eq(lit("null")))),
                Value::Texts(_) | Value::Time(_) => Some(lit(false)),
                Value::Opaque => None,
            })?,
        })
    }

    /// All or any of these. Columns come first: programs are asked only where they leave it open.
    fn parts(&mut self, parts: &[Predicate], all: bool, guard: &Guard) -> Result<Expr> {
        let mut found = Vec::with_capacity(parts.len());
        let mut open = guard.clone();
        let some_program = parts.iter().any(has_program);
        for part in parts.iter().filter(|part| !has_program(part)) {
            let part = self.guarded(part, guard)?;
            if some_program {
                open = open.and(if all { part.clone() } else { part.clone().is_not_true() });
            }
            found.push(part);
        }
        for part in parts.iter().filter(|part| has_program(part)) {
            found.push(self.guarded(part, &open)?);
        }
        Ok(balanced(found, all))
    }

    /// What columns say, or for integers that no column can hold what a program says.
    fn or_big(
        &mut self,
        expr: &Predicate,
        attribute: &Attribute,
        wanted: bool,
        guard: &Guard,
        columns: impl FnOnce(&mut Self, &Guard) -> Result<Expr>,
    ) -> Result<Expr> {
        let columns = columns(self, guard)?;
        let (owner, path) = match &attribute.place {
            Place::Param(path) => (PathOwner::Run, path),
            Place::Context(path) => (PathOwner::Context, path),
            Place::Run(_) | Place::Summary { .. } | Place::Series(_) => return Ok(columns),
        };
        if !wanted || !self.has_kind(owner, path, &["bigint"]) {
            return Ok(columns);
        }
        self.or_nested(expr, attribute, columns, &["bigint"], guard)
    }

    /// What columns say, or where the value is of one of these kinds what a program says.
    fn or_nested(
        &mut self,
        expr: &Predicate,
        attribute: &Attribute,
        columns: Expr,
        kinds: &[&str],
        guard: &Guard,
    ) -> Result<Expr> {
        let Value::Typed(typed) = self.value(&attribute.place)? else { return Ok(columns) };
        let Some(kind) = &typed.kind else { return Ok(columns) };
        let nested = kind.clone().in_list(kinds.iter().map(|kind| lit(*kind)).collect(), false);
        let program = self.leaf_program(expr, attribute, &guard.and(nested))?;
        Ok(columns.or(program))
    }

    /// A condition over columns, or a program that asks the same. `exact`: of numbers kept twice, the exact ones.
    fn leaf(
        &mut self,
        expr: &Predicate,
        attribute: &Attribute,
        exact: bool,
        guard: &Guard,
        over: impl FnOnce(&Value) -> Option<Expr>,
    ) -> Result<Expr> {
        let mut value = self.value(&attribute.place)?;
        if exact {
            value = self.exact_summary(&attribute.place, value)?;
        }
        match over(&value) {
            Some(predicate) => Ok(predicate),
            None => self.leaf_program(expr, attribute, guard),
        }
    }

    /// Summaries that were integers are kept as such beside the float they are nearest to.
    fn exact_summary(&mut self, place: &Place, value: Value) -> Result<Value> {
        let int = match place {
            Place::Series(field) if NUMBERS.contains(&field.as_str()) => self.series(&format!("{field}_int")),
            Place::Summary { series, context, field } if NUMBERS.contains(&field.as_str()) => {
                self.summary(series, context, &format!("{field}_int"))?
            }
            Place::Run(_) | Place::Param(_) | Place::Context(_) | Place::Series(_) | Place::Summary { .. } => {
                return Ok(value);
            }
        };
        let Value::Typed(mut typed) = value else { return Ok(value) };
        typed.float = match typed.float {
            Some(float) => Some(when(int.clone().is_null(), float).end()?),
            None => None,
        };
        typed.int = Some(int);
        Ok(Value::Typed(typed))
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
