//! Hydra: paths that walk a tree, and pipelines of ops that shape the rows.
//!
//! Two languages: [`ops`] reads `gather=ks;sort=1:n:d`, [`path`] reads `product/ymd/*:hits>1/++foo:+hits`. Both give syntax
//! trees; what they mean for rows and trees is written in the crate `lakeql-rows`. What is unsupported or deliberately
//! different stands in this folder's README.

pub mod ops;
pub mod path;
mod piece;

pub use piece::Piece;

use super::{Dialect, Settings};
use crate::diagnostic::Diagnostic;
use crate::model::{Query, Relation, Transform, Walk};
use crate::source::Source;

/// The language of Hydra's paths; ops are settings.
pub struct Hydra;

impl Dialect for Hydra {
    fn name(&self) -> &'static str {
        "hydra"
    }

    fn about(&self) -> &'static str {
        "Hydra: paths over trees of events, with --ops over their rows"
    }

    fn lower(&self, source: &Source, settings: &Settings) -> Result<Query, Vec<Diagnostic>> {
        let path = path::parse(source).map_err(|problem| vec![problem])?;
        for (flag, text) in [("--rops", &settings.worker_ops), ("--ops", &settings.ops)] {
            if let Err(problem) = ops::parse(&Source::query(text.as_str()), ops::Strictness { strict: settings.strict })
            {
                let span = problem.labels.first().map(|label| label.span).unwrap_or_default();
                return Err(vec![problem.in_argument(flag, text, span)]);
            }
        }
        let walk = Walk {
            trees: settings.trees.clone(),
            path,
            worker_ops: settings.worker_ops.clone(),
            ops: settings.ops.clone(),
            strict: settings.strict,
        };
        Ok(Query { relation: Relation::Trees, transforms: vec![Transform::Walk(Box::new(walk))] })
    }

    fn syntax_tree(&self, source: &Source, _settings: &Settings) -> Result<String, Vec<Diagnostic>> {
        path::parse(source).map(|path| path.to_string()).map_err(|problem| vec![problem])
    }
}
