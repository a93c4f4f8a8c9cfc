//! Characters to tokens.
//!
//! Names, patterns and constants share most of their characters (`raw-2024*`, `-3`, `v09_72`, `a/b.root`), so they are one
//! kind of token, a word, and the parser says what it takes the word for. A `-` stands for itself only behind something
//! that ends an operand.

use crate::diagnostic::{Diagnostic, Kind};
use crate::span::Span;
use crate::syntax::cursor::{Token, TokenKind, Tokens};
use crate::syntax::scan::Scanner;

/// Kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum T {
    Word,
    Text,
    Open,
    Close,
    OpenSquare,
    CloseSquare,
    OpenCurly,
    CloseCurly,
    Comma,
    Colon,
    Minus,
    Not,
    Compare,
    End,
}

impl TokenKind for T {
    const END: Self = Self::End;

    fn describe(self) -> &'static str {
        match self {
            Self::Word => "a name",
            Self::Text => "a text in quotes",
            Self::Open => "`(`",
            Self::Close => "`)`",
            Self::OpenSquare => "`[`",
            Self::CloseSquare => "`]`",
            Self::OpenCurly => "`{`",
            Self::CloseCurly => "`}`",
            Self::Comma => "`,`",
            Self::Colon => "`:`",
            Self::Minus => "`-`",
            Self::Not => "`!`",
            Self::Compare => "a comparison",
            Self::End => "the end of the query",
        }
    }
}

/// Operators, longer ones before their beginnings.
const OPERATORS: [(&str, T); 21] = [
    ("!~*", T::Compare),
    ("!==", T::Compare),
    ("!~", T::Compare),
    ("!=", T::Compare),
    ("~*", T::Compare),
    ("~", T::Compare),
    ("<=", T::Compare),
    (">=", T::Compare),
    ("==", T::Compare),
    ("<", T::Compare),
    (">", T::Compare),
    ("=", T::Compare),
    ("!", T::Not),
    ("(", T::Open),
    (")", T::Close),
    ("[", T::OpenSquare),
    ("]", T::CloseSquare),
    ("{", T::OpenCurly),
    ("}", T::CloseCurly),
    (",", T::Comma),
    (":", T::Colon),
];

/// Words behind which a `-` begins a name or number.
const BEFORE_NAMES: [&str; 11] =
    ["files", "file", "fids", "fid", "from", "matching", "by", "limit", "skip", "in", "query"];

/// Whether the character can be in a word.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '$' | '@' | '*' | '?' | '^' | '%' | '+')
}

/// Cuts the text into tokens up to the first thing that is none.
pub(super) fn tokens(text: &str) -> Tokens<T> {
    let mut scanner = Scanner::new(text);
    let mut tokens: Vec<Token<T>> = vec![];
    let fault = loop {
        scanner.take_while(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
        let start = scanner.at();
        let Some(c) = scanner.peek() else { break None };
        let kind = match c {
            '#' => {
                scanner.take_while(|c| c != '\n');
                continue;
            }
            '"' | '\'' => match string(&mut scanner, c) {
                Ok(()) => T::Text,
                Err(fault) => break Some(fault),
            },
            '-' if ends_operand(text, tokens.last()) => {
                scanner.bump();
                T::Minus
            }
            c if is_word(c) => {
                scanner.take_while(is_word);
                T::Word
            }
            c => match OPERATORS.iter().find(|(symbol, _)| scanner.eat(symbol)) {
                Some((_, kind)) => *kind,
                None => {
                    let span = Span::new(start, start + c.len_utf8());
                    let fault = Diagnostic::error(Kind::Syntax, format!("unexpected character `{c}`")).label(span, "");
                    break Some(match c {
                        ';' => fault.hint("a text is one query, without `;`"),
                        '&' | '|' => fault.hint("conditions are joined by `and` and `or`"),
                        _ => fault.hint("names have letters, digits and _ - . /; put other texts in quotes"),
                    });
                }
            },
        };
        tokens.push(Token { kind, span: scanner.span_from(start) });
    };
    Tokens { tokens, fault }
}

/// Whether a `-` behind this token takes something away.
fn ends_operand(text: &str, last: Option<&Token<T>>) -> bool {
    last.is_some_and(|last| match last.kind {
        T::Close | T::CloseSquare | T::CloseCurly | T::Text => true,
        T::Word => !BEFORE_NAMES.contains(&text.get(last.span.range()).unwrap_or_default()),
        _ => false,
    })
}

/// A text in quotes, on one line. A backslash takes the next character with it.
fn string(scanner: &mut Scanner<'_>, quote: char) -> Result<(), Diagnostic> {
    let start = scanner.at();
    scanner.bump();
    loop {
        match scanner.bump() {
            Some('\\') => drop(scanner.bump()),
            Some('\n') | None => {
                let span = Span::new(start, start + 1);
                let fault = Diagnostic::error(Kind::Syntax, "this text is not closed").label(span, "it begins here");
                return Err(fault.hint(format!("texts end with {quote} on the same line; \\n stands for a line break")));
            }
            Some(c) if c == quote => return Ok(()),
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        tokens(text).tokens.iter().map(|token| &text[token.span.range()]).collect()
    }

    #[test]
    fn words_and_operators() {
        assert_eq!(cut("files from s:A-B - files"), ["files", "from", "s", ":", "A-B", "-", "files"]);
        assert_eq!(cut("x>-3 and y!~*'a' # rest"), ["x", ">", "-3", "and", "y", "!~*", "'a'"]);
        assert_eq!(cut("skip -1"), ["skip", "-1"]);
        assert_eq!(cut("a = \"x # \\\" y\""), ["a", "=", "\"x # \\\" y\""]);
        assert_eq!(cut("{x}-[y]"), ["{", "x", "}", "-", "[", "y", "]"]);
        assert!(tokens("a = 'x\ny'").fault.is_some() && tokens("a;").fault.is_some());
    }
}
