//! Expressions that ask for too much or for what is closed: a diagnostic or a row that is left out, never a crash.

use crate::support::{lake_of, rows, session};
use lakeql::{Error, Session, Settings, Shape};
use lakeql_query::diagnostic::Kind;

/// What becomes of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// So many of the three runs.
    Runs(usize),
    /// An error of this kind.
    Error(Kind),
}

const LIMIT: Fate = Fate::Error(Kind::Limit);
const SYNTAX: Fate = Fate::Error(Kind::Syntax);
const FORBIDDEN: Fate = Fate::Error(Kind::Forbidden);
const NONE: Fate = Fate::Runs(0);
const ALL: Fate = Fate::Runs(3);

async fn fate(session: &Session, text: &str) -> Fate {
    match rows(session, text, "aim", &Settings::default(), &Shape::default()).await {
        Ok(rows) => Fate::Runs(rows.len()),
        Err(Error::Query(found)) => {
            for label in found.iter().flat_map(|problem| &problem.labels) {
                assert!(text.get(label.span.range()).is_some(), "{text}: {label:?}");
            }
            Fate::Error(found[0].kind)
        }
        Err(other) => panic!("{text}: {other}"),
    }
}

async fn check(cases: &[(&str, Fate)]) {
    let session = session(&lake_of(&["datasets/tutorial_runs.jsonl"]).await).await;
    let mut wrong = vec![];
    for (text, expected) in cases {
        let fate = fate(&session, text).await;
        if fate != *expected {
            wrong.push(format!("{fate:?} and not {expected:?}: {}", text.chars().take(80).collect::<String>()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_work_or_memory() {
    check(&[
        ("10 ** 10 ** 10 > 1", LIMIT),
        ("2 ** 10 ** 9 == 0", LIMIT),
        ("1 << 10 ** 10", LIMIT),
        ("pow(7, 10 ** 8)", LIMIT),
        ("'a' * 10 ** 9 == run.name", LIMIT),
        ("10 ** 9 * 'a' == run.name", LIMIT),
        ("len([0] * 10 ** 10) > 0", LIMIT),
        ("len((1, 2) * 10 ** 9) > 0", LIMIT),
        ("str(run.batch_size) * 2 ** 40", LIMIT),
        ("'x'.ljust(10 ** 10)", LIMIT),
        ("'x'.zfill(10 ** 10)", LIMIT),
        ("'a'.replace('a', 'b' * 10 ** 7).replace('b', 'c' * 10 ** 7)", LIMIT),
        ("','.join(['x' * 10 ** 6] * 1000)", LIMIT),
        ("f'{1:1000000000}'", LIMIT),
        ("'%1000000000d' % 1", LIMIT),
        ("'%.1000000000f' % 1.5", LIMIT),
        ("f'{run.batch_size:>{10 ** 10}}'", LIMIT),
        ("len([1 for a in range(999) for b in range(999) for c in range(999)])", LIMIT),
        ("sum([sum([sum([1 for c in range(999)]) for b in range(999)]) for a in range(999)])", LIMIT),
        ("any(x < 0 for a in range(999) for b in range(999) for x in range(999))", LIMIT),
        ("{(a, b, c) for a in range(999) for b in range(999) for c in range(9)}", LIMIT),
        ("(lambda f: f(f))(lambda f: f(f))", LIMIT),
        ("(f := lambda n: f(n + 1))(0)", LIMIT),
        ("sorted([x for x in range(999)] * 1000)", LIMIT),
        ("'x' in run", LIMIT),
        ("'loss' in run.metrics", LIMIT),
        ("[m for m in run.metrics]", LIMIT),
        // Where the limit is not reached, there is none.
        ("run.batch_size == 0 and 'a' * 10 ** 9 == run.name", NONE),
        ("run.batch_size != 0 or 10 ** 10 ** 10", ALL),
        ("any(a * b == 159201 for a in range(400) for b in range(400))", ALL),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_literals() {
    let digits = "9".repeat(5_000);
    check(&[
        (&format!("{digits} > 1"), ALL),
        (&format!("run.batch_size < {digits}"), ALL),
        (&format!("-{digits} < run.batch_size"), ALL),
        (&format!("{digits} == {digits}0 // 10"), ALL),
        (&format!("0x{} > 0", "f".repeat(5_000)), ALL),
        (&format!("run.batch_size < 1e{digits}"), ALL),
        (&format!("run.batch_size < 0.{digits}"), NONE),
        ("run.batch_size < 1e999", ALL),
        ("float('inf') > 1e308 > -float('inf')", ALL),
        ("float('nan') != float('nan')", ALL),
        ("float('nan') < 1 or float('nan') >= 1", NONE),
        ("int(float('nan')) == 0", NONE),
        ("int(float('inf')) == 0", NONE),
        ("-0.0 == 0", ALL),
        ("str(-0.0) == '-0.0'", ALL),
        ("9223372036854775807 + 1 == 2 ** 63", ALL),
        ("-9223372036854775808 - 1 == -2 ** 63 - 1", ALL),
        ("abs(-9223372036854775808) == 2 ** 63", ALL),
        ("-9223372036854775808 // -1 == 2 ** 63", ALL),
        ("run.batch_size == 32.0 ** 1.0 + 0j", Fate::Runs(1)),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_raises_is_left_out() {
    check(&[
        ("1 / 0", NONE),
        ("1 // 0 == 0 or True", NONE),
        ("True or 1 / 0", ALL),
        ("1 % 0", NONE),
        ("1.0 % 0.0", NONE),
        ("divmod(1, 0)", NONE),
        ("0 ** -1", NONE),
        ("0.0 ** -1.0", NONE),
        ("pow(2, 3, 0)", NONE),
        ("not 1 / 0", NONE),
        ("math.sqrt(-1)", NONE),
        ("math.log(0)", NONE),
        ("math.factorial(-1)", NONE),
        ("10.0 ** 400", NONE),
        ("math.exp(1000)", NONE),
        ("datetime(10000, 1, 1) > run.created_at", NONE),
        ("datetime(0, 1, 1) < run.created_at", NONE),
        ("datetime(2022, 2, 30) < run.created_at", NONE),
        ("datetime(2022, 13, 1) < run.created_at", NONE),
        ("datetime(9999, 12, 31) > run.created_at", ALL),
        ("datetime(1, 1, 1) < run.created_at", ALL),
        ("datetime(9999, 12, 31) + timedelta(days=1) > run.created_at", NONE),
        ("run.created_at + timedelta(days=10 ** 9) > run.created_at", NONE),
        ("timedelta(days=10 ** 10) > timedelta(0)", NONE),
        ("timedelta(days=10 ** 8) > timedelta(0)", ALL),
        ("datetime.fromtimestamp(10 ** 18) > run.created_at", NONE),
        ("chr(-1)", NONE),
        ("chr(0x110000)", NONE),
        ("chr(0xd800)", NONE),
        ("range(10 ** 6)", NONE),
        ("[1, 2][10 ** 30]", NONE),
        ("'abc'[2 ** 70:]", NONE),
        ("1 << -1", NONE),
        ("re.search('(', 'x')", NONE),
        ("re.search('(a+)+$', 'a' * 5000 + 'b')", NONE),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_closed_is_refused() {
    check(&[
        ("run.__class__", FORBIDDEN),
        ("run.name.__class__.__mro__", FORBIDDEN),
        ("().__class__.__bases__[0].__subclasses__()", FORBIDDEN),
        ("__import__('os').system('true')", FORBIDDEN),
        ("eval('1')", FORBIDDEN),
        ("exec('1')", FORBIDDEN),
        ("breakpoint()", FORBIDDEN),
        ("run._name", FORBIDDEN),
        ("(lambda: 0).f_globals", FORBIDDEN),
        ("[_x for _x in [1]]", FORBIDDEN),
        ("(lambda _x: 1)(1)", FORBIDDEN),
        ("f'{run.__dict__}'", FORBIDDEN),
        ("'{0.__class__}'.format(run)", NONE),
        ("'{}'.format(1) == '1'", NONE),
        ("string.Formatter().format('{}', 1)", NONE),
        ("open('/etc/passwd')", NONE),
        ("getattr(run, 'name')", NONE),
        ("globals()", NONE),
        ("max(*[1, 2]) == 2", ALL),
        ("dict(**{'a': 1})", ALL),
        ("import os", SYNTAX),
        ("run.run.repo.delete_run(run.hash)", NONE),
        ("run.name.format_map({}) == run.name", ALL),
    ])
    .await;
}

/// Letters that look like others, and characters that are none.
#[tokio::test(flavor = "multi_thread")]
async fn look_alikes() {
    check(&[
        // A Cyrillic а: another name, so a param that no run has.
        ("run.b\u{430}tch_size == 32", NONE),
        // Full-width letters are the same names to Python.
        ("run.\u{ff42}atch_size == 32", Fate::Runs(1)),
        ("\u{ff52}un.batch_size == 32", Fate::Runs(1)),
        // The full-width low line is no letter.
        ("run.\u{ff3f}name == 1", SYNTAX),
        ("run.\u{ff3f}\u{ff3f}class__", SYNTAX),
        ("run.batch_size \u{ff1e} 1", SYNTAX),
        ("run.batch_size == \u{ff13}\u{ff12}", SYNTAX),
        ("run.name == \u{201c}x\u{201d}", SYNTAX),
        ("run.name\u{a0}== 'x'", SYNTAX),
        ("run.name\u{200b} == 'x'", SYNTAX),
        ("run.name == 'x'\u{0}", SYNTAX),
        ("\u{feff}run.batch_size == 32", SYNTAX),
        ("run.name == '\u{202e}x'", NONE),
    ])
    .await;
}
