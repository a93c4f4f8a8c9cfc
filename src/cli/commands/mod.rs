//! The verbs, one file each.

mod attributes;
mod bench;
mod chunks;
mod compact;
mod completions;
mod demo;
mod describe;
mod diff;
mod explain;
mod history;
mod import;
mod import_events;
mod import_samples;
mod man;
mod ops;
mod plot;
mod points;
mod query;
mod save;
mod show;
mod tables;
mod tree;
mod vacuum;

use crate::args::{Command, ImportKind};
use crate::context::Context;
use crate::failure::Failure;

/// Runs a verb.
pub(crate) async fn run(context: Context, command: Command) -> Result<(), Failure> {
    let context = &context;
    match command {
        Command::Import(args) => match args.kind {
            ImportKind::Aim(args) => import::aim(context, &args).await,
            ImportKind::Neptune(args) => import::neptune(context, &args).await,
            ImportKind::Samples(args) => import_samples::run(context, &args).await,
            ImportKind::Events(args) => import_events::run(context, &args).await,
            ImportKind::Metacat(args) => import::metacat(context, &args).await,
        },
        Command::Query(args) => query::run(context, &args).await,
        Command::Points(args) => points::run(context, &args).await,
        Command::Chunks(args) => chunks::run(context, &args).await,
        Command::Explain(args) => explain::run(context, &args).await,
        Command::Plot(args) => plot::run(context, &args).await,
        Command::Show(args) => show::run(context, &args).await,
        Command::Diff(args) => diff::run(context, &args).await,
        Command::Tree(args) => tree::run(context, &args).await,
        Command::Ops(args) => ops::run(context, &args).await,
        Command::Save(args) => save::run(context, &args).await,
        Command::Bench(args) => bench::run(context, &args).await,
        Command::Attributes(args) => attributes::run(context, &args).await,
        Command::Tables => tables::run(context).await,
        Command::Describe(args) => describe::run(context, &args).await,
        Command::History => history::run(context).await,
        Command::Compact => compact::run(context).await,
        Command::Vacuum(args) => vacuum::run(context, &args).await,
        Command::Demo(args) => demo::run(context, &args).await,
        Command::Completions(args) => completions::run(context, &args),
        Command::Man(args) => man::run(context, &args),
    }
}
