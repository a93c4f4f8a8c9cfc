//! Tests of values that may be anything: scalars, lists, dictionaries, one inside the other.
//!
//! A value is seen as a bag of **items** ([`Scope`]), and a test holds for the value if **some** item passes
//! ([`ItemTest`]). «All items» is «no item that does not»; a comparison with a third state (items that cannot be compared)
//! is two such tests: some item compares so, and none is [`ItemTest::Incomparable`].

use super::expr::Literal;
use crate::span::Span;
use serde::{Deserialize, Serialize};

/// Some item of the value under a key passes a test. A missing key has no items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Items {
    /// The key in the dictionary of the row; flat, whatever characters it has.
    pub key: String,
    /// Where the query names it.
    pub span: Span,
    /// Which items the value has.
    pub scope: Scope,
    /// What is asked of an item.
    pub test: ItemTest,
}

/// The items of a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// What is taken out of the value first.
    pub step: Option<Step>,
    /// How many levels of lists are opened: 0 makes the list itself the only item. What is no list is one item.
    pub unwrap: u8,
    /// Whether the items of a dictionary are its values, lists among them opened once. Where a key has lists more often
    /// than dictionaries, a dictionary is out of place and stays one item.
    pub values: bool,
}

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Step {
    /// Element of a list, from 0; nothing before the first or behind the last. What is no list is its own first element.
    Index(i64),
    /// Member of a dictionary, or of any of the dictionaries in a list.
    Member(String),
}

/// What is asked of one item. All tests are two-valued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ItemTest {
    /// Nothing: the item is there.
    Anything,
    /// It compares so with a constant. Numbers compare as decimals whatever their types, texts by code points, false is
    /// less than true. A null differs from everything else and is neither less nor greater. Other pairs do not compare.
    Compare(ItemOp, Scalar),
    /// It cannot be compared with this constant: both are there and of different kinds.
    Incomparable(Scalar),
    /// It equals one of these.
    In(Vec<Scalar>),
    /// It lies between these, both ends included.
    Between(Scalar, Scalar),
    /// It is a text with a match of this expression, in the syntax of the crate `regex`.
    Matches(String),
    /// It is a text without a match.
    Lacks(String),
    /// It is a text of this shape: `%` is any piece of text, `_` any character, a backslash takes the next one literally.
    Like(String),
    /// It is a list whose length compares so.
    Length(Box<ItemTest>),
    /// It is a list.
    IsList,
    /// The other test does not hold.
    Not(Box<ItemTest>),
}

/// Comparisons of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ItemOp {
    /// Equal.
    Eq,
    /// Comparable and different.
    NotEq,
    /// Less.
    Lt,
    /// Less or equal.
    LtEq,
    /// Greater.
    Gt,
    /// Greater or equal.
    GtEq,
}

impl ItemOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::NotEq => "!=",
            Self::Lt => "<",
            Self::LtEq => "<=",
            Self::Gt => ">",
            Self::GtEq => ">=",
        }
    }

    /// The comparison that holds where this one does not, for comparable values.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Eq => Self::NotEq,
            Self::NotEq => Self::Eq,
            Self::Lt => Self::GtEq,
            Self::LtEq => Self::Gt,
            Self::Gt => Self::LtEq,
            Self::GtEq => Self::Lt,
        }
    }
}

/// A constant that items are compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Scalar {
    /// Null.
    Null,
    /// True or false.
    Bool(bool),
    /// A number in decimal notation, exact: `5`, `-0.3`, `1e25`.
    Number(String),
    /// A text.
    Text(String),
}

/// A column of the row's own table passes a test; two-valued, a null passes only [`ColumnCheck::Null`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnTest {
    /// The column.
    pub column: String,
    /// Where the query names it.
    pub span: Span,
    /// What is asked.
    pub check: ColumnCheck,
}

/// What is asked of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ColumnCheck {
    /// It is null.
    Null,
    /// It compares so.
    Compare(ItemOp, Literal),
    /// It is one of these.
    In(Vec<Literal>),
    /// Its text has a match of this expression, in the syntax of the crate `regex`.
    Matches(String),
    /// Its text has this shape, see [`ItemTest::Like`].
    Like(String),
    /// The member of this name of the JSON dictionary in it is a text that compares so.
    Member(String, ItemOp, String),
}
