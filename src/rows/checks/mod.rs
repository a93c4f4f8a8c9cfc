//! The recorded answers of the original.

mod cases;
mod hostile;
mod parts;
mod strict;
mod walks;

use std::io::Write;

#[test]
fn recorded_ops() {
    let report = cases::ops();
    writeln!(std::io::stdout(), "{}", report.counts("hydra ops")).unwrap();
    assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n"));
}

#[test]
fn recorded_trees_and_paths() {
    let trees = cases::trees();
    let (wrong, all) = cases::different_nodes(&trees);
    writeln!(std::io::stdout(), "hydra trees: {} of {all} nodes as recorded", all - wrong.len()).unwrap();
    let report = cases::paths(&trees);
    writeln!(std::io::stdout(), "{}", report.counts("hydra paths")).unwrap();
    assert!(wrong.is_empty(), "{}", wrong[..wrong.len().min(10)].join("\n"));
    assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n"));
}
