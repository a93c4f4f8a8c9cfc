//! Some runs as a whole: everything that is known of them, and what tells them apart.
//!
//! A run is named by its hash, by a beginning of its hash that no other run has, or by a name that no other run has.
//! Properties and params come from the run's row (its params are stored as one document for this), summaries from the
//! rows of its sequences; points are not read.

mod diff;
mod document;
mod find;
mod read;
mod value;

pub use diff::{Difference, diff};
pub use document::{Entry, Part, Run, Sequence};
pub use value::Value;

use crate::session::Session;
use crate::{Error, Result};
use find::Candidate;

impl Session {
    /// The runs that these texts stand for, in their order.
    ///
    /// # Errors
    /// [`Error::Query`] if a text stands for no run or could be several, or if two stand for the same one; otherwise as
    /// [`Session::query`].
    pub async fn runs(&self, texts: &[String]) -> Result<Vec<Run>> {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let meant = self.find(&texts).await?;
        let ordinals: Vec<i64> = meant.iter().map(|candidate| candidate.run).collect();
        let runs = self.collect(&self.resolver()?.run_documents(&ordinals)?).await?;
        let sequences = self.collect(&self.resolver()?.sequences_of_runs(&ordinals)?).await?;
        let mut found = read::runs(&runs, &sequences)?;
        let mut ordered = Vec::with_capacity(meant.len());
        for candidate in &meant {
            let index = found.iter().position(|(run, _)| *run == candidate.run);
            let index = index.ok_or_else(|| crate::resolve::internal("a run was there and is gone"))?;
            ordered.push(found.swap_remove(index).1);
        }
        Ok(ordered)
    }

    /// Which run each text stands for.
    async fn find(&self, texts: &[&str]) -> Result<Vec<Candidate>> {
        if texts.iter().any(|text| text.is_empty()) {
            return Err(find::empty());
        }
        let candidates = read::candidates(&self.collect(&self.resolver()?.run_names(texts)?).await?)?;
        let mut found: Vec<Candidate> = vec![];
        for text in texts {
            let run = match find::meant(text, &candidates) {
                Ok(run) => run,
                Err(find::Problem::Ambiguous(problem)) => return Err(problem.into()),
                Err(find::Problem::Unknown) => {
                    // Only now it is worth reading all names.
                    let all = read::candidates(&self.collect(&self.resolver()?.run_names(&[])?).await?)?;
                    return Err(find::unknown(text, &all));
                }
            };
            if let Some(earlier) = found.iter().position(|earlier| earlier.run == run.run) {
                return Err(find::twice(text, texts.get(earlier).copied().unwrap_or_default(), run));
            }
            found.push(run.clone());
        }
        Ok(found)
    }
}

/// A stored document that is not as it should be.
fn damaged(what: &str, error: &dyn std::fmt::Display) -> Error {
    crate::resolve::internal(&format!("{what} of a run cannot be read: {error}"))
}
