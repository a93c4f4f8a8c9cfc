//! The program `lakeql`.

use std::process::ExitCode;

/// Fast where many threads allocate, as queries and imports do.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    lakeql_cli::run()
}
