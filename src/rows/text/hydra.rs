//! Rows as Hydra's HTTP interface writes them (section 6 of the specification), but that empty cells in JSON are `null`.

use super::json;
use crate::cell::Cell;
use crate::row::Row;

/// A format of Hydra's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HydraFormat {
    /// One array of arrays.
    Json,
    /// Fields behind commas, tabs or bars. Quotes in texts become apostrophes.
    Plain(Separator),
    /// The same, but quotes and backslashes in texts are escaped.
    Escaped(Separator),
}

/// What stands between fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Separator {
    Comma,
    Tab,
    Bar,
}

impl Separator {
    fn char(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Tab => '\t',
            Self::Bar => '|',
        }
    }
}

impl HydraFormat {
    /// All of them, with Hydra's names.
    pub const ALL: [(&'static str, Self); 7] = [
        ("json", Self::Json),
        ("csv", Self::Plain(Separator::Comma)),
        ("tsv", Self::Plain(Separator::Tab)),
        ("psv", Self::Plain(Separator::Bar)),
        ("csv2", Self::Escaped(Separator::Comma)),
        ("tsv2", Self::Escaped(Separator::Tab)),
        ("psv2", Self::Escaped(Separator::Bar)),
    ];

    /// The one of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, format)| format)
    }

    /// What stands before the first row.
    pub fn start(self) -> &'static str {
        if self == Self::Json { "[" } else { "" }
    }

    /// What stands behind the last row.
    pub fn end(self) -> &'static str {
        if self == Self::Json { "]\n" } else { "" }
    }

    /// Writes a row; whether it is the first one.
    pub fn write_row(self, row: &Row, first: bool, into: &mut String) {
        let (separator, escapes) = match self {
            Self::Json => {
                if !first {
                    into.push(',');
                }
                return json::write_row(row, into);
            }
            Self::Plain(separator) => (separator.char(), false),
            Self::Escaped(separator) => (separator.char(), true),
        };
        for (index, cell) in row.cells.iter().enumerate() {
            if index > 0 {
                into.push(separator);
            }
            match cell {
                Cell::Text(text) => quote(text, escapes, into),
                // Of arrays, maps and bytes Hydra writes nothing.
                Cell::Empty | Cell::Bytes(_) | Cell::List(_) | Cell::Map(_) => {}
                Cell::Int(_) | Cell::Float(_) | Cell::Distinct(_) | Cell::Bloom(_) => cell.push_text(into),
            }
        }
        into.push('\n');
    }
}

fn quote(text: &str, escapes: bool, into: &mut String) {
    into.push('"');
    for c in text.chars() {
        match c {
            '\n' | '\r' => into.push(' '),
            '"' | '\\' if escapes => into.extend(['\\', c]),
            '"' => into.push('\''),
            other => into.push(other),
        }
    }
    into.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_as_hydra_writes_them() {
        let cells = vec![
            Cell::from("a \"b\"\\\r\nc|,"),
            Cell::Int(-5),
            Cell::Empty,
            Cell::Float(1e7),
            Cell::List([Cell::Int(1)].into()),
            Cell::from(""),
        ];
        let rows = [Row::new(cells), Row::default()];
        let write = |name: &str| {
            let format = HydraFormat::find(name).unwrap();
            let mut text = format.start().to_owned();
            rows.iter().enumerate().for_each(|(index, row)| format.write_row(row, index == 0, &mut text));
            text + format.end()
        };
        assert_eq!(write("csv"), "\"a 'b'\\  c|,\",-5,,1.0E7,,\"\"\n\n");
        assert_eq!(write("psv2"), "\"a \\\"b\\\"\\\\  c|,\"|-5||1.0E7||\"\"\n\n");
        assert_eq!(write("tsv"), "\"a 'b'\\  c|,\"\t-5\t\t1.0E7\t\t\"\"\n\n");
        assert_eq!(write("json"), "[[\"a \\\"b\\\"\\\\\\r\\nc|,\",-5,null,10000000.0,[1],\"\"],[]]\n");
        assert_eq!(HydraFormat::find("xml"), None);
    }
}
