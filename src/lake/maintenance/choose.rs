//! Which segments are merged.

use crate::catalog::snapshot::Snapshot;
use crate::storage::segment::SegmentId;

/// Up to this size the whole lake becomes one segment.
const WHOLE_LAKE_BYTES: u64 = 8 << 30;

/// Above it, segments smaller than this are merged with each other.
const SMALL_SEGMENT_BYTES: u64 = 128 << 20;

/// The segments to merge, ascending; none when there is nothing to gain.
pub(super) fn choose(snapshot: &Snapshot) -> Vec<SegmentId> {
    choose_within(snapshot, WHOLE_LAKE_BYTES, SMALL_SEGMENT_BYTES)
}

fn choose_within(snapshot: &Snapshot, whole: u64, small: u64) -> Vec<SegmentId> {
    let mut segments: Vec<(SegmentId, u64)> = snapshot.segments().map(|segment| (segment, 0)).collect();
    for file in snapshot.tables().flat_map(|table| &table.files) {
        if let Ok(index) = segments.binary_search_by_key(&file.segment(), |(segment, _)| *segment)
            && let Some((_, bytes)) = segments.get_mut(index)
        {
            *bytes += file.size;
        }
    }
    if segments.iter().map(|(_, bytes)| bytes).sum::<u64>() > whole {
        segments.retain(|(segment, bytes)| *bytes < small || !snapshot.dead_in(*segment).is_empty());
    }
    let worth = segments.len() > 1 || segments.iter().any(|(segment, _)| !snapshot.dead_in(*segment).is_empty());
    if worth { segments.into_iter().map(|(segment, _)| segment).collect() } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;
    use crate::catalog::lake::Lake;
    use crate::catalog::testing::{TestRun, import, latest};

    #[tokio::test]
    async fn small_segments_and_those_with_dead_runs_are_chosen() {
        let lake = Lake::with_store(Arc::new(InMemory::new()), "lake".into()).await.unwrap();
        assert!(choose(&*latest(&lake).await).is_empty());
        let big: Vec<TestRun> =
            (0..300).map(|number| TestRun::new(&format!("{number}"), number).param("x", number as f64)).collect();
        import(&lake, &big, &[]).await;
        assert!(choose(&*latest(&lake).await).is_empty());
        import(&lake, &[TestRun::new("a", 1)], &[]).await;
        import(&lake, &[TestRun::new("b", 1)], &[]).await;
        let snapshot = latest(&lake).await;
        let all: Vec<_> = snapshot.segments().collect();
        assert_eq!(choose(&snapshot), all);
        assert_eq!(choose_within(&snapshot, 1, 9_000), all[1..]);
        import(&lake, &[TestRun::new("7", 99)], &[]).await;
        assert_eq!(choose_within(&*latest(&lake).await, 1, 1), all[..1]);
    }
}
