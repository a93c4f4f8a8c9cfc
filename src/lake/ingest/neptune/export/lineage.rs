//! Where a fork comes from. A run that was forked has only its own points; those before are with its parent.

use std::collections::HashMap;

use object_store::path::Path;

use super::listing::RunFiles;

/// The runs of a listing by folder and name in file names.
#[derive(Default)]
pub(super) struct Lineage {
    runs: HashMap<(Path, String), Vec<usize>>,
}

impl Lineage {
    pub(super) fn new(runs: &[RunFiles]) -> Self {
        let mut lineage = Lineage::default();
        for (index, run) in runs.iter().enumerate() {
            if let Some(folder) = folder_of(run) {
                lineage.runs.entry((folder, run.safe_name.clone())).or_default().push(index);
            }
        }
        lineage
    }

    /// The runs that may be the one with this id, in the folder of another. Several ids have one safe name: only the files
    /// tell.
    pub(super) fn candidates(&self, child: &RunFiles, id: &str) -> &[usize] {
        let found = folder_of(child).and_then(|folder| self.runs.get(&(folder, safe_name(id))));
        found.map(Vec::as_slice).unwrap_or_default()
    }
}

fn folder_of(run: &RunFiles) -> Option<Path> {
    let location = &run.parts.first()?.location;
    let parts: Vec<_> = location.parts().collect();
    let folder = parts.len().checked_sub(1)?;
    Some(Path::from_iter(parts.into_iter().take(folder)))
}

/// An id as the exporter writes it in the names of files.
fn safe_name(id: &str) -> String {
    id.chars().map(|c| if c.is_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn safe_names() {
        assert_eq!(safe_name("lone run/ü-1_a.b"), "lone_run_ü-1_a_b");
    }
}
