//! The chosen samples as runs in the order of files.

use super::cut::CutTable;
use super::predicate::{Resolving, column};
use crate::Result;
use datafusion::arrow::datatypes::Schema;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::ExecutionPlan;
use lakeql_lake::catalog::provider::{LakeTable, TableFile};
use lakeql_lake::catalog::samples::{Collection, Property};
use lakeql_lake::{Snapshot, Table};
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use lakeql_query::model::Selection;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The columns that every scan gives, first.
pub(super) const PLACE: [&str; 4] = ["dataset", "file", "start", "end"];

/// A selection that is resolved: what has to be read.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) collection: Collection,
    pub(super) name: String,
    pub(super) predicate: Option<Expr>,
    cuts: Vec<i64>,
    reads: bool,
    pub(super) notes: Vec<Diagnostic>,
}

impl Chosen {
    /// Looks up the collection and the properties that a selection names.
    pub(super) async fn new(snapshot: &Arc<Snapshot>, selection: &Selection) -> Result<Self> {
        let catalog = snapshot.samples().await?;
        let names: Vec<&str> = catalog.collections.keys().map(String::as_str).collect();
        let missing = |message: String, hint: String| Diagnostic::error(Kind::NotFound, message).hint(hint);
        let name = match (&selection.collection, names.as_slice()) {
            (Some(name), _) => name.clone(),
            (None, [only]) => (*only).to_owned(),
            (None, []) => {
                let hint = "bring some in with `lakeql import samples`".to_owned();
                return Err(missing("the lake has no collection of samples".to_owned(), hint).into());
            }
            (None, names) => {
                let hint = format!("choose one with --collection: {}", names.join(", "));
                return Err(Diagnostic::error(Kind::Semantic, "there are several collections").hint(hint).into());
            }
        };
        let Some(collection) = catalog.collections.get(&name) else {
            let hint = match did_you_mean(&name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => "bring some in with `lakeql import samples`".to_owned(),
                None => format!("collections are {}", names.join(", ")),
            };
            return Err(missing(format!("there is no collection `{name}`"), hint).into());
        };
        let properties = collection.properties();
        let notes = selection.notes.clone();
        let mut resolving = Resolving { properties: &properties, collection: &name, notes, cuts: vec![], reads: false };
        let predicate = resolving.set(&selection.set)?;
        let Resolving { notes, mut cuts, reads, .. } = resolving;
        cuts.sort_unstable();
        cuts.dedup();
        Ok(Self { collection: collection.clone(), predicate, cuts, reads, notes, name })
    }

    /// The properties of these names.
    pub(super) fn named(&self, names: &[String]) -> Result<Vec<Property>> {
        let properties = self.collection.properties();
        let resolving =
            Resolving { properties: &properties, collection: &self.name, notes: vec![], cuts: vec![], reads: false };
        resolving.named(names)
    }

    /// The runs of the chosen samples: [`PLACE`], then the columns of these properties.
    fn logical(&self, snapshot: &Snapshot, store: &ObjectStoreUrl, shown: &[Property]) -> Result<LogicalPlan> {
        let shown: Vec<String> = shown.iter().map(|property| property.field().name().clone()).collect();
        let mut needed: BTreeSet<String> = shown.iter().cloned().collect();
        if let Some(predicate) = &self.predicate {
            needed.extend(predicate.column_refs().into_iter().map(|column| column.name.clone()));
        }
        let all = self.collection.schema();
        let fields = all.fields().iter();
        let fields: Vec<_> =
            fields.filter(|it| PLACE.contains(&it.name().as_str()) || needed.contains(it.name())).cloned().collect();
        // Data sets come in the order of their numbers, each with one file of rows.
        let files = self.collection.datasets.iter().filter_map(|dataset| snapshot.sample_rows(dataset));
        let files = files.map(|file| TableFile { path: file.location.clone(), size: file.size, rows: file.rows });
        let table = LakeTable::new(Table::Samples, &Schema::new(fields), files.collect(), store.clone()).ordered();
        // Behind the operator that cuts, a filter is not handed to the reader of files: what fails there has no kind.
        let source = if self.cuts.is_empty() && !self.reads {
            provider_as_source(Arc::new(table))
        } else {
            provider_as_source(Arc::new(CutTable::new(table, self.cuts.clone())))
        };
        let mut plan = LogicalPlanBuilder::scan("samples", source, None)?;
        if let Some(predicate) = &self.predicate {
            plan = plan.filter(predicate.clone())?;
        }
        let columns = PLACE.into_iter().map(str::to_owned).chain(shown);
        Ok(plan.project(columns.map(|name| column(&name)))?.build()?)
    }

    /// The same, planned: partitions follow each other in the order of files.
    pub(super) async fn physical(
        &self,
        state: &SessionState,
        snapshot: &Snapshot,
        store: &ObjectStoreUrl,
        shown: &[Property],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.logical(snapshot, store, shown)?;
        // Dealing rows out would lose their order.
        let config = state.config().clone().with_round_robin_repartition(false);
        let state = SessionStateBuilder::new_from_existing(state.clone()).with_config(config).build();
        Ok(state.create_physical_plan(&plan).await?)
    }
}
