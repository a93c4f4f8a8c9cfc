//! Diagnostics for programs.

use super::Diagnostic;

/// The object that `--error-format json` prints:
/// `{severity, kind, message, labels: [{start, end, text}], hints}`, positions in bytes of UTF-8.
/// Where the labels point into an argument and not into the query, `within: {name, text}` is that argument.
pub fn to_json(diagnostic: &Diagnostic) -> serde_json::Value {
    let labels: Vec<_> = diagnostic
        .labels
        .iter()
        .map(|l| serde_json::json!({"start": l.span.start, "end": l.span.end, "text": l.text}))
        .collect();
    let mut object = serde_json::json!({
        "severity": diagnostic.severity,
        "kind": diagnostic.kind,
        "message": diagnostic.message,
        "labels": labels,
        "hints": diagnostic.hints,
    });
    if let (Some(within), Some(members)) = (&diagnostic.within, object.as_object_mut()) {
        members.insert("within".into(), serde_json::json!({"name": within.name, "text": within.text}));
    }
    object
}
