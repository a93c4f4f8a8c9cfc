//! `parquet`: one file, compressed with zstd.

use crate::sink::Sink;
use crate::{Encoder, Error};
use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::file::properties::WriterProperties;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use std::io::Write;

pub(crate) struct ParquetFile {
    writer: ArrowWriter<Sink>,
    rows: u64,
}

impl ParquetFile {
    pub(crate) fn new(schema: SchemaRef, sink: Sink) -> Result<Self, Error> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_created_by(concat!("lakeql ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        Ok(Self { writer: ArrowWriter::try_new(sink, schema, Some(properties))?, rows: 0 })
    }
}

impl Encoder for ParquetFile {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.writer.write(batch)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<u64, Error> {
        self.writer.into_inner()?.flush()?;
        Ok(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{awkward, bytes};
    use crate::{EncodeOptions, Format};
    use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use arrow::array::RecordBatch;
    use arrow::datatypes::SchemaRef;
    use std::io::{Seek, Write};

    fn read(bytes: &[u8]) -> (SchemaRef, Vec<RecordBatch>) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let schema = builder.schema().clone();
        (schema, builder.build().unwrap().collect::<Result<_, _>>().unwrap())
    }

    #[test]
    fn what_goes_in_comes_out() {
        let bytes = bytes(Format::Parquet, &EncodeOptions::default(), awkward().schema(), &[awkward()]);
        let (schema, batches) = read(&bytes);
        assert_eq!(schema, awkward().schema());
        assert_eq!(batches, [awkward()]);
    }

    #[test]
    fn empty_results_keep_their_schema() {
        let (schema, batches) = read(&bytes(Format::Parquet, &EncodeOptions::default(), awkward().schema(), &[]));
        assert_eq!(schema, awkward().schema());
        assert!(batches.is_empty());
    }
}
