//! `save`: a query gets a name.

use crate::args::{SaveArgs, TextArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::text;
use lakeql_lake::Lake;
use lakeql_lake::ingest::metacat::{SavedQuery, save_query};
use lakeql_query::dialects::{Dialect, Settings, mql::Mql};

/// The language of saved queries.
const LANGUAGE: &str = "mql";

pub(super) async fn run(context: &Context, args: &SaveArgs) -> Result<(), Failure> {
    let text = TextArgs { text: args.text.clone(), file: args.file.clone(), lang: LANGUAGE.to_owned(), saved: None };
    let source = text::read(&text)?;
    let named = args.name.split_once(':').filter(|(namespace, name)| is_name(namespace) && is_name(name));
    let Some((namespace, name)) = named else {
        let message = format!("`{}` is no NAMESPACE:NAME of letters, digits and _ - . /", args.name);
        return Err(Failure::Usage(message));
    };
    // A query that nobody could ask is not saved.
    Mql.lower(&source, &Settings::default()).map_err(|found| Failure::Wrong { found, source: source.clone() })?;
    let lake = Lake::open(&context.global.lake).await?;
    let saved = SavedQuery {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        source: source.text,
        description: args.description.clone(),
    };
    let version = save_query(&lake, saved).await?;
    context.talk.say(&format!("saved {}; the lake is now at version {version}", args.name));
    Ok(())
}

/// What MQL can name.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
}
