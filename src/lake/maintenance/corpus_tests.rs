//! A lake that was imported in pieces and compacted is the lake that was imported at once.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::concat_batches;
use arrow::datatypes::Int64Type;
use object_store::memory::InMemory;

use crate::catalog::lake::Lake;
use crate::catalog::tables::Table;
use crate::catalog::testing::{latest, rows};
use crate::ingest::ImportOptions;
use crate::ingest::aim::import_aim;
use crate::storage::segment::ordinal_index;

async fn import(lake: &Lake, lines: &[String]) {
    let mut file = tempfile::NamedTempFile::with_suffix(".jsonl").unwrap();
    file.write_all(lines.join("\n").as_bytes()).unwrap();
    import_aim(lake, &[file.path().to_owned()], &ImportOptions::default(), &|_| {}).await.unwrap();
}

/// The columns of the only file of a table, ordinals without their segment; columns that are null throughout and those
/// that tell one import from another are left out.
async fn columns(lake: &Lake, table: Table) -> BTreeMap<String, ArrayRef> {
    let snapshot = latest(lake).await;
    assert_eq!(snapshot.table(table).files.len(), 1, "{table}");
    let batches = rows(&snapshot, table).await;
    let batch = concat_batches(&batches[0].schema(), &batches).unwrap();
    let mut columns = BTreeMap::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let name = field.name().as_str();
        if name == "imported_at" || name == "example" || column.null_count() == column.len() {
            continue;
        }
        let column = match name {
            "run" | "series" => {
                let indices = column.as_primitive::<Int64Type>().values().iter();
                Arc::new(Int64Array::from_iter_values(indices.map(|it| i64::from(ordinal_index(*it))))) as ArrayRef
            }
            _ => Arc::clone(column),
        };
        columns.insert(name.to_owned(), column);
    }
    columns
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_become_the_whole() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/gold/aimql/dataset.jsonl");
    let text = std::fs::read_to_string(corpus).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let new = || async { Lake::with_store(Arc::new(InMemory::new()), "lake".into()).await.unwrap() };
    let whole = new().await;
    import(&whole, &lines).await;

    let pieces = new().await;
    // Runs next to each other in time come into different segments.
    for start in 0..7 {
        let piece: Vec<String> = lines.iter().skip(start).step_by(7).cloned().collect();
        import(&pieces, &piece).await;
        // What came before is replaced, and then replaced again by what it was.
        let changed: Vec<String> =
            piece.iter().take(2).map(|line| line.replacen("\"params\": {", "\"params\": {\"zz\": 1, ", 1)).collect();
        assert_ne!(changed, piece[..2]);
        import(&pieces, &changed).await;
        import(&pieces, &piece).await;
    }
    let before = latest(&pieces).await;
    assert!(before.has_dead_runs());
    let counts = |snapshot: &crate::Snapshot| -> Vec<_> {
        let entries = snapshot.paths().entries().iter();
        entries.map(|entry| (entry.owner, entry.path.clone(), entry.kind.clone(), entry.count)).collect()
    };
    assert_eq!(counts(&before), counts(&*latest(&whole).await));
    pieces.compact().await.unwrap();
    for table in Table::ALL {
        let (left, right) = (columns(&whole, table).await, columns(&pieces, table).await);
        assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>(), "{table}");
        for (name, column) in &left {
            assert_eq!(column, &right[name], "{table}.{name}");
        }
    }
}
