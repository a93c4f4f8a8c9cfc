//! Pushing down changes no answer: random expressions over random lakes, asked of the engine (import, columns, predicates,
//! joins, programs for the rest) and of the evaluator alone, which gets the whole expression and every item.
//!
//! `LAKEQL_SOUND=EXPRESSIONS[,SEED]` asks more than the tests do by themselves; a failure prints the seed of its lake.

mod data;
mod dice;
mod expression;
mod judge;
mod value;

use crate::support::{empty_lake, session};
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use data::Run;
use dice::Dice;
use expression::{Expression, Maker};
use judge::{Name, Runs, Searched, judge, prepared};
use lakeql::{Error, Session, Settings, Shape};
use lakeql_lake::ingest::ImportOptions;
use lakeql_lake::ingest::aim::import_aim;
use lakeql_query::diagnostic::Kind;
use lakeql_query::source::Source;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// Expressions that are asked of one lake.
const PER_LAKE: usize = 500;

/// After so many failures there is enough to look at.
const FAILURES: usize = 8;

/// A lake and what is in it.
struct World {
    session: Session,
    runs: Runs,
}

/// Several imports, the later ones of which replace some of the runs before.
async fn world(dice: &mut Dice) -> World {
    let lake = empty_lake().await;
    let mut runs: Vec<Run> = vec![];
    let sizes = dice.pick(&[vec![24, 9, 3], vec![30], vec![2, 30]]).clone();
    for size in sizes {
        let mut lines = String::new();
        for _ in 0..size {
            let again = if runs.is_empty() || !dice.one_in(6) { None } else { Some(dice.below(runs.len())) };
            let hash = again.map_or_else(|| format!("{:024x}", runs.len() * 7919 + 17), |at| runs[at].hash.clone());
            let run = data::run(dice, &hash);
            if lines.contains(&format!(r#""hash":"{hash}""#)) {
                continue;
            }
            writeln!(lines, "{}", run.line()).unwrap();
            match again {
                Some(at) => runs[at] = run,
                None => runs.push(run),
            }
        }
        let file = tempfile::NamedTempFile::with_suffix(".jsonl").unwrap();
        std::fs::write(file.path(), lines).unwrap();
        import_aim(&lake, &[file.path().to_owned()], &ImportOptions::default(), &|_| {}).await.unwrap();
    }
    World { session: session(&lake).await, runs: prepared(runs) }
}

/// The engine's answer, or why there is none.
async fn ask(world: &World, searched: Searched, text: &str, offset: i64) -> Result<Vec<Name>, Error> {
    let settings =
        Settings { entity: Some(searched.variable().to_owned()), tz_offset_minutes: offset, ..Settings::default() };
    let select = match searched {
        Searched::Runs => vec!["hash".to_owned()],
        Searched::Metrics | Searched::Images => vec!["run".to_owned(), "context_hash".to_owned()],
    };
    let shape = Shape { select, ..Shape::default() };
    let results = world.session.query(&Source::query(text), "aim", &settings, &shape).await?;
    let mut names = vec![];
    for batch in results.collect().await? {
        let hashes = batch.column(0).as_string_view();
        for row in 0..batch.num_rows() {
            let id = (batch.num_columns() > 1).then(|| batch.column(1).as_primitive::<Int64Type>().value(row));
            names.push((hashes.value(row).to_owned(), id));
        }
    }
    Ok(names)
}

/// What is known after a comparison.
enum Compared {
    Same {
        raised: bool,
    },
    /// Refused by both, or by rules of the language that the evaluator does not know.
    Refused,
    Different(String),
}

async fn compare(world: &World, searched: Searched, text: &str, offset: i64) -> Compared {
    let answer = ask(world, searched, text, offset).await;
    let Some(verdict) = judge(&world.runs, searched, text, offset) else {
        return match answer {
            Err(Error::Query(_)) => Compared::Refused,
            other => Compared::Different(format!("not an expression, but answered with {other:?}")),
        };
    };
    match answer {
        Ok(mut names) => {
            let mut kept = verdict.kept;
            if searched != Searched::Runs {
                // The order of the sequences of a run means nothing.
                let newest_first = names.windows(2).all(|pair| {
                    let place = |name: &Name| world.runs.iter().position(|(run, _)| run.hash == name.0);
                    place(&pair[0]) <= place(&pair[1])
                });
                if !newest_first {
                    return Compared::Different(format!("not by age: {names:?}"));
                }
                names.sort();
                kept.sort();
            }
            if names == kept {
                return Compared::Same { raised: verdict.raised > 0 };
            }
            if let Some(limit) = verdict.limit {
                return Compared::Different(format!("no error, but the evaluator says {limit}"));
            }
            let of = |name: &Name| {
                let (run, _) = world.runs.iter().find(|(run, _)| run.hash == name.0).unwrap();
                let sequence = run.sequences.iter().find(|sequence| Some(sequence.id) == name.1);
                format!("{}\n    {sequence:?}", run.line())
            };
            let mut told = String::new();
            for extra in names.iter().filter(|name| !kept.contains(name)).take(1) {
                write!(told, "\n  only the engine keeps {extra:?}: {}", of(extra)).unwrap();
            }
            for lost in kept.iter().filter(|name| !names.contains(name)).take(1) {
                write!(told, "\n  only the evaluator keeps {lost:?}: {}", of(lost)).unwrap();
            }
            Compared::Different(format!("engine {} items, evaluator {}{told}", names.len(), kept.len()))
        }
        Err(Error::Query(found)) if found.iter().all(|problem| problem.kind == Kind::Syntax) => Compared::Refused,
        Err(error) if verdict.limit.is_some() && error.kind() == Kind::Limit => Compared::Refused,
        Err(error) => Compared::Different(format!("the engine fails: {error} ({error:?})")),
    }
}

/// The smallest expression like this one that still fails, and how.
async fn shrink(world: &World, searched: Searched, failing: Expression, offset: i64) -> (Expression, String) {
    let mut smallest = (failing, String::new());
    let mut tries = 400;
    'again: loop {
        for smaller in smallest.0.smaller() {
            tries -= 1;
            if tries == 0 {
                return smallest;
            }
            if let Compared::Different(how) = compare(world, searched, &smaller.to_string(), offset).await {
                smallest = (smaller, how);
                continue 'again;
            }
        }
        return smallest;
    }
}

/// Asks so many expressions of one lake; tells what failed, and how many were answered, raised somewhere and were refused.
async fn explore(seed: u64, count: usize) -> (Vec<String>, [usize; 3]) {
    let mut dice = Dice::new(seed);
    let world = world(&mut dice).await;
    let (mut failures, mut counts) = (vec![], [0; 3]);
    for _ in 0..count {
        let searched = *dice.pick(&[
            Searched::Runs,
            Searched::Runs,
            Searched::Runs,
            Searched::Metrics,
            Searched::Metrics,
            Searched::Images,
        ]);
        let offset = *dice.pick(&[0, 0, 0, -330, 60]);
        let expression = Maker::new(&mut dice, searched).query();
        match compare(&world, searched, &expression.to_string(), offset).await {
            Compared::Same { raised } => {
                counts[0] += 1;
                counts[1] += usize::from(raised);
            }
            Compared::Refused => counts[2] += 1,
            Compared::Different(how) => {
                let original = expression.to_string();
                let (small, small_how) = shrink(&world, searched, expression, offset).await;
                let how = if small_how.is_empty() { how } else { small_how };
                failures
                    .push(format!("{searched:?} {small}\n  (from {original}; lake {seed}, offset {offset})\n  {how}"));
                if failures.len() == FAILURES {
                    break;
                }
            }
        }
    }
    (failures, counts)
}

fn wanted() -> (usize, u64) {
    let Ok(text) = std::env::var("LAKEQL_SOUND") else { return (10_500, 1) };
    let mut parts = text.split(',').map(|part| part.trim().parse().expect("EXPRESSIONS[,SEED]"));
    (parts.next().unwrap_or(10_500) as usize, parts.next().unwrap_or(1))
}

#[test]
fn pushing_down_changes_no_answer() {
    let (count, first) = wanted();
    let started = std::time::Instant::now();
    let lakes = count.div_ceil(PER_LAKE) as u64;
    let next = AtomicU64::new(first);
    let work = || {
        // A thread of its own for every worker: small queries gain nothing from several.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (mut failures, mut counts) = (vec![], [0; 3]);
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + lakes || failures.len() >= FAILURES {
                return (failures, counts);
            }
            let (more, asked) = runtime.block_on(explore(seed, PER_LAKE.min(count)));
            failures.extend(more);
            counts.iter_mut().zip(asked).for_each(|(sum, count)| *sum += count);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (failures, counts) = std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..cores).map(|_| std::thread::Builder::new().stack_size(16 << 20).spawn_scoped(scope, work)).collect();
        let (mut failures, mut counts) = (vec![], [0; 3]);
        for worker in workers {
            let (more, asked) = worker.unwrap().join().unwrap();
            failures.extend(more);
            counts.iter_mut().zip(asked).for_each(|(sum, count)| *sum += count);
        }
        (failures, counts)
    });
    println!(
        "{} answered alike ({} of them raise somewhere), {} refused, {:.1} s",
        counts[0],
        counts[1],
        counts[2],
        started.elapsed().as_secs_f64()
    );
    assert!(failures.is_empty(), "{} expressions differ:\n{}", failures.len(), failures.join("\n"));
    assert!(counts[2] * 20 < counts[0], "too many are refused: {counts:?}");
}
