//! Which run a text stands for.

use crate::Error;
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};

/// Runs that a message lists.
const LISTED: usize = 5;

/// A run that may be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) run: i64,
    pub(super) hash: String,
    pub(super) name: String,
}

/// Why a text stands for no run.
#[derive(Debug)]
pub(super) enum Problem {
    Unknown,
    Ambiguous(Diagnostic),
}

/// The run with this hash; otherwise the only one whose hash begins so or that has this name.
pub(super) fn meant<'a>(text: &str, candidates: &'a [Candidate]) -> Result<&'a Candidate, Problem> {
    let by_hash: Vec<_> = candidates.iter().filter(|candidate| candidate.hash == text).collect();
    let found = if by_hash.is_empty() {
        candidates.iter().filter(|candidate| candidate.hash.starts_with(text) || candidate.name == text).collect()
    } else {
        by_hash
    };
    match found.as_slice() {
        [] => Err(Problem::Unknown),
        [only] => Ok(only),
        several => Err(Problem::Ambiguous(ambiguous(text, several))),
    }
}

fn ambiguous(text: &str, several: &[&Candidate]) -> Diagnostic {
    let listed = several.iter().take(LISTED).map(|one| format!("{} ({})", one.hash, one.name));
    let mut listed: Vec<_> = listed.collect();
    if several.len() > LISTED {
        listed.push(format!("{} more", several.len() - LISTED));
    }
    Diagnostic::error(Kind::Semantic, format!("`{text}` could be {} runs", several.len()))
        .hint(format!("give more of the hash: {}", listed.join(", ")))
}

pub(super) fn empty() -> Error {
    Diagnostic::error(Kind::Semantic, "an empty text names no run")
        .hint("give a hash, the beginning of a hash, or a name")
        .into()
}

pub(super) fn unknown(text: &str, all: &[Candidate]) -> Error {
    let known = all.iter().flat_map(|candidate| [candidate.hash.as_str(), candidate.name.as_str()]);
    let problem = Diagnostic::error(Kind::NotFound, format!("there is no run `{text}`"));
    let problem = match did_you_mean(text, known) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint("a run is named by its hash, the beginning of its hash, or its name"),
    };
    problem.into()
}

pub(super) fn twice(text: &str, earlier: &str, run: &Candidate) -> Error {
    Diagnostic::error(Kind::Semantic, format!("`{text}` and `{earlier}` are the same run, {}", run.hash)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates() -> Vec<Candidate> {
        [(1, "abc1", "first"), (2, "abc2", "second"), (3, "abc", "third"), (4, "ffff", "abc1"), (5, "eeee", "first")]
            .into_iter()
            .map(|(run, hash, name)| Candidate { run, hash: hash.into(), name: name.into() })
            .collect()
    }

    fn found(text: &str) -> Option<i64> {
        meant(text, &candidates()).ok().map(|candidate| candidate.run)
    }

    #[test]
    fn a_hash_comes_before_everything_else() {
        // It is also the beginning of others, and the name of another.
        assert_eq!((found("abc"), found("abc1")), (Some(3), Some(1)));
    }

    #[test]
    fn beginnings_and_names_have_to_be_of_one_run() {
        assert_eq!((found("ff"), found("second"), found("abc2")), (Some(4), Some(2), Some(2)));
        assert_eq!((found("ab"), found("first"), found("FFFF"), found("secon")), (None, None, None, None));
        let Err(Problem::Ambiguous(problem)) = meant("ab", &candidates()) else { panic!("one of three") };
        assert_eq!(problem.message, "`ab` could be 3 runs");
        assert!(problem.hints[0].contains("abc1 (first), abc2 (second), abc (third)"));
    }
}
