//! `vacuum`: deletes files that no version within the retention needs.

use crate::args::VacuumArgs;
use crate::context::Context;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::talk::count;
use indicatif::DecimalBytes;
use lakeql_lake::Lake;

pub(super) async fn run(context: &Context, args: &VacuumArgs) -> Result<(), Failure> {
    let progress = Progress::spinner(context.talk, "looking for files that nothing needs");
    let report = Lake::open(&context.global.lake).await?.vacuum(args.retain).await?;
    drop(progress);
    context.talk.say(&match report.files {
        0 => "nothing to delete".to_owned(),
        files => format!("deleted {} of {}", count(files, "file"), DecimalBytes(report.bytes)),
    });
    Ok(())
}
