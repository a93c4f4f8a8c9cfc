//! The text of a query: from the command line, a file or stdin.

use crate::args::TextArgs;
use crate::failure::Failure;
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::DataType;
use lakeql_engine::Session;
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::source::Source;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Reads the text that the arguments name, from the lake if it is a saved one.
pub(crate) async fn of_session(args: &TextArgs, session: &Session) -> Result<Source, Failure> {
    let Some(name) = &args.saved else { return read(args) };
    let saved = session.saved_query(name).await?;
    if saved.language != args.lang {
        let message = format!("the saved query {name} is in the language {}", saved.language);
        return Err(Failure::of(
            Diagnostic::error(Kind::Semantic, message).hint(format!("ask it with --lang {}", saved.language)),
        ));
    }
    Ok(Source { name: name.clone(), text: saved.text })
}

/// Reads the text that the arguments name.
pub(crate) fn read(args: &TextArgs) -> Result<Source, Failure> {
    if args.saved.is_some() {
        return Err(Failure::Usage("--saved is for `query` and `explain`".into()));
    }
    match (&args.file, args.text.as_deref()) {
        (Some(path), _) => from_path(path),
        (None, Some("-")) => from_path(Path::new("-")),
        (None, Some(text)) => Ok(Source::query(text)),
        (None, None) => Err(Failure::Usage("give a query, -f FILE, or - to read it from stdin".into())),
    }
}

/// The texts of the first column, one a line.
pub(crate) fn lines_of(batch: &RecordBatch) -> Result<String, Failure> {
    let mut lines = String::new();
    if let Some(column) = batch.columns().first() {
        let texts = arrow::compute::cast(column, &DataType::Utf8)?;
        for text in texts.as_string::<i32>().iter().flatten() {
            lines.push_str(text);
            lines.push('\n');
        }
    }
    Ok(lines)
}

/// Reads a file, or stdin for `-`.
pub(crate) fn from_path(path: &Path) -> Result<Source, Failure> {
    if path == Path::new("-") {
        return from_reader(std::io::stdin().lock(), "<stdin>", path);
    }
    let file = File::open(path).map_err(|error| Failure::file("read", path, &error))?;
    from_reader(file, &path.to_string_lossy(), path)
}

fn from_reader(reader: impl Read, name: &str, path: &Path) -> Result<Source, Failure> {
    let mut bytes = Vec::new();
    // One byte more than allowed is enough to be refused.
    let most = Source::MAX_BYTES as u64 + 1;
    reader.take(most).read_to_end(&mut bytes).map_err(|error| Failure::file("read", path, &error))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source { name: name.into(), text }),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            Err(Failure::new(Kind::Syntax, format!("{name} is not UTF-8 text: the byte at {at} is wrong")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Source, Failure> {
        from_reader(bytes, "q", Path::new("q"))
    }

    #[test]
    fn text_is_taken_as_it_is() {
        assert_eq!(read(" run.a\n".as_bytes()).unwrap().text, " run.a\n");
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let Err(Failure::Wrong { found, .. }) = read(b"run.\xff") else { panic!("accepted") };
        assert_eq!(found[0].message, "q is not UTF-8 text: the byte at 4 is wrong");
    }

    #[test]
    fn too_long_texts_are_read_just_far_enough_to_be_refused() {
        let text = read(&vec![b' '; Source::MAX_BYTES + 1000]).unwrap().text;
        assert_eq!(text.len(), Source::MAX_BYTES + 1);
    }
}
