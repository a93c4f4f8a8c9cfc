//! Walking over tokens: what recursive-descent parsers share.
//!
//! A lexer cuts the whole text and stops at the first thing that is no token ([`Tokens::fault`]); the cursor reports that
//! fault when the parser gets there, so the first mistake in the text is the one that is told. Every question a parser asks
//! is remembered until a token is taken, which makes «expected A, B or C» complete without effort.

use crate::diagnostic::{Diagnostic, Kind};
use crate::span::Span;

/// Deepest nesting of brackets that parsers allow; what follows (lowering, resolving, planning) recurses.
pub const MAX_DEPTH: usize = 256;

/// Kinds of tokens of a language.
pub trait TokenKind: Copy + PartialEq + 'static {
    /// The kind of the token behind the last one.
    const END: Self;

    /// As it stands behind «expected»: `` `)` ``, `a value`.
    fn describe(self) -> &'static str;
}

/// A piece of a query's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<K> {
    /// Its kind.
    pub kind: K,
    /// Where it is.
    pub span: Span,
}

/// The tokens of a text, up to the first thing that is none.
#[derive(Clone, Debug)]
pub struct Tokens<K> {
    /// The tokens in order, without [`TokenKind::END`].
    pub tokens: Vec<Token<K>>,
    /// What is wrong behind the last token, if anything.
    pub fault: Option<Diagnostic>,
}

/// A parser's place among the tokens.
#[derive(Debug)]
pub struct Cursor<'s, K> {
    text: &'s str,
    tokens: Vec<Token<K>>,
    fault: Option<Diagnostic>,
    at: usize,
    expected: Vec<&'static str>,
    depth: usize,
}

impl<'s, K: TokenKind> Cursor<'s, K> {
    /// At the first token.
    pub fn new(text: &'s str, tokens: Tokens<K>) -> Self {
        Self { text, tokens: tokens.tokens, fault: tokens.fault, at: 0, expected: vec![], depth: 0 }
    }

    /// The next token; behind the last one there is an empty [`TokenKind::END`].
    pub fn peek(&self) -> Token<K> {
        self.peek_nth(0)
    }

    /// The token after `count` others.
    pub fn peek_nth(&self, count: usize) -> Token<K> {
        let end = Token { kind: K::END, span: Span::new(self.text.len(), self.text.len()) };
        self.tokens.get(self.at + count).copied().unwrap_or(end)
    }

    /// The token that was taken last.
    pub fn previous(&self) -> Option<Token<K>> {
        self.tokens.get(self.at.checked_sub(1)?).copied()
    }

    /// The text of a token.
    pub fn text(&self, token: Token<K>) -> &'s str {
        self.text.get(token.span.range()).unwrap_or_default()
    }

    /// Whether the next token is of this kind; remembered as expected.
    pub fn is(&mut self, kind: K) -> bool {
        self.is_word(kind.describe(), |token| token == kind)
    }

    /// Whether the next token's kind is wanted, which is remembered as expected by this description.
    pub fn is_word(&mut self, description: &'static str, wanted: impl Fn(K) -> bool) -> bool {
        self.note(description);
        wanted(self.peek().kind)
    }

    /// Remembers what could stand here.
    pub fn note(&mut self, description: &'static str) {
        if !self.expected.contains(&description) {
            self.expected.push(description);
        }
    }

    /// Takes the next token, whatever it is.
    pub fn bump(&mut self) -> Token<K> {
        let token = self.peek();
        self.expected.clear();
        if self.at < self.tokens.len() {
            self.at += 1;
        }
        token
    }

    /// Takes the next token if it is of this kind.
    pub fn eat(&mut self, kind: K) -> Option<Token<K>> {
        self.is(kind).then(|| self.bump())
    }

    /// Takes the next token, which has to be of this kind.
    ///
    /// # Errors
    /// It is not: [`Cursor::unexpected`].
    pub fn expect(&mut self, kind: K) -> Result<Token<K>, Diagnostic> {
        match self.eat(kind) {
            Some(token) if kind != K::END || self.fault.is_none() => Ok(token),
            _ => Err(self.unexpected()),
        }
    }

    /// Whether all tokens are taken and nothing is wrong behind them; remembered as expected.
    pub fn is_end(&mut self) -> bool {
        self.is(K::END) && self.at_end()
    }

    /// Whether all tokens are taken and nothing is wrong behind them.
    pub fn at_end(&self) -> bool {
        self.peek().kind == K::END && self.fault.is_none()
    }

    /// That the next token is none of those that were asked for.
    pub fn unexpected(&self) -> Diagnostic {
        let token = self.peek();
        if token.kind == K::END
            && let Some(fault) = &self.fault
        {
            return fault.clone();
        }
        let found = match self.text(token) {
            "" => K::END.describe().to_owned(),
            text => format!("`{}`", shortened(text)),
        };
        Diagnostic::error(Kind::Syntax, format!("expected {}, found {found}", self.wanted())).label(token.span, "")
    }

    /// What was asked for: `a field, NOT or "("`.
    pub fn wanted(&self) -> String {
        match self.expected.as_slice() {
            [] => "something else".to_owned(),
            [one] => (*one).to_owned(),
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
        }
    }

    /// Goes one level deeper.
    ///
    /// # Errors
    /// That would be deeper than [`MAX_DEPTH`].
    pub fn enter(&mut self, span: Span) -> Result<(), Diagnostic> {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        let message = format!("the query is nested more than {MAX_DEPTH} levels deep");
        Err(Diagnostic::error(Kind::Limit, message).label(span, ""))
    }

    /// Comes back up.
    pub fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}

/// A text for a message, cut if it is long.
pub fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Kind {
        Word,
        Open,
        End,
    }

    impl TokenKind for Kind {
        const END: Self = Self::End;

        fn describe(self) -> &'static str {
            match self {
                Self::Word => "a word",
                Self::Open => "`(`",
                Self::End => "the end",
            }
        }
    }

    fn cursor(fault: Option<Diagnostic>) -> Cursor<'static, Kind> {
        let token = |kind, start, end| Token { kind, span: Span::new(start, end) };
        Cursor::new("ab ( #", Tokens { tokens: vec![token(Kind::Word, 0, 2), token(Kind::Open, 3, 4)], fault })
    }

    #[test]
    fn what_was_asked_for_is_what_was_expected() {
        let mut cursor = cursor(None);
        assert!(!cursor.is_end() && cursor.eat(Kind::Open).is_none() && cursor.eat(Kind::Open).is_none());
        assert_eq!(cursor.unexpected().message, "expected the end or `(`, found `ab`");
        assert_eq!(cursor.eat(Kind::Word).map(|token| cursor.text(token)), Some("ab"));
        assert_eq!(cursor.expect(Kind::Word).unwrap_err().message, "expected a word, found `(`");
        cursor.bump();
        assert_eq!(cursor.expect(Kind::Word).unwrap_err().message, "expected a word, found the end");
        assert!(cursor.expect(Kind::End).is_ok());
    }

    #[test]
    fn faults_are_told_where_they_are() {
        let fault = Diagnostic::error(crate::diagnostic::Kind::Syntax, "a hash");
        let mut cursor = cursor(Some(fault));
        assert_eq!(cursor.expect(Kind::Open).unwrap_err().message, "expected `(`, found `ab`");
        cursor.bump();
        cursor.bump();
        assert!(!cursor.is_end());
        assert_eq!(cursor.expect(Kind::Word).unwrap_err().message, "a hash");
        assert_eq!(cursor.expect(Kind::End).unwrap_err().message, "a hash");
    }

    #[test]
    fn depth_is_limited() {
        let mut cursor = cursor(None);
        for _ in 0..MAX_DEPTH {
            cursor.enter(Span::default()).unwrap();
        }
        assert!(cursor.enter(Span::default()).is_err());
        cursor.leave();
        cursor.leave();
        assert!(cursor.enter(Span::default()).is_ok());
    }
}
