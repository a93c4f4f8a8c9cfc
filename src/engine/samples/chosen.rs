//! The chosen samples as runs in the order of files.

use super::cut::CutTable;
use super::merge::MergedTable;
use super::predicate::{Resolving, column};
use crate::Result;
use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::catalog::TableProvider;
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
pub(super) const PLACE: [&str; 3] = ["file", "start", "end"];

/// Runs that one partition reads, about: a row group.
const RUNS_OF_PARTITION: u64 = 65_536;

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
        let runs = self.runs(snapshot, store, &needed);
        // Behind the operator that cuts, a filter is not handed to the reader of files: what fails there has no kind.
        let source = if self.cuts.is_empty() && !self.reads {
            provider_as_source(runs)
        } else {
            provider_as_source(Arc::new(CutTable::new(runs, self.cuts.clone())))
        };
        let mut plan = LogicalPlanBuilder::scan("samples", source, None)?;
        if let Some(predicate) = &self.predicate {
            plan = plan.filter(predicate.clone())?;
        }
        let columns = PLACE.into_iter().map(str::to_owned).chain(shown);
        Ok(plan.project(columns.map(|name| column(&name)))?.build()?)
    }

    /// A table of the runs with [`PLACE`] and these columns, in the order of files.
    fn runs(&self, snapshot: &Snapshot, store: &ObjectStoreUrl, needed: &BTreeSet<String>) -> Arc<dyn TableProvider> {
        let all = self.collection.schema();
        let wanted = |name: &str| PLACE.contains(&name) || needed.contains(name);
        let fields: Vec<_> = all.fields().iter().filter(|it| wanted(it.name())).cloned().collect();
        let file = |segment| {
            let file = snapshot.sample_rows(segment)?;
            Some(TableFile { path: file.location.clone(), size: file.size, rows: file.rows })
        };
        let apart = |property: &Property| property.apart.is_some() && needed.contains(property.field().name());
        if !self.collection.datasets.iter().flat_map(|dataset| &dataset.properties).any(apart) {
            // Data sets come in the order of their numbers, each with one file of runs.
            let files: Vec<_> = self.collection.datasets.iter().filter_map(|dataset| file(dataset.segment)).collect();
            let runs: u64 = files.iter().map(|file| file.rows).sum();
            let partitions = usize::try_from(runs / RUNS_OF_PARTITION).unwrap_or(usize::MAX);
            let table = LakeTable::new(Table::Samples, &Schema::new(fields), files, store.clone()).ordered();
            return Arc::new(table.in_partitions(partitions.max(2)));
        }
        let is_place = |name: &String| PLACE.contains(&name.as_str());
        let parts = self.collection.datasets.iter().map(|dataset| {
            let mut tables = vec![];
            for (index, (segment, properties)) in dataset.segments().into_iter().enumerate() {
                let has = |name: &String| properties.iter().any(|it| it.field().name() == name);
                // The main segment also stands for properties that the data set does not have.
                let elsewhere = |name: &String| dataset.properties.iter().any(|it| it.field().name() == name);
                let own = |name: &String| has(name) || (index == 0 && !elsewhere(name));
                let columns: Vec<_> =
                    fields.iter().filter(|it| is_place(it.name()) || own(it.name())).cloned().collect();
                tables.extend(file(segment).map(|file| (columns, file)));
            }
            // What only cuts runs is not read.
            if tables.iter().any(|(columns, _)| columns.len() > PLACE.len()) {
                tables.retain(|(columns, _)| columns.len() > PLACE.len());
            } else {
                tables.truncate(1);
            }
            let table = |(columns, file): (Vec<FieldRef>, TableFile)| {
                let table = LakeTable::new(Table::Samples, &Schema::new(columns), vec![file], store.clone());
                table.ordered().in_partitions(1)
            };
            tables.into_iter().map(table).collect()
        });
        Arc::new(MergedTable::new(Schema::new(fields.clone()), parts.collect()))
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
        let config = state.config().clone().with_round_robin_repartition(false).with_repartition_file_scans(false);
        let state = SessionStateBuilder::new_from_existing(state.clone()).with_config(config).build();
        Ok(state.create_physical_plan(&plan).await?)
    }
}
