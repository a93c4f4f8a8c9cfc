//! Calls.

use super::eval::{Env, Eval, Frame};
use super::iter::Iter;
use super::node::{CallCode, LambdaCode};
use crate::methods;
use crate::value::{Missing, Value};
use crate::{Raised, builtins};
use lakeql_query::syntax::python::ParamKind;
use std::sync::Arc;

/// The arguments of a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args {
    pub(crate) positional: Vec<Value>,
    pub(crate) named: Vec<(Arc<str>, Value)>,
}

impl Args {
    pub(crate) fn new(positional: Vec<Value>) -> Self {
        Self { positional, named: vec![] }
    }

    /// The arguments by the names of a function's parameters, of which the first `required` must be given.
    pub(crate) fn bind<const N: usize>(
        &self,
        function: &str,
        names: [&str; N],
        required: usize,
    ) -> Result<[Option<&Value>; N], Raised> {
        let mut bound = [None; N];
        if self.positional.len() > N {
            return Err(Raised::type_error(format!("{function}() takes at most {N} arguments")));
        }
        for (place, value) in bound.iter_mut().zip(&self.positional) {
            *place = Some(value);
        }
        for (name, value) in &self.named {
            let place = names.iter().position(|known| **known == **name).and_then(|i| bound.get_mut(i));
            match place {
                Some(place @ None) => *place = Some(value),
                Some(Some(_)) => return Err(Raised::type_error(format!("{function}() got {name} twice"))),
                None => return Err(Raised::type_error(format!("{function}() has no parameter {name}"))),
            }
        }
        if bound.iter().take(required).any(Option::is_none) {
            return Err(Raised::type_error(format!("{function}() takes at least {required} arguments")));
        }
        Ok(bound)
    }

    /// Exactly so many arguments, all by position.
    pub(crate) fn exactly<const N: usize>(&self, function: &str) -> Result<&[Value; N], Raised> {
        let wrong = || Raised::type_error(format!("{function}() takes exactly {N} arguments"));
        if !self.named.is_empty() {
            return Err(Raised::type_error(format!("{function}() takes no named arguments")));
        }
        self.positional.as_slice().try_into().map_err(|_| wrong())
    }

    /// A named argument.
    pub(crate) fn named(&self, name: &str) -> Option<&Value> {
        self.named.iter().find(|(known, _)| **known == *name).map(|(_, value)| value)
    }
}

/// A lambda with the scope it was made in.
#[derive(Debug)]
pub struct Function {
    code: Arc<LambdaCode>,
    env: Option<Arc<Frame>>,
    defaults: Vec<Option<Value>>,
    depth: u32,
}

impl Function {
    pub(super) fn new(code: Arc<LambdaCode>, env: Option<Arc<Frame>>, defaults: Vec<Option<Value>>) -> Self {
        let depth = 1 + defaults.iter().flatten().map(Value::depth).max().unwrap_or(0);
        Self { code, env, defaults, depth }
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }
}

impl Eval<'_> {
    pub(super) fn arguments(&self, call: &CallCode, env: Env<'_>) -> Result<Args, Raised> {
        let positional = self.items(&call.positional, env)?;
        let mut named: Vec<(Arc<str>, Value)> = vec![];
        for (name, node) in &call.named {
            let value = self.eval(node, env)?;
            match (name, value.unwrapped()) {
                (Some(name), _) => named.push((name.clone(), value)),
                (None, Value::Dict(dict)) => {
                    for (key, value) in dict.iter() {
                        let Value::Str(name) = key else {
                            return Err(Raised::type_error("the names of arguments are texts"));
                        };
                        named.push((name.clone(), value.clone()));
                    }
                }
                (None, other) => return Err(Raised::type_error(format!("{} is not a dict", other.type_name()))),
            }
        }
        Ok(Args { positional, named })
    }

    /// `function(arguments)`
    pub(crate) fn call(&self, function: &Value, args: Args) -> Result<Value, Raised> {
        self.meter.step()?;
        let result = match function {
            Value::Builtin(builtin) => builtin.run(self, &args)?,
            Value::Type(class) => builtins::construct(*class, self, &args)?,
            Value::Function(function) => return self.meter.deeper(|| self.call_lambda(function, args)),
            Value::Method(method) => self.meter.deeper(|| self.method(&method.0, &method.1, args, true))?,
            Value::Unbound(class, name) => {
                let mut args = args;
                if args.positional.is_empty() {
                    return Err(Raised::type_error(format!("{name}() needs a value")));
                }
                let value = args.positional.remove(0);
                let value = value.unwrapped();
                if !class.contains(value) {
                    return Err(Raised::type_error(format!("{name}() is not a method of {}", value.type_name())));
                }
                let result = methods::call(self, value, name, args)?;
                result.ok_or_else(|| Raised::type_error(format!("{name} is not a method")))?
            }
            Value::Missing(Missing::First) | Value::Metric(_) => Value::Missing(Missing::First),
            other => return Err(Raised::type_error(format!("a value of type {} cannot be called", other.type_name()))),
        };
        self.nested(result)
    }

    fn call_lambda(&self, function: &Function, args: Args) -> Result<Value, Raised> {
        let code = &function.code;
        self.meter.allocate(64 + 24 * code.slots)?;
        let frame = Frame::new(code.slots, function.env.as_ref());
        let mut positional = args.positional.into_iter();
        let mut named = args.named;
        for (slot, (param, default)) in code.params.iter().zip(&function.defaults).enumerate() {
            let mut by_name = || {
                let found = named.iter().position(|(name, _)| *name == param.name)?;
                Some(named.remove(found).1)
            };
            let given = match param.kind {
                ParamKind::Positional => positional.next(),
                ParamKind::Plain => match positional.next() {
                    Some(value) => Some(value),
                    None => by_name(),
                },
                ParamKind::Keyword => by_name(),
                ParamKind::Rest => Some(self.nested(Value::tuple(positional.by_ref().collect()))?),
                ParamKind::KeywordRest => Some(self.nested(Value::dict(std::mem::take(&mut named)))?),
            };
            let Some(value) = given.or_else(|| default.clone()) else {
                return Err(Raised::type_error(format!("the parameter {} has no value", param.name)));
            };
            frame.set(slot, value);
        }
        if positional.next().is_some() || !named.is_empty() {
            return Err(Raised::type_error("too many arguments"));
        }
        if code.generator {
            return self.iterator(Iter::Refused);
        }
        self.eval(&code.body, Some(&frame))
    }
}
