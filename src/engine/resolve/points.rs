//! The series that a query matches, with the rows of their points.

use super::Resolver;
use super::needs::Needs;
use super::select::{Column, SERIES_COLUMNS};
use crate::Result;
use datafusion::common::Column as Name;
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, LogicalPlanBuilder, lit};
use lakeql_lake::Table;
use lakeql_query::diagnostic::Diagnostic;
use lakeql_query::model::{Query, Relation, SeriesKind};

/// Ordinal of the series (Int64). This and the following names are no names of columns that users can ask for.
pub(crate) const SERIES: &str = "#series";
/// First row of its points in the file of its segment (Int64).
pub(crate) const FIRST_ROW: &str = "#first_row";
/// Number of its points (Int64).
pub(crate) const POINTS: &str = "#points";
/// The same two of the series it is aligned by; null if there is none.
pub(crate) const ALIGN_ROW: &str = "#align_row";
/// See [`ALIGN_ROW`].
pub(crate) const ALIGN_POINTS: &str = "#align_points";

/// Which series are wanted and what of them.
pub(crate) struct SeriesWanted<'a> {
    /// Their kind.
    pub(crate) kind: SeriesKind,
    /// Columns of the run or series, named as users name them.
    pub(crate) columns: &'a [String],
    /// The metric whose points are wanted beside those of the series, for the same run and context.
    pub(crate) align: Option<&'a str>,
}

fn column(table: &str, name: &str) -> Expr {
    Expr::Column(Name::new(Some(table), name))
}

impl Resolver<'_> {
    /// The plan for the matched series: [`SERIES`], [`FIRST_ROW`], [`POINTS`], with `align` also [`ALIGN_ROW`] and
    /// [`ALIGN_POINTS`], then the columns, named as they were asked for. In no particular order.
    pub(crate) async fn series(
        &self,
        query: &Query,
        wanted: &SeriesWanted<'_>,
    ) -> Result<(LogicalPlan, Vec<Diagnostic>)> {
        match query.relation {
            Relation::Runs | Relation::Table | Relation::Samples | Relation::Trees | Relation::Catalogue(_) => {
                self.series_of_runs(query, wanted).await
            }
            Relation::Series(_) => self.matched_series(query, wanted).await,
        }
    }

    /// The query is about series.
    async fn matched_series(&self, query: &Query, wanted: &SeriesWanted<'_>) -> Result<(LogicalPlan, Vec<Diagnostic>)> {
        let mut needs = Needs::new(self.snapshot, self.store, query.relation);
        let steps = self.steps(query, &mut needs).await?;
        let mut columns = vec![];
        for name in wanted.columns {
            columns.push(self.column(name, &mut needs).await?.into_expr());
        }
        let mut output: Vec<Expr> = vec![
            needs.series("series").alias(SERIES),
            needs.series("first_row").alias(FIRST_ROW),
            needs.series("n").alias(POINTS),
        ];
        if wanted.align.is_some() {
            needs.series("run");
            needs.series("context_key");
            output.extend([column("x", "first_row").alias(ALIGN_ROW), column("x", "n").alias(ALIGN_POINTS)]);
        }
        output.extend(columns);
        let (plan, notes) = self.matches(steps, &mut needs)?;
        let plan = self.with_aligned(plan, &needs, wanted)?;
        Ok((plan.project(output)?.build()?, notes))
    }

    /// The query is about runs: all their series of one kind.
    async fn series_of_runs(&self, query: &Query, wanted: &SeriesWanted<'_>) -> Result<(LogicalPlan, Vec<Diagnostic>)> {
        let mut runs = Needs::new(self.snapshot, self.store, Relation::Runs);
        let mut series = Needs::new(self.snapshot, self.store, Relation::Series(wanted.kind));
        let steps = self.steps(query, &mut runs).await?;
        // What the run has is computed once a run, below the join.
        let mut of_run = vec![runs.run("run").alias("run")];
        let mut columns: Vec<Expr> = vec![];
        for name in wanted.columns {
            if is_of_series(name) {
                columns.push(self.column(name, &mut series).await?.into_expr());
                continue;
            }
            let found =
                if name == "run" { Column::new(name, runs.run("hash")) } else { self.column(name, &mut runs).await? };
            let inner = format!("#{}", columns.len());
            let (value, outer) = found.passed_through(&inner, column("w", &inner));
            of_run.push(value);
            columns.push(outer);
        }
        let (plan, notes) = self.matches(steps, &mut runs)?;
        let plan = plan.project(of_run)?.alias("w")?;

        let mut output: Vec<Expr> = vec![
            series.series("series").alias(SERIES),
            series.series("first_row").alias(FIRST_ROW),
            series.series("n").alias(POINTS),
        ];
        if wanted.align.is_some() {
            series.series("context_key");
            output.extend([column("x", "first_row").alias(ALIGN_ROW), column("x", "n").alias(ALIGN_POINTS)]);
        }
        output.extend(columns);
        let scan = series.scan_series(wanted.kind)?;
        let on = (vec![column("w", "run")], vec![column("s", "run")]);
        let plan = plan.join_with_expr_keys(scan.build()?, JoinType::Inner, on, None)?;
        let plan = self.with_aligned(plan, &series, wanted)?;
        Ok((plan.project(output)?.build()?, notes))
    }

    /// Left-joins the series that each one is aligned by, as `x`.
    fn with_aligned(
        &self,
        plan: LogicalPlanBuilder,
        needs: &Needs<'_>,
        wanted: &SeriesWanted<'_>,
    ) -> Result<LogicalPlanBuilder> {
        let Some(metric) = wanted.align else { return Ok(plan) };
        let columns = ["run", "name", "context_key", "kind", "first_row", "n"];
        let others = needs.scan("x", Table::Series, &columns, false)?;
        let is_it = column("x", "name").eq(lit(metric)).and(column("x", "kind").eq(lit(SeriesKind::Metric.name())));
        let others = others.filter(is_it)?.build()?;
        let keys = |table: &str| vec![column(table, "run"), column(table, "context_key")];
        Ok(plan.join_with_expr_keys(others, JoinType::Left, (keys("s"), keys("x")), None)?)
    }
}

/// Whether the name means a column of the series and not of its run.
fn is_of_series(name: &str) -> bool {
    SERIES_COLUMNS.contains(&name) || name.starts_with("context.")
}
