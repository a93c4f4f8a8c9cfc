//! What has to hold for any ops over any rows. Used by the fuzz target and by the test on stable.

use lakeql_query::diagnostic::render;
use lakeql_query::dialects::hydra::ops::{Op, Pipeline as Ops, Strictness, parse};
use lakeql_query::source::Source;
use lakeql_rows::{Cell, Columns, Limits, Options, Pipeline, Row};

/// Little enough that thousands of texts are checked in a second.
const LIMITS: Limits = Limits { memory: 4 << 20, row_cells: 2_000, cell_bytes: 100_000 };

/// So little that rows go to disk.
const TIGHT: Limits = Limits { memory: 30_000, ..LIMITS };

/// Whether an answer depends on more than ops and rows, or takes its time on purpose.
fn plays(ops: &Ops) -> bool {
    ops.ops.iter().any(|call| match &call.op {
        Op::Sleep { .. } | Op::RandomFailure { .. } => true,
        Op::GroupBy { ops, .. } => plays(ops),
        _ => false,
    })
}

/// Rows that a number stands for: ragged, of cells of every kind.
pub(crate) fn rows(mut seed: u64) -> Vec<Row> {
    let mut below = |end: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % end
    };
    let count = [0, 1, 2, 5, 30, 300][below(6) as usize];
    let width = 1 + below(5);
    let mut rows = vec![];
    for _ in 0..count {
        let cells = if below(8) == 0 { below(width + 1) } else { width };
        let cell = |kind: u64, number: u64| match kind {
            0 => Cell::Empty,
            1..=4 => Cell::Int(number as i64 % 50 - 10),
            5 => Cell::Float(number as f64 / 8.0 - 20.0),
            6 => Cell::from(number.to_string()),
            7 => Cell::from(
                ["", "-5", "1.5", "1,2", "130201", "日本🦀", "x\0y", "9223372036854775808"][number as usize % 8],
            ),
            8 => Cell::List([Cell::Int(number as i64), Cell::from("a")].into()),
            9 => [Cell::Int(i64::MIN), Cell::Int(i64::MAX), Cell::Float(f64::NAN), Cell::Float(-1e300)]
                [number as usize % 4]
                .clone(),
            _ => Cell::from(["k", "kk", "a", "b", "c"][number as usize % 5]),
        };
        rows.push((0..cells).map(|_| cell(below(16), below(400))).collect());
    }
    rows
}

/// Reads the ops and runs them over the rows.
pub(crate) fn check(text: &str, rows: &[Row]) {
    let source = Source::query(text);
    for strict in [false, true] {
        let ops = match parse(&source, Strictness { strict }) {
            Ok(ops) => ops,
            Err(problem) => {
                super::refused::check(&[problem], &source);
                continue;
            }
        };
        if plays(&ops) {
            continue;
        }
        let width = rows.iter().map(Row::len).max().unwrap_or(0);
        let run = |limits: Limits| {
            let options = Options { strict, limits };
            let answer = Pipeline::new(&ops, &Columns::numbered(width), options)
                .and_then(|pipeline| pipeline.run(rows.iter().cloned()));
            answer.map(|rows| format!("{rows:?}")).map_err(|error| {
                let problem = error.diagnostic();
                assert!(text.get(error.span.range()).is_some(), "{error:?} is not in the text");
                assert!(render(&problem, &source, false).starts_with("error"), "{problem:?}");
                error
            })
        };
        let first = run(LIMITS);
        // The same again, and with rows on disk: the same, unless that is too little.
        for limits in [LIMITS, TIGHT] {
            match (&first, run(limits)) {
                (Ok(a), Ok(b)) => assert!(*a == b, "{text}: {a} and then {b}"),
                (Err(_), Err(_)) => {}
                (Ok(_), Err(error)) => {
                    assert!(
                        limits == TIGHT && error.diagnostic().kind == lakeql_query::diagnostic::Kind::Limit,
                        "{error:?}"
                    )
                }
                (Err(error), Ok(_)) => panic!("{text}: {error:?} and then an answer"),
            }
        }
    }
}
