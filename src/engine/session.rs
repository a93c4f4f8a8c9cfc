//! A session: one version of a lake with an engine around it.

use crate::config::{self, Limits};
use crate::explain::{self, Explain, ScanReport, Stage};
use crate::points::{self, PointsOptions};
use crate::resolve::Resolver;
use crate::results::within;
use crate::shape::Shape;
use crate::{Error, Result, Results, sql};
use arrow::record_batch::RecordBatch;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use lakeql_lake::{AsOf, Lake, Snapshot};
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use lakeql_query::dialects::{self, Dialect, Settings};
use lakeql_query::model::{Query, SeriesKind};
use lakeql_query::source::Source;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The scheme under which the engine knows the store of the lake; paths in it are those of the store.
const STORE: &str = "lake://lake/";

/// The language that is not a dialect.
const SQL: &str = "sql";

/// How a session is made.
#[derive(Clone, Debug)]
pub struct SessionBuilder {
    url: String,
    as_of: AsOf,
    limits: Limits,
}

impl SessionBuilder {
    /// Reads this version instead of the latest.
    #[must_use]
    pub fn as_of(mut self, as_of: AsOf) -> Self {
        self.as_of = as_of;
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

    /// Bounds the time of a query.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = Some(timeout);
        self
    }

    /// Opens the lake.
    ///
    /// # Errors
    /// There is no lake, it cannot be read, or it has no such version.
    pub async fn build(self) -> Result<Session> {
        let lake = Lake::open(&self.url).await?;
        let snapshot = lake.snapshot(self.as_of).await?;
        Session::over(snapshot, self.limits)
    }
}

/// One version of a lake, ready to be asked.
pub struct Session {
    snapshot: Arc<Snapshot>,
    context: SessionContext,
    /// The state of the context, which would be copied at every look at it.
    state: SessionState,
    store: ObjectStoreUrl,
    limits: Limits,
    sql_ready: OnceLock<()>,
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
        SessionBuilder { url: url.to_owned(), as_of: AsOf::default(), limits: Limits::default() }
    }

    /// A session over a version that is open already.
    ///
    /// # Errors
    /// The engine cannot be set up with these limits.
    pub fn of_snapshot(snapshot: Arc<Snapshot>) -> Result<Self> {
        Self::over(snapshot, Limits::default())
    }

    fn over(snapshot: Arc<Snapshot>, limits: Limits) -> Result<Self> {
        let state = SessionStateBuilder::new()
            .with_config(config::session(&limits))
            .with_runtime_env(config::runtime(&limits)?)
            .with_default_features()
            .build();
        let context = SessionContext::new_with_state(state);
        let store = ObjectStoreUrl::parse(STORE)?;
        context.register_object_store(store.as_ref(), Arc::clone(snapshot.store()));
        for function in lakeql_udfs::all() {
            context.register_udf(function);
        }
        context.register_udf(crate::evaluate::udf());
        let state = context.state();
        Ok(Self { snapshot, context, state, store, limits, sql_ready: OnceLock::new() })
    }

    /// The version of the lake that is asked.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Asks a query: text to [`Query`] to logical plan to physical plan to a stream of batches.
    ///
    /// # Errors
    /// A mistake in the query ([`Error::Query`]), or a failure of lake or engine.
    pub async fn query(&self, source: &Source, lang: &str, settings: &Settings, shape: &Shape) -> Result<Results> {
        let deadline = self.limits.timeout.map(|limit| (Instant::now() + limit, limit));
        let planning = async {
            let (plan, notes) = self.logical(source, lang, settings, shape).await?;
            Ok((self.physical(&plan, lang).await?, notes))
        };
        let (plan, notes) = within(deadline, planning).await?;
        let stream = execute_stream(Arc::clone(&plan), self.state.task_ctx())?;
        Ok(Results::new(plan, stream, notes, deadline))
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
        let query = lower(dialect, source, &settings, &Shape::default())?;
        let work = points::answer(&self.state, &self.snapshot, &self.store, &query, options);
        let answer = within(deadline, work).await?;
        Ok(Results::new(answer.plan, answer.stream, answer.notes, deadline).closing_in(answer.closing))
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
        let mut sections = vec![];
        let wants = |one: Stage| stage == one || stage == Stage::All;
        if let Some(dialect) = dialect(lang)? {
            if wants(Stage::Ast) {
                sections.push(("ast".to_owned(), dialect.syntax_tree(source, settings).map_err(Error::Query)?));
            }
            if wants(Stage::Query) {
                sections.push(("query".to_owned(), lower(dialect, source, settings, shape)?.to_string()));
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
        let (plan, _) = self.logical(source, lang, settings, shape).await?;
        self.physical(&plan, lang).await
    }

    /// What turns names into plans over this version.
    pub(crate) fn resolver(&self) -> Resolver<'_> {
        Resolver::new(&self.state, &self.snapshot, &self.store)
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
                sql::register(&self.context, &self.snapshot, &self.store)?;
                let _ = self.sql_ready.set(());
            }
            let plan = sql::plan_sql(&self.context, source).await?;
            return Ok((crate::resolve::shape_sql(plan, shape)?, vec![]));
        };
        let query = lower(dialect, source, settings, shape)?;
        self.resolver().resolve(&query).await
    }

    async fn physical(&self, plan: &LogicalPlan, lang: &str) -> Result<Arc<dyn ExecutionPlan>> {
        let work = self.state.create_physical_plan(plan);
        // Only SQL has trees as deep as its text is long; those of the other languages are balanced.
        Ok(if lang == SQL { sql::deep(work).await? } else { work.await? })
    }
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
    let problem = Diagnostic::error(Kind::Semantic, format!("there is no language `{lang}`"));
    Err(Error::Query(vec![match did_you_mean(lang, names.iter().copied()) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint(format!("languages are {}", names.join(", "))),
    }]))
}

fn lower(dialect: &dyn Dialect, source: &Source, settings: &Settings, shape: &Shape) -> Result<Query> {
    // Languages know no clock.
    let now = settings.now.or_else(|| Some(chrono::Utc::now().timestamp_micros()));
    let settings = Settings { now, ..settings.clone() };
    let mut query = dialect.lower(source, &settings).map_err(Error::Query)?;
    query.transforms.extend(shape.transforms());
    Ok(query)
}
