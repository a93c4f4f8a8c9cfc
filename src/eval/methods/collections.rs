//! Methods of lists, tuples, dicts and sets. Values cannot be changed: methods that would change one give their result,
//! and are refused where a name holds the value.

use crate::Raised;
use crate::builtins::sort;
use crate::program::{Args, Eval};
use crate::value::{Dict, Seq, Set, Value, arith, compare, sequence};
use std::sync::Arc;

pub(super) const LIST_NAMES: &[&str] =
    &["append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"];
pub(super) const DICT_NAMES: &[&str] =
    &["clear", "copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];
pub(super) const FROZEN_SET_NAMES: &[&str] =
    &["copy", "difference", "intersection", "isdisjoint", "issubset", "issuperset", "symmetric_difference", "union"];
pub(super) const SET_NAMES: &[&str] = &[
    "add",
    "clear",
    "copy",
    "difference",
    "difference_update",
    "discard",
    "intersection",
    "intersection_update",
    "isdisjoint",
    "issubset",
    "issuperset",
    "pop",
    "remove",
    "symmetric_difference",
    "symmetric_difference_update",
    "union",
    "update",
];

/// `count` and `index`, of lists, tuples and ranges.
pub(super) fn search(eval: &Eval<'_>, items: &[Value], name: &str, args: &Args) -> Result<Option<Value>, Raised> {
    let same = |item: &Value, wanted: &Value| -> Result<bool, Raised> {
        eval.meter.step()?;
        Ok(item.same_object(wanted) || compare::equal(item, wanted, &eval.meter)?)
    };
    match name {
        "count" => {
            let [wanted] = args.exactly(name)?;
            let mut count = 0;
            for item in items {
                count += usize::from(same(item, wanted)?);
            }
            Ok(Some(Value::count(count)))
        }
        "index" => {
            let [wanted, start, end] = args.bind(name, ["", "", ""], 1)?;
            let wanted = wanted.unwrap_or(&Value::None);
            let bound = |value: Option<&Value>| value.cloned().unwrap_or(Value::None);
            let range = sequence::slice_positions(&[bound(start), bound(end), Value::None], items.len())?;
            for (i, item) in items.iter().enumerate() {
                if range.contains(i as i64) && same(item, wanted)? {
                    return Ok(Some(Value::count(i)));
                }
            }
            Err(Raised::value_error("the value is not in the list"))
        }
        _ => Ok(None),
    }
}

/// `group` and `groups` of a match.
pub(super) fn groups(items: &Seq, name: &str, args: &Args) -> Result<Option<Value>, Raised> {
    match name {
        "groups" => Ok(Some(Value::tuple(items.iter().skip(1).cloned().collect()))),
        "group" => {
            let [number] = args.bind(name, [""], 0)?;
            let i = sequence::position(number.map_or(Ok(0), sequence::index)?, items.len())?;
            Ok(items.get(i).cloned())
        }
        _ => Ok(None),
    }
}

/// A method of a list.
pub(super) fn list(eval: &Eval<'_>, items: &Arc<Seq>, name: &str, args: &Args) -> Result<Option<Value>, Raised> {
    let value = match name {
        "copy" => {
            args.exactly::<0>(name)?;
            Value::List(items.clone())
        }
        "append" | "extend" | "remove" => {
            let [item] = args.exactly(name)?;
            match name {
                "extend" => {
                    eval.collect(item)?;
                }
                "remove" => {
                    search(eval, items, "index", args)?;
                }
                _ => {}
            }
            Value::None
        }
        "insert" => {
            let [_, _] = args.exactly::<2>(name)?;
            Value::None
        }
        "clear" | "reverse" => {
            args.exactly::<0>(name)?;
            Value::None
        }
        "sort" => {
            sort(eval, items.to_vec(), args.named("key"), false)?;
            Value::None
        }
        "pop" => {
            let [index] = args.bind(name, [""], 0)?;
            let i = sequence::position(index.map_or(Ok(-1), sequence::index)?, items.len())?;
            items.get(i).cloned().unwrap_or(Value::None)
        }
        _ => return search(eval, items, name, args),
    };
    Ok(Some(value))
}

/// A method of a dict.
pub(super) fn dict(eval: &Eval<'_>, dict: &Arc<Dict>, name: &str, args: &Args) -> Result<Option<Value>, Raised> {
    let value = match name {
        "get" | "setdefault" | "pop" => {
            let [key, default] = args.bind(name, ["", ""], 1)?;
            let found = dict.get(key.unwrap_or(&Value::None), &eval.meter)?;
            match (found, default) {
                (Some(found), _) => found.clone(),
                (None, None) if name == "pop" => return Err(Raised::key_error("the dict has no such key")),
                (None, default) => default.cloned().unwrap_or(Value::None),
            }
        }
        "keys" | "values" | "items" => {
            args.exactly::<0>(name)?;
            eval.meter.allocate_items(dict.len().saturating_mul(3))?;
            Value::list(match name {
                "keys" => dict.keys().to_vec(),
                "values" => dict.values().to_vec(),
                _ => dict.iter().map(|(key, value)| Value::tuple(vec![key.clone(), value.clone()])).collect(),
            })
        }
        "copy" => {
            args.exactly::<0>(name)?;
            Value::Dict(dict.clone())
        }
        "popitem" => {
            let last = dict.iter().last().ok_or_else(|| Raised::key_error("the dict is empty"))?;
            Value::tuple(vec![last.0.clone(), last.1.clone()])
        }
        "update" | "clear" => Value::None,
        _ => return Ok(None),
    };
    Ok(Some(value))
}

/// A method of a set or frozen set.
pub(super) fn set(
    eval: &Eval<'_>,
    value: &Value,
    set: &Arc<Set>,
    name: &str,
    args: &Args,
) -> Result<Option<Value>, Raised> {
    let meter = &eval.meter;
    let others = || -> Result<Vec<Set>, Raised> {
        args.positional.iter().map(|other| Set::collect(eval.collect(other)?, meter)).collect()
    };
    let one = || -> Result<Set, Raised> {
        let [other] = args.exactly(name)?;
        Set::collect(eval.collect(other)?, meter)
    };
    let result = match name {
        "union" => {
            let mut all = (**set).clone();
            for other in others()? {
                all = arith::union(&all, other.items(), meter)?;
            }
            arith::like(value, all)
        }
        "intersection" | "difference" => {
            let mut kept = (**set).clone();
            for other in others()? {
                kept = arith::filter_set(&kept, &other, name == "intersection", meter)?;
            }
            arith::like(value, kept)
        }
        "symmetric_difference" => {
            let other = one()?;
            let mine = arith::filter_set(set, &other, false, meter)?;
            let theirs = arith::filter_set(&other, set, false, meter)?;
            arith::like(value, arith::union(&mine, theirs.items(), meter)?)
        }
        "issubset" => Value::Bool(set.is_subset(&one()?, meter)?),
        "issuperset" => Value::Bool(one()?.is_subset(set, meter)?),
        "isdisjoint" => Value::Bool(arith::filter_set(set, &one()?, true, meter)?.is_empty()),
        "copy" => value.clone(),
        "add" | "discard" | "clear" | "update" if matches!(value, Value::Set(_)) => Value::None,
        "remove" if matches!(value, Value::Set(_)) => {
            let [item] = args.exactly(name)?;
            if !set.contains(item, meter)? {
                return Err(Raised::key_error("the set has no such element"));
            }
            Value::None
        }
        "pop" if matches!(value, Value::Set(_)) => {
            set.items().first().cloned().ok_or_else(|| Raised::key_error("the set is empty"))?
        }
        _ if name.ends_with("_update") && matches!(value, Value::Set(_)) => Value::None,
        _ => return Ok(None),
    };
    Ok(Some(result))
}
