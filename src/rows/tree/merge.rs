//! Trees in sorted order become one: parts of a tree that grew apart, and trees of several workers.

use super::Attachment;
use super::plan::AttachColumn;
use crate::error::Problem;
use std::sync::Arc;

/// Nodes of a tree, depth first, siblings by the bytes of their names.
pub trait Run {
    /// The depth of the next node, 1 for children of the root; 0 when there is none.
    fn depth(&self) -> usize;

    /// The name of the next node.
    fn name(&self) -> &str;

    /// Adds the next node to what is known of it, and goes on to the one behind it.
    ///
    /// # Errors
    /// It cannot be read, or its attachments do not unite.
    fn take(&mut self, into: &mut Visit) -> Result<(), Problem>;
}

/// What is known of a node.
#[derive(Clone, Debug)]
pub struct Visit {
    columns: Arc<[AttachColumn]>,
    hits: i64,
    attachments: Vec<(usize, Attachment)>,
}

impl Visit {
    /// Nothing of a node of a tree with these attachments.
    pub fn new(columns: &Arc<[AttachColumn]>) -> Self {
        Self { columns: Arc::clone(columns), hits: 0, attachments: vec![] }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.hits = 0;
        self.attachments.clear();
    }

    /// Adds hits.
    pub fn add_hits(&mut self, hits: i64) {
        self.hits = self.hits.wrapping_add(hits);
    }

    /// Adds an attachment, by its place among those of the tree.
    ///
    /// # Errors
    /// It does not unite with what is there.
    pub fn attach(&mut self, column: usize, attachment: Attachment) -> Result<(), Problem> {
        match self.attachments.iter_mut().find(|(known, _)| *known == column) {
            None => self.attachments.push((column, attachment)),
            Some((_, known)) => {
                let Some(column) = self.columns.get(column) else { return Ok(()) };
                known.unite(attachment, &column.spec)?;
            }
        }
        Ok(())
    }

    /// The hits.
    pub fn hits(&self) -> i64 {
        self.hits
    }

    /// The attachments by their places.
    pub fn attachments(&self) -> &[(usize, Attachment)] {
        &self.attachments
    }
}

/// A node of the one tree, with everything below it done.
pub struct Finished<'a> {
    /// The names from the root to the node, which is the last one.
    pub path: &'a [String],
    /// Hits and attachments.
    pub visit: &'a Visit,
    /// The place of its first child among the nodes of the next level.
    pub first_child: u64,
    /// How many children it has.
    pub children: u64,
}

/// What takes the nodes of a tree. Those of each level come in order: by the path of their parents, then by name.
pub trait Nodes {
    /// Takes a node.
    ///
    /// # Errors
    /// It cannot be kept.
    fn node(&mut self, node: &Finished<'_>) -> Result<(), Problem>;
}

/// Unites trees; gives the number of children of the root.
///
/// # Errors
/// A run cannot be read, attachments do not unite, or the nodes cannot be kept.
pub fn merge(
    runs: &mut [Box<dyn Run + '_>],
    columns: &Arc<[AttachColumn]>,
    out: &mut dyn Nodes,
) -> Result<u64, Problem> {
    let mut merging = Merging { runs, columns, out, rows: vec![0], visits: vec![], path: vec![] };
    let all: Vec<usize> = (0..merging.runs.len()).collect();
    merging.children(1, &all)
}

struct Merging<'a, 'b> {
    runs: &'a mut [Box<dyn Run + 'b>],
    columns: &'a Arc<[AttachColumn]>,
    out: &'a mut dyn Nodes,
    /// Nodes that each level has already, the first level first.
    rows: Vec<u64>,
    /// What is known of the nodes on the way, kept to be used again.
    visits: Vec<Visit>,
    path: Vec<String>,
}

impl Merging<'_, '_> {
    /// Unites the children of one node; `parts` are the runs that have it.
    fn children(&mut self, depth: usize, parts: &[usize]) -> Result<u64, Problem> {
        if self.rows.len() <= depth {
            self.rows.push(0);
        }
        // Names and what is known of nodes keep their memory for the next node of the level.
        if self.path.len() < depth {
            self.path.push(String::new());
            self.visits.push(Visit::new(self.columns));
        }
        let mut count = 0;
        if let [part] = parts {
            while self.runs.get(*part).is_some_and(|run| run.depth() == depth) {
                self.node(depth, parts)?;
                count += 1;
            }
            return Ok(count);
        }
        let mut same: Vec<usize> = Vec::with_capacity(parts.len());
        loop {
            same.clear();
            let mut least: Option<&str> = None;
            for part in parts {
                let Some(run) = self.runs.get(*part).filter(|run| run.depth() == depth) else { continue };
                let name = run.name();
                match least.map_or(std::cmp::Ordering::Less, |least| name.cmp(least)) {
                    std::cmp::Ordering::Less => {
                        least = Some(name);
                        same.clear();
                        same.push(*part);
                    }
                    std::cmp::Ordering::Equal => same.push(*part),
                    std::cmp::Ordering::Greater => {}
                }
            }
            if same.is_empty() {
                return Ok(count);
            }
            self.node(depth, &same)?;
            count += 1;
        }
    }

    /// Unites the next node of these runs, which have the same name, with everything below it.
    fn node(&mut self, depth: usize, parts: &[usize]) -> Result<(), Problem> {
        let mut visit = match self.visits.get_mut(depth - 1) {
            Some(visit) => {
                std::mem::replace(visit, Visit { columns: Arc::clone(self.columns), hits: 0, attachments: vec![] })
            }
            None => Visit::new(self.columns),
        };
        visit.clear();
        if let (Some(name), Some(run)) =
            (self.path.get_mut(depth - 1), parts.first().and_then(|part| self.runs.get(*part)))
        {
            name.clear();
            name.push_str(run.name());
        }
        for part in parts {
            if let Some(run) = self.runs.get_mut(*part) {
                run.take(&mut visit)?;
            }
        }
        let first_child = self.rows.get(depth).copied().unwrap_or_default();
        let below = parts.iter().any(|part| self.runs.get(*part).is_some_and(|run| run.depth() > depth));
        let children = if below { self.children(depth + 1, parts)? } else { 0 };
        self.out.node(&Finished {
            path: self.path.get(..depth).unwrap_or_default(),
            visit: &visit,
            first_child,
            children,
        })?;
        if let Some(rows) = self.rows.get_mut(depth - 1) {
            *rows += 1;
        }
        if let Some(place) = self.visits.get_mut(depth - 1) {
            *place = visit;
        }
        Ok(())
    }
}
