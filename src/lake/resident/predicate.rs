//! Conditions over blocks.
//!
//! A condition is taken apart at its ANDs, ORs and NOTs into parts that look at one column each. Such a part is computed
//! by the engine's own expression over the different values of a block. The rest is computed over rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::kernels::boolean::{and_kleene, not, or_kleene};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{ColumnarValue, Operator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal, NotExpr};
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};

use super::block::{Block, Chosen};

/// A condition.
#[derive(Debug)]
pub(super) enum Predicate {
    And(Box<Predicate>, Box<Predicate>),
    Or(Box<Predicate>, Box<Predicate>),
    Not(Box<Predicate>),
    /// False or null.
    NotTrue(Box<Predicate>),
    /// About the columns at these places of the table. The expression counts them from 0.
    Leaf {
        columns: Vec<usize>,
        schema: SchemaRef,
        expr: Arc<dyn PhysicalExpr>,
    },
}

/// A part of a conjunction.
#[derive(Debug)]
pub(super) struct Conjunct {
    pub(super) predicate: Predicate,
    /// Places in the table.
    pub(super) columns: Vec<usize>,
    /// How much work it is: cheap ones come first.
    pub(super) rank: u8,
    pub(super) expr: Arc<dyn PhysicalExpr>,
}

impl Conjunct {
    pub(super) fn new(expr: &Arc<dyn PhysicalExpr>, table: &SchemaRef) -> Result<Self> {
        let mut columns: Vec<usize> = collect_columns(expr).iter().map(Column::index).collect();
        columns.sort_unstable();
        let rank = columns.iter().map(|index| rank(table, *index)).max().unwrap_or_default();
        Ok(Self { predicate: Predicate::new(expr, table)?, columns, rank, expr: Arc::clone(expr) })
    }
}

fn rank(table: &Schema, index: usize) -> u8 {
    let Some(field) = table.fields().get(index) else { return 9 };
    match field.data_type() {
        DataType::Utf8View if matches!(field.name().as_str(), "fid" | "name" | "parent" | "metadata" | "checksums") => {
            3
        }
        DataType::Utf8View | DataType::List(_) => 1,
        _ => 0,
    }
}

/// A column of a row group by its place in the table.
pub(super) type Blocks<'a> = dyn Fn(usize) -> Option<Arc<Block>> + 'a;

impl Predicate {
    fn new(expr: &Arc<dyn PhysicalExpr>, table: &SchemaRef) -> Result<Self> {
        let columns = collect_columns(expr);
        if columns.len() > 1 {
            if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
                let pair = || -> Result<_> {
                    Ok((Box::new(Self::new(binary.left(), table)?), Box::new(Self::new(binary.right(), table)?)))
                };
                match binary.op() {
                    Operator::And => return pair().map(|(left, right)| Predicate::And(left, right)),
                    Operator::Or => return pair().map(|(left, right)| Predicate::Or(left, right)),
                    Operator::IsDistinctFrom if is_true(binary.right()) => {
                        return Ok(Predicate::NotTrue(Box::new(Self::new(binary.left(), table)?)));
                    }
                    _ => {}
                }
            }
            if let Some(inner) = expr.downcast_ref::<NotExpr>() {
                return Ok(Predicate::Not(Box::new(Self::new(inner.arg(), table)?)));
            }
        }
        let mut columns: Vec<usize> = columns.iter().map(Column::index).collect();
        columns.sort_unstable();
        let schema = Arc::new(table.project(&columns)?);
        Ok(Predicate::Leaf { columns, expr: reassign_expr_columns(Arc::clone(expr), &schema)?, schema })
    }

    /// The answers for the rows of a row group; where a row is not chosen any answer will do.
    pub(super) fn answers(&self, chosen: &Chosen, rows: usize, blocks: &Blocks<'_>) -> Result<BooleanArray> {
        Ok(match self {
            Predicate::And(left, right) => {
                let left = left.answers(chosen, rows, blocks)?;
                if left.null_count() == 0 && left.true_count() == 0 {
                    return Ok(left);
                }
                and_kleene(&left, &right.answers(chosen, rows, blocks)?)?
            }
            Predicate::Or(left, right) => {
                let left = left.answers(chosen, rows, blocks)?;
                if left.null_count() == 0 && left.true_count() == rows {
                    return Ok(left);
                }
                or_kleene(&left, &right.answers(chosen, rows, blocks)?)?
            }
            Predicate::Not(inner) => not(&inner.answers(chosen, rows, blocks)?)?,
            Predicate::NotTrue(inner) => {
                let inner = inner.answers(chosen, rows, blocks)?;
                let truth = match inner.nulls() {
                    Some(nulls) => inner.values() & nulls.inner(),
                    None => inner.values().clone(),
                };
                BooleanArray::new(!&truth, None)
            }
            Predicate::Leaf { columns, schema, expr } => {
                let found: Option<Vec<Arc<Block>>> = columns.iter().map(|index| blocks(*index)).collect();
                let Some(found) = found else { return internal_err!("a column that was not loaded") };
                match found.as_slice() {
                    [one] => {
                        one.test(chosen, &|values| evaluate(expr, schema, vec![Arc::clone(values)], values.len()))?
                    }
                    _ => {
                        let all = Chosen::All(rows);
                        let arrays = found.iter().map(|block| block.values(&all)).collect::<Result<Vec<_>>>()?;
                        evaluate(expr, schema, arrays, rows)?
                    }
                }
            }
        })
    }
}

fn is_true(expr: &Arc<dyn PhysicalExpr>) -> bool {
    expr.downcast_ref::<Literal>().is_some_and(|it| *it.value() == ScalarValue::Boolean(Some(true)))
}

fn evaluate(
    expr: &Arc<dyn PhysicalExpr>,
    schema: &SchemaRef,
    arrays: Vec<ArrayRef>,
    rows: usize,
) -> Result<BooleanArray> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?;
    let answer = match expr.evaluate(&batch)? {
        ColumnarValue::Array(array) => array,
        ColumnarValue::Scalar(value) => value.to_array_of_size(rows)?,
    };
    match answer.as_boolean_opt() {
        Some(answer) => Ok(answer.clone()),
        None if *answer.data_type() == DataType::Null => Ok(BooleanArray::new_null(rows)),
        None => internal_err!("a condition that is neither true nor false"),
    }
}
