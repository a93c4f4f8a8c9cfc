//! Trees as SQL sees them: `trees.web` has a row for each node.

use super::function::{HydraFunction, NAME};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::SchemaProvider;
use datafusion::catalog::memory::MemorySchemaProvider;
use datafusion::error::DataFusionError;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::prelude::SessionContext;
use lakeql_lake::catalog::provider::{LakeTable, TableFile};
use lakeql_lake::catalog::trees::{TreeInfo, level_column, level_schema};
use lakeql_lake::{Snapshot, Table};
use std::sync::Arc;

/// The schema with a table for each tree.
const TREES: &str = "trees";

/// Registers the trees of a version of a lake.
pub(crate) async fn register(
    context: &SessionContext,
    snapshot: &Arc<Snapshot>,
    store: &ObjectStoreUrl,
) -> crate::Result<()> {
    let function = HydraFunction { snapshot: Arc::clone(snapshot), env: context.runtime_env() };
    context.register_udtf(NAME, Arc::new(function));
    let trees = snapshot.trees().await?;
    if trees.trees.is_empty() {
        return Ok(());
    }
    let schema = MemorySchemaProvider::new();
    for (name, tree) in &trees.trees {
        schema.register_table(name.clone(), Arc::new(table(snapshot, tree, store)?))?;
    }
    let catalogue = context.copied_config().options().catalog.default_catalog.clone();
    let catalogue = context
        .catalog(&catalogue)
        .ok_or_else(|| DataFusionError::Internal(format!("there is no catalogue `{catalogue}`")))?;
    catalogue.register_schema(TREES, Arc::new(schema))?;
    Ok(())
}

/// All levels of a tree as one table: `level1` … with null below the node, `depth`, `hits`, `children`, and what is attached.
fn table(snapshot: &Snapshot, tree: &TreeInfo, store: &ObjectStoreUrl) -> crate::Result<LakeTable> {
    let (_, plan) = tree.plan()?;
    let mut fields: Vec<Field> =
        (1..=tree.levels).map(|level| Field::new(format!("level{level}"), DataType::Utf8, true)).collect();
    let levels = usize::try_from(tree.levels).unwrap_or(usize::MAX);
    for level in 1..=levels {
        for field in level_schema(&plan, level).fields() {
            let is_name = (1..=levels).any(|above| *field.name() == level_column(above));
            if !is_name && !fields.iter().any(|known| known.name() == field.name()) {
                fields.push(field.as_ref().clone());
            }
        }
    }
    let files = (1..=tree.levels).filter_map(|level| snapshot.tree_level(tree, level));
    let files = files.map(|file| TableFile { path: file.location.clone(), size: file.size, rows: file.rows });
    Ok(LakeTable::new(Table::Nodes, &Schema::new(fields), files.collect(), store.clone()))
}
