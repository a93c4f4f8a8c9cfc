//! Syntax trees, which are also what programs build queries from.

use crate::span::Span;

/// A query: which samples are wanted.
///
/// ```
/// use lakeql_query::dialects::mixtera::{Query, Value};
/// let english = Query::select([("language", "==", "en")]);
/// let free = Query::select([("license", "==", Value::list(["MIT", "CC0"])), ("year", ">=", "2015".into())]);
/// assert_eq!(
///     english.union(free).to_json().to_string(),
///     r#"{"union":[{"select":[["license","==",["MIT","CC0"]],["year",">=","2015"]]},{"select":[["language","==","en"]]}]}"#,
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// The samples for which all conditions hold; all samples without a condition.
    Select(Vec<Condition>),
    /// Selects one after the other where that means a union; the first is printed above the others.
    Chain(Vec<Query>),
    /// Samples of any of these.
    Union(Vec<Query>),
    /// Samples of all of these.
    Intersection(Vec<Query>),
    /// Samples of the first that are not in the second.
    Difference(Box<Query>, Box<Query>),
}

/// One condition: field, operator, value.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// A property of the samples.
    pub field: String,
    /// `==`, `!=`, `<`, `<=`, `>`, `>=`.
    pub operator: String,
    /// What it is compared with.
    pub value: Value,
    /// Where field, operator and value are in the text.
    pub(super) spans: [Span; 3],
}

/// The right side of a condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `None`, `null`.
    None,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list, without lists in it.
    List(Vec<Value>),
}

impl Query {
    /// The samples for which all conditions hold; all samples if there is none.
    pub fn select<F, O, V>(conditions: impl IntoIterator<Item = (F, O, V)>) -> Self
    where
        F: Into<String>,
        O: Into<String>,
        V: Into<Value>,
    {
        let condition = |(field, operator, value): (F, O, V)| Condition {
            field: field.into(),
            operator: operator.into(),
            value: value.into(),
            spans: [Span::default(); 3],
        };
        Self::Select(conditions.into_iter().map(condition).collect())
    }

    /// All samples.
    pub fn everything() -> Self {
        Self::Select(vec![])
    }

    /// Also the samples of the other. The argument stands first in the tree, as the language has it.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self::Union(vec![other, self])
    }

    /// Only the samples that the other has too.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self::Intersection(vec![other, self])
    }

    /// Only the samples that the other has not.
    #[must_use]
    pub fn difference(self, other: Self) -> Self {
        Self::Difference(Box::new(self), Box::new(other))
    }

    /// The JSON form of the query, which is a text of the language too.
    pub fn to_json(&self) -> serde_json::Value {
        let all = |parts: &[Self]| serde_json::Value::from(parts.iter().map(Self::to_json).collect::<Vec<_>>());
        match self {
            Self::Select(conditions) => {
                let one = |it: &Condition| serde_json::json!([it.field, it.operator, it.value.to_json()]);
                serde_json::json!({ "select": conditions.iter().map(one).collect::<Vec<_>>() })
            }
            Self::Chain(parts) | Self::Union(parts) => serde_json::json!({ "union": all(parts) }),
            Self::Intersection(parts) => serde_json::json!({ "intersection": all(parts) }),
            Self::Difference(left, right) => serde_json::json!({ "difference": [left.to_json(), right.to_json()] }),
        }
    }
}

impl Value {
    /// A list of values.
    pub fn list<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }

    fn to_json(&self) -> serde_json::Value {
        match self {
            Self::None => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Float(value) => (*value).into(),
            Self::Text(value) => value.as_str().into(),
            Self::List(values) => values.iter().map(Self::to_json).collect::<Vec<_>>().into(),
        }
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
