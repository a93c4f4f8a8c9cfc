//! Numbers of files to the names that answers show.

use crate::Result;
use datafusion::arrow::array::{ArrayRef, StringViewBuilder};
use datafusion::arrow::buffer::Buffer;
use lakeql_lake::catalog::samples::Collection;
use std::collections::HashMap;
use std::sync::Arc;

/// Names of data sets and files. Their texts are kept once, whatever the number of rows that have them.
#[derive(Debug)]
pub(super) struct Names {
    block: Buffer,
    /// By the number of the file: where the data set's name is in the block, and the file's.
    places: HashMap<i64, [(u32, u32); 2]>,
}

impl Names {
    pub(super) fn new(collection: &Collection) -> Self {
        let mut bytes = vec![];
        let mut add = |text: &str| {
            let place = (bytes.len() as u32, text.len() as u32);
            bytes.extend_from_slice(text.as_bytes());
            place
        };
        let mut places = HashMap::new();
        for dataset in &collection.datasets {
            let name = add(&dataset.name);
            for file in &dataset.files {
                places.insert(i64::from(file.id), [name, add(&file.name)]);
            }
        }
        Self { block: Buffer::from(bytes), places }
    }

    /// The columns `dataset` and `file` of rows with these numbers of files.
    pub(super) fn columns(&self, files: &[i64]) -> Result<[ArrayRef; 2]> {
        let column = |which: usize| -> Result<ArrayRef> {
            let mut builder = StringViewBuilder::with_capacity(files.len());
            let block = builder.append_block(self.block.clone());
            for file in files {
                match self.places.get(file).and_then(|places| places.get(which)) {
                    Some((offset, length)) => builder.try_append_view(block, *offset, *length)?,
                    None => builder.append_value(file.to_string()),
                }
            }
            Ok(Arc::new(builder.finish()))
        };
        Ok([column(0)?, column(1)?])
    }
}
