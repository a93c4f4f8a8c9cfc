//! Sets of samples as text, for `explain`.

use super::samples::{Condition, PropertyTest, SampleSet, Selection, Shown, Unknown};
use std::fmt::{Display, Formatter, Result};

impl Display for Selection {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.collection {
            Some(name) => writeln!(f, "choose from the collection {name:?}")?,
            None => writeln!(f, "choose from the only collection")?,
        }
        tree(&self.set, 1, f)?;
        match &self.shown {
            Shown::Ranges(keys) if keys.is_empty() => writeln!(f, "show ranges"),
            Shown::Ranges(keys) => writeln!(f, "show ranges by {}", keys.join(", ")),
            Shown::Counts(keys) => writeln!(f, "count by {}", keys.join(", ")),
        }
    }
}

fn tree(set: &SampleSet, depth: usize, f: &mut Formatter<'_>) -> Result {
    write!(f, "{:width$}", "", width = depth * 2)?;
    let (title, parts): (_, Vec<&SampleSet>) = match set {
        SampleSet::Everything => return writeln!(f, "everything"),
        SampleSet::Where(condition) => return writeln!(f, "{condition}"),
        SampleSet::All(parts) => ("all of", parts.iter().collect()),
        SampleSet::Any { parts, skips_unconditional: false } => ("any of", parts.iter().collect()),
        SampleSet::Any { parts, skips_unconditional: true } => {
            ("any of those that have conditions, or everything", parts.iter().collect())
        }
        SampleSet::Without(left, right) => ("the first without the second", vec![left, right]),
    };
    writeln!(f, "{title}")?;
    parts.into_iter().try_for_each(|part| tree(part, depth + 1, f))
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let name = &self.property;
        if self.single == self.several {
            write!(f, "{name:?} {}", self.single)?;
        } else {
            write!(f, "{name:?} {}, of lists: {}", self.single, self.several)?;
        }
        if self.reads_texts {
            write!(f, ", texts read as numbers")?;
        }
        match self.unknown {
            Unknown::Refused => Ok(()),
            Unknown::LeftOut => write!(f, ", left out if unknown"),
        }
    }
}

impl Display for PropertyTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let list = |f: &mut Formatter<'_>, values: &[super::Literal]| {
            write!(f, "{{")?;
            for (index, value) in values.iter().enumerate() {
                write!(f, "{}{value}", if index > 0 { ", " } else { "" })?;
            }
            write!(f, "}}")
        };
        match self {
            Self::Refused(problem) => write!(f, "refused ({})", problem.message),
            Self::Literal(holds) => write!(f, "{}", if *holds { "always" } else { "never" }),
            Self::Missing(true) => write!(f, "is missing"),
            Self::Missing(false) => write!(f, "is there"),
            Self::OneOf(values) => {
                write!(f, "is one of ")?;
                list(f, values)
            }
            Self::NoneOf(values) => {
                write!(f, "is none of ")?;
                list(f, values)
            }
            Self::Compare(op, values) => {
                write!(f, "{op} one of ")?;
                list(f, values)
            }
        }
    }
}
