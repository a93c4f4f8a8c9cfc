//! The version hash of an artifact, which an export does not have, from the list of its files, which it has.

use object_store::ObjectStoreExt;
use object_store::path::Path;
use ring::digest::{Context, SHA256};
use serde::Deserialize;
use tokio::runtime::Handle;

use super::listing::show;
use crate::storage::url::Place;

/// One file of an artifact.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactFile {
    file_path: String,
    file_hash: String,
    size: Option<u64>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    metadata: Vec<Pair>,
}

#[derive(Debug, Deserialize)]
struct Pair {
    key: String,
    value: String,
}

/// Why there is no hash.
pub(super) enum NoHash {
    /// The list is not among the files.
    Missing,
    /// The list says something else than it should.
    Wrong(String),
}

/// Reads the list of an artifact's files and computes the hash. Blocks.
pub(super) fn artifact_hash(
    files: &Place,
    project_folder: &str,
    list: &str,
    handle: &Handle,
) -> Result<String, NoHash> {
    let path = format!("{}/{project_folder}/{list}", files.prefix());
    // A path that climbs out of the folder is refused here.
    let location = Path::parse(&path)
        .map_err(|error| NoHash::Wrong(format!("the path {list:?} of an artifact's list: {error}")))?;
    let read = async { files.store().get(&location).await?.bytes().await };
    let bytes = match handle.block_on(read) {
        Ok(bytes) => bytes,
        Err(object_store::Error::NotFound { .. }) => return Err(NoHash::Missing),
        Err(error) => return Err(NoHash::Wrong(format!("{} cannot be read: {error}", show(files, &location)))),
    };
    let list: Vec<ArtifactFile> = serde_json::from_slice(&bytes).map_err(|error| {
        NoHash::Wrong(format!("{} is no list of an artifact's files: {error}", show(files, &location)))
    })?;
    Ok(hash(list))
}

/// SHA-256 over all entries in the order of their paths; lengths are counted in characters.
fn hash(mut files: Vec<ArtifactFile>) -> String {
    files.sort_by(|a, b| a.file_path.cmp(&b.file_path));
    let mut context = Context::new(&SHA256);
    let text = |context: &mut Context, text: &str| {
        let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        context.update(&length.to_be_bytes());
        context.update(text.as_bytes());
    };
    for file in &files {
        context.update(b"#");
        text(&mut context, &file.file_path);
        context.update(b"#");
        context.update(file.file_hash.as_bytes());
        context.update(b"#");
        if let Some(size) = file.size {
            context.update(&size.to_be_bytes());
        }
        context.update(b"#");
        text(&mut context, &file.kind);
        context.update(b"#");
        for pair in &file.metadata {
            context.update(b"|");
            text(&mut context, &pair.key);
            context.update(b"|");
            text(&mut context, &pair.value);
        }
    }
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn hashes_are_those_of_the_corpus() {
        let text = std::fs::read_to_string(crate::ingest::neptune::tests::gold("dataset.jsonl")).unwrap();
        let mut seen = 0;
        for line in text.lines() {
            let run: Value = serde_json::from_str(line).unwrap();
            for attribute in run["attributes"].as_object().into_iter().flat_map(|all| all.values()) {
                if attribute["type"] == "artifact" {
                    let files = serde_json::from_value(attribute["files"].clone()).unwrap();
                    assert_eq!(hash(files), attribute["value"].as_str().unwrap());
                    seen += 1;
                }
            }
        }
        assert_eq!(seen, 3);
    }
}
