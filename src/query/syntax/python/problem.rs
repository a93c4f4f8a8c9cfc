//! What is wrong with a text that is no expression, said to the person who wrote it.
//!
//! The parser sees the text inside of a pair of parentheses and knows Python's statements; users see neither. So its place
//! is kept, and what stands there decides what is said.

use crate::diagnostic::{Diagnostic, Kind};
use crate::span::Span;

/// Words that begin statements.
const STATEMENTS: [&str; 21] = [
    "import", "from", "def", "class", "return", "while", "with", "try", "del", "assert", "raise", "pass", "break",
    "continue", "global", "nonlocal", "async", "for", "if", "elif", "else",
];

/// Operators of other languages, and how they are written here.
const OPERATORS: [(&str, &str); 12] = [
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("!", "write `not` for negation"),
    ("=", "write `==` to compare; a single `=` assigns"),
    ("===", "write `==` to compare"),
    ("!==", "write `!=`"),
    ("<>", "write `!=`"),
    ("=<", "write `<=`"),
    ("=>", "write `>=`"),
    ("=~", "write `re.search('pattern', text)`"),
    ("!~", "write `not re.search('pattern', text)`"),
    ("?", "write `a if condition else b`"),
];

/// Words of other languages, and how they are written here.
const WORDS: [(&str, &str); 11] = [
    ("AND", "`and`, `or` and `not` are written in lower case"),
    ("OR", "`and`, `or` and `not` are written in lower case"),
    ("NOT", "`and`, `or` and `not` are written in lower case"),
    ("IN", "`in` is written in lower case"),
    ("IS", "`is` is written in lower case"),
    ("LIKE", "write `'piece' in text`, or `text.startswith('piece')`"),
    ("like", "write `'piece' in text`, or `text.startswith('piece')`"),
    ("BETWEEN", "write `1 <= x <= 2`"),
    ("between", "write `1 <= x <= 2`"),
    ("THEN", "write `a if condition else b`"),
    ("then", "write `a if condition else b`"),
];

/// A diagnostic for a text that the parser has refused at a place with a message.
pub(super) fn problem(text: &str, place: Span, message: &str) -> Diagnostic {
    let at = place.range().start.min(text.len());
    let brackets = Brackets::of(text);
    if let Some(comment) = brackets.comment.filter(|comment| *comment <= at) {
        return error("the query ends in a comment", Span::new(comment, text.len()))
            .hint("a comment swallows the end of the query: take it away, or begin a new line after it");
    }
    if let Some(extra) = brackets.extra.filter(|extra| *extra <= at) {
        let bracket = text.get(extra..=extra).unwrap_or_default();
        return error(format!("`{bracket}` closes nothing"), Span::new(extra, extra + 1))
            .hint("take it away, or open one before it");
    }
    if let Some((open, close)) = brackets.crossed.filter(|(_, close)| *close <= at) {
        let [opened, closed] = [open, close].map(|at| text.get(at..=at).unwrap_or_default());
        return error(format!("`{closed}` does not close `{opened}`"), Span::new(close, close + 1))
            .label(Span::new(open, open + 1), "opened here");
    }
    if let Some((span, hint)) = operator(text, at) {
        let written = text.get(span.range()).unwrap_or_default();
        return error(format!("`{written}` is not an operator of expressions"), span).hint(hint);
    }
    let word = word(text, at);
    let written = word.and_then(|span| text.get(span.range())).unwrap_or_default();
    if let (Some(span), Some((_, hint))) = (word, WORDS.iter().find(|(word, _)| *word == written)) {
        return error(format!("`{written}` is not an operator of expressions"), span).hint(*hint);
    }
    if let Some(span) = word.filter(|_| STATEMENTS.contains(&written)) {
        if text.get(..span.range().start).is_some_and(|before| before.trim().is_empty()) {
            return error("a query is one expression, not a program", span);
        }
        if text.get(..span.range().start).is_some_and(|before| before.ends_with('.')) {
            return error(format!("`{written}` is a word of Python and no attribute"), span)
                .hint(format!("a param of this name is read as `['{written}']`"));
        }
    }
    // Where only the parenthesis around the text could follow, the text should have ended, or that of the user.
    let ended = message.starts_with("Expected `)`") || message.starts_with("Unexpected token at the end");
    if let Some(found) = token(text, at).filter(|_| ended) {
        let written = text.get(found.range()).unwrap_or_default();
        let end = if Brackets::of(text.get(..at).unwrap_or_default()).unclosed.is_some() {
            "`)`"
        } else {
            "the end of the query"
        };
        return error(format!("expected an operator or {end}, found `{written}`"), found)
            .hint("an `and` or `or` may be missing before it");
    }
    let at_end = text.get(at..).is_none_or(|rest| rest.trim().is_empty());
    if at_end && let Some(open) = brackets.unclosed {
        let bracket = text.get(open..=open).unwrap_or_default();
        return error(format!("`{bracket}` is not closed"), Span::new(open, open + 1));
    }
    if at_end && message == "Expected an expression" {
        let before = text.trim_end();
        let last = last_token(before);
        if let Some(last) = before.get(last..).filter(|last| !last.is_empty()) {
            return error(format!("expected an expression after `{last}`"), Span::new(text.len(), text.len()));
        }
    }
    error(in_our_style(message), place)
}

fn error(message: impl Into<String>, span: Span) -> Diagnostic {
    Diagnostic::error(Kind::Syntax, message).label(span, "")
}

/// The parser's message in the style of ours.
fn in_our_style(message: &str) -> String {
    let message = message.replace("unexpected EOF while parsing", "the query ends too early");
    let mut chars = message.chars();
    match chars.next() {
        // Only a capital that begins a word: names such as `EOF` stay.
        Some(first) if !message.chars().nth(1).is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => message,
    }
}

/// An operator of another language at or directly before a place.
fn operator(text: &str, at: usize) -> Option<(Span, &'static str)> {
    let part = |byte: &u8| matches!(byte, b'&' | b'|' | b'!' | b'=' | b'<' | b'>' | b'~' | b'?');
    let bytes = text.as_bytes();
    let before = bytes.get(..at)?.iter().rev().take_while(|byte| part(byte)).count();
    let after = bytes.get(at..)?.iter().take_while(|byte| part(byte)).count();
    let span = Span::new(at - before, at + after);
    let written = text.get(span.range())?;
    OPERATORS.iter().find(|(operator, _)| *operator == written).map(|(_, hint)| (span, *hint))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The word that begins at a place.
fn word(text: &str, at: usize) -> Option<Span> {
    let rest = text.get(at..)?;
    let length = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
    (length > 0).then(|| Span::new(at, at + length))
}

/// What begins at a place: a word, a text up to its quote, or one character.
fn token(text: &str, at: usize) -> Option<Span> {
    let rest = text.get(at..)?;
    let first = rest.chars().next()?;
    if is_word(first) {
        return word(text, at);
    }
    let length = match first {
        '\'' | '"' => rest.get(1..)?.find(first).map_or(rest.len(), |length| length + 2),
        other => other.len_utf8(),
    };
    Some(Span::new(at, at + length))
}

/// Where the last word or operator of a text begins.
fn last_token(text: &str) -> usize {
    let Some(last) = text.chars().next_back() else { return 0 };
    let same: fn(char) -> bool = if is_word(last) { is_word } else { |c| "+-*/%&|^<>=!~@:,.".contains(c) };
    text.char_indices().rev().take_while(|(_, c)| same(*c)).last().map_or(text.len(), |(at, _)| at)
}

/// The brackets of a text, outside of texts and comments. The first of each kind of mistake counts.
#[derive(Debug, Default)]
struct Brackets {
    /// A closing one without an opening one.
    extra: Option<usize>,
    /// An opening one and the closing one of another kind that follows.
    crossed: Option<(usize, usize)>,
    /// The innermost one that is not closed.
    unclosed: Option<usize>,
    /// A comment in the last line.
    comment: Option<usize>,
}

impl Brackets {
    fn of(text: &str) -> Self {
        let mut found = Self::default();
        let mut open: Vec<(usize, u8)> = vec![];
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\'' | b'"' => {
                    at = end_of_text(bytes, at, *byte);
                    continue;
                }
                b'#' => {
                    let length = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n'));
                    match length {
                        Some(length) => at += length,
                        None => {
                            found.comment = Some(at);
                            break;
                        }
                    }
                }
                b'(' | b'[' | b'{' => open.push((at, *byte)),
                b')' | b']' | b'}' => match open.pop() {
                    None => {
                        found.extra = Some(at);
                        return found;
                    }
                    Some((_, b'(')) if *byte == b')' => {}
                    Some((_, b'[')) if *byte == b']' => {}
                    Some((_, b'{')) if *byte == b'}' => {}
                    Some((opened, _)) => {
                        found.crossed = Some((opened, at));
                        return found;
                    }
                },
                _ => {}
            }
            at += 1;
        }
        found.unclosed = open.pop().map(|(at, _)| at);
        found
    }
}

/// Where the text that begins with a quote ends: behind its last quote, or at the end of everything.
fn end_of_text(bytes: &[u8], start: usize, quote: u8) -> usize {
    let triple = bytes.get(start..start + 3).is_some_and(|head| head.iter().all(|byte| *byte == quote));
    let width = if triple { 3 } else { 1 };
    let mut at = start + width;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'\\' {
            at += 2;
        } else if bytes.get(at..at + width).is_some_and(|end| end.iter().all(|byte| *byte == quote)) {
            return at + width;
        } else {
            at += 1;
        }
    }
    bytes.len()
}
