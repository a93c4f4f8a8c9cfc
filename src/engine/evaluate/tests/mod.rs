//! Programs over small batches. What is expected follows from the rules of AimQL and Python.

mod json;
mod plans;
mod series;

use super::bindings::{Call, Compiled};
use super::columns::Argument;
use super::{Binding, evaluate};
use arrow::array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int64Array, LargeStringArray, ListBuilder,
    StringArray, StringBuilder, StringViewArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use chrono::{DateTime, Utc};
use datafusion::error::{DataFusionError, Result};
use lakeql_lake::catalog::path::ColumnType;
use lakeql_query::model::{Entity, Inputs, Key, Program};
use lakeql_query::syntax::python::parse_parenthesized;
use std::sync::Arc;

fn program(text: &str, entity: Entity) -> Program {
    let expr = parse_parenthesized(text).unwrap();
    Program { expr, text: text.into(), entity, offset_minutes: 0, inputs: Inputs::default() }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_700_000_100_000_000).unwrap()
}

fn ask_call(program: Program, outcome: bool, columns: &[(Binding, ArrayRef)]) -> Result<Vec<bool>> {
    let bindings = columns.iter().map(|(binding, _)| binding.clone()).collect();
    let call = Call { program, outcome, now: now().timestamp_micros(), bindings };
    let decoded = Call::decode(&call.encode()?)?;
    assert_eq!(decoded, call);
    let rows = columns.iter().map(|(_, array)| array.len()).max().unwrap_or(1);
    let arguments: Vec<_> =
        columns.iter().map(|(_, array)| Argument { array: Arc::clone(array), single: false }).collect();
    let answer = evaluate(&Compiled::new(&decoded)?, &arguments, None, rows)?;
    assert_eq!(answer.null_count(), 0);
    Ok(answer.iter().map(Option::unwrap).collect())
}

fn ask_of(entity: Entity, text: &str, columns: &[(Binding, ArrayRef)]) -> Vec<bool> {
    ask_call(program(text, entity), true, columns).unwrap()
}

fn ask(text: &str, columns: &[(Binding, ArrayRef)]) -> Vec<bool> {
    ask_of(Entity::Run, text, columns)
}

fn text(name: &str) -> Key {
    Key::Text(name.into())
}

fn param(path: &str, column: ColumnType) -> Binding {
    Binding::Param { path: path.split('.').map(text).collect(), column }
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn ints(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn floats(values: &[Option<f64>]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn times(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values.to_vec()).with_timezone("UTC"))
}

/// `x` is 1, 1.5, "a", True, null and not there.
fn x_columns() -> Vec<(Binding, ArrayRef)> {
    vec![
        (param("x", ColumnType::Int), ints(&[Some(1), None, None, None, None, None])),
        (param("x", ColumnType::Float), floats(&[None, Some(1.5), None, None, None, None])),
        (param("x", ColumnType::Text), texts(&[None, None, Some("a"), None, None, None])),
        (
            param("x", ColumnType::Bool),
            Arc::new(BooleanArray::from(vec![None, None, None, Some(true), None, None])) as ArrayRef,
        ),
        (param("x", ColumnType::Kind), texts(&[None, None, None, None, Some("null"), None])),
    ]
}

#[test]
fn params_of_every_type() {
    let t = true;
    let f = false;
    for (query, expected) in [
        ("run.x == 1", [t, f, f, t, f, f]),
        ("run.x == True", [t, f, f, t, f, f]),
        ("run.x == 1.5", [f, t, f, f, f, f]),
        ("run.x == 'a'", [f, f, t, f, f, f]),
        ("run.x == None", [f, f, f, f, t, t]),
        ("run.x is None", [f, f, f, f, f, f]),
        ("run.x != 1", [f, t, t, f, t, t]),
        ("run.x > 0", [t, t, f, t, f, f]),
        ("not run.x > 0", [f, f, t, f, t, t]),
        // Arithmetic with a text, with None and with what is missing raises.
        ("run.x + 1 > 0", [t, t, f, t, f, f]),
        ("not run.x + 1 > 0", [f, f, f, f, f, f]),
        ("isinstance(run.x, bool)", [f, f, f, t, f, f]),
        ("isinstance(run.x, float)", [f, t, f, f, f, f]),
        ("str(run.x) == 'None'", [f, f, f, f, t, t]),
        ("[v for v in [run.x] if v == 'a'] == ['a']", [f, f, t, f, f, f]),
    ] {
        assert_eq!(ask(query, &x_columns()), expected, "{query}");
    }
}

#[test]
fn the_other_outcome_is_not_the_complement() {
    let columns = x_columns();
    let of = |outcome| ask_call(program("run.x + 1 > 2", Entity::Run), outcome, &columns).unwrap();
    assert_eq!(of(true), [false, true, false, false, false, false]);
    assert_eq!(of(false), [true, false, false, true, false, false]);
}

#[test]
fn what_is_missing_depends_on_the_steps() {
    let columns = [(param("a", ColumnType::Int), ints(&[None])), (param("a.b", ColumnType::Int), ints(&[None]))];
    assert_eq!(ask("run.a == None", &columns), [true]);
    assert_eq!(ask("run['a', 'b'] == None", &columns), [true]);
    assert_eq!(ask("run.a.b == None", &columns), [false]);
    assert_eq!(ask("run.a.b != None", &columns), [true]);
    assert_eq!(ask("len(run.a) == 0", &columns), [false]);
    assert_eq!(ask("sum(run.a) == 0", &columns), [true]);
}

#[test]
fn the_document_has_what_columns_have_not() {
    let documents = [
        Some(r#"{"a":{"b":[1,2.5,"x"],"c":{}},"big":123456789012345678901234567890,"m":{"$map":[[1,"one"]]}}"#),
        Some(r#"{"a":"word","n":{"$float":"nan"}}"#),
        None,
    ];
    let columns = vec![
        (param("a", ColumnType::Text), texts(&[None, Some("word"), None])),
        (param("a", ColumnType::Kind), texts(&[Some("dict"), None, None])),
        (param("big", ColumnType::Kind), texts(&[Some("int"), None, None])),
        (Binding::Document, texts(&documents)),
    ];
    for (query, expected) in [
        ("run.a == {'b': [1, 2.5, 'x'], 'c': {}}", [true, false, false]),
        ("run.a.b[1] == 2.5", [true, false, false]),
        ("run['a', 'b', 2] == 'x'", [true, false, false]),
        ("run.a.b[3] != 0", [true, true, true]),
        ("not run.a.c", [true, true, true]),
        ("run.a == 'word'", [false, true, false]),
        ("run.a[1] == 'o'", [false, true, false]),
        ("run.big == 123456789012345678901234567890", [true, false, false]),
        ("run.big == 123456789012345678901234567891", [false, false, false]),
        ("run.m[1] == 'one'", [true, false, false]),
        ("run.m['1'] == 'one'", [false, false, false]),
        ("run.n != run.n", [false, true, false]),
        ("'b' in run.a", [true, false, false]),
        // More look-ups than are done one by one.
        ("sum([run['a', 'b', i] for i in [0, 1] * 20]) == 70", [true, false, false]),
        ("[run['k' + str(i)] for i in range(20)] == [None] * 20", [true, true, true]),
    ] {
        assert_eq!(ask(query, &columns), expected, "{query}");
        let alone = [(Binding::Document, texts(&documents))];
        assert_eq!(ask(query, &alone), expected, "{query} without columns");
    }
}

#[test]
fn damage_and_missing_columns_end_the_query() {
    let broken = [(Binding::Document, texts(&[Some("{\"a\": ")]))];
    let error = ask_call(program("run.a == 1", Entity::Run), true, &broken).unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
    let unbound = [(param("a", ColumnType::Kind), texts(&[Some("list")]))];
    assert!(ask_call(program("run.a == [1]", Entity::Run), true, &unbound).is_err());
    let mistyped = [(param("a", ColumnType::Int), floats(&[Some(1.0)]))];
    assert!(ask_call(program("run.a == 1", Entity::Run), true, &mistyped).is_err());
}

#[test]
fn properties() {
    let run = |name: &str| Binding::Run(name.into());
    let mut tags = ListBuilder::new(StringBuilder::new());
    tags.append_value([Some("a"), Some("b")]);
    tags.append_value(Vec::<Option<&str>>::new());
    // 2023-11-14 22:13:20 UTC and 100 seconds later.
    let (start, end) = (1_700_000_000_000_000, 1_700_000_100_000_000);
    let columns = vec![
        (run("hash"), texts(&[Some("h0"), Some("h1")])),
        (run("name"), texts(&[Some("one"), Some("")])),
        (run("experiment"), texts(&[Some("e"), Some("e")])),
        (run("description"), texts(&[Some("d"), None])),
        (run("tags"), Arc::new(tags.finish()) as ArrayRef),
        (run("archived"), Arc::new(BooleanArray::from(vec![true, false])) as ArrayRef),
        (run("active"), Arc::new(BooleanArray::from(vec![false, true])) as ArrayRef),
        (run("created_at"), times(&[Some(start), Some(start + 500_000)])),
        (run("finalized_at"), times(&[Some(end), None])),
        (run("imported_at"), times(&[Some(end), Some(end)])),
        (run("end_time"), floats(&[Some(1_700_000_100.0), None])),
        (run("duration"), floats(&[Some(100.0), None])),
    ];
    for (query, expected) in [
        ("run.hash == 'h1'", [false, true]),
        ("run.name.startswith('o')", [true, false]),
        ("run.description is None", [false, true]),
        ("run.tags == ['a', 'b']", [true, false]),
        ("not run.tags", [false, true]),
        ("run.archived", [true, false]),
        ("run.active", [false, true]),
        ("run.created_at.minute == 13", [true, true]),
        ("run.created_at == datetime(2023, 11, 14, 22, 13, 20)", [true, false]),
        ("run.creation_time == 1700000000.5", [false, true]),
        ("run.finalized_at > run.created_at", [true, false]),
        ("not run.finalized_at > run.created_at", [false, false]),
        ("run.finalized_at is None", [false, true]),
        ("run.end_time is None", [false, true]),
        ("run.duration == 100.0", [true, false]),
        ("run.duration == 99.5", [false, true]),
        ("run.updated_at.second == 0", [true, true]),
        ("run.notes == []", [true, true]),
    ] {
        assert_eq!(ask(query, &columns), expected, "{query}");
    }
    let mut shifted = program("run.created_at.hour == 20 and run.updated_at.hour == 22", Entity::Run);
    shifted.offset_minutes = 120;
    assert_eq!(ask_call(shifted, true, &columns).unwrap(), [true, true]);
}

#[test]
fn encodings_of_text_make_no_difference() {
    let plain = StringArray::from(vec![Some("a"), None, Some("b"), Some("b")]);
    let values: Vec<Option<&str>> = plain.iter().collect();
    let dictionary: DictionaryArray<Int32Type> = values.iter().copied().collect();
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(plain.clone()),
        Arc::new(StringViewArray::from(values.clone())),
        Arc::new(LargeStringArray::from(values.clone())),
        Arc::new(dictionary),
    ];
    for array in arrays {
        let columns = [(param("x", ColumnType::Text), array)];
        assert_eq!(ask("run.x == 'b'", &columns), [false, false, true, true]);
    }
    let nulls = [(param("x", ColumnType::Int), cast(&(Arc::new(plain) as ArrayRef), &DataType::Utf8View).unwrap())];
    assert!(ask_call(program("run.x == 1", Entity::Run), true, &nulls).is_err());
    let nothing = [(param("x", ColumnType::Int), arrow::array::new_null_array(&DataType::Null, 1))];
    assert_eq!(ask("run.x == None", &nothing), [true]);
}

#[test]
fn limits_end_the_query() {
    let error = ask_call(
        program("len([0 for i in range(999) for j in range(999) for k in range(9)]) > run.x", Entity::Run),
        true,
        &x_columns(),
    )
    .unwrap_err();
    assert!(matches!(&error, DataFusionError::ResourcesExhausted(_)), "{error}");
    // A raise of any other kind only drops the row.
    assert_eq!(ask("1 / 0 == run.x or True", &x_columns()), [false; 6]);
}

#[test]
fn deep_expressions_travel() {
    let deep = format!("{}run.x{} == 1", "-(-(".repeat(45), "))".repeat(45));
    assert_eq!(ask(&deep, &x_columns()), [true, false, false, true, false, false]);
    let long = format!("run.x{} == 181", " + 1".repeat(180));
    assert_eq!(ask(&long, &x_columns()), [true, false, false, true, false, false]);
}
