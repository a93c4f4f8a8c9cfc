//! Which dialect a text is in (specification section 3).

use super::Flavour;
use super::lex::{Lexeme, lex};
use super::tree::Aggregate;
use crate::syntax::cursor::Token;

/// Typed if there is a colon behind a name, a call of one of the functions of series, MATCHES or `=~`, or a bare word with
/// a slash; else legacy. An error in the dialect that was chosen is final.
pub(super) fn flavour(text: &str) -> Flavour {
    // The typed dialect has all tokens of the legacy one. What comes behind something that is no token does not count.
    let tokens = lex(text, Flavour::Typed).tokens;
    let word = |token: &Token<Lexeme>| text.get(token.span.range()).unwrap_or_default();
    let typed = tokens.iter().enumerate().any(|(index, token)| {
        let previous = index.checked_sub(1).and_then(|index| tokens.get(index));
        let next = tokens.get(index + 1).map(|token| token.kind);
        let behind_name = previous.is_some_and(|token| matches!(token.kind, Lexeme::Word | Lexeme::Name));
        match token.kind {
            Lexeme::Colon => behind_name,
            Lexeme::Match | Lexeme::NoMatch => true,
            Lexeme::Word => {
                let text = word(token);
                text.contains('/')
                    || (next == Some(Lexeme::Open) && Aggregate::from_name(text).is_some())
                    // A word like any other unless it stands where an operator does.
                    || (text.eq_ignore_ascii_case("matches")
                        && (behind_name || previous.is_some_and(|token| token.kind == Lexeme::Not))
                        && matches!(next, Some(Lexeme::Text | Lexeme::Word)))
            }
            Lexeme::Text
            | Lexeme::Name
            | Lexeme::And
            | Lexeme::Or
            | Lexeme::Not
            | Lexeme::Contains
            | Lexeme::Equal
            | Lexeme::NotEqual
            | Lexeme::Less
            | Lexeme::LessEqual
            | Lexeme::Greater
            | Lexeme::GreaterEqual
            | Lexeme::Open
            | Lexeme::Close
            | Lexeme::End => false,
        }
    });
    if typed { Flavour::Typed } else { Flavour::Legacy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokens_tell() {
        for text in [
            "a:float > 1",
            "`a`: float > 1",
            "last(a) > 1",
            "MAX (`a`) > 1",
            "a MATCHES \"x\"",
            "a not matches x",
            "a =~ x",
            "a !~ x",
            "a/b > 1",
            "x = a/b",
            "(a/b = 1",
            "a:float = 'x'",
        ] {
            assert_eq!(flavour(text), Flavour::Typed, "{text}");
        }
        for text in [
            "",
            "a > 1",
            "last = 4",
            "`a/b` > 1",
            "a = \"b:c/d\"",
            "matches = exists",
            "matches > 5",
            "not matches = 5",
            "x = matches",
            "a = 'x/y'",
            "a = : b",
        ] {
            assert_eq!(flavour(text), Flavour::Legacy, "{text}");
        }
    }
}
