//! `explain`: the value that leaves each stage of a query.

use crate::args::{ExplainArgs, StageArg};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::text;
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use lakeql_engine::Stage;
use std::fmt::Write;
use std::sync::Arc;

pub(super) async fn run(context: &Context, args: &ExplainArgs) -> Result<(), Failure> {
    let given = args.text.saved.is_none().then(|| text::read(&args.text)).transpose()?;
    let output = Output::open(&context.global)?;
    let session = context.session_from(&args.from).await?;
    let source = match given {
        Some(source) => source,
        None => text::of_session(&args.text, &session).await?,
    };
    let (settings, shape) = (args.language.settings(), args.shape.shape());
    let explain = session
        .explain(&source, &args.text.lang, &settings, &shape, stage(args.stage), args.analyze)
        .await
        .map_err(|error| Failure::of_query(error, &source))?;
    // Plans are texts of many lines: rows only for those who ask for a format.
    if context.global.format.is_some() {
        output.batch(&rows(&explain.sections)?)
    } else {
        output.text(&page(&explain.sections))
    }
}

fn stage(stage: StageArg) -> Stage {
    match stage {
        StageArg::Ast => Stage::Ast,
        StageArg::Query => Stage::Query,
        StageArg::Logical => Stage::Logical,
        StageArg::Optimized => Stage::Optimized,
        StageArg::Physical => Stage::Physical,
        StageArg::Sql => Stage::Sql,
        StageArg::All => Stage::All,
    }
}

/// The sections below their titles; a single one needs none.
fn page(sections: &[(String, String)]) -> String {
    if let [(_, text)] = sections {
        return format!("{}\n", text.trim_end());
    }
    let mut page = String::new();
    for (index, (title, text)) in sections.iter().enumerate() {
        let gap = if index == 0 { "" } else { "\n" };
        let _ = writeln!(page, "{gap}── {title} ──\n{}", text.trim_end());
    }
    page
}

fn rows(sections: &[(String, String)]) -> Result<RecordBatch, Failure> {
    let titles: ArrayRef = Arc::new(StringArray::from_iter_values(sections.iter().map(|(title, _)| title)));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(sections.iter().map(|(_, text)| text)));
    Ok(RecordBatch::try_from_iter([("stage", titles), ("text", texts)])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_stand_above_several_sections() {
        let section = |title: &str, text: &str| (title.to_owned(), text.to_owned());
        assert_eq!(page(&[section("ast", "a\n")]), "a\n");
        assert_eq!(page(&[section("ast", "a"), section("query", "b\n")]), "── ast ──\na\n\n── query ──\nb\n");
    }
}
