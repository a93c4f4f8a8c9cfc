//! Ops over JSON rows on stdin without the rest of the program, for measuring:
//!
//! ```sh
//! cargo build --release -p lakeql-rows --example ops
//! ops --generate 50000000 > rows.jsonl
//! ops 'sort=0;merge=ks' 800000000 < rows.jsonl > answer.jsonl
//! ```
//!
//! The number is the memory in bytes.

use lakeql_query::dialects::hydra::ops::{Strictness, parse};
use lakeql_query::source::Source;
use lakeql_rows::text::json;
use lakeql_rows::{Columns, Flow, Limits, OpError, Options, Pipeline, Row, Sink};
use std::error::Error;
use std::io::{BufRead, BufWriter, Write};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rows with one of ten million keys and a small number.
fn generate(count: u64) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::with_capacity(1 << 18, std::io::stdout().lock());
    let mut state = 1_u64;
    for number in 0..count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        writeln!(out, "[\"key{}\",{}]", (state >> 33) % 10_000_000, number % 1000)?;
    }
    Ok(out.flush()?)
}

struct Out<W>(W, String);

impl<W: Write> Sink for Out<W> {
    fn send(&mut self, row: Row) -> Result<Flow, OpError> {
        json::write_row(&row, &mut self.1);
        self.1.push('\n');
        if self.1.len() > 1 << 16 {
            let written = self.0.write_all(self.1.as_bytes());
            self.1.clear();
            return Ok(if written.is_ok() { Flow::More } else { Flow::Stop });
        }
        Ok(Flow::More)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [first, second] = arguments.as_slice() else { return Err("ops PIPELINE MEMORY, or --generate ROWS".into()) };
    if first == "--generate" {
        return generate(second.parse()?);
    }
    let ops = parse(&Source::query(first.as_str()), Strictness::default()).map_err(|problem| problem.message)?;
    let limits = Limits { memory: second.parse()?, ..Limits::default() };
    let mut pipeline = Pipeline::new(&ops, &Columns::numbered(2), Options { limits, ..Options::default() })?;
    let mut out = Out(std::io::stdout().lock(), String::new());
    let mut input = std::io::stdin().lock();
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        if pipeline.push(json::parse_row(line.trim_end())?, &mut out)? == Flow::Stop {
            break;
        }
        line.clear();
    }
    pipeline.finish(&mut out)?;
    Ok(out.0.write_all(out.1.as_bytes())?)
}
