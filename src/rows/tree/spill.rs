//! Parts of a tree on their way to a file and back.

use super::Attachment;
use super::merge::{Finished, Nodes, Run, Visit};
use super::plan::AttachColumn;
use crate::error::Problem;
use crate::sketch::{In, Out};
use std::io::{Read, Write};
use std::sync::Arc;

/// Longest record: what is longer is damage.
const MOST_BYTES: usize = 1 << 30;

fn failed(error: &std::io::Error) -> Problem {
    Problem::other(format!("a temporary file cannot be used: {error}"))
}

/// Writes the nodes of a run, in its order.
///
/// # Errors
/// The run or the file fails.
pub fn spill(run: &mut dyn Run, columns: &Arc<[AttachColumn]>, out: &mut dyn Write) -> Result<(), Problem> {
    let (mut visit, mut record, mut state, mut head) =
        (Visit::new(columns), Out::default(), Out::default(), Out::default());
    while run.depth() > 0 {
        record.clear();
        record.count(run.depth());
        record.text(run.name());
        visit.clear();
        run.take(&mut visit)?;
        record.int(visit.hits());
        record.count(visit.attachments().len());
        for (column, attachment) in visit.attachments() {
            record.count(*column);
            state.clear();
            attachment.write(&mut state);
            record.bytes(state.as_slice());
        }
        head.clear();
        head.count(record.as_slice().len());
        out.write_all(head.as_slice())
            .and_then(|()| out.write_all(record.as_slice()))
            .map_err(|error| failed(&error))?;
    }
    out.flush().map_err(|error| failed(&error))
}

/// Nodes that [`spill`] has written.
pub struct Spilled<R> {
    from: R,
    columns: Arc<[AttachColumn]>,
    record: Vec<u8>,
    depth: usize,
    name: String,
    /// Where the record goes on behind the name.
    rest: usize,
}

impl<R: Read> Spilled<R> {
    /// Starts to read.
    ///
    /// # Errors
    /// The file fails.
    pub fn new(from: R, columns: &Arc<[AttachColumn]>) -> Result<Self, Problem> {
        let mut spilled =
            Self { from, columns: Arc::clone(columns), record: vec![], depth: 0, name: String::new(), rest: 0 };
        spilled.advance()?;
        Ok(spilled)
    }

    fn advance(&mut self) -> Result<(), Problem> {
        self.depth = 0;
        let mut length = 0_usize;
        for shift in (0..).step_by(7) {
            let mut byte = [0];
            match self.from.read(&mut byte).map_err(|error| failed(&error))? {
                0 if shift == 0 => return Ok(()),
                0 => return Err(damaged()),
                _ => {}
            }
            length |= usize::from(byte[0] & 0x7f).checked_shl(shift).ok_or_else(damaged)?;
            if byte[0] & 0x80 == 0 {
                break;
            }
        }
        if length > MOST_BYTES {
            return Err(damaged());
        }
        self.record.resize(length, 0);
        self.from.read_exact(&mut self.record).map_err(|error| failed(&error))?;
        let mut record = In::new(&self.record);
        self.depth = record.size().ok_or_else(damaged)?;
        self.name.clear();
        self.name.push_str(record.text().ok_or_else(damaged)?);
        self.rest = self.record.len() - record.left();
        Ok(())
    }

    fn read(&self, into: &mut Visit) -> Option<Result<(), Problem>> {
        let mut record = In::new(self.record.get(self.rest..)?);
        into.add_hits(record.int()?);
        for _ in 0..record.count()? {
            let column = record.size()?;
            let spec = &self.columns.get(column)?.spec;
            let attachment = Attachment::read(spec, record.bytes()?)?;
            if let Err(problem) = into.attach(column, attachment) {
                return Some(Err(problem));
            }
        }
        Some(Ok(()))
    }
}

fn damaged() -> Problem {
    Problem::other("a temporary file is damaged")
}

impl<R: Read> Run for Spilled<R> {
    fn depth(&self) -> usize {
        self.depth
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn take(&mut self, into: &mut Visit) -> Result<(), Problem> {
        self.read(into).unwrap_or_else(|| Err(damaged()))?;
        self.advance()
    }
}

/// Nodes become a tree in memory.
#[derive(Default)]
pub struct InMemory(super::MemoryTree, Vec<AttachColumn>);

impl InMemory {
    /// A tree with these attachments.
    pub fn new(columns: &[AttachColumn]) -> Self {
        Self(super::MemoryTree::default(), columns.to_vec())
    }

    /// The tree.
    pub fn done(self) -> super::MemoryTree {
        self.0
    }
}

impl Nodes for InMemory {
    fn node(&mut self, node: &Finished<'_>) -> Result<(), Problem> {
        let mut at = 0;
        for name in node.path {
            at = self.0.child_or_new(at, name);
        }
        self.0.set_hits(at, node.visit.hits());
        if let Some(attachments) = self.0.attachments_mut(at) {
            for (column, attachment) in node.visit.attachments() {
                if let Some(column) = self.1.get(*column) {
                    attachments.insert(column.name.clone(), attachment.clone());
                }
            }
        }
        Ok(())
    }
}
