//! The command line.
//!
//! | module | what it does |
//! |---|---|
//! | `args` | what stands on the command line |
//! | `commands` | one file a verb |
//! | `config` | the configuration file |
//! | `output` | where the answer goes: stdout or a file, in which format |
//! | `talk`, `failure`, `progress`, `style` | everything on stderr, and the exit codes |
//!
//! Only this crate prints, and only here errors become text.

mod args;
mod commands;
mod config;
mod context;
mod failure;
mod output;
mod progress;
mod style;
mod talk;
mod text;

use args::{Cli, Command};
use context::Context;
use failure::Failure;
use lakeql_query::diagnostic::Kind;
use std::process::ExitCode;
use std::time::Duration;

/// The exit code after Ctrl-C: 128 and the number of the signal, as shells have it.
const INTERRUPTED: u8 = 130;

/// How long work gets to stop after Ctrl-C.
const GRACE: Duration = Duration::from_millis(500);

/// Runs the program with the process's arguments: 0 fine, 1 the query or the data is wrong, 2 the command line is wrong,
/// 130 interrupted.
pub fn run() -> ExitCode {
    let Cli { global, command } = match args::parse(std::env::args_os().collect()) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too, with 0; a closed pipe is no reason to complain.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    style::choose(global.color);
    let context = Context::new(global);
    let talk = context.talk;
    match execute(context, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(talk),
    }
}

/// Runs one verb on all cores, until it is done or Ctrl-C.
fn execute(context: Context, command: Command) -> Result<(), Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    // Expressions are evaluated by recursion, and a query may be some thousand levels deep.
    builder.thread_stack_size(16 << 20);
    if let Some(threads) = context.global.threads {
        builder.worker_threads(threads.get());
    }
    let runtime = builder
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Kind::Limit, format!("cannot start threads: {error}")))?;
    let result = runtime.block_on(async {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                let _ = stop.send(());
                // Work that computes and never waits does not notice.
                tokio::time::sleep(GRACE).await;
                std::process::exit(INTERRUPTED.into());
            }
        });
        tokio::select! {
            Ok(()) = stopped => Err(Failure::Interrupted),
            result = commands::run(context, command) => result,
        }
    });
    // Threads that still compute must not keep the process.
    runtime.shutdown_background();
    result
}
