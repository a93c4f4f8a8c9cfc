//! Pipelines of ops: `gather=ks;sort=1:n:d`.

mod aggregate;
mod catalogue;
mod order;
mod relaxed;
mod steps;
mod tree;
mod values;

pub use catalogue::{CATALOGUE, OpInfo, Scope, find};
pub use relaxed::Relaxed;
pub use steps::*;
pub use tree::*;

use super::Piece;
use crate::diagnostic::{Diagnostic, Kind, did_you_mean};
use crate::source::Source;
use crate::span::Span;

/// Most ops of one pipeline.
pub const MOST_OPS: usize = 500;

/// How deep pipelines stand inside of `groupby`.
const DEEPEST: usize = 8;

/// Longest text of a pipeline: more than any browser ever sent.
const LONGEST: usize = 1 << 20;

/// What changes the reading of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strictness {
    /// The sane meaning where the original has a known defect (section 10 of the specification).
    pub strict: bool,
}

/// Reads a pipeline.
///
/// ```text
/// pipeline = [ op ] { ";" [ op ] }
/// op       = name [ "=" arguments ]
/// ```
///
/// Names are case-insensitive and not trimmed; names and arguments are URL-decoded once, after cutting.
///
/// # Errors
/// The first op that does not exist or whose arguments are not of its grammar.
pub fn parse(source: &Source, how: Strictness) -> Result<Pipeline, Diagnostic> {
    if source.text.len() > LONGEST {
        return Err(Diagnostic::error(Kind::Limit, format!("the ops are longer than {LONGEST} bytes")));
    }
    pipeline(&Piece::raw(&source.text, 0), how, 0)
}

/// As [`parse`], for a pipeline inside of another one.
fn pipeline(text: &Piece, how: Strictness, depth: usize) -> Result<Pipeline, Diagnostic> {
    if depth > DEEPEST {
        return Err(Diagnostic::error(Kind::Limit, format!("ops stand more than {DEEPEST} levels deep in each other"))
            .label(text.span(), ""));
    }
    let pieces = text.tokens(&[';']);
    if pieces.len() > MOST_OPS {
        return Err(Diagnostic::error(Kind::Limit, format!("a pipeline has at most {MOST_OPS} ops"))
            .label(text.span(), format!("{} ops", pieces.len())));
    }
    let ops = pieces.iter().map(|piece| call(piece, how, depth)).collect::<Result<_, _>>()?;
    Ok(Pipeline { ops })
}

fn call(piece: &Piece, how: Strictness, depth: usize) -> Result<Call, Diagnostic> {
    let (name, arguments) = piece.cut('=');
    let name = name.decode();
    if name.is_empty() {
        return Err(Diagnostic::error(Kind::Syntax, "an op has no name")
            .label(piece.span(), "expected name=arguments")
            .hint("ops are separated by `;`, as in gather=ks;sort=1:n:d"));
    }
    let Some(info) = find(name.as_str()) else { return Err(unknown(&name, arguments.is_some())) };
    let end = piece.span().end as usize;
    let text = match arguments {
        // A raw `+` is a blank in the original; strictly it stays what was written.
        Some(text) if how.strict => protect_plus(&text).decode(),
        Some(text) => text.decode(),
        None => Piece::raw("", end),
    };
    let arguments = Arguments { info, text, span: piece.span(), how, depth };
    Ok(Call { name: info.name, span: piece.span(), op: (info.parse)(&arguments)? })
}

fn protect_plus(text: &Piece) -> Piece {
    if !text.as_str().contains('+') {
        return text.clone();
    }
    text.plus_kept()
}

fn unknown(name: &Piece, has_arguments: bool) -> Diagnostic {
    let lower = name.as_str().to_ascii_lowercase();
    let problem = Diagnostic::error(Kind::Semantic, format!("there is no op `{}`", name.as_str()))
        .label(name.span(), "unknown op");
    let names = CATALOGUE.iter().flat_map(|info| std::iter::once(info.name).chain(info.aliases.iter().copied()));
    let known_elsewhere = match lower.as_str() {
        "transpose" => Some("trans"),
        "join" | "cat" | "split" | "crop" => Some("str"),
        "count" => Some("gather"),
        "number" | "dmath" | "rng" => Some("num"),
        "remap" => Some("rmap"),
        _ => None,
    };
    if !has_arguments && lower.contains('=') {
        return problem.hint("write `=` itself: %3D is part of the name");
    }
    match known_elsewhere.or_else(|| did_you_mean(&lower, names)) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None if lower.trim() != lower => problem.hint("blanks around a name belong to it"),
        None => problem.hint("`lakeql ops` lists all ops"),
    }
}

/// What stands behind an op's `=`, and what is needed to complain about it.
pub(crate) struct Arguments {
    info: &'static OpInfo,
    text: Piece,
    span: Span,
    how: Strictness,
    depth: usize,
}

impl Arguments {
    /// A complaint about a piece of the arguments.
    fn wrong(&self, piece: &Piece, message: impl Into<String>) -> Diagnostic {
        self.wrong_at(piece.span(), message)
    }

    /// A complaint about a place; an empty place is the whole op.
    fn wrong_at(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        let span = if span.start >= span.end { self.span } else { span };
        Diagnostic::error(Kind::Semantic, format!("wrong argument of `{}`", self.info.name))
            .label(span, message)
            .hint(format!("expected {}", self.info.grammar))
    }

    /// A complaint about something that is not there.
    fn missing(&self, what: &str) -> Diagnostic {
        self.wrong_at(self.span, format!("{what} is missing"))
    }

    /// A whole number.
    fn integer(&self, piece: &Piece) -> Result<i64, Diagnostic> {
        piece.as_str().parse().map_err(|_| self.wrong(piece, "expected a whole number"))
    }

    /// A number with a fraction, perhaps.
    fn float(&self, piece: &Piece) -> Result<f64, Diagnostic> {
        let value: Result<f64, _> = piece.as_str().parse();
        value.ok().filter(|value| value.is_finite()).ok_or_else(|| self.wrong(piece, "expected a number"))
    }

    /// The position of a column.
    fn position(&self, piece: &Piece) -> Result<usize, Diagnostic> {
        let position: Result<u32, _> = piece.as_str().parse();
        position
            .ok()
            .and_then(|position| usize::try_from(position).ok())
            .filter(|position| *position < MOST_COLUMNS)
            .ok_or_else(|| self.wrong(piece, "expected the position of a column: 0, 1, 2 …"))
    }

    /// The positions or names of columns, separated by commas.
    fn columns(&self, piece: &Piece) -> Vec<ColumnRef> {
        piece.tokens(&[',']).iter().map(|column| ColumnRef::new(column.as_str())).collect()
    }
}

#[cfg(test)]
mod tests;
