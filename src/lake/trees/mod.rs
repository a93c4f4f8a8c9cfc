//! Trees of the lake, read a few pages at a time.
//!
//! | file | what it does |
//! |---|---|
//! | `file.rs` | bytes of a file, and what was read of it |
//! | `level.rs` | the rows of one level: blocks of columns, and the place of a name among siblings |
//! | `tree.rs` | the levels as a [`Tree`](lakeql_rows::tree::Tree) that paths can walk |
//! | `run.rs` | the nodes one after the other, for those who want all of them |
//!
//! Each level is a file whose rows lie in the order of paths, so that the children of a node are one range of rows of the
//! next level; a node's row says where it starts and how long it is. Names rise within such a range, and the page index
//! says which page has a name.

mod file;
mod level;
mod run;
mod tree;

pub use file::{LevelRead, ReadStats};
pub(crate) use run::stored_run;
pub use tree::{OpenTree, TreeView};
