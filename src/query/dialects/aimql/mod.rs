//! AimQL: one Python expression, asked of every run or sequence.
//!
//! The rules are those of Aim 3.29; what differs stands in this folder's README.

mod access;
mod inputs;
mod leaf;
mod lower;
mod prefilter;
mod sandbox;
mod text;

use super::{Dialect, Settings};
use crate::diagnostic::{Diagnostic, Kind, did_you_mean};
use crate::model::{Entity, Query, Transform};
use crate::source::Source;
use crate::span::Span;

/// The language of the Aim experiment tracker.
pub struct AimQl;

impl Dialect for AimQl {
    fn name(&self) -> &'static str {
        "aim"
    }

    fn about(&self) -> &'static str {
        "AimQL: Python expressions over runs, metrics and other sequences (Aim)"
    }

    fn lower(&self, source: &Source, settings: &Settings) -> Result<Query, Vec<Diagnostic>> {
        let entity = entity(settings).map_err(|problem| vec![problem])?;
        let prepared = text::prepare(source)?;
        let filter = match &prepared.tree {
            None => lower::unarchived(),
            Some(tree) => {
                sandbox::check(tree, entity)?;
                let predicate = lower::holds(tree, source, entity, settings.tz_offset_minutes);
                if prepared.default_filter {
                    crate::model::Expr::all([lower::unarchived(), predicate])
                } else {
                    predicate
                }
            }
        };
        let mut transforms = vec![Transform::Filter(filter)];
        if let Some(hash) = &settings.after {
            transforms.push(Transform::After { hash: hash.clone() });
        }
        Ok(Query { relation: entity.relation(), transforms })
    }

    fn syntax_tree(&self, source: &Source, _settings: &Settings) -> Result<String, Vec<Diagnostic>> {
        let prepared = text::prepare(source)?;
        let tree = prepared.tree.map_or_else(|| "(empty)".to_owned(), |tree| format!("{tree:#?}"));
        let filter = if prepared.default_filter { "run.archived == False and …\n" } else { "" };
        Ok(format!("{filter}{tree}\n"))
    }
}

fn entity(settings: &Settings) -> Result<Entity, Diagnostic> {
    let Some(name) = settings.entity.as_deref() else { return Ok(Entity::Run) };
    Entity::from_name(name).ok_or_else(|| {
        let names = Entity::ALL.map(Entity::variable);
        let problem = Diagnostic::error(Kind::Semantic, format!("there is no entity `{name}`")).in_argument(
            "--entity",
            name,
            Span::new(0, name.len()),
        );
        match did_you_mean(name, names) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(format!("entities are {}", names.join(", "))),
        }
    })
}
