//! `import`: data comes in.

use crate::args::{ImportAim, ImportMetacat, ImportNeptune};
use crate::context::Context;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::talk::count;
use indicatif::{DecimalBytes, HumanCount};
use lakeql_lake::ingest::metacat::import_metacat;
use lakeql_lake::ingest::neptune::{NeptuneOptions, import_neptune};
use lakeql_lake::ingest::{self, ImportOptions, ImportReport, ProjectCounts};
use std::collections::BTreeMap;

/// `import aim`.
pub(super) async fn aim(context: &Context, args: &ImportAim) -> Result<(), Failure> {
    let options = ImportOptions {
        skip_bad: args.skip_bad,
        bad_report: args.report.clone(),
        threads: context.global.threads.map(usize::from),
        ..ImportOptions::default()
    };
    let report = import(context, &context.global.lake, &args.files, options).await?;
    for line in summary(&report) {
        context.talk.say(&line);
    }
    Ok(())
}

/// `import neptune`.
pub(super) async fn neptune(context: &Context, args: &ImportNeptune) -> Result<(), Failure> {
    let options = NeptuneOptions {
        import: ImportOptions {
            skip_bad: args.skip_bad,
            bad_report: args.report.clone(),
            threads: context.global.threads.map(usize::from),
            ..ImportOptions::default()
        },
        series_timezone: args.series_timezone,
        inherit_points: args.inherit_points,
        files: args.files.clone(),
    };
    let progress = Progress::import(context.talk);
    let lake = lakeql_lake::Lake::open_or_create(&context.global.lake).await?;
    let report = import_neptune(&lake, &args.paths, &options, &|now| progress.update(now)).await?;
    drop(progress);
    for line in summary(&report) {
        context.talk.say(&line);
    }
    Ok(())
}

/// `import metacat`.
pub(super) async fn metacat(context: &Context, args: &ImportMetacat) -> Result<(), Failure> {
    let options = ImportOptions {
        skip_bad: args.skip_bad,
        bad_report: args.report.clone(),
        threads: context.global.threads.map(usize::from),
        ..ImportOptions::default()
    };
    let progress = Progress::import(context.talk);
    let lake = lakeql_lake::Lake::open_or_create(&context.global.lake).await?;
    let report = import_metacat(&lake, &args.paths, &options, &|now| progress.update(now)).await?;
    drop(progress);
    let rate = if report.seconds > 0.0 { report.bytes_read as f64 / report.seconds } else { 0.0 };
    let changed = report.added + report.replaced;
    let others = [(report.replaced, "replaced"), (report.unchanged, "unchanged"), (report.superseded, "superseded")];
    let others = others.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", HumanCount(*n)));
    let others = others.collect::<Vec<_>>().join(", ");
    let others = if others.is_empty() { others } else { format!(" ({others})") };
    context.talk.say(&format!(
        "imported {}{others}, {}, {}: read {} in {:.2} s ({}/s), wrote {}",
        count(changed, "file"),
        count(report.datasets, "dataset"),
        count(report.queries, "saved query").replace("querys", "queries"),
        DecimalBytes(report.bytes_read),
        report.seconds,
        DecimalBytes(rate as u64),
        DecimalBytes(report.bytes_written),
    ));
    context.talk.say(&format!("the lake is now at version {}", report.version));
    if report.bad > 0 {
        let listed = report.bad_report.as_ref().map(|path| format!(", listed in {}", path.display()));
        let verb = if report.bad == 1 { "was" } else { "were" };
        context.talk.say(&format!("{} {verb} left out{}", count(report.bad, "bad line"), listed.unwrap_or_default()));
    }
    Ok(())
}

/// Imports runs into the lake at this place, which is made when there is none.
pub(super) async fn import(
    context: &Context,
    lake: &str,
    files: &[std::path::PathBuf],
    options: ImportOptions,
) -> Result<ImportReport, Failure> {
    let progress = Progress::import(context.talk);
    let lake = lakeql_lake::Lake::open_or_create(lake).await?;
    Ok(ingest::aim::import_aim(&lake, files, &options, &|now| progress.update(now)).await?)
}

/// What has been done, for people.
pub(super) fn summary(report: &ImportReport) -> Vec<String> {
    let changed = report.added + report.replaced;
    let others = [(report.replaced, "replaced"), (report.unchanged, "unchanged"), (report.superseded, "superseded")];
    let others = others.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", HumanCount(*n)));
    let others = others.collect::<Vec<_>>().join(", ");
    let rate = if report.seconds > 0.0 { report.bytes_read as f64 / report.seconds } else { 0.0 };
    let read = format!(
        "read {} in {:.2} s ({}/s)",
        DecimalBytes(report.bytes_read),
        report.seconds,
        DecimalBytes(rate as u64)
    );
    let mut lines = vec![];
    if changed > 0 {
        let others = if others.is_empty() { others } else { format!(" ({others})") };
        let (runs, series) = (count(changed, "run"), count(report.series, "sequence"));
        let (points, wrote) = (count(report.points, "point"), DecimalBytes(report.bytes_written));
        lines.push(format!("imported {runs}{others}, {series}, {points}: {read}, wrote {wrote}"));
        lines.push(format!("the lake is now at version {}", report.version));
    } else {
        let others = if others.is_empty() { "no runs".to_owned() } else { others };
        lines.push(format!("nothing new ({others}): {read}"));
        lines.push(format!("the lake has not changed: it is at version {}", report.version));
    }
    lines.extend(report.projects.iter().map(project_line));
    lines.extend(report.notes.iter().cloned());
    if report.bad > 0 {
        let listed = report.bad_report.as_ref().map(|path| format!(", listed in {}", path.display()));
        let verb = if report.bad == 1 { "was" } else { "were" };
        lines.push(format!("{} {verb} left out{}", count(report.bad, "bad line"), listed.unwrap_or_default()));
    }
    if !report.unknown_fields.is_empty() {
        lines
            .push(format!("fields that are not part of the format were ignored: {}", report.unknown_fields.join(", ")));
    }
    lines
}

/// What was written of a project, under the names that its product uses.
fn project_line(counts: &ProjectCounts) -> String {
    fn group(what: &str, names: &[(&'static str, &str)], found: &BTreeMap<&'static str, u64>) -> Option<String> {
        let found: Vec<(u64, &str)> =
            names.iter().filter_map(|(kind, name)| Some((*found.get(kind)?, *name))).filter(|(n, _)| *n > 0).collect();
        let total = found.iter().map(|(n, _)| n).sum();
        let list: Vec<_> = found.iter().map(|(n, name)| format!("{} {name}", HumanCount(*n))).collect();
        (total > 0).then(|| format!("{} ({})", count(total, what), list.join(", ")))
    }
    let series = [("metric", "floatSeries"), ("texts", "stringSeries"), ("distributions", "histogramSeries")];
    let scalars = [
        ("bool", "bool"),
        ("time", "datetime"),
        ("float", "float"),
        ("int", "int"),
        ("text", "string"),
        ("set", "stringSet"),
    ];
    let mut files = counts.attributes.clone();
    files.extend(counts.points.get_key_value("files").map(|(kind, n)| (*kind, *n)));
    let kept = [("artifact", "artifact"), ("file", "file"), ("files", "fileSeries"), ("file_set", "fileSet")];
    let mut parts = vec![count(counts.runs, "run")];
    parts.extend(group("attribute", &scalars, &counts.attributes));
    parts.extend(group("sequence", &series, &counts.series));
    parts.extend(group("point", &series, &counts.points));
    if counts.nan_points > 0 {
        parts.push(format!("{} NaN", count(counts.nan_points, "point")));
    }
    parts.extend(group("file", &kept, &files));
    format!("{}: {}", counts.project, parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_tells_what_has_happened() {
        let report = ImportReport {
            added: 1200,
            replaced: 1,
            unchanged: 3,
            series: 1,
            points: 50_000,
            bytes_read: 12_000_000,
            bytes_written: 900_000,
            seconds: 0.5,
            version: 2,
            bad: 1,
            bad_report: Some("runs.bad.jsonl".into()),
            unknown_fields: vec!["notes".into()],
            ..ImportReport::default()
        };
        assert_eq!(
            summary(&report),
            [
                "imported 1,201 runs (1 replaced, 3 unchanged), 1 sequence, 50,000 points: \
                 read 12.00 MB in 0.50 s (24.00 MB/s), wrote 900.00 kB",
                "the lake is now at version 2",
                "1 bad line was left out, listed in runs.bad.jsonl",
                "fields that are not part of the format were ignored: notes",
            ]
        );
    }

    #[test]
    fn nothing_new_is_said_too() {
        let report = ImportReport { unchanged: 203, version: 1, ..ImportReport::default() };
        assert_eq!(
            summary(&report),
            ["nothing new (203 unchanged): read 0 B in 0.00 s (0 B/s)", "the lake has not changed: it is at version 1"]
        );
    }
}
