//! What an evaluation that fails has to say.

use std::borrow::Cow;
use std::fmt;

/// The classes of exceptions that matter to someone who reads a report of dropped rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RaisedKind {
    /// An operation on the wrong type.
    Type,
    /// The right type with an impossible value.
    Value,
    /// A name that is not known.
    Name,
    /// An attribute that may not be read.
    Attribute,
    /// A key that is not there.
    Key,
    /// An index outside of its sequence.
    Index,
    /// Division by zero.
    ZeroDivision,
    /// A number outside of its type's range.
    Overflow,
    /// Something that queries may not do.
    Unsupported,
    /// The evaluation would take too many steps, too much memory or too deep a nesting.
    Limit,
}

/// An exception: the row has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Raised {
    /// Its class.
    pub kind: RaisedKind,
    /// What happened.
    pub message: Cow<'static, str>,
}

impl fmt::Display for RaisedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Type => "type error",
            Self::Value => "value error",
            Self::Name => "unknown name",
            Self::Attribute => "attribute error",
            Self::Key => "missing key",
            Self::Index => "index error",
            Self::ZeroDivision => "division by zero",
            Self::Overflow => "overflow",
            Self::Unsupported => "not supported",
            Self::Limit => "limit",
        })
    }
}

macro_rules! constructors {
    ($($name:ident $kind:ident),*) => {$(
        #[doc = concat!("An exception of kind [`RaisedKind::", stringify!($kind), "`].")]
        #[must_use]
        pub fn $name(message: impl Into<Cow<'static, str>>) -> Self {
            Self { kind: RaisedKind::$kind, message: message.into() }
        }
    )*};
}

impl Raised {
    constructors!(
        type_error Type, value_error Value, name_error Name, attribute_error Attribute, key_error Key,
        index_error Index, zero_division ZeroDivision, overflow Overflow, unsupported Unsupported, limit Limit
    );

    /// Whether the evaluation was stopped because it asked for too much.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        self.kind == RaisedKind::Limit
    }
}
