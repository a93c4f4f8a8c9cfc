//! Functions, classes and modules that a query knows by name.

pub(crate) mod convert;
mod functions;
mod math;
mod pattern;
mod sequences;
mod strings;
pub(crate) mod time;
mod types;

pub(crate) use sequences::sort;
pub(crate) use types::{Type, construct};

use crate::Raised;
use crate::program::{Args, Eval};
use crate::value::Value;
use std::fmt;

type Run = fn(&Eval<'_>, &Args) -> Result<Value, Raised>;

/// A function that is part of the language.
#[derive(Clone, Copy)]
pub struct Builtin {
    name: &'static str,
    run: Run,
}

impl Builtin {
    const fn new(name: &'static str, run: Run) -> Self {
        Self { name, run }
    }

    /// Its name, with its module's.
    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    pub(crate) fn run(self, eval: &Eval<'_>, args: &Args) -> Result<Value, Raised> {
        (self.run)(eval, args)
    }
}

impl PartialEq for Builtin {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Module {
    /// `math`
    Math,
    /// `string`
    String,
    /// `re`
    Re,
    /// `random`: known, but an answer may not depend on chance.
    Random,
}

impl Module {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Math => "math",
            Self::String => "string",
            Self::Re => "re",
            Self::Random => "random",
        }
    }
}

/// What a name means that is neither a variable nor the item.
pub(crate) fn find(name: &str) -> Option<Value> {
    if let Some(class) = Type::find(name) {
        return Some(Value::Type(class));
    }
    let module = match name {
        "math" => Some(Module::Math),
        "string" => Some(Module::String),
        "re" => Some(Module::Re),
        "random" => Some(Module::Random),
        "Ellipsis" => return Some(Value::Ellipsis),
        _ => None,
    };
    if let Some(module) = module {
        return Some(Value::Module(module));
    }
    let lists = [functions::FUNCTIONS, sequences::FUNCTIONS, convert::FUNCTIONS];
    lists.into_iter().flatten().find(|builtin| builtin.name == name).map(Value::Builtin)
}

/// An attribute of a class or a module.
pub(crate) fn attribute(owner: &Value, name: &str) -> Result<Value, Raised> {
    match owner {
        Value::Module(Module::Math) => Ok(math::attribute(name)),
        Value::Module(Module::String) => strings::attribute(name),
        Value::Module(Module::Re) => Ok(pattern::attribute(name)),
        Value::Module(Module::Random) => Err(Raised::unsupported("chance has no part in a query")),
        Value::Type(class) => Ok(types::attribute(*class, name)),
        _ => Ok(Value::None),
    }
}
