//! Bounds of one evaluation.

use crate::Raised;
use std::cell::Cell;

/// How much one evaluation of one row may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps: one for each operation, and one for about every 32 elements or bytes an operation walks over.
    pub steps: u64,
    /// Bytes of texts, lists and integers that may be built, counted without what is freed in between.
    pub bytes: u64,
    /// How deeply operations and calls may nest.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 2_000_000, bytes: 64 << 20, depth: 3_000 }
    }
}

/// What is left of the [`Limits`] during an evaluation.
#[derive(Debug)]
pub struct Meter {
    steps: Cell<u64>,
    bytes: Cell<u64>,
    depth: Cell<u32>,
}

impl Meter {
    /// A full meter.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { steps: Cell::new(limits.steps), bytes: Cell::new(limits.bytes), depth: Cell::new(limits.depth) }
    }

    /// Takes one step.
    pub(crate) fn step(&self) -> Result<(), Raised> {
        self.steps(1)
    }

    /// Takes many steps at once.
    pub(crate) fn steps(&self, count: u64) -> Result<(), Raised> {
        match self.steps.get().checked_sub(count) {
            Some(left) => {
                self.steps.set(left);
                Ok(())
            }
            None => Err(Raised::limit("the evaluation takes too many steps")),
        }
    }

    /// Pays for walking over so many elements or bytes.
    pub(crate) fn walk(&self, length: usize) -> Result<(), Raised> {
        self.steps(length as u64 / 32)
    }

    /// Pays for a result of so many bytes, before it is built.
    pub(crate) fn allocate(&self, bytes: usize) -> Result<(), Raised> {
        match self.bytes.get().checked_sub(bytes as u64) {
            Some(left) => {
                self.bytes.set(left);
                self.walk(bytes)
            }
            None => Err(Raised::limit("the evaluation builds values that are too large")),
        }
    }

    /// Pays for a list of so many elements.
    pub(crate) fn allocate_items(&self, count: usize) -> Result<(), Raised> {
        self.allocate(count.saturating_mul(size_of::<crate::Value>()))
    }

    /// Runs something one level deeper, on a larger stack if need be.
    pub(crate) fn deeper<T>(&self, run: impl FnOnce() -> Result<T, Raised>) -> Result<T, Raised> {
        let Some(left) = self.depth.get().checked_sub(1) else {
            return Err(Raised::limit("the evaluation nests too deeply"));
        };
        self.depth.set(left);
        let result = stacker::maybe_grow(RED_ZONE, STACK, run);
        self.depth.set(left + 1);
        result
    }
}

/// Stack that must be left for what runs between two checks.
pub(crate) const RED_ZONE: usize = 512 << 10;
/// Size of an additional piece of stack.
pub(crate) const STACK: usize = 4 << 20;
