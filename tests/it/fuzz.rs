//! Damaged and recombined queries: the fuzz targets of `tests/fuzz` on stable, for a second with always the same texts.
//! `LAKEQL_FUZZ_SECONDS=600` goes on with others for so long.

#[path = "../fuzz/aimql.rs"]
mod aimql;
#[path = "../fuzz/hydra.rs"]
mod hydra;
#[path = "../fuzz/mixtera.rs"]
mod mixtera;
#[path = "../fuzz/mql.rs"]
mod mql;
#[path = "../fuzz/refused.rs"]
mod refused;

use crate::support::repository;
use lakeql_query::dialects::hydra::ops::CATALOGUE;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Texts that are tried without being asked for more.
const TEXTS: usize = 1_500;

struct Mutator {
    state: u64,
    seeds: Vec<String>,
    words: Vec<String>,
}

impl Mutator {
    fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as usize % end.max(1)
    }

    /// A place between two characters.
    fn place(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// A seed, damaged. `joined` puts two texts together.
    fn text(&mut self, joined: fn(&mut Self, &str) -> String) -> String {
        let mut text = self.seed();
        for _ in 0..=self.below(4) {
            let (a, b) = (self.place(&text), self.place(&text));
            let (start, end) = (a.min(b), a.max(b));
            match self.below(7) {
                0 => text.replace_range(start..end, ""),
                1 => {
                    let piece = text[start..end].to_owned();
                    text.insert_str(a, &piece);
                }
                2 | 3 => {
                    let word = self.below(self.words.len());
                    text.insert_str(a, &self.words[word].clone());
                }
                4 => {
                    let other = self.seed();
                    let (from, to) = (self.place(&other), self.place(&other));
                    text.replace_range(start..end, &other[from.min(to)..from.max(to)]);
                }
                5 => text = joined(self, &text),
                _ => {
                    let letter = char::from_u32(self.below(0x3000) as u32).unwrap_or('x');
                    text.insert(a, letter);
                }
            }
            if text.len() > 2_000 {
                break;
            }
        }
        text
    }

    fn seed(&mut self) -> String {
        let at = self.below(self.seeds.len());
        self.seeds[at].clone()
    }
}

/// A line of the dictionary.
fn word(line: &str) -> Option<String> {
    let mut bytes = vec![];
    let mut rest = line.strip_prefix('"')?.strip_suffix('"')?;
    while let Some(c) = rest.chars().next() {
        if let Some(code) = rest.strip_prefix("\\x") {
            bytes.push(u8::from_str_radix(code.get(..2)?, 16).ok()?);
            rest = code.get(2..)?;
        } else {
            bytes.extend(c.to_string().bytes());
            rest = rest.get(c.len_utf8()..)?;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Texts of a file of recorded answers.
fn recorded(path: &str, field: &str) -> Vec<String> {
    let cases = std::fs::read_to_string(repository(path)).unwrap();
    cases.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()[field].as_str().unwrap().to_owned()).collect()
}

/// Tries texts: always the same ones, or others for as long as the environment asks for.
fn try_texts(mut mutator: Mutator, mut check: impl FnMut(&mut Mutator)) {
    let more = std::env::var("LAKEQL_FUZZ_SECONDS").ok().map(|seconds| seconds.parse().unwrap());
    let end = more.map(|seconds| {
        mutator.state = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
        Instant::now() + Duration::from_secs(seconds)
    });
    let mut tried = 0;
    while end.map_or(tried < TEXTS, |end| Instant::now() < end) {
        check(&mut mutator);
        tried += 1;
    }
    println!("{tried} texts");
}

/// Words of a dictionary for fuzzing.
fn words(path: &str) -> Vec<String> {
    let dictionary = std::fs::read_to_string(repository(path)).unwrap();
    let words: Vec<_> = dictionary.lines().filter_map(word).collect();
    assert!(words.len() > 90, "{} words", words.len());
    words
}

#[test]
fn damaged_queries_do_no_harm() {
    let words = words("tests/fuzz/aimql.dict");
    let joined = |mutator: &mut Mutator, text: &str| {
        let operator = ["and", "or", "==", "<", "in", "+", "%"][mutator.below(7)];
        format!("({text}) {operator} ({})", mutator.seed())
    };
    let seeds = recorded("tests/gold/aimql/cases.jsonl", "query");
    try_texts(Mutator { state: 1, seeds, words }, |mutator| {
        let text = mutator.text(joined);
        if let Err(panic) = std::panic::catch_unwind(|| aimql::check(&text)) {
            panic!("{text:?}: {panic:?}");
        }
    });
}

#[test]
fn damaged_mql_does_no_harm() {
    let words = words("tests/fuzz/mql.dict");
    let joined = |mutator: &mut Mutator, text: &str| {
        let operator = ["and", "or", ",", "-", "where", "union", "join"][mutator.below(7)];
        format!("({text}) {operator} ({})", mutator.seed())
    };
    let seeds = recorded("tests/gold/mql/cases.jsonl", "query");
    try_texts(Mutator { state: 1, seeds, words }, |mutator| {
        let text = mutator.text(joined);
        if let Err(panic) = std::panic::catch_unwind(|| mql::check(&text)) {
            panic!("{text:?}: {panic:?}");
        }
    });
}

#[test]
fn damaged_ops_do_no_harm() {
    let mut words: Vec<String> =
        [";", ":", ",", "=", "%3B", "%2C", "+", "0", "1", "2", "-1", "99999", "::", "{", "}", "k", "s", "u", "t"]
            .map(str::to_owned)
            .to_vec();
    for info in CATALOGUE {
        words.extend(std::iter::once(info.name).chain(info.aliases.iter().copied()).map(|name| format!(";{name}=")));
    }
    let joined = |mutator: &mut Mutator, text: &str| format!("{text};{}", mutator.seed());
    let seeds = recorded("tests/gold/hydra/op_cases.jsonl", "ops");
    try_texts(Mutator { state: 1, seeds, words }, |mutator| {
        let text = mutator.text(joined);
        let number = mutator.below(usize::MAX) as u64;
        if let Err(panic) = std::panic::catch_unwind(|| hydra::check(&text, &hydra::rows(number))) {
            panic!("{text:?} over rows {number}: {panic:?}");
        }
    });
}

#[test]
fn damaged_queries_and_mixtures_of_samples_do_no_harm() {
    let mut seeds = vec![];
    for file in ["cases.jsonl", "chunk_cases.jsonl"] {
        let cases = std::fs::read_to_string(repository(&format!("tests/gold/mixtera/{file}"))).unwrap();
        for line in cases.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            seeds.push(case["query"].as_str().unwrap().to_owned());
            seeds.push(case["query_json"].to_string());
            if let Some(mixture) = case.get("mixture") {
                let events = case.get("events").cloned().unwrap_or_default();
                seeds.push(mixture.to_string());
                seeds.push(serde_json::json!({"mixture": mixture, "events": events}).to_string());
            }
        }
    }
    let words = "select( union( intersection( difference( .select( ) [ ] { } , : \" ' == != <= None null True -1 1e9 0 0.5 \
                 \"weight\":0.5 \"strict\":false \"key\" \"type\" \"static\" \"select\" \"union\" \\u0000 1e400 18446744073709551616";
    let words = words.split_whitespace().map(str::to_owned).collect();
    let joined = |mutator: &mut Mutator, text: &str| {
        let operation = ["union", "intersection", "difference"][mutator.below(3)];
        format!("{operation}({text}, {})", mutator.seed())
    };
    try_texts(Mutator { state: 1, seeds, words }, |mutator| {
        let text = mutator.text(joined);
        if let Err(panic) = std::panic::catch_unwind(|| mixtera::check(&text)) {
            panic!("{text:?}: {panic:?}");
        }
    });
}
