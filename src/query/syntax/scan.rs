//! Cutting a text into tokens: what hand-written lexers share.

use crate::span::Span;

/// A place in a text that moves forward.
#[derive(Clone, Debug)]
pub struct Scanner<'s> {
    text: &'s str,
    at: usize,
}

impl<'s> Scanner<'s> {
    /// The beginning of the text.
    pub fn new(text: &'s str) -> Self {
        Self { text, at: 0 }
    }

    /// The byte at which the scanner is.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'s str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next character.
    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The character after the next one.
    pub fn peek_second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    /// Reads one character.
    pub fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Reads this text if it comes next.
    pub fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Reads characters as long as they are wanted.
    pub fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// From this byte to here.
    pub fn span_from(&self, start: usize) -> Span {
        Span::new(start, self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_read_one_by_one() {
        let mut scanner = Scanner::new("aß&&b");
        assert_eq!(scanner.take_while(char::is_alphabetic), "aß");
        assert_eq!((scanner.at(), scanner.peek(), scanner.peek_second()), (3, Some('&'), Some('&')));
        assert!(scanner.eat("&&") && !scanner.eat("&&"));
        assert_eq!(scanner.span_from(3), Span::new(3, 5));
        assert_eq!((scanner.bump(), scanner.bump(), scanner.rest()), (Some('b'), None, ""));
    }
}
