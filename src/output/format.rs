//! The names of the formats.

use std::fmt;
use std::str::FromStr;

/// A way to write a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A table for people.
    Table,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
    /// Tab-separated values with a header.
    Tsv,
    /// A Markdown pipe table.
    Markdown,
    /// An Arrow IPC stream.
    Arrow,
    /// A Parquet file.
    Parquet,
}

impl Format {
    /// All formats, in the order in which they are listed to users.
    pub const ALL: [Self; 8] =
        [Self::Table, Self::Json, Self::Jsonl, Self::Csv, Self::Tsv, Self::Markdown, Self::Arrow, Self::Parquet];

    /// The format's name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Markdown => "markdown",
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
        }
    }

    /// What is written when nobody says: a table for people, lines for programs.
    pub fn default_for(terminal: bool) -> Self {
        if terminal { Self::Table } else { Self::Jsonl }
    }

    /// Whether the bytes are not text, so that a terminal cannot show them.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Arrow | Self::Parquet)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no format has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format '{0}': expected table, json, jsonl, csv, tsv, markdown, arrow or parquet")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| UnknownFormat(name.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
            assert_eq!(format.to_string(), format.name());
        }
        let error = "excel".parse::<Format>().unwrap_err();
        assert!(error.to_string().contains("'excel'"));
        for format in Format::ALL {
            assert!(error.to_string().contains(format.name()));
        }
    }

    #[test]
    fn people_get_tables_and_programs_lines() {
        assert_eq!(Format::default_for(true), Format::Table);
        assert_eq!(Format::default_for(false), Format::Jsonl);
    }
}
