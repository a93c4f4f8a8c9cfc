//! The engine's settings and why they are not the defaults.

use crate::catalogue::{FilterPrograms, KnownNames};
use datafusion::error::Result;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::SessionConfig;
use lakeql_lake::resident::{ColumnCache, OrdinalJoins};
use std::sync::Arc;
use std::time::Duration;

/// Limits of a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    /// Bytes that operators may hold; unlimited if not given.
    pub(crate) memory_bytes: Option<usize>,
    /// Threads of a query; the machine's cores if not given.
    pub(crate) threads: Option<usize>,
    /// Longest time from the first byte of the text to the last row.
    pub(crate) timeout: Option<Duration>,
    /// Programs that queries may run as filters: no others are run.
    pub(crate) filters: Arc<FilterPrograms>,
}

/// Footers, page indexes and statistics of a lake stay in memory: past the default of 50 MB every query would read them
/// again.
const METADATA_CACHE: usize = 512 << 20;

/// Decoded columns of the file catalogue, of which a query of a million files needs 10 to 100 MB; a quarter of the memory
/// if that is bounded.
const COLUMN_CACHE: usize = 1 << 30;

/// DataFusion's rules and ours.
pub(crate) fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = PhysicalOptimizer::new().rules;
    let joins = rules.iter().position(|rule| rule.name() == "join_selection").unwrap_or_default();
    rules.insert(joins, Arc::new(OrdinalJoins));
    rules
}

pub(crate) fn session(limits: &Limits) -> SessionConfig {
    let mut config =
        SessionConfig::new().with_information_schema(true).with_default_catalog_and_schema("lake", "public");
    let columns = limits.memory_bytes.map_or(COLUMN_CACHE, |bytes| COLUMN_CACHE.min(bytes / 4));
    config = config.with_extension(Arc::new(ColumnCache::new(columns)));
    config = config.with_extension(Arc::clone(&limits.filters)).with_extension(Arc::<KnownNames>::default());
    if let Some(threads) = limits.threads {
        config = config.with_target_partitions(threads.max(1));
    }
    let options = config.options_mut();
    // Predicates are applied while decoding, cheapest columns first, and the other columns only for what is left.
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    // Statistics come with the file list; nothing is opened for them.
    options.execution.collect_statistics = false;
    options.execution.parquet.schema_force_view_types = true;
    // One side of our joins is small after its filter: collecting it as a whole is cheaper than dealing both sides out, and
    // its bounds and keys become a filter of the other side's scan.
    options.optimizer.hash_join_single_partition_threshold = 256 << 20;
    options.optimizer.hash_join_single_partition_threshold_rows = 4_000_000;
    // Files come cut into the right number of pieces, each in order.
    options.optimizer.repartition_file_scans = false;
    options.optimizer.prefer_existing_sort = true;
    options.sql_parser.collect_spans = true;
    options.sql_parser.map_string_types_to_utf8view = true;
    config
}

pub(crate) fn runtime(limits: &Limits) -> Result<Arc<RuntimeEnv>> {
    let mut builder = RuntimeEnvBuilder::new().with_metadata_cache_limit(METADATA_CACHE);
    if let Some(bytes) = limits.memory_bytes {
        builder = builder.with_memory_limit(bytes, 1.0);
    }
    builder.build_arc()
}
