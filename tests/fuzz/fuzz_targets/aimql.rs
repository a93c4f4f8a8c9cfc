//! Any text through AimQL's parser, lowering and evaluator: nothing panics, nothing runs away.
#![no_main]

#[path = "../aimql.rs"]
mod aimql;
#[path = "../refused.rs"]
mod refused;

libfuzzer_sys::fuzz_target!(|text: &str| aimql::check(text));
