//! Questions about the data that have to be answered before a plan can be made.

use super::Resolver;
use super::field::{Kept, attribute_kind, series_kind, types};
use super::needs::Needs;
use super::tests_of::is_scope;
use crate::Result;
use datafusion::arrow::array::AsArray;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use datafusion::prelude::DataFrame;
use lakeql_lake::Table;
use lakeql_query::model::{Choice, Expr as Predicate, Field, Place, Relation, ValueType};

/// Statistics hold texts up to this length in full.
const WHOLE_TEXT: usize = 32;

impl Resolver<'_> {
    /// Whether runs differ in this column of texts; a run without a value differs from none.
    pub(super) async fn differs(&self, column: &str) -> Result<bool> {
        let files = &self.snapshot.table(Table::Runs).files;
        let ranges: Option<Vec<_>> = files.iter().map(|file| file.stats.texts(column)).collect();
        if let Some(ranges) = ranges {
            let mut bounds: Vec<&str> = ranges.iter().flat_map(|(least, greatest)| [*least, *greatest]).collect();
            if bounds.iter().all(|bound| bound.len() < WHOLE_TEXT) {
                bounds.sort_unstable();
                bounds.dedup();
                return Ok(bounds.len() > 1);
            }
        }
        let mut runs = Needs::new(self.snapshot, self.store, Relation::Runs);
        let value = runs.run(column);
        let plan = runs.plan(false)?.filter(value.clone().is_not_null())?.project([value])?.distinct()?;
        Ok(self.texts(plan.limit(0, Some(2))?).await?.len() > 1)
    }

    /// Looks up the types of names that have several in the data as a whole, if the query is about some runs only: of the
    /// project that is asked, for example.
    pub(super) async fn narrow_types(&self, predicate: &Predicate, needs: &mut Needs<'_>) -> Result<()> {
        let mut several: Vec<&Field> = vec![];
        predicate.walk(&mut |leaf| {
            if let Predicate::Field(field) = leaf
                && matches!(field.choice, Choice::OneType { .. })
                && !several.iter().any(|known| known.name == field.name)
                && types(&needs.find(field)).len() > 1
            {
                several.push(field);
            }
        });
        let scope: Vec<Predicate> = conjuncts(predicate).filter(|part| about_runs(part)).cloned().collect();
        if scope.is_empty() {
            return Ok(());
        }
        for field in several {
            let mut lookup = Needs::new(self.snapshot, self.store, Relation::Runs);
            let mut kinds: Vec<Expr> = vec![];
            for place in needs.find(field) {
                let kind = match &place.kept {
                    Kept::Column(_) => continue,
                    Kept::Param(path) => lookup.attribute(path, "kind"),
                    Kept::Series(name, _) => {
                        let kind = place.types.first().and_then(|(stored, _)| series_kind(*stored));
                        lookup.plain_summary(name, kind.unwrap_or_default(), "kind")
                    }
                };
                kinds.push(kind.alias(format!("kind{}", kinds.len())));
            }
            let filter = lookup.predicate(&Predicate::all(scope.clone()))?;
            let plan = lookup.plan(false)?.filter(filter)?.project(kinds)?.distinct()?;
            let found = self.texts(plan).await?;
            let of_kind = |stored: &ValueType| {
                let kind = series_kind(*stored).or_else(|| attribute_kind(*stored).map(|kind| kind.name()));
                kind.is_some_and(|kind| found.iter().any(|name| name == kind))
            };
            needs.types.insert(field.name.clone(), ValueType::ALL.into_iter().filter(of_kind).collect());
        }
        Ok(())
    }

    /// All texts of all columns of a small answer.
    async fn texts(&self, plan: LogicalPlanBuilder) -> Result<Vec<String>> {
        let batches = DataFrame::new(self.state.clone(), plan.build()?).collect().await?;
        let mut found = vec![];
        for column in batches.iter().flat_map(|batch| batch.columns()) {
            let texts = column.as_string_view();
            found.extend(texts.iter().flatten().map(str::to_owned));
        }
        Ok(found)
    }
}

/// The parts of a conjunction.
fn conjuncts(predicate: &Predicate) -> impl Iterator<Item = &Predicate> {
    match predicate {
        Predicate::All(parts) => parts.iter(),
        other => std::slice::from_ref(other).iter(),
    }
}

/// Whether a condition says which runs are asked, without looking at what they have logged.
fn about_runs(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Compare { attribute, op, value } => matches!(attribute.place, Place::Run(_)) && is_scope(*op, value),
        _ => false,
    }
}
