//! Exports of Neptune: the Parquet files that neptune-exporter writes and `lakeql import neptune` reads, of any size and
//! with known answers.

mod rows;
mod write;

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::dice::Dice;
use rows::{Rows, schema};
use write::write_run;

/// How large an export is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeptuneSpec {
    /// Number of runs, one file each.
    pub runs: u64,
    /// Parameters of a run besides its system attributes.
    pub params_per_run: usize,
    /// Float series of a run.
    pub series_per_run: usize,
    /// Points of each of them.
    pub points_per_series: usize,
    /// The same seed gives the same rows.
    pub seed: u64,
}

impl Default for NeptuneSpec {
    fn default() -> Self {
        Self { runs: 15_000, params_per_run: 40, series_per_run: 5, points_per_series: 20, seed: 1 }
    }
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeptuneSummary {
    /// Runs, which is the number of files.
    pub runs: u64,
    /// Attributes with a value that are no series.
    pub attributes: u64,
    /// Series of all types.
    pub series: u64,
    /// Points of float series.
    pub points: u64,
    /// Of these NaN.
    pub nan_points: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Runs with `parameters/lr` below 0.001.
    pub small_lr: u64,
    /// Runs whose `metrics/loss` ends below 0.5.
    pub low_loss: u64,
    /// Runs with the tag `best`.
    pub tagged: u64,
}

/// The project of the runs.
pub const NEPTUNE_PROJECT: &str = "bench/vision";

/// Writes an export below `folder`: `data/<project>/<run>_part_0.parquet`.
pub fn write_neptune(spec: &NeptuneSpec, folder: &Path) -> io::Result<NeptuneSummary> {
    let project = folder.join("data").join(dir_name(NEPTUNE_PROJECT));
    fs::create_dir_all(&project)?;
    let mut summary = NeptuneSummary::default();
    for number in 0..spec.runs {
        let run = format!("VIS-{}", number + 1);
        let mut dice = Dice::new(spec.seed.wrapping_mul(0x9e37_79b9).wrapping_add(number));
        let path = project.join(format!("{}_part_0.parquet", dir_name(&run)));
        let mut file = Vec::with_capacity(32 << 10);
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut writer = ArrowWriter::try_new(&mut file, Arc::clone(schema()), Some(properties))?;
        write_run(spec, number, &run, &mut dice, &mut summary, &mut |rows: Rows| {
            writer.write(&rows.finish()?)?;
            // Every batch that the exporter has fetched is a row group.
            writer.flush()
        })?;
        writer.close()?;
        summary.runs += 1;
        summary.bytes += file.len() as u64;
        fs::write(path, file)?;
    }
    Ok(summary)
}

/// A name for files: what is not safe becomes `_`, digits behind it keep different ids apart.
fn dir_name(id: &str) -> String {
    let safe: String = id.chars().map(|c| if c.is_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect();
    // FNV-1a; the exporter uses another hash, nobody reads either back.
    let digits =
        id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{safe}-{digits:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::unwrap_used, reason = "a test")]
    fn the_same_spec_gives_the_same_files() {
        let spec = NeptuneSpec { runs: 3, ..NeptuneSpec::default() };
        let read = |folder: &Path| -> Vec<Vec<u8>> {
            let project = folder.join("data").join(dir_name(NEPTUNE_PROJECT));
            let mut paths: Vec<_> = fs::read_dir(project).unwrap().map(|entry| entry.unwrap().path()).collect();
            paths.sort();
            paths.iter().map(|path| fs::read(path).unwrap()).collect()
        };
        let (a, b) = (std::env::temp_dir().join("lakeql-nep-a"), std::env::temp_dir().join("lakeql-nep-b"));
        let summary = write_neptune(&spec, &a).unwrap();
        assert_eq!(write_neptune(&spec, &b).unwrap(), summary);
        assert_eq!(read(&a), read(&b));
        assert_eq!((summary.runs, summary.points), (3, 300));
        drop((fs::remove_dir_all(a), fs::remove_dir_all(b)));
    }
}
