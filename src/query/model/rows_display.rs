//! Sets of rows as text, for `explain`.

use super::display::tree;
use super::expr::Literal;
use super::items::{ColumnCheck, ColumnTest, ItemTest, Items, Scalar, Step};
use super::rows::{FileRef, NameTest, Names, Relation, RowKind, RowSet};
use std::fmt::{Display, Formatter, Result};

/// Writes a set, one operation a line.
pub(super) fn set(rows: &RowSet, depth: usize, f: &mut Formatter<'_>) -> Result {
    write!(f, "{:width$}", "", width = depth * 2)?;
    let one = |title: &str, inner: &RowSet, f: &mut Formatter<'_>| {
        writeln!(f, "{title}")?;
        set(inner, depth + 1, f)
    };
    let several = |title: &str, inner: &[RowSet], f: &mut Formatter<'_>| {
        writeln!(f, "{title}")?;
        inner.iter().try_for_each(|inner| set(inner, depth + 1, f))
    };
    match rows {
        RowSet::All { kind, names, retired } => {
            let retired = if *retired && *kind == RowKind::Files { ", retired or not" } else { "" };
            writeln!(f, "{}{names}{retired}", kind_name(*kind))
        }
        RowSet::Listed(files) => {
            let shown = files.iter().take(8).map(|file| match file {
                FileRef::Name(namespace, name) => format!("{namespace}:{name}"),
                FileRef::Id(id) => format!("id {id}"),
            });
            let more = if files.len() > 8 { format!(", … {} in all", files.len()) } else { String::new() };
            writeln!(f, "files {}{more}", shown.collect::<Vec<_>>().join(", "))
        }
        RowSet::Members { datasets, retired } => {
            one(if *retired { "files, retired or not, of" } else { "files of" }, datasets, f)
        }
        RowSet::Saved { namespace, name, .. } => writeln!(f, "the saved query {namespace}:{name}"),
        RowSet::Where(inner, condition) => {
            writeln!(f, "where")?;
            tree(condition, depth + 1, f)?;
            write!(f, "{:width$}", "", width = depth * 2)?;
            one("of", inner, f)
        }
        RowSet::Union(inner) => several("in any of", inner, f),
        RowSet::Join(inner) => several("in all of", inner, f),
        RowSet::Minus(from, without) => {
            one("in", from, f)?;
            write!(f, "{:width$}", "", width = depth * 2)?;
            several("but not in", without, f)
        }
        RowSet::Relatives(inner, Relation::Parents) => one("parents of", inner, f),
        RowSet::Relatives(inner, Relation::Children) => one("children of", inner, f),
        RowSet::Closure(inner, Relation::Parents) => one("parents, and theirs, of", inner, f),
        RowSet::Closure(inner, Relation::Children) => one("children, and theirs, of", inner, f),
        RowSet::Subsets { of, recursively: false } => one("with datasets directly below", of, f),
        RowSet::Subsets { of, recursively: true } => one("with all datasets below", of, f),
        RowSet::Ordered(inner) => one("in natural order", inner, f),
        RowSet::Limit(inner, count) => one(&format!("the first {count} of"), inner, f),
        RowSet::Skip(inner, count) => one(&format!("all but the first {count} of"), inner, f),
        RowSet::Filter(filter) => {
            let positional = filter.positional.iter().map(Scalar::to_string);
            let named = filter.named.iter().map(|(key, value)| format!("{key} = {value}"));
            let parameters: Vec<_> = positional.chain(named).collect();
            several(&format!("filter {}({}) of", filter.name, parameters.join(", ")), &filter.inputs, f)
        }
    }
}

fn kind_name(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Files => "files",
        RowKind::Datasets => "datasets",
        RowKind::Queries => "saved queries",
    }
}

impl Display for Names {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if let Some(namespace) = &self.namespace {
            write!(f, " of namespace {namespace}")?;
        }
        match &self.name {
            NameTest::Any => Ok(()),
            NameTest::Is(name) => write!(f, " named {name}"),
            NameTest::Like(pattern) => write!(f, " named like {pattern:?}"),
            NameTest::Matches(regex) => write!(f, " whose name matches {regex:?}"),
        }
    }
}

impl Display for Items {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "some item of {:?}", self.key)?;
        match &self.scope.step {
            Some(Step::Index(index)) => write!(f, "[{index}]")?,
            Some(Step::Member(key)) => write!(f, "[{key:?}]")?,
            None => {}
        }
        let opened = match (self.scope.unwrap, self.scope.values) {
            (0, _) => "",
            (1, false) => " (lists opened)",
            (_, false) => " (lists opened twice)",
            (_, true) => " (lists opened twice, dictionaries once)",
        };
        write!(f, "{opened} {}", self.test)
    }
}

impl Display for ItemTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Anything => f.write_str("is there"),
            Self::Compare(op, value) => write!(f, "{} {value}", op.symbol()),
            Self::Incomparable(value) => write!(f, "cannot be compared with {value}"),
            Self::In(values) => {
                write!(f, "in {{")?;
                for (index, value) in values.iter().take(8).enumerate() {
                    write!(f, "{}{value}", if index > 0 { ", " } else { "" })?;
                }
                write!(f, "{}}}", if values.len() > 8 { format!(", … {} values", values.len()) } else { String::new() })
            }
            Self::Between(low, high) => write!(f, "between {low} and {high}"),
            Self::Matches(regex) => write!(f, "is a text that matches {regex:?}"),
            Self::Lacks(regex) => write!(f, "is a text that does not match {regex:?}"),
            Self::Like(pattern) => write!(f, "is a text like {pattern:?}"),
            Self::Length(test) => write!(f, "is a list whose length {test}"),
            Self::IsList => f.write_str("is a list"),
            Self::Not(test) => write!(f, "not ({test})"),
        }
    }
}

impl Display for Scalar {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl Display for ColumnTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "column {} ", self.column)?;
        match &self.check {
            ColumnCheck::Null => f.write_str("is null"),
            ColumnCheck::Compare(op, value) => write!(f, "{} {value}", op.symbol()),
            ColumnCheck::In(values) => {
                let shown = values.iter().take(8).map(Literal::to_string).collect::<Vec<_>>().join(", ");
                write!(f, "in {{{shown}{}}}", if values.len() > 8 { ", …" } else { "" })
            }
            ColumnCheck::Matches(regex) => write!(f, "matches {regex:?}"),
            ColumnCheck::Like(pattern) => write!(f, "like {pattern:?}"),
            ColumnCheck::Member(key, op, text) => write!(f, "member {key:?} {} {text:?}", op.symbol()),
        }
    }
}
