//! `compact`: merges small files and drops what was replaced.

use crate::context::Context;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::talk::count;
use indicatif::DecimalBytes;
use lakeql_lake::Lake;
use lakeql_lake::maintenance::compact::CompactReport;

pub(super) async fn run(context: &Context) -> Result<(), Failure> {
    let progress = Progress::spinner(context.talk, "compacting");
    let report = Lake::open(&context.global.lake).await?.compact().await?;
    drop(progress);
    context.talk.say(&summary(&report));
    Ok(())
}

/// What has been done, for people.
fn summary(report: &CompactReport) -> String {
    if report.merged == 0 {
        return format!("nothing to gain: the lake stays at version {}", report.version);
    }
    let dropped = match report.dead_runs {
        0 => String::new(),
        runs => format!(", dropped the rows of {} that had been replaced", count(runs as u64, "run")),
    };
    format!(
        "merged {} of {} into one{dropped}: {} became {}; the lake is now at version {}",
        count(report.merged as u64, "segment"),
        count(report.runs, "run"),
        DecimalBytes(report.bytes_before),
        DecimalBytes(report.bytes_after),
        report.version,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_tells_what_was_gained() {
        let report = CompactReport {
            version: 9,
            merged: 3,
            segments: 1,
            runs: 1203,
            dead_runs: 2,
            bytes_before: 4_000_000,
            bytes_after: 1_500_000,
        };
        assert_eq!(
            summary(&report),
            "merged 3 segments of 1,203 runs into one, dropped the rows of 2 runs that had been replaced: \
             4.00 MB became 1.50 MB; the lake is now at version 9"
        );
        assert_eq!(
            summary(&CompactReport { version: 9, ..CompactReport::default() }),
            "nothing to gain: the lake stays at version 9"
        );
    }
}
