use super::*;
use crate::model::{CompareOp, Literal, PropertyTest, SampleSet, Unknown};

fn seed(text: &str) -> String {
    MixteraSeed.syntax_tree(&Source::query(text), &Settings::default()).unwrap()
}

fn current(text: &str) -> String {
    Mixtera.syntax_tree(&Source::query(text), &Settings::default()).unwrap()
}

fn set(text: &str, lenient: bool) -> Result<SampleSet, Vec<Diagnostic>> {
    let settings = Settings { lenient, ..Settings::default() };
    let query = Mixtera.lower(&Source::query(text), &settings)?;
    match query.transforms.into_iter().next() {
        Some(Transform::Choose(selection)) => Ok(selection.set),
        other => panic!("{other:?}"),
    }
}

fn tests(text: &str) -> (PropertyTest, PropertyTest) {
    match set(text, false).unwrap() {
        SampleSet::Where(condition) => (condition.single, condition.several),
        other => panic!("{other:?}"),
    }
}

#[test]
fn chains_mean_what_each_language_says() {
    let text = "select((\"a\",\"==\",1)).select([(\"b\", \"!=\", [\"x\", None]),]).select(None)";
    assert_eq!(current(text), "select<>([('a', '==', 1)])\n-> select<>([('b', '!=', ['x', None])])\n-> select<>([])");
    assert_eq!(
        seed(text),
        "intersection<>()\n-> intersection<>()\n--> select<>(a == 1)\n--> select<>(b != ['x', None])\n-> select<>([])"
    );
}

#[test]
fn what_surrounds_a_query_is_skipped() {
    let bare = "select((\"a\",\"==\",\"x\")).union(select((\"b\",\"<\",\"y\")))";
    for text in [
        format!("Query.for_job(\"j\").{bare}"),
        format!("Query.from_datacollection(mdc)\n  .{bare}.display()"),
        format!("mixtera.core.Query.for_job(f(1, [2]))\\\n.{bare}.execute(args, chunk_size(3))"),
        "select((\"a\",\"==\",\"x\")).union(Query.for_job('k').select((\"b\",\"<\",\"y\"),))  # done".to_owned(),
        r#"{"query": {"union": [{"select": [["b","<","y"]]}, {"select": [["a","==","x"]]}]}}"#.to_owned(),
    ] {
        assert_eq!(seed(&text), seed(bare), "{text}");
    }
}

#[test]
fn trees_of_programs_are_texts() {
    let tree = Query::select([("a", "==", Value::list(["x"]))])
        .intersection(Query::everything())
        .difference(Query::select([("b", ">", 0.5)]));
    let text = tree.to_json().to_string();
    assert_eq!(parse::parse(&text, Flavour::Seed).map(|it| it.to_json()), Ok(tree.to_json()));
    assert_eq!(
        seed(&text),
        "difference<>()\n-> intersection<>()\n--> select<>([])\n--> select<>(a == ['x'])\n-> select<>(b > 0.5)"
    );
}

#[test]
fn lists_and_missing_values() {
    let texts = |texts: &[&str]| texts.iter().map(|it| Literal::Text((*it).to_owned())).collect::<Vec<_>>();
    let always = PropertyTest::Literal(true);
    let never = PropertyTest::Literal(false);
    for (text, single, several) in [
        ("select(('a','==',None))", PropertyTest::Missing(true), PropertyTest::Missing(true)),
        ("select(('a','==',[None]))", never.clone(), never.clone()),
        ("select(('a','!=',[None, None]))", never.clone(), always),
        ("select(('a','!=',['x', None]))", never.clone(), PropertyTest::NoneOf(texts(&["x"]))),
        ("select(('a','==',['x', None]))", PropertyTest::OneOf(texts(&["x"])), PropertyTest::OneOf(texts(&["x"]))),
        ("select(('a','!=','x'))", PropertyTest::NoneOf(texts(&["x"])), PropertyTest::NoneOf(texts(&["x"]))),
    ] {
        assert_eq!(tests(text), (single, several), "{text}");
    }
    let (single, several) = tests("select(('a','>',['x', None]))");
    assert_eq!(single, PropertyTest::Compare(CompareOp::Gt, texts(&["x"])));
    assert!(matches!(several, PropertyTest::Refused(_)));
}

#[test]
fn what_strict_refuses_lenient_leaves_out() {
    for text in ["select(('a','=','x'))", "select(('a','<',None))", "select(('a','==',[]))", "select(('a','<',[]))"] {
        assert_eq!(set(text, false).unwrap_err()[0].kind, Kind::Semantic, "{text}");
        assert_eq!(set(text, true), Ok(SampleSet::Everything), "{text}");
    }
    let SampleSet::Where(condition) = set("select(('a','==',1))", true).unwrap() else { panic!() };
    assert_eq!((condition.unknown, condition.reads_texts), (Unknown::LeftOut, true));
}

#[test]
fn mistakes_have_places_and_hints() {
    for (text, message, hint, at) in [
        ("select(\"a\", \"==\", 1)", "expected `)`, `(`, `[` or None, found `\"a\"`", "brackets of its own", 7),
        ("selct((\"a\",\"==\",1))", "there is no operation `selct`", "did you mean `select`?", 0),
        ("union(select())", "a query begins with select", "select(…).union(…)", 0),
        ("select((\"a\",\"==\",en))", "expected", "texts stand in quotes: \"en\"", 17),
        ("select((\"a\",\"==\",none))", "expected", "did you mean `None`?", 17),
        ("select((\"a\",\"==\",null))", "expected", "a missing value is None", 17),
        ("select((\"a\",\"==\",1),(\"b\",\"==\",1))", "expected", "several conditions stand in a list", 20),
        ("select((\"a\",\"==\",(1,2)))", "expected", "square brackets", 17),
        ("select((\"a\",\"in\",\"x\"))", "there is no operator `in`", "compare with a list", 12),
        ("{\"unoin\": []}", "there is no operation `unoin`", "did you mean `union`?", 1),
        ("{\"union\": [{\"select\": []}]}", "`union` takes two or more queries, there is 1", "", 10),
        (
            "{\"query\": {\"select\": []}, \"chunk_size\": 4}",
            "\"chunk_size\" is no part of a query",
            "--chunk-size",
            26,
        ),
        ("select((\"a\",\"==\",\"x\"", "expected `,` or `)`, found the end of the query", "", 20),
        ("select((\"a\",\"==\",\"x)", "the text is not closed", "close it with", 17),
        ("", "expected select, found the end of the query", "", 0),
    ] {
        let found = Mixtera.lower(&Source::query(text), &Settings::default()).unwrap_err().remove(0);
        assert!(found.message.starts_with(message), "{text}: {}", found.message);
        assert_eq!(found.labels[0].span.start, at, "{text}: {}", found.message);
        assert!(found.hints.iter().any(|it| it.contains(hint)) || hint.is_empty(), "{text}: {:?}", found.hints);
    }
}

#[test]
fn depth_is_limited_and_length_is_not() {
    let selects = |n: usize| vec!["select(('a','==','x'))"; n].join(".");
    assert!(Mixtera.lower(&Source::query(selects(5000)), &Settings::default()).is_ok());
    let limit = |text: String| {
        let found = MixteraSeed.lower(&Source::query(text), &Settings::default());
        assert_eq!(found.unwrap_err()[0].kind, Kind::Limit);
    };
    limit(selects(5000));
    limit(format!("select(){}{}", ".union(select()".repeat(5000), ")".repeat(5000)));
    limit("{\"union\":[{\"select\":[]},".repeat(5000));
}
