//! `csv`: RFC 4180 with a header, quotes where they are needed.

use crate::cells;
use crate::sink::Sink;
use crate::{Encoder, Error};
use arrow::array::RecordBatch;
use arrow::csv::{Writer, WriterBuilder};
use arrow::datatypes::{Schema, SchemaRef};

pub(crate) struct Csv {
    writer: Writer<Sink>,
    flat: SchemaRef,
    rows: u64,
    started: bool,
}

impl Csv {
    pub(crate) fn new(schema: &Schema, sink: Sink) -> Self {
        let writer = WriterBuilder::new().with_header(true).build(sink);
        Self { writer, flat: cells::flat_schema(schema), rows: 0, started: false }
    }
}

impl Encoder for Csv {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.started = true;
        self.writer.write(&cells::flatten(batch, &self.flat)?)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<u64, Error> {
        if !self.started {
            // The header comes with the first batch, so there has to be one.
            self.writer.write(&RecordBatch::new_empty(self.flat.clone()))?;
        }
        Ok(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use crate::Format;
    use crate::testing::{awkward, batch, encode, encode_empty, floats, ints, json_column, lists, text, times};

    #[test]
    fn empty_results_keep_their_header() {
        assert_eq!(encode_empty(Format::Csv, &awkward().schema()), "text,n,x,list,time\n");
        assert_eq!(encode(Format::Csv, &[awkward().slice(0, 0)]), "text,n,x,list,time\n");
    }

    #[test]
    fn the_header_comes_once() {
        let one = batch(vec![("n", ints(&[Some(1)]))]);
        assert_eq!(encode(Format::Csv, &[one.clone(), one]), "n\n1\n1\n");
    }

    #[test]
    fn special_characters_are_quoted() {
        let column = text(&[Some("a,b"), Some("say \"hi\""), Some("two\nlines"), Some("plain 漢字")]);
        assert_eq!(
            encode(Format::Csv, &[batch(vec![("a,b", column.clone()), ("c", column)])]),
            "\"a,b\",c\n\"a,b\",\"a,b\"\n\"say \"\"hi\"\"\",\"say \"\"hi\"\"\"\n\"two\nlines\",\"two\nlines\"\nplain 漢字,plain 漢字\n"
        );
    }

    #[test]
    fn lists_are_json_text_and_nulls_are_empty() {
        let columns = vec![
            ("l", lists(&[Some(vec![Some(1), None]), None, Some(vec![])])),
            ("x", floats(&[Some(0.5), None, Some(f64::NAN)])),
            ("t", times(&[Some(0), None, None])),
        ];
        assert_eq!(
            encode(Format::Csv, &[batch(columns)]),
            "l,x,t\n\"[1,null]\",0.5,1970-01-01T00:00:00Z\n,,\n[],NaN,\n"
        );
    }

    #[test]
    fn json_text_stays_text() {
        assert_eq!(encode(Format::Csv, &[json_column("c", &[Some("{\"a\":1}")])]), "c\n\"{\"\"a\"\":1}\"\n");
    }
}
