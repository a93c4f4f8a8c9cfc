//! `man`: the manual page, made of the same texts as `--help`.

use crate::args::{ManArgs, command};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use lakeql_output::Format;
use lakeql_query::diagnostic::{Kind, did_you_mean};

pub(super) fn run(context: &Context, args: &ManArgs) -> Result<(), Failure> {
    let page = page(args.verb.as_deref())?;
    Output::open_preferring(&context.global, Format::Table)?.text(&page)
}

/// The page of the program or of one verb, in roff.
fn page(verb: Option<&str>) -> Result<String, Failure> {
    let mut command = command();
    command.build();
    let command = match verb {
        None => command,
        Some(verb) => command.find_subcommand(verb).cloned().ok_or_else(|| unknown(verb, &command))?,
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Failure::new(Kind::Io, format!("cannot make the page: {error}")))?;
    String::from_utf8(page).map_err(|error| Failure::new(Kind::Io, error.to_string()))
}

fn unknown(verb: &str, command: &clap::Command) -> Failure {
    let hint = did_you_mean(verb, command.get_subcommands().map(clap::Command::get_name));
    let hint = hint.map(|near| format!(": did you mean '{near}'?")).unwrap_or_default();
    Failure::Usage(format!("there is no verb '{verb}'{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_name_the_flags() {
        let page = page(None).unwrap();
        assert!(page.contains("lakeql") && page.contains("error\\-format"), "{page}");
        assert!(super::page(Some("query")).unwrap().contains("\\-\\-select"));
    }

    #[test]
    fn unknown_verbs_get_a_hint() {
        let Err(Failure::Usage(message)) = page(Some("qurey")) else { panic!("found") };
        assert_eq!(message, "there is no verb 'qurey': did you mean 'query'?");
    }
}
