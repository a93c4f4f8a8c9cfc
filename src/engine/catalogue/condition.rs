//! Conditions to predicates over the columns of a table of the catalogue.

use super::items::{KeyColumns, compared, items};
use super::{Catalogue, internal, of};
use crate::Result;
use crate::resolve::balanced;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use lakeql_query::model::{ColumnCheck, ColumnTest, Expr as Predicate, Items, Literal};
use lakeql_udfs::scalar::json_value::JsonValue;
use lakeql_udfs::scalar::regex_found::RegexFound;

/// Stack that has to be left for one more level, and what is added when it is not.
const RED_ZONE: usize = 128 << 10;
const STACK: usize = 2 << 20;

/// Where the values of a row are.
pub(super) trait Values {
    /// The columns of a metadata key.
    fn key(&mut self, items: &Items) -> KeyColumns;
    /// A column of the table itself.
    fn column(&mut self, name: &str) -> Expr;
}

/// Datasets and saved queries: few rows, whose metadata are looked up in their document.
pub(super) struct Document<'a> {
    pub(super) alias: &'a str,
}

impl Values for Document<'_> {
    fn key(&mut self, items: &Items) -> KeyColumns {
        let document = of(self.alias, "metadata");
        let json = ScalarUDF::from(JsonValue::json()).call(vec![document, lit(items.key.as_str())]);
        KeyColumns { json: Some(json), ..KeyColumns::default() }
    }

    fn column(&mut self, name: &str) -> Expr {
        of(self.alias, name)
    }
}

impl Catalogue<'_> {
    /// The predicate for a condition; null counts as false.
    pub(super) fn condition(&self, expr: &Predicate, values: &mut dyn Values) -> Result<Expr> {
        stacker::maybe_grow(RED_ZONE, STACK, || {
            let all = |parts: &[Predicate], values: &mut dyn Values| {
                parts.iter().map(|part| self.condition(part, values)).collect::<Result<Vec<_>>>()
            };
            Ok(match expr {
                Predicate::Literal(value) => lit(*value),
                Predicate::All(parts) => balanced(all(parts, values)?, true),
                Predicate::Any(parts) => balanced(all(parts, values)?, false),
                Predicate::Not(inner) => self.condition(inner, values)?.is_not_true(),
                Predicate::Items(test) => items(&values.key(test), test)?,
                Predicate::Column(test) => column(test, values),
                Predicate::Compare { .. }
                | Predicate::In { .. }
                | Predicate::Contains { .. }
                | Predicate::StartsWith { .. }
                | Predicate::EndsWith { .. }
                | Predicate::Truthy(_)
                | Predicate::Present(_)
                | Predicate::IsNull(_)
                | Predicate::Field(_)
                | Predicate::Evaluate { .. } => return Err(internal("a condition on runs where rows are files")),
            })
        })
    }
}

/// A test of a column of the table.
fn column(test: &ColumnTest, values: &mut dyn Values) -> Expr {
    let column = values.column(&test.column);
    match &test.check {
        ColumnCheck::Null => column.is_null(),
        ColumnCheck::Compare(op, Literal::Float(number)) if test.column == "size" || test.column == "file_count" => {
            match super::bounds::ints(*op, &format!("{number:e}")) {
                super::bounds::Bound::Never => lit(false),
                super::bounds::Bound::Always => column.is_not_null(),
                super::bounds::Bound::Compare(op, value) => compared(column, op, lit(value)),
            }
        }
        ColumnCheck::Compare(op, value) => compared(column, *op, literal(value)),
        ColumnCheck::In(values) => match values.as_slice() {
            [] => lit(false),
            [one] => column.eq(literal(one)),
            many => column.in_list(many.iter().map(literal).collect(), false),
        },
        ColumnCheck::Matches(regex) => ScalarUDF::from(RegexFound::new()).call(vec![column, lit(regex.as_str())]),
        ColumnCheck::Like(pattern) => column.like(lit(pattern.as_str())),
        ColumnCheck::Member(key, op, text) => {
            let member = ScalarUDF::from(JsonValue::text()).call(vec![column, lit(key.as_str())]);
            compared(member, *op, lit(text.as_str()))
        }
    }
}

fn literal(value: &Literal) -> Expr {
    match value {
        Literal::Bool(value) => lit(*value),
        Literal::Int(value) => lit(*value),
        Literal::Float(value) => lit(*value),
        Literal::Text(text) => lit(text.as_str()),
        Literal::Time(micros) => lit(ScalarValue::TimestampMicrosecond(Some(*micros), Some("UTC".into()))),
    }
}
