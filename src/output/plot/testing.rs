//! Charts for tests.

use super::{Axis, AxisKind, Chart, Series};

/// A number between 0 and 1 that looks like chance and is always the same.
pub(super) fn noise(seed: u64) -> f64 {
    let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// Loss curves of so many runs with so many points; three learning rates.
pub(super) fn losses(runs: usize, points: usize) -> Chart {
    let series = (0..runs).map(|run| {
        let rate = [0.001, 0.01, 0.1][run % 3];
        let ys = (0..points).map(|step| {
            let time = step as f64 / points as f64 * 8.0;
            let noise = noise((run * 100_003 + step) as u64) - 0.5;
            (-time * (1.0 + f64::log10(rate) / 6.0)).exp() * 2.0 + 0.1 + 0.02 * (run % 7) as f64 + 0.06 * noise
        });
        Series {
            group: Some(rate.to_string()),
            label: format!("run {run:03} loss {{\"subset\":\"val\"}}"),
            xs: (0..points).map(|step| step as f64).collect(),
            ys: ys.collect(),
            ..Series::default()
        }
    });
    Chart {
        title: "metric.name == \"loss\" and metric.context.subset == \"val\"".into(),
        x: Axis { label: "step".into(), kind: AxisKind::Whole, ..Axis::default() },
        y: Axis { label: "loss".into(), ..Axis::default() },
        group: None,
        series: series.collect(),
    }
}
