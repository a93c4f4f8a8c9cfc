//! What happens to the text before and while it is parsed (specification section 1, «Text handling»).

use crate::diagnostic::{Diagnostic, Kind};
use crate::source::Source;
use crate::span::Span;
use crate::syntax::python::{PyExpr, parse_parenthesized};

/// A parsed query.
pub(super) struct Prepared {
    /// The expression; nothing for the empty query. Its spans count from the start of the source.
    pub(super) tree: Option<PyExpr>,
    /// Whether archived runs are left out unasked.
    pub(super) default_filter: bool,
}

/// Strips the text, drops a leading `select … if`, parses the rest.
pub(super) fn prepare(source: &Source) -> Result<Prepared, Vec<Diagnostic>> {
    let text = python_strip(&source.text);
    // Only a text that begins with it: after a blank, `select` is a name like any other.
    let body = if source.text.starts_with(text) { without_select(text) } else { text };
    // A pure test on the text: it is also switched off by `run.archived_flag` or inside a string.
    let default_filter = !body.contains("run.archived");
    if body.trim().is_empty() && python_strip(body).is_empty() {
        return Ok(Prepared { tree: None, default_filter });
    }
    // Blanks instead of what was dropped keep every position that of the user's text.
    let start = body.as_ptr() as usize - source.text.as_ptr() as usize;
    let padded = format!("{}{body}", " ".repeat(start));
    match parse_parenthesized(&padded) {
        Ok(tree) => Ok(Prepared { tree: Some(tree), default_filter }),
        Err(problem) => Err(vec![with_hints(problem, source)]),
    }
}

/// Whitespace as Python's `str.strip` sees it: Unicode's and the four separators U+001C to U+001F.
fn python_strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

/// `select anything if QUERY` is QUERY; without an `if` the query is empty. The words are looked for anywhere, even inside
/// of others, as the original does.
fn without_select(text: &str) -> &str {
    if !text.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("select")) {
        return text;
    }
    let lower = text.to_ascii_lowercase();
    lower.find("if").and_then(|at| text.get(at + 2..)).unwrap_or(&text[text.len()..])
}

/// Says what people who think in other languages meant.
fn with_hints(problem: Diagnostic, source: &Source) -> Diagnostic {
    if problem.kind != Kind::Syntax {
        return problem;
    }
    let near = problem.labels.first().map_or(Span::default(), |label| label.span);
    let from = near.range().start.saturating_sub(4);
    let around = source.text.char_indices().filter(|(at, _)| (from..near.range().end + 4).contains(at));
    let around: String = around.map(|(_, c)| c).collect();
    let hint = if around.contains("&&") || around.contains("||") {
        "AimQL is Python: write `and`, `or` and `not`"
    } else if around.contains('!') && !around.contains("!=") {
        "AimQL is Python: write `not` for negation"
    } else if around.contains("===") {
        "write `==` to compare"
    } else if around.contains(" AND") || around.contains(" OR") || around.contains(" NOT") {
        "`and`, `or` and `not` are written in lower case"
    } else if around.contains('=') && !around.contains("==") {
        "write `==` to compare; a single `=` assigns"
    } else if source.text.contains('#') {
        "a comment after the last line swallows the end of the query"
    } else {
        return problem;
    };
    problem.hint(hint)
}
