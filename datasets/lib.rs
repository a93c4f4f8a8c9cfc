//! Seeded generators of realistic lakes and tables for benches and tests.
//!
//! A generator writes what an importer reads, and counts the right answers of a fixed list of questions while it
//! writes, so that a bench or a test can check what it measures. The same spec gives the same bytes (logarithms and
//! powers come from the platform, so another one may differ in a last digit).
//!
//! The recorded data beside this crate (`sklearn_runs.jsonl.gz`, `tutorial_runs.jsonl`) is described in `README.md`.

mod catalogue;
mod dice;
mod events;
mod experiments;
mod neptune;
mod taxi;
mod text;

pub use catalogue::{CatalogueAnswer, CatalogueSpec, CatalogueSummary, write_catalogue};
pub use events::{
    EVENT_TOPS, EVENT_TREE, EventSpec, EventSummary, day_name, product_name, write_event_table, write_events,
};
pub use experiments::{Answer, ExperimentSpec, Summary, write_experiments};
pub use neptune::{NEPTUNE_PROJECT, NeptuneSpec, NeptuneSummary, write_neptune};
pub use taxi::{TaxiAnswer, TaxiSpec, write_taxi};
