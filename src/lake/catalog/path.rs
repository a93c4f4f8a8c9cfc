//! The text of attribute paths and the names of typed columns.
//!
//! A path is a list of keys. Keys are joined by dots; a text key that could be misread is written as a JSON string; an
//! integer key stands in brackets: `optim.lr`, `"optim.lr"`, `layers[1].units`, `d.1`.

use std::fmt::{self, Write};

use arrow::datatypes::{DataType, Field};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathKey {
    /// A text key.
    Text(String),
    /// An integer key.
    Int(i64),
}

/// A text that is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {offset} of the attribute path `{path}`")]
pub struct PathError {
    /// The text.
    pub path: String,
    /// Where it stops being a path.
    pub offset: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

/// The text of a path.
pub fn format_path(keys: &[PathKey]) -> String {
    let mut text = String::new();
    for key in keys {
        push_key(&mut text, key);
    }
    text
}

/// Appends one key to the text of a path.
pub fn push_key(path: &mut String, key: &PathKey) {
    match key {
        PathKey::Text(text) => push_text(path, text),
        // Writing to a String cannot fail.
        PathKey::Int(number) => {
            let _ = write!(path, "[{number}]");
        }
    }
}

/// Appends a text key to the text of a path.
pub fn push_text(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    if is_bare(key) {
        path.push_str(key);
    } else {
        // A text always has a JSON form.
        path.push_str(&serde_json::Value::from(key).to_string());
    }
}

/// Whether a text key needs no quotes.
fn is_bare(key: &str) -> bool {
    !key.is_empty() && !key.chars().any(|c| matches!(c, '.' | '[' | ']' | '"' | ':') || c.is_control())
}

/// The keys of a path.
pub fn parse_path(path: &str) -> Result<Vec<PathKey>, PathError> {
    let error = |offset: usize, reason| PathError { path: path.to_owned(), offset, reason };
    let mut keys = Vec::new();
    let mut at = 0;
    loop {
        let rest = path.get(at..).unwrap_or_default();
        if let Some(inside) = rest.strip_prefix('[') {
            let length = inside.find(']').ok_or_else(|| error(path.len(), "expected `]`"))?;
            let digits = inside.get(..length).unwrap_or_default();
            let number: i64 = digits.parse().map_err(|_| error(at + 1, "expected an integer"))?;
            // One path has one text: `[01]` and `[+1]` are not paths.
            if number.to_string() != digits {
                return Err(error(at + 1, "expected an integer without leading zeros or plus sign"));
            }
            keys.push(PathKey::Int(number));
            at += length + 2;
        } else if rest.starts_with('"') {
            let (key, length) = quoted(rest).ok_or_else(|| error(at, "expected a JSON string"))?;
            keys.push(PathKey::Text(key));
            at += length;
        } else {
            let length = rest.find(['.', '[']).unwrap_or(rest.len());
            let key = rest.get(..length).unwrap_or_default();
            if key.is_empty() {
                return Err(error(at, "expected a key"));
            }
            if !is_bare(key) {
                return Err(error(at, "expected a key in double quotes"));
            }
            keys.push(PathKey::Text(key.to_owned()));
            at += length;
        }
        match path.as_bytes().get(at) {
            None => return Ok(keys),
            Some(b'[') => {}
            Some(b'.') if path.as_bytes().get(at + 1) == Some(&b'[') => {
                return Err(error(at, "expected no `.` before `[`"));
            }
            Some(b'.') => at += 1,
            Some(_) => return Err(error(at, "expected `.` or `[`")),
        }
    }
}

/// A JSON string at the beginning of `text` and its length.
fn quoted(text: &str) -> Option<(String, usize)> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let key = stream.next()?.ok()?;
    Some((key, stream.byte_offset()))
}

/// The type of a typed column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ColumnType {
    /// 64-bit integers.
    Int,
    /// 64-bit floats.
    Float,
    /// Texts.
    Text,
    /// Booleans.
    Bool,
    /// Points in time: microseconds since 1970, UTC.
    Time,
    /// The kind of a value that has no typed column: `null`, `dict`, `list`, `bigint` (an integer beyond 64 bits), and the
    /// kinds that only Neptune has, such as `set` and `artifact`.
    Kind,
    /// Lists of integers.
    Ints,
    /// Lists of floats.
    Floats,
    /// Lists of texts.
    Texts,
    /// JSON texts of values of a key that have no other column: nulls, dictionaries, other lists, larger numbers.
    Json,
}

impl ColumnType {
    /// All types in the order in which the columns of a path stand.
    pub const ALL: [ColumnType; 10] = [
        ColumnType::Int,
        ColumnType::Float,
        ColumnType::Text,
        ColumnType::Bool,
        ColumnType::Time,
        ColumnType::Kind,
        ColumnType::Ints,
        ColumnType::Floats,
        ColumnType::Texts,
        ColumnType::Json,
    ];

    /// The part of the column name after the colon.
    pub const fn suffix(self) -> &'static str {
        match self {
            ColumnType::Int => "int",
            ColumnType::Float => "float",
            ColumnType::Text => "text",
            ColumnType::Bool => "bool",
            ColumnType::Time => "time",
            ColumnType::Kind => "kind",
            ColumnType::Ints => "ints",
            ColumnType::Floats => "floats",
            ColumnType::Texts => "texts",
            ColumnType::Json => "json",
        }
    }

    /// The type with this suffix.
    pub fn from_suffix(suffix: &str) -> Option<ColumnType> {
        ColumnType::ALL.into_iter().find(|it| it.suffix() == suffix)
    }

    /// The Arrow type of the column.
    pub fn data_type(self) -> DataType {
        match self {
            ColumnType::Int => DataType::Int64,
            ColumnType::Float => DataType::Float64,
            ColumnType::Text | ColumnType::Kind | ColumnType::Json => DataType::Utf8,
            ColumnType::Ints => super::tables::list(DataType::Int64),
            ColumnType::Floats => super::tables::list(DataType::Float64),
            ColumnType::Texts => super::tables::list(DataType::Utf8),
            ColumnType::Bool => DataType::Boolean,
            ColumnType::Time => super::tables::time_type(),
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.suffix())
    }
}

/// The name of the typed column of a path: path, colon, type.
///
/// What Delta Lake forbids in names is percent-encoded. Letters that are not lower case are too, because names that
/// differ in case only are one name to Delta Lake, and `C` and `c` are two parameters.
pub fn column_name(path: &str, column_type: ColumnType) -> String {
    let mut name = encoded(path);
    name.push(':');
    name.push_str(column_type.suffix());
    name
}

/// A path as it stands in names of columns.
pub(crate) fn encoded(path: &str) -> String {
    let mut name = String::with_capacity(path.len() + 6);
    for c in path.chars() {
        if is_plain(c) {
            name.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a String cannot fail.
                let _ = write!(name, "%{byte:02X}");
            }
        }
    }
    name
}

/// Whether a character stays as it is in the name of a typed column.
fn is_plain(c: char) -> bool {
    !matches!(c, ' ' | ',' | ';' | '{' | '}' | '(' | ')' | '\n' | '\t' | '=' | '%') && c.to_lowercase().eq([c])
}

/// The path and type of a typed column, or `None` for a system column.
pub fn parse_column_name(name: &str) -> Option<(String, ColumnType)> {
    let (encoded, suffix) = name.rsplit_once(':')?;
    let column_type = ColumnType::from_suffix(suffix)?;
    let mut path = Vec::with_capacity(encoded.len());
    let mut pieces = encoded.split('%');
    path.extend_from_slice(pieces.next()?.as_bytes());
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        path.push(u8::from_str_radix(digits, 16).ok()?);
        path.extend_from_slice(rest.as_bytes());
    }
    Some((String::from_utf8(path).ok()?, column_type))
}

/// The field of a typed column.
pub fn typed_field(path: &str, column_type: ColumnType) -> Field {
    Field::new(column_name(path, column_type), column_type.data_type(), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(key: &str) -> PathKey {
        PathKey::Text(key.to_owned())
    }

    #[test]
    fn paths_have_one_text_and_come_back() {
        let cases = [
            (vec![text("optim"), text("lr")], "optim.lr"),
            (vec![text("optim.lr")], "\"optim.lr\""),
            (vec![text("d"), PathKey::Int(1)], "d[1]"),
            (vec![text("d"), text("1")], "d.1"),
            (vec![PathKey::Int(-3), text("x")], "[-3].x"),
            (vec![text("note text"), text("weight-decay")], "note text.weight-decay"),
            (vec![text(""), text("a:b"), text("q\"q")], "\"\".\"a:b\".\"q\\\"q\""),
            (vec![text("tab\there"), text("größe")], "\"tab\\there\".größe"),
        ];
        for (keys, path) in cases {
            assert_eq!(format_path(&keys), path);
            assert_eq!(parse_path(path), Ok(keys));
        }
    }

    #[test]
    fn texts_that_are_no_paths() {
        for (path, offset) in
            [("", 0), ("a.", 2), (".a", 0), ("a..b", 2), ("a[", 2), ("a[x]", 2), ("a[01]", 2), ("a.[1]", 1), ("a]", 0)]
        {
            assert_eq!(parse_path(path).unwrap_err().offset, offset, "{path}");
        }
        assert!(parse_path("\"a").is_err());
        assert!(parse_path("\"a\"b").is_err());
        assert!(parse_path("a\"b").is_err());
    }

    #[test]
    fn column_names_come_back() {
        for (path, column_type, name) in [
            ("hparams.lr", ColumnType::Float, "hparams.lr:float"),
            ("note text", ColumnType::Text, "note%20text:text"),
            ("a(b)=50%,{}", ColumnType::Kind, "a%28b%29%3D50%25%2C%7B%7D:kind"),
            ("\"a:b\"", ColumnType::Int, "\"a:b\":int"),
            ("größe", ColumnType::Bool, "größe:bool"),
            ("svm.C", ColumnType::Float, "svm.%43:float"),
            ("Ölstand", ColumnType::Float, "%C3%96lstand:float"),
        ] {
            assert_eq!(column_name(path, column_type), name);
            assert_eq!(parse_column_name(name), Some((path.to_owned(), column_type)));
        }
        assert_eq!(parse_column_name("created_at"), None);
        assert_eq!(parse_column_name("a:b"), None);
    }
}
