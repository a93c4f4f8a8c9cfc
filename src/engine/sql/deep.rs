//! Work on deep trees without running out of stack.

use std::future::poll_fn;
use std::pin::pin;

/// As much as planning the deepest query that is let through needs, with room to spare.
const STACK: usize = 64 << 20;

/// Polls a future on a stack of its own. Planners walk through expressions by recursion, and threads of a runtime often have
/// no more than 2 MB.
pub(crate) async fn deep<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| stacker::maybe_grow(STACK / 2, STACK, || work.as_mut().poll(cx))).await
}
