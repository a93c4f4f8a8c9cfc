//! The kinds of attribute values: what stands in the columns `kind` of `attributes` and `paths`.

use super::path::ColumnType;

/// The kind of an attribute value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AttributeKind {
    /// An integer: column `int`, or `json` beyond 64 bits.
    Int,
    /// A float: column `float`.
    Float,
    /// A text: column `text`.
    Text,
    /// A truth value: column `bool`.
    Bool,
    /// Something that is there and empty (Aim).
    Null,
    /// A group: its members are attributes of their own.
    Dict,
    /// A list: columns `ints`, `floats`, `texts` or `json`.
    List,
    /// A point in time: column `time` (Neptune's datetime).
    Time,
    /// A set of texts: column `texts` (Neptune's stringSet). Questions take an empty set for none.
    Set,
    /// The state of an experiment, `running` or `idle`: column `text`.
    State,
    /// An artifact: its version hash in column `text`, null when nothing tells it.
    Artifact,
    /// A file: its path in column `text`, null when nothing tells it.
    File,
    /// A set of files: its path in column `text`, null when nothing tells it.
    FileSet,
    /// A reference to a commit: known to exist and nothing more.
    GitRef,
    /// A reference to a notebook: known to exist and nothing more.
    NotebookRef,
}

impl AttributeKind {
    /// All kinds.
    pub const ALL: [AttributeKind; 15] = [
        AttributeKind::Int,
        AttributeKind::Float,
        AttributeKind::Text,
        AttributeKind::Bool,
        AttributeKind::Null,
        AttributeKind::Dict,
        AttributeKind::List,
        AttributeKind::Time,
        AttributeKind::Set,
        AttributeKind::State,
        AttributeKind::Artifact,
        AttributeKind::File,
        AttributeKind::FileSet,
        AttributeKind::GitRef,
        AttributeKind::NotebookRef,
    ];

    /// The text in the columns `kind`.
    pub const fn name(self) -> &'static str {
        match self {
            AttributeKind::Int => "int",
            AttributeKind::Float => "float",
            AttributeKind::Text => "text",
            AttributeKind::Bool => "bool",
            AttributeKind::Null => "null",
            AttributeKind::Dict => "dict",
            AttributeKind::List => "list",
            AttributeKind::Time => "time",
            AttributeKind::Set => "set",
            AttributeKind::State => "state",
            AttributeKind::Artifact => "artifact",
            AttributeKind::File => "file",
            AttributeKind::FileSet => "file_set",
            AttributeKind::GitRef => "git_ref",
            AttributeKind::NotebookRef => "notebook_ref",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<AttributeKind> {
        AttributeKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The typed column that holds values of this kind (integers beyond 64 bits excepted); those of other kinds are only
    /// named, in the column of type `kind`.
    pub const fn column(self) -> ColumnType {
        match self {
            AttributeKind::Int => ColumnType::Int,
            AttributeKind::Float => ColumnType::Float,
            AttributeKind::Text => ColumnType::Text,
            AttributeKind::Bool => ColumnType::Bool,
            AttributeKind::Time => ColumnType::Time,
            AttributeKind::Null
            | AttributeKind::Dict
            | AttributeKind::List
            | AttributeKind::Set
            | AttributeKind::State
            | AttributeKind::Artifact
            | AttributeKind::File
            | AttributeKind::FileSet
            | AttributeKind::GitRef
            | AttributeKind::NotebookRef => ColumnType::Kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for kind in AttributeKind::ALL {
            assert_eq!(AttributeKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(AttributeKind::from_name("path"), None);
    }
}
