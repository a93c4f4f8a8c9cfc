//! Pieces of a text that may have been URL-decoded, and where each of their bytes stood.

use crate::span::Span;
use std::ops::Range;

/// A part of the text, perhaps decoded, that can still say where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    text: String,
    /// Where each byte of `text` starts in the source, and one entry more for its end.
    origin: Vec<u32>,
}

impl Piece {
    /// A text as it was written, `offset` bytes into the source.
    pub fn raw(text: &str, offset: usize) -> Self {
        let origin = (0..=text.len()).map(|at| u32::try_from(offset + at).unwrap_or(u32::MAX)).collect();
        Self { text: text.to_owned(), origin }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Where the whole piece stands.
    pub fn span(&self) -> Span {
        self.span_of(0..self.text.len())
    }

    /// Where a range of the piece's bytes stands.
    pub fn span_of(&self, range: Range<usize>) -> Span {
        let at = |index: usize| self.origin.get(index).or(self.origin.last()).copied().unwrap_or_default();
        Span { start: at(range.start), end: at(range.end) }
    }

    /// The part of these bytes; nothing where they are not a part of the text.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let text = self.text.get(range.clone()).unwrap_or_default();
        let end = range.start.saturating_add(text.len());
        let origin = match self.origin.get(range.start..=end) {
            Some(origin) => origin.to_vec(),
            None => vec![self.origin.last().copied().unwrap_or_default(); text.len() + 1],
        };
        Self { text: text.to_owned(), origin }
    }

    /// What follows after the first `bytes` bytes.
    #[must_use]
    pub fn after(&self, bytes: usize) -> Self {
        self.slice(bytes..self.text.len())
    }

    /// URL-decoding: `+` is a blank, `%XX` a byte of UTF-8; what is no escape stays as it is.
    #[must_use]
    pub fn decode(&self) -> Self {
        if !self.text.contains(['%', '+']) {
            return self.clone();
        }
        let bytes = self.text.as_bytes();
        let (mut decoded, mut origin) = (Vec::with_capacity(bytes.len()), Vec::with_capacity(bytes.len() + 1));
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            origin.push(self.origin.get(at).copied().unwrap_or_default());
            let escaped = (byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten().and_then(hex);
            let (plain, length) = match (byte, escaped) {
                (b'+', _) => (b' ', 1),
                (_, Some(plain)) => (plain, 3),
                (other, None) => (other, 1),
            };
            decoded.push(plain);
            at += length;
        }
        origin.push(self.origin.last().copied().unwrap_or_default());
        match String::from_utf8(decoded) {
            Ok(text) => Self { text, origin },
            // Bytes that are no UTF-8 become replacement characters, which are longer than the bytes: all point at the whole.
            Err(error) => {
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let span = self.span();
                let mut origin = vec![span.start; text.len()];
                origin.push(span.end);
                Self { text, origin }
            }
        }
    }

    /// The same with every raw `+` escaped, so that decoding gives it back.
    #[must_use]
    pub fn plus_kept(&self) -> Self {
        let (mut text, mut origin) = (String::new(), vec![]);
        for (at, c) in self.text.char_indices() {
            let from = self.origin.get(at).copied().unwrap_or_default();
            let before = text.len();
            if c == '+' {
                text.push_str("%2B")
            } else {
                text.push(c)
            }
            origin.extend(std::iter::repeat_n(from, text.len() - before));
        }
        origin.push(self.origin.last().copied().unwrap_or_default());
        Self { text, origin }
    }

    /// The pieces between separators, empty ones left out.
    pub fn tokens(&self, separators: &[char]) -> Vec<Self> {
        self.pieces(|c| separators.contains(&c)).into_iter().filter(|piece| !piece.is_empty()).collect()
    }

    /// The pieces between separators, empty ones included except at the end; never none.
    pub fn fields(&self, separator: &str) -> Vec<Self> {
        let mut fields = vec![];
        let mut start = 0;
        for (at, _) in self.text.match_indices(separator) {
            fields.push(self.slice(start..at));
            start = at + separator.len();
        }
        fields.push(self.slice(start..self.text.len()));
        while fields.len() > 1 && fields.last().is_some_and(Self::is_empty) {
            fields.pop();
        }
        fields
    }

    /// What stands before and after the first separator.
    pub fn cut(&self, separator: char) -> (Self, Option<Self>) {
        match self.text.find(separator) {
            None => (self.clone(), None),
            Some(at) => (self.slice(0..at), Some(self.slice(at + separator.len_utf8()..self.text.len()))),
        }
    }

    fn pieces(&self, is_separator: impl Fn(char) -> bool) -> Vec<Self> {
        let mut pieces = vec![];
        let mut start = 0;
        for (at, c) in self.text.char_indices() {
            if is_separator(c) {
                pieces.push(self.slice(start..at));
                start = at + c.len_utf8();
            }
        }
        pieces.push(self.slice(start..self.text.len()));
        pieces
    }
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match digits {
        [high, low] => Some(digit(high)? * 16 + digit(low)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoded_text_knows_where_it_came_from() {
        let piece = Piece::raw("a%2Bb+%C3%A9%zz%", 10).decode();
        assert_eq!(piece.as_str(), "a+b é%zz%");
        assert_eq!(piece.span_of(1..2), Span { start: 11, end: 14 });
        assert_eq!(piece.span_of(4..6), Span { start: 16, end: 22 });
        assert_eq!(piece.span(), Span { start: 10, end: 26 });
        assert_eq!(Piece::raw("%ff", 3).decode().span(), Span { start: 3, end: 6 });
    }

    #[test]
    fn separators() {
        let texts = |pieces: Vec<Piece>| pieces.iter().map(|p| p.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!(texts(Piece::raw(",a,,b,", 0).tokens(&[','])), ["a", "b"]);
        assert_eq!(texts(Piece::raw(",a,,b,,", 0).fields(",")), ["", "a", "", "b"]);
        assert_eq!(texts(Piece::raw("", 0).fields(",")), [""]);
        assert_eq!(Piece::raw("é=1=2", 0).cut('=').1.map(|p| p.as_str().to_owned()), Some("1=2".into()));
    }
}
