//! `demo`: builds a small lake from real runs and asks it what its languages can ask.

use super::{import, query};
use crate::args::{Cli, Command, DemoArgs, Global, parse};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::text;
use lakeql_lake::ingest::ImportOptions;
use lakeql_output::Format;
use lakeql_query::diagnostic::{Diagnostic, Kind};
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where the lake is built unless `--lake` says.
const LAKE: &str = "demo-lake";

/// What is imported: the three runs of the AimQL tutorial and 200 of scikit-learn models.
const FILES: [&str; 2] = ["tutorial_runs.jsonl", "sklearn_runs.jsonl.gz"];

/// A question and the command line, without `lakeql --lake …`, that asks it.
type Question = (&'static str, &'static [&'static str]);

const QUESTIONS: &[Question] = &[
    (
        "Which runs used a learning rate above 0.0001 and a batch size of 32?",
        &[
            "query",
            "run.learning_rate > 0.0001 and run.batch_size == 32",
            "--lang=aim",
            "--select=hash,learning_rate,batch_size,created_at",
        ],
    ),
    (
        "Which loss curves of these runs end at 15 or more?",
        &[
            "query",
            "metric.name == \"loss\" and run.learning_rate >= 0.001 and metric.last >= 15",
            "--lang=aim",
            "--entity=metric",
            "--select=run,name,context,last",
        ],
    ),
    (
        "Which neural networks trained with Adam are right on more than 97 % of the test samples?",
        &[
            "query",
            "run.model == \"mlp\" and run.hparams.optimizer.name == \"adam\" \
             and run.metrics[\"accuracy\", {\"subset\": \"test\"}].last > 0.97",
            "--lang=aim",
            "--select=name,hparams.activation,hparams.layers,hparams.lr,accuracy{\"subset\":\"test\"}.last",
            "--sort=-accuracy{\"subset\":\"test\"}.last,name",
            "--limit=8",
        ],
    ),
    (
        "Which models predict diabetes best on the test samples?",
        &[
            "query",
            "metric.name == \"r2\" and metric.context.subset == \"test\" and run.dataset.name == \"diabetes\"",
            "--lang=aim",
            "--entity=metric",
            "--select=run.name,run.model,run.hparams.lr,last",
            "--sort=-last",
            "--limit=5",
        ],
    ),
    (
        "The same lake in SQL: how good is each kind of model on each data set?",
        &[
            "query",
            "select \"model:text\" as model, \"dataset.name:text\" as dataset, count(*) as runs, \
             round(avg(last), 3) as mean, round(max(last), 3) as best\n\
             from metrics\n\
             where name = 'accuracy' and \"context.subset:text\" = 'test'\n\
             group by 1, 2 order by 2, 4 desc",
            "--lang=sql",
        ],
    ),
    (
        "And how long did they train?",
        &[
            "query",
            "select experiment, count(*) as runs, round(avg(duration), 2) as seconds from runs group by 1 order by 2 desc",
            "--lang=sql",
        ],
    ),
];

pub(super) async fn run(context: &Context, args: &DemoArgs) -> Result<(), Failure> {
    let folder = datasets(args.datasets.as_deref())?;
    // Never into the lake of somebody's own runs, unless it is named on this very command line.
    let lake = if context.global.lake_from_flag { context.global.lake.clone() } else { LAKE.to_owned() };
    let files = FILES.map(|file| folder.join(file));
    context.talk.say(&format!("Building a lake of {} in {lake}", FILES.join(" and ")));
    let report = import::import(context, &lake, &files, ImportOptions::default()).await?;
    for line in import::summary(&report) {
        context.talk.say(&line);
    }

    let context = &Context::new(Global { lake: lake.clone(), ..context.global.clone() });
    let session = context.session().await?;
    for (question, arguments) in QUESTIONS {
        let words = std::iter::once(&"lakeql").chain(arguments.iter()).map(OsString::from).collect();
        let Ok(Cli { command: Command::Query(query), .. }) = parse(words) else { continue };
        print(&format!("\n{question}\n$ lakeql --lake {lake} {}\n", shell(arguments)))?;
        let source = text::read(&query.text)?;
        let output = Output::open_preferring(&context.global, Format::Table)?;
        query::answer(context, &session, &source, &query.text.lang, &query.language, &query.shape, output).await?;
    }
    print(&format!("\nThe lake stays in {lake}: ask on, for example\n$ lakeql --lake {lake} attributes\n"))
}

/// Text between the answers.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::new(Kind::Io, format!("cannot write the output: {error}")),
    })
}

/// The arguments as one would type them.
fn shell(arguments: &[&str]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,/:".contains(c);
    let quote = |word: &&str| {
        if word.chars().all(plain) { (*word).to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
    };
    arguments.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// The folder with the runs: the given one, or `datasets` above the current folder, above the program or beside the
/// manifest that cargo runs.
fn datasets(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let complete = |folder: &PathBuf| FILES.iter().all(|file| folder.join(file).is_file());
    if let Some(folder) = given {
        let folder = folder.to_owned();
        return if complete(&folder) { Ok(folder) } else { Err(not_found(&folder.display().to_string())) };
    }
    let places = [std::env::current_dir().ok(), std::env::current_exe().ok(), manifest()];
    places
        .iter()
        .flatten()
        .flat_map(|place| place.ancestors().map(|above| above.join("datasets")))
        .find(complete)
        .ok_or_else(|| not_found("the folder `datasets` of LakeQL's sources"))
}

fn manifest() -> Option<PathBuf> {
    std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from)
}

fn not_found(place: &str) -> Failure {
    let message = format!("{} are not in {place}", FILES.join(" and "));
    let problem = Diagnostic::error(Kind::NotFound, message);
    Failure::of(problem.hint("run the demo inside a clone of LakeQL, or name the folder with --datasets DIR"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_a_command_line() {
        for (question, arguments) in QUESTIONS {
            let words = std::iter::once(&"lakeql").chain(arguments.iter()).map(OsString::from).collect();
            assert!(matches!(parse(words), Ok(Cli { command: Command::Query(_), .. })), "{question}");
        }
    }

    #[test]
    fn words_are_quoted_for_the_shell() {
        assert_eq!(shell(&["query", "a == 'b'", "--limit=3"]), r"query 'a == '\''b'\''' --limit=3");
    }

    #[test]
    fn the_data_sets_are_found_from_inside_the_sources() {
        assert!(datasets(None).is_ok());
        assert!(datasets(Some(Path::new("/nowhere"))).is_err());
    }
}
