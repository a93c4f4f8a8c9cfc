//! An export asked as it is: the attributes that a question names, read into a lake in memory.

use std::collections::BTreeSet;

/// What the columns of `runs` are filled from; these attributes are always read.
const SYSTEM: [&str; 10] = [
    "sys/archived",
    "sys/creation_time",
    "sys/description",
    "sys/modification_time",
    "sys/name",
    "sys/ping_time",
    "sys/running_time",
    "sys/running_time_seconds",
    "sys/tags",
    "sys/trashed",
];

/// Which attributes are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathFilter {
    /// The paths as Neptune writes them (`metrics/loss`); `None` for all.
    only: Option<BTreeSet<String>>,
}

impl PathFilter {
    /// All attributes.
    pub fn all() -> Self {
        PathFilter::default()
    }

    /// Attributes and series with these paths, as Neptune writes them, and what the columns of `runs` are made of.
    pub fn only(paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let paths = paths.into_iter().map(Into::into);
        PathFilter { only: Some(paths.chain(SYSTEM.map(str::to_owned)).collect()) }
    }

    /// Whether nothing is left out.
    pub(super) fn is_all(&self) -> bool {
        self.only.is_none()
    }

    /// Whether an attribute is read.
    pub(super) fn wants(&self, path: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(path))
    }

    /// Whether there may be a wanted path between two paths.
    pub(super) fn may_be_within(&self, least: &str, greatest: &str) -> bool {
        self.only.as_ref().is_none_or(|only| {
            least <= greatest
                && only
                    .range::<str, _>((std::ops::Bound::Included(least), std::ops::Bound::Included(greatest)))
                    .next()
                    .is_some()
        })
    }
}
