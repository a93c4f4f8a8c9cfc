//! `import events`: events come in as trees.

use crate::args::ImportEvents;
use crate::context::Context;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::talk::count;
use indicatif::{DecimalBytes, HumanCount};
use lakeql_lake::ingest::events::{Definitions, EventOptions, EventReport, import_events};

pub(super) async fn run(context: &Context, args: &ImportEvents) -> Result<(), Failure> {
    let text = std::fs::read_to_string(&args.tree).map_err(|error| Failure::file("read", &args.tree, &error))?;
    let definitions = Definitions::parse(&text, &args.tree.display().to_string())?;
    let options = EventOptions {
        skip_bad: args.skip_bad,
        bad_report: args.report.clone(),
        threads: context.global.threads.map(usize::from),
        memory: context.global.memory,
        worker_trees: args.worker_trees,
    };
    let progress = Progress::import(context.talk);
    let lake = lakeql_lake::Lake::open_or_create(&context.global.lake).await?;
    let report = import_events(&lake, &definitions, &args.sources, &options, &|now| progress.update(now)).await?;
    drop(progress);
    for line in summary(&report) {
        context.talk.say(&line);
    }
    Ok(())
}

fn summary(report: &EventReport) -> Vec<String> {
    let rate = if report.seconds > 0.0 { report.events as f64 / report.seconds } else { 0.0 };
    let read = format!(
        "read {} ({}) in {:.2} s ({}/s)",
        count(report.events, "event"),
        DecimalBytes(report.bytes_read),
        report.seconds,
        count(rate as u64, "event"),
    );
    let changed = report.trees.iter().filter(|(.., changed)| *changed).count() as u64;
    let mut lines = vec![];
    for (name, tree, changed) in &report.trees {
        let unchanged = if *changed { "" } else { ", as it was" };
        lines.push(format!(
            "{name}: {} on {} of {}{unchanged}",
            count(tree.nodes, "node"),
            count(tree.levels, "level"),
            count(tree.events, "event"),
        ));
    }
    if changed > 0 {
        lines.push(format!("built {}: {read}, wrote {}", count(changed, "tree"), DecimalBytes(report.bytes_written)));
        lines.push(format!("the lake is now at version {}", report.version));
    } else {
        lines.push(format!("nothing new: {read}"));
        lines.push(format!("the lake has not changed: it is at version {}", report.version));
    }
    if report.spilled > 0 {
        lines.push(format!("{} parts of trees went through temporary files", HumanCount(report.spilled)));
    }
    if report.bad > 0 {
        let listed = report.bad_report.as_ref().map(|path| format!(", listed in {}", path.display()));
        let verb = if report.bad == 1 { "was" } else { "were" };
        lines.push(format!("{} {verb} left out{}", count(report.bad, "bad line"), listed.unwrap_or_default()));
    }
    lines
}
