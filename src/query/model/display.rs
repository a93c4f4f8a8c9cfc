//! Queries as text, for `explain`.

use super::expr::{Attribute, CompareOp, Expr, Key, Literal, Place};
use super::field::{Case, Test};
use super::{Query, Relation, Transform};
use std::fmt::{Display, Formatter, Result};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.relation {
            Relation::Runs => writeln!(f, "from runs")?,
            Relation::Table => writeln!(f, "from the table")?,
            Relation::Samples => writeln!(f, "from samples")?,
            Relation::Catalogue(_) | Relation::Trees => {}
            Relation::Series(kind) => writeln!(f, "from series of kind {}", kind.name())?,
        }
        for transform in &self.transforms {
            match transform {
                Transform::Filter(expr) => {
                    writeln!(f, "filter")?;
                    tree(expr, 1, f)?;
                }
                Transform::Choose(selection) => write!(f, "{selection}")?,
                Transform::Walk(walk) => write!(f, "{walk}")?,
                Transform::Set(rows) => super::rows_display::set(rows, 0, f)?,
                Transform::After { hash } => writeln!(f, "after run {hash:?}")?,
                Transform::Keys(keys) => {
                    let keys: Vec<_> = keys
                        .iter()
                        .map(|key| format!("{}{}", key.shown, if key.if_several { " (if several)" } else { "" }))
                        .collect();
                    writeln!(f, "rows are named by {}", keys.join(", "))?;
                }
                Transform::With(extras) => writeln!(f, "with {}", format!("{extras:?}").to_lowercase())?,
                Transform::Overview(overview) => writeln!(f, "overview: {}", format!("{overview:?}").to_lowercase())?,
                Transform::Select(columns) => writeln!(f, "select {}", columns.join(", "))?,
                Transform::Sort(keys) => {
                    let keys: Vec<_> = keys
                        .iter()
                        .map(|key| format!("{}{}", key.column, if key.descending { " descending" } else { "" }))
                        .collect();
                    writeln!(f, "sort by {}", keys.join(", "))?;
                }
                Transform::Slice { offset, limit: Some(limit) } => writeln!(f, "skip {offset}, keep {limit}")?,
                Transform::Slice { offset, limit: None } => writeln!(f, "skip {offset}")?,
            }
        }
        Ok(())
    }
}

pub(super) fn tree(expr: &Expr, depth: usize, f: &mut Formatter<'_>) -> Result {
    write!(f, "{:width$}", "", width = depth * 2)?;
    match expr {
        Expr::All(parts) => {
            writeln!(f, "all of")?;
            parts.iter().try_for_each(|part| tree(part, depth + 1, f))
        }
        Expr::Any(parts) => {
            writeln!(f, "any of")?;
            parts.iter().try_for_each(|part| tree(part, depth + 1, f))
        }
        Expr::Not(inner) => {
            writeln!(f, "not")?;
            tree(inner, depth + 1, f)
        }
        Expr::Literal(value) => writeln!(f, "{value}"),
        Expr::Compare { attribute, op, value } => writeln!(f, "{attribute} {op} {value}"),
        Expr::In { attribute, values } => {
            writeln!(f, "{attribute} in {}", Values(values))
        }
        Expr::Contains { attribute, needle } => writeln!(f, "{attribute} contains {needle:?}"),
        Expr::StartsWith { attribute, prefix } => writeln!(f, "{attribute} starts with {prefix:?}"),
        Expr::EndsWith { attribute, suffix } => writeln!(f, "{attribute} ends with {suffix:?}"),
        Expr::Truthy(attribute) => writeln!(f, "{attribute} is truthy"),
        Expr::Present(attribute) => writeln!(f, "{attribute} is present"),
        Expr::IsNull(attribute) => writeln!(f, "{attribute} is null"),
        Expr::Field(field) => {
            writeln!(f, "field {:?}", field.name)?;
            // The cases of one test stand together: most of them differ in nothing.
            let mut lines: Vec<(String, Vec<&str>)> = vec![];
            for Case { stored, test } in &field.cases {
                let text = match test {
                    Ok(test) => test.to_string(),
                    Err(refusal) => format!("refused: {refusal}"),
                };
                match lines.iter_mut().find(|(known, _)| *known == text) {
                    Some((_, types)) => types.push(stored.name()),
                    None => lines.push((text, vec![stored.name()])),
                }
            }
            lines.iter().try_for_each(|(text, types)| {
                writeln!(f, "{:width$}as {}: {text}", "", types.join(", "), width = (depth + 1) * 2)
            })
        }
        Expr::Items(items) => writeln!(f, "{items}"),
        Expr::Column(test) => writeln!(f, "{test}"),
        Expr::Evaluate { program, outcome } => {
            writeln!(f, "row by row, {outcome}: {}", program.text.split_whitespace().collect::<Vec<_>>().join(" "))
        }
    }
}

impl Display for Attribute {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.place {
            Place::Run(column) => write!(f, "run.{column}"),
            Place::Param(path) => write!(f, "param {}", DisplayPath(path)),
            Place::Summary { series, context, field } => write!(f, "series {series:?} {context} {field}"),
            Place::Series(column) => write!(f, "series.{column}"),
            Place::Context(path) => write!(f, "context {}", DisplayPath(path)),
        }
    }
}

/// A path as people write it.
struct DisplayPath<'a>(&'a [Key]);

impl Display for DisplayPath<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (index, key) in self.0.iter().enumerate() {
            match key {
                Key::Text(text) if index == 0 => write!(f, "{text}")?,
                Key::Text(text) => write!(f, ".{text}")?,
                Key::Int(number) => write!(f, "[{number}]")?,
            }
        }
        Ok(())
    }
}

impl Display for CompareOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Eq => "=",
            Self::Lt => "<",
            Self::LtEq => "<=",
            Self::Gt => ">",
            Self::GtEq => ">=",
        })
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(value) => write!(f, "{value:?}"),
            Self::Time(micros) => write!(f, "time {micros}µs"),
        }
    }
}

/// The first of some values.
struct Values<'a>(&'a [Literal]);

impl Display for Values<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("{")?;
        for (index, value) in self.0.iter().take(8).enumerate() {
            write!(f, "{}{value}", if index > 0 { ", " } else { "" })?;
        }
        if self.0.len() > 8 {
            write!(f, ", … {} values", self.0.len())?;
        }
        f.write_str("}")
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Present => f.write_str("is present"),
            Self::Compare { op, value } => write!(f, "{op} {value}"),
            Self::In(values) => write!(f, "in {}", Values(values)),
            Self::Any(tests) => {
                for (index, test) in tests.iter().enumerate() {
                    write!(f, "{}{test}", if index > 0 { " or " } else { "" })?;
                }
                Ok(())
            }
            Self::TimeWithin(from, to) => write!(f, "from time {from}µs to before {to}µs"),
            Self::IsNan => f.write_str("is NaN"),
            Self::Contains(piece) => write!(f, "contains {piece:?}"),
            Self::ContainsFolded(piece) => write!(f, "contains {piece:?} in any case"),
            Self::Has(element) => write!(f, "has {element:?}"),
            Self::Matches(pattern) => write!(f, "matches {:?}", pattern.source),
        }
    }
}
