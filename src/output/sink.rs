//! Where the bytes go, and noticing when nobody reads them any more.
//!
//! The writers of arrow and parquet turn IO errors into texts, each in its own way, so the sink itself remembers that the
//! pipe broke.

use crate::{Encoder, Error};
use arrow::array::RecordBatch;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the pipe broke; shared by a sink and the encoder that writes to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipe(Arc<AtomicBool>);

impl Pipe {
    /// The error, or [`Error::BrokenPipe`] when that is behind it.
    pub(crate) fn explain(&self, error: Error) -> Error {
        if self.0.load(Ordering::Relaxed) { Error::BrokenPipe } else { error }
    }

    fn watch<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
            self.0.store(true, Ordering::Relaxed);
        }
        result
    }
}

/// A buffered writer that notices broken pipes.
pub(crate) struct Sink(BufWriter<Watched>);

struct Watched {
    inner: Box<dyn Write + Send>,
    pipe: Pipe,
}

impl Sink {
    pub(crate) fn new(inner: Box<dyn Write + Send>) -> (Self, Pipe) {
        let pipe = Pipe::default();
        (Self(BufWriter::with_capacity(64 << 10, Watched { inner, pipe: pipe.clone() })), pipe)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pipe.watch(self.inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pipe.watch(self.inner.flush())
    }
}

/// An encoder whose errors say [`Error::BrokenPipe`] when that is what happened.
pub(crate) struct PipeAware {
    pub(crate) inner: Box<dyn Encoder>,
    pub(crate) pipe: Pipe,
}

impl Encoder for PipeAware {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.inner.write(batch).map_err(|error| self.pipe.explain(error))
    }

    fn finish(self: Box<Self>) -> Result<u64, Error> {
        let Self { inner, pipe } = *self;
        inner.finish().map_err(|error| pipe.explain(error))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{batch, text};
    use crate::{EncodeOptions, Error, Format, encoder};
    use std::io::{self, ErrorKind, Write};

    struct Closed(ErrorKind);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    fn written_to_closed(format: Format, kind: ErrorKind) -> Error {
        let batch = batch(vec![("a", text(&[Some("x")]))]);
        let mut encoder = match encoder(format, batch.schema(), &EncodeOptions::default(), Box::new(Closed(kind))) {
            Ok(encoder) => encoder,
            Err(error) => return error,
        };
        encoder.write(&batch).and_then(|()| encoder.finish()).unwrap_err()
    }

    #[test]
    fn every_format_recognises_a_broken_pipe() {
        for format in Format::ALL {
            let error = written_to_closed(format, ErrorKind::BrokenPipe);
            assert!(matches!(error, Error::BrokenPipe), "{format}: {error:?}");
        }
    }

    #[test]
    fn other_failures_are_not_hidden() {
        for format in Format::ALL {
            let error = written_to_closed(format, ErrorKind::StorageFull);
            assert!(!matches!(error, Error::BrokenPipe), "{format}: {error:?}");
        }
    }
}
