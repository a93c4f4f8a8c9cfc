//! From text to elements.

use super::super::Piece;
use super::{Element, Path, node, values};
use crate::diagnostic::{Diagnostic, Kind};
use crate::source::Source;

/// Most elements of a path.
pub const MOST_ELEMENTS: usize = 1000;

/// Longest text of a path.
const LONGEST: usize = 1 << 20;

/// Reads a path.
///
/// ```text
/// path = { "/" } [ element { "/" { "/" } element } ] { "/" }
/// ```
///
/// # Errors
/// Numbers that are none, and texts beyond all measure. Everything else is a path.
pub fn parse(source: &Source) -> Result<Path, Diagnostic> {
    if source.text.len() > LONGEST {
        return Err(Diagnostic::error(Kind::Limit, format!("the path is longer than {LONGEST} bytes")));
    }
    let pieces = Piece::raw(&source.text, 0).tokens(&['/']);
    if pieces.len() > MOST_ELEMENTS {
        let message = format!("a path has at most {MOST_ELEMENTS} elements, this one has {}", pieces.len());
        return Err(Diagnostic::error(Kind::Limit, message));
    }
    let elements = pieces.iter().map(element).collect::<Result<_, _>>()?;
    Ok(Path { elements })
}

/// `element = [ "(" [ skip "-" ] limit ")" ] [ "~" ] node { ":" property { "," property } | "$" field }`.
fn element(piece: &Piece) -> Result<Element, Diagnostic> {
    let (skip, limit, rest) = window(piece)?;
    let lenient = rest.as_str().starts_with('~');
    let rest = if lenient { rest.after(1) } else { rest };
    let end = rest.as_str().find([':', '$']).unwrap_or(rest.as_str().len());
    let node = node::node(&rest.slice(0..end))?;
    let mut element = Element {
        span: piece.span(),
        skip,
        limit,
        lenient,
        node: node.node,
        collect: node.collect,
        column: node.column,
        properties: vec![],
        fields: vec![],
    };
    let mut rest = rest.after(end);
    let mut place = 0;
    while let Some(separator) = rest.as_str().chars().next() {
        let body = rest.after(1);
        let end = body.as_str().find([':', '$']).unwrap_or(body.as_str().len());
        let part = body.slice(0..end);
        if separator == ':' {
            for property in part.tokens(&[',']) {
                element.properties.push(values::property(&property, place)?);
                place += 1;
            }
        } else if !part.is_empty() {
            element.fields.push(values::field(&part, place)?);
            place += 1;
        }
        rest = body.after(end);
    }
    Ok(element)
}

/// `window = "(" [ integer "-" ] integer ")"`: skip, limit and what follows. What is not closed is text.
fn window(piece: &Piece) -> Result<(u64, u64, Piece), Diagnostic> {
    let text = piece.as_str();
    let Some(end) = text.strip_prefix('(').and_then(|inside| inside.find(')')) else {
        return Ok((0, 0, piece.clone()));
    };
    let inside = piece.slice(1..end + 1);
    let numbers = inside.tokens(&['-']);
    let number = |piece: &Piece| piece.as_str().parse::<u64>().map_err(|_| bad_number(piece, "a limit"));
    let (skip, limit) = match numbers.as_slice() {
        [] => return Err(bad_number(&piece.slice(0..end + 2), "a limit")),
        [limit] => (0, number(limit)?),
        [skip, limit, ..] => (number(skip)?, number(limit)?),
    };
    Ok((skip, limit, piece.after(end + 2)))
}

/// A complaint about something that should be a number.
pub(super) fn bad_number(piece: &Piece, what: &str) -> Diagnostic {
    Diagnostic::error(Kind::Syntax, format!("{what} is a whole number"))
        .label(piece.span(), "expected a whole number")
        .hint("limits are written (10) or (5-10), bounds hits>10, defaults +[name|10]")
}
