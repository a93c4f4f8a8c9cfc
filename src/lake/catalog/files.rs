//! Columns of the tables of the file catalogue.

use arrow::datatypes::{DataType, Field, Schema};

use super::tables::{list, maybe, some, time_type};

/// A file. `file` is its ordinal: a file whose content changes gets a new one.
pub(super) fn files() -> Schema {
    Schema::new(vec![
        some("file", DataType::Int64),
        some("fid", DataType::Utf8),
        some("namespace", DataType::Utf8),
        some("name", DataType::Utf8),
        maybe("size", DataType::Int64),
        maybe("creator", DataType::Utf8),
        some("created_timestamp", time_type()),
        maybe("updated_by", DataType::Utf8),
        maybe("updated_timestamp", time_type()),
        some("retired", DataType::Boolean),
        maybe("retired_by", DataType::Utf8),
        maybe("retired_timestamp", time_type()),
        some("checksums", DataType::Utf8),
        some("digest", DataType::Binary),
        some("metadata", DataType::Utf8),
    ])
}

/// The columns of a metadata value. Lists of one type are kept as lists; nulls, dictionaries, all other lists and numbers
/// that 64 bits do not hold are JSON.
fn values() -> Vec<Field> {
    vec![
        some("kind", DataType::Utf8),
        maybe("int", DataType::Int64),
        maybe("float", DataType::Float64),
        maybe("text", DataType::Utf8),
        maybe("bool", DataType::Boolean),
        maybe("ints", list(DataType::Int64)),
        maybe("floats", list(DataType::Float64)),
        maybe("texts", list(DataType::Utf8)),
        maybe("json", DataType::Utf8),
    ]
}

/// A metadata value of a file; `path` is the key as it is.
pub(super) fn file_attributes() -> Schema {
    let keys = vec![some("path", DataType::Utf8), some("file", DataType::Int64)];
    Schema::new(keys.into_iter().chain(values()).collect::<Vec<_>>())
}

/// A metadata value of a dataset; `dataset` is `namespace:name`.
pub(super) fn dataset_attributes() -> Schema {
    let keys = vec![some("path", DataType::Utf8), some("dataset", DataType::Utf8)];
    Schema::new(keys.into_iter().chain(values()).collect::<Vec<_>>())
}

/// A dataset. `children` are the datasets below it, as `namespace:name`; `file_count` is what the source says.
pub(super) fn datasets() -> Schema {
    Schema::new(vec![
        some("namespace", DataType::Utf8),
        some("name", DataType::Utf8),
        maybe("frozen", DataType::Boolean),
        maybe("monotonic", DataType::Boolean),
        maybe("creator", DataType::Utf8),
        maybe("created_timestamp", time_type()),
        maybe("updated_by", DataType::Utf8),
        maybe("updated_timestamp", time_type()),
        maybe("description", DataType::Utf8),
        maybe("file_count", DataType::Int64),
        maybe("file_meta_requirements", DataType::Utf8),
        some("children", list(DataType::Utf8)),
        some("metadata", DataType::Utf8),
    ])
}

/// That a file is in a dataset, `namespace:name`.
pub(super) fn members() -> Schema {
    Schema::new(vec![some("dataset", DataType::Utf8), some("file", DataType::Int64)])
}

/// That a file was made from another: the ordinal of the one and the id of the other, or its `namespace:name` if no id was
/// known.
pub(super) fn provenance() -> Schema {
    Schema::new(vec![some("child", DataType::Int64), some("parent", DataType::Utf8)])
}

/// A saved query in the language `language`.
pub(super) fn named_queries() -> Schema {
    Schema::new(vec![
        some("namespace", DataType::Utf8),
        some("name", DataType::Utf8),
        some("language", DataType::Utf8),
        some("source", DataType::Utf8),
        maybe("creator", DataType::Utf8),
        maybe("created_timestamp", time_type()),
        maybe("description", DataType::Utf8),
        some("metadata", DataType::Utf8),
    ])
}
