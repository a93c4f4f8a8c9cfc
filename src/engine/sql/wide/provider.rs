//! The table behind `runs_wide`: plans only what a query uses of it.

use super::super::tables::{Tables, of, scan};
use super::columns::{OWN, WideColumn};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Column;
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::max;
use datafusion::logical_expr::{
    Expr, JoinType, LogicalPlanBuilder, TableProviderFilterPushDown, lit, utils::conjunction, when,
};
use datafusion::physical_plan::ExecutionPlan;
use lakeql_lake::Table;
use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

/// So many rare parameters are joined one by one, which lets a filter on one of them read its matching rows only. More of
/// them are gathered in one pass over `attributes`.
const JOINS: usize = 6;

/// Runs with parameters as columns.
pub(super) struct RunsWide {
    tables: Tables,
    columns: Vec<WideColumn>,
    schema: SchemaRef,
}

impl RunsWide {
    pub(super) fn new(tables: Tables, columns: Vec<WideColumn>) -> Result<Self> {
        let own = tables.some_of_runs(&OWN.into()).schema();
        let mut fields = vec![];
        for name in OWN {
            fields.push(own.field_with_name(name)?.clone());
        }
        fields.extend(columns.iter().map(WideColumn::field));
        Ok(Self { tables, columns, schema: Arc::new(Schema::new(fields)) })
    }

    /// The columns of a query (places in the schema), by names that no parameter can spoil.
    fn plan(&self, used: &BTreeSet<usize>) -> Result<LogicalPlanBuilder> {
        let own = used.iter().filter_map(|index| OWN.get(*index).copied());
        let params: Vec<_> = used.iter().filter_map(|index| self.columns.get(index.checked_sub(OWN.len())?)).collect();
        let rare: Vec<_> = params.iter().copied().filter(|column| column.typed.is_none()).collect();
        let mut read: HashSet<&str> = own.clone().collect();
        read.extend(params.iter().filter_map(|column| column.typed.as_ref()).flatten().map(|(_, name)| name.as_str()));
        if !rare.is_empty() || read.is_empty() {
            read.insert("run");
        }
        let mut plan = scan(Table::Runs, self.tables.some_of_runs(&read))?.alias("r")?;
        let mut values = vec![];
        if rare.len() <= JOINS {
            for (number, column) in rare.iter().enumerate() {
                let name = format!("a{number}");
                plan = with_run(plan, self.one(column)?.alias(name.as_str())?, &name)?;
                values.push(of(&name, "value"));
            }
        } else {
            plan = with_run(plan, self.gathered(&rare)?.alias("a")?, "a")?;
            values.extend((0..rare.len()).map(|number| of("a", &format!("value{number}"))));
        }
        let mut values = values.into_iter();
        let mut shown: Vec<Expr> = own.map(|name| of("r", name).alias(name)).collect();
        for column in params {
            let value = match &column.typed {
                Some(typed) => Some(column.typed_value(typed, "r")),
                None => values.next(),
            };
            shown.extend(value.map(|value| value.alias(&column.name)));
        }
        plan.project(shown)
    }

    fn attributes(&self) -> Result<LogicalPlanBuilder> {
        scan(Table::Attributes, self.tables.live(Table::Attributes)?)?.alias("t")
    }

    /// `run` and `value` of one parameter.
    fn one(&self, column: &WideColumn) -> Result<LogicalPlanBuilder> {
        let rows = self.attributes()?.filter(of("t", "path").eq(lit(column.path.as_str())))?;
        rows.project([of("t", "run").alias("run"), column.attribute_value("t").alias("value")])
    }

    /// `run` and `value0`, `value1` … of many parameters.
    fn gathered(&self, columns: &[&WideColumn]) -> Result<LogicalPlanBuilder> {
        let path = || of("t", "path");
        let paths = columns.iter().map(|column| lit(column.path.as_str())).collect();
        let mut values = vec![];
        for (number, column) in columns.iter().enumerate() {
            // A run has a path once, so that there is only one value to choose from.
            let value = when(path().eq(lit(column.path.as_str())), column.attribute_value("t")).end()?;
            values.push(max(value).alias(format!("value{number}")));
        }
        let run = of("t", "run").alias("run");
        self.attributes()?.filter(path().in_list(paths, false))?.aggregate([run], values)
    }
}

/// Joins values to all runs, those without a value included.
fn with_run(plan: LogicalPlanBuilder, values: LogicalPlanBuilder, name: &str) -> Result<LogicalPlanBuilder> {
    let keys = (vec![Column::new(Some("r"), "run")], vec![Column::new(Some(name), "run")]);
    plan.join(values.build()?, JoinType::Left, keys, None)
}

impl fmt::Debug for RunsWide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunsWide").field("columns", &self.columns.len()).finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl TableProvider for RunsWide {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // They become part of the plan below, whose scans take what they can.
        Ok(vec![TableProviderFilterPushDown::Exact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let shown = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let mut used: BTreeSet<usize> = shown.iter().copied().collect();
        for column in filters.iter().flat_map(Expr::column_refs) {
            used.insert(self.schema.index_of(&column.name)?);
        }
        let mut plan = self.plan(&used)?;
        if let Some(filter) = conjunction(filters.iter().cloned()) {
            plan = plan.filter(filter)?;
        }
        let names = shown.iter().map(|index| Column::from_name(self.schema.field(*index).name()));
        plan = plan.project(names.map(Expr::Column))?.limit(0, limit)?;
        state.create_physical_plan(&plan.build()?).await
    }
}
