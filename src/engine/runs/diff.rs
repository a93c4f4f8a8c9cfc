//! What tells runs apart.

use super::document::{Entry, Part, Run};
use super::value::Value;
use crate::Result;
use std::collections::BTreeMap;

/// Properties that say nothing about the runs themselves: the id heads the columns, the other is the lake's own.
const NO_DIFFERENCE: [&str; 2] = ["hash", "imported_at"];

/// Something that is not the same in all runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is.
    pub part: Part,
    /// The name by which `--select` asks for it.
    pub name: String,
    /// The value of each run; nothing where a run does not have it.
    pub values: Vec<Option<Value>>,
}

/// What is not the same in all runs: properties in their order, params by path, summaries by sequence. Values are compared
/// by [`Value::same`].
///
/// # Errors
/// A stored document is damaged.
pub fn diff(runs: &[Run]) -> Result<Vec<Difference>> {
    let mut order: BTreeMap<String, usize> = BTreeMap::new();
    let mut found: BTreeMap<(Part, usize, String), Difference> = BTreeMap::new();
    for (column, run) in runs.iter().enumerate() {
        for Entry { part, name, key, value } in run.entries()? {
            if part == Part::Property && NO_DIFFERENCE.contains(&name.as_str()) {
                continue;
            }
            // Properties keep the order in which runs have them, everything else that of the keys.
            let next = order.len();
            let position = if part == Part::Property { *order.entry(key.clone()).or_insert(next) } else { 0 };
            let entry = found.entry((part.clone(), position, key));
            let difference = entry.or_insert_with(|| Difference { part, name, values: vec![None; runs.len()] });
            if let Some(slot) = difference.values.get_mut(column) {
                *slot = value;
            }
        }
    }
    Ok(found.into_values().filter(|difference| !all_same(&difference.values)).collect())
}

fn all_same(values: &[Option<Value>]) -> bool {
    let Some((first, rest)) = values.split_first() else { return true };
    rest.iter().all(|value| match (first, value) {
        (None, None) => true,
        (Some(first), Some(value)) => first.same(value),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::document::Sequence;

    fn run(params: &str, context: &str, last: f64) -> Run {
        let key = lakeql_lake::ingest::aim::canonical_context(context).unwrap();
        Run {
            hash: "h".into(),
            properties: vec![("hash".into(), None), ("name".into(), Some(Value::text("n"))), ("active".into(), None)],
            params: Value::of_json(params),
            sequences: vec![Sequence {
                kind: "metric".into(),
                name: "loss".into(),
                context: context.into(),
                context_key: key,
                summaries: vec![("n", Value::int(3)), ("last", Value::float(last))],
            }],
        }
    }

    fn names(runs: &[Run]) -> Vec<String> {
        diff(runs).unwrap().into_iter().map(|difference| difference.name).collect()
    }

    #[test]
    fn only_what_differs_is_told() {
        let one = run(r#"{"a":1,"b":{"c":2},"d":"x"}"#, "{}", 0.5);
        assert_eq!(names(&[one.clone(), one.clone()]), [""; 0]);
        let other = run(r#"{"a":1.0,"b":{"c":3},"e":null}"#, "{}", 0.25);
        let found = diff(&[one.clone(), other]).unwrap();
        let named: Vec<_> = found.iter().map(|difference| difference.name.as_str()).collect();
        assert_eq!(named, ["b.c", "d", "e", "loss.last"]);
        // A None is a value; a param that is not there is none.
        assert_eq!(found[2].values, [None, Some(Value::of_json("null"))]);
        assert_eq!(found[3].part, Part::Sequence("metric".into()));
    }

    #[test]
    fn contexts_that_are_equal_to_python_are_one() {
        let (one, other) = (run("{}", r#"{"k":1}"#, 1.0), run("{}", r#"{"k":1.0}"#, 1.0));
        assert_eq!(names(&[one.clone(), other]), [""; 0]);
        let third = run("{}", r#"{"k":2}"#, 1.0);
        assert_eq!(
            names(&[one, third]),
            [r#"loss{"k":1}.n"#, r#"loss{"k":1}.last"#, r#"loss{"k":2}.n"#, r#"loss{"k":2}.last"#]
        );
    }
}
