//! The text of a SQL query: its tokens and their places in bytes.

use datafusion::common::{Location, Span as SqlSpan};
use datafusion::sql::sqlparser::dialect::DuckDbDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer, TokenizerError};
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::span::Span;

/// A text and its tokens.
pub(super) struct SqlText<'t> {
    text: &'t str,
    /// The first byte of each line.
    lines: Vec<usize>,
    tokens: Vec<(Token, Span)>,
}

impl<'t> SqlText<'t> {
    /// Splits a text into tokens, without blanks and comments.
    pub(super) fn new(text: &'t str) -> Result<Self, Diagnostic> {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut split = Self { text, lines, tokens: vec![] };
        let tokens = Tokenizer::new(&DuckDbDialect {}, text).tokenize_with_location().map_err(
            |TokenizerError { message, location }| {
                let start = split.offset(location.into());
                let message = lower_first(&message);
                Diagnostic::error(Kind::Syntax, message).label(Span::new(start, split.char_end(start)), "starts here")
            },
        )?;
        // Texts can have millions of tokens: places are found in one pass instead of by line and column each.
        let mut walk = Walk { text, at: 0, line: 1, column: 1 };
        for token in tokens {
            let start = walk.to(token.span.start.into());
            let end = walk.to(token.span.end.into());
            if !matches!(token.token, Token::Whitespace(_) | Token::EOF) {
                split.tokens.push((token.token, Span::new(start, end)));
            }
        }
        Ok(split)
    }

    /// The whole text.
    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    /// The tokens with their places.
    pub(super) fn tokens(&self) -> &[(Token, Span)] {
        &self.tokens
    }

    /// The place of the parser's span.
    pub(super) fn span(&self, span: SqlSpan) -> Span {
        let start = self.offset(span.start);
        Span::new(start, self.offset(span.end).max(start))
    }

    /// The token that starts at this place, or the end of the text.
    pub(super) fn token_at(&self, location: Location) -> Span {
        let start = self.offset(location);
        let found = self.tokens.iter().find(|(_, span)| span.start as usize >= start);
        found.map_or_else(|| self.end(), |(_, span)| *span)
    }

    /// The first token for which this is true.
    pub(super) fn find(&self, wanted: impl Fn(&Token) -> bool) -> Option<Span> {
        self.tokens.iter().find(|(token, _)| wanted(token)).map(|(_, span)| *span)
    }

    /// The first identifier with this name, quoted or not.
    pub(super) fn find_name(&self, name: &str) -> Option<Span> {
        self.find(|token| match token {
            Token::Word(word) => word.value.eq_ignore_ascii_case(name),
            Token::SingleQuotedString(text) => text == name,
            _ => false,
        })
    }

    /// The word directly before a place.
    pub(super) fn before(&self, place: Span) -> Option<Span> {
        let at = self.tokens.partition_point(|(_, span)| span.start < place.start).checked_sub(1)?;
        self.tokens.get(at).filter(|(token, _)| matches!(token, Token::Word(_))).map(|(_, span)| *span)
    }

    /// The place after the last token.
    pub(super) fn end(&self) -> Span {
        let end = self.tokens.last().map_or(0, |(_, span)| span.end as usize);
        Span::new(end, end)
    }

    /// The first token.
    pub(super) fn first(&self) -> Option<Span> {
        self.tokens.first().map(|(_, span)| *span)
    }

    /// There is nothing in the text.
    pub(super) fn empty(&self) -> Diagnostic {
        Diagnostic::error(Kind::Syntax, "the query is empty").hint("for example: select hash, name from runs limit 10")
    }

    /// There is more than one statement in the text.
    pub(super) fn second_statement(&self) -> Diagnostic {
        let problem = Diagnostic::error(Kind::Semantic, "one query at a time");
        let mut after = self.tokens.iter().skip_while(|(token, _)| *token != Token::SemiColon);
        match after.find(|(token, _)| *token != Token::SemiColon) {
            Some((_, span)) => problem.label(*span, "a second query starts here"),
            None => problem,
        }
    }

    /// The byte at a line and column, both from 1 and columns in characters.
    fn offset(&self, location: Location) -> usize {
        let line = usize::try_from(location.line).unwrap_or(usize::MAX).saturating_sub(1);
        let Some(start) = self.lines.get(line) else { return self.text.len() };
        let rest = self.text.get(*start..).unwrap_or_default();
        let column = usize::try_from(location.column).unwrap_or(usize::MAX).saturating_sub(1);
        start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
    }

    fn char_end(&self, start: usize) -> usize {
        start + self.text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
    }
}

/// Goes through a text once, from place to place.
struct Walk<'t> {
    text: &'t str,
    at: usize,
    line: u64,
    column: u64,
}

impl Walk<'_> {
    fn to(&mut self, location: Location) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        for c in rest.chars() {
            if (self.line, self.column) >= (location.line, location.column) {
                break;
            }
            self.at += c.len_utf8();
            if c == '\n' {
                (self.line, self.column) = (self.line + 1, 1);
            } else {
                self.column += 1;
            }
        }
        self.at
    }
}

/// Messages here start with a small letter; names in capitals stay.
pub(super) fn lower_first(message: &str) -> String {
    let mut chars = message.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            let rest = message.get(first.len_utf8()..).unwrap_or_default();
            format!("{}{rest}", first.to_lowercase())
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bytes() {
        let text = SqlText::new("select 'ü' -- ö\n, \"größe\"\n\tfrom x").unwrap();
        let pieces: Vec<_> = text.tokens().iter().map(|(_, span)| &text.text()[span.range()]).collect();
        assert_eq!(pieces, ["select", "'ü'", ",", "\"größe\"", "from", "x"]);
        let from = text.token_at(Location { line: 3, column: 2 });
        assert_eq!(&text.text()[from.range()], "from");
        assert_eq!(text.find_name("GRÖSSE"), None);
        assert_eq!(text.find_name("größe"), Some(text.tokens()[3].1));
    }

    #[test]
    fn unfinished_tokens_have_a_place() {
        let wrong = SqlText::new("select\n 'abc").err().unwrap();
        assert_eq!((wrong.kind, wrong.labels[0].span), (Kind::Syntax, Span::new(8, 9)));
    }
}
