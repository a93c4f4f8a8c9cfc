//! The queries of Mixtera, which choose training samples by their properties: as a chain of calls or as JSON.
//!
//! The software has changed its mind about what a second `select` means, so there are two languages with one grammar:
//! [`Mixtera`], in which it adds samples, and [`MixteraSeed`], in which it takes samples away. This folder's README has
//! the rules and what differs.

mod display;
mod lex;
mod lower;
mod parse;
mod tree;

pub use self::tree::{Condition, Query, Value};

use super::{Dialect, Settings};
use crate::diagnostic::{Diagnostic, Kind};
use crate::model::{self, Relation, Selection, Shown, Transform};
use crate::source::Source;

/// Which of the two languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flavour {
    /// Mixtera 1.0: selects one after the other are alternatives.
    Current,
    /// The document that Mixtera began with: selects one after the other are an intersection.
    Seed,
}

/// The language of Mixtera 1.0.
pub struct Mixtera;

/// The language of Mixtera's seed document.
pub struct MixteraSeed;

impl Dialect for Mixtera {
    fn name(&self) -> &'static str {
        "mixtera"
    }

    fn about(&self) -> &'static str {
        "Mixtera: choose training samples; select().select() is a union"
    }

    fn lower(&self, source: &Source, settings: &Settings) -> Result<model::Query, Vec<Diagnostic>> {
        lower(source, settings, Flavour::Current)
    }

    fn syntax_tree(&self, source: &Source, _settings: &Settings) -> Result<String, Vec<Diagnostic>> {
        syntax_tree(source, Flavour::Current)
    }
}

impl Dialect for MixteraSeed {
    fn name(&self) -> &'static str {
        "mixtera-seed"
    }

    fn about(&self) -> &'static str {
        "Mixtera as first described; select().select() is an intersection"
    }

    fn lower(&self, source: &Source, settings: &Settings) -> Result<model::Query, Vec<Diagnostic>> {
        lower(source, settings, Flavour::Seed)
    }

    fn syntax_tree(&self, source: &Source, _settings: &Settings) -> Result<String, Vec<Diagnostic>> {
        syntax_tree(source, Flavour::Seed)
    }
}

fn parsed(source: &Source, flavour: Flavour) -> Result<Query, Vec<Diagnostic>> {
    if source.text.len() > parse::MAX_BYTES {
        let message = format!("the query has {} bytes, the limit is {}", source.text.len(), parse::MAX_BYTES);
        return Err(vec![Diagnostic::error(Kind::Limit, message)]);
    }
    parse::parse(&source.text, flavour).map_err(|problem| vec![*problem])
}

fn syntax_tree(source: &Source, flavour: Flavour) -> Result<String, Vec<Diagnostic>> {
    parsed(source, flavour).map(|tree| display::display(&tree, flavour))
}

fn lower(source: &Source, settings: &Settings, flavour: Flavour) -> Result<model::Query, Vec<Diagnostic>> {
    let tree = parsed(source, flavour)?;
    let mut lowering = lower::Lowering { flavour, lenient: settings.lenient, problems: vec![], notes: vec![] };
    let set = lowering.set(&tree);
    if !lowering.problems.is_empty() {
        return Err(lowering.problems);
    }
    let shown = if settings.count_by.is_empty() {
        Shown::Ranges(settings.by.clone())
    } else {
        Shown::Counts(settings.count_by.clone())
    };
    let selection = Selection { collection: settings.collection.clone(), set, shown, notes: lowering.notes };
    Ok(model::Query { relation: Relation::Samples, transforms: vec![Transform::Choose(Box::new(selection))] })
}

#[cfg(test)]
mod tests;
