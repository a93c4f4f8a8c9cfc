//! Arguments of the ops for order, size and columns (sections 5.3 and 5.4).

use super::super::Piece;
use super::{Arguments, ColumnRef, Constant, MOST_COLUMNS, Op, SortKey, SortType};
use crate::diagnostic::Diagnostic;

/// `sort = [ columns [ ":" types [ ":" directions ] ] ]`: a letter per column, continued with the first one.
pub(super) fn sort(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.tokens(&[':']);
    let columns = parts.first().map_or_else(|| vec![ColumnRef::new("0")], |part| arguments.columns(part));
    let letter = |part: usize, index: usize, default: char| {
        let letters = parts.get(part).map_or("", |piece| piece.as_str());
        letters.chars().nth(index).or(letters.chars().next()).unwrap_or(default)
    };
    let key = |(index, column)| SortKey {
        column,
        as_type: match letter(1, index, 's') {
            'n' | 'i' | 'l' => SortType::Integer,
            'd' | 'f' => SortType::Float,
            _ => SortType::Text,
        },
        descending: letter(2, index, 'a') == 'd',
    };
    // A million keys would be looked up letter by letter.
    if columns.len() > 1000 {
        return Err(arguments.wrong(&arguments.text, "more than 1000 columns"));
    }
    Ok(Op::Sort(columns.into_iter().enumerate().map(key).collect()))
}

/// `limit = [ integer ":" ] integer`.
pub(super) fn limit(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.tokens(&[':']);
    let (skip, count) = match parts.as_slice() {
        [count] => (None, count),
        [skip, count] => (Some(skip), count),
        _ => return Err(arguments.missing("one number, or two,")),
    };
    let skip = match skip {
        None => 0,
        Some(piece) => u64::try_from(arguments.integer(piece)?)
            .map_err(|_| arguments.wrong(piece, "cannot skip fewer than 0 rows"))?,
    };
    let number = u64::try_from(arguments.integer(count)?).ok().filter(|count| *count > 0);
    Ok(Op::Limit { skip, count: number.ok_or_else(|| arguments.wrong(count, "a limit is at least 1"))? })
}

/// `skip = integer [ "," integer [ "," integer ] ]`.
pub(super) fn skip(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let numbers: Result<Vec<_>, _> =
        arguments.text.tokens(&[',']).iter().map(|piece| arguments.integer(piece)).collect();
    let numbers = numbers?;
    if numbers.is_empty() { Err(arguments.missing("the number of rows")) } else { Ok(Op::Skip(numbers)) }
}

/// `range = integer [ "," integer ]`.
pub(super) fn range(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.tokens(&[',']);
    let Some(begin) = parts.first() else { return Err(arguments.missing("the first row")) };
    let end = parts.get(1).map_or(Ok(0), |piece| arguments.integer(piece))?;
    Ok(Op::Range { begin: arguments.integer(begin)?, end })
}

/// `order = [ columns ]`.
pub(super) fn order(arguments: &Arguments) -> Result<Op, Diagnostic> {
    Ok(Op::Order(arguments.columns(&arguments.text)))
}

/// `title = [ text { "," text } ]`.
pub(super) fn title(arguments: &Arguments) -> Result<Op, Diagnostic> {
    Ok(Op::Title(arguments.text.tokens(&[',']).iter().map(|name| name.as_str().to_owned()).collect()))
}

/// `fill = [ constant ]`.
pub(super) fn fill(arguments: &Arguments) -> Result<Op, Diagnostic> {
    Ok(Op::Fill(constant(arguments, &arguments.text)?))
}

/// `pad = constant ":" integer`.
pub(super) fn pad(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.tokens(&[':']);
    let [with, count, ..] = parts.as_slice() else { return Err(arguments.missing("value or number of columns")) };
    let columns = usize::try_from(arguments.integer(count)?).ok().filter(|columns| *columns <= MOST_COLUMNS);
    let columns = columns.ok_or_else(|| arguments.wrong(count, format!("expected 0 to {MOST_COLUMNS} columns")))?;
    Ok(Op::Pad { with: constant(arguments, with)?, columns })
}

/// `constant = [ ( "i" | "l" ) integer | ( "d" | "f" ) number | "s" [ text ] | integer ]`; nothing is 0.
fn constant(arguments: &Arguments, piece: &Piece) -> Result<Constant, Diagnostic> {
    let rest = piece.after(1);
    Ok(match piece.as_str().chars().next() {
        None => Constant::Integer(0),
        Some('i' | 'l') => Constant::Integer(arguments.integer(&rest)?),
        Some('d' | 'f') => Constant::Float(arguments.float(&rest)?),
        Some('s') => Constant::Text(rest.as_str().to_owned()),
        Some(_) => Constant::Integer(
            arguments
                .integer(piece)
                .map_err(|problem| problem.hint(format!("a text is written s{}", piece.as_str())))?,
        ),
    })
}
