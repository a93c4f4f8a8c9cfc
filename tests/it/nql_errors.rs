//! What wrong NQL is told. The snapshots in `tests/errors/nql` are read by people: the caret has to be under the offending
//! piece, and the message has to help.

use crate::gold::nql::neutral;
use crate::support::{assert_told, told};
use lakeql::source::Source;
use lakeql::{Settings, Shape};

/// Name of the snapshot, language, text.
fn wrong() -> Vec<(&'static str, &'static str, String)> {
    let legacy = |name, text: &str| (name, "nql-legacy", text.to_owned());
    let typed = |name, text: &str| (name, "nql-typed", text.to_owned());
    let nql = |name, text: &str| (name, "nql", text.to_owned());
    vec![
        // Other languages' habits.
        nql("single_quotes", "owner = 'Fred'"),
        nql("single_quotes_open", "owner = 'Fred"),
        nql("curly_quotes", "owner = “Fred”"),
        nql("c_and", "owner = Fred && state = failed"),
        nql("c_or", "owner = Fred || state = failed"),
        nql("c_not", "!owner = Fred"),
        nql("sql_select", "SELECT * FROM experiments WHERE Precision > 0.9;"),
        nql("sql_not_equal", "owner <> Fred"),
        nql("sql_in", "id IN (SAN-1, SAN-2)"),
        nql("sql_in_tags", "tags IN (a, b)"),
        nql("sql_like", "name LIKE \"exp%\""),
        nql("sql_is_null", "hostname IS NULL"),
        nql("sql_between", "size BETWEEN 1 AND 2"),
        nql("semicolon", "owner = Fred;"),
        nql("triple_equals", "owner === Fred"),
        // Quoting.
        nql("size_with_blank", "size = 35 kb"),
        nql("value_with_blanks", "name = my first experiment"),
        nql("name_with_blank", "my param = 7"),
        nql("keyword_as_value", "verb = contains"),
        nql("keyword_as_field", "AND = some_string"),
        nql("value_in_back_quotes", "owner = `Fred`"),
        nql("field_in_double_quotes", "\"owner\" = Fred"),
        nql("lone_backslash", "windows_path = \"tmp\\dir\""),
        nql("backslash_at_the_end", "windows_path = \"tmp\\\""),
        nql("text_not_closed", "name = \"my first experiment AND owner = Fred"),
        nql("name_not_closed", "`my param = 7"),
        nql("empty_name", "`` = 7"),
        legacy("slash", "train_data_path = data/train.csv"),
        nql("letter", "größe = 4"),
        nql("no_break_space", "owner\u{a0}= Fred"),
        typed("colon_in_value", "`train/end`:datetime > 2024-02-06T05:00:00Z"),
        // Parts that are missing or too many.
        nql("field_alone", "Precision"),
        nql("no_field", "> 0.9"),
        nql("no_value", "Precision >"),
        nql("nothing_after_and", "Precision > 0.9 AND"),
        nql("two_conditions", "owner = Fred alice = 1"),
        nql("bracket_not_closed", "(owner = Fred AND (state = failed)"),
        nql("bracket_too_many", "owner = Fred)"),
        nql("value_in_brackets", "owner = (Fred)"),
        nql("infix_not", "owner NOT = Fred"),
        nql("several_lines", "owner = Fred\n  AND Precision > > 0.9\n  AND state = failed"),
        nql("behind_wide_characters", "name = \"żółw 🐢\" && owner = Fred"),
        // Types.
        legacy("type_in_legacy", "`scores/f1`:float > 0.5"),
        legacy("function_in_legacy", "last(Precision) > 0.5"),
        legacy("pattern_in_legacy", "name MATCHES \"exp\""),
        typed("type_in_other_case", "`scores/f1`:Float >= 0.5"),
        typed("type_of_others", "`scores/f1`:double >= 0.5"),
        typed("type_with_underscore", "`test/acc`:float_series >= 0.5"),
        typed("type_unknown", "`scores/f1`:banana >= 0.5"),
        typed("type_in_quotes", "`scores/f1`:`float` >= 0.5"),
        typed("operator_of_set", "`sys/tags`:stringSet MATCHES \"te.t\""),
        typed("operator_of_float", "`scores/f1`:float CONTAINS 5"),
        typed("operator_of_file", "`model/weights`:file = x"),
        typed("value_of_float", "`scores/f1`:float > high"),
        typed("value_of_bool", "`sys/failed`:bool = yes"),
        typed("value_of_datetime", "`train/end`:datetime > \"2024-13-01\""),
        typed("state_failed", "`sys/state`:experimentState = failed"),
        typed("several_types", "batch_size > 20"),
        typed("type_from_the_data", "`scores/f1` CONTAINS 5"),
        typed("function_of_value", "last(`scores/f1`) > 0"),
        typed("function_unknown", "avarage(`test/acc`) > 0"),
        typed("function_in_function", "last(max(`test/acc`)) > 0"),
        legacy("state_unknown", "state = finished"),
        legacy("state_contains", "state contains run"),
        legacy("size_unit", "size > 100b"),
        legacy("tags_equal", "tags = test"),
        // Patterns.
        typed("regex_not_closed", "`model/arch`:string MATCHES \"(unclosed\""),
        typed("regex_look_ahead", "`model/arch`:string MATCHES \"(?=vgg)\""),
        typed("regex_back_reference", "`model/arch`:string =~ \"(a)\\\\1\""),
        typed("regex_repeats", "`model/arch`:string =~ \"a{1001}\""),
        // Limits.
        nql("too_deep", &format!("{}a = 1{}", "(".repeat(300), ")".repeat(300))),
        nql("too_long", &"a = 1 OR ".repeat(200_000)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_queries() {
    let session = neutral().await;
    for (name, lang, text) in wrong() {
        let source = Source::query(text.as_str());
        let answer = session.query(&source, lang, &Settings::default(), &Shape::default()).await;
        assert_told("nql", name, &told(name, &source, answer));
    }
}
