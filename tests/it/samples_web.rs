//! Samples in files at URLs: imported, drawn and read back, by ranges.

use crate::program::{Place, json_lines};
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::WriterProperties;
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Serves the files of a folder, whole or in ranges, and counts the bytes.
fn serve(folder: PathBuf) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = Arc::<AtomicU64>::default();
    let counted = Arc::clone(&served);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let (folder, served) = (folder.clone(), Arc::clone(&counted));
            std::thread::spawn(move || answer(connection, &folder, &served));
        }
    });
    (format!("http://{address}"), served)
}

/// Answers the requests of one connection until it is closed.
fn answer(connection: TcpStream, folder: &Path, served: &AtomicU64) -> std::io::Result<()> {
    let mut out = connection.try_clone()?;
    let mut lines = BufReader::new(connection).lines();
    while let Some(request) = lines.next().transpose()? {
        let mut range = None;
        for line in lines.by_ref() {
            let line = line?.to_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(found) = line.strip_prefix("range: bytes=") {
                let (start, end) = found.split_once('-').unwrap();
                range = Some((start.parse::<u64>().unwrap(), end.parse::<u64>().unwrap()));
            }
        }
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let Ok(mut file) = std::fs::File::open(folder.join(path.trim_start_matches('/'))) else {
            write!(out, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?;
            continue;
        };
        let size = file.metadata()?.len();
        let (status, start, end) = match range {
            Some((start, end)) => ("206 Partial Content", start, (end + 1).min(size)),
            None => ("200 OK", 0, size),
        };
        write!(out, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nAccept-Ranges: bytes\r\n", end - start)?;
        write!(out, "Last-Modified: Tue, 01 Oct 2024 00:00:00 GMT\r\n")?;
        if range.is_some() {
            write!(out, "Content-Range: bytes {start}-{}/{size}\r\n", end - 1)?;
        }
        write!(out, "\r\n")?;
        if method != "HEAD" {
            file.seek(SeekFrom::Start(start))?;
            served.fetch_add(std::io::copy(&mut file.take(end - start), &mut out)?, Ordering::Relaxed);
        }
    }
    Ok(())
}

#[test]
fn lines_are_read_from_the_web() {
    let place = Place::new();
    std::fs::create_dir(place.path("web")).unwrap();
    let line = |number: usize| json!({"language": if number < 700 { "en" } else { "de" }, "text": "x".repeat(number)});
    let lines: String = (0..1_000).map(|number| format!("{}\n", line(number))).collect();
    place.write("web/a.jsonl", &lines);
    let (url, _) = serve(place.path("web"));
    let file = format!("{url}/a.jsonl");
    place.write("schema.json", r#"[{"name": "language", "dtype": "string"}]"#);
    place.ok(["import", "samples", &file, "--collection", "c", "--dataset", "web", "--schema", "schema.json"]);
    let german = json_lines(&place.ok(["query", "--lang", "mixtera", "select(('language','==','de'))"]));
    assert_eq!(german, [json!({"dataset": "web", "file": "a.jsonl", "start": 700, "end": 1_000})]);
    place.write("rows.jsonl", json!({"dataset": "web", "file": "a.jsonl", "start": 998, "end": 1_000}).to_string());
    assert_eq!(json_lines(&place.ok(["read-chunk", "rows.jsonl"])), [line(998), line(999)]);
    // What has changed there is found out.
    place.write("web/a.jsonl", lines.replace("xxx", "xyx"));
    let said = place.fails(["read-chunk", "rows.jsonl"]);
    assert!(said.contains("has changed since it was imported") && said.contains(&file), "{said}");
    std::fs::remove_file(place.path("web/a.jsonl")).unwrap();
    assert!(place.fails(["read-chunk", "rows.jsonl"]).contains("is not there any more"));
    let import = |file: &str| place.fails(["import", "samples", file, "--collection", "d", "--schema", "schema.json"]);
    assert!(import(&file).contains("there is no such file"));
    assert!(import("https://127.0.0.1:1/a.jsonl").contains("cannot be read"));
}

#[test]
fn of_tables_only_properties_are_read() {
    let place = Place::new();
    std::fs::create_dir(place.path("web")).unwrap();
    const ROWS: usize = 20_000;
    let languages: ArrayRef = Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| ["en", "de"][row / 15_000])));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| format!("{row:0200}"))));
    let batch = RecordBatch::try_from_iter([("language", languages), ("text", texts)]).unwrap();
    let options = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(Some(5_000));
    let file = std::fs::File::create(place.path("web/a.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(options.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let (url, served) = serve(place.path("web"));
    let file = format!("{url}/a.parquet");
    place.write("schema.json", r#"[{"name": "language", "dtype": "string"}]"#);
    place.ok(["import", "samples", &file, "--collection", "c", "--dataset", "web", "--schema", "schema.json"]);
    let read = served.swap(0, Ordering::Relaxed);
    assert!((1..1_000_000).contains(&read), "{read} bytes of a file with four million bytes of text");
    let german = json_lines(&place.ok(["query", "--lang", "mixtera", "select(('language','==','de'))"]));
    assert_eq!(german, [json!({"dataset": "web", "file": "a.parquet", "start": 15_000, "end": 20_000})]);
    let wanted = json!({"dataset": "web", "file": "a.parquet", "start": 19_999, "end": 20_000});
    place.write("rows.jsonl", wanted.to_string());
    let sample = json!({"language": "de", "text": format!("{:0200}", 19_999)});
    assert_eq!(json_lines(&place.ok(["read-chunk", "rows.jsonl"])), [sample]);
    let read = served.load(Ordering::Relaxed);
    assert!((1..2_000_000).contains(&read), "{read} bytes for one row group of four");
}
