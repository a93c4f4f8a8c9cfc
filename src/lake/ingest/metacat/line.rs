//! Lines to entries of the catalogue.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::value::RawValue;
use xxhash_rust::xxh3::xxh3_64;

use super::value::Value;
use crate::storage::segment::Digest;

/// What a line holds.
#[derive(Debug)]
pub(super) enum Entry {
    File(Box<FileEntry>),
    Dataset(Box<DatasetEntry>),
    Query(Box<QueryEntry>),
    /// A namespace or user: no query depends on them.
    Other,
}

/// A file. Times are microseconds since 1970.
#[derive(Debug)]
pub(super) struct FileEntry {
    pub(super) fid: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) size: Option<i64>,
    pub(super) creator: Option<String>,
    pub(super) created: i64,
    pub(super) updated_by: Option<String>,
    pub(super) updated: Option<i64>,
    pub(super) retired: bool,
    pub(super) retired_by: Option<String>,
    pub(super) retired_at: Option<i64>,
    pub(super) checksums: String,
    pub(super) metadata: String,
    /// Keys are numbers of [`Keys`].
    pub(super) values: Vec<(u32, Value)>,
    /// `namespace:name`
    pub(super) datasets: Vec<String>,
    /// Ids, or `namespace:name`.
    pub(super) parents: Vec<String>,
    pub(super) digest: Digest,
}

/// A dataset.
#[derive(Debug, Clone)]
pub(super) struct DatasetEntry {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) frozen: Option<bool>,
    pub(super) monotonic: Option<bool>,
    pub(super) creator: Option<String>,
    pub(super) created: Option<i64>,
    pub(super) updated_by: Option<String>,
    pub(super) updated: Option<i64>,
    pub(super) description: Option<String>,
    pub(super) file_count: Option<i64>,
    pub(super) requirements: Option<String>,
    pub(super) children: Vec<String>,
    pub(super) metadata: String,
}

/// A saved query.
#[derive(Debug, Clone)]
pub(super) struct QueryEntry {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) source: String,
    pub(super) creator: Option<String>,
    pub(super) created: Option<i64>,
    pub(super) description: Option<String>,
    pub(super) metadata: String,
}

/// Keys of metadata as numbers.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Keys {
    /// The number of a key.
    pub(super) fn number(&mut self, key: &str) -> u32 {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(key.to_owned());
        self.numbers.insert(key.to_owned(), number);
        number
    }
}

/// All fields of all kinds of lines.
#[derive(Deserialize)]
struct Line<'a> {
    fid: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    size: Option<i64>,
    #[serde(borrow)]
    checksums: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    creator: Option<String>,
    created_timestamp: Option<f64>,
    updated_by: Option<String>,
    updated_timestamp: Option<f64>,
    retired: Option<bool>,
    retired_by: Option<String>,
    retired_timestamp: Option<f64>,
    #[serde(borrow)]
    parents: Option<&'a RawValue>,
    #[serde(borrow)]
    children: Option<&'a RawValue>,
    datasets: Option<Vec<Reference>>,
    source: Option<String>,
    frozen: Option<bool>,
    monotonic: Option<bool>,
    #[serde(borrow)]
    file_meta_requirements: Option<&'a RawValue>,
    description: Option<String>,
    file_count: Option<i64>,
    #[serde(borrow)]
    owner_user: Option<&'a RawValue>,
    #[serde(borrow)]
    owner_role: Option<&'a RawValue>,
    #[serde(borrow)]
    username: Option<&'a RawValue>,
}

/// A file or dataset by its names.
#[derive(Deserialize)]
struct Reference {
    fid: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    did: Option<String>,
}

impl Reference {
    fn text(self) -> Option<String> {
        self.fid.or(self.did).or_else(|| Some(format!("{}:{}", self.namespace?, self.name?)))
    }
}

/// What is wrong with a line, and with which field of it if it is one.
fn faulty(line: &str, error: &serde_json::Error) -> String {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(line).unwrap_or_default();
    let wrong = members.iter().find_map(|(key, value)| {
        let alone = format!("{{{}:{value}}}", serde_json::Value::from(key.as_ref()));
        serde_json::from_str::<Line<'_>>(&alone).err().map(|error| (key, error.to_string()))
    });
    match wrong {
        Some((key, reason)) => {
            format!("field `{key}`: {}", reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason))
        }
        None => error.to_string(),
    }
}

/// Reads a line. The error says what is wrong with it.
pub(super) fn read(line: &str, keys: &mut Keys) -> Result<Entry, String> {
    // JSON sequences have a mark before each text.
    let line = line.trim_start_matches('\u{1e}').trim();
    if !line.starts_with('{') {
        return Err("not a JSON object".to_owned());
    }
    let fields: Line<'_> = serde_json::from_str(line).map_err(|error| faulty(line, &error))?;
    let other = fields.owner_user.is_some() || fields.owner_role.is_some() || fields.username.is_some();
    if fields.fid.is_some() {
        return file(line, fields, keys).map(|file| Entry::File(Box::new(file)));
    }
    let (Some(namespace), Some(name)) = (fields.namespace.clone(), fields.name.clone()) else {
        return match other {
            true => Ok(Entry::Other),
            false => Err("neither a file (`fid`), nor a dataset or saved query (`namespace`, `name`)".to_owned()),
        };
    };
    let metadata = document(fields.metadata, "metadata")?;
    let created = fields.created_timestamp.map(micros);
    if let Some(source) = fields.source {
        let (creator, description) = (fields.creator, fields.description);
        return Ok(Entry::Query(Box::new(QueryEntry {
            namespace,
            name,
            source,
            creator,
            created,
            description,
            metadata,
        })));
    }
    if fields.retired.is_some() || fields.size.is_some() {
        return Err("a file without `fid`".to_owned());
    }
    let children = fields.children.map_or("[]", RawValue::get);
    Ok(Entry::Dataset(Box::new(DatasetEntry {
        namespace,
        name,
        frozen: fields.frozen,
        monotonic: fields.monotonic,
        creator: fields.creator,
        created,
        updated_by: fields.updated_by,
        updated: fields.updated_timestamp.map(micros),
        description: fields.description,
        file_count: fields.file_count,
        requirements: fields.file_meta_requirements.map(|raw| raw.get().to_owned()),
        children: serde_json::from_str(children).map_err(|error| format!("field `children`: {error}"))?,
        metadata,
    })))
}

fn file(line: &str, fields: Line<'_>, keys: &mut Keys) -> Result<FileEntry, String> {
    let missing = |name: &str| format!("the file has no `{name}`");
    let raw = fields.metadata.map_or("{}", RawValue::get);
    let mut values = vec![];
    if raw != "null" {
        let metadata: BTreeMap<Cow<'_, str>, &RawValue> =
            serde_json::from_str(raw).map_err(|error| format!("field `metadata`: {error}"))?;
        for (key, value) in metadata {
            let value = Value::read(value.get()).map_err(|error| format!("field `metadata.{key}`: {error}"))?;
            values.push((keys.number(&key), value));
        }
    }
    let parents: Option<Vec<Reference>> = match fields.parents {
        Some(raw) => serde_json::from_str(raw.get()).map_err(|error| format!("field `parents`: {error}"))?,
        None => None,
    };
    let parents = parents.into_iter().flatten().map(Reference::text).collect::<Option<Vec<_>>>();
    let datasets = fields.datasets.into_iter().flatten().map(Reference::text).collect::<Option<Vec<_>>>();
    let checksums: serde_json::Value = match fields.checksums {
        Some(raw) => serde_json::from_str(raw.get()).map_err(|error| format!("field `checksums`: {error}"))?,
        None => serde_json::Value::Null,
    };
    Ok(FileEntry {
        digest: digest(line),
        fid: fields.fid.ok_or_else(|| missing("fid"))?,
        namespace: fields.namespace.ok_or_else(|| missing("namespace"))?,
        name: fields.name.ok_or_else(|| missing("name"))?,
        size: fields.size,
        creator: fields.creator,
        created: micros(fields.created_timestamp.ok_or_else(|| missing("created_timestamp"))?),
        updated_by: fields.updated_by,
        updated: fields.updated_timestamp.map(micros),
        retired: fields.retired.unwrap_or_default(),
        retired_by: fields.retired_by,
        retired_at: fields.retired_timestamp.map(micros),
        checksums: if checksums.is_null() { "{}".to_owned() } else { checksums.to_string() },
        metadata: document(fields.metadata, "metadata")?,
        values,
        datasets: datasets.ok_or("a dataset of the file has no name")?,
        parents: parents.ok_or("a parent of the file has neither id nor name")?,
    })
}

/// A fingerprint of 64 bits, in the first half of the place that others have for 128.
fn digest(line: &str) -> Digest {
    let mut digest = Digest::default();
    digest.iter_mut().zip(xxh3_64(line.as_bytes()).to_be_bytes()).for_each(|(place, byte)| *place = byte);
    digest
}

/// The text of a dictionary; nothing is an empty one.
fn document(raw: Option<&RawValue>, field: &str) -> Result<String, String> {
    match raw.map(RawValue::get) {
        None | Some("null") => Ok("{}".to_owned()),
        Some(text) if text.starts_with('{') => Ok(text.to_owned()),
        Some(_) => Err(format!("field `{field}`: not a dictionary")),
    }
}

fn micros(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64
}
