//! Asking an export of Neptune as it is: which of its attributes a query can name, and a session over these.

use crate::config::Limits;
use crate::{Result, Session};
use lakeql_lake::catalog::path::{PathKey, parse_path};
use lakeql_lake::ingest::neptune::{Export, PathFilter};
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::model::{Attribute, Candidate, Expr, Field, Inputs, Key, Place, Query, Relation, Transform};
use std::sync::{Arc, Mutex};

/// An export and what was read of it last.
pub(crate) struct Exported {
    export: Export,
    limits: Limits,
    last: Mutex<Option<(PathFilter, Arc<Session>)>>,
}

impl Exported {
    pub(crate) fn new(export: Export, limits: Limits) -> Self {
        Self { export, limits, last: Mutex::default() }
    }

    /// A session over what is wanted, and what there is to say about it when it was read just now.
    pub(crate) async fn session(&self, wanted: &PathFilter) -> Result<(Arc<Session>, Vec<Diagnostic>)> {
        let lock = || self.last.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((known, session)) = &*lock()
            && known.covers(wanted)
        {
            return Ok((Arc::clone(session), vec![]));
        }
        let view = self.export.view(wanted).await?;
        let session = Arc::new(Session::over(view.snapshot, self.limits.clone())?);
        *lock() = Some((wanted.clone(), Arc::clone(&session)));
        Ok((session, view.notes.into_iter().map(|note| Diagnostic::note(Kind::Semantic, note)).collect()))
    }
}

/// The attributes that a query can look at.
pub(crate) fn wanted(query: &Query) -> PathFilter {
    let mut wanted = PathFilter::none();
    match query.relation {
        // Which sequences there are is part of the question.
        Relation::Series(_) => wanted.add_all(),
        Relation::Runs | Relation::Table | Relation::Samples | Relation::Trees | Relation::Catalogue(_) => {}
    }
    for transform in &query.transforms {
        match transform {
            Transform::Filter(expr) => of_expr(expr, &mut wanted),
            Transform::Select(columns) => columns.iter().for_each(|column| of_column(column, &mut wanted)),
            Transform::Sort(keys) => keys.iter().for_each(|key| of_column(&key.column, &mut wanted)),
            // Columns of runs, which are always there.
            Transform::Keys(_) | Transform::After { .. } | Transform::Slice { .. } => {}
            // Samples and files of a catalogue are no runs.
            Transform::Choose(_)
            | Transform::Walk(_)
            | Transform::Set(_)
            | Transform::With(_)
            | Transform::Overview(_) => {}
        }
    }
    wanted
}

fn of_expr(expr: &Expr, wanted: &mut PathFilter) {
    // A long chain is wide, not deep; what is deep was refused when it was parsed.
    match expr {
        Expr::Literal(_) | Expr::Items(_) | Expr::Column(_) => {}
        Expr::All(parts) | Expr::Any(parts) => parts.iter().for_each(|part| of_expr(part, wanted)),
        Expr::Not(inner) => of_expr(inner, wanted),
        Expr::Compare { attribute, .. }
        | Expr::In { attribute, .. }
        | Expr::Contains { attribute, .. }
        | Expr::StartsWith { attribute, .. }
        | Expr::EndsWith { attribute, .. }
        | Expr::Truthy(attribute)
        | Expr::Present(attribute)
        | Expr::IsNull(attribute) => of_attribute(attribute, wanted),
        Expr::Field(field) => of_field(field, wanted),
        Expr::Evaluate { program, .. } => of_inputs(&program.inputs, wanted),
    }
}

fn of_attribute(attribute: &Attribute, wanted: &mut PathFilter) {
    of_place(&attribute.place, wanted);
}

fn of_place(place: &Place, wanted: &mut PathFilter) {
    match place {
        Place::Param(path) => of_path(path, wanted),
        Place::Summary { series, .. } => wanted.add(series.clone()),
        Place::Run(column) => of_run_column(column, wanted),
        Place::Series(_) | Place::Context(_) => {}
    }
}

fn of_run_column(column: &str, wanted: &mut PathFilter) {
    if column == "params" {
        wanted.add_all();
    }
}

/// A parameter, what is inside of it, and what it is inside of.
fn of_path(path: &[Key], wanted: &mut PathFilter) {
    match neptune_path(path) {
        Some(path) => wanted.add_tree(path),
        None => wanted.add_all(),
    }
}

/// A path as Neptune writes it; nothing for the empty one.
fn neptune_path(path: &[Key]) -> Option<String> {
    let keys: Vec<String> = path
        .iter()
        .map(|key| match key {
            Key::Text(text) => text.clone(),
            Key::Int(number) => number.to_string(),
        })
        .collect();
    (!keys.is_empty()).then(|| keys.join("/"))
}

fn of_field(field: &Field, wanted: &mut PathFilter) {
    for candidate in field.ranks.iter().flatten() {
        match candidate {
            Candidate::At(place) => of_place(place, wanted),
            Candidate::Param { path, fold_case } => match neptune_path(path) {
                Some(path) if *fold_case => wanted.add_any_case(&path),
                Some(path) => wanted.add(path),
                None => wanted.add_all(),
            },
            Candidate::Series { name, fold_case: true, .. } => wanted.add_any_case(name),
            Candidate::Series { name, fold_case: false, .. } => wanted.add(name.clone()),
        }
    }
}

fn of_inputs(inputs: &Inputs, wanted: &mut PathFilter) {
    inputs.run.iter().for_each(|column| of_run_column(column, wanted));
    inputs.params.iter().for_each(|path| of_path(path, wanted));
    inputs.summaries.iter().for_each(|summary| wanted.add(summary.series.clone()));
    if inputs.all_series {
        wanted.add_all();
    }
}

/// A column of `--select` and `--sort`: what it is depends on the data, so all that it could be is wanted.
fn of_column(name: &str, wanted: &mut PathFilter) {
    let name = name.strip_prefix("run.").unwrap_or(name);
    of_run_column(name, wanted);
    // A path with slashes, as Neptune writes it.
    wanted.add(name);
    if let Ok(keys) = parse_path(name) {
        let keys: Vec<Key> = keys
            .into_iter()
            .map(|key| match key {
                PathKey::Text(text) => Key::Text(text),
                PathKey::Int(number) => Key::Int(number),
            })
            .collect();
        of_path(&keys, wanted);
    }
    if let Some((series, _)) = name.rsplit_once('.') {
        wanted.add(series);
        if let Some((series, _)) = series.split_once('{') {
            wanted.add(series);
        }
    }
}
