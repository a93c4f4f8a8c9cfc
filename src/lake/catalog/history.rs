//! What has happened to a lake.

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, Value};

use super::lake::Lake;
use super::tables::Table;
use crate::error::Result;

/// One version of a lake.
#[derive(Debug, Clone)]
pub struct HistoryEntry {
    /// The version.
    pub version: u64,
    /// When it was committed.
    pub time: DateTime<Utc>,
    /// What was done, as `import aim`.
    pub operation: String,
    /// Runs that were new.
    pub runs_added: u64,
    /// Runs that had other content before.
    pub runs_replaced: u64,
    /// Everything else that was noted.
    pub details: Map<String, Value>,
}

impl Lake {
    /// The newest versions, newest first.
    pub async fn history(&self, limit: Option<usize>) -> Result<Vec<HistoryEntry>> {
        let newest = self.loaded().await?.snapshot.version();
        let log = self.log(Table::Runs)?;
        stream::iter((0..=newest).rev().take(limit.unwrap_or(usize::MAX)))
            .map(|version| async move {
                let entry = log.entry(version).await?;
                let mut details = entry.info;
                let mut number = |key: &str| details.remove(key).and_then(|value| value.as_u64()).unwrap_or_default();
                let (runs_added, runs_replaced) = (number("runs_added"), number("runs_replaced"));
                let operation = match details.remove("operation") {
                    Some(Value::String(text)) => text,
                    _ => "unknown".to_owned(),
                };
                Ok(HistoryEntry { version, time: entry.time, operation, runs_added, runs_replaced, details })
            })
            .buffered(16)
            .try_collect()
            .await
    }
}
