//! The languages. Each one is a folder and a line in [`ALL`].

pub mod aimql;
pub mod hydra;

use crate::diagnostic::Diagnostic;
use crate::model::Query;
use crate::source::Source;

/// A query language: a text goes in, a [`Query`] comes out.
pub trait Dialect: Send + Sync {
    /// The name after `--lang`.
    fn name(&self) -> &'static str;

    /// One line for the list of languages.
    fn about(&self) -> &'static str;

    /// Parses the text and spells out its meaning.
    ///
    /// # Errors
    /// What is wrong with the text, most important first.
    fn lower(&self, source: &Source, settings: &Settings) -> Result<Query, Vec<Diagnostic>>;

    /// The syntax tree as text, for `explain --stage ast`.
    ///
    /// # Errors
    /// As [`Dialect::lower`], for texts that are not of the grammar.
    fn syntax_tree(&self, source: &Source, settings: &Settings) -> Result<String, Vec<Diagnostic>>;
}

/// All languages, in the order they are listed to users. SQL is not among them: it has no lowering of its own.
pub static ALL: &[&dyn Dialect] = &[&aimql::AimQl];

/// The language of this name.
pub fn find(name: &str) -> Option<&'static dyn Dialect> {
    ALL.iter().copied().find(|dialect| dialect.name() == name)
}

/// What a language can be told beside the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// AimQL: what is searched (`run`, `metric`, `images` …); `run` if not given.
    pub entity: Option<String>,
    /// AimQL: minutes that are subtracted from UTC before a query sees `created_at` and `finalized_at`.
    pub tz_offset_minutes: i64,
    /// AimQL: only runs that come after this hash in newest-first order.
    pub after: Option<String>,
}
