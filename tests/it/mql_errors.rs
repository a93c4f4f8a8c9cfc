//! What wrong MQL is told. The snapshots in `tests/errors/mql` are read by people: the caret has to be under the offending
//! piece, and the message has to help.

use crate::gold::mql::catalogue;
use crate::support::{assert_told, told};
use lakeql::source::Source;
use lakeql::{Settings, Shape};

/// Name of the snapshot, text.
fn wrong() -> Vec<(&'static str, String)> {
    let mql = |name, text: &str| (name, text.to_owned());
    vec![
        // Other languages' habits.
        mql("sql_select", "select * from files where core.runs = 5"),
        mql("sql_not_equal", "files where core.event_count <> 5"),
        mql("sql_is_null", "files where core.event_count is null"),
        mql("sql_between", "files where core.event_count between 1 and 5"),
        mql("upper_case_and", "files where core.event_count = 5 AND core.data_tier = raw"),
        mql("c_and", "files where core.event_count = 5 && core.data_tier = raw"),
        mql("sam_with", "files with core.data_tier = raw"),
        mql("semicolon", "files where core.event_count = 5;"),
        // Quoting.
        mql("text_not_closed", "files where core.data_tier = \"raw and core.runs = 5"),
        mql("curly_quotes", "files where core.data_tier = “raw”"),
        mql("time_without_quotes", "files where created_timestamp > 2024-01-15T10:00:00"),
        mql("letter", "files where größe.x = 5"),
        mql("key_with_dash", "files where core.data-tier = raw"),
        // Parts that are missing or too many.
        mql("empty", ""),
        mql("no_condition", "files where"),
        mql("no_value", "files where core.event_count ="),
        mql("no_operator", "files where core.event_count 5"),
        mql("nothing_after_and", "files where core.event_count = 5 and"),
        mql("nothing_after_from", "files from"),
        mql("bracket_not_closed", "files where (core.event_count = 5 and (core.data_tier = raw)"),
        mql("bracket_too_many", "files where core.event_count = 5)"),
        mql("crossed_brackets", "union(files from s:A, files from s:B]"),
        mql("two_queries", "files from s:A files from s:B"),
        mql("several_lines", "files from s:A\n  where s.n > 3\n    and and s.even = true"),
        mql("behind_wide_characters", "files where text.u = \"żółw 🐢\" && s.n = 5"),
        // Names.
        mql("dataset_without_namespace", "files from A"),
        mql("file_without_namespace", "files a.root"),
        mql("saved_unknown", "files selected by s:nosuch"),
        mql("attribute_of_dataset", "datasets matching s:* where size > 5"),
        mql("attribute_unknown", "files where parents = 5"),
        mql("filter_unknown", "filter samples(0.5)(files from s:A)"),
        mql("filter_without_fraction", "filter sample()(files from s:A)"),
        mql("filter_parameter", "filter stride(n=2, every=3)(files from s:A)"),
        mql("filter_of_two", "filter sample(0.5)(files from s:A, files from s:B)"),
        mql("mix_of_datasets", "union(files from s:A, datasets matching s:*)"),
        mql("parents_of_datasets", "parents(datasets matching s:*)"),
        // Values.
        mql("limit_negative", "files from s:A limit -1"),
        mql("limit_text", "files from s:A limit ten"),
        mql("set_empty", "files where s.n in ()"),
        mql("range_of_types", "files where s.n in 1:\"five\""),
        mql("pattern_number", "files where s.n ~ 5"),
        mql("date_wrong", "files where created_timestamp > date(\"2024-13-01\")"),
        mql("date_of_text", "files where created_timestamp > datetime(\"yesterday\")"),
        mql("attribute_type", "files where size = true"),
        mql("attribute_subscript", "files where size[any] = 5"),
        mql("subscript", "files where s.n[some] = 5"),
        mql("len_of_attribute", "files where len(name) > 5"),
        // Patterns.
        mql("regex_not_closed", "files where text.u ~ \"(unclosed\""),
        mql("regex_back_reference", "files where text.u ~ \"(a)\\\\1\""),
        mql("regex_repeats", "files where text.u ~ \"a{1000}{1000}\""),
        mql("regex_of_datasets", "files from matching regexp s:\"[\""),
        // Limits.
        mql("too_deep", &format!("files where {}s.n = 1{}", "(".repeat(5_000), ")".repeat(5_000))),
        mql("too_deep_sets", &format!("{}files{}", "(".repeat(5_000), ")".repeat(5_000))),
        mql("too_deep_not", &format!("files where {}s.n = 1", "!".repeat(5_000))),
        mql("too_long", &"files a:b, ".repeat(1_000_000)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_queries() {
    let session = catalogue().await;
    for (name, text) in wrong() {
        let source = Source::query(text.as_str());
        let answer = session.query(&source, "mql", &Settings::default(), &Shape::default()).await;
        assert_told("mql", name, &told(name, &source, answer));
    }
}
