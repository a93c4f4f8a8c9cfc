//! Diagnostics for people: the caret under the offending piece.

use super::{Diagnostic, Severity};
use crate::source::Source;
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// Longest text that is printed below the message; of longer ones only the surroundings of the first label.
const MAX_SHOWN: usize = 400;

/// Renders the diagnostic with the text it speaks of, several lines, no final line break. `colour` adds ANSI escapes.
pub fn render(diagnostic: &Diagnostic, source: &Source, colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Note => Level::NOTE,
    };
    let source = diagnostic.within.as_deref().unwrap_or(source);
    let (text, offset) = excerpt(&source.text, diagnostic.labels.first().map_or(0, |l| l.span.start as usize));
    let mut group = level
        .primary_title(diagnostic.message.as_str())
        .elements(std::iter::empty::<Snippet<'_, annotate_snippets::Annotation<'_>>>());
    if !diagnostic.labels.is_empty() {
        let mut snippet = Snippet::source(text).path(source.name.as_str());
        for (index, label) in diagnostic.labels.iter().enumerate() {
            let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let range = label.span.range();
            let start = floor_boundary(text, range.start.saturating_sub(offset));
            let end = floor_boundary(text, range.end.saturating_sub(offset)).max(start);
            snippet = snippet.annotation(kind.span(start..end).label(label.text.as_str()));
        }
        group = group.element(snippet);
    }
    for hint in &diagnostic.hints {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    let report: &[Group<'_>] = &[group];
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.decor_style(DecorStyle::Ascii).render(report)
}

/// The text, or of a long one the part around `at` with its offset.
fn excerpt(text: &str, at: usize) -> (&str, usize) {
    if text.len() <= MAX_SHOWN {
        return (text, 0);
    }
    let start = floor_boundary(text, at.saturating_sub(MAX_SHOWN / 2));
    let end = floor_boundary(text, start.saturating_add(MAX_SHOWN));
    (text.get(start..end).unwrap_or(text), start)
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
