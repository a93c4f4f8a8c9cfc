//! The error of a row that asks for too much.
//!
//! Some layers of the engine keep of an error nothing but its text, so the place in the query travels in the text.

use datafusion::error::DataFusionError;
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::span::Span;

/// Around the message, with the place in between.
const MARKS: [&str; 3] = ["<<limit of the query at ", ": ", ">>"];

/// The error for a program at this place.
pub(super) fn error(message: &str, span: Span) -> DataFusionError {
    let [open, middle, close] = MARKS;
    let Span { start, end } = span;
    DataFusionError::ResourcesExhausted(format!("{open}{start}..{end}{middle}{message}{close}"))
}

/// What the user is told, if this is the text of such an error, whatever stands around it.
pub(crate) fn limit_of(text: &str) -> Option<Diagnostic> {
    let [open, middle, close] = MARKS;
    let (_, rest) = text.split_once(open)?;
    let (place, rest) = rest.split_once(middle)?;
    let (message, _) = rest.split_once(close)?;
    let (start, end) = place.split_once("..")?;
    let mut problem = Diagnostic::error(Kind::Limit, message);
    if let (Ok(start), Ok(end)) = (start.parse(), end.parse())
        && start < end
    {
        problem = problem.label(Span { start, end }, "for at least one row");
    }
    Some(problem.hint(if message.ends_with("never ends") {
        "`run.metrics['name', {}].last_step >= 0` says whether there is a sequence"
    } else {
        "one row may take two million steps and build 64 MiB; conditions before it spare rows"
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_survives_layers_that_keep_text_alone() {
        let text = format!("Parquet error: {:?}", error("too large", Span::new(3, 9)));
        let problem = limit_of(&text).unwrap();
        assert_eq!((problem.message.as_str(), problem.labels[0].span), ("too large", Span::new(3, 9)));
        assert!(limit_of(&error("too large", Span::default()).to_string()).unwrap().labels.is_empty());
        assert!(limit_of("Resources exhausted: memory").is_none());
    }
}
