//! What is shown of files beside their names, and what is said about all of them.

use super::{Catalogue, of};
use crate::Result;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::{Column, JoinType};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::{array_agg, count, max, min, sum};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use lakeql_lake::Table;
use lakeql_lake::resident::PARENT_FILE;
use lakeql_query::model::{Extra, Overview};
use std::collections::BTreeMap;

impl Catalogue<'_> {
    /// Adds the columns of an extra to the output, and the joins they need to the plan.
    pub(super) fn extra(
        &self,
        plan: LogicalPlanBuilder,
        alias: &str,
        extra: Extra,
        output: &mut Vec<Expr>,
    ) -> Result<LogicalPlanBuilder> {
        Ok(match extra {
            Extra::Metadata => {
                let mark = BTreeMap::from([("lakeql.json".to_owned(), "true".to_owned())]);
                let metadata = of(alias, "metadata");
                output.push(metadata.alias_with_metadata("metadata", Some(FieldMetadata::new(mark))));
                plan
            }
            Extra::Datasets => {
                let members = self.alias("m");
                let rows = self.scan(Table::Members, &members, |_| true)?;
                let rows = self.of_these(rows, (&members, "file"), &plan, alias)?;
                self.gathered(
                    plan,
                    (alias, "file"),
                    rows,
                    (&members, "file"),
                    (&members, "dataset"),
                    "datasets",
                    output,
                )?
            }
            Extra::Provenance => {
                let links = self.alias("p");
                let rows = self.scan(Table::Provenance, &links, |_| true)?;
                let rows = self.of_these(rows, (&links, "child"), &plan, alias)?;
                let plan = self.gathered(
                    plan,
                    (alias, "file"),
                    rows,
                    (&links, "child"),
                    (&links, "parent"),
                    "parents",
                    output,
                )?;
                let (links, child) = (self.alias("p"), self.alias("f"));
                let files = self.scan(Table::Files, &child, |name| matches!(name, "file" | "fid"))?;
                let keys = (vec![Column::new(Some(&links), "child")], vec![Column::new(Some(&child), "file")]);
                let rows = self.scan(Table::Provenance, &links, |_| true)?;
                let rows = self.of_these(rows, (&links, PARENT_FILE), &plan, alias)?;
                let rows = rows.join(files.build()?, JoinType::Inner, keys, None)?;
                self.gathered(plan, (alias, "file"), rows, (&links, PARENT_FILE), (&child, "fid"), "children", output)?
            }
        })
    }

    /// Rows of another table that belong to the files of a plan.
    fn of_these(
        &self,
        rows: LogicalPlanBuilder,
        key: (&str, &str),
        plan: &LogicalPlanBuilder,
        alias: &str,
    ) -> Result<LogicalPlanBuilder> {
        let files = self.alias("k");
        let set = plan.clone().project([of(alias, "file")])?.alias(&files)?.build()?;
        let keys = (vec![Column::new(Some(key.0), key.1)], vec![Column::new(Some(&files), "file")]);
        Ok(rows.join(set, JoinType::LeftSemi, keys, None)?)
    }

    /// A list of values for each row: those of other rows with the same key.
    #[expect(clippy::too_many_arguments, reason = "three columns by table and name")]
    fn gathered(
        &self,
        plan: LogicalPlanBuilder,
        own: (&str, &str),
        rows: LogicalPlanBuilder,
        key: (&str, &str),
        value: (&str, &str),
        name: &str,
        output: &mut Vec<Expr>,
    ) -> Result<LogicalPlanBuilder> {
        let lists = self.alias("g");
        let gathered = rows
            .aggregate([of(key.0, key.1)], [array_agg(of(value.0, value.1)).alias("values")])?
            .project([of(key.0, key.1).alias("key"), Expr::Column(Column::from_name("values"))])?
            .alias(&lists)?
            .build()?;
        output.push(of(&lists, "values").alias(name));
        let keys = (vec![Column::new(Some(own.0), own.1)], vec![Column::new(Some(&lists), "key")]);
        Ok(plan.join(gathered, JoinType::Left, keys, None)?)
    }

    /// One answer about all rows of a plan.
    pub(super) fn overview(&self, plan: LogicalPlanBuilder, alias: &str, overview: Overview) -> Result<LogicalPlan> {
        match overview {
            Overview::Totals => {
                let none: [Expr; 0] = [];
                let rows =
                    plan.aggregate(none, [count(lit(1_i64)).alias("count"), sum(of(alias, "size")).alias("size")])?;
                let column = |name: &str| Expr::Column(Column::from_name(name));
                let total = coalesce(vec![column("size"), lit(0_i64)]).alias("total_size");
                Ok(rows.project([column("count"), total])?.build()?)
            }
            Overview::Keys => {
                let (values, files) = (self.alias("a"), self.alias("k"));
                let set = plan.project([of(alias, "file")])?.alias(&files)?.build()?;
                let wanted = |name: &str| matches!(name, "path" | "file" | "kind" | "int" | "float" | "text");
                let rows = self.stored(Table::FileAttributes, &values, wanted)?;
                let keys = (vec![Column::new(Some(&values), "file")], vec![Column::new(Some(&files), "file")]);
                let rows = rows.join(set, JoinType::LeftSemi, keys, None)?;
                let mut aggregates = vec![count(lit(1_i64)).alias("files")];
                for name in ["int", "float", "text"] {
                    aggregates.push(min(of(&values, name)).alias(format!("min_{name}")));
                    aggregates.push(max(of(&values, name)).alias(format!("max_{name}")));
                }
                let rows = rows.aggregate([of(&values, "path"), of(&values, "kind")], aggregates)?;
                let column = |name: String| cast(Expr::Column(Column::from_name(name)), DataType::Utf8View);
                let bound =
                    |end: &str| coalesce(["int", "float", "text"].map(|it| column(format!("{end}_{it}"))).to_vec());
                let order = ["path", "kind"].map(|name| of(&values, name).sort(true, false));
                let rows = rows.sort(order)?.project([
                    of(&values, "path").alias("key"),
                    of(&values, "kind").alias("type"),
                    Expr::Column(Column::from_name("files")),
                    bound("min").alias("least"),
                    bound("max").alias("greatest"),
                ])?;
                Ok(rows.build()?)
            }
        }
    }
}
