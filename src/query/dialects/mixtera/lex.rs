//! Text to tokens, for the chain of calls and for JSON.

use crate::diagnostic::{Diagnostic, Kind};
use crate::span::Span;
use crate::syntax::cursor::{Token, TokenKind, Tokens};
use crate::syntax::number::finite;
use crate::syntax::scan::Scanner;

/// Kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lexeme {
    Word,
    Text,
    Number,
    Dot,
    Comma,
    Colon,
    Open,
    Close,
    OpenList,
    CloseList,
    OpenMap,
    CloseMap,
    End,
}

impl TokenKind for Lexeme {
    const END: Self = Self::End;

    fn describe(self) -> &'static str {
        match self {
            Self::Word => "a name",
            Self::Text => "a text in quotes",
            Self::Number => "a number",
            Self::Dot => "`.`",
            Self::Comma => "`,`",
            Self::Colon => "`:`",
            Self::Open => "`(`",
            Self::Close => "`)`",
            Self::OpenList => "`[`",
            Self::CloseList => "`]`",
            Self::OpenMap => "`{`",
            Self::CloseMap => "`}`",
            Self::End => "the end of the query",
        }
    }
}

/// Cuts the text. Blanks, line ends, backslashes at line ends and comments (`# …`) separate.
///
/// ```ebnf
/// word   = letter , { letter | digit } ;                 letter = "A".."Z" | "a".."z" | "_" ;
/// number = [ "-" | "+" ] , digits , [ "." , digits ] , [ ( "e" | "E" ) , [ "+" | "-" ] , digits ] ;
/// text   = '"' , { char | escape } , '"' | "'" , { char | escape } , "'" ;
/// ```
pub(super) fn lex(text: &str) -> Tokens<Lexeme> {
    let mut scanner = Scanner::new(text);
    let mut tokens = vec![];
    loop {
        scanner.take_while(char::is_whitespace);
        let start = scanner.at();
        if scanner.eat("#") {
            scanner.take_while(|c| c != '\n');
            continue;
        }
        if scanner.eat("\\\n") || scanner.eat("\\\r\n") {
            continue;
        }
        match next(&mut scanner) {
            Ok(Some(kind)) => tokens.push(Token { kind, span: scanner.span_from(start) }),
            Ok(None) => return Tokens { tokens, fault: None },
            Err(fault) => return Tokens { tokens, fault: Some(*fault) },
        }
    }
}

fn next(scanner: &mut Scanner<'_>) -> Result<Option<Lexeme>, Box<Diagnostic>> {
    let start = scanner.at();
    let Some(first) = scanner.peek() else { return Ok(None) };
    if first.is_ascii_alphabetic() || first == '_' {
        scanner.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        return Ok(Some(Lexeme::Word));
    }
    if matches!(first, '"' | '\'') {
        return quoted(scanner, first).map(Some);
    }
    let signed = usize::from(matches!(first, '-' | '+'));
    if let Some((length, _)) = scanner.rest().get(signed..).and_then(finite).filter(|_| first != '.') {
        for _ in 0..signed + length {
            scanner.bump();
        }
        return Ok(Some(Lexeme::Number));
    }
    scanner.bump();
    Ok(Some(match first {
        '.' => Lexeme::Dot,
        ',' => Lexeme::Comma,
        ':' => Lexeme::Colon,
        '(' => Lexeme::Open,
        ')' => Lexeme::Close,
        '[' => Lexeme::OpenList,
        ']' => Lexeme::CloseList,
        '{' => Lexeme::OpenMap,
        '}' => Lexeme::CloseMap,
        _ => {
            let span = Span::new(start, start + first.len_utf8());
            let problem = Diagnostic::error(Kind::Syntax, format!("`{}` has no meaning here", first.escape_debug()));
            return Err(Box::new(problem.label(span, "").hint("texts stand in quotes: \"en\"")));
        }
    }))
}

fn quoted(scanner: &mut Scanner<'_>, quote: char) -> Result<Lexeme, Box<Diagnostic>> {
    let start = scanner.at();
    scanner.bump();
    loop {
        scanner.take_while(|c| c != quote && c != '\\' && c != '\n');
        match scanner.bump() {
            Some('\\') => drop(scanner.bump()),
            Some(found) if found == quote => return Ok(Lexeme::Text),
            Some(_) | None => {
                let span = Span::new(start, start + 1);
                let problem = Diagnostic::error(Kind::Syntax, "the text is not closed").label(span, "begins here");
                return Err(Box::new(problem.hint(format!("close it with {quote} on the same line"))));
            }
        }
    }
}

/// What a quoted token stands for.
///
/// ```ebnf
/// escape = "\" , ( "\" | "'" | '"' | "/" | "n" | "r" | "t" | "b" | "f" | "0" | "x" , 2 hex | "u" , 4 hex | "U" , 8 hex ) ;
/// ```
///
/// # Errors
/// An escape that is none; the span is relative to the token.
pub(super) fn unquote(token: &str) -> Result<String, (std::ops::Range<usize>, String)> {
    let inside = token.get(1..token.len().saturating_sub(1)).unwrap_or_default();
    if !inside.contains('\\') {
        return Ok(inside.to_owned());
    }
    let mut scanner = Scanner::new(inside);
    let mut out = String::with_capacity(inside.len());
    while !scanner.rest().is_empty() {
        out.push_str(scanner.take_while(|c| c != '\\'));
        let start = scanner.at();
        if scanner.bump().is_none() {
            break;
        }
        let fault = |end: usize, reason: &str| Err((start + 1..end + 1, reason.to_owned()));
        let simple = match scanner.bump() {
            Some(c @ ('\\' | '\'' | '"' | '/')) => Some(c),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('0') => Some('\0'),
            Some('x') => hex(&mut scanner, 2).and_then(char::from_u32),
            Some('u') => unicode(&mut scanner),
            Some('U') => hex(&mut scanner, 8).and_then(char::from_u32),
            Some(_) | None => return fault(scanner.at(), "this is no escape; a backslash itself is written \\\\"),
        };
        match simple {
            Some(character) => out.push(character),
            None => return fault(scanner.at(), "this escape stands for no character"),
        }
    }
    Ok(out)
}

fn hex(scanner: &mut Scanner<'_>, digits: usize) -> Option<u32> {
    let mut value = 0;
    for _ in 0..digits {
        value = value * 16 + scanner.bump()?.to_digit(16)?;
    }
    Some(value)
}

/// Four digits, or a pair of surrogates as JSON writes characters beyond 16 bits.
fn unicode(scanner: &mut Scanner<'_>) -> Option<char> {
    let first = hex(scanner, 4)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    let second = scanner.eat("\\u").then(|| hex(scanner, 4)).flatten()?;
    if !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        let text = "select( # all\n(\"a\\\"b\",'==',-1.5e3) ).x";
        let tokens = lex(text);
        assert!(tokens.fault.is_none());
        let pieces: Vec<_> = tokens.tokens.iter().map(|token| &text[token.span.range()]).collect();
        assert_eq!(pieces, ["select", "(", "(", "\"a\\\"b\"", ",", "'=='", ",", "-1.5e3", ")", ")", ".", "x"]);
        for text in ["\"a", "'a\nb'", "a = b", "“en”"] {
            assert!(lex(text).fault.is_some(), "{text}");
        }
    }

    #[test]
    fn escapes() {
        assert_eq!(unquote(r#""a\n\x41\u00fc\ud83d\ude00\'\/""#).unwrap(), "a\nAü😀'/");
        assert_eq!(unquote(r#""\d""#).unwrap_err().0, 1..3);
        assert!(unquote(r#""\ud83dx""#).is_err());
    }
}
