//! How an import becomes visible: all at once, exactly once.
//!
//! Rows that others point to are committed first, `runs` last. Until that last commit nobody sees any of it, because
//! files count only when `runs` has their segment. If another writer gets in between, the runs it has added are looked at
//! again, and the last commit is repeated on top of it.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::future::try_join_all;
use serde_json::{Map, Value};

use super::known::KnownRun;
use super::lake::{Lake, Loaded};
use super::log::{Change, NewFile, Pins, RemovedFile};
use super::rewrite::Rewritten;
use super::tables::Table;
use crate::error::{Error, Result};
use crate::storage::segment::{RunKey, SegmentId, Staged, ordinal_index};

/// How often the last commit is tried before the writer gives up.
const ATTEMPTS: u32 = 50;

/// An import that is written and not yet visible.
#[derive(Debug, Clone, Default)]
pub struct ImportCommit {
    /// The segments.
    pub staged: Vec<Staged>,
    /// What `history` shows, as `import aim`.
    pub operation: String,
    /// Further entries for `history`, such as the names of the source files.
    pub details: Map<String, Value>,
}

/// What a commit has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommitOutcome {
    /// The version of the lake afterwards.
    pub version: u64,
    /// Runs the lake did not have.
    pub added: u64,
    /// Runs the lake had with other content.
    pub replaced: u64,
    /// Runs that another import has brought in the meantime, exactly so.
    pub unchanged: u64,
}

/// What the last commit does to the lake as it is now.
#[derive(Default)]
struct Plan {
    /// Runs that die, by segment; live segments and staged ones.
    dead: BTreeMap<SegmentId, HashSet<u32>>,
    outcome: CommitOutcome,
}

impl Lake {
    /// Makes an import visible.
    pub async fn commit_import(&self, import: ImportCommit) -> Result<CommitOutcome> {
        let loaded = self.loaded().await?;
        if import.staged.iter().all(|staged| staged.runs.is_empty()) {
            return Ok(CommitOutcome { version: loaded.snapshot.version(), ..CommitOutcome::default() });
        }
        let mut own = self.append_data(&loaded, &import.staged).await?;
        let mut known: HashMap<String, HashMap<RunKey, KnownRun>> = HashMap::new();
        let mut last = CommitOutcome::default();
        for _ in 0..ATTEMPTS {
            let loaded = self.loaded().await?;
            let live: HashSet<SegmentId> = loaded.snapshot.segments().collect();
            if import.staged.iter().any(|staged| live.contains(&staged.segment)) {
                // The answer to an earlier attempt was lost, the commit was not.
                return Ok(CommitOutcome { version: loaded.snapshot.version(), ..last });
            }
            let plan = self.plan(&loaded, &import.staged, &mut known).await?;
            last = plan.outcome;
            match self.try_commit(&loaded, &import, &plan, &mut own).await {
                Ok(version) => return Ok(CommitOutcome { version, ..plan.outcome }),
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict { attempts: ATTEMPTS })
    }

    /// Commits the staged files of all tables but `paths` and `runs`. Returns the versions.
    async fn append_data(&self, loaded: &Loaded, staged: &[Staged]) -> Result<Pins> {
        let tables = [Table::Attributes, Table::Series, Table::Points, Table::TextPoints];
        let append = |table: Table| async move {
            let add: Vec<NewFile> = staged
                .iter()
                .filter_map(|staged| staged.file(table))
                .map(|file| NewFile { file: file.clone(), dead: Vec::new() })
                .collect();
            self.append_files(loaded, table, add).await
        };
        let versions = try_join_all(tables.map(append)).await?;
        Ok(versions.into_iter().flatten().collect())
    }

    /// Appends files to a table that is not `runs`.
    pub(crate) async fn append_files(
        &self,
        loaded: &Loaded,
        table: Table,
        add: Vec<NewFile>,
    ) -> Result<Option<(Table, u64)>> {
        if add.is_empty() {
            return Ok(None);
        }
        let log = self.log(table)?;
        let state = loaded.states.get(&table).ok_or_else(|| Error::Internal(format!("no state of `{table}`")))?;
        let version = log.append(state, Change { add, ..Change::default() }).await?;
        log.checkpoint(version).await;
        Ok(Some((table, version)))
    }

    /// Compares the staged runs with those of the lake.
    async fn plan(
        &self,
        loaded: &Loaded,
        staged: &[Staged],
        known: &mut HashMap<String, HashMap<RunKey, KnownRun>>,
    ) -> Result<Plan> {
        let mut plan = Plan::default();
        let mut last: HashMap<&RunKey, (SegmentId, u32)> = HashMap::new();
        for part in staged {
            plan.dead.entry(part.segment).or_default().extend(&part.dropped);
            for (index, run) in (0u32..).zip(&part.runs).filter(|(index, _)| !part.dropped.contains(index)) {
                if let Some((segment, index)) = last.insert(&run.key, (part.segment, index)) {
                    plan.dead.entry(segment).or_default().insert(index);
                }
            }
        }
        // Files that an earlier attempt has looked at are not read again.
        for file in &loaded.snapshot.table(Table::Runs).files {
            if !known.contains_key(&file.name.text) {
                let found = loaded.snapshot.find_runs(std::slice::from_ref(file), |key| last.contains_key(key)).await?;
                known.insert(file.name.text.clone(), found);
            }
        }
        let live = &loaded.snapshot.table(Table::Runs).files;
        let known: HashMap<&RunKey, &KnownRun> =
            live.iter().filter_map(|file| known.get(&file.name.text)).flatten().collect();
        for part in staged {
            for (index, run) in (0u32..).zip(&part.runs) {
                if last.get(&run.key) != Some(&(part.segment, index)) {
                    continue;
                }
                match known.get(&run.key) {
                    None => plan.outcome.added += 1,
                    Some(old) if old.digest == run.digest => {
                        plan.outcome.unchanged += 1;
                        plan.dead.entry(part.segment).or_default().insert(index);
                    }
                    Some(old) => {
                        plan.outcome.replaced += 1;
                        let segment = SegmentId::of_ordinal(old.run);
                        plan.dead.entry(segment).or_default().insert(ordinal_index(old.run));
                    }
                }
            }
        }
        plan.dead.retain(|_, runs| !runs.is_empty());
        Ok(plan)
    }

    /// Commits `paths` and `runs` on top of one version of the lake.
    async fn try_commit(&self, loaded: &Loaded, import: &ImportCommit, plan: &Plan, own: &mut Pins) -> Result<u64> {
        if plan.outcome.added + plan.outcome.replaced == 0 {
            return Ok(loaded.snapshot.version());
        }
        let mut change = Change::default();
        let mut paths = Vec::new();
        let mut written = Vec::new();
        for staged in &import.staged {
            match plan.dead.get(&staged.segment) {
                None => {
                    let whole = |table| staged.file(table).map(|file| NewFile { file: file.clone(), dead: Vec::new() });
                    change.add.extend(whole(Table::Runs));
                    paths.extend(whole(Table::Paths));
                }
                // Nothing of the segment is left: it never becomes live.
                Some(dead) if dead.len() >= staged.runs.len() => {}
                Some(dead) => written.push(self.rewrite_staged(staged, dead).await?),
            }
        }
        for file in &loaded.snapshot.table(Table::Runs).files {
            let Some(dead) = plan.dead.get(&file.segment()) else { continue };
            change.remove.push(RemovedFile { name: file.name.text.clone(), size: file.size });
            if (dead.len() as u64) < file.rows {
                written.push(self.rewrite_live(&loaded.snapshot, file, dead).await?);
            }
        }
        for Rewritten { runs, paths: catalogue, dead } in &written {
            change.add.push(NewFile { file: runs.clone(), dead: dead.clone() });
            paths.extend(catalogue.iter().map(|file| NewFile { file: file.clone(), dead: Vec::new() }));
        }
        if let Some((table, version)) = self.append_files(loaded, Table::Paths, paths).await? {
            own.insert(table, version);
        }
        change.pins = Some(later(&loaded.pins, own));
        change.info = info(import, plan);
        self.commit_runs(loaded, change).await
    }

    /// The commit that makes a version of the lake.
    pub(crate) async fn commit_runs(&self, loaded: &Loaded, change: Change) -> Result<u64> {
        let log = self.log(Table::Runs)?;
        let state = loaded.states.get(&Table::Runs).ok_or_else(|| Error::Internal("no state of `runs`".to_owned()))?;
        let version = log.commit(state, change, false).await?;
        log.checkpoint(version).await;
        Ok(version)
    }
}

/// For each table the later of two versions.
pub(crate) fn later(known: &Pins, own: &Pins) -> Pins {
    let mut pins = known.clone();
    for (table, version) in own {
        let pin = pins.entry(*table).or_default();
        *pin = (*pin).max(*version);
    }
    pins
}

fn info(import: &ImportCommit, plan: &Plan) -> Map<String, Value> {
    let mut info = import.details.clone();
    let rows = |table: Table| -> u64 {
        import.staged.iter().filter_map(|staged| staged.file(table)).map(|file| file.rows).sum()
    };
    let bytes: u64 = import.staged.iter().flat_map(|staged| &staged.files).map(|file| file.size).sum();
    for (key, value) in [
        ("operation", Value::from(import.operation.as_str())),
        ("runs_added", plan.outcome.added.into()),
        ("runs_replaced", plan.outcome.replaced.into()),
        ("series", rows(Table::Series).into()),
        ("points", (rows(Table::Points) + rows(Table::TextPoints)).into()),
        ("bytes", bytes.into()),
        ("segments", import.staged.len().into()),
    ] {
        info.insert(key.to_owned(), value);
    }
    info
}
