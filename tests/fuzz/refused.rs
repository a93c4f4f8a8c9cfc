//! What has to hold for every text that is refused, whatever the language.

use lakeql_query::diagnostic::{Diagnostic, render, to_json};
use lakeql_query::source::Source;

/// There is something to read, and wherever it points, that is in the text and between characters.
pub(crate) fn check(found: &[Diagnostic], source: &Source) {
    assert!(!found.is_empty(), "refused without a word");
    for problem in found {
        for label in &problem.labels {
            let shown = problem.within.as_deref().unwrap_or(source);
            assert!(shown.text.get(label.span.range()).is_some(), "{problem:?} is not in the text");
        }
        assert!(render(problem, source, false).starts_with("error"), "{problem:?}");
        let _ = to_json(problem).to_string();
    }
}
