//! Any text as a query of Mixtera and as a mixture: nothing panics, every draw ends.
#![no_main]

#[path = "../mixtera.rs"]
mod mixtera;
#[path = "../refused.rs"]
mod refused;

libfuzzer_sys::fuzz_target!(|text: &str| mixtera::check(text));
