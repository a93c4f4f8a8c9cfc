//! What wrong queries about samples are told. The snapshots in `tests/errors/mixtera` are read by people: the caret has to be
//! under the offending piece, and the message has to help.

use crate::gold::mixtera::corpus;
use crate::support::{assert_told, told};
use lakeql::source::Source;
use lakeql::{Settings, Shape};

/// Name of the snapshot, collection, text.
fn wrong() -> Vec<(&'static str, &'static str, String)> {
    let of = |name, text: &str| (name, "corpus", text.to_owned());
    vec![
        // Names.
        of("unknown_field", r#"select(("langauge", "==", "en"))"#),
        of("field_in_other_case", r#"select(("Language", "==", "en"))"#),
        of("field_far_off", r#"select(("colour", "==", "en"))"#),
        of("unknown_operation", r#"selct(("language", "==", "en"))"#),
        of("unknown_operation_in_chain", r#"select(("language", "==", "en")).unoin(select())"#),
        of("begins_with_union", "union(select())"),
        of("unknown_collection_operation", r#"{"slect": [["language", "==", "en"]]}"#),
        // Operators.
        of("single_equals", r#"select(("language", "=", "en"))"#),
        of("in_operator", r#"select(("language", "in", ["en", "de"]))"#),
        of("not_in_operator", r#"select(("language", "not in", ["en", "de"]))"#),
        of("like", r#"select(("language", "like", "e%"))"#),
        of("sql_not_equal", r#"select(("language", "<>", "en"))"#),
        of("operator_without_quotes", r#"select(("language", ==, "en"))"#),
        // Values.
        of("text_without_quotes", r#"select(("language", "==", en))"#),
        of("none_in_lower_case", r#"select(("license", "==", none))"#),
        of("null_in_python", r#"select(("license", "==", null))"#),
        of("none_in_json", r#"{"select": [["license", "==", None]]}"#),
        of("order_of_none", r#"select(("year", ">", None))"#),
        of("empty_list", r#"select(("language", "==", []))"#),
        of("tuple_of_values", r#"select(("language", "==", ("en", "de")))"#),
        of("list_in_list", r#"select(("language", "==", [["en"]]))"#),
        of("number_and_texts", r#"select(("year", ">", 2010))"#),
        of("order_of_list", r#"select(("topics", ">", "a"))"#),
        of("number_too_large", r#"select(("year", "==", 1e999))"#),
        of("bad_escape", r#"select(("language", "==", "\d"))"#),
        // Brackets and commas.
        of("condition_without_brackets", r#"select("language", "==", "en")"#),
        of("two_conditions", r#"select(("language", "==", "en"), ("year", "==", "2010"))"#),
        of("not_closed", r#"select(("language", "==", "en")"#),
        of("text_not_closed", r#"select(("language", "==", "en))"#),
        of("missing_comma", r#"select(("language" "==", "en"))"#),
        of("two_parts_only", r#"select(("language", "en"))"#),
        of("something_behind", r#"select(("language", "==", "en")) select()"#),
        of("curly_quotes", "select((“language”, \"==\", \"en\"))"),
        of("several_lines", "select([(\"language\", \"==\", \"en\"),\n        (\"year\", \">=\" \"2015\")])"),
        of("behind_wide_characters", "select([(\"license\", \"==\", \"żółw 🐢\"), (\"langauge\", \"==\", \"en\")])"),
        of("nothing", ""),
        of("python_call", r#"select(str("en"))"#),
        // JSON.
        of("union_of_one", r#"{"union": [{"select": []}]}"#),
        of("difference_of_three", r#"{"difference": [{"select": []}, {"select": []}, {"select": []}]}"#),
        of("mixture_in_query", r#"{"query": {"select": []}, "mixture": {}}"#),
        // Limits.
        of("too_deep", &format!("select(){}{}", ".union(select()".repeat(300), ")".repeat(300))),
        of("too_long", &"select().".repeat(200_000)),
        ("several_collections", "", "select()".to_owned()),
        ("unknown_collection", "corpse", "select()".to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_queries() {
    let session = corpus().await;
    for (name, collection, text) in wrong() {
        let source = Source::query(text.as_str());
        let collection = Some(collection.to_owned()).filter(|name| !name.is_empty());
        let settings = Settings { collection, ..Settings::default() };
        let answer = session.query(&source, "mixtera", &settings, &Shape::default()).await;
        assert_told("mixtera", name, &told(name, &source, answer));
    }
}
