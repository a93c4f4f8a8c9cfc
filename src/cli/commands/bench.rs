//! `bench`: times queries in this process, so that starting it does not count.

use crate::args::{BenchArgs, LanguageArgs, QueryFlags, ShapeArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::text;
use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};
use clap::Parser;
use lakeql_engine::{Bench, ChunkOptions, Session};
use lakeql_mixtures::{MixtureFile, Order};
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use lakeql_query::dialects::{self, Settings};
use lakeql_query::source::Source;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) async fn run(context: &Context, args: &BenchArgs) -> Result<(), Failure> {
    let file = text::from_path(&args.queries)?;
    let cases = cases(&file.text, &args.queries)?;
    let output = Output::open(&context.global)?;
    let session = context.session_from(&args.from).await?;
    let progress = Progress::spinner(context.talk, "timing");
    let mut timed = Vec::with_capacity(cases.len());
    for case in cases {
        let (settings, shape) = (case.language.settings(), case.shape.shape());
        let times = match &case.chunks {
            None => session.bench(&case.source, &case.lang, &settings, &shape, args.repeat.get()).await,
            Some(chunks) => bench_chunks(&session, &case, &settings, chunks, args.repeat.get()).await,
        };
        let times = times.map_err(|error| Failure::of_query(error, &case.source))?;
        timed.push((case.id, times));
    }
    drop(progress);
    output.batch(&rows(&timed)?)
}

/// One query to time.
struct Case {
    id: String,
    lang: String,
    source: Source,
    language: LanguageArgs,
    shape: ShapeArgs,
    chunks: Option<ChunkOptions>,
}

/// Chunks to draw of the samples of a query, named as the flags of `chunks`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ChunksLine {
    mixture: Value,
    chunk_size: u64,
    #[serde(default)]
    from: Option<u64>,
    #[serde(default)]
    count: Option<u64>,
    #[serde(default)]
    weight: Option<String>,
    #[serde(default)]
    seed: Option<u64>,
    /// `keys` or `files`.
    #[serde(default)]
    order: Option<String>,
}

impl ChunksLine {
    fn options(self) -> Result<ChunkOptions, String> {
        let order = match (self.seed, self.order.as_deref()) {
            (Some(seed), None) => Order::Seed(seed),
            (None, None | Some("keys")) => Order::Keys,
            (None, Some("files")) => Order::Files,
            (_, Some(other)) => return Err(format!("there is no order '{other}' here: orders are keys and files")),
        };
        Ok(ChunkOptions {
            mixture: MixtureFile::of_json(&self.mixture).map_err(|error| error.to_string())?,
            chunk_size: self.chunk_size,
            weight: self.weight,
            from: self.from,
            count: self.count,
            order,
            state: None,
            keep_state: false,
            turn: None,
            account: false,
        })
    }
}

/// Times a draw of chunks: one to warm up, then `repeat`.
async fn bench_chunks(
    session: &Session,
    case: &Case,
    settings: &Settings,
    options: &ChunkOptions,
    repeat: usize,
) -> lakeql_engine::Result<Bench> {
    let mut bench = Bench { rows: 0, plan: Duration::ZERO, runs: vec![], bytes_read: 0 };
    let mut plans = vec![];
    for round in 0..=repeat {
        let started = Instant::now();
        let (mut results, _) = session.chunks(&case.source, &case.lang, settings, options.clone()).await?;
        let planned = started.elapsed();
        bench.rows = 0;
        while let Some(batch) = results.next().await? {
            bench.rows += batch.num_rows() as u64;
        }
        if round > 0 {
            bench.runs.push(started.elapsed());
            plans.push(planned);
        }
    }
    bench.plan = median(&sorted(&plans));
    Ok(bench)
}

/// A line of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: Value,
    lang: String,
    text: String,
    #[serde(default)]
    options: Map<String, Value>,
    #[serde(default)]
    chunks: Option<ChunksLine>,
}

fn cases(text: &str, path: &Path) -> Result<Vec<Case>, Failure> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            case(line).map_err(|reason| {
                let place = format!("{}, line {}", path.display(), index + 1);
                Failure::of(
                    Diagnostic::error(Kind::Syntax, format!("{place}: {reason}"))
                        .hint(r#"a line is {"id": "a", "lang": "aim", "text": "run.x > 1", "options": {"limit": 10}}"#),
                )
            })
        })
        .collect()
}

fn case(line: &str) -> Result<Case, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let languages = || dialects::ALL.iter().map(|dialect| dialect.name()).chain(["sql"]);
    if !languages().any(|name| name == line.lang) {
        let near = did_you_mean(&line.lang, languages()).map(|near| format!(": did you mean '{near}'?"));
        return Err(format!("there is no language '{}'{}", line.lang, near.unwrap_or_default()));
    }
    let id = match line.id {
        Value::String(id) => id,
        other => other.to_string(),
    };
    let flags = QueryFlags::try_parse_from(flags(&line.options)?).map_err(|error| {
        // Only what is wrong, without usage and help.
        let text = error.render().to_string();
        text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
    })?;
    let source = Source { name: id.clone(), text: line.text };
    let chunks = line.chunks.map(ChunksLine::options).transpose()?;
    Ok(Case { id, lang: line.lang, source, language: flags.language, shape: flags.shape, chunks })
}

/// `{"limit": 10, "select": ["a", "b"]}` as it would stand on the command line.
fn flags(options: &Map<String, Value>) -> Result<Vec<String>, String> {
    let word = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let mut flags = vec![];
    for (name, value) in options {
        let text = match value {
            Value::Null | Value::Bool(false) => continue,
            Value::Bool(true) => {
                flags.push(format!("--{name}"));
                continue;
            }
            Value::Array(values) => values.iter().map(word).collect::<Option<Vec<_>>>().map(|words| words.join(",")),
            other => word(other),
        };
        let text = text.ok_or_else(|| format!("the option '{name}' is neither text nor number nor a list of them"))?;
        flags.push(format!("--{name}={text}"));
    }
    Ok(flags)
}

fn rows(timed: &[(String, lakeql_engine::Bench)]) -> Result<RecordBatch, Failure> {
    let milliseconds = |of: fn(&lakeql_engine::Bench) -> Duration| -> ArrayRef {
        let rounded = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        Arc::new(Float64Array::from_iter_values(timed.iter().map(|(_, bench)| rounded(of(bench)))))
    };
    let counts = |of: fn(&lakeql_engine::Bench) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(timed.iter().map(|(_, bench)| of(bench))))
    };
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(timed.iter().map(|(id, _)| id)));
    Ok(RecordBatch::try_from_iter([
        ("id", ids),
        ("rows", counts(|bench| bench.rows)),
        ("plan_ms", milliseconds(|bench| bench.plan)),
        ("min_ms", milliseconds(|bench| sorted(&bench.runs).first().copied().unwrap_or_default())),
        ("median_ms", milliseconds(|bench| median(&sorted(&bench.runs)))),
        ("max_ms", milliseconds(|bench| sorted(&bench.runs).last().copied().unwrap_or_default())),
        ("bytes_read", counts(|bench| bench.bytes_read)),
    ])?)
}

fn sorted(times: &[Duration]) -> Vec<Duration> {
    let mut times = times.to_vec();
    times.sort_unstable();
    times
}

/// The middle one of the sorted times, or the mean of the two in the middle.
fn median(sorted: &[Duration]) -> Duration {
    let middle = sorted.len() / 2;
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    if sorted.len() % 2 == 1 { at(middle) } else { (at(middle.saturating_sub(1)) + at(middle)) / 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_query_with_its_flags() {
        let case = case(
            r#"{"id": 7, "lang": "aim", "text": "run.a", "options":
               {"entity": "metric", "limit": 3, "select": ["run", "last"], "sort": "-last", "tz-offset-minutes": -60}}"#,
        )
        .unwrap();
        assert_eq!((case.id.as_str(), case.source.text.as_str(), case.lang.as_str()), ("7", "run.a", "aim"));
        assert_eq!(case.language.entity.as_deref(), Some("metric"));
        assert_eq!(case.language.tz_offset_minutes, -60);
        let shape = case.shape.shape();
        assert_eq!((shape.select, shape.limit), (vec!["run".to_owned(), "last".into()], Some(3)));
    }

    #[test]
    fn wrong_lines_are_explained() {
        for (line, expected) in [
            (r#"{"id": "a"}"#, "missing field"),
            (r#"{"id": "a", "lang": "aimm", "text": ""}"#, "did you mean 'aim'?"),
            (r#"{"id": "a", "lang": "aim", "text": "", "option": {}}"#, "unknown field"),
            (r#"{"id": "a", "lang": "aim", "text": "", "options": {"limitt": 1}}"#, "--limitt"),
            (r#"{"id": "a", "lang": "aim", "text": "", "options": {"limit": {}}}"#, "'limit'"),
        ] {
            let Err(reason) = case(line) else { panic!("accepted {line}") };
            assert!(reason.contains(expected), "{line}: {reason}");
        }
        let Err(Failure::Wrong { found, .. }) = cases("\n{}\n", Path::new("q.jsonl")) else { panic!("accepted") };
        assert!(found[0].message.starts_with("q.jsonl, line 2: "), "{}", found[0].message);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        let times = |ms: &[u64]| sorted(&ms.iter().map(|ms| Duration::from_millis(*ms)).collect::<Vec<_>>());
        assert_eq!(median(&times(&[9, 1, 2])), Duration::from_millis(2));
        assert_eq!(median(&times(&[4, 1, 2, 9])), Duration::from_millis(3));
        assert_eq!(median(&[]), Duration::ZERO);
    }
}
