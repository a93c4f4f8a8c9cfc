//! What a query may use.

use crate::error::Problem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Limits of one query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that ops and walks may hold together, about.
    pub memory: usize,
    /// Cells of one row.
    pub row_cells: usize,
    /// Bytes of one text cell that an op makes.
    pub cell_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 1 << 30, row_cells: 100_000, cell_bytes: 16 << 20 }
    }
}

/// What is left of the limits; shared by all ops of a query.
#[derive(Clone, Debug)]
pub struct Budget {
    limits: Limits,
    used: Arc<AtomicUsize>,
}

impl Budget {
    /// All of it.
    pub fn new(limits: Limits) -> Self {
        Self { limits, used: Arc::new(AtomicUsize::new(0)) }
    }

    /// The limits themselves.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A part that belongs to one op, up to all of it.
    pub(crate) fn share(&self) -> Share {
        self.share_up_to(self.limits.memory)
    }

    /// A part that belongs to one op. Beyond the quota, what can wait on disk goes there.
    pub(crate) fn share_up_to(&self, quota: usize) -> Share {
        Share { budget: self.clone(), held: 0, quota }
    }

    /// Whether a row may be so long.
    pub(crate) fn check_row(&self, cells: usize) -> Result<(), Problem> {
        if cells > self.limits.row_cells {
            return Err(Problem::Limit(format!("a row has {cells} cells, allowed are {}", self.limits.row_cells)));
        }
        Ok(())
    }

    /// Whether a text may be so long.
    pub(crate) fn check_text(&self, bytes: usize) -> Result<(), Problem> {
        if bytes > self.limits.cell_bytes {
            return Err(Problem::Limit(format!("a text has {bytes} bytes, allowed are {}", self.limits.cell_bytes)));
        }
        Ok(())
    }
}

/// Memory that one op holds; it is given back when the op is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    held: usize,
    quota: usize,
}

impl Share {
    /// Whether so many bytes more are within the quota, and there.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        self.held.saturating_add(bytes) <= self.quota
            && self.budget.used.load(Ordering::Relaxed).saturating_add(bytes) <= self.budget.limits.memory
    }

    /// Bytes after which what can wait on disk goes there.
    pub(crate) fn quota(&self) -> usize {
        self.quota
    }

    /// Takes so many bytes.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Problem> {
        let before = self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        self.held += bytes;
        if before.saturating_add(bytes) > self.budget.limits.memory {
            return Err(Problem::Limit(format!("more than {} bytes are needed in memory", self.budget.limits.memory)));
        }
        Ok(())
    }

    /// Gives so many bytes back.
    pub(crate) fn give_back(&mut self, bytes: usize) {
        let bytes = bytes.min(self.held);
        self.held -= bytes;
        self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// What it is a share of.
    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.held, Ordering::Relaxed);
    }
}
