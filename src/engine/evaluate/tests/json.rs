//! Documents as values.

use super::super::json::{child, find, parse};
use lakeql_eval::{Key, Value};

fn shown(value: Option<Value>) -> String {
    format!("{value:?}")
}

fn key(text: &str) -> Key {
    Key::Text(text.into())
}

const DOCUMENT: &str = r#" { "a" : 1, "b":{"c":[1.5,"x\"}]",{"d":null}],"e":"}"}, "big":123456789012345678901234567890,
    "m":{"$map":[[1,"one"],["k",true]]}, "nan":{"$float":"nan"}, "raw":{"$bytes":"aGk="}, "\u00e9":-0.0,
    "neg":-9223372036854775809, "$x":2, "empty":{}, "none":[] } "#;

#[test]
fn walking_finds_what_the_whole_document_has() {
    let whole = parse(DOCUMENT).unwrap();
    assert!(matches!(find(DOCUMENT, &[]).unwrap(), Some(Value::Dict(dict)) if dict.len() == 11));
    let paths: &[&[Key]] = &[
        &[key("a")],
        &[key("b")],
        &[key("b"), key("c"), Key::Int(0)],
        &[key("b"), key("c"), Key::Int(1)],
        &[key("b"), key("c"), Key::Int(2), key("d")],
        &[key("b"), key("e")],
        &[key("big")],
        &[key("m")],
        &[key("m"), Key::Int(1)],
        &[key("m"), key("k")],
        &[key("nan")],
        &[key("raw")],
        &[key("é")],
        &[key("neg")],
        &[key("$x")],
        &[key("empty")],
        &[key("none")],
    ];
    for path in paths {
        let by_tree = path.iter().try_fold(whole.clone(), |value, key| child(&value, key));
        assert!(by_tree.is_some(), "{path:?}");
        assert_eq!(shown(find(DOCUMENT, path).unwrap()), shown(by_tree), "{path:?}");
    }
    let absent: &[&[Key]] = &[
        &[key("z")],
        &[key("a"), key("b")],
        &[key("a"), Key::Int(0)],
        &[Key::Int(1)],
        &[key("b"), key("c"), Key::Int(3)],
        &[key("b"), key("c"), Key::Int(-1)],
        &[key("b"), key("c"), key("0")],
        &[key("m"), Key::Int(2)],
        &[key("m"), key("1")],
        &[key("nan"), key("$float")],
        &[key("empty"), key("a")],
        &[key("none"), Key::Int(0)],
    ];
    for path in absent {
        assert!(find(DOCUMENT, path).unwrap().is_none(), "{path:?}");
    }
}

#[test]
fn values_keep_their_types() {
    assert!(matches!(parse("1").unwrap(), Value::Int(1)));
    assert!(matches!(parse("1.0").unwrap(), Value::Float(f) if f == 1.0));
    assert!(matches!(parse("-0.0").unwrap(), Value::Float(f) if f == 0.0 && f.is_sign_negative()));
    assert!(matches!(parse("9223372036854775807").unwrap(), Value::Int(i64::MAX)));
    assert!(matches!(parse("9223372036854775808").unwrap(), Value::Big(n) if n.to_string() == "9223372036854775808"));
    assert!(matches!(parse("-9223372036854775809").unwrap(), Value::Big(n) if n.to_string() == "-9223372036854775809"));
    assert!(matches!(parse(r#"{"$float":"-inf"}"#).unwrap(), Value::Float(f) if f == f64::NEG_INFINITY));
    assert!(matches!(parse(r#"{"$bytes":"aGk="}"#).unwrap(), Value::Bytes(b) if *b == *b"hi"));
    assert!(matches!(parse(r#""\ud83d\ude00""#).unwrap(), Value::Str(s) if &*s == "😀"));
    let Value::Dict(dict) = parse(r#"{"b":1,"a":2}"#).unwrap() else { panic!() };
    let keys: Vec<_> = dict.iter().map(|(key, _)| format!("{key:?}")).collect();
    assert_eq!(keys, [r#"Str("b")"#, r#"Str("a")"#]);
}

#[test]
fn damage_is_an_error() {
    for text in ["", "{", "{\"a\"", "{\"a\":}", "[1,]", "[1 2]", "tru", "\"a", "\"a\\", "1x", "--1", "{1:2}", "{} x"] {
        assert!(parse(text).is_err(), "{text}");
    }
    let deep = "[".repeat(100_000);
    assert!(parse(&deep).is_err());
    for text in ["{\"a\":1", "{\"a\":[", "{\"a\" 1}", "{a:1}", "{\"a\":1 \"b\":2}"] {
        assert!(find(text, &[key("b")]).is_err(), "{text}");
    }
}
