//! Sequences: named, computed, and the one at hand.

use super::{Binding, ColumnType, ask, ask_of, floats, ints, param, texts};
use arrow::array::{Array, ArrayRef, ListArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::Field;
use lakeql_query::model::{Entity, SeriesKind, SummaryRef};
use std::sync::Arc;

fn summary(series: &str, context: &str, column: &str) -> (SummaryRef, Binding) {
    let summary = SummaryRef { series: series.into(), context: context.into(), field: column.into() };
    (summary.clone(), Binding::Summary { summary, column: column.into() })
}

#[test]
fn summaries_of_named_sequences() {
    let (_, last) = summary("loss", r#"{"b": 0.00005, "a": true}"#, "last");
    let (_, last_int) = summary("loss", r#"{"a": 1, "b": 5e-5}"#, "last_int");
    let (_, dtype) = summary("loss", r#"{"a": 1, "b": 5e-5}"#, "dtype");
    let (_, step) = summary("acc", "{}", "last_step");
    let columns = vec![
        (last, floats(&[Some(9007199254740992.0), Some(0.5), None])),
        (last_int, ints(&[Some(9007199254740993), None, None])),
        (dtype, texts(&[Some("int"), Some("float"), None])),
        (step, ints(&[Some(7), None, None])),
    ];
    let loss = "run.metrics['loss', {'b': 0.00005, 'a': 1.0}]";
    for (query, expected) in [
        ("{loss}.last == 9007199254740993", [true, false, false]),
        ("{loss}.last == 9007199254740992", [false, false, false]),
        ("{loss}.last == 0.5", [false, true, false]),
        ("{loss}.last != 0.5", [true, false, true]),
        ("{loss}['dtype'] == 'int'", [true, false, false]),
        // An absent summary is missing at a further step, and the sequence itself is never there.
        ("{loss}.last == None", [false, false, false]),
        ("{loss} == None", [true, true, true]),
        ("run.metrics['acc'].last_step == 7", [true, false, false]),
        ("run.metrics['acc', {}].last_step + 1 == 8", [true, false, false]),
        ("run.metrics['other'].last == 1", [false, false, false]),
    ] {
        let query = query.replace("{loss}", loss);
        assert_eq!(ask(&query, &columns), expected, "{query}");
    }
}

/// Runs with three sequences, none, and one of images.
fn all_series() -> ArrayRef {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("name", texts(&[Some("loss"), Some("loss"), Some("acc"), Some("pics")])),
        ("context_key", texts(&[Some("{}"), Some(r#"{"s":"val"}"#), Some("{}"), Some("{}")])),
        ("context_hash", ints(&[Some(10), Some(20), Some(10), Some(10)])),
        ("kind", texts(&[Some("metric"), Some("metric"), Some("metric"), Some("images")])),
        ("last", floats(&[Some(0.5), Some(2.0), None, None])),
        ("last_int", ints(&[None, Some(2), None, None])),
        ("last_step", ints(&[Some(1), Some(2), Some(3), Some(4)])),
        ("last_json", texts(&[None, None, None, Some(r#"{"caption":"cat"}"#)])),
    ];
    let columns =
        columns.into_iter().map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array));
    let structs = StructArray::from(columns.collect::<Vec<_>>());
    let field = Arc::new(Field::new("item", structs.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths([3, 0, 1]);
    Arc::new(ListArray::new(field, offsets, Arc::new(structs), Some(NullBuffer::from(vec![true, false, true]))))
}

#[test]
fn sequences_that_are_computed() {
    let columns = [(Binding::AllSeries, all_series())];
    for (query, expected) in [
        ("run.metrics['lo' + 'ss'].last == 0.5", [true, false, false]),
        ("[run.metrics[n].last for n in ['loss']] == [0.5]", [true, false, false]),
        ("run.metrics['loss', {'s': 'val'}].last == 2", [true, false, false]),
        ("isinstance(run.metrics['loss', 20].last, int)", [true, false, false]),
        ("run.metrics['loss', 30].last == None", [false, false, false]),
        ("run.metrics['acc'].last == None", [false, false, false]),
        ("run.metrics['acc'].last_step == 3", [true, false, false]),
        ("run.metrics['pics'].last.caption == 'cat'", [false, false, true]),
        ("sum([run.metrics['loss', {'s': 'val'}].last_step for i in range(9)]) == 18", [true, false, false]),
        ("sum([run.metrics['loss', 10].last_step for i in range(9)]) == 9", [true, false, false]),
    ] {
        assert_eq!(ask(query, &columns), expected, "{query}");
    }
    let sliced = [(Binding::AllSeries, all_series().slice(2, 1))];
    assert_eq!(ask("run.metrics['pics'].last_step == 4", &sliced), [true]);
    assert_eq!(ask("run.metrics['loss'].last_step == 1", &sliced), [false]);
}

#[test]
fn the_sequence_at_hand() {
    let series = |name: &str| Binding::Series(name.into());
    let contexts = [Some(r#"{"s":"val","l":[1,{"k":2}]}"#), Some(r#"{"s":"val","l":[1,{"k":2}]}"#), Some("{}")];
    let columns = vec![
        (series("name"), texts(&[Some("loss"), Some("acc"), Some("loss")])),
        (series("context"), texts(&contexts)),
        (series("last"), floats(&[Some(1.0), None, Some(f64::NAN)])),
        (series("last_int"), ints(&[Some(1), None, None])),
        (series("version"), ints(&[Some(2), Some(2), None])),
        (param("lr", ColumnType::Float), floats(&[Some(0.1), Some(0.2), None])),
    ];
    let entity = Entity::Series(SeriesKind::Metric);
    for (query, expected) in [
        ("metric.name == 'loss'", [true, false, true]),
        ("metric.context.s == 'val'", [true, true, false]),
        ("metric.context.s != 'val'", [false, false, false]),
        ("not metric.context.s == 'train'", [true, true, false]),
        ("metric.context == {'l': [1, {'k': 2}], 's': 'val'}", [true, true, false]),
        ("metric.context['l'][1]['k'] == 2", [true, true, false]),
        ("metric.context.s[0] == 'v'", [true, true, false]),
        ("len(metric.context) == 0", [false, false, true]),
        ("'s' in metric.context", [true, true, false]),
        ("isinstance(metric.last, int)", [true, false, false]),
        ("metric.last != metric.last", [false, false, true]),
        ("metric.last == None", [false, true, false]),
        ("metric.version == 2", [true, true, false]),
        ("metric.run.lr < 0.15", [true, false, false]),
        ("[m.name for m in [metric]] == ['acc']", [false, true, false]),
    ] {
        assert_eq!(ask_of(entity, query, &columns), expected, "{query}");
    }
}

#[test]
fn media_always_have_a_last_object() {
    let series = |name: &str| Binding::Series(name.into());
    let columns = vec![
        (series("last"), floats(&[None, None, None])),
        (series("last_json"), texts(&[Some(r#"{"caption":"cat"}"#), None, Some("{}")])),
    ];
    let entity = Entity::Series(SeriesKind::Images);
    for (query, expected) in [
        ("images.last", [true, true, true]),
        ("images.last == None", [false, false, false]),
        ("images.last.caption == 'cat'", [true, false, false]),
        ("images.last.caption != 'cat'", [false, true, true]),
    ] {
        assert_eq!(ask_of(entity, query, &columns), expected, "{query}");
    }
}

/// The evaluator and the lake each have a notation of contexts; sequences are found whatever a context is made of.
#[test]
fn contexts_are_found_in_both_notations() {
    for (stored, asked) in [
        (r#"{"a":"b"}"#, "{'a': 'b'}"),
        (r#"{"a":0.00005}"#, "{'a': 5e-5}"),
        (r#"{"a":1e22}"#, "{'a': 1e22}"),
        (r#"{"a":1e300}"#, "{'a': 10 ** 300}"),
        (r#"{"a":1.5,"b":[true,null]}"#, "{'b': (1, None), 'a': 1.5}"),
        (r#"{"a":"\u0008\u000c\u001f\n"}"#, r"{'a': '\b\f\x1f\n'}"),
        (r#"{"a":{"$float":"inf"}}"#, "{'a': 1e999}"),
        (r#"{"$map":[[2,"x"],[10,"y"],["k",1]]}"#, "{'k': 1.0, 10: 'y', 2: 'x'}"),
        (r#"{"é":"\u00e9"}"#, "{'é': 'é'}"),
    ] {
        let (_, last) = summary("loss", stored, "last");
        let columns = [(last, floats(&[Some(0.5)]))];
        let query = format!("run.metrics['loss', {asked}].last == 0.5");
        // The lake's floats have all their digits; the integer of the same digits is another number.
        let expected = !asked.contains("**");
        assert_eq!(ask(&query, &columns), [expected], "{query}");
    }
}
