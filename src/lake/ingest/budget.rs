//! How much of the input may be under way between the threads.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// Wakes the threads when the import ends, also when its future is dropped.
pub(crate) struct Closer(pub(crate) Arc<Budget>);

impl Drop for Closer {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A number of bytes that several threads share. One block may always pass, however large.
pub(crate) struct Budget {
    limit: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    used: usize,
    closed: bool,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Budget { limit, state: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is two plain values: it is whole even if a holder of the lock has panicked.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Waits until `bytes` fit and takes them; `false` when the budget has been closed.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let mut state = self.lock();
        while !state.closed && state.used > 0 && state.used.saturating_add(bytes) > self.limit {
            state = self.changed.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        state.used += bytes;
        !state.closed
    }

    /// Gives bytes back.
    pub(crate) fn give(&self, bytes: usize) {
        let mut state = self.lock();
        state.used = state.used.saturating_sub(bytes);
        self.changed.notify_all();
    }

    /// Wakes everybody who waits: the import is over.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}
