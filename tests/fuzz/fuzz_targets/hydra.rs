//! Any text as Hydra's ops over rows of every kind: nothing panics, nothing runs away, little memory changes no answer.
#![no_main]

#[path = "../hydra.rs"]
mod hydra;
#[path = "../refused.rs"]
mod refused;

// The number stands for rows.
libfuzzer_sys::fuzz_target!(|input: (u64, &str)| hydra::check(input.1, &hydra::rows(input.0)));
