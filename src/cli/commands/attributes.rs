//! `attributes`: the paths of attributes, names of sequences and keys of contexts, and their values.

use super::query;
use crate::args::{AttributesArgs, LanguageArgs, ShapeArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use lakeql_lake::catalog::paths::PathEntry;
use lakeql_query::diagnostic::Kind;
use lakeql_query::source::Source;
use regex::Regex;
use std::sync::Arc;

pub(super) async fn run(context: &Context, args: &AttributesArgs) -> Result<(), Failure> {
    let wanted = args.regex.as_deref().map(compile).transpose()?;
    let output = Output::open(&context.global)?;
    if args.values {
        return values(context, args.regex.as_deref(), output).await;
    }
    let snapshot = context.snapshot().await?;
    let entries = snapshot.paths().owned(args.of.owner());
    let matches = |entry: &&PathEntry| wanted.as_ref().is_none_or(|wanted| wanted.is_match(&entry.path));
    output.batch(&rows(entries.iter().filter(matches), args.of.counted())?)
}

fn compile(regex: &str) -> Result<Regex, Failure> {
    Regex::new(regex).map_err(|error| {
        // The parser draws carets of its own over several lines; its last line is the reason.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        Failure::new(Kind::Regex, format!("`{regex}` is not a regular expression: {reason}"))
    })
}

/// One row a path. The entries come sorted by path; there is one for each type that a path has.
fn rows<'a>(entries: impl Iterator<Item = &'a PathEntry>, counted: &str) -> Result<RecordBatch, Failure> {
    let (mut paths, mut types, mut counts) = (vec![], Vec::<String>::new(), vec![]);
    let mut examples = Vec::<Option<&str>>::new();
    for entry in entries {
        if paths.last() == Some(&entry.path.as_str())
            && let (Some(types), Some(count), Some(example)) =
                (types.last_mut(), counts.last_mut(), examples.last_mut())
        {
            types.push_str(", ");
            types.push_str(&entry.kind);
            *count += entry.count;
            *example = (*example).or(entry.example.as_deref());
        } else {
            paths.push(entry.path.as_str());
            types.push(entry.kind.clone());
            counts.push(entry.count);
            examples.push(entry.example.as_deref());
        }
    }
    let columns: [(&str, ArrayRef); 4] = [
        ("path", Arc::new(StringArray::from(paths))),
        ("types", Arc::new(StringArray::from(types))),
        (counted, Arc::new(UInt64Array::from(counts))),
        ("example", Arc::new(StringArray::from(examples))),
    ];
    Ok(RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, name == "example")),
    )?)
}

/// One row a path, type and value, the frequent ones first.
async fn values(context: &Context, regex: Option<&str>, output: Output) -> Result<(), Failure> {
    let session = context.session().await?;
    let source = Source { name: "<attributes>".into(), text: values_sql(regex) };
    let (language, shape) = (LanguageArgs::default(), ShapeArgs::default());
    query::answer(context, &session, &source, "sql", &language, &shape, output).await
}

fn values_sql(regex: Option<&str>) -> String {
    let filter = regex.map(|regex| format!(" and regexp_like(path, '{}')", regex.replace('\'', "''")));
    format!(
        "select path, kind as type, \
         coalesce(text, cast(\"int\" as varchar), cast(\"float\" as varchar), cast(\"bool\" as varchar), cast(\"time\" as varchar), json, \
         '[' || array_to_string(ints, ', ') || ']', '[' || array_to_string(floats, ', ') || ']', \
         '[' || array_to_string(texts, ', ') || ']') as value, \
         count(*) as runs \
         from attributes where kind <> 'dict'{} \
         group by 1, 2, 3 order by 1, 4 desc, 3",
        filter.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;
    use arrow::datatypes::UInt64Type;
    use lakeql_lake::catalog::paths::PathOwner;

    fn entry(path: &str, kind: &str, count: u64, example: Option<&str>) -> PathEntry {
        let (path, kind, example) = (path.into(), kind.into(), example.map(Into::into));
        PathEntry { owner: PathOwner::Run, path, kind, count, hot: true, example }
    }

    #[test]
    fn a_path_of_several_types_is_one_row() {
        let entries =
            [entry("lr", "float", 3, None), entry("lr", "int", 2, Some("1")), entry("name", "text", 5, Some("a"))];
        let batch = rows(entries.iter(), "runs").unwrap();
        assert_eq!(batch.column(0).as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["lr", "name"]);
        assert_eq!(batch.column(1).as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["float, int", "text"]);
        assert_eq!(batch.column(2).as_primitive::<UInt64Type>().values(), &[5, 5]);
        assert_eq!(batch.column(3).as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["1", "a"]);
    }

    #[test]
    fn nothing_found_keeps_the_columns() {
        assert_eq!(rows([].iter(), "runs").unwrap().num_columns(), 4);
    }

    #[test]
    fn wrong_expressions_are_refused_with_the_reason() {
        let Err(Failure::Wrong { found, .. }) = compile("a(b") else { panic!("accepted") };
        assert_eq!(found[0].message, "`a(b` is not a regular expression: unclosed group");
        assert_eq!(found[0].kind, Kind::Regex);
    }

    #[test]
    fn quotes_stay_inside_the_literal() {
        assert!(values_sql(Some("it's")).contains("regexp_like(path, 'it''s')"));
        assert!(!values_sql(None).contains("regexp_like"));
    }
}
