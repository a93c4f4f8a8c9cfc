//! Properties and fields (section 4).

use super::super::Piece;
use super::parse::bad_number;
use super::{Bounds, Field, Key, Property};
use crate::diagnostic::Diagnostic;

/// `property = [ "+" ] name { ( "<" | ">" | "=" ) [ integer ] }`.
pub(super) fn property(text: &Piece, place: usize) -> Result<Property, Diagnostic> {
    let show = text.as_str().starts_with('+');
    let text = if show { text.after(1) } else { text.clone() }.decode();
    let (name, bounds) = bounded(&text, &['<', '>', '='])?;
    Ok(Property { place, show, name, bounds })
}

/// `field = [ "+" | "?" ] attachment [ "=" key { "," key } ]`, `key = name { ( "<" | ">" ) [ integer ] }`.
pub(super) fn field(text: &Piece, place: usize) -> Result<Field, Diagnostic> {
    let first = text.as_str().chars().next();
    let text = if let Some('+' | '?') = first { text.after(1) } else { text.clone() };
    let (attachment, keys) = text.cut('=');
    let mut field = Field {
        place,
        // The size of an attachment is asked for to be seen.
        show: matches!(first, Some('+' | '?')),
        size: first == Some('?'),
        attachment: attachment.decode().as_str().to_owned(),
        keys: vec![],
    };
    for key in keys.map(|keys| keys.tokens(&[','])).unwrap_or_default() {
        let (name, bounds) = bounded(&key.decode(), &['<', '>'])?;
        field.keys.push(equal_bound(name, bounds));
    }
    if field.keys.is_empty() {
        field.keys.push(Key::default());
    }
    Ok(field)
}

/// `key=number` looks like a bound and is none: the answer gets lost.
fn equal_bound(name: String, bounds: Bounds) -> Key {
    let bound = name.rsplit_once('=').and_then(|(name, number)| Some((name, number.parse::<i64>().ok()?)));
    match bound {
        Some((name, number)) => Key { name: Some(name.to_owned()), bounds: Bounds { equal: Some(number), ..bounds } },
        None => Key { name: Some(name), bounds },
    }
}

/// A name and the bounds behind it; of several with the same sign the last one counts, one without a number is none.
fn bounded(text: &Piece, signs: &[char]) -> Result<(String, Bounds), Diagnostic> {
    let end = text.as_str().find(signs).unwrap_or(text.as_str().len());
    let name = text.slice(0..end).as_str().to_owned();
    let (mut bounds, mut rest) = (Bounds::default(), text.after(end));
    while let Some(sign) = rest.as_str().chars().next() {
        let body = rest.after(1);
        let end = body.as_str().find(signs).unwrap_or(body.as_str().len());
        let number = body.slice(0..end);
        if !number.is_empty() {
            let number = number.as_str().parse().map_err(|_| bad_number(&number, "a bound"))?;
            match sign {
                '<' => bounds.less = Some(number),
                '>' => bounds.greater = Some(number),
                _ => bounds.equal = Some(number),
            }
        }
        rest = body.after(end);
    }
    Ok((name, bounds))
}
