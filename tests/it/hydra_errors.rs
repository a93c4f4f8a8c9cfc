//! Wrong ops of every kind: each is told so, with a caret.

use lakeql_query::diagnostic::render;
use lakeql_query::dialects::hydra::ops::{Strictness, parse};
use lakeql_query::source::Source;
use lakeql_rows::text::json;
use lakeql_rows::{Columns, Options, Pipeline, Row};

const ROWS: &str = "[\"a\", 1, \"130201\"]\n[\"b\", null, \"x\"]\n[\"c\", \"two\", \"130203\"]";

/// Name of the mistake, ops.
fn wrong() -> Vec<(&'static str, String)> {
    let ops = |name, text: &str| (name, text.to_owned());
    vec![
        // Names.
        ops("ops_unknown", "gather=ks;gahter=ks"),
        ops("ops_of_sql", "join=0"),
        ops("ops_count", "count"),
        ops("ops_blank_in_name", "gather=ks; sort=0"),
        ops("ops_escaped_equals", "gather%3Dks"),
        ops("ops_no_name", "=ks"),
        ops("ops_noop", "noop"),
        // gather, merge, groupby.
        ops("ops_top_without_value", "gather=kt10"),
        ops("ops_top_without_size", "gather=kts"),
        ops("ops_groupby_without_ops", "groupby=k"),
        ops("ops_wrong_inside_of_groupby", "groupby=k:sort=1:n:d%3Blimit=%2D1"),
        ops("ops_gather_of_text", "gather=ks;sort=0"),
        // pivot and depivot.
        ops("ops_pivot_without_value", "pivot=0,1"),
        ops("ops_pivot_placeholder", "pivot=0,1,2,sum,-,max"),
        ops("ops_pivot_of_empty_cell", "pivot=1,0,2"),
        // Running values.
        ops("ops_sum_without_column", "sum="),
        ops("ops_sum_of_text", "sum=2"),
        ops("ops_delta_of_empty_cell", "delta=1"),
        // Histograms and percentiles.
        ops("ops_histogram_without_column", "histo="),
        ops("ops_histogram_scale", "histo=1,1"),
        ops("ops_one_bound", "histo2=1,5"),
        ops("ops_bound_of_text", "histo2=1,5,x"),
        ops("ops_distribution_size", "distribution=1,0"),
        ops("ops_percentrank_one_column", "percentrank=1"),
        ops("ops_ftable_without_percentile", "ftable=0:1,2:total"),
        ops("ops_ftable_parts", "ftable=0:1"),
        ops("ops_disorder", "disorder=0"),
        ops("ops_seen_bits", "seen=0:0"),
        ops("ops_holtwinters_alpha", "holtwinters=0:1:2"),
        ops("ops_holtwinters_few_rows", "order=0,2;fill=0;limit=2;order=0,9;fill=0;holtwinters=1:1"),
        ops("ops_changepoints_window", "changepoints=0:1:1:.1:1:1:0"),
        ops("ops_diff_letter", "diff=kxd"),
        ops("ops_rmsing_column", "rmsing=0:7"),
        ops("ops_fold_parts", "fold=0:1"),
        // Order and size.
        ops("ops_sort_of_text", "sort=1:n"),
        ops("ops_limit_zero", "limit=0"),
        ops("ops_limit_word", "limit=ten"),
        ops("ops_limit_missing", "limit"),
        ops("ops_limit_three", "limit=1:2:3"),
        ops("ops_skip_missing", "skip="),
        ops("ops_range_word", "range=1,x"),
        ops("ops_range_before", "range=1,-9"),
        ops("ops_median_of_nothing", "compare=1:gt:9;limit=1:1;median"),
        // Cells.
        ops("ops_fill_word", "fill=none"),
        ops("ops_fill_fraction", "fill=1.5"),
        ops("ops_pad_width", "pad=0"),
        ops("ops_contains_colon", "contains=0:a:b"),
        ops("ops_contains_column", "contains=x:a"),
        ops("ops_contains_empty_cell", "contains=1:x"),
        ops("ops_compare_two", "compare=1:gt"),
        ops("ops_map_single_colon", "map=0:{\"a\":\"b\"}"),
        ops("ops_map_open", "map=0::{\"a\":\"b"),
        ops("ops_map_value", "map=0::{\"a\"}"),
        ops("ops_regex_open", "rmap=0::{\"a(\":\"x\"}"),
        ops("ops_regex_look_ahead", "rmap=0::{\"(?=a)b\":\"x\"}"),
        ops("ops_regex_too_large", "rmap=0::{\"(a{1000}){1000}\":\"x\"}"),
        ops("ops_ordermap_column", "ordermap=0,a,1,9"),
        ops("ops_datef_parts", "datef=2:yyMMdd"),
        ops("ops_datef_letter", "datef=2:yyMMbb:yy"),
        ops("ops_datef_of_text", "datef=2:yyMMdd:yyyy"),
        ops("ops_filter_kind", "filter={from.index:0, bogus:1}"),
        ops("ops_filter_without_field", "filter={require:[a]}"),
        ops("ops_filter_regex", "filter={from.index:0, require {match:\"[\"}}"),
        // num and str.
        ops("ops_num_step", "num=c1,n10,mutl,out"),
        ops("ops_num_plus", "num=c0,c1,+,out"),
        ops("ops_num_column", "num=c1x,out"),
        ops("ops_num_constant", "num=n1x,out"),
        ops("ops_num_vector", "num=c1,vector,sub"),
        ops("ops_num_empty_stack", "num=n1,add"),
        ops("ops_num_empty_cell", "num=c1,n1,add,out"),
        ops("ops_num_division", "num=diverr,n1,n0,div,out"),
        ops("ops_str_part", "str=c0,v/,v3,split,out"),
        ops("ops_str_range", "str=c0,v1,v0,range,v0,set"),
        ops("ops_str_empty_cell", "str=c1,c0,cat,v0,set"),
        ops("ops_sleep_missing", "sleep"),
        ops("ops_sleep_long", "sleep=999999"),
        ops("ops_random_failure", "rndfail=x"),
        // Limits.
        ops("ops_too_many", &"t;".repeat(600)),
        ops("ops_too_wide", "pad=0:999999"),
        ops("ops_column_far_away", "num=c9999999,out"),
    ]
}

fn options() -> Options {
    Options::default()
}

/// What the user sees, without colours.
fn told(text: &str) -> String {
    let source = Source::query(text);
    let parsed = match parse(&source, Strictness::default()) {
        Ok(parsed) => parsed,
        Err(problem) => return render(&problem, &source, false),
    };
    let rows: Vec<Row> = ROWS.lines().map(|line| json::parse_row(line).unwrap()).collect();
    let answer = Pipeline::new(&parsed, &Columns::numbered(3), options()).and_then(|pipeline| pipeline.run(rows));
    match answer {
        Err(error) => render(&error.diagnostic(), &source, false),
        Ok(rows) => format!("accepted: {rows:?}"),
    }
}

#[test]
fn wrong_ops() {
    for (name, text) in wrong() {
        let told = told(&text);
        assert!(told.starts_with("error: ") && told.contains('^'), "{name}: {told}");
    }
}
