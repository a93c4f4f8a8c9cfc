//! What wrong queries are told. The snapshots in `tests/errors/aimql` are read by people: the caret has to be under the
//! offending piece, and the message has to help.

use crate::support::{assert_told, lake_of, session, told};
use lakeql::source::Source;
use lakeql::{Session, Settings, Shape};

/// A wrong query and how it is asked.
struct Wrong {
    name: &'static str,
    lang: &'static str,
    text: String,
    entity: Option<&'static str>,
    shape: Shape,
}

fn wrong(name: &'static str, lang: &'static str, text: impl Into<String>) -> Wrong {
    Wrong { name, lang, text: text.into(), entity: None, shape: Shape::default() }
}

fn aim(name: &'static str, text: &str) -> Wrong {
    wrong(name, "aim", text)
}

fn select(name: &'static str, text: &str, columns: &[&str]) -> Wrong {
    let shape = Shape { select: columns.iter().map(|it| (*it).to_owned()).collect(), ..Shape::default() };
    Wrong { shape, ..aim(name, text) }
}

fn entity(name: &'static str, entity: &'static str, text: &str) -> Wrong {
    Wrong { entity: Some(entity), ..aim(name, text) }
}

fn all() -> Vec<Wrong> {
    vec![
        // Other languages' operators.
        aim("c_and", "run.learning_rate > 0.001 && run.batch_size == 32"),
        aim("c_or", "run.learning_rate > 0.001 || run.batch_size == 32"),
        aim("c_not", "!run.archived"),
        aim("single_equals", "run.batch_size = 32"),
        aim("triple_equals", "run.batch_size === 32"),
        aim("sql_not_equal", "run.batch_size <> 32"),
        aim("upper_case_and", "run.batch_size == 32 AND run.learning_rate > 0"),
        // Slips.
        aim("missing_quote", "run.name == 'Run: a32c910 and run.batch_size == 32"),
        aim("missing_bracket", "run.metrics['loss', {'subset': 'train'}.last > 3"),
        aim("extra_parenthesis", "(run.batch_size == 32))"),
        aim("nothing_after_and", "run.batch_size == 32 and"),
        aim("two_expressions", "run.batch_size run.learning_rate"),
        aim("comment", "run.batch_size == 32 # the small ones"),
        aim("several_lines", "run.batch_size == 32 and\nrun.learning_rate > > 0.001 and\nrun.archived"),
        aim("behind_wide_characters", "run.name == '日本語🚀' && run.batch_size == 32"),
        aim("statement", "import os"),
        aim("not_closed", "len([x for x in run.layers if x > 3] > 2"),
        aim("crossed_brackets", "any([x > 3 for x in run.layers)] == True"),
        aim("keyword_as_name", "run.class == 3"),
        aim("arrow_operator", "run.batch_size => 32"),
        aim("pattern_operator", "run.name =~ 'base.*'"),
        aim("like", "run.name LIKE 'base%'"),
        aim("missing_operator_in_brackets", "(run.batch_size 32) and run.archived"),
        aim("comment_of_several_lines", "run.batch_size == 32 # small\nand run.archived # or not"),
        aim("select_keyword", "select run if run.batch_size = 32"),
        // What is closed.
        aim("dunder", "run.__class__ == 1"),
        aim("underscore_name", "_private > 1"),
        aim("eval", "eval('1 + 1') == 2"),
        aim("several_closed", "run._a == 1 and run._b == 2"),
        entity("sequence_in_comprehension", "metric", "any([metric.last > x for x in [1, 2]])"),
        entity("sequence_in_lambda", "metric", "(lambda x: metric.last > x)(1)"),
        // Limits.
        wrong("too_deep", "aim", format!("{}1{}", "[".repeat(300), "]".repeat(300))),
        wrong("too_long", "aim", "run.x == 1 or ".repeat(80_000) + "True"),
        aim("power_tower", "10 ** 10 ** 10 > run.batch_size"),
        aim("long_text", "run.batch_size == 32 and len('a' * 10 ** 9) > 3"),
        aim("endless", "'x' in run.metrics"),
        // Columns.
        select("unknown_column", "", &["hash", "learnin_rate"]),
        select("unknown_column_far_off", "", &["hash", "zebra"]),
        select("summary_without_context", "", &["hash", "loss.last"]),
        Wrong { shape: Shape { sort: vec!["-acuracy.last".into()], ..Shape::default() }, ..aim("unknown_sort", "") },
        entity("unknown_entity", "metrics", "metric.name == 'loss'"),
        wrong("unknown_language", "aimql", "run.archived"),
        // SQL beside it.
        wrong("sql_unknown_column", "sql", "select hash, experimant from runs"),
        wrong("sql_parameter_as_column", "sql", "select hash from runs where learning_rate > 0.001"),
        wrong("sql_unknown_table", "sql", "select * from runz"),
        wrong("sql_unknown_function", "sql", "select averg(value) from points"),
        wrong("sql_syntax", "sql", "select hash frm runs where archived"),
        wrong("sql_forbidden", "sql", "drop table runs"),
        wrong("sql_types", "sql", "select hash from runs where created_at > 5 + 'x'"),
    ]
}

/// What the user sees, without colours.
async fn shown(session: &Session, wrong: &Wrong) -> String {
    let source = Source::query(wrong.text.as_str());
    let settings = Settings { entity: wrong.entity.map(str::to_owned), ..Settings::default() };
    let answer = match session.query(&source, wrong.lang, &settings, &wrong.shape).await {
        Ok(results) => results.collect().await,
        Err(error) => Err(error),
    };
    told(wrong.name, &source, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_queries() {
    let session = session(&lake_of(&["datasets/tutorial_runs.jsonl"]).await).await;
    for case in all() {
        assert_told("aimql", case.name, &shown(&session, &case).await);
    }
}
