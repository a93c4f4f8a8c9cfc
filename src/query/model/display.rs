//! Queries as text, for `explain`.

use super::expr::{Attribute, CompareOp, Expr, Key, Literal, Place};
use super::{Query, Relation, Transform};
use std::fmt::{Display, Formatter, Result};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.relation {
            Relation::Runs => writeln!(f, "from runs")?,
            Relation::Series(kind) => writeln!(f, "from series of kind {}", kind.name())?,
        }
        for transform in &self.transforms {
            match transform {
                Transform::Filter(expr) => {
                    writeln!(f, "filter")?;
                    tree(expr, 1, f)?;
                }
                Transform::After { hash } => writeln!(f, "after run {hash:?}")?,
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

fn tree(expr: &Expr, depth: usize, f: &mut Formatter<'_>) -> Result {
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
            write!(f, "{attribute} in {{")?;
            for (index, value) in values.iter().take(8).enumerate() {
                write!(f, "{}{value}", if index > 0 { ", " } else { "" })?;
            }
            if values.len() > 8 {
                write!(f, ", … {} values", values.len())?;
            }
            writeln!(f, "}}")
        }
        Expr::Contains { attribute, needle } => writeln!(f, "{attribute} contains {needle:?}"),
        Expr::StartsWith { attribute, prefix } => writeln!(f, "{attribute} starts with {prefix:?}"),
        Expr::EndsWith { attribute, suffix } => writeln!(f, "{attribute} ends with {suffix:?}"),
        Expr::Truthy(attribute) => writeln!(f, "{attribute} is truthy"),
        Expr::Present(attribute) => writeln!(f, "{attribute} is present"),
        Expr::IsNull(attribute) => writeln!(f, "{attribute} is null"),
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
