//! What happens to the text before and while it is parsed (specification section 1, «Text handling»).

use crate::diagnostic::Diagnostic;
use crate::source::Source;
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
        Err(problem) => Err(vec![problem]),
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
