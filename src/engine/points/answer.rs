//! From query and options to the stream of the answer.

use super::align::Aligned;
use super::bands::{self, Banding};
use super::exec::{PointsExec, Work};
use super::groups::Groups;
use super::list::{self, KEYS, List};
use super::matched::Matched;
use super::pieces::Piece;
use super::reading::{Reading, in_range};
use super::rows::SeriesRows;
use super::scan::{PointFiles, SUBSTEP};
use super::steps::KeyKind;
use super::{By, PointsOptions, Sampling};
use crate::resolve::{Resolver, SeriesWanted};
use crate::results::Closing;
use crate::{Result, Shape};
use arrow::array::RecordBatch;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::session_state::SessionState;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use lakeql_lake::catalog::paths::PathOwner;
use lakeql_lake::{Snapshot, Table};
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use lakeql_query::model::{Query, Relation, SeriesKind};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What a session makes its results of.
pub(crate) struct Answer {
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) stream: SendableRecordBatchStream,
    pub(crate) notes: Vec<Diagnostic>,
    pub(crate) closing: Closing,
}

/// Finds the matched series and starts reading their points.
pub(crate) async fn answer(
    state: &SessionState,
    snapshot: &Arc<Snapshot>,
    store: &ObjectStoreUrl,
    query: &Query,
    options: &PointsOptions,
) -> Result<Answer> {
    let kind = checked(query, options)?;
    let table = if kind == SeriesKind::Metric { Table::Points } else { Table::TextPoints };
    let columns = columns(options);
    let wanted = SeriesWanted { kind, columns: &columns, align: options.align.as_deref() };
    let mut query = query.clone();
    let shape = Shape { sort: options.sort.clone(), limit: options.top, ..Shape::default() };
    query.transforms.extend(shape.transforms());
    let (plan, mut notes) = Resolver::new(state, snapshot, store).series(&query, &wanted).await?;
    if !options.sort.is_empty() && options.top.is_none() {
        let note = Diagnostic::note(Kind::Semantic, "points come in the order in which they are stored");
        notes.push(note.hint("the order of the matches says which are the first: add --top N"));
    }
    notes.extend(options.align.as_deref().and_then(|metric| unknown(snapshot, metric)));
    let series = state.create_physical_plan(&plan).await?;
    let context = state.task_ctx();
    let mut matched = Matched::collect(&series, &context, snapshot, table).await?;

    let threads = state.config().target_partitions();
    let lake = Lake { state, snapshot, store, context: &context };
    let files = lake.open(table, matched.rows.iter()).await?;
    let fractions = files.has_fractions();
    let step: &[&str] = if fractions { &["step", SUBSTEP] } else { &["step"] };
    let mut inputs = vec![Arc::clone(&series)];

    let mut rows = std::mem::take(&mut matched.rows);
    let before: u64 = rows.iter().map(|series| series.rows).sum();
    if !options.steps.is_all() {
        let reading = Reading::new(&files, rows, Sampling::All, false, step, &context)?;
        inputs.push(Arc::clone(&reading.scan));
        rows = in_range(reading, options.steps, threads).await?;
    }
    let within: u64 = rows.iter().map(|series| series.rows).sum();
    let shown: u64 = rows.iter().map(|series| options.sampling.kept(series.rows)).sum();
    notes.extend(sampled(options, before, within, shown));

    let banded = !options.aggregate.is_empty();
    let of_point: Vec<&str> = match (banded, options.by) {
        (true, By::Epoch) => vec!["epoch", "value"],
        (true, By::Step) => [step, &["value"]].concat(),
        (false, _) => [step, &["index", "epoch", "time", "value", "text"]].concat(),
    };
    let reading = Reading::new(&files, rows, options.sampling, options.align.is_some(), &of_point, &context)?;
    let aligned = lake.aligned(options, &matched, &reading.pieces).await?;
    inputs.push(Arc::clone(&reading.scan));
    inputs.extend(aligned.as_ref().map(|aligned| Arc::clone(aligned.scan())));

    let keys = match (&aligned, banded, options.by) {
        (Some(_), _, _) | (None, true, By::Epoch) => KeyKind::Float,
        (None, _, _) if fractions => KeyKind::Fraction,
        (None, _, _) => KeyKind::Whole,
    };
    let work = if banded {
        let groups = Groups::new(groups_of(&matched.columns, options)?)?;
        let schema = bands::schema(&groups, options.by, keys, &options.aggregate);
        let schema = Arc::new(schema.with_metadata(metadata(options)));
        let statistics = options.aggregate.clone();
        Work::Bands(Arc::new(Banding { groups, reading, aligned, by: options.by, keys, statistics, schema }))
    } else {
        let fields: Vec<_> = reading.scan.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
        let schema = list::schema(&matched, &fields, keys);
        let schema = Arc::new(schema.with_metadata(metadata(options)));
        let matched = Arc::new(matched);
        Work::List(Arc::new(List { matched, reading, aligned, steps: keys, schema, dropped: 0.into() }))
    };
    let closing = Closing::default();
    let slice = (options.offset, options.limit);
    let plan: Arc<dyn ExecutionPlan> = Arc::new(PointsExec::new(work, inputs, slice, threads, Arc::clone(&closing)));
    let stream = plan.execute(0, context)?;
    Ok(Answer { plan, stream, notes, closing })
}

/// What is needed to open files.
struct Lake<'a> {
    state: &'a SessionState,
    snapshot: &'a Snapshot,
    store: &'a ObjectStoreUrl,
    context: &'a Arc<TaskContext>,
}

impl Lake<'_> {
    /// The files in which these rows lie.
    async fn open(&self, table: Table, rows: impl Iterator<Item = &SeriesRows>) -> Result<PointFiles> {
        let mut needed: Vec<usize> = rows.filter(|rows| rows.rows > 0).map(|rows| rows.file).collect();
        needed.dedup();
        PointFiles::open(self.state, self.snapshot, self.store, table, needed.into_iter()).await
    }

    /// The series that those of the pieces are aligned by.
    async fn aligned(&self, options: &PointsOptions, matched: &Matched, pieces: &[Piece]) -> Result<Option<Aligned>> {
        if options.align.is_none() {
            return Ok(None);
        }
        let files = self.open(Table::Points, matched.align.iter().flatten()).await?;
        let columns: &[&str] = if files.has_fractions() { &["step", SUBSTEP, "value"] } else { &["step", "value"] };
        Ok(Some(Aligned::new(&files, pieces, &matched.align, columns, self.context)?))
    }
}

/// The kind of series that is wanted, if the options fit the query and each other.
fn checked(query: &Query, options: &PointsOptions) -> Result<SeriesKind> {
    let wrong = |message: String| Diagnostic::error(Kind::Semantic, message);
    let kind = match query.relation {
        Relation::Samples => return Err(wrong("a query about samples matches no series".into()).into()),
        Relation::Trees => return Err(wrong("a walk over trees matches no series".into()).into()),
        Relation::Runs | Relation::Table | Relation::Catalogue(_) => options.kind.unwrap_or(SeriesKind::Metric),
        Relation::Series(kind) => {
            if let Some(other) = options.kind.filter(|other| *other != kind) {
                let message = format!("the query matches {} and not {}", kind.name(), other.name());
                return Err(wrong(message).hint("leave the kind out, or ask a query about runs").into());
            }
            kind
        }
    };
    if let Sampling::Density(0 | 1) = options.sampling {
        let problem = wrong("a density of less than two points a series cannot keep the first and the last".into());
        return Err(problem.hint("the summaries `first` and `last` are columns of `lakeql query`").into());
    }
    if options.sampling == Sampling::Every(0) {
        return Err(wrong("every 0th point is no point".into()).hint("every 1st is all of them").into());
    }
    if options.aggregate.is_empty() {
        return Ok(kind);
    }
    if kind != SeriesKind::Metric {
        return Err(wrong(format!("{} have no values to aggregate", kind.name())).into());
    }
    if let Some(column) = options.columns.first() {
        let problem = wrong(format!("a step of many series has no column `{column}`"));
        return Err(problem.hint(format!("to aggregate for each of its values: --group {column}")).into());
    }
    if options.by == By::Epoch && options.align.is_some() {
        return Err(wrong("values that take the place of steps do not go with epochs".into())
            .hint("leave out one of --align and --by epoch")
            .into());
    }
    Ok(kind)
}

/// Columns of single points beside those of their series.
const OF_POINT: [&str; 6] = ["step", "index", "epoch", "time", "value", "text"];

/// The columns of the series that are needed.
fn columns(options: &PointsOptions) -> Vec<String> {
    let mut columns: Vec<String> = vec![];
    let banded = !options.aggregate.is_empty();
    if !banded {
        columns.extend(KEYS.map(str::to_owned));
    }
    for name in options.columns.iter().chain(&options.group) {
        let is_there = columns.contains(name) || (!banded && OF_POINT.contains(&name.as_str()));
        if !is_there {
            columns.push(name.clone());
        }
    }
    columns
}

/// The group columns, in the order in which they were asked for.
fn groups_of(columns: &RecordBatch, options: &PointsOptions) -> Result<RecordBatch> {
    let taken = [options.by.name(), "n", "nan"].into_iter();
    let mut taken = taken.chain(options.aggregate.iter().flat_map(|statistic| statistic.columns().iter().copied()));
    if let Some(name) = taken.find(|name| options.group.iter().any(|group| group == name)) {
        let problem = Diagnostic::error(Kind::Semantic, format!("there would be two columns `{name}`"));
        return Err(problem.hint(format!("a param of this name is `run.{name}`")).into());
    }
    Ok(columns.clone())
}

/// What was asked for, for whoever reads the answer later.
fn metadata(options: &PointsOptions) -> HashMap<String, String> {
    let mut metadata = BTreeMap::new();
    if !options.steps.is_all() {
        metadata.insert("steps", options.steps.to_string());
    }
    match options.sampling {
        Sampling::All => {}
        Sampling::Every(stride) => drop(metadata.insert("every", stride.to_string())),
        Sampling::Density(most) => drop(metadata.insert("density", most.to_string())),
    }
    if let Some(metric) = &options.align {
        metadata.insert("align", metric.clone());
    }
    if !options.aggregate.is_empty() {
        let names: Vec<_> = options.aggregate.iter().map(|statistic| statistic.name()).collect();
        metadata.insert("aggregate", names.join(","));
        metadata.insert("by", options.by.name().to_owned());
    }
    if let Some(top) = options.top {
        metadata.insert("top", top.to_string());
    }
    metadata.into_iter().map(|(key, value)| (format!("lakeql.points.{key}"), value)).collect()
}

/// A metric that no run has is no mistake, but then there is nothing to align by.
fn unknown(snapshot: &Snapshot, metric: &str) -> Option<Diagnostic> {
    let paths = snapshot.paths();
    if !paths.get(PathOwner::Series, metric).is_empty() {
        return None;
    }
    let note = Diagnostic::note(Kind::NotFound, format!("no run has the metric `{metric}` to align by"));
    Some(match did_you_mean(metric, paths.names(PathOwner::Series)) {
        Some(near) => note.hint(format!("did you mean `{near}`?")),
        None => note,
    })
}

/// What was left out of the points of the matched series.
fn sampled(options: &PointsOptions, before: u64, within: u64, shown: u64) -> Vec<Diagnostic> {
    let mut notes = vec![];
    let note = |text: String| Diagnostic::note(Kind::Semantic, text);
    if !options.steps.is_all() {
        notes.push(note(format!("steps {}: {within} of {before} points", options.steps)));
    }
    match options.sampling {
        Sampling::All => {}
        Sampling::Every(stride) => notes.push(note(format!("every {stride}: {shown} of {within} points"))),
        Sampling::Density(most) => notes.push(note(format!("density {most}: {shown} of {within} points"))),
    }
    notes
}
