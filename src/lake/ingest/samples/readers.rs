//! Schemas of well-known corpora, so that nobody has to write them down.

use super::schema::{SampleSchema, SchemaProperty};
use crate::catalog::samples::{Property, PropertyKind};

/// A corpus whose layout is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownLayout {
    /// RedPajama: `meta.language` (one or, for code, a list of objects with `name`), `meta.publication_date`,
    /// `meta.timestamp`, `meta.source`.
    RedPajama,
    /// SlimPajama: `meta.redpajama_set_name`.
    SlimPajama,
    /// The Pile: `meta.pile_set_name`.
    Pile,
    /// FineWeb: columns `dump`, `language`, `language_score`, `token_count`, `date`.
    FineWeb,
}

/// The parts of SlimPajama.
const SLIM_PAJAMA: [&str; 7] = [
    "RedPajamaCommonCrawl",
    "RedPajamaC4",
    "RedPajamaGithub",
    "RedPajamaBook",
    "RedPajamaArXiv",
    "RedPajamaWikipedia",
    "RedPajamaStackExchange",
];

/// The parts of The Pile.
const PILE: [&str; 22] = [
    "Pile-CC",
    "PubMed Central",
    "Books3",
    "OpenWebText2",
    "ArXiv",
    "Github",
    "FreeLaw",
    "StackExchange",
    "USPTO Backgrounds",
    "PubMed Abstracts",
    "Gutenberg (PG-19)",
    "OpenSubtitles",
    "Wikipedia (en)",
    "DM Mathematics",
    "Ubuntu IRC",
    "BookCorpus2",
    "EuroParl",
    "HackerNews",
    "YoutubeSubtitles",
    "PhilPapers",
    "NIH ExPorter",
    "Enron Emails",
];

impl KnownLayout {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::RedPajama, Self::SlimPajama, Self::Pile, Self::FineWeb];

    /// The name for users.
    pub fn name(self) -> &'static str {
        match self {
            Self::RedPajama => "redpajama",
            Self::SlimPajama => "slimpajama",
            Self::Pile => "pile",
            Self::FineWeb => "fineweb",
        }
    }

    /// The layout with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.name() == name)
    }

    /// Its properties.
    pub fn schema(self) -> SampleSchema {
        let texts = |values: &[&str]| Some(values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>());
        let properties = match self {
            Self::RedPajama => vec![
                SchemaProperty { pick: Some("name".to_owned()), ..list(text("language", "meta.language")) },
                text("publication_date", "meta.publication_date"),
                text("timestamp", "meta.timestamp"),
                text("source", "meta.source"),
            ],
            Self::SlimPajama => {
                vec![named(text("redpajama_set_name", "meta.redpajama_set_name"), texts(&SLIM_PAJAMA))]
            }
            Self::Pile => vec![named(text("pile_set_name", "meta.pile_set_name"), texts(&PILE))],
            Self::FineWeb => vec![
                text("dump", "dump"),
                text("language", "language"),
                of_kind(text("language_score", "language_score"), PropertyKind::Float),
                of_kind(text("token_count", "token_count"), PropertyKind::Int),
                of_kind(text("date", "date"), PropertyKind::Time),
            ],
        };
        SampleSchema { properties }
    }
}

fn text(name: &str, path: &str) -> SchemaProperty {
    let property = Property {
        name: name.to_owned(),
        kind: PropertyKind::Text,
        multiple: false,
        nullable: true,
        options: None,
        apart: None,
        added: false,
    };
    SchemaProperty { property, path: path.split('.').map(str::to_owned).collect(), pick: None }
}

fn list(mut known: SchemaProperty) -> SchemaProperty {
    known.property.multiple = true;
    known
}

fn of_kind(mut known: SchemaProperty, kind: PropertyKind) -> SchemaProperty {
    known.property.kind = kind;
    known
}

/// One of these, always.
fn named(mut known: SchemaProperty, options: Option<Vec<String>>) -> SchemaProperty {
    (known.property.options, known.property.nullable) = (options, false);
    known
}
