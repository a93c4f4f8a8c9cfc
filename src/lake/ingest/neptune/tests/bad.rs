//! Files and rows that are not what the exporter writes.

use super::export::{SANDBOX, copy, files_of, sample};
use super::*;

#[tokio::test]
async fn bad_files_are_named_and_change_nothing() {
    let folder = copy();
    let sandbox = folder.path().join(SANDBOX);
    let lake = new_lake().await;
    let options = NeptuneOptions::default();
    let version = import(&lake, folder.path(), &options).await.unwrap().version;
    let middle = files_of(&sandbox, "SAN-11").remove(1);
    let first = files_of(&sandbox, "SAN-1").remove(0);
    let good = std::fs::read(&first).unwrap();
    let spoil: Vec<(PathBuf, Option<Vec<u8>>, &str)> = vec![
        (first.clone(), Some(good[..good.len() / 2].to_vec()), "not a Parquet file, or a truncated one"),
        (first.clone(), Some(good[..good.len() - 1].to_vec()), "not a Parquet file, or a truncated one"),
        (first.clone(), Some(Vec::new()), "not a Parquet file, or a truncated one"),
        (first.clone(), Some(b"PAR1 no PAR1".to_vec()), "not a Parquet file, or a truncated one"),
        (middle, None, "the file is missing: the run has parts up to 2"),
        (sandbox.join("notes.parquet"), Some(good.clone()), "not a file of neptune-exporter"),
        (sandbox.join("x-1_part_0.parquet"), Some(foreign()), "field `project_id`: the column is missing"),
    ];
    for (path, bytes, wanted) in spoil {
        let before = std::fs::read(&path).ok();
        match bytes {
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let error = import(&lake, folder.path(), &options).await.unwrap_err().to_string();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(error.contains(wanted) && error.contains(name), "{wanted}: {error}");
        assert_eq!(lake.version().await.unwrap(), version);
        let list = folder.path().join("bad.jsonl");
        let skip =
            crate::ingest::ImportOptions { skip_bad: true, bad_report: Some(list.clone()), ..Default::default() };
        let skip = NeptuneOptions { import: skip, ..NeptuneOptions::default() };
        let fresh = new_lake().await;
        let report = import(&fresh, folder.path(), &skip).await.unwrap();
        assert!(report.bad == 1 && report.added >= 54, "{report:?}");
        let listed: Value = serde_json::from_str(&std::fs::read_to_string(&list).unwrap()).unwrap();
        assert!(listed["file"].as_str().unwrap().ends_with(name), "{listed}");
        match before {
            Some(before) => std::fs::write(&path, before).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
    }
    let empty = tempfile::tempdir().unwrap();
    let error = import(&lake, empty.path(), &options).await.unwrap_err().to_string();
    assert!(error.contains("no files of neptune-exporter"), "{error}");
    let error = import(&lake, Path::new("/no/such/folder"), &options).await.unwrap_err().to_string();
    assert!(error.contains("/no/such/folder"), "{error}");
}

/// A Parquet file with other columns.
fn foreign() -> Vec<u8> {
    let batch = RecordBatch::try_from_iter([("x", Arc::new(arrow::array::Int64Array::from(vec![1])) as _)]).unwrap();
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// The columns of an export that a test fills; the others are null.
pub(super) type Given = Vec<(&'static str, arrow::array::ArrayRef)>;

fn texts(values: Vec<Option<&str>>) -> arrow::array::ArrayRef {
    Arc::new(arrow::array::StringArray::from(values))
}

/// Text parameters of a run.
pub(super) fn parameters(run: &str, values: &[(&str, &str)]) -> Given {
    vec![
        ("project_id", texts(vec![Some("p/q"); values.len()])),
        ("run_id", texts(vec![Some(run); values.len()])),
        ("attribute_path", texts(values.iter().map(|(path, _)| Some(*path)).collect())),
        ("attribute_type", texts(vec![Some("string"); values.len()])),
        ("string_value", texts(values.iter().map(|(_, value)| Some(*value)).collect())),
    ]
}

/// A float series of a run.
pub(super) fn series_of(run: &str, path: &str, points: usize) -> Given {
    let values = (0..points).map(|point| (point as f64 * 0.7).sin());
    let steps = arrow::array::Decimal128Array::from_iter_values((0..points).map(|point| point as i128 * 1_000_000));
    vec![
        ("project_id", texts(vec![Some("p/q"); points])),
        ("run_id", texts(vec![Some(run); points])),
        ("attribute_path", texts(vec![Some(path); points])),
        ("attribute_type", texts(vec![Some("float_series"); points])),
        ("step", Arc::new(steps.with_precision_and_scale(18, 6).unwrap())),
        ("float_value", Arc::new(arrow::array::Float64Array::from_iter_values(values))),
    ]
}

/// A file with the columns of the exporter, a row group for each list of columns.
pub(super) fn written(groups: &[Given]) -> Vec<u8> {
    let sample = files_of(&sample().join(SANDBOX), "SAN-1").remove(0);
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(sample).unwrap());
    let schema = Arc::clone(reader.unwrap().schema());
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, Arc::clone(&schema), None).unwrap();
    for group in groups {
        let rows = group[0].1.len();
        let columns = schema.fields().iter().map(|field| {
            let given = group.iter().find(|(name, _)| name == field.name()).map(|(_, column)| Arc::clone(column));
            given.unwrap_or_else(|| arrow::array::new_null_array(field.data_type(), rows))
        });
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
    bytes
}

#[tokio::test]
async fn bad_rows_are_named_and_can_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("p-1")).unwrap();
    let good = || parameters("R-1", &[("sys/name", "one"), ("parameters/a", "x")]);
    let with = |name: &'static str, values: Vec<Option<&str>>| {
        let mut group = parameters("R-1", &[("parameters/b", "y"), ("parameters/c", "z")]);
        group.retain(|(known, _)| *known != name);
        group.push((name, texts(values)));
        group
    };
    let points = || series_of("R-1", "m", 2);
    let mut no_steps = points();
    no_steps.retain(|(name, _)| *name != "step");
    let cases = [
        (vec![with("attribute_type", vec![Some("string"), Some("complex")])], 2, "attribute_type", "\"complex\""),
        (vec![with("attribute_path", vec![Some("a"), None])], 2, "attribute_path", "got null"),
        (
            vec![with("attribute_path", vec![Some("a"), Some("a")])],
            2,
            "attribute_path",
            "the attribute a is there twice",
        ),
        (vec![good(), with("run_id", vec![Some("R-1"), Some("R-2")])], 4, "run_id", "belongs to \"R-2\""),
        (vec![good(), with("project_id", vec![None, Some("p/q")])], 3, "project_id", "got null"),
        (vec![good(), points(), no_steps], 5, "step", "a point without a step"),
    ];
    for (groups, row, field, wanted) in cases {
        std::fs::write(folder.path().join("p-1/R-1-00_part_0.parquet"), written(&groups)).unwrap();
        let lake = new_lake().await;
        let error = import(&lake, folder.path(), &NeptuneOptions::default()).await.unwrap_err().to_string();
        let place = format!("R-1-00_part_0.parquet, row {row}, field `{field}`: ");
        assert!(error.contains(&place) && error.contains(wanted), "{place} {wanted}: {error}");
        assert!(runs(&lake).await.is_empty());
        let skip = crate::ingest::ImportOptions {
            skip_bad: true,
            bad_report: Some(folder.path().join("bad.jsonl")),
            ..Default::default()
        };
        let options = NeptuneOptions { import: skip, ..NeptuneOptions::default() };
        let report = import(&lake, folder.path(), &options).await.unwrap();
        assert!(report.added == 1 && report.bad >= 1, "{report:?}");
    }
}
