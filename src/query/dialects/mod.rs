//! The languages. Each one is a folder and a line in [`ALL`].

pub mod aimql;
pub mod hydra;
pub mod mixtera;
pub mod mql;
pub mod nql;

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
pub static ALL: &[&dyn Dialect] = &[
    &aimql::AimQl,
    &nql::Nql,
    &nql::NqlLegacy,
    &nql::NqlTyped,
    &mql::Mql,
    &hydra::Hydra,
    &mixtera::Mixtera,
    &mixtera::MixteraSeed,
];

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
    /// The rows are those of a plain table: no name has a meaning of its own, each is that of a column.
    pub plain: bool,
    /// NQL: only runs of this project.
    pub project: Option<String>,
    /// NQL: the instant that relative times count from, in microseconds since 1970 (UTC). Who asks says what time it is;
    /// a query that needs it and has it not is refused.
    pub now: Option<i64>,
    /// NQL: a word or text alone looks into name, description and id.
    pub search_terms: bool,
    /// NQL: bytes of a kilobyte; 1024 if not given.
    pub size_base: Option<u32>,
    /// MQL: the namespace of files and saved queries that are named without one.
    pub namespace: Option<String>,
    /// MQL: files any number of steps away instead of those that were asked for.
    pub closure: Option<crate::model::Provenance>,
    /// MQL: whether retired files are among the files of datasets and of the whole catalogue.
    pub include_retired: bool,
    /// NQL, legacy: where the client puts what the names of the dialect stand for.
    pub legacy_prefixes: LegacyPrefixes,
    /// Hydra: the trees that are walked, one worker each; needed where there are several.
    pub trees: Vec<String>,
    /// Hydra: ops over the rows of all trees.
    pub ops: String,
    /// Hydra: ops over the rows of each tree.
    pub worker_ops: String,
    /// Hydra: the sane meaning where the original has a known defect.
    pub strict: bool,
    /// Mixtera: the collection that is asked; needed where there are several.
    pub collection: Option<String>,
    /// Mixtera: leave out conditions that a strict reading refuses.
    pub lenient: bool,
    /// Mixtera: ranges are those of samples that are alike in these properties.
    pub by: Vec<String>,
    /// Mixtera: numbers of samples by these properties instead of ranges.
    pub count_by: Vec<String>,
}

/// What stands before the names of the legacy dialect of NQL in paths of attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyPrefixes {
    /// Of parameters, `parameters/` if not told otherwise.
    pub parameters: String,
    /// Of metrics, `metrics/`.
    pub metrics: String,
    /// Of text logs, and of metrics that were logged as such, `logs/`.
    pub logs: String,
    /// Of properties, `properties/`.
    pub properties: String,
}

impl Default for LegacyPrefixes {
    fn default() -> Self {
        let of = |name: &str| format!("{name}/");
        Self { parameters: of("parameters"), metrics: of("metrics"), logs: of("logs"), properties: of("properties") }
    }
}
