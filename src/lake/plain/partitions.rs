//! Columns that stand in the names of folders: `year=2024/month=05/part.parquet`.

use super::locate::Located;
use crate::error::{Error, Result};
use arrow::array::{Array, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use std::sync::Arc;

/// What writers call a folder whose rows have no value.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The columns, and their values for each file.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    pub(super) fields: Vec<FieldRef>,
    pub(super) values: Vec<Vec<ScalarValue>>,
}

impl Partitions {
    /// The columns of the folders between the base and the files, without those that are columns of the files themselves
    /// (`in_files`): what is stored is more precise than a name.
    ///
    /// A column has integers if all its values are such, else days if all are written `YYYY-MM-DD`, else texts.
    ///
    /// # Errors
    /// One file lies in such folders and another one does not.
    pub(super) fn of(located: &Located, in_files: impl Fn(&str) -> bool) -> Result<Self> {
        let depth = located.base.parts_count();
        let mut names: Option<Vec<String>> = None;
        let mut texts: Vec<Vec<Option<String>>> = vec![];
        for file in &located.files {
            let below = file.location.parts().skip(depth);
            let folders = file.location.parts_count().saturating_sub(depth + 1);
            let pairs: Vec<(String, Option<String>)> = below
                .take(folders)
                .filter_map(|part| {
                    let (name, value) = part.as_ref().split_once('=')?;
                    let value = decoded(value);
                    (!name.is_empty()).then(|| (decoded(name), (value != NULL).then_some(value)))
                })
                .filter(|(name, _)| !in_files(name))
                .collect();
            let (found, values): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            let names = names.get_or_insert_with(|| found.clone());
            if *names != found {
                let listed = |names: &[String]| match names {
                    [] => "none".to_owned(),
                    names => names.join(", "),
                };
                return Err(Error::Data {
                    file: file.location.to_string(),
                    row: None,
                    field: None,
                    reason: format!(
                        "its folders name other columns ({}) than those of the first file ({})",
                        listed(&found),
                        listed(names)
                    ),
                });
            }
            texts.push(values);
        }
        let mut partitions = Self { fields: vec![], values: vec![vec![]; texts.len()] };
        for (place, name) in names.unwrap_or_default().into_iter().enumerate() {
            let column: StringArray = texts.iter().map(|row| row.get(place).cloned().flatten()).collect();
            let column = typed(Arc::new(column));
            partitions.fields.push(Arc::new(Field::new(name, column.data_type().clone(), column.null_count() > 0)));
            for (row, values) in partitions.values.iter_mut().enumerate() {
                values.push(ScalarValue::try_from_array(&column, row).map_err(Error::from)?);
            }
        }
        Ok(partitions)
    }
}

fn typed(texts: arrow::array::ArrayRef) -> arrow::array::ArrayRef {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    for data_type in [DataType::Int64, DataType::Date32] {
        if data_type == DataType::Date32 && !all_dates(&texts) {
            continue;
        }
        if let Ok(cast) = cast_with_options(&texts, &data_type, &options)
            && cast.null_count() == texts.null_count()
            && cast.null_count() < cast.len()
        {
            return cast;
        }
    }
    texts
}

/// Whether all values look like `2024-05-31`; the cast takes more than that.
fn all_dates(texts: &arrow::array::ArrayRef) -> bool {
    use arrow::array::AsArray;
    let date = |text: &str| {
        text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() })
    };
    texts.as_string::<i32>().iter().flatten().all(date)
}

/// The text with `%3A` and the like read as the bytes they stand for; what stands for nothing stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::ObjectMeta;
    use object_store::memory::InMemory;
    use object_store::path::Path;

    fn located(files: &[&str]) -> Located {
        let meta = |path: &&str| ObjectMeta {
            location: Path::from(*path),
            last_modified: chrono::DateTime::UNIX_EPOCH,
            size: 1,
            e_tag: None,
            version: None,
        };
        Located {
            from: String::new(),
            store: Arc::new(InMemory::new()),
            files: files.iter().map(meta).collect(),
            base: Path::from("base"),
        }
    }

    #[test]
    fn folders_are_columns() {
        let found = located(&[
            "base/y=2024/d=2024-05-01/c=a/x.parquet",
            "base/y=07/d=2024-06-01/c=__HIVE_DEFAULT_PARTITION__/x.parquet",
        ]);
        let partitions = Partitions::of(&found, |_| false).unwrap();
        let fields: Vec<_> = partitions
            .fields
            .iter()
            .map(|field| (field.name().as_str(), field.data_type().clone(), field.is_nullable()))
            .collect();
        assert_eq!(
            fields,
            [("y", DataType::Int64, false), ("d", DataType::Date32, false), ("c", DataType::Utf8, true)]
        );
        assert_eq!(partitions.values[1][0], ScalarValue::Int64(Some(7)));
        assert_eq!(partitions.values[1][2], ScalarValue::Utf8(None));
        // What the files have themselves, and folders without a name, are no columns.
        let partitions = Partitions::of(&found, |name| name != "y").unwrap();
        assert_eq!(partitions.fields.len(), 1);
        assert!(Partitions::of(&located(&["base/=1/a/x=3.parquet"]), |_| false).unwrap().fields.is_empty());
    }

    #[test]
    fn all_files_have_the_same_folders() {
        let wrong = located(&["base/y=1/x.parquet", "base/z=1/x.parquet"]);
        let error = Partitions::of(&wrong, |_| false).unwrap_err().to_string();
        assert!(error.contains("base/z=1/x.parquet") && error.contains("(z)") && error.contains("(y)"), "{error}");
    }

    #[test]
    fn escapes_in_names() {
        assert_eq!(decoded("a%3Ab%20c%"), "a:b c%");
        assert_eq!(decoded("%zz%e4"), "%zz%e4");
    }
}
