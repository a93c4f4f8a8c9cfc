//! Expressions without a run, whose answers are those of Python itself.

use super::evaluate;
use crate::{Limits, Outcome, RaisedKind};

/// Each line of `python.txt` was run by CPython 3.11 and is true there.
#[test]
fn true_in_python() {
    let mut failed = vec![];
    for line in include_str!("python.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match evaluate(line) {
            Outcome::True => {}
            other => failed.push(format!("{other:?}: {line}")),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn raised(text: &str) -> RaisedKind {
    match evaluate(text) {
        Outcome::Raised(raised) => raised.kind,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn errors_have_their_kinds() {
    let cases: &[(RaisedKind, &[&str])] = &[
        (
            RaisedKind::Type,
            &[
                "1 + 'a'",
                "'a' < 1",
                "None > 1",
                "len(5)",
                "[1] < (1,)",
                "{[]: 1}",
                "hash([])",
                "-'a'",
                "1 in 5",
                "'a'.nosuch()",
                "(5)()",
                "1.0 << 2",
                "'a' * 1.5",
                "isinstance(1, list)",
                "sum(['a'])",
                "max(1, 'a')",
                "'%d' % 'x'",
                "'%s %s' % ('a',)",
                "'%s' % (1, 2)",
                "(lambda a: a)()",
                "(lambda: 1)(2)",
                "sorted([1, 'a'])",
                "1j < 2j",
                "[][None]",
                "abs('a')",
                "f'{[]:>5}'",
            ],
        ),
        (
            RaisedKind::Value,
            &[
                "int('x')",
                "float('')",
                "int(float('nan'))",
                "[].index(1)",
                "max([])",
                "datetime(2022, 13, 1)",
                "chr(-1)",
                "math.sqrt(-1)",
                "'a'.index('b')",
                "1 << -1",
                "str(10**5000)",
                "range(1000)",
                "f'{1:q}'",
                "[a for a, b in [(1, 2, 3)]]",
                "'a'.split('')",
                "range(0, 5, 0)",
                "'a'[::0]",
            ],
        ),
        (
            RaisedKind::Name,
            &["nosuch", "_", "open('x')", "(lambda: (a, a := 1))()", "print(1)", "Run.seed", "metric.name"],
        ),
        (RaisedKind::Index, &["[][0]", "'a'[1]", "(1,)[-2]", "''[0]"]),
        (RaisedKind::Key, &["{}['a']", "{1: 2}.pop(3)"]),
        (
            RaisedKind::ZeroDivision,
            &["1 / 0", "1 // 0", "1 % 0", "1.0 / 0", "0 ** -1", "divmod(1, 0)", "1j / 0", "timedelta(1) / 0"],
        ),
        (
            RaisedKind::Overflow,
            &["10**400 * 1.0", "int(float('inf'))", "2.0**5000", "datetime.max + timedelta(1)", "math.exp(1000)"],
        ),
        (
            RaisedKind::Unsupported,
            &["'{}'.format(1)", "string.Formatter", "list('ab')", "random.random()", "(l := [1]).append(2)"],
        ),
        (RaisedKind::Attribute, &["run._x", "'a'.__class__", "run.metrics.loss"]),
    ];
    for (kind, texts) in cases {
        for text in *texts {
            assert_eq!(raised(text), *kind, "{text}");
        }
    }
}

#[test]
fn soft_attributes_and_temporary_changes() {
    for text in [
        "'a'.nosuch is None",
        "(5).nosuch == None",
        "[1].append(2) is None",
        "'a/b'.split('/').pop() == 'b'",
        "{'a': 1}.pop('a') == 1",
        "datetime.year",
        "Exception",
        "[_ for _ in [1]] == [1]",
        "(lambda: (yield))()",
        "reorder([1, 2], [2])[0][0] == 2",
        "reorder([('a', 1), ('b', 2)], ['b', 'a'], ['a']) == [('b', 2)]",
        "same_type(1, 2) and not same_type(1, 'a')",
        "test(0, 1, 2) == 2 and test(1, 5) == 5 and test(0, 5) is None",
        "re.match('a+', 'aab') and not re.fullmatch('a+', 'aab') and re.search('b', 'aab').group() == 'b'",
        "re.match('(a)(b)?', 'ab').group(2) == 'b' and re.findall('[0-9]+', 'a1b22') == ['1', '22']",
        "re.match('A', 'a', re.I) and re.sub('a', 'x', 'aba') == 'xbx'",
        "max(*[1, 2]) == 2 and datetime(**{'year': 2022, 'month': 1, 'day': 1}) == datetime(2022, 1, 1)",
        "datetime.now() == datetime(2026, 11, 20)",
        "(x := 5) and [y := x + i for i in [1, 2]] and y == 7",
        "(f := lambda n: 1 if n < 2 else n * f(n - 1))(5) == 120",
    ] {
        assert_eq!(evaluate(text), Outcome::True, "{text}");
    }
}

#[test]
fn bounded() {
    for text in [
        "10**10**10",
        "'a' * 10**9",
        "[0] * 10**9",
        "(1,) * 10**12",
        "1 << 10**9",
        "1 << 10**30",
        "'%1000000000d' % 1",
        "'%.1000000000f' % 1.0",
        "f'{1:1000000000}'",
        "f'{1.5:.1000000000f}'",
        "'a'.ljust(10**12)",
        "'a'.zfill(10**12)",
        "'\\t'.expandtabs(10**12)",
        "[0 for a in range(999) for b in range(999) for c in range(999)]",
        "sum(1 for a in range(999) for b in range(999) for c in range(999))",
        "(f := lambda: f())()",
        "(f := lambda n: [f(n), f(n)])(1)",
        "[x := [x] if i else [] for i in range(999)]",
        "(a := 'x' * 1000000) and [a := a + a for i in range(99)]",
        "(g := (i for i in [1])) and [g := (i for i in g) for k in range(900) for j in range(900)] and next(g)",
        "(g := map(abs, [1])) and [g := map(abs, g) for i in range(900) for j in range(9)] and sum(g)",
        "math.factorial(10**9)",
        "pow(3, 10**300000, 10**3000 + 1)",
        "'x' in run",
        "'loss' in run.metrics",
        "[f := (lambda f=f: f) if i else 0 for i in range(999)]",
        "('a' * 99999).replace('', 'b' * 99999)",
        "','.join(['a' * 99999] * 9999)",
        "math.lcm(*[10**9999 + i for i in range(999)])",
    ] {
        match evaluate(text) {
            Outcome::Raised(raised) if raised.is_limit() || raised.kind == RaisedKind::Name => {}
            other => panic!("{text}: {other:?}"),
        }
    }
    let few = Limits { steps: 100, ..Limits::default() };
    assert!(matches!(super::evaluate_with("[i for i in range(500)]", &few), Outcome::Raised(r) if r.is_limit()));
}

#[test]
fn chains_of_closures_come_apart_without_recursion() {
    let text =
        "(f := lambda x: x) and [f := (lambda g: lambda x: g(x))(f) for a in range(99) for b in range(200)] and 1";
    assert_eq!(evaluate(text), Outcome::True);
    let text = "(g := (i for i in [1])) and [g := (i for i in g) for k in range(99) for j in range(400)] and 1";
    assert_eq!(evaluate(text), Outcome::True);
}
