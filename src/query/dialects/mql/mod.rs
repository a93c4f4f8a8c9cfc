//! MQL, the query language of MetaCat: files by datasets, metadata, names and provenance.
//!
//! Section numbers in comments are those of the specification; this folder's README lists what they decide and where the
//! manual is followed instead of the original program.

mod columns;
mod lex;
mod lower;
mod meta;
mod parse;
mod regex;
mod sets;
mod tree;
mod value;

#[cfg(test)]
mod tests;

use super::{Dialect, Settings};
use crate::diagnostic::{Diagnostic, Kind};
use crate::model::{Query, Relation, RowKind, RowSet, Transform};
use crate::source::Source;

/// The language of MetaCat.
pub struct Mql;

impl Dialect for Mql {
    fn name(&self) -> &'static str {
        "mql"
    }

    fn about(&self) -> &'static str {
        "MQL: files, datasets and saved queries of a file catalogue (MetaCat)"
    }

    fn lower(&self, source: &Source, settings: &Settings) -> Result<Query, Vec<Diagnostic>> {
        let tree = parse(source)?;
        let scope = sets::Scope {
            default_namespace: settings.namespace.as_deref(),
            namespace: None,
            retired: settings.include_retired,
        };
        let set = scope.set(&tree).map_err(|problem| vec![problem])?;
        let set = match settings.closure {
            None => set,
            Some(direction) if set.kind() == RowKind::Files => RowSet::Closure(Box::new(set), direction),
            Some(_) => {
                let problem = Diagnostic::error(Kind::Semantic, "only files have parents and children here");
                return Err(vec![problem.hint("`with subsets recursively` adds all datasets below")]);
            }
        };
        Ok(Query { relation: Relation::Catalogue(set.kind()), transforms: vec![Transform::Set(Box::new(set))] })
    }

    fn syntax_tree(&self, source: &Source, _: &Settings) -> Result<String, Vec<Diagnostic>> {
        Ok(format!("{:#?}", parse(source)?.kind))
    }
}

fn parse(source: &Source) -> Result<tree::Node, Vec<Diagnostic>> {
    if source.text.len() > parse::MAX_BYTES {
        let message = format!("the query has {} bytes, the limit is {}", source.text.len(), parse::MAX_BYTES);
        return Err(vec![Diagnostic::error(Kind::Limit, message)]);
    }
    parse::parse(&source.text).map_err(|problem| vec![problem])
}
