//! A session: one version of a lake, or plain files, with an engine around it.

use crate::catalogue::{Catalogue, FilterPrograms, SavedText};
use crate::config::{self, Limits};
use crate::explain::{self, Explain, ScanReport, Stage};
use crate::export::{self, Exported};
use crate::plain::{self, PlainSource};
use crate::points::{self, PointsOptions};
use crate::resolve::Resolver;
use crate::results::within;
use crate::samples::{self, ChunkOptions, Chunks};
use crate::shape::Shape;
use crate::trees::{self, Walking};
use crate::{Error, Result, Results, sql};
use arrow::record_batch::RecordBatch;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use lakeql_lake::ingest::neptune::{Export, NeptuneOptions, PathFilter};
use lakeql_lake::plain::PlainTable;
use lakeql_lake::{AsOf, Lake, Snapshot};
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use lakeql_query::dialects::{self, Dialect, Settings};
use lakeql_query::model::{Query, SeriesKind};
use lakeql_query::source::Source;
use lakeql_query::span::Span;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The scheme under which the engine knows the store of the lake; paths in it are those of the store.
const STORE: &str = "lake://lake/";

/// The language that is not a dialect.
const SQL: &str = "sql";

/// How a session is made.
#[derive(Clone, Debug)]
pub struct SessionBuilder {
    of: Wanted,
    limits: Limits,
}

/// What a session is to ask.
#[derive(Clone, Debug)]
enum Wanted {
    Lake {
        url: String,
        as_of: AsOf,
    },
    Plain(Vec<PlainSource>),
    /// Whatever is at this place: an export of Neptune, or else plain files.
    Found(String),
}

impl SessionBuilder {
    /// Reads this version of the lake instead of the latest; plain files have no versions.
    #[must_use]
    pub fn as_of(mut self, wanted: AsOf) -> Self {
        if let Wanted::Lake { as_of, .. } = &mut self.of {
            *as_of = wanted;
        }
        self
    }

    /// Bounds the memory of operators.
    #[must_use]
    pub fn memory_bytes(mut self, bytes: usize) -> Self {
        self.limits.memory_bytes = Some(bytes);
        self
    }

    /// Bounds the number of threads.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.limits.threads = Some(threads);
        self
    }

    /// The programs that queries may run as filters.
    #[must_use]
    pub fn filters(mut self, filters: FilterPrograms) -> Self {
        self.limits.filters = Arc::new(filters);
        self
    }

    /// Bounds the time of a query.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = Some(timeout);
        self
    }

    /// Opens the lake, or the plain files.
    ///
    /// # Errors
    /// There is no lake, it cannot be read, or it has no such version. There are no such files, or they do not fit
    /// together.
    pub async fn build(self) -> Result<Session> {
        match self.of {
            Wanted::Lake { url, as_of } => {
                let lake = Lake::open(&url).await?;
                Session::over(lake.snapshot(as_of).await?, self.limits)
            }
            Wanted::Plain(sources) => Session::over_files(&sources, self.limits).await,
            Wanted::Found(place) => match Export::find(&place, &NeptuneOptions::default()).await? {
                Some(export) => {
                    let context = engine(&self.limits)?;
                    let exported = Exported::new(export, self.limits.clone());
                    Ok(Session::new(Data::Export(Box::new(exported)), context, self.limits))
                }
                None => Session::over_files(&[PlainSource { name: None, from: place }], self.limits).await,
            },
        }
    }
}

/// One version of a lake, or some plain files, ready to be asked.
pub struct Session {
    data: Data,
    context: SessionContext,
    /// The state of the context, which would be copied at every look at it.
    state: SessionState,
    limits: Limits,
    sql_ready: OnceLock<()>,
}

/// What is asked.
enum Data {
    Lake {
        snapshot: Arc<Snapshot>,
        store: ObjectStoreUrl,
    },
    Plain(Vec<Arc<PlainTable>>),
    /// What a query needs of it is read for the query.
    Export(Box<Exported>),
}

/// Times of a query in this process.
#[derive(Clone, Debug)]
pub struct Bench {
    /// Rows of the answer.
    pub rows: u64,
    /// Median time from text to physical plan.
    pub plan: Duration,
    /// Time of every run, from text to last row.
    pub runs: Vec<Duration>,
    /// Bytes read from files in the last run.
    pub bytes_read: u64,
}

impl Session {
    /// A session over the lake at this URL.
    pub fn builder(url: &str) -> SessionBuilder {
        let of = Wanted::Lake { url: url.to_owned(), as_of: AsOf::default() };
        SessionBuilder { of, limits: Limits::default() }
    }

    /// A session over Parquet files that are in no lake, as they are.
    ///
    /// A single place without a name may also be an export of Neptune. Its runs are asked as if they had been imported:
    /// the attributes that a query can look at are read for it, in SQL all of them.
    pub fn of_files(sources: Vec<PlainSource>) -> SessionBuilder {
        let of = match sources.as_slice() {
            [PlainSource { name: None, from }] => Wanted::Found(from.clone()),
            _ => Wanted::Plain(sources),
        };
        SessionBuilder { of, limits: Limits::default() }
    }

    /// A session over a version that is open already.
    ///
    /// # Errors
    /// The engine cannot be set up with these limits.
    pub fn of_snapshot(snapshot: Arc<Snapshot>) -> Result<Self> {
        Self::over(snapshot, Limits::default())
    }

    pub(crate) fn over(snapshot: Arc<Snapshot>, limits: Limits) -> Result<Self> {
        let context = engine(&limits)?;
        let store = ObjectStoreUrl::parse(STORE)?;
        context.register_object_store(store.as_ref(), Arc::clone(snapshot.store()));
        Ok(Self::new(Data::Lake { snapshot, store }, context, limits))
    }

    async fn over_files(sources: &[PlainSource], limits: Limits) -> Result<Self> {
        let context = engine(&limits)?;
        let tables = plain::open(&context, sources).await?;
        Ok(Self::new(Data::Plain(tables), context, limits))
    }

    fn new(data: Data, context: SessionContext, limits: Limits) -> Self {
        let state = context.state();
        Self { data, context, state, limits, sql_ready: OnceLock::new() }
    }

    /// The version of the lake that is asked; nothing if it is plain files or an export.
    pub fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        match &self.data {
            Data::Lake { snapshot, .. } => Some(snapshot),
            Data::Plain(_) | Data::Export(_) => None,
        }
    }

    /// The plain files that are asked, a table each; none if it is a lake or an export.
    pub fn plain(&self) -> &[Arc<PlainTable>] {
        match &self.data {
            Data::Lake { .. } | Data::Export(_) => &[],
            Data::Plain(tables) => tables,
        }
    }

    /// Asks a query: text to [`Query`] to logical plan to physical plan to a stream of batches.
    ///
    /// # Errors
    /// A mistake in the query ([`Error::Query`]), or a failure of lake or engine.
    pub async fn query(&self, source: &Source, lang: &str, settings: &Settings, shape: &Shape) -> Result<Results> {
        let deadline = self.limits.timeout.map(|limit| (Instant::now() + limit, limit));
        if let Some((session, notes)) = within(deadline, self.viewed(source, lang, settings, shape)).await? {
            let mut results = Box::pin(session.query(source, lang, settings, shape)).await?;
            results.notes.splice(0..0, notes);
            return Ok(results);
        }
        let planning = async {
            let (plan, notes) = self.logical(source, lang, settings, shape).await?;
            Ok((self.physical(&plan, lang).await?, notes))
        };
        let (plan, notes) = within(deadline, planning).await?;
        let stream = execute_stream(Arc::clone(&plan), self.state.task_ctx())?;
        Ok(Results::new(plan, stream, notes, deadline))
    }

    /// Opens a walk over trees, whose rows come one by one.
    ///
    /// # Errors
    /// A mistake in the path or the ops, or a tree cannot be read.
    pub async fn walk(&self, source: &Source, settings: &Settings) -> Result<Walking> {
        let Data::Lake { snapshot, .. } = &self.data else { return Err(no_lake()) };
        let query = dialects::hydra::Hydra.lower(source, settings).map_err(Error::Query)?;
        let (walk, _) = trees::walk_of(&query)?;
        Walking::new(snapshot, walk, self.limits.memory_bytes).await
    }

    /// The points behind the series that a query matches, or statistics of them for each step.
    ///
    /// A query about runs means all series of the matched runs (of [`PointsOptions::kind`]), a query about series the
    /// matched series. In a language in which that is a setting (`entity`), series are the default here. Columns of single points, then those of [`PointsOptions::columns`] and [`PointsOptions::group`]:
    ///
    /// | column | type | meaning |
    /// |---|---|---|
    /// | `run` | text | hash of the run |
    /// | `name` | text | name of the series |
    /// | `context` | text, JSON | its context |
    /// | `step` | Int64; Decimal128(25, 6) where steps have fractions; Float64 if aligned | the step |
    /// | `index` | Int64 or null, not for metrics | position among the objects of the step |
    /// | `epoch` | Float64 or null | the epoch |
    /// | `time` | Timestamp(µs, UTC) or null | when it was tracked |
    /// | `value`, for metrics | Float64 | the value, which may be NaN |
    /// | `text`, for other kinds | text or null | the text, caption or description |
    ///
    /// They come series by series in the order in which the series are stored (segment, name, context, newest run first),
    /// with ascending steps within a series.
    ///
    /// With [`PointsOptions::aggregate`] a row is a step: the columns of [`PointsOptions::group`], `step` (or `epoch`), `n`
    /// (Int64, values that are not NaN), `nan` (Int64) and those of the statistics (Float64 or null), ordered by the
    /// groups' values (missing ones last), then by step.
    ///
    /// What was sampled, aligned or left out is in the metadata of the schema (`lakeql.points.steps`, `.every`,
    /// `.density`, `.align`, `.aggregate`), in [`Results::notes`] and in [`Results::closing_notes`].
    ///
    /// # Errors
    /// As [`Session::query`]; options that do not fit the query; SQL, which has the table `points`.
    pub async fn points(
        &self,
        source: &Source,
        lang: &str,
        settings: &Settings,
        options: &PointsOptions,
    ) -> Result<Results> {
        let deadline = self.limits.timeout.map(|limit| (Instant::now() + limit, limit));
        let Some(dialect) = dialect(lang)? else {
            let problem = Diagnostic::error(Kind::Semantic, "an SQL query matches no series");
            return Err(problem.hint("in SQL the points are a table: select * from points where name = 'loss'").into());
        };
        // Points are of series: a text that could be about runs or series is about series unless it is said.
        let kind = options.kind.unwrap_or(SeriesKind::Metric).name();
        let entity = settings.entity.clone().or_else(|| Some(kind.to_owned()));
        let settings = Settings { entity, ..settings.clone() };
        if let Data::Export(exported) = &self.data {
            // Which series there are is part of the question.
            let (session, _) = within(deadline, exported.session(&PathFilter::all())).await?;
            return Box::pin(session.points(source, lang, &settings, options)).await;
        }
        let Data::Lake { snapshot, store } = &self.data else {
            return Err(Diagnostic::error(Kind::Semantic, "plain files have no series, only a lake does").into());
        };
        let query = self.lower(dialect, source, &settings, &Shape::default())?;
        let work = points::answer(&self.state, snapshot, store, &query, options);
        let answer = within(deadline, work).await?;
        Ok(Results::new(answer.plan, answer.stream, answer.notes, deadline).closing_in(answer.closing))
    }

    /// Chunks of the samples that a query chooses: columns `chunk` (Int64, from 0), `key` (text), `dataset`, `file` (texts),
    /// `start`, `end` (Int64, one past the last). A chunk's rows stand together. How many chunks there were is in
    /// [`Results::closing_notes`]; the state to go on with is in the [`Chunks`] when the rows are read.
    ///
    /// # Errors
    /// As [`Session::query`]; a query that is not about samples; a mixture that cannot be.
    pub async fn chunks(
        &self,
        source: &Source,
        lang: &str,
        settings: &Settings,
        options: ChunkOptions,
    ) -> Result<(Results, Chunks)> {
        let deadline = self.limits.timeout.map(|limit| (Instant::now() + limit, limit));
        let Some(dialect) = dialect(lang)? else {
            return Err(
                Diagnostic::error(Kind::Semantic, "chunks are made of samples, which SQL does not choose").into()
            );
        };
        let Data::Lake { snapshot, store } = &self.data else {
            return Err(Diagnostic::error(Kind::Semantic, "plain files have no samples, only a lake does").into());
        };
        let query = self.lower(dialect, source, settings, &Shape::default())?;
        let work = samples::chunks(&self.state, snapshot, store, &query, options);
        let answer = within(deadline, work).await?;
        let results = Results::new(answer.plan, answer.stream, answer.notes, deadline).closing_in(answer.closing);
        Ok((results, answer.chunks))
    }

    /// The value that leaves each stage; with `analyze` the query is run and the plan carries what happened.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub async fn explain(
        &self,
        source: &Source,
        lang: &str,
        settings: &Settings,
        shape: &Shape,
        stage: Stage,
        analyze: bool,
    ) -> Result<Explain> {
        if let Some((session, _)) = self.viewed(source, lang, settings, shape).await? {
            return Box::pin(session.explain(source, lang, settings, shape, stage, analyze)).await;
        }
        let mut sections = vec![];
        let wants = |one: Stage| stage == one || stage == Stage::All;
        if let Some(dialect) = dialect(lang)? {
            if wants(Stage::Ast) {
                sections.push(("ast".to_owned(), dialect.syntax_tree(source, settings).map_err(Error::Query)?));
            }
            if wants(Stage::Query) {
                sections.push(("query".to_owned(), self.lower(dialect, source, settings, shape)?.to_string()));
            }
        }
        let later = [Stage::Logical, Stage::Optimized, Stage::Physical, Stage::Sql];
        if !later.into_iter().any(wants) && !analyze {
            return Ok(Explain { sections });
        }
        let (logical, _) = self.logical(source, lang, settings, shape).await?;
        if wants(Stage::Logical) {
            sections.push(("logical".into(), explain::logical_text(&logical)));
        }
        if wants(Stage::Sql) {
            sections.push(("sql".into(), explain::unparse_sql(&logical)));
        }
        let optimized = sql::deep(async { self.state.optimize(&logical) }).await?;
        if wants(Stage::Optimized) {
            sections.push(("optimized".into(), explain::logical_text(&optimized)));
        }
        let physical = sql::deep(self.state.query_planner().create_physical_plan(&optimized, &self.state)).await?;
        if analyze {
            let started = Instant::now();
            let mut stream = execute_stream(Arc::clone(&physical), self.state.task_ctx())?;
            while stream.try_next().await?.is_some() {}
            let elapsed = started.elapsed();
            sections.push(("analyzed".into(), explain::analyzed_text(physical.as_ref())));
            sections.push(("read".into(), ScanReport::collect(physical.as_ref(), elapsed).to_string()));
        } else if wants(Stage::Physical) {
            sections.push(("physical".into(), explain::physical_text(physical.as_ref())));
        }
        Ok(Explain { sections })
    }

    /// Times a query: one run to warm up, then `repeat` runs.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub async fn bench(
        &self,
        source: &Source,
        lang: &str,
        settings: &Settings,
        shape: &Shape,
        repeat: usize,
    ) -> Result<Bench> {
        if let Some((session, _)) = self.viewed(source, lang, settings, shape).await? {
            return Box::pin(session.bench(source, lang, settings, shape, repeat)).await;
        }
        let mut bench = Bench { rows: 0, plan: Duration::ZERO, runs: vec![], bytes_read: 0 };
        let mut plans = vec![];
        for round in 0..=repeat {
            let started = Instant::now();
            let (plan, _) = self.logical(source, lang, settings, shape).await?;
            let plan = self.physical(&plan, lang).await?;
            let planned = started.elapsed();
            let mut stream = execute_stream(Arc::clone(&plan), self.state.task_ctx())?;
            let mut rows = 0;
            while let Some(batch) = stream.try_next().await? {
                rows += batch.num_rows() as u64;
            }
            let elapsed = started.elapsed();
            if round > 0 {
                bench.runs.push(elapsed);
                plans.push(planned);
            }
            bench.rows = rows;
            bench.bytes_read = ScanReport::collect(plan.as_ref(), elapsed).total.bytes_scanned as u64;
        }
        plans.sort_unstable();
        bench.plan = plans.get(plans.len() / 2).copied().unwrap_or_default();
        Ok(bench)
    }

    /// The physical plan of a query, without running it.
    ///
    /// # Errors
    /// As [`Session::query`].
    pub async fn plan(
        &self,
        source: &Source,
        lang: &str,
        settings: &Settings,
        shape: &Shape,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if let Some((session, _)) = self.viewed(source, lang, settings, shape).await? {
            return Box::pin(session.plan(source, lang, settings, shape)).await;
        }
        let (plan, _) = self.logical(source, lang, settings, shape).await?;
        self.physical(&plan, lang).await
    }

    /// A session over what a query needs of an export, if that is what is asked.
    async fn viewed(
        &self,
        source: &Source,
        lang: &str,
        settings: &Settings,
        shape: &Shape,
    ) -> Result<Option<(Arc<Session>, Vec<Diagnostic>)>> {
        let Data::Export(exported) = &self.data else { return Ok(None) };
        let wanted = match dialect(lang)? {
            Some(dialect) => export::wanted(&self.lower(dialect, source, settings, shape)?),
            None => PathFilter::all(),
        };
        exported.session(&wanted).await.map(Some)
    }

    /// A saved query, by `namespace:name`.
    ///
    /// # Errors
    /// It is no lake with a file catalogue that is asked, or there is no such query.
    pub async fn saved_query(&self, name: &str) -> Result<SavedText> {
        let Data::Lake { snapshot, store } = &self.data else { return Err(no_lake()) };
        Catalogue::new(&self.state, snapshot, store).saved_query(name).await
    }

    /// What turns names into plans over this version.
    ///
    /// # Errors
    /// It is no lake that is asked.
    pub(crate) fn resolver(&self) -> Result<Resolver<'_>> {
        match &self.data {
            Data::Lake { snapshot, store } => Ok(Resolver::new(&self.state, snapshot, store)),
            Data::Plain(_) | Data::Export(_) => Err(no_lake()),
        }
    }

    /// All rows of a small plan, within the limits of the session.
    pub(crate) async fn collect(&self, plan: &LogicalPlan) -> Result<Vec<RecordBatch>> {
        let plan = self.state.create_physical_plan(plan).await?;
        let rows = datafusion::physical_plan::collect(plan, self.state.task_ctx());
        match self.limits.timeout {
            None => Ok(rows.await?),
            Some(limit) => Ok(tokio::time::timeout(limit, rows).await.map_err(|_| Error::Timeout(limit))??),
        }
    }

    async fn logical(
        &self,
        source: &Source,
        lang: &str,
        settings: &Settings,
        shape: &Shape,
    ) -> Result<(LogicalPlan, Vec<Diagnostic>)> {
        let Some(dialect) = dialect(lang)? else {
            if self.sql_ready.get().is_none() {
                match &self.data {
                    Data::Lake { snapshot, store } => {
                        sql::register(&self.context, snapshot, store)?;
                        trees::register(&self.context, snapshot, store).await?;
                    }
                    Data::Plain(tables) => sql::register_plain(&self.context, tables)?,
                    Data::Export(_) => return Err(no_lake()),
                }
                let _ = self.sql_ready.set(());
            }
            let plan = sql::plan_sql(&self.context, source).await?;
            return Ok((crate::resolve::shape_sql(plan, shape)?, vec![]));
        };
        let query = self.lower(dialect, source, settings, shape)?;
        match &self.data {
            Data::Lake { snapshot, store } => Resolver::new(&self.state, snapshot, store).resolve(&query).await,
            Data::Plain(tables) => plain::resolve(tables, &query),
            Data::Export(_) => Err(no_lake()),
        }
    }

    /// The query that a text is, with what is done to its answer.
    fn lower(&self, dialect: &dyn Dialect, source: &Source, settings: &Settings, shape: &Shape) -> Result<Query> {
        let plain = matches!(self.data, Data::Plain(_));
        // Languages know no clock.
        let now = settings.now.or_else(|| Some(chrono::Utc::now().timestamp_micros()));
        let settings = Settings { plain, now, ..settings.clone() };
        let mut query = dialect.lower(source, &settings).map_err(Error::Query)?;
        query.transforms.extend(shape.transforms());
        Ok(query)
    }

    /// The rows of a plan.
    #[cfg(test)]
    pub(crate) async fn run(&self, plan: LogicalPlan) -> Result<Vec<arrow::record_batch::RecordBatch>> {
        let plan = self.state.create_physical_plan(&plan).await?;
        Ok(execute_stream(plan, self.state.task_ctx())?.try_collect().await?)
    }

    async fn physical(&self, plan: &LogicalPlan, lang: &str) -> Result<Arc<dyn ExecutionPlan>> {
        let work = self.state.create_physical_plan(plan);
        // Only SQL has trees as deep as its text is long; those of the other languages are balanced.
        Ok(if lang == SQL { sql::deep(work).await? } else { work.await? })
    }
}

/// An engine that knows our functions and no data.
fn engine(limits: &Limits) -> Result<SessionContext> {
    let state = SessionStateBuilder::new()
        .with_config(config::session(limits))
        .with_runtime_env(config::runtime(limits)?)
        .with_default_features()
        .with_physical_optimizer_rules(config::physical_rules())
        .build();
    let context = SessionContext::new_with_state(state);
    for function in lakeql_udfs::all() {
        context.register_udf(function);
    }
    context.register_udf(crate::evaluate::udf());
    Ok(context)
}

/// What only a lake can tell is asked of something else.
fn no_lake() -> Error {
    let problem = Diagnostic::error(Kind::Semantic, "this can only be asked of a lake");
    problem.hint("import the files first, for example `lakeql import neptune DIR`").into()
}

/// The language, or nothing for SQL.
fn dialect(lang: &str) -> Result<Option<&'static dyn Dialect>> {
    if lang == SQL {
        return Ok(None);
    }
    if let Some(dialect) = dialects::find(lang) {
        return Ok(Some(dialect));
    }
    let names: Vec<_> = dialects::ALL.iter().map(|dialect| dialect.name()).chain([SQL]).collect();
    let problem = Diagnostic::error(Kind::Semantic, format!("there is no language `{lang}`")).in_argument(
        "--lang",
        lang,
        Span::new(0, lang.len()),
    );
    Err(Error::Query(vec![match did_you_mean(lang, names.iter().copied()) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint(format!("languages are {}", names.join(", "))),
    }]))
}
