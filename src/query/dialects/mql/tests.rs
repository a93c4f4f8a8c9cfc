//! What parses, what does not, and what it comes to.

use super::{Dialect, Mql, Settings};
use crate::diagnostic::Kind;
use crate::source::Source;

fn lowered(text: &str) -> String {
    Mql.lower(&Source::query(text), &Settings::default()).map_or_else(|e| format!("{e:?}"), |query| query.to_string())
}

fn refused(text: &str) -> crate::diagnostic::Diagnostic {
    Mql.lower(&Source::query(text), &Settings::default()).expect_err(text).remove(0)
}

#[test]
fn binding() {
    let text = lowered("files from s:A where s.n = 1 - files from s:B where s.n = 2 limit 3");
    let expected = "\
the first 3 of
  in
    where
      some item of \"s.n\" (lists opened) = 1
    of
      files of
        datasets of namespace s named A
  but not in
    where
      some item of \"s.n\" (lists opened) = 2
    of
      files of
        datasets of namespace s named B
";
    assert_eq!(text, expected);
    assert_eq!(
        lowered("files limit 3 skip 1"),
        "all but the first 1 of\n  the first 3 of\n    in natural order\n      files\n"
    );
}

#[test]
fn commas_may_be_missing_at_the_end_of_a_line() {
    assert_eq!(lowered("union(files from s:A\nfiles from s:B)"), lowered("[files from s:A, files from s:B]"));
    let problem = refused("union(files from s:A files from s:B)");
    assert!(problem.hints[0].contains("comma"), "{problem:?}");
}

#[test]
fn limits() {
    assert_eq!(refused(&"(".repeat(5_000)).kind, Kind::Limit);
    assert_eq!(refused(&format!("files where {}", "!".repeat(5_000))).kind, Kind::Limit);
    assert_eq!(refused(&format!("files{}", " limit 1".repeat(5_000))).kind, Kind::Limit);
    assert_eq!(refused(&"x".repeat(2 << 20)).kind, Kind::Limit);
    let minus = format!("files from s:A{}", " - files from s:B".repeat(5_000));
    assert!(lowered(&minus).starts_with("in\n"));
}

#[test]
fn time_is_linear() {
    let names: Vec<_> = (0..10_000).map(|n| format!("s:file_{n}.root")).collect();
    assert!(lowered(&format!("files {}", names.join(", "))).contains("10000 in all"));
    let pairs = ["(a.b = 1 or c.d = 2)"; 10].join(" and ");
    let size = lowered(&format!("files where {pairs}")).lines().count();
    assert!(size < 100, "{size}");
}

#[test]
fn mistakes_are_explained() {
    for (text, message, hint) in [
        ("", "expected", "a query begins with"),
        ("fils from s:A", "expected", "did you mean `files`?"),
        ("files from A", "the dataset `A` has no namespace", "write namespace:A"),
        ("files where parents = 'x'", "files have no attribute `parents`", "`parents(files …)`"),
        ("files where name = 10", "`name` is a text", "put it in quotes"),
        ("files where a.b = 100%", "`100%` cannot stand", "write \"100%\""),
        ("files where 1 = a.b", "`1` cannot be the name", "the parameter comes first"),
        ("files where a.b !== 1", "there is no comparison `!==`", "did you mean `!=`?"),
        ("files skip -1", "`skip` cannot be negative", ""),
        ("datasets a:b where type = mc", "datasets have no attribute `type`", "have a dot"),
        ("union(files, datasets a:b)", "expected files, found datasets", "`files from datasets"),
    ] {
        let problem = refused(text);
        assert!(problem.message.contains(message), "{text}: {problem:?}");
        assert!(hint.is_empty() || problem.hints.iter().any(|it| it.contains(hint)), "{text}: {problem:?}");
    }
}

/// Recorded queries are accepted and refused as they should be, as far as that can be seen without data.
#[test]
fn recorded_queries() {
    // Filters and saved queries are looked up later.
    let later = ["filter", "named-query"];
    let mut wrong = vec![];
    let cases = include_str!("../../../../tests/gold/mql/cases.jsonl");
    let rulings = include_str!("../../../../tests/gold/mql/rulings.jsonl");
    for file in [cases, rulings] {
        for line in file.lines() {
            let case: serde_json::Value = serde_json::from_str(line).unwrap();
            let settings =
                Settings { namespace: case["default_namespace"].as_str().map(str::to_owned), ..Settings::default() };
            let query = case["query"].as_str().unwrap();
            let refused = Mql.lower(&Source::query(query), &settings).err();
            let expected = case.get("error").is_some();
            let known_later = later.contains(&case["feature"].as_str().unwrap());
            if refused.is_some() != expected && !(known_later && refused.is_none()) {
                wrong.push(format!("{} {query:?}: {refused:?}", case["id"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
