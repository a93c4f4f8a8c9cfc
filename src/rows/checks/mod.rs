//! The recorded answers of the original.

mod cases;
mod hostile;

use std::io::Write;

#[test]
fn recorded_ops() {
    let report = cases::ops();
    writeln!(std::io::stdout(), "{}", report.counts("hydra ops")).unwrap();
    assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n"));
}
