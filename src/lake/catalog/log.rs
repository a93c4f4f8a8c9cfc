//! The Delta log of one table: load, commit, and the entries themselves.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::datatypes::Schema;
use chrono::{DateTime, Utc};
use deltalake_core::checkpoints::create_checkpoint;
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitData, CommitProperties, TransactionError};
use deltalake_core::kernel::{Action, Add, MetadataExt, Protocol, Remove, StructType, Transaction, new_metadata};
use deltalake_core::logstore::{CommitOrBytes, LogStoreRef, StorageConfig, default_logstore};
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::table::state::DeltaTableState;
use deltalake_core::{DeltaTable, DeltaTableError};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use uuid::Uuid;

use super::tables::Table;
use crate::error::{Error, Result};
use crate::storage::url::Place;
use crate::storage::writer::WrittenFile;

/// The format that this code writes, and the newest that it reads. 1 knew no projects, times and substeps.
pub(crate) const FORMAT: i64 = 2;

/// Application id of the format number in the commits of `runs`.
const FORMAT_ID: &str = "lakeql/format";

/// A checkpoint is written at every version that is a multiple of this.
const CHECKPOINT_INTERVAL: u64 = 20;

/// The key of our own entries in the commit info.
const INFO_KEY: &str = "lakeql";

/// Versions of the other tables, as a version of `runs` names them.
pub(crate) type Pins = BTreeMap<Table, u64>;

/// The log of one table.
#[derive(Clone)]
pub(crate) struct TableLog {
    pub(crate) table: Table,
    place: Place,
    log: LogStoreRef,
}

/// What a commit does to a table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) add: Vec<NewFile>,
    pub(crate) remove: Vec<RemovedFile>,
    /// Only with `runs`.
    pub(crate) pins: Option<Pins>,
    /// What `history` shows.
    pub(crate) info: serde_json::Map<String, Value>,
}

/// A file to add.
#[derive(Debug, Clone)]
pub(crate) struct NewFile {
    pub(crate) file: WrittenFile,
    /// Indices of the runs of the segment that are dead; only with `runs`.
    pub(crate) dead: Vec<u32>,
}

/// A file to remove.
#[derive(Debug, Clone)]
pub(crate) struct RemovedFile {
    pub(crate) name: String,
    pub(crate) size: u64,
}

/// The tag of an add action that lists dead runs; also a key in the footer of the file.
pub(crate) const DEAD_KEY: &str = "lakeql.dead";

/// One entry of the log.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) version: u64,
    pub(crate) time: DateTime<Utc>,
    pub(crate) pins: Pins,
    pub(crate) format: Option<i64>,
    pub(crate) info: serde_json::Map<String, Value>,
    pub(crate) removed: Vec<(String, DateTime<Utc>)>,
}

impl TableLog {
    /// The log of a table of the lake at `place`. Nothing is read yet.
    pub(crate) fn new(place: &Place, table: Table) -> Result<Self> {
        let folder: Arc<dyn ObjectStore> =
            Arc::new(PrefixStore::new(Arc::clone(place.store()), place.path(table.name())));
        let url = place.folder_url(table.name())?;
        let log = default_logstore(folder, Arc::clone(place.store()), &url, &StorageConfig::default());
        Ok(TableLog { table, place: place.clone(), log })
    }

    /// The state at a version, by default the newest.
    pub(crate) async fn load(&self, version: Option<u64>) -> Result<DeltaTableState> {
        match DeltaTableState::try_new(&self.log, version).await {
            Ok(state) => Ok(state),
            // The log crate has several errors for this, depending on the store.
            Err(_) if self.is_empty().await? => Err(Error::NotFound { url: self.place.shown().to_owned() }),
            // Another writer may have created the log between the two looks.
            Err(_) => DeltaTableState::try_new(&self.log, version).await.map_err(|error| self.read_error(error)),
        }
    }

    /// Whether there is no log at all.
    async fn is_empty(&self) -> Result<bool> {
        let folder = self.place.path(self.table.name()).join("_delta_log");
        Ok(self.place.store().list(Some(&folder)).try_next().await?.is_none())
    }

    /// Moves a state on to a later version, by default the newest.
    pub(crate) async fn advance(&self, state: &DeltaTableState, version: Option<u64>) -> Result<DeltaTableState> {
        let mut state = state.clone();
        state.update(&self.log, version).await.map_err(|error| self.read_error(error))?;
        Ok(state)
    }

    /// Creates the table; does nothing if it is there already.
    pub(crate) async fn create(&self) -> Result<()> {
        let schema: StructType = self.table.schema().as_ref().try_into_kernel()?;
        // Readers of the log parse these columns only, however many typed columns there are.
        let stats = self.table.stats_columns().join(",");
        let configuration = [
            ("delta.checkpointInterval", CHECKPOINT_INTERVAL.to_string()),
            ("delta.dataSkippingStatsColumns", stats),
            ("delta.enableExpiredLogCleanup", "false".to_owned()),
        ];
        let metadata =
            new_metadata(&schema, Vec::<String>::new(), configuration)?.with_name(self.table.name().into())?;
        let protocol: Protocol = serde_json::from_str(r#"{"minReaderVersion":1,"minWriterVersion":2}"#)
            .map_err(|error| Error::Internal(error.to_string()))?;
        let operation = DeltaOperation::Create {
            mode: SaveMode::ErrorIfExists,
            location: self.log.root_url().clone(),
            protocol: protocol.clone(),
            metadata: metadata.clone(),
        };
        let pins = Table::ALL.into_iter().filter(|table| *table != Table::Runs).map(|table| (table, 0)).collect();
        let transactions = if self.table == Table::Runs { transactions(&pins) } else { Vec::new() };
        let info = serde_json::Map::from_iter([("operation".to_owned(), Value::from("create"))]);
        let actions = vec![Action::Protocol(protocol), Action::Metadata(metadata)];
        let data = CommitData::new(actions, operation, app_metadata(info), transactions);
        let bytes = data.get_bytes().map_err(DeltaTableError::from)?;
        // Written without the commit loop: that would add a second creation when another writer has created it.
        match self.log.write_commit_entry(0, CommitOrBytes::LogBytes(bytes), Uuid::new_v4()).await {
            Ok(()) | Err(TransactionError::VersionAlreadyExists(_)) => Ok(()),
            Err(error) => Err(self.place.write_error(DeltaTableError::from(error).into())),
        }
    }

    /// Writes the next version on top of `state` and returns its number.
    ///
    /// With `rebase`, versions that others have written since are accepted as long as they do not conflict. Without, any
    /// such version is an [`Error::Conflict`].
    pub(crate) async fn commit(&self, state: &DeltaTableState, change: Change, rebase: bool) -> Result<u64> {
        let mut actions = Vec::new();
        if let Some(schema) = self.widened(state, &change.add)? {
            actions.push(Action::Metadata(state.metadata().clone().with_schema(&schema)?));
        }
        let now = Utc::now().timestamp_millis();
        actions.extend(change.remove.iter().map(|file| Action::Remove(remove_action(file, now))));
        actions.extend(change.add.iter().map(|file| Action::Add(add_action(file, now))));
        let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None };
        let transactions = change.pins.as_ref().map(transactions).unwrap_or_default();
        let properties = CommitProperties::default()
            .with_max_retries(if rebase { 15 } else { 0 })
            .with_metadata(app_metadata(change.info))
            .with_application_transactions(transactions);
        let commit =
            CommitBuilder::from(properties).with_actions(actions).build(Some(state), Arc::clone(&self.log), operation);
        let prepared = commit.into_prepared_commit_future().await?;
        // The hooks after a commit are left out: one that fails would make a commit that has landed look like an error.
        match prepared.await {
            Ok(done) => Ok(done.version),
            Err(DeltaTableError::Transaction { source }) if is_conflict(&source) => {
                Err(Error::Conflict { attempts: 1 })
            }
            Err(DeltaTableError::VersionAlreadyExists(_)) => Err(Error::Conflict { attempts: 1 }),
            Err(error) => Err(self.place.write_error(error.into())),
        }
    }

    /// Commits something that does not depend on the state of the table, however often others come first.
    pub(crate) async fn append(&self, state: &DeltaTableState, change: Change) -> Result<u64> {
        let mut state = state.clone();
        let mut attempts = 0;
        loop {
            match self.commit(&state, change.clone(), true).await {
                Err(Error::Conflict { .. }) if attempts < 20 => {
                    attempts += 1;
                    state = self.advance(&state, None).await?;
                }
                Err(Error::Conflict { .. }) => return Err(Error::Conflict { attempts }),
                other => return other,
            }
        }
    }

    /// Writes a checkpoint when it is time for one. Without it readers are slower and nothing else, so a failure counts
    /// for nothing.
    pub(crate) async fn checkpoint(&self, version: u64) {
        if version > 0 && version.is_multiple_of(CHECKPOINT_INTERVAL) {
            let mut table = DeltaTable::new(Arc::clone(&self.log));
            if table.load_version(version).await.is_ok() {
                drop(create_checkpoint(&table, None).await);
            }
        }
    }

    /// The schema of the table with the columns of new files, if it lacks any.
    fn widened(&self, state: &DeltaTableState, files: &[NewFile]) -> Result<Option<StructType>> {
        let known = state.schema();
        let mut fields: Vec<_> = known.fields().cloned().collect();
        let mut grown = false;
        for new in files {
            let missing: Vec<_> = new
                .file
                .schema
                .fields()
                .iter()
                .filter(|field| !fields.iter().any(|known| known.name() == field.name()))
                .cloned()
                .collect();
            if !missing.is_empty() {
                let added: StructType = (&Schema::new(missing)).try_into_kernel()?;
                fields.extend(added.fields().cloned());
                grown = true;
            }
        }
        if !grown {
            return Ok(None);
        }
        StructType::try_new(fields).map(Some).map_err(|error| Error::Internal(error.to_string()))
    }

    /// Whether the log has this version.
    pub(crate) async fn has(&self, version: u64) -> Result<bool> {
        match self.place.store().head(&self.entry_path(version)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn entry_path(&self, version: u64) -> Path {
        self.place.path(self.table.name()).join("_delta_log").join(format!("{version:020}.json"))
    }

    /// Reads one entry.
    pub(crate) async fn entry(&self, version: u64) -> Result<Entry> {
        let path = self.entry_path(version);
        let bytes = self.place.store().get(&path).await?.bytes().await?;
        parse_entry(version, &bytes).map_err(|reason| Error::Damaged { path: path.to_string(), reason })
    }

    /// What the error of a read means for the lake.
    fn read_error(&self, error: DeltaTableError) -> Error {
        let url = || self.place.shown().to_owned();
        match &error {
            DeltaTableError::KernelError(kernel) if kernel.to_string().starts_with("Unsupported") => {
                Error::NewerFormat { url: url(), reason: format!("table `{}`: {kernel}", self.table) }
            }
            _ => error.into(),
        }
    }
}

fn is_conflict(error: &TransactionError) -> bool {
    matches!(
        error,
        TransactionError::CommitConflict(_)
            | TransactionError::MaxCommitAttempts(_)
            | TransactionError::VersionAlreadyExists(_)
    )
}

fn pin_id(table: Table) -> String {
    format!("lakeql/{table}")
}

fn transactions(pins: &Pins) -> Vec<Transaction> {
    let mut transactions = vec![Transaction::new(FORMAT_ID, FORMAT)];
    transactions.extend(pins.iter().map(|(table, version)| Transaction::new(pin_id(*table), *version as i64)));
    transactions
}

fn app_metadata(info: serde_json::Map<String, Value>) -> HashMap<String, Value> {
    HashMap::from([(INFO_KEY.to_owned(), Value::Object(info))])
}

fn add_action(new: &NewFile, now: i64) -> Add {
    let tags = (!new.dead.is_empty()).then(|| HashMap::from([(DEAD_KEY.to_owned(), Some(dead_text(&new.dead)))]));
    Add {
        path: new.file.name.clone(),
        size: new.file.size as i64,
        modification_time: now,
        data_change: true,
        stats: Some(new.file.stats.to_delta_json()),
        tags,
        ..Add::default()
    }
}

/// The list of dead runs as it stands in tags and footers.
pub(crate) fn dead_text(dead: &[u32]) -> String {
    Value::from(dead).to_string()
}

/// Reads what [`dead_text`] has written.
pub(crate) fn parse_dead(text: &str) -> Result<Vec<u32>, serde_json::Error> {
    serde_json::from_str(text)
}

fn remove_action(file: &RemovedFile, now: i64) -> Remove {
    Remove {
        path: file.name.clone(),
        data_change: true,
        deletion_timestamp: Some(now),
        extended_file_metadata: Some(true),
        partition_values: Some(HashMap::new()),
        size: Some(file.size as i64),
        ..Remove::default()
    }
}

/// The parts of a line of a log entry that matter here.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "commitInfo")]
    commit_info: Option<serde_json::Map<String, Value>>,
    txn: Option<Txn>,
    remove: Option<Removed>,
    // Named so that they are skipped without being built.
    #[serde(rename = "metaData")]
    _metadata: Option<IgnoredAny>,
    #[serde(rename = "add")]
    _add: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Txn {
    app_id: String,
    version: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Removed {
    path: String,
    deletion_timestamp: Option<i64>,
}

fn parse_entry(version: u64, bytes: &[u8]) -> Result<Entry, String> {
    let mut entry = Entry {
        version,
        time: DateTime::UNIX_EPOCH,
        pins: Pins::new(),
        format: None,
        info: serde_json::Map::new(),
        removed: Vec::new(),
    };
    let time = |millis: Option<i64>| millis.and_then(DateTime::from_timestamp_millis);
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        if let Some(mut info) = line.commit_info {
            entry.time = time(info.get("timestamp").and_then(Value::as_i64)).unwrap_or(entry.time);
            if let Some(Value::Object(ours)) = info.remove(INFO_KEY) {
                entry.info = ours;
            } else if let Some(operation) = info.remove("operation") {
                entry.info.insert("operation".to_owned(), operation);
            }
        }
        if let Some(txn) = line.txn {
            if txn.app_id == FORMAT_ID {
                entry.format = Some(txn.version);
            } else if let Some(table) = txn.app_id.strip_prefix("lakeql/").and_then(Table::from_name) {
                entry.pins.insert(table, u64::try_from(txn.version).map_err(|error| error.to_string())?);
            }
        }
        if let Some(removed) = line.remove {
            entry.removed.push((removed.path, time(removed.deletion_timestamp).unwrap_or(entry.time)));
        }
    }
    Ok(entry)
}
