//! What the scans of a query that has been run have read, and what they could leave out.

use crate::trees::WalkExec;
use datafusion::datasource::physical_plan::{FileScanConfig, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{Metric, MetricValue};
use lakeql_lake::resident::ResidentScanExec;
use lakeql_lake::trees::LevelRead;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

/// What all scans of a plan have read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Each scan, in the order of the plan.
    pub scans: Vec<ScanStats>,
    /// All scans together; its time is that of the whole query, its rows are the rows of the answer.
    pub total: ScanStats,
}

/// What one scan has read.
///
/// Row groups and pages are counted only where a predicate reaches the scan: without one everything is read, and nothing
/// is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanStats {
    /// The table's name: that of the folder of its files, unless they have another one.
    pub table: String,
    /// Files in the plan.
    pub files: usize,
    /// Files of which no data was read.
    pub files_pruned: usize,
    /// Row groups that were looked at: the pruned ones and the rest.
    pub row_groups: usize,
    /// Row groups left out because of their statistics, bloom filters, a limit, or what a join or a top-k had learned.
    pub row_groups_pruned: usize,
    /// Pages that were looked at.
    pub pages: usize,
    /// Pages left out by the page index.
    pub pages_pruned: usize,
    /// Rows in the pages that were left out.
    pub page_rows_pruned: usize,
    /// Rows that predicates threw away while decoding.
    pub filter_rows_pruned: usize,
    /// Bytes of all files in the plan.
    pub bytes_total: usize,
    /// Bytes read from files. Footers are not among them: they are read once and kept.
    pub bytes_scanned: usize,
    /// Rows that came out.
    pub output_rows: usize,
    /// Time of work, of all threads together.
    pub elapsed: Duration,
}

impl ScanReport {
    /// Walks through a plan that has been run for this long.
    pub fn collect(plan: &dyn ExecutionPlan, elapsed: Duration) -> Self {
        let mut report = Self::default();
        report.visit(plan);
        for scan in &report.scans {
            report.total += scan;
        }
        report.total.elapsed = elapsed;
        report.total.output_rows = output_rows(plan).unwrap_or(report.total.output_rows);
        report
    }

    fn visit(&mut self, plan: &dyn ExecutionPlan) {
        let scan = plan.downcast_ref::<DataSourceExec>();
        if let Some((config, _)) = scan.and_then(|scan| scan.downcast_to_file_source::<ParquetSource>()) {
            self.scans.push(ScanStats::new(config, plan));
        }
        if let Some(walk) = plan.downcast_ref::<WalkExec>() {
            self.scans.extend(walk.read().iter().map(|(tree, levels)| ScanStats::of_walk(tree, levels, walk.rows())));
        }
        if let Some(scan) = plan.downcast_ref::<ResidentScanExec>() {
            self.scans.push(ScanStats::of_resident(scan));
        }
        for child in plan.children() {
            self.visit(child.as_ref());
        }
    }
}

/// The rows of an answer. Operators that only pass batches on do not count, but what is below them does.
fn output_rows(plan: &dyn ExecutionPlan) -> Option<usize> {
    if let Some(rows) = plan.metrics().and_then(|metrics| metrics.output_rows()) {
        return Some(rows);
    }
    match plan.children().as_slice() {
        [child] => output_rows(child.as_ref()),
        _ => None,
    }
}

impl ScanStats {
    /// What a walk has read of a tree: row groups and pages are those that were read, none are looked at in vain.
    fn of_walk(tree: &str, levels: &[LevelRead], rows: usize) -> Self {
        let sum = |of: fn(&LevelRead) -> u64| usize::try_from(levels.iter().map(of).sum::<u64>()).unwrap_or(usize::MAX);
        Self {
            table: tree.to_owned(),
            files: levels.iter().filter(|level| level.blocks > 0).count(),
            row_groups: levels.iter().map(|level| level.row_groups.len()).sum(),
            pages: sum(|level| level.requests),
            bytes_scanned: sum(|level| level.bytes),
            output_rows: rows,
            ..Self::default()
        }
    }

    fn new(config: &FileScanConfig, plan: &dyn ExecutionPlan) -> Self {
        let mut stats = Self::default();
        let mut files = BTreeSet::new();
        for file in config.file_groups.iter().flat_map(|group| group.files()) {
            let location = &file.object_meta.location;
            // Files are cut into ranges, each with the size of the whole file.
            if files.insert(location.as_ref()) {
                stats.bytes_total += usize::try_from(file.object_meta.size).unwrap_or(usize::MAX);
                if stats.table.is_empty() {
                    let folder = || location.parts().rev().nth(1).map(|part| part.as_ref().to_owned());
                    let name = file.table_reference.as_ref().map(|table| table.table().to_owned());
                    stats.table = name.or_else(folder).unwrap_or_default();
                }
            }
        }
        stats.files = files.len();
        let mut read = BTreeSet::new();
        let metrics = plan.metrics().unwrap_or_default();
        for metric in metrics.iter() {
            stats.add(metric);
            let bytes = matches!(metric.value(), MetricValue::Count { name, count } if name == "bytes_scanned" && count.value() > 0);
            let file = metric.labels().iter().find(|label| label.name() == "filename");
            if let Some(file) = file.filter(|_| bytes) {
                read.insert(file.value().to_owned());
            }
        }
        stats.files_pruned = stats.files.saturating_sub(read.len());
        stats.output_rows = metrics.output_rows().unwrap_or_default();
        stats
    }

    /// A scan of columns that may be in memory: only what was not there was read.
    fn of_resident(scan: &ResidentScanExec) -> Self {
        let report = scan.report();
        let metrics = scan.metrics().unwrap_or_default();
        let elapsed = metrics.elapsed_compute().unwrap_or_default();
        Self {
            table: report.table.to_owned(),
            files: report.files,
            row_groups: report.row_groups,
            row_groups_pruned: report.row_groups_pruned,
            bytes_total: usize::try_from(report.bytes_total).unwrap_or(usize::MAX),
            bytes_scanned: report.bytes_scanned,
            output_rows: metrics.output_rows().unwrap_or_default(),
            elapsed: Duration::from_nanos(u64::try_from(elapsed).unwrap_or(u64::MAX)),
            ..Self::default()
        }
    }

    /// Adds one metric of a partition or file. Names are those of DataFusion's Parquet source.
    fn add(&mut self, metric: &Metric) {
        match metric.value() {
            MetricValue::PruningMetrics { name, pruning_metrics } => {
                let (pruned, matched) = (pruning_metrics.pruned(), pruning_metrics.matched());
                match name.as_ref() {
                    "row_groups_pruned_statistics" => {
                        self.row_groups += pruned + matched;
                        self.row_groups_pruned += pruned;
                    }
                    // These look at what statistics have left.
                    "row_groups_pruned_bloom_filter" | "limit_pruned_row_groups" => self.row_groups_pruned += pruned,
                    "page_index_pages_pruned" => {
                        self.pages += pruned + matched;
                        self.pages_pruned += pruned;
                    }
                    "page_index_rows_pruned" => self.page_rows_pruned += pruned,
                    _ => {}
                }
            }
            MetricValue::Count { name, count } => match name.as_ref() {
                "bytes_scanned" => self.bytes_scanned += count.value(),
                "pushdown_rows_pruned" => self.filter_rows_pruned += count.value(),
                "row_groups_pruned_dynamic_filter" => self.row_groups_pruned += count.value(),
                _ => {}
            },
            MetricValue::Time { name, time } if name == "time_elapsed_processing" => {
                self.elapsed += Duration::from_nanos(u64::try_from(time.value()).unwrap_or(u64::MAX));
            }
            _ => {}
        }
    }
}

impl AddAssign<&Self> for ScanStats {
    fn add_assign(&mut self, other: &Self) {
        self.files += other.files;
        self.files_pruned += other.files_pruned;
        self.row_groups += other.row_groups;
        self.row_groups_pruned += other.row_groups_pruned;
        self.pages += other.pages;
        self.pages_pruned += other.pages_pruned;
        self.page_rows_pruned += other.page_rows_pruned;
        self.filter_rows_pruned += other.filter_rows_pruned;
        self.bytes_total += other.bytes_total;
        self.bytes_scanned += other.bytes_scanned;
        self.output_rows += other.output_rows;
        self.elapsed += other.elapsed;
    }
}

impl fmt::Display for ScanReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for scan in &self.scans {
            writeln!(f, "scan of {}\n{scan}", scan.table)?;
        }
        write!(f, "in total\n{}", self.total)
    }
}

impl fmt::Display for ScanStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  files       {}", Part { all: self.files, pruned: self.files_pruned })?;
        if self.row_groups > 0 {
            writeln!(f, "  row groups  {}", Part { all: self.row_groups, pruned: self.row_groups_pruned })?;
        }
        if self.pages > 0 {
            let rows =
                if self.page_rows_pruned > 0 { format!(" ({} rows)", self.page_rows_pruned) } else { String::new() };
            writeln!(f, "  pages       {}{rows}", Part { all: self.pages, pruned: self.pages_pruned })?;
        }
        writeln!(f, "  bytes       {} of {} read", bytes(self.bytes_scanned), bytes(self.bytes_total))?;
        if self.filter_rows_pruned > 0 {
            writeln!(f, "  rows        {} out, {} filtered while decoding", self.output_rows, self.filter_rows_pruned)?;
        } else {
            writeln!(f, "  rows        {} out", self.output_rows)?;
        }
        writeln!(f, "  time        {:.3} ms", self.elapsed.as_secs_f64() * 1e3)
    }
}

/// `1 of 3 read, 2 pruned`.
struct Part {
    all: usize,
    pruned: usize,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} read", self.all.saturating_sub(self.pruned), self.all)?;
        if self.pruned > 0 { write!(f, ", {} pruned", self.pruned) } else { Ok(()) }
    }
}

/// Bytes with a unit.
fn bytes(count: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits after the point")]
    let scaled = |unit: usize| count as f64 / unit as f64;
    match count {
        0..1024 => format!("{count} B"),
        1024..1_048_576 => format!("{:.2} KiB", scaled(1 << 10)),
        1_048_576..1_073_741_824 => format!("{:.2} MiB", scaled(1 << 20)),
        _ => format!("{:.2} GiB", scaled(1 << 30)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_says_what_was_left_out() {
        let scan = ScanStats {
            table: "runs".into(),
            files: 3,
            files_pruned: 2,
            row_groups: 4,
            row_groups_pruned: 1,
            bytes_total: 5 << 20,
            bytes_scanned: 1536,
            output_rows: 7,
            elapsed: Duration::from_micros(1500),
            ..ScanStats::default()
        };
        let text = ScanReport { scans: vec![scan.clone()], total: scan }.to_string();
        for line in [
            "scan of runs\n",
            "  files       1 of 3 read, 2 pruned\n",
            "  row groups  3 of 4 read, 1 pruned\n",
            "  bytes       1.50 KiB of 5.00 MiB read\n",
            "  rows        7 out\n",
            "  time        1.500 ms\n",
            "in total\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(!text.contains("pages"));
    }
}
