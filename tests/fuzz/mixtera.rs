//! What has to hold for any text given to Mixtera's languages, and for any mixture file. Used by the fuzz target and by the
//! test on stable.

use lakeql_mixtures::{Component, Key, MixtureFile, Order, Plan, Range};
use lakeql_query::dialects::mixtera::{Mixtera, MixteraSeed};
use lakeql_query::dialects::{Dialect, Settings};
use lakeql_query::source::Source;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Reads a text as a query, strictly and leniently, and as a mixture.
pub(crate) fn check(text: &str) {
    let source = Source::query(text);
    for dialect in [&Mixtera as &dyn Dialect, &MixteraSeed] {
        for lenient in [false, true] {
            let settings = Settings { lenient, ..Settings::default() };
            match dialect.lower(&source, &settings) {
                Ok(query) => {
                    assert_eq!(dialect.lower(&source, &settings).ok().as_ref(), Some(&query));
                    assert!(!query.to_string().is_empty());
                    assert!(dialect.syntax_tree(&source, &settings).is_ok(), "a query without a tree");
                }
                Err(found) => super::refused::check(&found, &source),
            }
        }
    }
    if let Ok(file) = MixtureFile::parse(text) {
        draw(&file);
    }
}

/// Samples of some keys.
fn components() -> Vec<Component> {
    let key = |language: &str, license: Option<&str>| {
        let license = license.map(|license| ("license", vec![license.to_owned()]));
        Key::new([("language", vec![language.to_owned()])].into_iter().chain(license))
    };
    let range = |file, start, end| Range { dataset: 1, file, start, end };
    vec![
        Component::new(key("en", Some("MIT")), [range(1, 0, 40), range(2, 7, 9)]),
        Component::new(key("en", None), [range(1, 40, 50)]),
        Component::new(key("de", Some("MIT")), [range(1, 50, 75), range(2, 0, 7)]),
        Component::weighted(key("fr", Some("CC0")), [(range(2, 9, 20), 3), (range(2, 20, 30), 0)]),
    ]
}

/// Draws to the end: it has one, no sample comes twice, and going on from a state gives the same.
fn draw(file: &MixtureFile) {
    for (size, order) in [(7, Order::Keys), (20, Order::Files), (64, Order::Seed(1))] {
        let Ok(plan) = Plan::new(components(), file.clone(), size, order) else { continue };
        let plan = Arc::new(plan);
        let _ = plan.supply();
        let mut drawing = plan.draw();
        let mut seen = BTreeSet::new();
        let mut state = drawing.state().clone();
        while let Ok(Some(chunk)) = drawing.next_chunk() {
            for range in chunk.parts.iter().flat_map(|part| &part.ranges) {
                for sample in range.start..range.end {
                    assert!(seen.insert((range.file, sample)), "a sample comes twice");
                }
            }
            assert!(chunk.number < 1_000, "it does not end");
            if plan.is_direct() {
                assert_eq!(plan.chunk(chunk.number).as_ref(), Some(&chunk));
            }
            let again = plan.resume(state).ok().and_then(|mut draw| draw.next_chunk().ok().flatten());
            assert_eq!(again.as_ref(), Some(&chunk), "resumed to another chunk");
            state = drawing.state().clone();
        }
    }
}
