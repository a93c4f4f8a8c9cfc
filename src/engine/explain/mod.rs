//! What leaves each stage of a query, as text, and what a query that has been run has read.

mod scans;

pub use scans::{ScanReport, ScanStats};

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::sql::unparser::plan_to_sql;
use lakeql_query::diagnostic::did_you_mean;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A stage of the path of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The syntax tree of the language.
    Ast,
    /// The query in the model that all languages meet in.
    Query,
    /// The logical plan over the tables of the lake.
    Logical,
    /// The logical plan after all rewrites.
    Optimized,
    /// The operators that run.
    Physical,
    /// The logical plan written as SQL.
    Sql,
    /// All of them.
    #[default]
    All,
}

impl Stage {
    /// All stages, in the order in which a query goes through them.
    pub const ALL: [Self; 7] =
        [Self::Ast, Self::Query, Self::Logical, Self::Sql, Self::Optimized, Self::Physical, Self::All];

    /// The name after `--stage`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ast => "ast",
            Self::Query => "query",
            Self::Logical => "logical",
            Self::Optimized => "optimized",
            Self::Physical => "physical",
            Self::Sql => "sql",
            Self::All => "all",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Stage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = || Self::ALL.into_iter().map(Self::name);
        Self::ALL.into_iter().find(|stage| stage.name() == text).ok_or_else(|| match did_you_mean(text, names()) {
            Some(near) => format!("there is no stage `{text}`: did you mean `{near}`?"),
            None => format!("there is no stage `{text}`: stages are {}", names().collect::<Vec<_>>().join(", ")),
        })
    }
}

/// The stages of a query that were asked for: a title and a text each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explain {
    /// Title and text, in the order in which the query goes through them.
    pub sections: Vec<(String, String)>,
}

/// The text of a logical plan.
pub fn logical_text(plan: &LogicalPlan) -> String {
    plan.display_indent().to_string()
}

/// The text of a physical plan.
pub fn physical_text(plan: &dyn ExecutionPlan) -> String {
    displayable(plan).indent(false).to_string()
}

/// The text of a physical plan that has been run, with what happened in each operator.
pub fn analyzed_text(plan: &dyn ExecutionPlan) -> String {
    DisplayableExecutionPlan::with_metrics(plan).indent(false).to_string()
}

/// A logical plan written as SQL. Where SQL has no words for a plan, a comment says so.
pub fn unparse_sql(plan: &LogicalPlan) -> String {
    let written = plan.clone().transform_up(projected).data().and_then(|plan| plan_to_sql(&plan));
    match written {
        Ok(statement) => format!("{statement:#}"),
        Err(error) => {
            let reason = crate::error::engine_message(&error);
            let lines = reason.lines().map(|line| format!("-- {line}\n"));
            format!("-- this plan cannot be written as SQL:\n{}", lines.collect::<String>())
        }
    }
}

/// Below what orders or cuts off, the set of a semi-join is only written as a set of its own if the columns are listed.
fn projected(plan: LogicalPlan) -> datafusion::error::Result<Transformed<LogicalPlan>> {
    let input = match &plan {
        LogicalPlan::Limit(limit) => &limit.input,
        LogicalPlan::Sort(sort) => &sort.input,
        _ => return Ok(Transformed::no(plan)),
    };
    if !joins_a_set(input) {
        return Ok(Transformed::no(plan));
    }
    let columns = input.schema().columns().into_iter().map(Expr::Column);
    let input = LogicalPlanBuilder::from(Arc::clone(input)).project(columns)?.build()?;
    Ok(Transformed::yes(plan.with_new_exprs(plan.expressions(), vec![input])?))
}

/// Whether there is a semi-join in front of any list of columns.
fn joins_a_set(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Filter(filter) => joins_a_set(&filter.input),
        LogicalPlan::Join(join) => matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::prelude::SessionContext;

    #[test]
    fn stages_have_names() {
        for stage in Stage::ALL {
            assert_eq!(stage.to_string().parse(), Ok(stage));
        }
        assert_eq!("phisical".parse::<Stage>().unwrap_err(), "there is no stage `phisical`: did you mean `physical`?");
    }

    #[tokio::test]
    async fn plans_have_texts() {
        let context = SessionContext::new();
        let plan = context.sql("select value + 1 as x from range(1, 5) where value > 2").await.unwrap();
        let logical = plan.logical_plan();
        assert!(logical_text(logical).starts_with("Projection: "));
        let sql = unparse_sql(logical);
        assert!(sql.contains("SELECT") && sql.contains('\n'), "{sql}");
        let physical = plan.clone().create_physical_plan().await.unwrap();
        assert!(physical_text(physical.as_ref()).contains("FilterExec"));
        assert!(analyzed_text(physical.as_ref()).contains("metrics="));
        let described = context.state().create_logical_plan("describe information_schema.tables").await;
        if let Ok(plan) = described {
            assert!(unparse_sql(&plan).starts_with("-- this plan cannot be written as SQL:\n-- "));
        }
    }
}
