//! What `--from` says: which files, and what they are called.

use crate::{Error, Result};
use lakeql_query::diagnostic::{Diagnostic, Kind};
use std::path::Path;

/// The name of a table that is given none.
const DATA: &str = "data";

/// Files that are asked as one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainSource {
    /// The name of the table in SQL, `data` if not given.
    pub name: Option<String>,
    /// A file, a pattern, a folder, or a URL of one of these.
    pub from: String,
}

impl PlainSource {
    /// Reads `FROM` or `NAME=FROM`. What is before the `=` is a name if it is a word (letters, digits and `_`, no digit
    /// first) and nothing in the working directory is called so with what follows: `year=2024/*.parquet` is a pattern
    /// where there is a folder `year=2024`.
    pub fn parse(text: &str) -> Self {
        let word = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let first = text.split('/').next().unwrap_or_default();
        match text.split_once('=') {
            Some((name, from)) if word(name) && !Path::new(first).exists() => {
                Self { name: Some(name.to_owned()), from: from.to_owned() }
            }
            _ => Self { name: None, from: text.to_owned() },
        }
    }
}

/// The sources with the names of their tables.
pub(super) fn named(sources: &[PlainSource]) -> Result<Vec<(String, &PlainSource)>> {
    let mut named: Vec<(String, &PlainSource)> = vec![];
    for source in sources {
        let name = source.name.as_deref().unwrap_or(DATA);
        if let Some((_, first)) = named.iter().find(|(known, _)| known == name) {
            let message = format!("`{}` and `{}` would both be the table `{name}`", first.from, source.from);
            return Err(Error::Query(vec![
                Diagnostic::error(Kind::Semantic, message)
                    .hint(format!("give them names: --from taxi={}", source.from)),
            ]));
        }
        named.push((name.to_owned(), source));
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_before_an_equals_sign() {
        for (text, name, from) in [
            ("a.parquet", None, "a.parquet"),
            ("taxi=a.parquet", Some("taxi"), "a.parquet"),
            ("taxi=s3://b/c=d/*.parquet", Some("taxi"), "s3://b/c=d/*.parquet"),
            ("s3://b/c=d/*.parquet", None, "s3://b/c=d/*.parquet"),
            ("./y=1/a.parquet", None, "./y=1/a.parquet"),
            ("1=a", None, "1=a"),
        ] {
            assert_eq!(PlainSource::parse(text), PlainSource { name: name.map(str::to_owned), from: from.into() });
        }
    }

    #[test]
    fn names_are_different() {
        let names = |texts: &[&str]| {
            let sources: Vec<_> = texts.iter().map(|text| PlainSource::parse(text)).collect();
            named(&sources).map(|named| named.into_iter().map(|(name, _)| name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["a", "b=c"]).unwrap(), ["data", "b"]);
        assert!(names(&["a", "b"]).unwrap_err().to_string().contains("`data`"));
        assert!(names(&["a=b", "a=c"]).unwrap_err().to_string().contains("`a`"));
    }
}
