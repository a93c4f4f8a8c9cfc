//! A temporary file that has no name and vanishes with its last owner.

use crate::error::Problem;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The file. It is made when something is written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    file: Option<File>,
    end: u64,
}

/// Bytes in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) start: u64,
    pub(crate) length: u64,
}

fn failed(what: &str, error: &std::io::Error) -> Problem {
    let place = std::env::temp_dir();
    Problem::Disk(format!("a temporary file in {} cannot be {what}: {error}", place.display()))
}

impl Disk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// The disk is full or not there.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<Extent, Problem> {
        let mut state = self.lock();
        let start = state.end;
        let file = match &mut state.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile().map_err(|error| failed("made", &error))?),
        };
        let written = file.seek(SeekFrom::Start(start)).and_then(|_| file.write_all(bytes));
        written.map_err(|error| failed("written", &error))?;
        state.end += bytes.len() as u64;
        Ok(Extent { start, length: bytes.len() as u64 })
    }

    /// Reads bytes behind those that `into` has.
    ///
    /// # Errors
    /// The bytes are not there.
    pub(crate) fn read(&self, extent: Extent, into: &mut Vec<u8>) -> Result<(), Problem> {
        let mut state = self.lock();
        let Some(file) = &mut state.file else { return Err(super::codec::damaged()) };
        let read = file.seek(SeekFrom::Start(extent.start)).and_then(|_| file.take(extent.length).read_to_end(into));
        match read {
            Ok(read) if read as u64 == extent.length => Ok(()),
            Ok(_) => Err(super::codec::damaged()),
            Err(error) => Err(failed("read", &error)),
        }
    }
}
