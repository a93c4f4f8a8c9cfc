//! Predicates over lists, kept in a shape that every file can apply.
//!
//! The plan asks once, for the schema of the table, whether the Parquet reader can apply a predicate over a list: it can if
//! there is a test for null in it. For every file the predicate is then rewritten, columns that the file does not have
//! become nulls, and what can be computed is computed, a test for null of such a column too. What is left may no longer
//! look as if the reader could apply it, and then the reader leaves the predicate out, without a word. So every predicate
//! over lists is given a test for null here that stays.

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, IsNullExpr, case};
use datafusion::physical_expr::{PhysicalExpr, conjunction, split_conjunction};
use datafusion::physical_expr_adapter::{
    DefaultPhysicalExprAdapterFactory, PhysicalExprAdapter, PhysicalExprAdapterFactory,
};
use std::sync::Arc;

/// Makes the adapters of a scan.
#[derive(Debug)]
pub(crate) struct ListPredicates;

impl PhysicalExprAdapterFactory for ListPredicates {
    fn create(&self, table: SchemaRef, file: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        let default = DefaultPhysicalExprAdapterFactory.create(table, Arc::clone(&file))?;
        Ok(Arc::new(Adapter { default, file }))
    }
}

#[derive(Debug)]
struct Adapter {
    default: Arc<dyn PhysicalExprAdapter>,
    file: SchemaRef,
}

impl PhysicalExprAdapter for Adapter {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let expr = self.default.rewrite(expr)?;
        if self.list(&expr)?.is_none() || expr.data_type(&self.file)? != DataType::Boolean {
            return Ok(expr);
        }
        let parts = split_conjunction(&expr).into_iter().map(|part| self.marked(part)).collect::<Result<Vec<_>>>()?;
        Ok(conjunction(parts))
    }
}

impl Adapter {
    /// A list that the expression looks at.
    fn list(&self, expr: &Arc<dyn PhysicalExpr>) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let mut found = None;
        expr.apply(|part| {
            let Some(column) = part.downcast_ref::<Column>() else { return Ok(TreeNodeRecursion::Continue) };
            let field = self.file.fields().get(column.index());
            if field.is_some_and(|field| matches!(field.data_type(), DataType::List(_) | DataType::LargeList(_))) {
                found = Some(Arc::clone(part));
                return Ok(TreeNodeRecursion::Stop);
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(found)
    }

    /// The same condition with a test for null in it.
    fn marked(&self, part: &Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let part = Arc::clone(part);
        let Some(list) = self.list(&part)? else { return Ok(part) };
        let nullable = list.nullable(&self.file)?;
        let is_null: Arc<dyn PhysicalExpr> = Arc::new(IsNullExpr::new(list));
        if nullable {
            return case(None, vec![(is_null, Arc::clone(&part))], Some(part));
        }
        // Never true: the list is always there.
        Ok(Arc::new(BinaryExpr::new(part, Operator::Or, is_null)))
    }
}
