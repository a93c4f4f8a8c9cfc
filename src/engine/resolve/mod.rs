//! Query and catalogue to logical plan: names become columns, leaves become predicates that storage can prune by.
//!
//! | file | what it resolves |
//! |---|---|
//! | `needs.rs` | which columns of which tables a query touches, and the joins that bring them together |
//! | `predicate.rs` | [`model::Expr`](lakeql_query::model::Expr) to predicates |
//! | `compare.rs` | one comparison over typed columns |
//! | `field.rs` | names that may be kept in several places and types |
//! | `tests_of.rs` | what is tested of a value of one type |
//! | `scope.rs` | questions about the data that come before the plan |
//! | `program.rs` | row-by-row programs and the columns they are given |
//! | `select.rs` | names of `--select` and `--sort` |
//! | `runs.rs` | single runs by hash or name, and all that is known of them |
//! | `points.rs` | the series behind a query, for their points |

mod compare;
mod field;
mod needs;
mod points;
mod predicate;
mod program;
mod runs;
mod scope;
mod select;
mod tests_of;

use crate::catalogue::Catalogue;
use crate::samples;
use crate::shape::Shape;
use crate::trees;
use crate::{Error, Result};
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::common::ScalarValue;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr, lit};
use datafusion::prelude::DataFrame;
use lakeql_lake::Snapshot;
use lakeql_lake::catalog::paths::PathOwner;
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use lakeql_query::model::{Expr as Predicate, Place, Query, Relation, SortKey, Transform};
use lakeql_query::span::Span;
use needs::Needs;
pub(crate) use points::{ALIGN_POINTS, ALIGN_ROW, FIRST_ROW, POINTS, SERIES, SeriesWanted};
pub(crate) use predicate::balanced;
use std::sync::Arc;

/// Turns queries into plans over one version of a lake.
pub(crate) struct Resolver<'a> {
    state: &'a SessionState,
    snapshot: &'a Arc<Snapshot>,
    store: &'a ObjectStoreUrl,
}

/// The steps of a query, resolved.
#[derive(Default)]
struct Steps {
    filters: Vec<Expr>,
    sort: Vec<SortExpr>,
    slice: Option<(usize, Option<usize>)>,
    columns: Option<Vec<select::Column>>,
    /// The columns that name rows, if they are others than the relation's.
    keys: Option<Vec<select::Column>>,
    /// Whether the order of the rows matters although none is cut off.
    ordered: bool,
    notes: Vec<Diagnostic>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(state: &'a SessionState, snapshot: &'a Arc<Snapshot>, store: &'a ObjectStoreUrl) -> Self {
        Self { state, snapshot, store }
    }

    /// The plan, and notes about names that no run has.
    pub(crate) async fn resolve(&self, query: &Query) -> Result<(LogicalPlan, Vec<Diagnostic>)> {
        if query.relation == Relation::Samples {
            return samples::resolve(self.state, self.snapshot, self.store, query).await;
        }
        if query.relation == Relation::Trees {
            return trees::resolve(self.state, self.snapshot, query).await;
        }
        if let Relation::Catalogue(_) = query.relation {
            return Catalogue::new(self.state, self.snapshot, self.store).resolve(query).await;
        }
        if query.relation == Relation::Table {
            return Err(internal("a plain table in a lake"));
        }
        let mut needs = Needs::new(self.snapshot, self.store, query.relation);
        let mut steps = self.steps(query, &mut needs).await?;
        let columns = match steps.columns.take().or(steps.keys.take()) {
            Some(columns) => columns,
            None => needs.key_columns(),
        };
        let output: Vec<Expr> = columns.into_iter().map(select::Column::into_expr).collect();
        // Whoever reads rows one after the other wants them in some order.
        steps.ordered = true;
        let (plan, notes) = self.matches(steps, &mut needs)?;
        Ok((plan.project(output)?.build()?, notes))
    }

    /// Looks up what the steps of a query name.
    async fn steps(&self, query: &Query, needs: &mut Needs<'_>) -> Result<Steps> {
        let mut steps = Steps::default();
        for transform in &query.transforms {
            match transform {
                Transform::Filter(predicate) => {
                    self.note_unknown(predicate, &mut steps.notes);
                    self.narrow_types(predicate, needs).await?;
                    steps.filters.push(needs.predicate(predicate)?);
                    steps.notes.append(&mut needs.notes);
                }
                Transform::Choose(_) => return Err(internal("samples among runs")),
                Transform::Walk(_) => return Err(internal("a walk where rows are runs")),
                Transform::Set(_) => return Err(internal("a set of files where rows are runs")),
                Transform::With(_) | Transform::Overview(_) => return Err(only_files()),
                Transform::After { hash } => {
                    if let Some(filter) = self.after(hash, needs).await? {
                        steps.filters.push(filter);
                    }
                }
                Transform::Sort(keys) => {
                    for (index, SortKey { column, descending }) in keys.iter().enumerate() {
                        let found = self.column(column, needs).await.map_err(|error| in_sort(error, keys, index))?;
                        steps.sort.push(found.value.sort(!descending, false));
                    }
                }
                Transform::Slice { offset, limit } => steps.slice = Some((*offset, *limit)),
                Transform::Keys(keys) => {
                    let mut columns = vec![];
                    for key in keys {
                        if !key.if_several || self.differs(&key.column).await? {
                            columns.push(select::Column::new(&key.shown, needs.run(&key.column)));
                        }
                    }
                    steps.keys = Some(columns);
                }
                Transform::Select(names) => {
                    let mut chosen = vec![];
                    for (index, name) in names.iter().enumerate() {
                        let found = self.column(name, needs).await;
                        chosen.push(found.map_err(|error| in_argument(error, "--select", names, index, 0))?);
                    }
                    steps.columns = Some(chosen);
                }
            }
        }
        Ok(steps)
    }

    /// The rows that a query matches, with all columns that were asked for.
    fn matches(&self, mut steps: Steps, needs: &mut Needs<'_>) -> Result<(LogicalPlanBuilder, Vec<Diagnostic>)> {
        let ordered = steps.ordered || steps.slice.is_some();
        let by_age = ordered && steps.sort.is_empty();
        if ordered {
            steps.sort.extend(needs.natural_order());
        }
        let mut plan = needs.plan(by_age)?;
        for filter in steps.filters {
            plan = plan.filter(filter)?;
        }
        if ordered {
            plan = plan.sort(steps.sort)?;
        }
        if let Some((offset, limit)) = steps.slice {
            plan = plan.limit(offset, limit)?;
        }
        Ok((plan, steps.notes))
    }

    /// Rows of runs that are older than this one; nothing if there is no such run.
    async fn after(&self, hash: &str, needs: &mut Needs<'_>) -> Result<Option<Expr>> {
        let mut lookup = Needs::new(self.snapshot, self.store, Relation::Runs);
        let (own_hash, created) = (lookup.run("hash"), lookup.run("created_at"));
        let plan = lookup.plan(false)?.filter(own_hash.eq(lit(hash)))?.project([created])?.build()?;
        let batches = DataFrame::new(self.state.clone(), plan).collect().await?;
        let Some(batch) = batches.iter().find(|batch| batch.num_rows() > 0) else { return Ok(None) };
        let micros = batch.column(0).as_primitive::<TimestampMicrosecondType>();
        if micros.is_null(0) {
            return Ok(None);
        }
        let time = lit(ScalarValue::TimestampMicrosecond(Some(micros.value(0)), Some("UTC".into())));
        let (created, own_hash) = (needs.run("created_at"), needs.run("hash"));
        let same_time = created.clone().eq(time.clone()).and(own_hash.gt(lit(hash)));
        Ok(Some(created.lt(time).or(same_time)))
    }

    /// A missing name is legal and simply missing; that no run has it is worth a word.
    fn note_unknown(&self, predicate: &Predicate, notes: &mut Vec<Diagnostic>) {
        let paths = self.snapshot.paths();
        let mut note = |leaf: &Predicate| {
            let Some(attribute) = leaf.attribute() else { return };
            let (owner, name, what) = match &attribute.place {
                Place::Param(path) => (PathOwner::Run, needs::path_text(path), "no run has the param"),
                Place::Summary { series, .. } => (PathOwner::Series, series.clone(), "no run has the sequence"),
                Place::Context(path) => (PathOwner::Context, needs::path_text(path), "no context has the key"),
                Place::Run(_) | Place::Series(_) => return,
            };
            if !paths.get(owner, &name).is_empty() {
                return;
            }
            let note = Diagnostic::note(Kind::NotFound, format!("{what} `{name}`")).label(attribute.span, "");
            let note = match did_you_mean(&name, paths.names(owner)) {
                Some(near) => note.hint(format!("did you mean `{near}`?")),
                None => note,
            };
            if !notes.contains(&note) {
                notes.push(note);
            }
        };
        predicate.walk(&mut note);
    }
}

/// The same mistake, shown in the argument of a flag that lists names. `skip`: bytes of the element before the name.
fn in_argument(error: Error, flag: &str, names: &[String], index: usize, skip: usize) -> Error {
    let Error::Query(found) = error else { return error };
    let start = names.iter().take(index).map(|name| name.len() + 1).sum::<usize>();
    let end = start + names.get(index).map_or(0, String::len);
    let argument = names.join(",");
    let place = Span::new(start + skip, end);
    Error::Query(found.into_iter().map(|problem| problem.in_argument(flag, &argument, place)).collect())
}

/// The same for `--sort`, where a `-` may stand before the name.
fn in_sort(error: Error, keys: &[SortKey], index: usize) -> Error {
    let written = |key: &SortKey| format!("{}{}", if key.descending { "-" } else { "" }, key.column);
    let skip = usize::from(keys.get(index).is_some_and(|key| key.descending));
    in_argument(error, "--sort", &keys.iter().map(written).collect::<Vec<_>>(), index, skip)
}

/// Flags that only queries over files take.
pub(crate) fn only_files() -> Error {
    let problem = Diagnostic::error(Kind::Semantic, "--with and --summary are for files of the file catalogue");
    problem.hint("ask in MQL: --lang mql").into()
}

/// A query that no language can produce.
pub(crate) fn internal(message: &str) -> Error {
    datafusion::error::DataFusionError::Internal(message.to_owned()).into()
}

/// `--select`, `--sort`, `--offset` and `--limit` on the answer of an SQL query.
pub(crate) fn shape_sql(plan: LogicalPlan, shape: &Shape) -> Result<LogicalPlan> {
    shaped(plan, &shape.transforms())
}

/// The steps of a shape over the columns of an answer.
pub(crate) fn shaped(plan: LogicalPlan, transforms: &[Transform]) -> Result<LogicalPlan> {
    let schema = Arc::clone(plan.schema());
    let known = |name: &String| -> Result<Expr> {
        if schema.fields().iter().any(|field| field.name() == name) {
            return Ok(Expr::Column(datafusion::common::Column::from_name(name.as_str())));
        }
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let problem = Diagnostic::error(Kind::NotFound, format!("the answer has no column `{name}`"));
        Err(Error::Query(vec![match did_you_mean(name, names) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem,
        }]))
    };
    let mut builder = LogicalPlanBuilder::from(plan);
    for transform in transforms {
        builder = match transform {
            Transform::Sort(keys) => {
                let sorts = keys.iter().enumerate().map(|(index, key)| {
                    let column = known(&key.column).map_err(|error| in_sort(error, keys, index))?;
                    Ok(column.sort(!key.descending, false))
                });
                builder.sort(sorts.collect::<Result<Vec<_>>>()?)?
            }
            Transform::Slice { offset, limit } => builder.limit(*offset, *limit)?,
            Transform::Select(names) => {
                let columns = names
                    .iter()
                    .enumerate()
                    .map(|(index, name)| known(name).map_err(|error| in_argument(error, "--select", names, index, 0)));
                builder.project(columns.collect::<Result<Vec<_>>>()?)?
            }
            Transform::With(_) | Transform::Overview(_) => return Err(only_files()),
            Transform::Choose(_)
            | Transform::Walk(_)
            | Transform::Filter(_)
            | Transform::After { .. }
            | Transform::Keys(_)
            | Transform::Set(_) => builder,
        };
    }
    Ok(builder.build()?)
}
