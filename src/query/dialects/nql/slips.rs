//! What people mean who write something else: hints for the commonest slips.

use super::Flavour;
use super::lex::Lexeme;
use super::parse::Parser;
use super::tree::{Aggregate, Operand};
use crate::diagnostic::{Diagnostic, Kind, did_you_mean};
use crate::span::Span;
use crate::syntax::cursor::{Token, shortened};
use crate::syntax::number::parse_number;

/// `SELECT … FROM … WHERE condition`: only the condition is NQL. Any other problem stays what it is.
pub(super) fn whole_query(text: &str, problem: Diagnostic) -> Diagnostic {
    let lower = text.to_ascii_lowercase();
    let begin = lower.len() - lower.trim_start().len();
    let is_select = lower.get(begin..).is_some_and(|rest| {
        let mut words = rest.split_ascii_whitespace();
        words.next() == Some("select") && words.next().is_some()
    });
    let word_end = lower.find(" where ").map(|at| at + " where".len());
    match word_end {
        Some(end) if is_select && problem.kind == Kind::Syntax => {
            let condition = text.get(end..).unwrap_or_default().trim().trim_end_matches(';').trim_end();
            Diagnostic::error(Kind::Syntax, "only the condition is NQL")
                .label(Span::new(begin, end), "SQL")
                .hint(format!("ask `{}`, or ask the whole with --lang sql", shortened(condition)))
        }
        _ => problem,
    }
}

/// No field where one has to be.
pub(super) fn no_field(parser: &Parser<'_>) -> Diagnostic {
    let token = parser.cursor.peek();
    let text = parser.cursor.text(token);
    let problem = parser.cursor.unexpected();
    match token.kind {
        Lexeme::And | Lexeme::Or | Lexeme::Contains | Lexeme::Not => {
            let next = parser.cursor.peek_nth(1).kind;
            let compared = matches!(next, Lexeme::Equal | Lexeme::NotEqual | Lexeme::Less | Lexeme::LessEqual)
                || matches!(next, Lexeme::Greater | Lexeme::GreaterEqual | Lexeme::Contains);
            if compared {
                problem.hint(format!("a field called {text} is written `{text}` in back quotes"))
            } else {
                problem
            }
        }
        Lexeme::Text => {
            let name = text.trim_matches('"');
            let problem = problem.hint(format!("names of fields stand in back quotes: `{name}`"));
            if parser.options.terms || parser.options.flavour == Flavour::Typed {
                return problem;
            }
            problem.hint("to look for a text in name, description and id, switch search terms on: --search-terms")
        }
        Lexeme::Equal | Lexeme::NotEqual | Lexeme::Less | Lexeme::LessEqual => no_left_side(problem),
        Lexeme::Greater | Lexeme::GreaterEqual | Lexeme::Match | Lexeme::NoMatch => no_left_side(problem),
        Lexeme::Word | Lexeme::Name | Lexeme::Colon | Lexeme::Open | Lexeme::Close | Lexeme::End => problem,
    }
}

fn no_left_side(problem: Diagnostic) -> Diagnostic {
    problem.hint("a condition is: field operator value")
}

/// No operator behind a field.
pub(super) fn no_operator(parser: &Parser<'_>, operand: &Operand) -> Diagnostic {
    let token = parser.cursor.peek();
    let word = parser.cursor.text(token);
    let problem = parser.cursor.unexpected();
    let is = |other: &str| word.eq_ignore_ascii_case(other);
    let name = shortened(&operand.name);
    let typed = parser.options.flavour == Flavour::Typed;
    match token.kind {
        // Tags and other sets are not compared, they contain.
        Lexeme::Word if is("in") && name.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case("tags")) => {
            problem.hint(format!("there is no IN: write {name} CONTAINS a OR {name} CONTAINS b"))
        }
        Lexeme::Word if is("in") => problem.hint(format!("there is no IN: write {name} = a OR {name} = b")),
        Lexeme::Word if is("is") => {
            problem.hint(format!("for what is there or not write {name} EXISTS or {name} NOT EXISTS"))
        }
        Lexeme::Word if is("like") || is("ilike") || is("rlike") || is("regexp") => {
            problem.hint("write CONTAINS for a piece; patterns are searched with MATCHES in the typed dialect")
        }
        Lexeme::Word if is("between") => problem.hint(format!("write {name} >= a AND {name} <= b")),
        Lexeme::Word if is("matches") => {
            problem.hint("patterns are searched in the typed dialect only: --lang nql-typed")
        }
        Lexeme::Word => match did_you_mean(&word.to_ascii_uppercase(), ["CONTAINS", "EXISTS", "MATCHES"]) {
            Some(near) => problem.hint(format!("did you mean {near}?")),
            None => problem.hint(format!("names with blanks stand in back quotes: `{name} {}`", shortened(word))),
        },
        Lexeme::Not => problem.hint("NOT stands before the whole condition, or before CONTAINS and EXISTS"),
        Lexeme::Open if typed => {
            let functions = Aggregate::ALL.map(Aggregate::name);
            match did_you_mean(&operand.name.to_ascii_lowercase(), functions) {
                Some(near) => problem.hint(format!("did you mean {near}?")),
                None => problem.hint(format!("functions are {}", functions.join(", "))),
            }
        }
        Lexeme::Open if Aggregate::from_name(&operand.name).is_some() => {
            problem.hint("functions of series are in the typed dialect only: --lang nql-typed")
        }
        Lexeme::End if !parser.cursor.at_end() => problem,
        Lexeme::End | Lexeme::And | Lexeme::Or | Lexeme::Close => {
            let problem = problem.hint("a condition is: field operator value");
            if typed { problem } else { problem.hint("to look for a word in name, description and id: --search-terms") }
        }
        _ => problem,
    }
}

/// No value behind an operator.
pub(super) fn no_value(parser: &Parser<'_>) -> Diagnostic {
    let token = parser.cursor.peek();
    let text = parser.cursor.text(token);
    let problem = parser.cursor.unexpected();
    match token.kind {
        Lexeme::And | Lexeme::Or | Lexeme::Not | Lexeme::Contains => {
            problem.hint(format!("a value that is a keyword needs quotes: \"{text}\""))
        }
        Lexeme::Name => {
            let inside = text.trim_matches('`');
            problem.hint(format!("back quotes are for names of fields; a value is written \"{inside}\""))
        }
        Lexeme::Open => problem.hint("brackets group conditions; the right side is a single value"),
        Lexeme::Equal if parser.cursor.previous().is_some_and(|token| token.kind == Lexeme::Equal) => {
            problem.hint("write = or ==")
        }
        Lexeme::Greater if parser.cursor.previous().is_some_and(|token| token.kind == Lexeme::Less) => {
            problem.hint("for «not equal» write !=")
        }
        _ => problem,
    }
}

/// Neither AND nor OR nor the end behind a condition; `open` is the bracket around it.
pub(super) fn after_clause(parser: &Parser<'_>, open: Option<Span>) -> Diagnostic {
    let token = parser.cursor.peek();
    let problem = parser.cursor.unexpected();
    let previous = parser.cursor.previous();
    match (token.kind, open) {
        (Lexeme::Close, None) => problem.hint("this bracket has no `(`"),
        (Lexeme::End, Some(open)) if parser.cursor.at_end() => problem.label(open, "opened here"),
        (Lexeme::Word, _) => match previous {
            Some(before) => problem.hint(two_words(parser, before, token)),
            None => problem,
        },
        (Lexeme::Name | Lexeme::Not | Lexeme::Open | Lexeme::Text, _) => problem.hint("AND or OR is missing here"),
        (Lexeme::Colon, _) => problem.hint("a value with a colon needs double quotes"),
        _ => problem,
    }
}

/// `35 kb`, `my first experiment`, or a forgotten AND.
fn two_words(parser: &Parser<'_>, before: Token<Lexeme>, word: Token<Lexeme>) -> String {
    let (value, text) = (parser.cursor.text(before), parser.cursor.text(word));
    let unit = ["kb", "mb", "gb"].iter().any(|unit| text.eq_ignore_ascii_case(unit));
    if unit && parse_number(value.trim_matches('"')).is_some() {
        return format!("write {value}{text}, or in quotes: \"{value} {text}\"");
    }
    let follows = parser.cursor.peek_nth(1).kind;
    let operator =
        !matches!(follows, Lexeme::Word | Lexeme::Text | Lexeme::End | Lexeme::And | Lexeme::Or | Lexeme::Close);
    if operator || before.kind != Lexeme::Word {
        return "AND or OR is missing here".into();
    }
    let mut words = vec![value, text];
    let mut at = 1;
    while parser.cursor.peek_nth(at).kind == Lexeme::Word && words.len() < 8 {
        words.push(parser.cursor.text(parser.cursor.peek_nth(at)));
        at += 1;
    }
    format!("a value with blanks needs double quotes: \"{}\"", shortened(&words.join(" ")))
}
