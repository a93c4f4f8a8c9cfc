//! The functions against their definitions, row by row, on random lists and maps: nulls, nothing in them, slices.

use super::between::ListAnyBetween;
use super::compare::ListAnyCompare;
use super::matches::ListAnyMatches;
use super::within::ListAnyIn;
use crate::scalar::arguments::testing::call;
use arrow::array::{Array, ArrayRef, AsArray, Float64Builder, Int64Builder, ListBuilder, MapBuilder, StringBuilder};
use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::{ColumnarValue, ScalarUDF, ScalarUDFImpl};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use std::sync::Arc;

type Rows<T> = Vec<Option<Vec<Option<T>>>>;

fn rows<T: Clone + std::fmt::Debug>(item: impl Strategy<Value = T>) -> impl Strategy<Value = Rows<T>> {
    vec(of(vec(of(item), 0..5)), 0..20)
}

/// The same rows as lists and as maps.
macro_rules! arrays {
    ($rows:expr, $builder:expr) => {{
        let mut lists = ListBuilder::new($builder);
        let mut maps = MapBuilder::new(None, StringBuilder::new(), $builder);
        for row in $rows {
            match row {
                None => {
                    lists.append_null();
                    maps.append(false).unwrap();
                }
                Some(items) => {
                    for (at, item) in items.iter().enumerate() {
                        maps.keys().append_value(format!("k{at}"));
                        maps.values().append_option(item.clone());
                    }
                    lists.append_value(items.iter().cloned());
                    maps.append(true).unwrap();
                }
            }
        }
        let both: [ArrayRef; 2] = [Arc::new(lists.finish()), Arc::new(maps.finish())];
        both
    }};
}

/// What a function says of arrays is what the definition says of each row, of slices too.
fn check<T>(
    function: impl ScalarUDFImpl + 'static,
    arrays: &[ArrayRef],
    rows: &Rows<T>,
    rest: &[ScalarValue],
    all: bool,
    passes: impl Fn(&T) -> bool,
) {
    let function = ScalarUDF::from(function);
    let of_row = |row: &Option<Vec<Option<T>>>| {
        let items = row.as_ref()?;
        let mut tests = items.iter().map(|item| item.as_ref().is_some_and(&passes));
        Some(if all { tests.all(|it| it) } else { tests.any(|it| it) })
    };
    let expected: Vec<Option<bool>> = rows.iter().map(of_row).collect();
    for array in arrays {
        for (start, end) in [(0, rows.len()), (rows.len() / 3, rows.len()), (0, rows.len() / 2)] {
            let piece = array.slice(start, end - start);
            let args = std::iter::once(ColumnarValue::Array(piece));
            let args = args.chain(rest.iter().cloned().map(ColumnarValue::Scalar)).collect();
            let found = call(&function, args, end - start).unwrap();
            let found: Vec<Option<bool>> = found.as_boolean().iter().collect();
            assert_eq!(found, expected[start..end], "{} {rest:?}", function.name());
        }
    }
}

const OPERATORS: [&str; 6] = ["=", "!=", "<", "<=", ">", ">="];

fn holds<T: PartialOrd>(operator: &str, left: &T, right: &T) -> bool {
    match operator {
        "=" => left == right,
        "!=" => left != right,
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        _ => left >= right,
    }
}

fn list(values: &[ScalarValue], item: &DataType) -> ScalarValue {
    ScalarValue::List(ScalarValue::new_list_nullable(values, item))
}

proptest! {
    #[test]
    fn of_ints(rows in rows(-3_i64..4), a in -3_i64..4, b in -3_i64..4) {
        let arrays = arrays!(&rows, Int64Builder::new());
        for operator in OPERATORS {
            let rest = [ScalarValue::from(operator), ScalarValue::from(a)];
            check(ListAnyCompare::new(), &arrays, &rows, &rest, false, |it| holds(operator, it, &a));
            check(ListAnyCompare::all(), &arrays, &rows, &rest, true, |it| holds(operator, it, &a));
        }
        let ends = [ScalarValue::from(a), ScalarValue::from(b)];
        check(ListAnyBetween::inside(), &arrays, &rows, &ends, false, |it| a <= *it && *it <= b);
        check(ListAnyBetween::outside(), &arrays, &rows, &ends, false, |it| !(a <= *it && *it <= b));
        check(ListAnyBetween::all(), &arrays, &rows, &ends, true, |it| a <= *it && *it <= b);
        let values = [list(&ends, &DataType::Int64)];
        check(ListAnyIn::inside(), &arrays, &rows, &values, false, |it| *it == a || *it == b);
        check(ListAnyIn::outside(), &arrays, &rows, &values, false, |it| *it != a && *it != b);
        check(ListAnyIn::all(), &arrays, &rows, &values, true, |it| *it == a || *it == b);
    }

    #[test]
    fn of_floats(
        rows in rows(prop_oneof![Just(0.0), Just(-0.0), Just(f64::NAN), Just(1.5), any::<f64>()]),
        a in prop_oneof![Just(0.0), Just(1.5), any::<f64>()],
    ) {
        let arrays = arrays!(&rows, Float64Builder::new());
        for operator in OPERATORS {
            let rest = [ScalarValue::from(operator), ScalarValue::from(a)];
            check(ListAnyCompare::new(), &arrays, &rows, &rest, false, |it| holds(operator, it, &a));
            check(ListAnyCompare::all(), &arrays, &rows, &rest, true, |it| holds(operator, it, &a));
        }
        let ends = [ScalarValue::from(0.0), ScalarValue::from(1.5)];
        check(ListAnyBetween::inside(), &arrays, &rows, &ends, false, |it| (0.0..=1.5).contains(it));
        let values = [list(&ends, &DataType::Float64)];
        check(ListAnyIn::inside(), &arrays, &rows, &values, false, |it| *it == 0.0 || *it == 1.5);
        check(ListAnyIn::all(), &arrays, &rows, &values, true, |it| *it == 0.0 || *it == 1.5);
    }

    #[test]
    fn of_texts(rows in rows("[abé]{0,3}"), a in "[abé]{0,2}", b in "[abé]{0,2}") {
        let arrays = arrays!(&rows, StringBuilder::new());
        for operator in OPERATORS {
            let rest = [ScalarValue::from(operator), ScalarValue::from(a.as_str())];
            check(ListAnyCompare::new(), &arrays, &rows, &rest, false, |it| holds(operator, it, &a));
            check(ListAnyCompare::all(), &arrays, &rows, &rest, true, |it| holds(operator, it, &a));
        }
        let ends = [ScalarValue::from(a.as_str()), ScalarValue::from(b.as_str())];
        check(ListAnyBetween::inside(), &arrays, &rows, &ends, false, |it| a <= *it && *it <= b);
        check(ListAnyBetween::all(), &arrays, &rows, &ends, true, |it| a <= *it && *it <= b);
        let values = [list(&ends, &DataType::Utf8)];
        check(ListAnyIn::outside(), &arrays, &rows, &values, false, |it| *it != a && *it != b);
        let regex = [ScalarValue::from("^a|é$")];
        let found = |it: &String| it.starts_with('a') || it.ends_with('é');
        check(ListAnyMatches::found(), &arrays, &rows, &regex, false, found);
        check(ListAnyMatches::missed(), &arrays, &rows, &regex, false, |it| !found(it));
        check(ListAnyMatches::all(), &arrays, &rows, &regex, true, found);
    }
}

/// Other types are refused while the query is planned.
#[test]
fn wrong_types() {
    let function = ScalarUDF::from(ListAnyCompare::new());
    let plan = |types: &[DataType]| function.coerce_types(types).map_err(|error| error.to_string());
    assert!(plan(&[DataType::Int64, DataType::Utf8, DataType::Int64]).unwrap_err().contains("a list or a map"));
    let flags = DataType::new_list(DataType::Boolean, true);
    assert!(plan(&[flags, DataType::Utf8, DataType::Boolean]).unwrap_err().contains("64-bit numbers or texts"));
    assert!(plan(&[DataType::new_list(DataType::Int64, true)]).is_err());
}
