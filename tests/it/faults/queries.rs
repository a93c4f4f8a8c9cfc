//! Queries that are too deep, too long or hostile: answered or refused, never a crash.

use crate::program::{Place, Said};
use crate::support::repository;
use serde_json::Value;

fn place() -> Place {
    let place = Place::new();
    place.ok(["import", "aim", repository("datasets/tutorial_runs.jsonl").to_str().unwrap()]);
    place
}

/// Asks a text that is too long for a command line.
fn ask(place: &Place, lang: &str, text: &str) -> Said {
    place.write("query.txt", text);
    place.run(["query", "--lang", lang, "-f", "query.txt", "--error-format", "json"])
}

/// The kind of the first error; the program must have ended by itself.
fn kind(said: &Said) -> String {
    assert_eq!(said.code, Some(1), "{said:?}");
    let line = said.err.lines().next().unwrap();
    assert!(said.err.len() < 20_000, "{} bytes of error", said.err.len());
    let error: Value = serde_json::from_str(line).unwrap();
    error["kind"].as_str().unwrap().to_owned()
}

#[test]
fn five_thousand_brackets() {
    let place = place();
    let deep = |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(5_000), close.repeat(5_000));
    for text in [
        deep("[", "1", "]"),
        deep("{", "1", "}"),
        deep("f(", "1", ")"),
        deep("not ", "run.archived", ""),
        deep("-", "1", ""),
        deep("run[", "0", "]"),
        deep("lambda: ", "1", ""),
        deep("1 if 1 else ", "0", ""),
        deep("(1, ", "1", ")"),
        format!("run{} == 1", ".a".repeat(5_000)),
        format!("run{} == 1", "[0]".repeat(5_000)),
        format!("{}1 == 1", "1 + ".repeat(5_000)),
        format!("{}1 == 1", "2 ** ".repeat(5_000)),
    ] {
        assert_eq!(kind(&ask(&place, "aim", &text)), "limit", "{}…", &text[..20]);
    }
    // Parentheses alone make no depth: whether refused or not, they must not hurt.
    let said = ask(&place, "aim", &deep("(", "run.batch_size == 32", ")"));
    match said.code {
        Some(0) => assert_eq!(said.out, "{\"hash\":\"a32c910\"}\n"),
        _ => assert_eq!(kind(&said), "limit"),
    }
    for text in ["(", "[", "{", "run[", "f("] {
        let kind = kind(&ask(&place, "aim", &text.repeat(5_000)));
        assert!(kind == "syntax" || kind == "limit", "{text}: {kind}");
    }
    for text in [")", "]", "}"] {
        assert_eq!(kind(&ask(&place, "aim", &text.repeat(5_000))), "syntax", "{text}");
    }
}

#[test]
fn five_thousand_brackets_of_sql() {
    let place = place();
    let deep = |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(5_000), close.repeat(5_000));
    for text in [
        format!("select {}", deep("(", "1", ")")),
        format!("select {}", deep("[", "1", "]")),
        format!("select {}", deep("abs(", "1", ")")),
        format!("select {}", deep("not ", "true", "")),
        format!("select {}", deep("- ", "1", "")),
        format!("select {}", deep("case when true then ", "1", " end")),
        deep("select * from (", "select 1 as a", ")"),
        format!("select {}1", "1 + ".repeat(5_000)),
        format!("select 1 where {}", "(".repeat(5_000)),
    ] {
        let said = ask(&place, "sql", &text);
        if said.code != Some(0) {
            let kind = kind(&said);
            assert!(kind == "limit" || kind == "syntax", "{}…: {kind}", &text[..20]);
        }
    }
}

#[test]
fn a_query_of_one_megabyte() {
    let place = place();
    let alternatives = |bytes: usize| {
        let mut text = String::from("run.hash == 'a32c911'");
        let mut number = 0;
        while text.len() + 32 < bytes {
            text += &format!(" or run.hash == '{number:08}'");
            number += 1;
        }
        let rest = " ".repeat(bytes - text.len() - 1);
        text + &rest + "\n"
    };
    let said = ask(&place, "aim", &alternatives(1_000_000));
    assert_eq!((said.code, said.out.as_str()), (Some(0), "{\"hash\":\"a32c911\"}\n"), "{}", said.err);
    // One list instead of many comparisons.
    let numbers = (0..90_000).map(|number| format!("{number:08}")).collect::<Vec<_>>().join("','");
    let said = ask(&place, "aim", &format!("run.hash in ['a32c910','{numbers}']"));
    assert_eq!((said.code, said.out.as_str()), (Some(0), "{\"hash\":\"a32c910\"}\n"), "{}", said.err);
    let said = ask(&place, "sql", &format!("select hash from runs where hash in ('a32c912','{numbers}')"));
    assert_eq!((said.code, said.out.as_str()), (Some(0), "{\"hash\":\"a32c912\"}\n"), "{}", said.err);
    // Too long, by a little and by a lot; white space counts too, only not around the query.
    let said = ask(&place, "aim", &format!("{}True", alternatives(1_100_000).replace('\n', " or ")));
    assert_eq!(kind(&said), "limit");
    assert!(said.err.contains("1048576"), "{}", said.err);
    for lang in ["aim", "sql"] {
        assert_eq!(kind(&ask(&place, lang, &"x".repeat(6 << 20))), "limit", "{lang}");
    }
    // One very long word and one very long text are just that.
    let said = ask(&place, "aim", &format!("run.name == '{}'", "x".repeat(1_000_000)));
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.err);
    let said = ask(&place, "aim", &format!("run.{} == 1", "x".repeat(1_000_000)));
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}…", said.err.chars().take(500).collect::<String>());
}

#[test]
fn queries_that_would_take_the_machine() {
    let place = place();
    // Refused or dropped, in no time: each would need gigabytes or years.
    for text in [
        "9 ** 9 ** 9 > 1",
        "len('x' * 10 ** 12) > 1",
        "len([0] * 10 ** 12) > 1",
        "sum([i for i in range(10 ** 15)]) > 1",
        "len(str(2 ** (10 ** 7))) > 1",
        "'%1000000000000d' % 1 == ''",
        "f'{1:1000000000000}' == ''",
        "(lambda f: f(f))(lambda f: f(f))",
        "1 << 10 ** 12 > 0",
    ] {
        let said = place.run(["query", "--lang", "aim", text, "--timeout", "60s"]);
        assert!(matches!(said.code, Some(0 | 1)), "{text}: {said:?}");
        assert!(!said.err.contains("took longer") && !said.err.contains("panicked"), "{text}: {}", said.err);
        assert_eq!(said.out, "", "{text}");
    }
}

#[test]
fn texts_that_are_no_queries() {
    let place = place();
    place.write("bytes.txt", b"run.\xff");
    let said = place.fails(["query", "--lang", "aim", "-f", "bytes.txt"]);
    assert!(said.contains("bytes.txt") && said.contains("UTF-8"), "{said}");
    let said = place.fails(["query", "--lang", "aim", "-f", "nowhere.txt"]);
    assert!(said.contains("nowhere.txt"), "{said}");
    for text in ["run.\0x", "\u{feff}run.x", "run\u{200b}.x == 1", "🚀", "run.x == '\n'", "#", "\\", "'", "\"\"\""] {
        let said = ask(&place, "aim", text);
        assert!(matches!(said.code, Some(0 | 1)), "{text:?}: {said:?}");
        assert!(!said.err.contains("panicked"), "{text:?}: {}", said.err);
    }
}
