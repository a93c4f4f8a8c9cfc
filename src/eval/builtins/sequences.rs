//! Functions over what can be iterated.

use super::Builtin;
use crate::Raised;
use crate::program::{Args, Eval, Iter, iterate};
use crate::value::{Missing, Range, Value, arith, compare, sequence};
use lakeql_query::syntax::python::BinaryOp;
use std::sync::Arc;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("all", |eval, args| every(eval, args, "all", false)),
    Builtin::new("any", |eval, args| every(eval, args, "any", true)),
    Builtin::new("enumerate", |eval, args| {
        let [items, start] = args.bind("enumerate", ["iterable", "start"], 1)?;
        let start = super::types::optional_index(start, 0)?;
        eval.iterator(Iter::Enumerate(Box::new(iterate(items.unwrap_or(&Value::None))?), start))
    }),
    Builtin::new("filter", |eval, args| {
        let [function, items] = args.exactly("filter")?;
        eval.iterator(Iter::Filter(function.clone(), Box::new(iterate(items)?)))
    }),
    Builtin::new("len", len),
    Builtin::new("list", |eval, args| sequence_of(eval, args, "list").map(Value::list)),
    Builtin::new("map", |eval, args| match args.positional.split_first() {
        Some((function, sources)) if !sources.is_empty() => {
            let sources = sources.iter().map(iterate).collect::<Result<_, _>>()?;
            eval.iterator(Iter::Map(function.clone(), sources))
        }
        _ => Err(Raised::type_error("map() takes a function and what to iterate over")),
    }),
    Builtin::new("max", |eval, args| extreme(eval, args, "max")),
    Builtin::new("min", |eval, args| extreme(eval, args, "min")),
    Builtin::new("range", range),
    Builtin::new("reversed", |eval, args| {
        let [items] = args.exactly("reversed")?;
        let ordered = matches!(
            items.unwrapped(),
            Value::List(_) | Value::Tuple(_) | Value::Str(_) | Value::Range(_) | Value::Dict(_) | Value::Bytes(_)
        );
        if !ordered {
            return Err(Raised::type_error("only sequences can be reversed"));
        }
        let mut items = eval.collect(items)?;
        items.reverse();
        eval.iterator(Iter::Items(Value::list(items), 0))
    }),
    Builtin::new("sorted", |eval, args| {
        let Some(items) = args.positional.first().filter(|_| args.positional.len() == 1) else {
            return Err(Raised::type_error("sorted() takes one argument by position"));
        };
        if args.named.iter().any(|(name, _)| !matches!(&**name, "key" | "reverse")) {
            return Err(Raised::type_error("sorted() takes key and reverse by name"));
        }
        let items = eval.collect(items)?;
        let reverse = args.named("reverse").is_some_and(Value::truthy);
        sort(eval, items, args.named("key"), reverse).map(Value::list)
    }),
    Builtin::new("sum", sum),
    Builtin::new("tuple", |eval, args| sequence_of(eval, args, "tuple").map(Value::tuple)),
    Builtin::new("zip", |eval, args| {
        let sources = args.positional.iter().map(iterate).collect::<Result<_, _>>()?;
        eval.iterator(Iter::Zip(sources))
    }),
];

fn every(eval: &Eval<'_>, args: &Args, name: &str, stop: bool) -> Result<Value, Raised> {
    let [items] = args.exactly(name)?;
    let mut iter = iterate(items)?;
    while let Some(item) = iter.next(eval)? {
        if item.truthy() == stop {
            return Ok(Value::Bool(stop));
        }
    }
    Ok(Value::Bool(!stop))
}

fn len(eval: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [value] = args.exactly("len")?;
    Ok(Value::count(match value.unwrapped() {
        Value::Str(text) if text.len() < 64 => text.chars().count(),
        Value::Str(text) => {
            eval.meter.walk(text.len())?;
            text.chars().count()
        }
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) | Value::Tuple(items) => items.len(),
        Value::Dict(dict) => dict.len(),
        Value::Set(set) | Value::FrozenSet(set) => set.len(),
        Value::Range(range) => range.len(),
        other => return Err(Raised::type_error(format!("a value of type {} has no length", other.type_name()))),
    }))
}

/// The elements for `list()` and `tuple()`, which refuse texts.
fn sequence_of(eval: &Eval<'_>, args: &Args, name: &str) -> Result<Vec<Value>, Raised> {
    let [items] = args.exactly(name)?;
    if let Value::Str(_) = items.unwrapped() {
        return Err(Raised::unsupported(format!("{name}() of a text")));
    }
    eval.collect(items)
}

/// Ranges are limited to fewer numbers than this, as in the original.
const RANGE_LIMIT: usize = 1000;

fn range(_: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let int = sequence::index;
    let (start, stop, step) = match args.positional.as_slice() {
        [stop] => (0, int(stop)?, 1),
        [start, stop] => (int(start)?, int(stop)?, 1),
        [start, stop, step] => (int(start)?, int(stop)?, int(step)?),
        _ => return Err(Raised::type_error("range() takes one to three integers")),
    };
    if step == 0 {
        return Err(Raised::value_error("the step of a range cannot be zero"));
    }
    let range = Range { start, stop, step };
    if range.len() >= RANGE_LIMIT {
        return Err(Raised::value_error("a range has fewer than 1000 numbers"));
    }
    Ok(Value::Range(Arc::new(range)))
}

fn extreme(eval: &Eval<'_>, args: &Args, name: &str) -> Result<Value, Raised> {
    if args.named.iter().any(|(name, _)| !matches!(&**name, "key" | "default")) {
        return Err(Raised::type_error(format!("{name}() takes key and default by name")));
    }
    let mut iter = match args.positional.as_slice() {
        [] => return Err(Raised::type_error(format!("{name}() takes at least one argument"))),
        [one] => iterate(one)?,
        several => Iter::Items(Value::list(several.to_vec()), 0),
    };
    let key = args.named("key").filter(|key| !matches!(key, Value::None));
    let mut best: Option<(Value, Value)> = None;
    while let Some(item) = iter.next(eval)? {
        let rank = match key {
            Some(key) => eval.call(key, Args::new(vec![item.clone()]))?,
            None => item.clone(),
        };
        let better = match &best {
            None => true,
            Some((known, _)) if name == "max" => compare::less(known, &rank, &eval.meter)?,
            Some((known, _)) => compare::less(&rank, known, &eval.meter)?,
        };
        if better {
            best = Some((rank, item));
        }
    }
    match (best, args.named("default")) {
        (Some((_, item)), _) => Ok(item),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(Raised::value_error(format!("{name}() of nothing"))),
    }
}

fn sum(eval: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let [items, start] = args.bind("sum", ["iterable", "start"], 1)?;
    let mut total = start.cloned().unwrap_or(Value::Int(0));
    if let Value::Str(_) | Value::Bytes(_) = total.unwrapped() {
        return Err(Raised::type_error("sum() does not join texts"));
    }
    let mut iter = iterate(items.unwrap_or(&Value::Missing(Missing::Deeper)))?;
    while let Some(item) = iter.next(eval)? {
        total = arith::binary(BinaryOp::Add, &total, &item, &eval.meter)?;
    }
    Ok(total)
}

/// Sorts stably, by the values of a function if one is given.
pub(crate) fn sort(
    eval: &Eval<'_>,
    items: Vec<Value>,
    key: Option<&Value>,
    reverse: bool,
) -> Result<Vec<Value>, Raised> {
    let key = key.filter(|key| !matches!(key, Value::None));
    eval.meter.allocate_items(items.len().saturating_mul(4))?;
    let mut ranked = Vec::with_capacity(items.len());
    for item in items {
        let rank = match key {
            Some(key) => eval.call(key, Args::new(vec![item.clone()]))?,
            None => item.clone(),
        };
        ranked.push((rank, item));
    }
    // Equal elements keep their order in both directions.
    if reverse {
        ranked.reverse();
    }
    let mut sorted = merge_sort(eval, ranked)?;
    if reverse {
        sorted.reverse();
    }
    Ok(sorted.into_iter().map(|(_, item)| item).collect())
}

type Ranked = (Value, Value);

/// A sort that survives comparisons that fail or contradict each other (NaN, wrappers of several types). Short lists are
/// sorted by binary insertion behind their first run, which is what Python does with them.
fn merge_sort(eval: &Eval<'_>, mut items: Vec<Ranked>) -> Result<Vec<Ranked>, Raised> {
    let less = |a: &Ranked, b: &Ranked| {
        eval.meter.step()?;
        compare::less(&a.0, &b.0, &eval.meter)
    };
    if items.len() >= 64 {
        let right = items.split_off(items.len() / 2);
        let left = merge_sort(eval, items)?;
        let right = merge_sort(eval, right)?;
        let mut merged = Vec::with_capacity(left.len() + right.len());
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let from = if less(b, a)? { &mut right } else { &mut left };
            merged.extend(from.next());
        }
        merged.extend(left);
        merged.extend(right);
        return Ok(merged);
    }
    let mut sorted: Vec<Ranked> = Vec::with_capacity(items.len());
    let mut rest = items.into_iter().peekable();
    sorted.extend(rest.next());
    // The first run: rising, or strictly falling and then turned around.
    if let (Some(first), Some(second)) = (sorted.first(), rest.peek()) {
        let falling = less(second, first)?;
        while let (Some(last), Some(next)) = (sorted.last(), rest.peek()) {
            if less(next, last)? != falling {
                break;
            }
            sorted.extend(rest.next());
        }
        if falling {
            sorted.reverse();
        }
    }
    for item in rest {
        let (mut low, mut high) = (0, sorted.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match sorted.get(middle) {
                Some(known) if !less(&item, known)? => low = middle + 1,
                _ => high = middle,
            }
        }
        sorted.insert(low, item);
    }
    Ok(sorted)
}
