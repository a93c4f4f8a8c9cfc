//! `completions`: a script that completes the command line in a shell.

use crate::args::{CompletionsArgs, command};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use lakeql_output::Format;
use lakeql_query::diagnostic::Kind;

pub(super) fn run(context: &Context, args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "lakeql", &mut script);
    let script = String::from_utf8(script).map_err(|error| Failure::new(Kind::Io, error.to_string()))?;
    Output::open_preferring(&context.global, Format::Table)?.text(&script)
}
