//! What a run has: system attributes, parameters, series.

use parquet::errors::Result;

use super::rows::{Cell, Rows};
use super::{NEPTUNE_PROJECT, NeptuneSpec, NeptuneSummary};
use crate::dice::Dice;

/// 2024-01-01, in milliseconds since 1970.
const FIRST_DAY: i64 = 1_704_067_200_000;

const OWNERS: [&str; 5] = ["alice", "bob", "carol", "dave", "eve"];
const OPTIMIZERS: [&str; 4] = ["adam", "sgd", "adamw", "rmsprop"];
const TAGS: [&str; 4] = ["baseline", "pretrained", "sweep", "best"];

/// Batches of this many rows become row groups.
const GROUP_ROWS: usize = 100_000;

/// Writes a run batch by batch and counts it.
pub(super) fn write_run(
    spec: &NeptuneSpec,
    number: u64,
    run: &str,
    dice: &mut Dice,
    summary: &mut NeptuneSummary,
    write: &mut dyn FnMut(Rows) -> Result<()>,
) -> Result<()> {
    let created = FIRST_DAY + i64::try_from(number).unwrap_or_default() * 3_600_000;
    write(attributes(spec, run, created, dice, summary))?;
    let mut rows = Rows::new(NEPTUNE_PROJECT, run);
    let mut count = 0;
    for series in 0..spec.series_per_run {
        let path = if series == 0 { "metrics/loss".to_owned() } else { format!("metrics/m{series:02}") };
        let mut value = 1.0 + dice.unit();
        for point in 0..spec.points_per_series {
            value *= 0.9 + 0.15 * dice.unit();
            // One point in a thousand is NaN, which the exporter writes as null.
            let nan = dice.chance(0.001) && point + 1 < spec.points_per_series;
            let step = i64::try_from(point).unwrap_or_default();
            rows.push(&path, Cell::FloatPoint(step * 1_000_000, created + step * 10_000, (!nan).then_some(value)));
            summary.nan_points += u64::from(nan);
            count += 1;
            if count == GROUP_ROWS {
                write(std::mem::replace(&mut rows, Rows::new(NEPTUNE_PROJECT, run)))?;
                count = 0;
            }
        }
        summary.low_loss += u64::from(series == 0 && spec.points_per_series > 0 && value < 0.5);
        summary.points += spec.points_per_series as u64;
        summary.series += u64::from(spec.points_per_series > 0);
    }
    if count > 0 {
        write(rows)?;
    }
    let mut rows = Rows::new(NEPTUNE_PROJECT, run);
    for (step, line) in ["starting", "training", "done"].into_iter().enumerate() {
        let step = i64::try_from(step).unwrap_or_default();
        rows.push("monitoring/stdout", Cell::TextPoint(step * 1_000_000, created + step * 60_000, line));
    }
    summary.series += 1;
    write(rows)?;
    let mut rows = Rows::new(NEPTUNE_PROJECT, run);
    rows.push("model/weights", Cell::File(&format!("{run}/model/weights")));
    // Another run of its batch has this file.
    rows.push("model/extra", Cell::Null("file"));
    summary.attributes += 1;
    write(rows)
}

fn attributes(spec: &NeptuneSpec, run: &str, created: i64, dice: &mut Dice, summary: &mut NeptuneSummary) -> Rows {
    let mut rows = Rows::new(NEPTUNE_PROJECT, run);
    let mut count = 0;
    let mut push = |path: &str, cell: Cell<'_>| {
        rows.push(path, cell);
        count += u64::from(!matches!(cell, Cell::Null(_)));
    };
    let hours = i64::try_from(dice.below(20)).unwrap_or_default() * 3_600_000;
    let mut tags: Vec<&str> = TAGS[..3].iter().copied().filter(|_| dice.chance(0.3)).collect();
    if dice.chance(0.02) {
        tags.push(TAGS[3]);
        summary.tagged += 1;
    }
    push("sys/id", Cell::Text(run));
    push("sys/custom_run_id", Cell::Text(run));
    push("sys/name", Cell::Text(&format!("vision {run}")));
    push("sys/owner", Cell::Text(OWNERS[dice.index(OWNERS.len())]));
    push("sys/hostname", Cell::Text(&format!("gpu-node-{}", dice.below(40))));
    push("sys/creation_time", Cell::Time(created));
    push("sys/modification_time", Cell::Time(created + hours));
    push("sys/ping_time", Cell::Time(created + hours));
    push("sys/running_time", Cell::Float(hours as f64 / 1e3));
    push("sys/size", Cell::Float((1 + dice.below(1 << 30)) as f64));
    push("sys/failed", Cell::Bool(dice.chance(0.1)));
    push("sys/trashed", Cell::Bool(dice.chance(0.02)));
    push("sys/tags", Cell::Set(&tags));
    let lr = 10f64.powf(-5.0 + 4.0 * dice.unit());
    summary.small_lr += u64::from(lr < 0.001);
    push("parameters/lr", Cell::Float(lr));
    push("parameters/optimizer", Cell::Text(OPTIMIZERS[dice.index(OPTIMIZERS.len())]));
    push("parameters/batch_size", Cell::Int(16 << dice.below(5)));
    for param in 3..spec.params_per_run {
        let path = format!("parameters/p{param:03}");
        // The exporter makes a row for what only other runs have.
        let null = dice.chance(0.2);
        match param % 4 {
            0 if null => push(&path, Cell::Null("int")),
            0 => push(&path, Cell::Int(dice.below(1000) as i64)),
            1 if null => push(&path, Cell::Null("string")),
            1 => push(&path, Cell::Text(&format!("value {}", dice.below(50)))),
            2 if null => push(&path, Cell::Null("bool")),
            2 => push(&path, Cell::Bool(dice.chance(0.5))),
            _ if null => push(&path, Cell::Null("float")),
            _ => push(&path, Cell::Float(dice.unit())),
        }
    }
    summary.attributes += count;
    rows
}
