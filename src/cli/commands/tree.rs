//! `tree`: which trees there are, what is in them, and several as one.

use super::query::walk;
use crate::args::{LanguageArgs, ShapeArgs, TreeArgs, TreeCommand, TreeMerge, TreeShow, TreesArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::talk::count;
use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use indicatif::DecimalBytes;
use lakeql_lake::Lake;
use lakeql_lake::catalog::trees::TreeInfo;
use lakeql_lake::ingest::events::merge_trees;
use lakeql_query::source::Source;
use std::sync::Arc;

pub(super) async fn run(context: &Context, args: &TreeArgs) -> Result<(), Failure> {
    match &args.command {
        TreeCommand::List => list(context).await,
        TreeCommand::Show(args) => show(context, args).await,
        TreeCommand::Merge(args) => merge(context, args).await,
    }
}

async fn list(context: &Context) -> Result<(), Failure> {
    let output = Output::open(&context.global)?;
    let snapshot = context.snapshot().await?;
    let trees = &snapshot.trees().await?.trees;
    let column =
        |of: fn(&TreeInfo) -> u64| -> ArrayRef { Arc::new(UInt64Array::from_iter_values(trees.values().map(of))) };
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(trees.keys()));
    output.batch(&RecordBatch::try_from_iter([
        ("tree", names),
        ("levels", column(|tree| tree.levels)),
        ("nodes", column(|tree| tree.nodes)),
        ("events", column(|tree| tree.events)),
        ("bytes", column(|tree| tree.bytes)),
    ])?)
}

/// The browser of Hydra's web page: workers are added up, `merge` is how many of them have the node.
async fn show(context: &Context, args: &TreeShow) -> Result<(), Failure> {
    let path = if args.path.is_empty() { String::new() } else { format!("{}/", args.path) };
    let limit = if args.limit == 0 { String::new() } else { format!("({})", args.limit) };
    let source = Source::query(format!("{path}{limit}+:+count,+nodes,+mem"));
    let language = LanguageArgs {
        trees: TreesArgs {
            tree: args.tree.clone(),
            rops: "gather=ksaa".to_owned(),
            ops: "gather=ksaau;sort=0:s:a;title=key,count,nodes,mem,merge".to_owned(),
            hydra_format: None,
            strict: false,
        },
        ..LanguageArgs::default()
    };
    let session = context.session().await?;
    let output = Output::open(&context.global)?;
    if output.format() != lakeql_output::Format::Table {
        return walk(context, &session, &source, &language, &ShapeArgs::default(), output).await;
    }
    // A table has its own row of titles.
    let language = LanguageArgs {
        trees: TreesArgs { ops: "gather=ksaau;sort=0:s:a".to_owned(), ..language.trees },
        ..LanguageArgs::default()
    };
    let walking = session.walk(&source, &language.settings()).await;
    let walking = walking.map_err(|error| Failure::of_query(error, &source))?;
    let mut rows = vec![];
    let columns = tokio::task::block_in_place(|| walking.run(None, &mut rows));
    let columns = columns.map_err(|error| Failure::of_query(error, &source))?;
    let batch = lakeql_engine::columns_of(&rows, &columns)?;
    let names = ["key", "count", "nodes", "mem", "merge"];
    let named = batch.columns().iter().zip(names).map(|(column, name)| (name, Arc::clone(column)));
    if batch.num_columns() == 0 {
        let empty = names.map(|name| (name, Arc::new(StringArray::from(Vec::<String>::new())) as ArrayRef));
        return output.batch(&RecordBatch::try_from_iter(empty)?);
    }
    output.batch(&RecordBatch::try_from_iter(named)?)
}

async fn merge(context: &Context, args: &TreeMerge) -> Result<(), Failure> {
    let lake = Lake::open(&context.global.lake).await?;
    let (version, tree) = merge_trees(&lake, &args.trees, &args.into).await?;
    context.talk.say(&format!(
        "{}: {} on {}, {}",
        args.into,
        count(tree.nodes, "node"),
        count(tree.levels, "level"),
        DecimalBytes(tree.bytes)
    ));
    context.talk.say(&format!("the lake is now at version {version}"));
    Ok(())
}
