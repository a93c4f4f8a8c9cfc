//! Classes.

use super::{convert, time};
use crate::program::{Args, Eval};
use crate::value::{Dict, Set, Value, sequence};
use crate::{Raised, methods};
use std::sync::Arc;

/// A class. Lists, tuples and ranges have functions of these names instead, as in the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are what they are called")]
pub enum Type {
    Bool,
    Int,
    Float,
    Complex,
    Str,
    Bytes,
    List,
    Tuple,
    Dict,
    Set,
    FrozenSet,
    Range,
    Slice,
    Datetime,
    Date,
    Time,
    Timedelta,
    Nothing,
    Other,
    /// One of the classes of exceptions, by its position in their list.
    Exception(u8),
}

/// The classes of exceptions that have names.
const EXCEPTIONS: [&str; 40] = [
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "BufferError",
    "BytesWarning",
    "DeprecationWarning",
    "EOFError",
    "EnvironmentError",
    "Exception",
    "FloatingPointError",
    "FutureWarning",
    "GeneratorExit",
    "IOError",
    "ImportError",
    "ImportWarning",
    "IndentationError",
    "IndexError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "NameError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PendingDeprecationWarning",
    "ReferenceError",
    "RuntimeError",
    "RuntimeWarning",
    "StopIteration",
    "SyntaxError",
    "SyntaxWarning",
    "SystemError",
    "SystemExit",
    "TabError",
    "TypeError",
    "UnicodeError",
    "ValueError",
    "ZeroDivisionError",
];

impl Type {
    /// The class of a name that queries know.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Some(match name {
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "complex" => Self::Complex,
            "str" => Self::Str,
            "dict" => Self::Dict,
            "set" => Self::Set,
            "frozenset" => Self::FrozenSet,
            "slice" => Self::Slice,
            "datetime" => Self::Datetime,
            "date" => Self::Date,
            "timedelta" => Self::Timedelta,
            _ => return (0..).zip(EXCEPTIONS).find(|(_, known)| *known == name).map(|(i, _)| Self::Exception(i)),
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Complex => "complex",
            Self::Str => "str",
            Self::Bytes => "bytes",
            Self::List => "list",
            Self::Tuple => "tuple",
            Self::Dict => "dict",
            Self::Set => "set",
            Self::FrozenSet => "frozenset",
            Self::Range => "range",
            Self::Slice => "slice",
            Self::Datetime => "datetime",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timedelta => "timedelta",
            Self::Nothing => "NoneType",
            Self::Other => "object",
            Self::Exception(i) => EXCEPTIONS.get(usize::from(i)).copied().unwrap_or("Exception"),
        }
    }

    /// The class of a value, that in a wrapper.
    pub(crate) fn of(value: &Value) -> Self {
        match value.unwrapped() {
            Value::None => Self::Nothing,
            Value::Bool(_) => Self::Bool,
            Value::Int(_) | Value::Big(_) => Self::Int,
            Value::Float(_) => Self::Float,
            Value::Complex(..) => Self::Complex,
            Value::Str(_) => Self::Str,
            Value::Bytes(_) => Self::Bytes,
            Value::List(_) => Self::List,
            Value::Tuple(_) => Self::Tuple,
            Value::Dict(_) => Self::Dict,
            Value::Set(_) => Self::Set,
            Value::FrozenSet(_) => Self::FrozenSet,
            Value::Range(_) => Self::Range,
            Value::Slice(_) => Self::Slice,
            Value::Datetime(_) => Self::Datetime,
            Value::Date(_) => Self::Date,
            Value::Time(_) => Self::Time,
            Value::Timedelta(_) => Self::Timedelta,
            _ => Self::Other,
        }
    }

    /// Whether a value is an instance, also of a class below.
    pub(crate) fn contains(self, value: &Value) -> bool {
        self.is_base_of(Self::of(value)) && self != Self::Other
    }

    /// Whether another class is this one or below it.
    pub(crate) fn is_base_of(self, other: Self) -> bool {
        self == other
            || matches!((self, other), (Self::Int, Self::Bool) | (Self::Date, Self::Datetime))
            || (matches!((self, other), (Self::Exception(_), Self::Exception(_)))
                && matches!(self.name(), "BaseException" | "Exception"))
    }
}

/// An attribute of a class: a constant, a function that makes values, or a method without a value.
pub(super) fn attribute(class: Type, name: &str) -> Value {
    if let Type::Datetime | Type::Date | Type::Timedelta = class
        && let Some(value) = time::class_attribute(class, name)
    {
        return value;
    }
    if class == Type::Dict && name == "fromkeys" {
        return Value::Builtin(&super::functions::FROM_KEYS);
    }
    if methods::is_known(class, name) { Value::Unbound(class, name.into()) } else { Value::None }
}

/// `class(arguments)`
pub(crate) fn construct(class: Type, eval: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    match class {
        Type::Bool => {
            let [value] = args.bind("bool", ["x"], 0)?;
            Ok(Value::Bool(value.is_some_and(Value::truthy)))
        }
        Type::Int => convert::int(eval, args),
        Type::Float => convert::float(eval, args),
        Type::Complex => convert::complex(eval, args),
        Type::Str => {
            let [value, _, _] = args.bind("str", ["object", "encoding", "errors"], 0)?;
            value.map_or_else(|| Ok(Value::text("")), |value| crate::value::text::str(value, &eval.meter))
        }
        Type::Set | Type::FrozenSet => {
            let [items] = args.bind(class.name(), [""], 0)?;
            let items = items.map_or_else(|| Ok(vec![]), |items| eval.collect(items))?;
            eval.meter.allocate_items(2 * items.len())?;
            let set = Arc::new(Set::collect(items, &eval.meter)?);
            Ok(if class == Type::Set { Value::Set(set) } else { Value::FrozenSet(set) })
        }
        Type::Slice => {
            let parts = match args.positional.as_slice() {
                [stop] => [Value::None, stop.clone(), Value::None],
                [start, stop] => [start.clone(), stop.clone(), Value::None],
                [start, stop, step] => [start.clone(), stop.clone(), step.clone()],
                _ => return Err(Raised::type_error("slice() takes one to three arguments")),
            };
            Ok(Value::Slice(Arc::new(parts)))
        }
        Type::Dict => dict(eval, args),
        Type::Datetime => time::datetime(args),
        Type::Date => time::date(args),
        Type::Timedelta => time::timedelta(args),
        Type::Exception(_) => Ok(Value::Object("exception")),
        other => Err(Raised::unsupported(format!("values of type {} are not made by name", other.name()))),
    }
}

/// `dict(entries, name=value)`
fn dict(eval: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
    let mut dict = Dict::default();
    match args.positional.as_slice() {
        [] => {}
        [source] => match source.unwrapped() {
            Value::Dict(source) => dict = (**source).clone(),
            _ => {
                for pair in eval.collect(source)? {
                    let pair = eval.collect(&pair)?;
                    let [key, value] = pair.as_slice() else {
                        return Err(Raised::value_error("a dict is made of pairs"));
                    };
                    dict.insert(key.clone(), value.clone(), &eval.meter)?;
                }
            }
        },
        _ => return Err(Raised::type_error("dict() takes at most one argument")),
    }
    eval.meter.allocate_items(3 * (dict.len() + args.named.len()))?;
    for (name, value) in &args.named {
        dict.insert(Value::Str(name.clone()), value.clone(), &eval.meter)?;
    }
    Ok(Value::Dict(Arc::new(dict)))
}

/// `isinstance(value, class)` for one class or a tuple of classes.
pub(super) fn is_instance(value: &Value, class: &Value) -> Result<bool, Raised> {
    match class {
        Value::Type(class) => Ok(class.contains(value)),
        Value::Tuple(classes) => {
            for class in classes.iter() {
                if is_instance(value, class)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        other => Err(Raised::type_error(format!("a value of type {} is not a class", other.type_name()))),
    }
}

/// An optional integer argument.
pub(crate) fn optional_index(value: Option<&Value>, default: i64) -> Result<i64, Raised> {
    value.map_or(Ok(default), sequence::index)
}
