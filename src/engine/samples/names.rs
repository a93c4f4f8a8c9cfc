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
    /// By the number of the file: that of its data set.
    datasets: HashMap<u32, u32>,
}

impl Names {
    pub(super) fn new(collection: &Collection) -> Self {
        let mut bytes = vec![];
        let mut add = |text: &str| {
            let place = (bytes.len() as u32, text.len() as u32);
            bytes.extend_from_slice(text.as_bytes());
            place
        };
        let (mut places, mut datasets) = (HashMap::new(), HashMap::new());
        for dataset in &collection.datasets {
            let name = add(&dataset.name);
            for file in &dataset.files {
                places.insert(i64::from(file.id), [name, add(&file.name)]);
                datasets.insert(file.id, dataset.id);
            }
        }
        Self { block: Buffer::from(bytes), places, datasets }
    }

    /// The number of the data set of a file.
    pub(super) fn dataset(&self, file: u32) -> u32 {
        self.datasets.get(&file).copied().unwrap_or_default()
    }

    /// The names of the data set and of a file.
    pub(super) fn of(&self, file: u32) -> [&str; 2] {
        let Some(places) = self.places.get(&i64::from(file)) else { return [""; 2] };
        places.map(|(offset, length)| {
            let bytes = self.block.get(offset as usize..(offset + length) as usize).unwrap_or_default();
            std::str::from_utf8(bytes).unwrap_or_default()
        })
    }

    /// The columns `dataset` and `file` of rows with these numbers of files.
    pub(super) fn columns(&self, files: &[i64]) -> Result<[ArrayRef; 2]> {
        let column = |which: usize| -> Result<ArrayRef> {
            let mut builder = StringViewBuilder::with_capacity(files.len());
            let block = builder.append_block(self.block.clone());
            let mut last = (i64::MIN, None);
            for file in files {
                if last.0 != *file {
                    last = (*file, self.places.get(file).and_then(|places| places.get(which)));
                }
                match last.1 {
                    Some((offset, length)) => builder.try_append_view(block, *offset, *length)?,
                    None => builder.append_value(file.to_string()),
                }
            }
            Ok(Arc::new(builder.finish()))
        };
        Ok([column(0)?, column(1)?])
    }
}

/// Most bytes of texts that every batch has a copy of.
const COPIED: usize = 64 << 10;

/// Texts by numbers, each kept once, whatever the number of rows that have it.
#[derive(Debug, Default)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    places: Vec<(u32, u32)>,
}

impl Texts {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Adds one, under the next number.
    pub(super) fn push(&mut self, text: &str) {
        self.places.push((self.bytes.len() as u32, text.len() as u32));
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// The column of the texts with these numbers.
    pub(super) fn column(&self, numbers: impl ExactSizeIterator<Item = usize>) -> Result<ArrayRef> {
        let mut builder = StringViewBuilder::with_capacity(numbers.len());
        if self.bytes.len() > COPIED {
            for number in numbers {
                let place =
                    self.places.get(number).map(|(offset, length)| *offset as usize..(offset + length) as usize);
                let text = place.and_then(|place| std::str::from_utf8(self.bytes.get(place)?).ok());
                builder.append_option(text);
            }
            return Ok(Arc::new(builder.finish()));
        }
        let block = builder.append_block(Buffer::from(self.bytes.clone()));
        for number in numbers {
            match self.places.get(number) {
                Some((offset, length)) => builder.try_append_view(block, *offset, *length)?,
                None => builder.append_null(),
            }
        }
        Ok(Arc::new(builder.finish()))
    }
}
