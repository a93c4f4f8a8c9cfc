//! Runs to the lake: each data set becomes a segment, and one commit at the end makes all of them visible.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value};

use super::apart::many_valued;
use super::source::{DatasetSource, FileSource, SampleSource};
use super::transfer::{Part, Transfer};
use super::{fault, parquet, tar};
use crate::catalog::lake::{AsOf, Lake};
use crate::catalog::samples::{Collection, Property, SampleCatalog, SampleDataset};
use crate::catalog::tables::Table;
use crate::error::{Error, Result};
use crate::storage::writer::WrittenFile;

/// What an import has done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SampleReport {
    /// Data sets that the lake did not have.
    pub added: u64,
    /// Data sets that were there with other content.
    pub replaced: u64,
    /// Data sets that were there just so.
    pub unchanged: u64,
    /// Data sets that have got further files.
    pub extended: u64,
    /// Properties that had been added to replaced data sets, as `data set.property`, and are gone with their samples.
    pub dropped: Vec<String>,
    /// Files of the data sets that were written.
    pub files: u64,
    /// Their samples.
    pub samples: u64,
    /// Rows that these became.
    pub runs: u64,
    /// Bytes of the files that were read.
    pub bytes_read: u64,
    /// Bytes of the Parquet files that were written.
    pub bytes_written: u64,
    /// How long it took.
    pub seconds: f64,
    /// The version of the lake afterwards.
    pub version: u64,
}

/// Brings samples into the lake. A data set of the same name is replaced; it and its files keep their numbers.
///
/// # Errors
/// Something in the data is wrong: then the lake stays as it was. Or the lake cannot be written.
pub async fn import_samples(lake: &Lake, source: &SampleSource) -> Result<SampleReport> {
    import(lake, source, false).await
}

/// Brings only those files into the lake that their data sets do not have yet; nothing is read of the others.
///
/// # Errors
/// As [`import_samples`]; properties that are not those of the data set.
pub async fn add_samples(lake: &Lake, source: &SampleSource) -> Result<SampleReport> {
    import(lake, source, true).await
}

async fn import(lake: &Lake, source: &SampleSource, adds: bool) -> Result<SampleReport> {
    let started = Instant::now();
    let mut report = SampleReport::default();
    let base = Arc::clone(lake.snapshot(AsOf::Latest).await?.samples().await?);
    let mut target: SampleCatalog = base.as_ref().clone();
    let mut written = vec![];
    for (name, datasets) in &source.collections {
        let mut collection = base.collections.get(name).cloned().unwrap_or_default();
        for dataset in datasets {
            let import = Import { lake, collection_name: name, source: dataset, adds };
            import.run(&mut collection, &mut written, &mut report).await?;
        }
        collection.datasets.sort_by_key(|dataset| dataset.id);
        target.collections.insert(name.clone(), collection);
    }
    report.bytes_written = written.iter().map(|file: &WrittenFile| file.size).sum();
    report.version = if written.is_empty() {
        lake.version().await?
    } else {
        let info = Map::from_iter([
            ("operation".to_owned(), Value::from(if adds { "add samples" } else { "import samples" })),
            ("datasets_added".to_owned(), report.added.into()),
            ("datasets_replaced".to_owned(), (report.replaced + report.extended).into()),
            ("samples".to_owned(), report.samples.into()),
            ("bytes".to_owned(), report.bytes_written.into()),
        ]);
        let names: Vec<&String> = source.collections.iter().map(|(name, _)| name).collect();
        let change = |now: &SampleCatalog| merged(now, &base, &target, &names);
        lake.commit_samples(written, info, change).await?.0
    };
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Takes a data set out of a collection. Returns the version of the lake, or nothing if there is no such data set.
///
/// # Errors
/// The lake cannot be written.
pub async fn remove_dataset(lake: &Lake, collection: &str, dataset: &str) -> Result<Option<u64>> {
    let change = |now: &SampleCatalog| {
        let mut next = now.clone();
        let Some(found) = next.collections.get_mut(collection) else { return Ok(None) };
        let before = found.datasets.len();
        found.datasets.retain(|it| it.name != dataset);
        let changed = found.datasets.len() < before;
        if found.datasets.is_empty() {
            next.collections.remove(collection);
        }
        Ok(changed.then_some(next))
    };
    let info = Map::from_iter([
        ("operation".to_owned(), Value::from("remove samples")),
        ("collection".to_owned(), collection.into()),
        ("dataset".to_owned(), dataset.into()),
    ]);
    let (version, changed) = lake.commit_samples(vec![], info, change).await?;
    Ok(changed.then_some(version))
}

/// The collections of an import on top of what others have changed in the meantime.
pub(super) fn merged(
    now: &SampleCatalog,
    base: &SampleCatalog,
    target: &SampleCatalog,
    names: &[&String],
) -> Result<Option<SampleCatalog>> {
    let mut next = now.clone();
    for name in names {
        // Numbers are in the rows, so somebody else's change of the same collection cannot be kept beside this one.
        if now.collections.get(*name) != base.collections.get(*name) {
            return Err(Error::Conflict { attempts: 1 });
        }
        if let Some(collection) = target.collections.get(*name) {
            next.collections.insert((*name).clone(), collection.clone());
        }
    }
    Ok(Some(next))
}

struct Import<'a> {
    lake: &'a Lake,
    collection_name: &'a str,
    source: &'a DatasetSource,
    /// Whether files that are known are left as they are.
    adds: bool,
}

impl Import<'_> {
    async fn run(
        &self,
        collection: &mut Collection,
        written: &mut Vec<WrittenFile>,
        report: &mut SampleReport,
    ) -> Result<()> {
        let place = self.source.location.display().to_string();
        check(collection, &self.source.name, &self.source.schema.properties(), &place)?;
        let known = collection.datasets.iter().position(|it| it.name == self.source.name);
        let known = known.map(|index| collection.datasets.remove(index));
        let kept = known.as_ref().filter(|_| self.adds);
        let files = self.numbered(collection, known.as_ref())?;
        if let Some(kept) = kept.filter(|_| files.is_empty()) {
            report.unchanged += 1;
            collection.datasets.push(kept.clone());
            return Ok(());
        }
        let parts = match kept {
            Some(kept) => self.parts_like(kept).await?,
            None => self.parts(files.first()).await?,
        };
        let mut dataset = SampleDataset {
            name: self.source.name.clone(),
            id: known.as_ref().map_or_else(|| self.dataset_number(collection), |known| known.id),
            format: kept.map_or_else(|| format_of(&files), |kept| kept.format.clone()),
            location: place,
            segment: parts.first().map(|part| part.segment).unwrap_or_default(),
            digest: String::new(),
            samples: 0,
            properties: properties(&parts, kept, &self.source.schema),
            files: kept.map(|kept| kept.files.clone()).unwrap_or_default(),
        };
        let transfer = Transfer { lake: self.lake, parts: &parts, schema: &self.source.schema };
        let sink = transfer.write(&mut dataset, kept, files).await?;
        dataset.samples = dataset.files.iter().map(|file| file.samples).sum();
        if let Some(known) = known.as_ref().filter(|_| !self.adds)
            && (&known.digest, &known.location) == (&dataset.digest, &dataset.location)
        {
            // Nobody refers to the new files.
            for file in sink {
                let object = self.lake.folder(file.table).join(file.name.as_str());
                let _ = object_store::ObjectStoreExt::delete(self.lake.store(), &object).await;
            }
            report.unchanged += 1;
            report.bytes_read += dataset.files.iter().map(|file| file.bytes).sum::<u64>();
            collection.datasets.push(known.clone());
            return Ok(());
        }
        match (&known, self.adds) {
            (None, _) => report.added += 1,
            (Some(_), true) => report.extended += 1,
            (Some(known), false) => {
                report.replaced += 1;
                let lost = known.properties.iter().filter(|it| it.added);
                report.dropped.extend(lost.map(|it| format!("{}.{}", known.name, it.name)));
            }
        }
        let new = dataset.files.iter().skip(kept.map_or(0, |kept| kept.files.len()));
        let (mut count, mut samples, mut bytes) = (0, 0, 0);
        new.for_each(|file| (count, samples, bytes) = (count + 1, samples + file.samples, bytes + file.bytes));
        report.files += count;
        report.samples += samples;
        report.bytes_read += bytes;
        report.runs += sink.iter().filter(|file| file.table == Table::Samples).map(|file| file.rows).sum::<u64>();
        written.extend(sink);
        written.push(self.lake.write_sample_files(self.collection_name, &dataset).await?);
        collection.datasets.push(dataset);
        Ok(())
    }

    /// Which properties are kept together, and which by themselves.
    async fn parts(&self, first: Option<&(FileSource, u32)>) -> Result<Vec<Part>> {
        let schema = self.source.schema.clone();
        let all = schema.properties();
        let apart = match first {
            Some((file, _)) => {
                let (file, schema) = (file.clone(), schema);
                let look = tokio::task::spawn_blocking(move || many_valued(&file, &schema));
                look.await.map_err(|error| Error::Internal(error.to_string()))??
            }
            None => vec![],
        };
        let is_apart = |index: &usize| apart.contains(index);
        let own = |indices: Vec<usize>| -> (Vec<Property>, Vec<Option<usize>>) {
            let taken = indices.into_iter().filter_map(|index| Some((all.get(index)?.clone(), Some(index))));
            taken.unzip()
        };
        let mut groups = vec![own((0..all.len()).filter(|index| !is_apart(index)).collect())];
        groups.extend((0..all.len()).filter(is_apart).map(|index| own(vec![index])));
        let mut parts = vec![];
        for (properties, columns) in groups {
            parts.push(Part::new(self.lake.claim_segment().await?, properties, columns));
        }
        Ok(parts)
    }

    /// The same as a data set has them, each in a new segment.
    async fn parts_like(&self, known: &SampleDataset) -> Result<Vec<Part>> {
        let place = self.source.location.display().to_string();
        let own = self.source.schema.properties();
        for property in &own {
            let same =
                |it: &&Property| (&it.name, it.kind, it.multiple) == (&property.name, property.kind, property.multiple);
            if !known.properties.iter().any(|it| same(&it)) {
                let reason = format!(
                    "the data set `{}` has no such property; import the whole data set again to change what it has",
                    known.name
                );
                return Err(fault(&place, None, Some(&property.name), reason));
            }
        }
        let mut parts = vec![];
        for (_, properties) in known.segments() {
            let column = |property: &&Property| own.iter().position(|it| it.name == property.name);
            if let Some(property) = properties.iter().find(|it| column(it).is_none() && !it.nullable) {
                let reason = "the schema leaves it out, but it must not be missing".to_owned();
                return Err(fault(&place, None, Some(&property.name), reason));
            }
            let columns = properties.iter().map(column).collect();
            let properties = properties.into_iter().cloned().collect();
            parts.push(Part::new(self.lake.claim_segment().await?, properties, columns));
        }
        Ok(parts)
    }

    fn dataset_number(&self, collection: &Collection) -> u32 {
        let free = |id: &u32| *id > 0 && collection.datasets.iter().all(|it| it.id != *id);
        self.source.id.filter(free).unwrap_or_else(|| collection.next_dataset())
    }

    /// The files with their numbers, in the order of these.
    fn numbered(&self, collection: &Collection, known: Option<&SampleDataset>) -> Result<Vec<(FileSource, u32)>> {
        let old = known.map(|it| it.files.as_slice()).unwrap_or_default();
        let mut taken: std::collections::HashSet<u32> =
            collection.datasets.iter().flat_map(|it| &it.files).chain(old).map(|file| file.id).collect();
        let mut next = taken.iter().max().copied().unwrap_or_default() + 1;
        let mut files = vec![];
        for file in &self.source.files {
            if self.adds && old.iter().any(|it| it.name == file.name) {
                continue;
            }
            if files.iter().any(|(other, _): &(FileSource, u32)| other.name == file.name) {
                let place = self.source.location.display().to_string();
                return Err(fault(&place, None, None, format!("the file `{}` is there twice", file.name)));
            }
            let id = match (old.iter().find(|it| it.name == file.name), file.id) {
                (Some(old), _) => old.id,
                // Files that are added come behind the others.
                (None, Some(id)) if id > 0 && !taken.contains(&id) && (!self.adds || id >= next) => id,
                (None, _) => next,
            };
            next = next.max(id + 1);
            taken.insert(id);
            files.push((file.clone(), id));
        }
        files.sort_by_key(|(_, id)| *id);
        Ok(files)
    }
}

/// A property means the same in all data sets of a collection.
pub(super) fn check(collection: &Collection, dataset: &str, properties: &[Property], place: &str) -> Result<()> {
    let others = collection.datasets.iter().filter(|it| it.name != dataset);
    let others: Vec<_> = others.flat_map(|it| it.properties.iter().map(move |property| (it, property))).collect();
    for property in properties {
        let same = |name: &str| name.to_lowercase() == property.name.to_lowercase();
        let Some((other, known)) = others.iter().find(|(_, known)| same(&known.name)) else { continue };
        if (&known.name, known.kind, known.multiple) != (&property.name, property.kind, property.multiple) {
            let shown = |it: &Property| {
                format!("`{}` ({}{})", it.name, if it.multiple { "list of " } else { "" }, it.kind.name())
            };
            let reason = format!(
                "the property {} of the data set `{dataset}` does not go with {} of `{}` in the same collection",
                shown(property),
                shown(known),
                other.name
            );
            return Err(fault(place, None, Some(&property.name), reason));
        }
    }
    Ok(())
}

/// The properties with the segments that they are in now.
fn properties(parts: &[Part], kept: Option<&SampleDataset>, schema: &super::SampleSchema) -> Vec<Property> {
    let all = kept.map_or_else(|| schema.properties(), |kept| kept.properties.clone());
    let placed = |property: Property| {
        let at = parts.iter().skip(1).find(|part| part.properties.iter().any(|it| it.name == property.name));
        Property { apart: at.map(|part| part.segment.0), ..property }
    };
    all.into_iter().map(placed).collect()
}

fn format_of(files: &[(FileSource, u32)]) -> String {
    let of = |file: &FileSource| {
        if parquet::is_parquet(&file.path) {
            "parquet"
        } else if tar::is_tar(&file.path) {
            "webdataset"
        } else {
            "jsonl"
        }
    };
    let mut all: Vec<&str> = files.iter().map(|(file, _)| of(file)).collect();
    all.sort_unstable();
    all.dedup();
    match all.as_slice() {
        [] => "jsonl".to_owned(),
        [one] => (*one).to_owned(),
        _ => "mixed".to_owned(),
    }
}
