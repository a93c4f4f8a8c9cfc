//! Tests of values against rows, on random data in many small row groups and pages: what statistics prune must not be seen
//! in the answer.

use super::*;
use crate::Session;
use datafusion::arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array, Int64Array,
    RecordBatch, StringArray, StringDictionaryBuilder, TimestampMillisecondArray, UInt64Array,
};
use datafusion::arrow::datatypes::{Int16Type, Int64Type};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use lakeql_query::model::{
    Case, Choice, CompareOp, Expr as Predicate, Field, Literal, Query, Relation, Test, Transform, ValueType,
};
use lakeql_query::span::Span;
use std::cmp::Ordering;

const ROWS: usize = 600;

/// Numbers that stay the same from run to run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

/// A stored value.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Missing,
    Int(i128),
    /// So many hundredths.
    Cents(i128),
    Float(f64),
    Text(&'static str),
    Bool(bool),
    /// Microseconds.
    Time(i128),
}

const FLOATS: [f64; 10] =
    [f64::NAN, -f64::NAN, -0.0, 0.0, 0.5, -1.5, 2.0, f64::INFINITY, f64::NEG_INFINITY, 9_007_199_254_740_992.0];
const TEXTS: [&str; 6] = ["", "a", "B", "ab", "ż", "\u{10ffff}"];

/// Values of a column. Runs of equal ones make row groups and pages of one value, which is where pruning goes wrong.
fn values(dice: &mut Dice, mut draw: impl FnMut(&mut Dice) -> Value) -> Vec<Value> {
    let mut values = vec![];
    while values.len() < ROWS {
        let length = 1 + dice.below(60);
        let (one, other) = (draw(dice), draw(dice));
        values.extend((0..length).map(|_| if dice.below(12) == 0 { other.clone() } else { one.clone() }));
    }
    values.truncate(ROWS);
    values
}

fn or_missing(dice: &mut Dice, value: Value) -> Value {
    if dice.below(8) == 0 { Value::Missing } else { value }
}

struct Drawn {
    name: &'static str,
    stored: ValueType,
    values: Vec<Value>,
    array: ArrayRef,
    literals: Vec<Literal>,
}

fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) | Value::Cents(value) => i64::try_from(*value).ok(),
        Value::Time(micros) => i64::try_from(*micros).ok(),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

fn text(value: &Value) -> Option<&'static str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn drawn(dice: &mut Dice) -> Vec<Drawn> {
    let ints = |dice: &mut Dice| {
        let value = Value::Int(i128::try_from(dice.below(9)).unwrap() - 4);
        or_missing(dice, value)
    };
    let floats = |dice: &mut Dice| {
        let value = Value::Float(FLOATS[dice.below(FLOATS.len())]);
        or_missing(dice, value)
    };
    let texts = |dice: &mut Dice| {
        let value = Value::Text(TEXTS[dice.below(TEXTS.len())]);
        or_missing(dice, value)
    };
    let numbers: Vec<Literal> = [-4.5, -4.0, -0.0, 0.0, 0.25, 0.5, 2.0, 1e18, 1e300, f64::INFINITY, f64::NEG_INFINITY]
        .map(Literal::Float)
        .into_iter()
        .chain([-200, -4, 0, 2, 3, 200, i64::MAX, i64::MIN, (1 << 53) + 1].map(Literal::Int))
        .collect();
    let mut all = vec![];
    let mut add = |name, stored, values: Vec<Value>, array: ArrayRef, literals: &[Literal]| {
        all.push(Drawn { name, stored, values, array, literals: literals.to_vec() });
    };

    let long = values(dice, ints);
    let array = Arc::new(long.iter().map(int).collect::<Int64Array>());
    add("long", ValueType::Int, long, array, &numbers);

    let tiny = values(dice, ints);
    let array = Arc::new(tiny.iter().map(|value| int(value).map(|value| value as i8)).collect::<Int8Array>());
    add("tiny", ValueType::Int, tiny, array, &numbers);

    let huge = values(dice, |dice| {
        let value = [0, 2, 3, i128::from(i64::MAX) + 2, i128::from(u64::MAX)][dice.below(5)];
        or_missing(dice, Value::Int(value))
    });
    let unsigned = huge.iter().map(|value| match value {
        Value::Int(value) => u64::try_from(*value).ok(),
        _ => None,
    });
    let array = Arc::new(unsigned.collect::<UInt64Array>());
    add("huge", ValueType::Int, huge, array, &numbers);

    let double = values(dice, floats);
    let array = Arc::new(double.iter().map(number).collect::<Float64Array>());
    add("double", ValueType::Float, double, array, &numbers);

    let full = values(dice, |dice| Value::Float(FLOATS[dice.below(FLOATS.len())]));
    let array = Arc::new(full.iter().map(number).collect::<Float64Array>());
    add("full", ValueType::Float, full, array, &numbers);

    let single = values(dice, |dice| {
        let value = Value::Float(f64::from([0.1_f32, f32::NAN, -0.0, f32::MAX, 2.0, f32::INFINITY][dice.below(6)]));
        or_missing(dice, value)
    });
    let array = Arc::new(single.iter().map(|value| number(value).map(|value| value as f32)).collect::<Float32Array>());
    let near: Vec<_> =
        numbers.iter().cloned().chain([Literal::Float(0.1), Literal::Float(f64::from(0.1_f32))]).collect();
    add("single", ValueType::Float, single, array, &near);

    let cents = values(dice, |dice| {
        let value = Value::Cents([-450, -10, 0, 10, 50, 200, 99_999][dice.below(7)]);
        or_missing(dice, value)
    });
    let array = cents.iter().map(|value| int(value).map(i128::from)).collect::<Decimal128Array>();
    let array = Arc::new(array.with_precision_and_scale(8, 2).unwrap());
    let money: Vec<_> = numbers.iter().cloned().chain([0.1, 0.101, -0.101].map(Literal::Float)).collect();
    add("cents", ValueType::Float, cents, array, &money);

    let words: Vec<Literal> = ["", "A", "a", "ab", "b", "\u{fffff}"].map(|text| Literal::Text(text.into())).into();
    let plain = values(dice, texts);
    let array = Arc::new(plain.iter().map(text).collect::<StringArray>());
    add("plain", ValueType::Text, plain, array, &words);

    let packed = values(dice, texts);
    let mut builder = StringDictionaryBuilder::<Int16Type>::new();
    packed.iter().for_each(|value| builder.append_option(text(value)));
    add("packed", ValueType::Text, packed, Arc::new(builder.finish()), &words);

    let flag = values(dice, |dice| {
        let value = Value::Bool(dice.below(2) == 0);
        or_missing(dice, value)
    });
    let flags = flag.iter().map(|value| match value {
        Value::Bool(value) => Some(*value),
        _ => None,
    });
    let array = Arc::new(flags.collect::<BooleanArray>());
    add("flag", ValueType::Bool, flag, array, &[Literal::Bool(true), Literal::Bool(false)]);

    let day = 86_400_000_000_i64;
    let times = [-day, -1, 0, 1, 1_000, 1_001, day, day + 1].map(Literal::Time);
    let date = values(dice, |dice| {
        let value = Value::Time(i128::from(day) * (i128::try_from(dice.below(4)).unwrap() - 1));
        or_missing(dice, value)
    });
    let days = date.iter().map(|value| int(value).map(|micros| i32::try_from(micros / day).unwrap()));
    let array = Arc::new(days.collect::<Date32Array>());
    add("date", ValueType::Time, date, array, &times);

    let at = values(dice, |dice| {
        let value = Value::Time([-1_000, 0, 1_000, 2_000, i128::from(day)][dice.below(5)]);
        or_missing(dice, value)
    });
    let millis = at.iter().map(|value| int(value).map(|micros| micros / 1_000));
    let array = Arc::new(millis.collect::<TimestampMillisecondArray>().with_timezone("America/Lima"));
    add("at", ValueType::Time, at, array, &times);
    all
}

/// What the model says of a comparison, by value.
fn ordering(value: &Value, literal: &Literal) -> Option<Ordering> {
    let float = |value: f64, literal: &Literal| match literal {
        Literal::Float(other) => value.partial_cmp(other),
        // Exactly: no integer is rounded.
        Literal::Int(other) if value.is_finite() => {
            let whole = (value.trunc() as i128).cmp(&i128::from(*other));
            Some(whole.then(value.fract().partial_cmp(&0.0)?))
        }
        Literal::Int(_) => value.partial_cmp(&0.0),
        _ => None,
    };
    match (value, literal) {
        (Value::Int(value), Literal::Int(other)) => Some(value.cmp(&i128::from(*other))),
        (Value::Int(value), Literal::Float(other)) => {
            if other.is_infinite() {
                0.0.partial_cmp(other)
            } else {
                Some(value.cmp(&(other.floor() as i128)).then(if other.fract() == 0.0 {
                    Ordering::Equal
                } else {
                    Ordering::Less
                }))
            }
        }
        (Value::Cents(cents), Literal::Int(other)) => Some(cents.cmp(&(i128::from(*other) * 100))),
        // A cent is 0.01 exactly; tenths of it decide.
        (Value::Cents(cents), Literal::Float(other)) => (*cents as f64 * 10.0).partial_cmp(&(other * 1e3).round()),
        (Value::Float(value), literal) => float(*value, literal),
        (Value::Text(text), Literal::Text(other)) => Some(text.as_bytes().cmp(other.as_bytes())),
        (Value::Bool(value), Literal::Bool(other)) => Some(value.cmp(other)),
        (Value::Time(micros), Literal::Time(other)) => Some(micros.cmp(&i128::from(*other))),
        _ => None,
    }
}

fn passes(value: &Value, test: &Test) -> bool {
    match test {
        Test::Present => *value != Value::Missing,
        Test::Compare { op, value: literal } => ordering(value, literal).is_some_and(|found| match op {
            CompareOp::Eq => found.is_eq(),
            CompareOp::Lt => found.is_lt(),
            CompareOp::LtEq => found.is_le(),
            CompareOp::Gt => found.is_gt(),
            CompareOp::GtEq => found.is_ge(),
        }),
        Test::In(literals) => literals.iter().any(|literal| ordering(value, literal).is_some_and(Ordering::is_eq)),
        Test::Any(tests) => tests.iter().any(|test| passes(value, test)),
        Test::TimeWithin(from, to) => {
            matches!(value, Value::Time(micros) if *micros >= i128::from(*from) && *micros < i128::from(*to))
        }
        Test::IsNan => matches!(value, Value::Float(value) if value.is_nan()),
        Test::Contains(piece) => matches!(value, Value::Text(text) if text.contains(piece)),
        Test::ContainsFolded(_) | Test::Has(_) | Test::Matches(_) => panic!("not drawn"),
    }
}

fn test(dice: &mut Dice, column: &Drawn) -> Test {
    let ops = [CompareOp::Eq, CompareOp::Lt, CompareOp::LtEq, CompareOp::Gt, CompareOp::GtEq];
    let literal = |dice: &mut Dice| column.literals[dice.below(column.literals.len())].clone();
    let of =
        |ops: &[CompareOp], dice: &mut Dice| Test::Compare { op: ops[dice.below(ops.len())], value: literal(dice) };
    match (dice.below(10), column.stored) {
        (0, _) => Test::Present,
        (1, _) => {
            // Short lists, and long ones, which are looked up otherwise.
            let length = if dice.below(3) == 0 { 100 } else { dice.below(5) };
            Test::In((0..length).map(|_| literal(dice)).collect())
        }
        (2, ValueType::Time) => match (literal(dice), literal(dice)) {
            (Literal::Time(from), Literal::Time(to)) => Test::TimeWithin(from, to),
            _ => Test::Present,
        },
        (2, ValueType::Float) => Test::IsNan,
        (2, ValueType::Text) => Test::Contains(["", "a", "ż"][dice.below(3)].to_owned()),
        (3, ValueType::Int) => Test::Any(vec![of(&ops, dice), of(&ops, dice)]),
        (_, ValueType::Bool) => of(&ops[..1], dice),
        _ => of(&ops, dice),
    }
}

#[tokio::test]
async fn predicates_say_what_the_tests_say() {
    let mut dice = Dice(4);
    let columns = drawn(&mut dice);
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..i64::try_from(ROWS).unwrap()));
    let arrays = columns.iter().map(|column| (column.name, Arc::clone(&column.array), column.name != "full"));
    let batch = RecordBatch::try_from_iter_with_nullable([("row", numbers, false)].into_iter().chain(arrays)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drawn.parquet");
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(50))
        .set_data_page_row_count_limit(10)
        .set_write_batch_size(10)
        .set_bloom_filter_enabled(true)
        .build();
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let source = PlainSource { name: None, from: path.to_string_lossy().into_owned() };
    let session = Session::of_files(vec![source]).threads(2).build().await.unwrap();
    for _ in 0..500 {
        // Two fields, each negated or not, in a conjunction or disjunction that is negated or not.
        let mut parts = vec![];
        for _ in 0..1 + dice.below(2) {
            let column = &columns[dice.below(columns.len())];
            parts.push((column, test(&mut dice, column), dice.below(2) == 0));
        }
        let (all, negated) = (dice.below(2) == 0, dice.below(2) == 0);
        let fields = parts.iter().map(|(column, test, negated)| {
            let case = Case { stored: column.stored, test: Ok(test.clone()) };
            let field = Predicate::Field(Box::new(Field {
                name: column.name.to_owned(),
                span: Span::default(),
                fold_case: false,
                ranks: vec![],
                choice: Choice::PerRow,
                cases: vec![case],
            }));
            if *negated { Predicate::Not(Box::new(field)) } else { field }
        });
        let whole = if all { Predicate::All(fields.collect()) } else { Predicate::Any(fields.collect()) };
        let whole = if negated { Predicate::Not(Box::new(whole)) } else { whole };
        let expected: Vec<i64> = (0..ROWS)
            .filter(|row| {
                let mut holds =
                    parts.iter().map(|(column, test, negated)| passes(&column.values[*row], test) != *negated);
                let holds = if all { holds.all(|holds| holds) } else { holds.any(|holds| holds) };
                holds != negated
            })
            .map(|row| i64::try_from(row).unwrap())
            .collect();
        let transforms = vec![Transform::Filter(whole), Transform::Select(vec!["row".into()])];
        let query = Query { relation: Relation::Table, transforms };
        let (plan, notes) = resolve(session.plain(), &query).unwrap();
        assert!(notes.is_empty());
        let batches = session.run(plan).await.unwrap();
        let mut found: Vec<i64> =
            batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{query}");
    }
}
