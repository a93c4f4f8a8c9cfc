//! One value of a row.

use crate::error::Problem;
use crate::number::{Number, any_number};
use crate::sketch::{Bloom, Cardinality};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A value. Text `"5"` and integer `5` are different.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell {
    /// Nothing: absent or explicitly null.
    #[default]
    Empty,
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// Text.
    Text(Arc<str>),
    /// Bytes without a meaning.
    Bytes(Arc<[u8]>),
    /// An array.
    List(Arc<[Cell]>),
    /// A map.
    Map(Arc<BTreeMap<String, Cell>>),
    /// An estimate of the number of distinct values; `gather`'s `s` merges it.
    Distinct(Arc<Cardinality>),
    /// A set that knows what it has not seen.
    Bloom(Arc<Bloom>),
}

/// What rows give where they have no cell.
pub(crate) static EMPTY: Cell = Cell::Empty;

impl Cell {
    /// A text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// The value as text, as the original prints it; nothing where there is none.
    pub fn to_text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Empty => return None,
            Self::Int(value) => Cow::Owned(value.to_string()),
            Self::Float(value) => Cow::Owned(crate::number::float_text(*value)),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Bytes(bytes) => Cow::Owned(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(|item| item.to_text().unwrap_or("null".into())).collect();
                Cow::Owned(format!("[{}]", items.join(", ")))
            }
            Self::Map(entries) => {
                let text =
                    |(key, value): (&String, &Self)| format!("{key}={}", value.to_text().unwrap_or("null".into()));
                Cow::Owned(format!("{{{}}}", entries.iter().map(text).collect::<Vec<_>>().join(", ")))
            }
            Self::Distinct(estimate) => Cow::Owned(estimate.count().to_string()),
            Self::Bloom(filter) => Cow::Owned(filter.bits_set().to_string()),
        })
    }

    /// Adds the text to `into`; an empty cell adds nothing.
    pub(crate) fn push_text(&self, into: &mut String) {
        match self {
            Self::Empty => {}
            Self::Text(text) => into.push_str(text),
            Self::Int(value) => push_integer(*value, into),
            other => into.push_str(&other.to_text().unwrap_or_default()),
        }
    }

    /// The text, written into `space` if it is not one already; nothing for an empty cell.
    pub(crate) fn text_in<'a>(&'a self, space: &'a mut String) -> Option<&'a str> {
        match self {
            Self::Empty => None,
            Self::Text(text) => Some(text),
            other => {
                space.clear();
                other.push_text(space);
                Some(space)
            }
        }
    }

    /// Whether it is equal to another one as the original sees it, which depends on the left side: a text is equal to whatever
    /// prints so, an integer to an integer only, a double to whatever can be read as that double.
    ///
    /// # Errors
    /// A double beside what is no number.
    pub(crate) fn equals(&self, other: &Self) -> Result<bool, Problem> {
        Ok(match (self, other) {
            (Self::Empty, _) | (_, Self::Empty) => self.is_empty() && other.is_empty(),
            (Self::Text(_), _) => self.same_text(other),
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), _) => any_number(other)?.as_float() == *a,
            _ => self == other,
        })
    }

    /// Whether both have the same text, or none.
    pub(crate) fn same_text(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Empty, _) | (_, Self::Empty) => self.is_empty() && other.is_empty(),
            _ => self.to_text() == other.to_text(),
        }
    }

    /// The number, if it is one already: estimates count as their value, texts are not read.
    pub fn as_number(&self) -> Option<Number> {
        match self {
            Self::Int(value) => Some(Number::Int(*value)),
            Self::Float(value) => Some(Number::Float(*value)),
            Self::Distinct(estimate) => Some(Number::Int(estimate.count())),
            Self::Bloom(filter) => Some(Number::Int(filter.bits_set())),
            Self::Empty | Self::Text(_) | Self::Bytes(_) | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// Bytes of memory that the value takes, about.
    pub fn size(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Empty | Self::Int(_) | Self::Float(_) => 0,
                Self::Text(text) => text.len() + 16,
                Self::Bytes(bytes) => bytes.len() + 16,
                Self::List(items) => items.iter().map(Self::size).sum(),
                Self::Map(entries) => entries.iter().map(|(key, value)| key.len() + 48 + value.size()).sum(),
                Self::Distinct(estimate) => estimate.size(),
                Self::Bloom(filter) => filter.size(),
            }
    }
}

/// Appends the digits of an integer.
pub(crate) fn push_integer(value: i64, into: &mut String) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        #[allow(clippy::cast_possible_truncation, reason = "a digit")]
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0' + (rest % 10) as u8;
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        into.push('-');
    }
    into.push_str(digits.get(at..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default());
}

impl From<Number> for Cell {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(value) => Self::Int(value),
            Number::Float(value) => Self::Float(value),
        }
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}
