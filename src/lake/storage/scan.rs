//! Lists of Parquet files, cut into pieces of equal size for the threads of a scan.

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileGroup;

/// Smallest piece that is worth a thread.
const SMALLEST: u64 = 64 << 10;

/// The files cut at row group boundaries into about `partitions` groups of equal size. A range of a sorted file is
/// sorted: with `ordered` every group stays within one file, and there may be more of them.
pub(crate) fn groups(files: &[PartitionedFile], partitions: usize, ordered: bool) -> Vec<FileGroup> {
    let total: u64 = files.iter().map(|file| file.object_meta.size).sum();
    let share = (total / partitions.max(1) as u64).max(SMALLEST);
    let mut parts = vec![];
    for file in files {
        let size = file.object_meta.size;
        let pieces = (size.div_ceil(share)).clamp(1, partitions.max(1) as u64);
        let step = size.div_ceil(pieces);
        for piece in 0..pieces {
            let (start, end) = (piece * step, ((piece + 1) * step).min(size));
            let (start, end) = (i64::try_from(start).unwrap_or(i64::MAX), i64::try_from(end).unwrap_or(i64::MAX));
            let part = file.clone();
            parts.push(if pieces > 1 { part.with_range(start, end) } else { part });
        }
    }
    if ordered || parts.len() <= partitions {
        return parts.into_iter().map(|part| FileGroup::new(vec![part])).collect();
    }
    // Many small files: deal them out, largest first.
    let mut dealt: Vec<(u64, Vec<PartitionedFile>)> = vec![(0, vec![]); partitions.max(1)];
    parts.sort_by_key(|part| std::cmp::Reverse(part.effective_size()));
    for part in parts {
        if let Some(least) = dealt.iter_mut().min_by_key(|(size, _)| *size) {
            least.0 += part.effective_size();
            least.1.push(part);
        }
    }
    dealt.into_iter().filter(|(_, files)| !files.is_empty()).map(|(_, files)| FileGroup::new(files)).collect()
}
