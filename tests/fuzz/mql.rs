//! What has to hold for any text given to MQL. Used by the fuzz target and by the test on stable.

use lakeql_query::dialects::{Dialect, Settings, mql::Mql};
use lakeql_query::model::Provenance;
use lakeql_query::source::Source;

/// Reads a text with and without a namespace, as a query and as a closure.
pub(crate) fn check(text: &str) {
    let source = Source::query(text);
    let _ = Mql.syntax_tree(&source, &Settings::default());
    for (namespace, closure) in [(None, None), (Some("ns"), None), (Some("ns"), Some(Provenance::Parents))] {
        let settings = Settings { namespace: namespace.map(str::to_owned), closure, ..Settings::default() };
        match Mql.lower(&source, &settings) {
            Ok(query) => {
                let _ = query.to_string();
            }
            Err(found) => super::refused::check(&found, &source),
        }
    }
}
