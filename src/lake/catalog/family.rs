//! Families beside the runs: tables of data, and one small table with a file that says what of them there is.
//!
//! Files are written first, then the small file is replaced as a whole; the commit of `runs`, which names the versions of
//! all tables, makes the change visible.

use serde_json::{Map, Value};

use super::commit::later;
use super::lake::{Lake, Loaded};
use super::log::{Change, NewFile, Pins, RemovedFile};
use super::tables::Table;
use crate::error::{Error, Result};
use crate::storage::writer::WrittenFile;

/// How often a commit is tried before the writer gives up.
const ATTEMPTS: u32 = 50;

/// The tables of a family.
#[derive(Clone, Copy)]
pub(crate) struct Family {
    /// All of them, the one that is replaced as a whole first.
    pub(crate) tables: &'static [Table],
    /// Those that files are added to.
    pub(crate) data: &'static [Table],
}

impl Lake {
    /// Makes a change of a family visible, with files that are written already. `attempt` writes the new file of the first
    /// table, and is asked again whenever another writer was faster; it gives nothing if there is nothing to do. Returns
    /// the version of the lake and whether it has changed.
    pub(crate) async fn commit_family(
        &self,
        family: Family,
        files: Vec<WrittenFile>,
        info: &Map<String, Value>,
        attempt: impl AsyncFn(&Loaded) -> Result<Option<WrittenFile>>,
    ) -> Result<(u64, bool)> {
        for table in family.tables {
            self.log(*table)?.create().await?;
        }
        let mut own = Pins::new();
        for table in family.data {
            let add: Vec<NewFile> = files
                .iter()
                .filter(|file| file.table == *table)
                .map(|file| NewFile { file: file.clone(), dead: vec![] })
                .collect();
            let log = self.log(*table)?;
            let state = log.load(None).await?;
            // Even without files, so that the table is named.
            let version = if add.is_empty() {
                state.version()
            } else {
                log.append(&state, Change { add, ..Change::default() }).await?
            };
            log.checkpoint(version).await;
            own.insert(*table, version);
        }
        let Some(first) = family.tables.first() else {
            return Err(Error::Internal("a family without tables".to_owned()));
        };
        for _ in 0..ATTEMPTS {
            let loaded = self.loaded().await?;
            let Some(file) = attempt(&loaded).await? else {
                return Ok((loaded.snapshot.version(), false));
            };
            match self.replace_whole(*first, &loaded, file, own.clone(), info).await {
                Ok(version) => return Ok((version, true)),
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict { attempts: ATTEMPTS })
    }

    /// Makes a file the only one of its table, and the versions of the family those of the lake.
    async fn replace_whole(
        &self,
        table: Table,
        loaded: &Loaded,
        file: WrittenFile,
        mut own: Pins,
        info: &Map<String, Value>,
    ) -> Result<u64> {
        let log = self.log(table)?;
        let state = log.load(None).await?;
        let mut remove = vec![];
        // Also the file of a writer that has not come to its last commit.
        for view in state.snapshot().try_log_data()?.iter() {
            let size = u64::try_from(view.size()).unwrap_or_default();
            remove.push(RemovedFile { name: view.path().to_string(), size });
        }
        let add = vec![NewFile { file, dead: vec![] }];
        let version = log.commit(&state, Change { add, remove, ..Change::default() }, false).await?;
        log.checkpoint(version).await;
        own.insert(table, version);
        let change = Change { pins: Some(later(&loaded.pins, &own)), info: info.clone(), ..Change::default() };
        self.commit_runs(loaded, change).await
    }
}
