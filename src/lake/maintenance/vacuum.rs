//! Deleting what no version needs any more.
//!
//! The log of `runs` says which segments have been live and until when; everything else follows from the names of the
//! files. What is too young to be judged (an import may be on its way to its commit) stays.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use crate::catalog::lake::{CLAIMS, Lake, Loaded};
use crate::catalog::log::{Change, RemovedFile};
use crate::catalog::tables::Table;
use crate::error::Result;
use crate::storage::segment::{FileName, SegmentId};

/// What is kept by default: a week.
pub const DEFAULT_RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What a vacuum has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VacuumReport {
    /// Files deleted.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What must stay.
struct Kept {
    /// Files of `runs` that are live or were so until after the cutoff.
    runs: HashSet<String>,
    /// Their segments.
    segments: HashSet<SegmentId>,
    /// Segments whose file of the first generation is among them.
    first_generations: HashSet<SegmentId>,
    cutoff: DateTime<Utc>,
}

impl Kept {
    fn add(&mut self, name: &str) {
        if let Some(name) = FileName::parse(name) {
            self.segments.insert(name.segment);
            if name.generation == 0 {
                self.first_generations.insert(name.segment);
            }
            self.runs.insert(name.text);
        }
    }

    /// Whether a reader of a kept version may open the file.
    fn needs(&self, table: Table, name: &FileName) -> bool {
        match table {
            Table::Runs => self.runs.contains(&name.text),
            Table::Paths if name.generation == 0 => self.first_generations.contains(&name.segment),
            Table::Paths => self.runs.contains(&name.text),
            _ => self.segments.contains(&name.segment),
        }
    }
}

impl Lake {
    /// Deletes the files that no version of the last `retain` needs. Older versions cannot be read afterwards.
    ///
    /// With a retention shorter than an import takes, the files of an import that is going on are lost and it fails.
    pub async fn vacuum(&self, retain: Duration) -> Result<VacuumReport> {
        let loaded = self.loaded().await?;
        let retain = chrono::Duration::from_std(retain).unwrap_or(chrono::Duration::MAX);
        let cutoff = Utc::now().checked_sub_signed(retain).unwrap_or(DateTime::<Utc>::MIN_UTC);
        let kept = self.kept(&loaded, cutoff).await?;
        let mut report = VacuumReport::default();
        for table in Table::ALL {
            if table != Table::Runs {
                self.forget(&loaded, table, &kept).await?;
            }
            let garbage = self.garbage(table, &kept).await?;
            report.files += garbage.len() as u64;
            report.bytes += garbage.iter().map(|object| object.size).sum::<u64>();
            self.delete(garbage.into_iter().map(|object| object.location).collect()).await?;
        }
        for table in Table::TREES {
            let garbage = self.replaced(&loaded, table, cutoff).await?;
            report.files += garbage.len() as u64;
            report.bytes += garbage.iter().map(|object| object.size).sum::<u64>();
            self.delete(garbage.into_iter().map(|object| object.location).collect()).await?;
        }
        self.delete(self.old_claims(cutoff).await?).await?;
        Ok(report)
    }

    /// Goes back through the log of `runs` to the cutoff.
    async fn kept(&self, loaded: &Loaded, cutoff: DateTime<Utc>) -> Result<Kept> {
        let mut kept =
            Kept { runs: HashSet::new(), segments: HashSet::new(), first_generations: HashSet::new(), cutoff };
        for file in &loaded.snapshot.table(Table::Runs).files {
            kept.add(&file.name.text);
        }
        // Of the file catalogue everything stays that is live.
        for file in &loaded.snapshot.table(Table::Files).files {
            kept.segments.insert(file.segment());
            kept.first_generations.insert(file.segment());
        }
        let log = self.log(Table::Runs)?;
        for version in (0..=loaded.snapshot.version()).rev() {
            let entry = log.entry(version).await?;
            if entry.time <= cutoff {
                break;
            }
            entry.removed.iter().for_each(|(name, _)| kept.add(name));
        }
        Ok(kept)
    }

    /// Takes files that nobody needs out of the log of a table that is not `runs`. They are there because imports and
    /// compactions have ended half-way, or because all runs of a segment have been replaced.
    async fn forget(&self, loaded: &Loaded, table: Table, kept: &Kept) -> Result<()> {
        let log = self.log(table)?;
        let Some(state) = loaded.states.get(&table) else { return Ok(()) };
        let state = log.advance(state, None).await?;
        let mut remove = Vec::new();
        for view in state.snapshot().try_log_data()?.iter() {
            let young = view.modification_datetime().is_ok_and(|time| time > kept.cutoff);
            if let Some(name) = FileName::parse(&view.path()).filter(|name| !young && !kept.needs(table, name)) {
                remove.push(RemovedFile { name: name.text, size: u64::try_from(view.size()).unwrap_or_default() });
            }
        }
        if !remove.is_empty() {
            let version = log.append(&state, Change { remove, ..Change::default() }).await?;
            log.checkpoint(version).await;
        }
        Ok(())
    }

    /// The objects of a table's folder that nobody needs.
    async fn garbage(&self, table: Table, kept: &Kept) -> Result<Vec<ObjectMeta>> {
        let folder = self.folder(table);
        // Not what lies deeper: that is the log.
        let listed = self.store().list_with_delimiter(Some(&folder)).await?;
        let mut objects = listed.objects;
        objects.retain(|object| {
            let name = object.location.filename().and_then(FileName::parse);
            name.is_some_and(|name| !kept.needs(table, &name) && object.last_modified <= kept.cutoff)
        });
        Ok(objects)
    }

    /// The objects of a table of trees that its log has not had since the cutoff.
    async fn replaced(&self, loaded: &Loaded, table: Table, cutoff: DateTime<Utc>) -> Result<Vec<ObjectMeta>> {
        let Some(state) = loaded.states.get(&table) else { return Ok(Vec::new()) };
        let log = self.log(table)?;
        let state = log.advance(state, None).await?;
        let mut kept: HashSet<String> =
            state.snapshot().try_log_data()?.iter().map(|view| view.path().to_string()).collect();
        for version in (0..=state.version()).rev() {
            let entry = log.entry(version).await?;
            if entry.time <= cutoff {
                break;
            }
            kept.extend(entry.removed.into_iter().map(|(name, _)| name));
        }
        let mut objects = self.store().list_with_delimiter(Some(&self.folder(table))).await?.objects;
        objects.retain(|object| {
            let name = object.location.filename().unwrap_or_default();
            FileName::parse(name).is_some() && !kept.contains(name) && object.last_modified <= cutoff
        });
        Ok(objects)
    }

    /// Segment numbers that no new claim will come near. The greatest stays, because the next is counted from it.
    async fn old_claims(&self, cutoff: DateTime<Utc>) -> Result<Vec<Path>> {
        let mut claims: Vec<ObjectMeta> = self.store().list(Some(&self.place().path(CLAIMS))).try_collect().await?;
        claims.sort_by(|a, b| a.location.cmp(&b.location));
        claims.pop();
        claims.retain(|claim| claim.last_modified <= cutoff);
        Ok(claims.into_iter().map(|claim| claim.location).collect())
    }

    async fn delete(&self, paths: Vec<Path>) -> Result<()> {
        let deleted = stream::iter(paths).map(|path| async move {
            match self.store().delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(self.place().write_error(error.into())),
            }
        });
        deleted.buffer_unordered(16).try_collect().await
    }
}
