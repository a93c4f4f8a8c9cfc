//! The text of a query and where it came from.

use serde::{Deserialize, Serialize};

/// The text of one query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Shown in diagnostics: a file name, `<query>` or `<stdin>`.
    pub name: String,
    /// The text exactly as the user wrote it.
    pub text: String,
}

impl Source {
    /// Longest text that is looked at: longer ones are refused before parsing.
    pub const MAX_BYTES: usize = 4 << 20;

    /// A text given on the command line or through the library.
    pub fn query(text: impl Into<String>) -> Self {
        Self { name: "<query>".into(), text: text.into() }
    }
}
