//! `arrow`: the IPC stream format, which polars, pyarrow and duckdb read from a pipe.

use crate::sink::Sink;
use crate::{Encoder, Error};
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::ipc::writer::StreamWriter;
use std::io::Write;

pub(crate) struct ArrowStream {
    writer: StreamWriter<Sink>,
    rows: u64,
}

impl ArrowStream {
    pub(crate) fn new(schema: &Schema, sink: Sink) -> Result<Self, Error> {
        Ok(Self { writer: StreamWriter::try_new(sink, schema)?, rows: 0 })
    }
}

impl Encoder for ArrowStream {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.writer.write(batch)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<u64, Error> {
        self.writer.finish()?;
        self.writer.get_mut().flush()?;
        Ok(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{awkward, bytes};
    use crate::{EncodeOptions, Format};
    use arrow::array::RecordBatch;
    use arrow::ipc::reader::StreamReader;

    #[test]
    fn what_goes_in_comes_out() {
        let batches = [awkward(), awkward().slice(1, 1)];
        let bytes = bytes(Format::Arrow, &EncodeOptions::default(), awkward().schema(), &batches);
        let read: Vec<RecordBatch> =
            StreamReader::try_new(bytes.as_slice(), None).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(read, batches);
    }

    #[test]
    fn empty_results_keep_their_schema() {
        let bytes = bytes(Format::Arrow, &EncodeOptions::default(), awkward().schema(), &[]);
        let reader = StreamReader::try_new(bytes.as_slice(), None).unwrap();
        assert_eq!(reader.schema(), awkward().schema());
        assert_eq!(reader.count(), 0);
    }
}
