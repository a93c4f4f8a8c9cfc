//! Bad input and bad luck. Whatever goes wrong: exit code 1, a message that says what and where, and the lake as it was.

mod input;
mod luck;
mod names;
mod queries;
mod versions;
mod writers;
