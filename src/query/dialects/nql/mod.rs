//! NQL, the query language of Neptune: the legacy dialect of 2018–19 and the typed one of Neptune 2.x and 3.x.
//!
//! The rules with their numbers (R1 …, T1 …, X1 …) are those of the specification; this folder's README lists what they
//! decide and what differs.

mod legacy;
mod lex;
mod lower;
mod parse;
mod slips;
mod sniff;
mod tree;
mod typed;
mod types;
mod value;

use super::{Dialect, Settings};
use crate::diagnostic::{Diagnostic, Kind};
use crate::model::{Attribute, CompareOp, Expr, KeyColumn, Literal, Place, Query, Relation, Transform};
use crate::source::Source;
use crate::span::Span;
use parse::Options;

/// One of the two dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flavour {
    Legacy,
    Typed,
}

impl Flavour {
    /// Whether the character may be part of a bare word (R14, T1).
    fn is_word(self, c: char) -> bool {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') || (c == '/' && self == Self::Typed)
    }
}

/// The language of Neptune; which dialect a text is in is seen from its tokens.
pub struct Nql;

/// The legacy dialect: untyped names of parameters, metrics, text logs and properties.
pub struct NqlLegacy;

/// The typed dialect: paths of attributes, perhaps with their types.
pub struct NqlTyped;

impl Dialect for Nql {
    fn name(&self) -> &'static str {
        "nql"
    }

    fn about(&self) -> &'static str {
        "NQL: conditions over runs (Neptune), legacy or typed, whichever the text is"
    }

    fn lower(&self, source: &Source, settings: &Settings) -> Result<Query, Vec<Diagnostic>> {
        lower(source, settings, sniff::flavour(&source.text))
    }

    fn syntax_tree(&self, source: &Source, settings: &Settings) -> Result<String, Vec<Diagnostic>> {
        syntax_tree(source, settings, sniff::flavour(&source.text))
    }
}

impl Dialect for NqlLegacy {
    fn name(&self) -> &'static str {
        "nql-legacy"
    }

    fn about(&self) -> &'static str {
        "NQL as it was until 2019: name = value"
    }

    fn lower(&self, source: &Source, settings: &Settings) -> Result<Query, Vec<Diagnostic>> {
        lower(source, settings, Flavour::Legacy)
    }

    fn syntax_tree(&self, source: &Source, settings: &Settings) -> Result<String, Vec<Diagnostic>> {
        syntax_tree(source, settings, Flavour::Legacy)
    }
}

impl Dialect for NqlTyped {
    fn name(&self) -> &'static str {
        "nql-typed"
    }

    fn about(&self) -> &'static str {
        "NQL of Neptune 2.x and 3.x: path:type = value"
    }

    fn lower(&self, source: &Source, settings: &Settings) -> Result<Query, Vec<Diagnostic>> {
        lower(source, settings, Flavour::Typed)
    }

    fn syntax_tree(&self, source: &Source, settings: &Settings) -> Result<String, Vec<Diagnostic>> {
        syntax_tree(source, settings, Flavour::Typed)
    }
}

fn options(settings: &Settings, flavour: Flavour) -> Options {
    Options { flavour, terms: settings.search_terms && flavour == Flavour::Legacy }
}

fn check_length(source: &Source) -> Result<(), Vec<Diagnostic>> {
    if source.text.len() <= parse::MAX_BYTES {
        return Ok(());
    }
    let message = format!("the query has {} bytes, the limit is {}", source.text.len(), parse::MAX_BYTES);
    Err(vec![Diagnostic::error(Kind::Limit, message)])
}

fn lower(source: &Source, settings: &Settings, flavour: Flavour) -> Result<Query, Vec<Diagnostic>> {
    check_length(source)?;
    let tree = parse::parse(&source.text, options(settings, flavour)).map_err(|problem| vec![problem])?;
    let lowering = lower::Lowering { settings, flavour };
    let filter = match &tree {
        // The empty query asks for everything (R20).
        None => Expr::Literal(true),
        Some(tree) => lowering.condition(tree).map_err(|problem| vec![problem])?,
    };
    if settings.plain {
        return Ok(Query { relation: Relation::Table, transforms: vec![Transform::Filter(filter)] });
    }
    let project = settings.project.iter().map(|project| Expr::Compare {
        attribute: Attribute { place: Place::Run("project".into()), span: Span::default() },
        op: CompareOp::Eq,
        value: Literal::Text(project.clone()),
    });
    let filter = Expr::all(project.chain([filter]));
    let key = |column: &str, shown: &str, if_several| KeyColumn {
        column: column.to_owned(),
        shown: shown.to_owned(),
        if_several,
    };
    let keys = Transform::Keys(vec![key("project", "project", true), key("hash", "id", false)]);
    Ok(Query { relation: Relation::Runs, transforms: vec![Transform::Filter(filter), keys] })
}

fn syntax_tree(source: &Source, settings: &Settings, flavour: Flavour) -> Result<String, Vec<Diagnostic>> {
    check_length(source)?;
    let tree = parse::parse(&source.text, options(settings, flavour)).map_err(|problem| vec![problem])?;
    let name = match flavour {
        Flavour::Legacy => "legacy",
        Flavour::Typed => "typed",
    };
    Ok(tree.map_or_else(|| format!("{name}: (empty)\n"), |tree| format!("{name}: {tree:#?}\n")))
}

#[cfg(test)]
mod tests;
