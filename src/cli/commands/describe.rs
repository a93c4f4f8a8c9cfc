//! `describe`: the columns of a table or view.

use crate::args::{DescribeArgs, LanguageArgs, ShapeArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::Schema;
use lakeql_query::source::Source;
use std::sync::Arc;

pub(super) async fn run(context: &Context, args: &DescribeArgs) -> Result<(), Failure> {
    let output = Output::open(&context.global)?;
    let session = context.session().await?;
    let source = Source::query(format!("select * from {} limit 0", quoted(&args.name)));
    let (settings, shape) = (LanguageArgs::default().settings(), ShapeArgs::default().shape());
    let results = session.query(&source, "sql", &settings, &shape).await.map_err(|error| {
        let mut failure = Failure::of_query(error, &source);
        // Places in a text that the user has not written are of no help.
        if let Failure::Wrong { found, .. } = &mut failure {
            found.iter_mut().for_each(|diagnostic| diagnostic.labels.clear());
        }
        failure
    })?;
    output.batch(&rows(&results.schema)?)
}

/// The name as SQL has it: `a.b` stays two names, quotes stay quotes.
fn quoted(name: &str) -> String {
    let quote = |part: &str| format!("\"{}\"", part.replace('"', "\"\""));
    name.split('.').map(quote).collect::<Vec<_>>().join(".")
}

fn rows(schema: &Schema) -> Result<RecordBatch, Failure> {
    let fields = schema.fields();
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(fields.iter().map(|field| field.name())));
    let types = fields.iter().map(|field| field.data_type().to_string());
    let types: ArrayRef = Arc::new(StringArray::from_iter_values(types));
    let nullable: ArrayRef = Arc::new(fields.iter().map(|field| Some(field.is_nullable())).collect::<BooleanArray>());
    Ok(RecordBatch::try_from_iter([("column", names), ("type", types), ("nullable", nullable)])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(quoted("runs"), "\"runs\"");
        assert_eq!(quoted("a.b"), "\"a\".\"b\"");
        assert_eq!(quoted("a\" union select \"b"), "\"a\"\" union select \"\"b\"");
    }
}
