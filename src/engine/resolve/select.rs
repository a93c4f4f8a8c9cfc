//! Names of `--select` and `--sort`: properties, attribute paths, summaries of sequences.

use super::Resolver;
use super::needs::{Needs, Typed, path_text};
use crate::{Error, Result};
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::metadata::FieldMetadata;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, ScalarUDF, cast, lit};
use datafusion::prelude::DataFrame;
use lakeql_lake::Table;
use lakeql_lake::catalog::path::{PathKey, parse_path};
use lakeql_lake::catalog::paths::PathOwner;
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use lakeql_query::model::{Key, Relation};
use std::collections::BTreeMap;

/// A column of the answer.
pub(super) struct Column {
    name: String,
    pub(super) value: Expr,
    /// Whether its texts are JSON.
    json: bool,
}

impl Column {
    pub(super) fn new(name: &str, value: Expr) -> Self {
        Self { name: name.to_owned(), value, json: false }
    }

    pub(super) fn json(name: &str, value: Expr) -> Self {
        Self { name: name.to_owned(), value, json: true }
    }

    pub(super) fn into_expr(self) -> Expr {
        if self.json {
            let mark = BTreeMap::from([("lakeql.json".to_owned(), "true".to_owned())]);
            self.value.alias_with_metadata(self.name, Some(FieldMetadata::new(mark)))
        } else {
            self.value.alias(self.name)
        }
    }

    /// The value under a name for an inner plan, and the column of the outer plan that has its name and marks.
    pub(super) fn passed_through(self, inner: &str, outer: Expr) -> (Expr, Expr) {
        let value = self.value.clone().alias(inner);
        (value, Self { value: outer, ..self }.into_expr())
    }
}

/// Columns of runs that can be asked for by name.
const RUN_COLUMNS: [&str; 13] = [
    "hash",
    "name",
    "experiment",
    "project",
    "description",
    "tags",
    "archived",
    "active",
    "created_at",
    "finalized_at",
    "end_time",
    "duration",
    "imported_at",
];

/// Columns of sequences that can be asked for by name.
pub(super) const SERIES_COLUMNS: [&str; 18] = [
    "name",
    "context",
    "kind",
    "dtype",
    "version",
    "first",
    "last",
    "last_text",
    "min",
    "max",
    "first_step",
    "last_step",
    "record_max_length",
    "n",
    "mean",
    "m2",
    "n_nan",
    "context_hash",
];

impl Resolver<'_> {
    /// The column of this name: of the sequence, of the run, a param, a summary of one of the run's sequences.
    pub(super) async fn column(&self, name: &str, needs: &mut Needs<'_>) -> Result<Column> {
        if let Relation::Series(_) = needs.relation {
            if name == "context" {
                return Ok(Column::json(name, needs.series(name)));
            }
            if SERIES_COLUMNS.contains(&name) {
                return Ok(Column::new(name, needs.series(name)));
            }
            if name == "run" {
                return Ok(Column::new(name, needs.run("hash")));
            }
            if let Some(path) = name.strip_prefix("context.").and_then(text_path)
                && let Some(typed) = needs.context(&path)
            {
                return self.typed(name, &typed, None);
            }
        }
        let of_run = name.strip_prefix("run.").unwrap_or(name);
        if RUN_COLUMNS.contains(&of_run) {
            let value = if of_run == "duration" { needs.duration()? } else { needs.run(of_run) };
            return Ok(Column::new(name, value));
        }
        if of_run == "params" {
            return Ok(Column::json(name, needs.run("params")));
        }
        if let Some(path) = text_path(of_run)
            && !self.snapshot.paths().get(PathOwner::Run, &path_text(&path)).is_empty()
        {
            let nested = needs.may_nest(&path).then_some(path.as_slice());
            let typed = needs.param(&path);
            let document = nested.map(|path| (path, needs.run("params")));
            return self.typed(name, &typed, document);
        }
        if let Some(column) = self.summary(name, of_run, needs).await? {
            return Ok(column);
        }
        if let Some(column) = self.slashed(name, of_run, needs)? {
            return Ok(column);
        }
        Err(self.unknown(name, needs.relation))
    }

    /// One column out of those of each type: numbers stay numbers, anything mixed becomes text.
    fn typed(&self, name: &str, typed: &Typed, document: Option<(&[Key], Expr)>) -> Result<Column> {
        if let Some((path, params)) = document {
            let mut args = vec![params];
            args.extend(path.iter().map(|key| match key {
                Key::Text(text) => lit(text.as_str()),
                Key::Int(number) => lit(*number),
            }));
            return Ok(Column::json(name, json_value().call(args)));
        }
        let scalars: Vec<Expr> =
            [&typed.int, &typed.float, &typed.bool, &typed.text, &typed.time].into_iter().flatten().cloned().collect();
        Ok(match (scalars.as_slice(), typed) {
            ([], _) => Column::new(name, lit(datafusion::common::ScalarValue::Utf8(None))),
            ([one], _) => Column::new(name, one.clone()),
            (_, Typed { int: Some(int), float: Some(float), bool: None, text: None, time: None, .. }) => {
                Column::new(name, coalesce(vec![float.clone(), cast(int.clone(), DataType::Float64)]))
            }
            _ => Column::new(name, coalesce(scalars.into_iter().map(|value| cast(value, DataType::Utf8)).collect())),
        })
    }

    /// `loss.last` or `loss{"subset":"train"}.last`.
    async fn summary(&self, name: &str, of_run: &str, needs: &mut Needs<'_>) -> Result<Option<Column>> {
        let Some((series, field)) = of_run.rsplit_once('.') else { return Ok(None) };
        if !SERIES_COLUMNS.contains(&field) || ["name", "context", "kind"].contains(&field) {
            return Ok(None);
        }
        let known = |series: &str| !self.snapshot.paths().get(PathOwner::Series, series).is_empty();
        let (series, context) = match series.split_once('{') {
            Some((series, rest)) if known(series) => (series, format!("{{{rest}")),
            _ if known(series) => (series, self.only_context(series).await?),
            _ => return Ok(None),
        };
        let value = needs.summary(series, &context, field)?;
        Ok(Some(Column::new(name, value)))
    }

    /// The context meant when none is given: the empty one, or the only one there is.
    async fn only_context(&self, series: &str) -> Result<String> {
        let lookup = Needs::new(self.snapshot, self.store, Relation::Runs);
        let plan = lookup.contexts_of(series)?;
        let batches = DataFrame::new(self.state.clone(), plan).collect().await?;
        let mut contexts: Vec<String> = vec![];
        for batch in &batches {
            let texts = batch.column(0).as_string_view();
            contexts.extend((0..texts.len()).map(|row| texts.value(row).to_owned()));
        }
        contexts.sort();
        if contexts.iter().any(|context| context == "{}") {
            return Ok("{}".into());
        }
        match contexts.as_slice() {
            [only] => Ok(only.clone()),
            [] => Ok("{}".into()),
            [first, ..] => Err(Error::Query(vec![
                Diagnostic::error(Kind::Semantic, format!("the sequence `{series}` has {} contexts", contexts.len()))
                    .hint(format!("say which one, for example `{series}{first}.last`")),
            ])),
        }
    }

    /// Names as in languages whose paths have slashes: `id`, `sys/owner`, and a sequence for its last value.
    fn slashed(&self, name: &str, of_run: &str, needs: &mut Needs<'_>) -> Result<Option<Column>> {
        if of_run == "id" {
            return Ok(Some(Column::new(name, needs.run("hash"))));
        }
        let path: Vec<Key> = of_run.split('/').map(|key| Key::Text(key.to_owned())).collect();
        let paths = self.snapshot.paths();
        if path.len() > 1 && !paths.get(PathOwner::Run, &path_text(&path)).is_empty() {
            let nested = needs.may_nest(&path).then(|| needs.run("params"));
            let typed = needs.param(&path);
            return self.typed(name, &typed, nested.map(|document| (path.as_slice(), document))).map(Some);
        }
        let last = paths.get(PathOwner::Series, of_run).first().map(|entry| match entry.kind.as_str() {
            "metric" => needs.plain_summary(of_run, "metric", "last"),
            _ => needs.plain_summary(of_run, "texts", "last_text"),
        });
        Ok(last.map(|value| Column::new(name, value)))
    }

    /// A summary of a sequence that is spelled nearly like this.
    fn near_summary(&self, name: &str) -> Option<String> {
        let (series, field) = name.rsplit_once('.')?;
        let (series, context) = series.split_at(series.find('{').unwrap_or(series.len()));
        let names = || self.snapshot.paths().names(PathOwner::Series);
        let known = if names().any(|name| name == series) { Some(series) } else { did_you_mean(series, names()) };
        let fields = SERIES_COLUMNS.into_iter().filter(|field| !["name", "context", "kind"].contains(field));
        let field = if SERIES_COLUMNS.contains(&field) { Some(field) } else { did_you_mean(field, fields) };
        Some(format!("{}{context}.{}", known?, field?))
    }

    fn unknown(&self, name: &str, relation: Relation) -> Error {
        let paths = self.snapshot.paths();
        let columns: &[&str] = match relation {
            Relation::Runs | Relation::Table | Relation::Samples | Relation::Trees | Relation::Catalogue(_) => &[],
            Relation::Series(_) => &SERIES_COLUMNS,
        };
        let known = columns.iter().chain(&RUN_COLUMNS).copied();
        let known = known.chain(paths.names(PathOwner::Run));
        let near = did_you_mean(name, known).map(str::to_owned).or_else(|| self.near_summary(name));
        let problem = Diagnostic::error(Kind::NotFound, format!("there is no column, param or sequence `{name}`"));
        Error::Query(vec![match near {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint("`lakeql attributes` lists the params, `SEQUENCE.last` shows a summary"),
        }])
    }
}

/// The path that the text spells, as the model has it.
pub(super) fn text_path(text: &str) -> Option<Vec<Key>> {
    let keys = parse_path(text).ok()?;
    Some(
        keys.into_iter()
            .map(|key| match key {
                PathKey::Text(text) => Key::Text(text),
                PathKey::Int(number) => Key::Int(number),
            })
            .collect(),
    )
}

impl Needs<'_> {
    /// The distinct contexts of the sequences of this name.
    fn contexts_of(&self, series: &str) -> Result<datafusion::logical_expr::LogicalPlan> {
        let table = self.scan("s", Table::Series, &["name", "context_key"], false)?;
        let column = |name: &str| Expr::Column(datafusion::common::Column::new(Some("s"), name));
        let plan = table.filter(column("name").eq(lit(series)))?.project([column("context_key")])?.distinct()?;
        Ok(plan.build()?)
    }
}

fn json_value() -> ScalarUDF {
    ScalarUDF::from(lakeql_udfs::scalar::json_value::JsonValue::json())
}
