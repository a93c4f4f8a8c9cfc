//! Writers that die, and writers at the same time.

use crate::program::{Place, Totals};
use lakeql_datasets::{ExperimentSpec, write_experiments};
use serde_json::Value;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// How often an import is killed.
const KILLS: u32 = 50;

/// Generated runs; another seed gives other hashes.
fn runs(count: u64, seed: u64) -> Vec<Value> {
    let spec =
        ExperimentSpec { runs: count, paths: 60, params_per_run: 12, series_per_run: 2, points_per_series: 3, seed };
    let mut bytes = Vec::new();
    write_experiments(&spec, &mut bytes).unwrap();
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

fn text(runs: &[Value]) -> String {
    runs.iter().map(|run| format!("{run}\n")).collect()
}

/// What a lake of these runs, which are all different, holds.
fn totals(runs: &[Value]) -> Totals {
    let series = || runs.iter().flat_map(|run| run["metrics"].as_array().unwrap());
    let points = series().map(|one| one["steps"].as_array().unwrap().len() as i64).sum();
    (runs.len() as i64, series().count() as i64, points)
}

/// Moments spread over the whole of an import, each a little off: the fractions of its duration.
fn moments() -> impl Iterator<Item = f64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..KILLS).map(move |round| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let jitter = (state >> 40) as f64 / (1_u64 << 24) as f64;
        (f64::from(round) + jitter) / f64::from(KILLS)
    })
}

/// The lake goes back and forth between two states with the same runs: whatever a killed import leaves behind must be one
/// of the two.
#[test]
fn a_killed_import_leaves_the_old_or_the_new() {
    let place = Place::new();
    let old = runs(1_500, 1);
    let mut new = runs(1_200, 2);
    for (run, before) in new.iter_mut().zip(&old).take(900) {
        run["hash"] = before["hash"].clone();
    }
    // To go from one state to the other, runs that are only in one of them have to be in both exports.
    let of_new: Vec<_> = old[900..].iter().chain(&new).cloned().collect();
    let of_old: Vec<_> = old.iter().chain(&new[900..]).cloned().collect();
    place.write("0.jsonl", text(&of_old));
    place.write("1.jsonl", text(&of_new));
    let states = [totals(&of_old), totals(&of_new)];
    assert_ne!(states[0], states[1]);
    place.import("0.jsonl");
    assert_eq!(place.totals(), states[0]);
    let started = Instant::now();
    place.import("1.jsonl");
    let duration = started.elapsed();
    assert_eq!(place.totals(), states[1]);

    let (mut state, mut version) = (1, place.version().unwrap());
    let (mut landed, mut killed) = (0, 0);
    for fraction in moments() {
        let next = 1 - state;
        let file = format!("{next}.jsonl");
        let mut import = place.command(["import", "aim", &file]).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(duration.mul_f64(fraction * 1.05));
        // SIGKILL; an import that is through already does not mind.
        import.kill().unwrap();
        let ended = import.wait().unwrap();
        killed += u32::from(!ended.success());
        let now = place.version().expect("the lake opens");
        let held = place.totals();
        if now == version {
            assert_eq!(held, states[state], "after {fraction} of an import that did not land");
            assert!(!ended.success(), "an import that succeeded has not landed");
        } else {
            assert_eq!(now, version + 1, "one import is one version");
            assert_eq!(held, states[next], "after {fraction} of an import that landed");
            (state, version, landed) = (next, now, landed + 1);
        }
    }
    println!("{killed} of {KILLS} imports killed, {landed} landed; a whole one takes {duration:?}");
    // Nothing that the dead have left is in the way.
    place.import(&format!("{}.jsonl", 1 - state));
    assert_eq!(place.totals(), states[1 - state]);
    place.ok(["compact"]);
    place.ok(["vacuum", "--retain", "0s"]);
    assert_eq!(place.totals(), states[1 - state]);
    for table in ["runs", "series", "points", "attributes", "paths"] {
        assert_eq!(place.files(table, ".parquet").len(), 1, "{table}");
    }
}

#[test]
fn imports_at_the_same_time_all_land() {
    let place = Place::new();
    let all = runs(900, 3);
    for (number, part) in all.chunks(300).enumerate() {
        place.write(&format!("{number}.jsonl"), text(part));
    }
    // The first ones even make the lake at the same time.
    let importing: Vec<_> = (0..3)
        .map(|number| {
            let file = format!("{number}.jsonl");
            place.command(["import", "aim", &file]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for import in importing {
        let output = import.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(place.totals(), totals(&all));
    assert_eq!(place.version(), Some(3));
}

#[test]
fn the_same_import_twice_at_the_same_time_is_one() {
    let place = Place::new();
    let old = runs(300, 4);
    let mut new = runs(300, 5);
    for (run, before) in new.iter_mut().zip(&old).take(200) {
        run["hash"] = before["hash"].clone();
    }
    place.write("old.jsonl", text(&old));
    place.write("new.jsonl", text(&new));
    place.import("old.jsonl");
    let importing: Vec<_> = (0..2)
        .map(|_| {
            let mut command = place.command(["import", "aim", "new.jsonl"]);
            command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for import in importing {
        let output = import.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let held: Vec<_> = old[200..].iter().chain(&new).cloned().collect();
    assert_eq!(place.totals(), totals(&held));
    assert_eq!(place.version(), Some(2), "the second had nothing new");
}

#[test]
fn importing_while_compacting() {
    let place = Place::new();
    let all = runs(600, 6);
    for (number, part) in all.chunks(100).enumerate() {
        place.write(&format!("{number}.jsonl"), text(part));
    }
    for number in 0..3 {
        place.import(&format!("{number}.jsonl"));
    }
    let mut compacting = place.command(["compact"]).stderr(Stdio::piped()).spawn().unwrap();
    for number in 3..6 {
        place.import(&format!("{number}.jsonl"));
    }
    // It may give up because it was overtaken; it may not break anything.
    let deadline = Instant::now() + Duration::from_secs(120);
    while compacting.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "compact does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(place.totals(), totals(&all));
}
