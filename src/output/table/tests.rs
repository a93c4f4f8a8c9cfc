use super::printable;
use crate::testing::{awkward, batch, encode, encode_empty, encode_with, floats, ints, json_column, lists, text};
use crate::{EncodeOptions, Format};
use arrow::datatypes::Schema;
use std::sync::Arc;

fn fitted(width: usize, batch: arrow::array::RecordBatch) -> String {
    let options = EncodeOptions { width: Some(width), ..Default::default() };
    encode_with(Format::Table, &options, batch.schema(), &[batch])
}

#[test]
fn numbers_are_on_the_right() {
    let rows = batch(vec![
        ("name", text(&[Some("a"), None])),
        ("loss", floats(&[Some(0.25), Some(12.5)])),
        ("n", ints(&[Some(1), None])),
    ]);
    assert_eq!(
        encode(Format::Table, &[rows]),
        "\
╭──────┬──────┬──────╮
│ name │ loss │    n │
╞══════╪══════╪══════╡
│ a    │ 0.25 │    1 │
│ null │ 12.5 │ null │
╰──────┴──────┴──────╯
(2 rows)
"
    );
}

#[test]
fn empty_results_keep_their_header() {
    assert_eq!(
        encode_empty(Format::Table, &batch(vec![("hash", text(&[]))]).schema()),
        "\
╭──────╮
│ hash │
╞══════╡
╰──────╯
(0 rows)
"
    );
    assert_eq!(encode_empty(Format::Table, &Arc::new(Schema::empty())), "(0 rows)\n");
}

#[test]
fn the_row_limit_counts_what_it_hides() {
    let options = EncodeOptions { max_rows: Some(2), ..Default::default() };
    let rows = batch(vec![("n", ints(&[Some(1), Some(2), Some(3)]))]);
    let shown = encode_with(Format::Table, &options, rows.schema(), &[rows.slice(0, 1), rows.clone()]);
    assert_eq!(
        shown,
        "\
╭───╮
│ n │
╞═══╡
│ 1 │
│ 1 │
╰───╯
… 2 more rows
(4 rows)
"
    );
}

#[test]
fn cells_are_cut_to_the_width() {
    let rows = batch(vec![("a", text(&[Some("a rather long sentence")])), ("b", ints(&[Some(1)]))]);
    assert_eq!(
        fitted(20, rows),
        "\
╭──────────────┬───╮
│ a            │ b │
╞══════════════╪═══╡
│ a rather lo… │ 1 │
╰──────────────┴───╯
(1 row)
"
    );
}

#[test]
fn wide_characters_are_counted_by_their_width() {
    let rows = batch(vec![("a", text(&[Some("漢字漢字漢字漢字漢字"), Some("🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀")]))]);
    let shown = fitted(16, rows);
    assert!(shown.contains("│ 漢字漢字漢…  │"), "{shown}");
}

#[test]
fn columns_that_do_not_fit_are_announced() {
    let columns = ["a", "b", "c", "d", "e"].map(|name| (name, text(&[Some("0123456789abcdef")])));
    let shown = fitted(40, batch(columns.to_vec()));
    assert!(shown.lines().all(|line| line.chars().count() <= 40), "{shown}");
    assert!(shown.contains("│ … │"), "{shown}");
    assert!(shown.ends_with("(1 row, 2 of 5 columns fit)\n"), "{shown}");
}

#[test]
fn nothing_in_a_cell_can_move_the_cursor() {
    assert_eq!(printable("a\nb\tc\r\u{1b}[31m\u{202e}", 100), "a\\nb\\tc\\r\\u{1b}[31m\\u{202e}");
    let shown = encode(Format::Table, &[awkward()]);
    assert_eq!(shown.lines().count(), 8, "{shown}");
    assert!(!shown.contains('\t'));
}

#[test]
fn huge_cells_are_cut_early() {
    let huge = "x".repeat(10 << 20);
    let shown = encode(Format::Table, &[batch(vec![("a", text(&[Some(&huge)]))])]);
    assert!(shown.len() < 100_000);
    assert!(shown.contains('…'));
}

#[test]
fn lists_and_json_are_text() {
    assert!(encode(Format::Table, &[batch(vec![("l", lists(&[Some(vec![Some(1), None])]))])]).contains("│ [1,null] │"));
    assert!(encode(Format::Table, &[json_column("c", &[Some("{\"a\":1}")])]).contains("│ {\"a\":1} │"));
}

#[test]
fn colour_is_bold_names_and_dim_nulls() {
    let options = EncodeOptions { colour: true, ..Default::default() };
    let rows = batch(vec![("n", ints(&[None]))]);
    let shown = encode_with(Format::Table, &options, rows.schema(), std::slice::from_ref(&rows));
    assert!(shown.contains("\u{1b}[1m") && shown.contains("\u{1b}[2m"), "{shown:?}");
    assert!(!encode(Format::Table, &[rows]).contains('\u{1b}'));
}
