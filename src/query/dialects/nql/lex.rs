//! Text to tokens, for both dialects.

use super::Flavour;
use crate::diagnostic::{Diagnostic, Kind};
use crate::span::Span;
use crate::syntax::cursor::{Token, TokenKind, Tokens, shortened};
use crate::syntax::scan::Scanner;

/// Kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lexeme {
    /// Letters of ASCII, digits, `.`, `_`, `-`, in the typed dialect also `/`; no keyword.
    Word,
    /// `"…"`.
    Text,
    /// `` `…` ``.
    Name,
    And,
    Or,
    Not,
    Contains,
    /// `=` or `==`.
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    /// `=~`.
    Match,
    /// `!~`.
    NoMatch,
    Colon,
    Open,
    Close,
    End,
}

impl TokenKind for Lexeme {
    const END: Self = Self::End;

    fn describe(self) -> &'static str {
        match self {
            Self::Word | Self::Name => "a field",
            Self::Text => "a text in double quotes",
            Self::And => "AND",
            Self::Or => "OR",
            Self::Not => "NOT",
            Self::Contains => "CONTAINS",
            Self::Equal => "`=`",
            Self::NotEqual => "`!=`",
            Self::Less => "`<`",
            Self::LessEqual => "`<=`",
            Self::Greater => "`>`",
            Self::GreaterEqual => "`>=`",
            Self::Match => "`=~`",
            Self::NoMatch => "`!~`",
            Self::Colon => "`:`",
            Self::Open => "`(`",
            Self::Close => "`)`",
            Self::End => "the end of the query",
        }
    }
}

/// Cuts the text; longest match, blanks separate and are left out.
///
/// ```ebnf
/// word   = wchar , { wchar } ;                  wchar = "A".."Z" | "a".."z" | "0".."9" | "." | "_" | "-" (typed: | "/") ;
/// string = '"' , { char - '"' - "\" | '\"' | "\\" } , '"' ;
/// ident  = "`" , ichar , { ichar } , "`" ;      ichar = char - "`" - "\" | "\`" | "\\" ;
/// blank  = " " | TAB | CR | LF | FF | VT ;
/// ```
pub(super) fn lex(text: &str, flavour: Flavour) -> Tokens<Lexeme> {
    let mut scanner = Scanner::new(text);
    let mut tokens = vec![];
    loop {
        scanner.take_while(|c| matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{b}' | '\u{c}'));
        let start = scanner.at();
        match next(text, &mut scanner, flavour) {
            Ok(Some(kind)) => tokens.push(Token { kind, span: scanner.span_from(start) }),
            Ok(None) => return Tokens { tokens, fault: None },
            Err(fault) => return Tokens { tokens, fault: Some(*fault) },
        }
    }
}

fn next(text: &str, scanner: &mut Scanner<'_>, flavour: Flavour) -> Result<Option<Lexeme>, Box<Diagnostic>> {
    let start = scanner.at();
    let Some(first) = scanner.peek() else { return Ok(None) };
    if flavour.is_word(first) {
        return Ok(Some(keyword(scanner.take_while(|c| flavour.is_word(c)))));
    }
    // The longer ones first.
    let typed = flavour == Flavour::Typed;
    for (operator, kind) in [
        ("==", Lexeme::Equal),
        ("!=", Lexeme::NotEqual),
        ("<=", Lexeme::LessEqual),
        (">=", Lexeme::GreaterEqual),
        ("=~", Lexeme::Match),
        ("!~", Lexeme::NoMatch),
        ("=", Lexeme::Equal),
        ("<", Lexeme::Less),
        (">", Lexeme::Greater),
        ("(", Lexeme::Open),
        (")", Lexeme::Close),
        (":", Lexeme::Colon),
    ] {
        let allowed = typed || !matches!(kind, Lexeme::Match | Lexeme::NoMatch | Lexeme::Colon);
        if allowed && scanner.eat(operator) {
            return Ok(Some(kind));
        }
    }
    match first {
        '"' | '`' => quoted(scanner, first).map(Some),
        _ => Err(Box::new(stray(text, scanner, first, Span::new(start, start + first.len_utf8())))),
    }
}

fn keyword(word: &str) -> Lexeme {
    let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
    if is("and") {
        Lexeme::And
    } else if is("or") {
        Lexeme::Or
    } else if is("not") {
        Lexeme::Not
    } else if is("contains") {
        Lexeme::Contains
    } else {
        Lexeme::Word
    }
}

/// Reads a quoted piece; that its escapes are right is seen here, what they stand for in [`unquote`].
fn quoted(scanner: &mut Scanner<'_>, quote: char) -> Result<Lexeme, Box<Diagnostic>> {
    let start = scanner.at();
    scanner.bump();
    let mut escape = None;
    loop {
        scanner.take_while(|c| c != quote && c != '\\');
        let at = scanner.at();
        match scanner.bump() {
            Some('\\') => match scanner.peek() {
                Some(next) if next == quote || next == '\\' => {
                    escape = (next == quote).then(|| Span::new(at, at + 2));
                    scanner.bump();
                }
                next => {
                    let end = at + 1 + next.map_or(0, char::len_utf8);
                    return Err(Box::new(lone_backslash(Span::new(at, end), quote)));
                }
            },
            Some(_) => break,
            None => return Err(Box::new(unclosed(Span::new(start, start + 1), quote, escape))),
        }
    }
    if quote == '"' {
        return Ok(Lexeme::Text);
    }
    if scanner.at() == start + 2 {
        let problem = Diagnostic::error(Kind::Syntax, "a field needs a name").label(scanner.span_from(start), "empty");
        return Err(Box::new(problem));
    }
    Ok(Lexeme::Name)
}

/// What a quoted token stands for.
pub(super) fn unquote(token: &str) -> String {
    let inside = token.get(1..token.len().saturating_sub(1)).unwrap_or_default();
    if !inside.contains('\\') {
        return inside.to_owned();
    }
    let mut out = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        // A backslash is followed by what it escapes.
        out.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    out
}

fn lone_backslash(span: Span, quote: char) -> Diagnostic {
    Diagnostic::error(Kind::Syntax, "a single backslash")
        .label(span, format!("only \\{quote} and \\\\ are escapes"))
        .hint("write every backslash twice: `\\\\`")
}

fn unclosed(start: Span, quote: char, escape: Option<Span>) -> Diagnostic {
    let what = if quote == '"' { "text" } else { "name" };
    let problem = Diagnostic::error(Kind::Syntax, format!("the {what} is not closed")).label(start, "begins here");
    match escape {
        // As in a path that ends with a backslash.
        Some(span) => problem
            .label(span, "this quote is escaped")
            .hint("for a backslash at the end write `\\\\` before the quote"),
        None => problem.hint(format!("expected a closing {quote}")),
    }
}

/// A character that begins no token.
fn stray(text: &str, scanner: &Scanner<'_>, first: char, span: Span) -> Diagnostic {
    let syntax = |message: String| Diagnostic::error(Kind::Syntax, message);
    let rest = scanner.rest();
    let two = Span { end: span.end + 1, ..span };
    match first {
        '\'' => {
            let inside = rest.get(1..).and_then(|rest| rest.split_once('\'')).map(|(inside, _)| inside);
            let problem = syntax("single quotes are no quotes in NQL".into());
            match inside {
                Some(inside) => problem
                    .label(Span::new(span.start as usize, span.end as usize + inside.len() + 1), "")
                    .hint(format!("write \"{inside}\"")),
                None => problem.label(span, "").hint("put texts into double quotes: \"…\""),
            }
        }
        '&' if rest.starts_with("&&") => syntax("`&&` is no operator".into()).label(two, "").hint("write AND"),
        '|' if rest.starts_with("||") => syntax("`||` is no operator".into()).label(two, "").hint("write OR"),
        '&' => syntax("`&` is no operator".into()).label(span, "").hint("write AND"),
        '|' => syntax("`|` is no operator".into()).label(span, "").hint("write OR"),
        '!' => syntax("`!` is no operator".into())
            .label(span, "")
            .hint("write NOT before a condition, or != between field and value"),
        '~' => syntax("`~` is no operator".into())
            .label(span, "")
            .hint("patterns are searched with MATCHES in the typed dialect: --lang nql-typed"),
        ':' => syntax("types of fields are written in the typed dialect only".into())
            .label(span, "")
            .hint("ask with --lang nql-typed, or with --lang nql, which finds out by itself"),
        ';' => syntax("a query has no `;`".into()).label(span, "").hint("leave it out"),
        ',' => syntax("there are no lists in NQL".into())
            .label(span, "")
            .hint("write one condition for each value: a = 1 OR a = 2"),
        '\\' => syntax("a backslash outside of quotes".into())
            .label(span, "")
            .hint("put names into back quotes and values into double quotes, and every backslash twice"),
        '“' | '”' | '„' | '«' | '»' | '‘' | '’' => syntax(format!("`{first}` is not a quote"))
            .label(span, "")
            .hint("write \"…\" around values, `…` around names"),
        '[' | ']' | '{' | '}' => {
            syntax(format!("`{first}` is no bracket of NQL")).label(span, "").hint("group with ( and )")
        }
        _ if first.is_whitespace() || first.is_control() || is_unseen(first) => {
            let shown = first.escape_unicode();
            let problem = syntax(format!("`{shown}` is no blank of NQL")).label(span, "");
            if is_unseen(first) {
                problem.hint("the character cannot be seen: delete it, or quote it")
            } else {
                problem.hint("write an ordinary blank, or quote it")
            }
        }
        _ => bare(text, span),
    }
}

/// Whether a character is not shown at all: a mark of byte order or direction, or of no width. They come along when texts
/// are pasted.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A word with characters that need quotes.
fn bare(text: &str, stray: Span) -> Diagnostic {
    let ends = |c: char| {
        c.is_whitespace() || matches!(c, '=' | '<' | '>' | '!' | '(' | ')' | '"' | '`' | ':' | '~' | ';' | ',')
    };
    let (before, behind) = text.split_at_checked(stray.start as usize).unwrap_or((text, ""));
    let start = before
        .rfind(ends)
        .map_or(0, |at| at + before.get(at..).and_then(|c| c.chars().next()).map_or(1, char::len_utf8));
    let end = stray.start as usize + behind.find(ends).unwrap_or(behind.len());
    let word = shortened(text.get(start..end).unwrap_or_default());
    let first = text.get(stray.range()).unwrap_or_default();
    let problem = Diagnostic::error(Kind::Syntax, format!("`{first}` needs quotes")).label(Span::new(start, end), "");
    // What an operator follows is a field.
    if text.get(end..).is_some_and(|rest| rest.trim_start().starts_with(['=', '<', '>', '!', ':', '~'])) {
        problem.hint(format!("write the name in back quotes: `{word}`"))
    } else {
        problem.hint(format!("write the value in double quotes: \"{word}\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str, flavour: Flavour) -> (Vec<&str>, bool) {
        let tokens = lex(text, flavour);
        let texts = tokens.tokens.iter().map(|token| text.get(token.span.range()).unwrap()).collect();
        (texts, tokens.fault.is_none())
    }

    #[test]
    fn tokens_are_as_long_as_they_can_be() {
        let (legacy, typed) = (Flavour::Legacy, Flavour::Typed);
        for (text, flavour, pieces, whole) in [
            ("a>=-5", legacy, vec!["a", ">=", "-5"], true),
            ("NOT(a=1)AND(b==2)", legacy, vec!["NOT", "(", "a", "=", "1", ")", "AND", "(", "b", "==", "2", ")"], true),
            ("a\u{b}=\u{c}\"x y\"`z`", legacy, vec!["a", "=", "\"x y\"", "`z`"], true),
            ("a/b = 1", legacy, vec!["a"], false),
            ("a/b:float=~x", typed, vec!["a/b", ":", "float", "=~", "x"], true),
            ("a !~ x", legacy, vec!["a"], false),
            ("a\u{a0}= 1", legacy, vec!["a"], false),
            (r#"a = "\\" AND b = "\"""#, legacy, vec!["a", "=", r#""\\""#, "AND", "b", "=", r#""\"""#], true),
            (r#"a = "\d""#, typed, vec!["a", "="], false),
            ("`` = 1", typed, vec![], false),
            ("a = \"", typed, vec!["a", "="], false),
        ] {
            assert_eq!(kinds(text, flavour), (pieces, whole), "{text}");
        }
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unquote(r#""a\\b\"c""#), r#"a\b"c"#);
        assert_eq!(unquote(r"`\``"), "`");
        assert_eq!(unquote("\"\""), "");
    }
}
