//! Semi- and anti-joins become sets of the scan that they restrict.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{JoinType, Result};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};

use super::exec::ResidentScanExec;

/// The rule. It has to come before sides of joins are swapped and orders are enforced: a restricted scan keeps its order.
#[derive(Debug, Default)]
pub struct OrdinalJoins;

impl PhysicalOptimizerRule for OrdinalJoins {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            Ok(match restricted(&plan)? {
                Some(scan) => Transformed::yes(scan),
                None => Transformed::no(plan),
            })
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "OrdinalJoins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The scan that does what this join does.
fn restricted(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(join) = plan.downcast_ref::<HashJoinExec>() else { return Ok(None) };
    let [(left, right)] = join.on() else { return Ok(None) };
    if join.filter().is_some() || join.projection.is_some() {
        return Ok(None);
    }
    let (kept, set, outside) = match join.join_type() {
        JoinType::LeftSemi => ((join.left(), left), (join.right(), right), false),
        JoinType::LeftAnti => ((join.left(), left), (join.right(), right), true),
        JoinType::RightSemi => ((join.right(), right), (join.left(), left), false),
        JoinType::RightAnti => ((join.right(), right), (join.left(), left), true),
        _ => return Ok(None),
    };
    // A null in the set would leave nothing of an anti-join.
    if outside && join.null_aware {
        return Ok(None);
    }
    let (Some(column), Some(key)) = (kept.1.downcast_ref::<Column>(), set.1.downcast_ref::<Column>()) else {
        return Ok(None);
    };
    let schema = set.0.schema();
    if schema.fields().get(key.index()).is_none_or(|field| *field.data_type() != DataType::Int64) {
        return Ok(None);
    }
    let set = match schema.fields().len() {
        1 => Arc::clone(set.0),
        _ => {
            let only = (Arc::clone(set.1), key.name().to_owned());
            Arc::new(ProjectionExec::try_new(vec![only], Arc::clone(set.0))?)
        }
    };
    attached(kept.0, column.index(), outside, &set)
}

fn attached(
    plan: &Arc<dyn ExecutionPlan>,
    column: usize,
    outside: bool,
    set: &Arc<dyn ExecutionPlan>,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if let Some(scan) = plan.downcast_ref::<ResidentScanExec>() {
        let scan = scan.restricted(column, outside, Arc::clone(set));
        return Ok(scan.map(|scan| Arc::new(scan) as Arc<dyn ExecutionPlan>));
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let source = projection.expr().get(column).and_then(|it| it.expr.downcast_ref::<Column>());
        let Some(source) = source else { return Ok(None) };
        return Ok(match attached(projection.input(), source.index(), outside, set)? {
            Some(input) => {
                let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
                Some(Arc::clone(plan).replace_children(vec![input], options)?)
            }
            None => None,
        });
    }
    Ok(None)
}
