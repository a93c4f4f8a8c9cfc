//! Plain Parquet files instead of a lake.
//!
//! | file | what it does |
//! |---|---|
//! | `source.rs` | what `--from` says: a name and the files |
//! | `resolve.rs` | query to plan |
//! | `columns.rs` | names to columns |
//! | `kind.rs` | Arrow types to types of values |
//! | `leaf.rs`, `interval.rs` | tests of a value to predicates over its column |

mod columns;
mod interval;
mod kind;
mod leaf;
mod resolve;
mod source;

pub(crate) use resolve::resolve;
pub use source::PlainSource;

use crate::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::prelude::SessionContext;
use lakeql_lake::plain::{Located, PlainTable};
use std::sync::Arc;

/// Opens the files of each source as a table.
///
/// # Errors
/// There are no such files, they do not fit together, or two tables would have the same name.
pub(crate) async fn open(context: &SessionContext, sources: &[PlainSource]) -> Result<Vec<Arc<PlainTable>>> {
    let footers = context.runtime_env().cache_manager.get_file_metadata_cache();
    let mut tables = vec![];
    for (index, (name, source)) in source::named(sources)?.into_iter().enumerate() {
        let located = Located::find(&source.from).await?;
        let store = ObjectStoreUrl::parse(format!("plain://{index}/"))?;
        let table = PlainTable::open(&name, &located, store.clone(), &footers).await?;
        context.register_object_store(store.as_ref(), located.store);
        tables.push(Arc::new(table));
    }
    Ok(tables)
}

#[cfg(test)]
mod tests;
