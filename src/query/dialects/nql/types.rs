//! Types of the typed dialect: their names, their operators, and those of Neptune's own attributes.

use super::tree::{Named, Op};
use crate::diagnostic::{Diagnostic, Kind, did_you_mean};
use crate::model::{CompareOp, ValueType};

/// Names of types (section 2.2); those of one type stand together, the proper one first.
const NAMES: [(&str, ValueType); 21] = [
    ("float", ValueType::Float),
    ("int", ValueType::Int),
    ("integer", ValueType::Int),
    ("string", ValueType::Text),
    ("bool", ValueType::Bool),
    ("boolean", ValueType::Bool),
    ("datetime", ValueType::Time),
    ("experimentState", ValueType::State),
    ("stringSet", ValueType::Set),
    ("floatSeries", ValueType::FloatSeries),
    ("stringSeries", ValueType::TextSeries),
    ("artifact", ValueType::Artifact),
    ("file", ValueType::File),
    ("fileRef", ValueType::File),
    ("fileSet", ValueType::FileSet),
    ("fileSeries", ValueType::FileSeries),
    ("fileRefSeries", ValueType::FileSeries),
    ("imageSeries", ValueType::FileSeries),
    ("histogramSeries", ValueType::HistogramSeries),
    ("gitRef", ValueType::GitRef),
    ("notebookRef", ValueType::NotebookRef),
];

/// What other systems call them.
const ELSEWHERE: [(&str, &str); 12] = [
    ("double", "float"),
    ("number", "float"),
    ("real", "float"),
    ("long", "int"),
    ("str", "string"),
    ("text", "string"),
    ("date", "datetime"),
    ("time", "datetime"),
    ("timestamp", "datetime"),
    ("state", "experimentState"),
    ("set", "stringSet"),
    ("tags", "stringSet"),
];

/// The type behind a colon; names keep their case (T2).
pub(super) fn parse(declared: &Named) -> Result<ValueType, Diagnostic> {
    let names = || NAMES.into_iter();
    let text = declared.text.as_str();
    if let Some((_, found)) = names().find(|(name, _)| *name == text) {
        return Ok(found);
    }
    let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
    let near = names()
        .find(|(name, _)| plain(name) == plain(text))
        .map(|(name, _)| name)
        .or_else(|| ELSEWHERE.iter().find(|(other, _)| *other == plain(text)).map(|(_, name)| *name))
        .or_else(|| did_you_mean(text, names().map(|(name, _)| name)));
    let problem = Diagnostic::error(Kind::Type, format!("there is no type `{text}`")).label(declared.span.0, "");
    Err(match near {
        Some(near) => problem.hint(format!("did you mean {near}?")),
        None => problem.hint(format!("types are {}", ValueType::ALL.map(ValueType::name).join(", "))),
    })
}

/// The types that an attribute of Neptune's own has (section 2.4): usually one; nothing for other attributes.
pub(super) fn known(path: &str) -> Option<&'static [ValueType]> {
    use ValueType::{Bool, Float, Int, Set, State, Text, Time};
    let name = path.strip_prefix("sys/")?;
    if let Some(name) = name.strip_prefix("diagnostics/") {
        return match name {
            "project_uuid" | "run_uuid" | "tracker_client" => Some(&[Text]),
            _ if name.starts_with("attributes/") => Some(&[Int]),
            _ => None,
        };
    }
    Some(match name {
        "id" | "custom_run_id" | "name" | "description" | "owner" | "hostname" => &[Text],
        "model_id" | "stage" | "experiment/name" | "family" | "forking/parent" => &[Text],
        "creation_time" | "modification_time" | "ping_time" => &[Time],
        "tags" | "group_tags" => &[Set],
        "failed" | "trashed" | "archived" | "experiment/is_head" => &[Bool],
        "state" => &[State],
        // Float until 2.x, int since 3.x.
        "size" => &[Float, Int],
        "running_time" | "monitoring_time" | "running_time_seconds" => &[Float],
        "experiment/running_time_seconds" | "forking/step" => &[Float],
        "relative_creation_time_ms" | "forking/depth" => &[Int],
        _ => return None,
    })
}

/// Whether the operator goes with the type (section 2.2, T3).
pub(super) fn takes(stored: ValueType, op: Op) -> bool {
    match op {
        Op::Exists => true,
        Op::Compare(op) => match stored {
            ValueType::Int
            | ValueType::Float
            | ValueType::Text
            | ValueType::Time
            | ValueType::FloatSeries
            | ValueType::TextSeries => true,
            ValueType::Bool | ValueType::State | ValueType::Artifact => op == CompareOp::Eq,
            ValueType::Set
            | ValueType::File
            | ValueType::FileSet
            | ValueType::GitRef
            | ValueType::NotebookRef
            | ValueType::HistogramSeries
            | ValueType::FileSeries => false,
        },
        Op::Contains => matches!(stored, ValueType::Text | ValueType::TextSeries | ValueType::Set),
        Op::Matches => matches!(stored, ValueType::Text | ValueType::TextSeries),
    }
}

/// The operators of a type, for users.
pub(super) fn operators(stored: ValueType) -> &'static str {
    if takes(stored, Op::Matches) {
        "= != < <= > >=, CONTAINS, MATCHES and EXISTS"
    } else if takes(stored, Op::Contains) {
        "CONTAINS and EXISTS"
    } else if takes(stored, Op::Compare(CompareOp::Lt)) {
        "= != < <= > >= and EXISTS"
    } else if takes(stored, Op::Compare(CompareOp::Eq)) {
        "=, != and EXISTS"
    } else {
        "EXISTS"
    }
}

/// The name of a type with its article.
pub(super) fn a(stored: ValueType) -> String {
    let name = stored.name();
    let article = if name.starts_with(['a', 'e', 'i']) { "an" } else { "a" };
    format!("{article} {name}")
}
