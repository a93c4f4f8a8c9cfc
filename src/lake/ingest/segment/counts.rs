//! How much of each project is in a segment.

use std::collections::BTreeMap;

use super::order::Ordered;
use crate::ingest::block::{SeriesKind, Value};

/// What was written of one project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectCounts {
    /// The project.
    pub project: String,
    /// Runs.
    pub runs: u64,
    /// Attributes by kind, those that were read: groups and what the importer adds are not among them.
    pub attributes: BTreeMap<&'static str, u64>,
    /// Members of all sets.
    pub set_members: u64,
    /// Sequences by kind.
    pub series: BTreeMap<&'static str, u64>,
    /// Points of sequences by kind.
    pub points: BTreeMap<&'static str, u64>,
    /// Points of metrics whose value is NaN.
    pub nan_points: u64,
}

impl ProjectCounts {
    fn add(&mut self, other: &ProjectCounts) {
        let sum = |into: &mut BTreeMap<&'static str, u64>, from: &BTreeMap<&'static str, u64>| {
            for (kind, count) in from {
                *into.entry(kind).or_default() += count;
            }
        };
        self.runs += other.runs;
        sum(&mut self.attributes, &other.attributes);
        self.set_members += other.set_members;
        sum(&mut self.series, &other.series);
        sum(&mut self.points, &other.points);
        self.nan_points += other.nan_points;
    }
}

/// Adds the counts of a segment to those of an import.
pub(crate) fn add_counts(into: &mut BTreeMap<String, ProjectCounts>, from: &[ProjectCounts]) {
    for counts in from {
        let empty = || ProjectCounts { project: counts.project.clone(), ..ProjectCounts::default() };
        into.entry(counts.project.clone()).or_insert_with(empty).add(counts);
    }
}

/// Counts a segment. Runs without project are not counted.
pub(super) fn count(ordered: &Ordered<'_>) -> Vec<ProjectCounts> {
    let mut all: Vec<ProjectCounts> = Vec::new();
    // For every run the position of its project in `all`.
    let mut of_run: Vec<Option<usize>> = Vec::with_capacity(ordered.runs.len());
    for place in &ordered.runs {
        let project = ordered.run(*place).and_then(|(block, run)| Some(block.text(run.project?)));
        of_run.push(project.map(|project| match all.iter().position(|counts| counts.project == project) {
            Some(known) => known,
            None => {
                all.push(ProjectCounts { project: project.to_owned(), ..ProjectCounts::default() });
                all.len() - 1
            }
        }));
    }
    if all.is_empty() {
        return all;
    }
    for project in of_run.iter().flatten() {
        if let Some(counts) = all.get_mut(*project) {
            counts.runs += 1;
        }
    }
    for row in &ordered.attributes {
        let Some(Some(project)) = of_run.get(row.run() as usize) else { continue };
        let (Some(counts), Some((_, value))) = (all.get_mut(*project), ordered.attribute(row.place)) else { continue };
        if let Value::Set(members) = value {
            counts.set_members += members.len() as u64;
        }
        *counts.attributes.entry(value.kind().name()).or_default() += 1;
    }
    for row in &ordered.series {
        let Some(Some(project)) = of_run.get(row.run as usize) else { continue };
        let (Some(counts), Some((_, series, _))) = (all.get_mut(*project), ordered.series(row.place)) else { continue };
        let kind = series.kind.name();
        *counts.series.entry(kind).or_default() += 1;
        *counts.points.entry(kind).or_default() += series.points.len() as u64;
        if series.kind == SeriesKind::Metric {
            counts.nan_points += series.stats.n_nan.unsigned_abs();
        }
    }
    all
}
