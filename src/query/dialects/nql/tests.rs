use super::{Dialect, Nql, NqlLegacy, NqlTyped, Settings};
use crate::diagnostic::Kind;
use crate::model::{CompareOp, Expr, Literal, Test, Transform, ValueType};
use crate::source::Source;

fn settings() -> Settings {
    Settings { now: Some(0), ..Settings::default() }
}

fn filter(dialect: &dyn Dialect, text: &str) -> Result<Expr, (Kind, String)> {
    match dialect.lower(&Source::query(text), &settings()) {
        Ok(query) => match query.transforms.into_iter().next() {
            Some(Transform::Filter(expr)) => Ok(expr),
            other => panic!("{other:?}"),
        },
        Err(problems) => Err((problems[0].kind, problems[0].message.clone())),
    }
}

fn kind(dialect: &dyn Dialect, text: &str) -> Option<Kind> {
    filter(dialect, text).err().map(|(kind, _)| kind)
}

/// The shape of a condition: names of fields with what joins them.
fn shape(expr: &Expr) -> String {
    let list = |parts: &[Expr], join: &str| {
        let parts: Vec<_> = parts.iter().map(shape).collect();
        format!("({})", parts.join(join))
    };
    match expr {
        Expr::All(parts) => list(parts, " & "),
        Expr::Any(parts) => list(parts, " | "),
        Expr::Not(inner) => format!("!{}", shape(inner)),
        Expr::Field(field) => field.name.clone(),
        Expr::Literal(value) => value.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn precedence() {
    for (text, expected) in [
        ("a > 1 OR b > 1 AND c > 1", "(a | (b & c))"),
        ("(a > 1 OR b > 1) AND c > 1", "((a | b) & c)"),
        ("NOT a > 1 AND b > 1", "(!a & b)"),
        ("NOT (a > 1 AND b > 1)", "!(a & b)"),
        ("NOT NOT a > 1", "a"),
        ("not not not a > 1", "!a"),
        ("NOT (NOT a > 1)", "a"),
        ("((a > 1))", "a"),
        ("(a > 1 AND (b > 1 AND (c > 1)))", "(a & b & c)"),
        ("a != 1", "!a"),
        ("NOT a != 1", "a"),
        ("a NOT CONTAINS x or a NOT EXISTS", "(!a | !a)"),
        ("a = 1 or b = 2 or A = 3 or a = 4", "(a | b | A)"),
        ("a != 1 AND NOT a = 2 AND b = 3", "(!a & b)"),
        ("exists exists", "exists"),
        ("`not` = 1", "not"),
        ("  ", "true"),
    ] {
        assert_eq!(filter(&NqlLegacy, text).map(|expr| shape(&expr)), Ok(expected.to_owned()), "{text}");
    }
    assert_eq!(filter(&NqlTyped, "a:int NOT != 1").map(|expr| shape(&expr)), Ok("a".into()));
    assert_eq!(filter(&NqlTyped, "a:string NOT =~ x").map(|expr| shape(&expr)), Ok("!a".into()));
}

#[test]
fn depth_costs_no_stack() {
    let nested = |depth: usize| format!("{}a = 1{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(kind(&NqlLegacy, &nested(200)), None);
    assert_eq!(kind(&NqlLegacy, &nested(100_000)), Some(Kind::Limit));
    assert_eq!(kind(&NqlTyped, &"(".repeat(100_000)), Some(Kind::Limit));
    for count in [151, 60_000] {
        let text = format!("{}a = 1", "NOT ".repeat(count));
        let expected = if count % 2 == 1 { "!a" } else { "a" };
        assert_eq!(filter(&NqlLegacy, &text).map(|expr| shape(&expr)), Ok(expected.into()));
    }
    let deep = (0..200).fold("a > 1".to_owned(), |inner, level| {
        format!("NOT (b{level} > 1 {} {inner})", if level % 2 == 0 { "AND" } else { "OR" })
    });
    assert_eq!(kind(&NqlLegacy, &deep), None);
    assert_eq!(kind(&NqlLegacy, &"a".repeat(2 << 20)), Some(Kind::Limit));
}

#[test]
fn long_lists_are_one_set() {
    let ids: Vec<_> = (0..15_000).map(|number| format!("`sys/id`:string = \"SAN-{number}\"")).collect();
    let Ok(Expr::Field(field)) = filter(&NqlTyped, &ids.join(" OR ")) else { panic!("not one field") };
    let Ok(Test::In(values)) = &field.case(ValueType::Text).unwrap().test else { panic!("{:?}", field.cases) };
    assert_eq!(values.len(), 15_000);
    let none: Vec<_> = (0..8_000).map(|number| format!("NOT id = SAN-{number}")).collect();
    assert!(
        matches!(filter(&NqlLegacy, &none.join(" AND ")), Ok(Expr::Not(inner)) if matches!(*inner, Expr::Field(_)))
    );
    let others: Vec<_> = (0..12_000).map(|number| format!("x > {number}")).collect();
    assert!(matches!(filter(&NqlLegacy, &others.join(" OR ")), Ok(Expr::Any(parts)) if parts.len() == 12_000));
}

#[test]
fn values_mean_what_the_type_makes_of_them() {
    let Ok(Expr::Field(field)) = filter(&NqlLegacy, "x = 20.0") else { panic!() };
    let test = |stored| field.case(stored).and_then(|case| case.test.clone().ok());
    let equal = |value| Some(Test::Compare { op: CompareOp::Eq, value });
    assert_eq!(test(ValueType::Int), equal(Literal::Float(20.0)));
    assert_eq!(test(ValueType::Float), equal(Literal::Float(20.0)));
    assert_eq!(test(ValueType::Text), equal(Literal::Text("20.0".into())));
    assert_eq!(test(ValueType::Bool), None);
    let Ok(Expr::Field(field)) = filter(&NqlLegacy, "x = nan OR x = 1") else { panic!() };
    assert_eq!(
        field.case(ValueType::Float).and_then(|case| case.test.clone().ok()),
        Some(Test::Any(vec![Test::IsNan, Test::Compare { op: CompareOp::Eq, value: Literal::Float(1.0) }]))
    );
    let Ok(Expr::Field(field)) = filter(&NqlTyped, "x:datetime <= -1d") else { panic!() };
    // To the millisecond: before the next one.
    let value = Literal::Time(-86_400_000_000 + 1_000);
    assert_eq!(field.cases[0].test, Ok(Test::Compare { op: CompareOp::Lt, value }));
}

#[test]
fn kinds_of_errors() {
    for (text, expected) in [
        ("size = 35 kb", Kind::Syntax),
        ("size > 100b", Kind::Type),
        ("size contains 1", Kind::Type),
        ("state = finished", Kind::Type),
        ("tags = a", Kind::Type),
        ("a = 'b'", Kind::Syntax),
        ("a = b && c = d", Kind::Syntax),
        ("a = b c", Kind::Syntax),
        ("a <> b", Kind::Syntax),
        ("(a = b", Kind::Syntax),
        ("a = b)", Kind::Syntax),
        ("a", Kind::Syntax),
        ("owner NOT = Fred", Kind::Syntax),
        ("`a`:float = 1", Kind::Syntax),
        ("SELECT * FROM a WHERE b > 1", Kind::Syntax),
    ] {
        assert_eq!(kind(&NqlLegacy, text), Some(expected), "{text}");
    }
    for (text, expected) in [
        ("a:Float = 1", Kind::Type),
        ("a:float = x", Kind::Type),
        ("a:float MATCHES x", Kind::Type),
        ("a:bool = yes", Kind::Type),
        ("a:bool > true", Kind::Type),
        ("a:stringSet = x", Kind::Type),
        ("a:file = x", Kind::Type),
        ("a:datetime > 2d", Kind::Type),
        ("sys/state = failed", Kind::Type),
        ("sys/size = many", Kind::Type),
        ("last(a:float) > 1", Kind::Type),
        ("min(a:stringSeries) > 1", Kind::Type),
        ("median(a:floatSeries) > 1", Kind::Syntax),
        ("last(max(a)) > 1", Kind::Syntax),
        ("a:string MATCHES \"(\"", Kind::Regex),
        ("a:string = contains", Kind::Syntax),
        ("a:`float` = 1", Kind::Syntax),
        ("a:float IN (1, 2)", Kind::Syntax),
        ("key: float = (-_-)", Kind::Syntax),
    ] {
        // What is known of `sys/size` are two types; then the data decides.
        let found = match filter(&NqlTyped, text) {
            Ok(Expr::Field(field)) => field.cases[0].test.as_ref().err().map(|refusal| refusal.kind),
            Ok(_) => None,
            Err((kind, _)) => Some(kind),
        };
        assert_eq!(found, Some(expected), "{text}");
    }
}

#[test]
fn search_terms_only_where_they_are_on() {
    let settings = Settings { search_terms: true, ..settings() };
    let accepted = |text: &str| NqlLegacy.lower(&Source::query(text), &settings).is_ok();
    for text in
        ["Untitled", "\"untitled Test\"", "NOT exp AND owner = Fred", "a OR (b AND c)", "x NOT EXISTS", "x exists"]
    {
        assert!(accepted(text), "{text}");
    }
    for text in ["owner = Fred Untitled", "\"owner\" = Fred", "a b", "and"] {
        assert!(!accepted(text), "{text}");
    }
    assert_eq!(kind(&Nql, "Untitled"), Some(Kind::Syntax));
}

/// No text stops the parsers other than by an answer or a diagnostic that points into the text.
#[test]
fn pieces_of_queries_in_any_order() {
    let pieces = [
        "a", "`b c`", "\"d\"", "=", "!=", "<", ">=", "=~", ":", "float", "(", ")", "AND", "or", "NOT", "contains",
        "exists", "MATCHES", "last", "5", "kb", "'", "\\", "\"", "`", "&&", "é", "state", "tags", "sys/size", ";", ",",
    ];
    let mut seed = 7_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..8 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
            if seed & 1 << 20 != 0 {
                text.push(' ');
            }
        }
        for dialect in [&Nql as &dyn Dialect, &NqlLegacy, &NqlTyped] {
            let Err(problems) = dialect.lower(&Source::query(&text), &settings()) else { continue };
            for label in problems.iter().flat_map(|problem| &problem.labels) {
                assert!(text.get(label.span.range()).is_some(), "{text:?}: {problems:?}");
            }
        }
    }
}
