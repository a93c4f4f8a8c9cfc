//! Walks over trees.

use crate::dialects::hydra::path::Path;
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter, Result};

/// A path over trees, and what is done to its rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Walk {
    /// The trees, one worker each; if none is given, the only one that there is.
    pub trees: Vec<String>,
    /// The path.
    pub path: Path,
    /// Ops over the rows of each tree. As text, which has been read without mistakes: rows have no other language.
    pub worker_ops: String,
    /// Ops over the rows of all trees.
    pub ops: String,
    /// Whether known defects of the original are left out.
    pub strict: bool,
}

impl Display for Walk {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.trees.as_slice() {
            [] => writeln!(f, "walk the only tree")?,
            trees => writeln!(f, "walk {}", trees.join(", "))?,
        }
        self.path.to_string().lines().try_for_each(|line| writeln!(f, "  {line}"))?;
        for (what, ops) in [("ops of each tree", &self.worker_ops), ("ops", &self.ops)] {
            if !ops.is_empty() {
                writeln!(f, "{what}: {ops}")?;
            }
        }
        if self.strict { writeln!(f, "strict") } else { Ok(()) }
    }
}
