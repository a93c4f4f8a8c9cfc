//! Any text through MQL's parser and lowering: nothing panics, nothing runs away.
#![no_main]

#[path = "../mql.rs"]
mod mql;
#[path = "../refused.rs"]
mod refused;

libfuzzer_sys::fuzz_target!(|text: &str| mql::check(text));
