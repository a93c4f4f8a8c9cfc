//! The known defects of the original: what happens by default, and what happens strictly. Expected values are worked out by
//! hand. The table in the README of the dialect has a line for each.

use crate::{Columns, Options, Pipeline, Row, text::json};
use lakeql_query::dialects::hydra::ops::{Strictness, parse};
use lakeql_query::source::Source;

fn rows(text: &str) -> Vec<Row> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
    rows.into_iter().map(|row| json::row(row).unwrap()).collect()
}

/// The rows of the answer as JSON, without empty cells at the ends; `!` where it is an error.
fn run(ops: &str, input: &str, strict: bool) -> String {
    let Ok(parsed) = parse(&Source::query(ops), Strictness { strict }) else { return "!".into() };
    let input = rows(input);
    let columns = Columns::numbered(input.iter().map(Row::len).max().unwrap_or(0));
    let options = Options { strict, ..Options::default() };
    let answer = Pipeline::new(&parsed, &columns, options).and_then(|pipeline| pipeline.run(input));
    let Ok(mut answer) = answer else { return "!".into() };
    answer.iter_mut().for_each(Row::trim);
    let mut text = String::new();
    answer.iter().for_each(|row| json::write_row(row, &mut text));
    text
}

/// Name of the defect, ops, rows, what happens, what happens strictly.
const CASES: [(&str, &str, &str, &str, &str); 30] = [
    ("product-letter-adds", "gather=kp", r#"[["a",2],["a",5]]"#, r#"["a",7]"#, r#"["a",10]"#),
    (
        "compound-key-without-separator",
        "gather=kksu",
        r#"[["a","b",1],["ab","",2]]"#,
        r#"["ab","",3,2]"#,
        r#"["a","b",1,1]["ab","",2,1]"#,
    ),
    ("compound-key-without-separator", "gather=ku", r#"[[null],[""]]"#, r#"["",2]"#, r#"[null,1]["",1]"#),
    (
        "compound-key-without-separator",
        "sum=2:0,1",
        r#"[["a","b",1],["ab","",2]]"#,
        r#"["a","b",1,1]["ab","",2,3]"#,
        r#"["a","b",1,1]["ab","",2,2]"#,
    ),
    ("plus-decoded-to-blank", "str=c0,v+,cat,v0,set", r#"[["a"]]"#, r#"["a "]"#, r#"["a+"]"#),
    ("plus-decoded-to-blank", "num=c0,n1,+,v0,set", r#"[[1]]"#, "!", "[2]"),
    ("first-value-decides-type", "gather=is", r#"[["x",2],["x",1.5]]"#, "[3]", "[3.5]"),
    ("first-value-decides-type", "sum=0", r#"[[2],[1.5]]"#, "[2,2][1.5,3]", "[2,2][1.5,3.5]"),
    ("first-value-decides-type", "num=n2.5,c0,add,v0,set", r#"[[1]]"#, "[3]", "[3.5]"),
    (
        "first-value-decides-type",
        "pivot=0,1,2",
        r#"[["r","c",2],["r","c",1.5]]"#,
        r#"[null,"c"]["r",3]"#,
        r#"[null,"c"]["r",3.5]"#,
    ),
    ("float-min-wrong-below-zero", "gather=im", r#"[["x",-1.5],["x",2.0]]"#, "[2.0]", "[-1.5]"),
    ("top-evicts-and-restarts", "gather=kts1", r#"[["a",2],["b",3],["a",2]]"#, r#"["b",3]"#, r#"["a",4]"#),
    (
        "pivot-placeholder-fails",
        "pivot=0,1,2,sum,-,max",
        r#"[["r","c",2],["q","c",3]]"#,
        "!",
        r#"[null,"c"]["q",3]["r",2][null,3]"#,
    ),
    ("histo2-int-min-bucket", "histo2=0,1,5", r#"[[0],[1],[7]]"#, "[-2147483648,1][1,1][5,1]", "[null,1][1,1][5,1]"),
    ("histo2-int-min-bucket", "histo2=0,1,5", "[]", "!", ""),
    (
        "keyed-avg-divides-by-all-rows",
        "avg=s1:0",
        r#"[["a",4],["b",6],["b",2]]"#,
        r#"["a",4]["b",3]["b",2]"#,
        r#"["a",4]["b",6]["b",4]"#,
    ),
    ("minif-maxif-swapped", "num=c0,n3,minif,out", r#"[[1],[5]]"#, "[1,3][5,5]", "[1,1][5,3]"),
    ("minif-maxif-swapped", "num=c0,n3,maxif,out", r#"[[1],[5]]"#, "[1,1][5,3]", "[1,3][5,5]"),
    ("compare-neq-is-eq", "compare=0:neq:1", r#"[[1],[2]]"#, "[1]", "[2]"),
    ("compare-neq-is-eq", "compare=0:gt:x", r#"[[1],[-1]]"#, "[1]", "!"),
    (
        "diff-loses-adds-after-first",
        "diff=kad",
        r#"[["x","1",5],["x","2",7],["y","2",3],["z","1",4]]"#,
        r#"["x","",2]["y","+",3]"#,
        r#"["x","",2]["y","+",3]["z","-",-4]"#,
    ),
    (
        "diff-loses-adds-after-first",
        "diff=kad",
        r#"[["x","1",5],["x","2",7],["y","1",1],["z","2",4],["z","1",2]]"#,
        r#"["x","",2]["y","-",-1]["z","",-2]"#,
        r#"["x","",2]["y","-",-1]["z","+",4]["z","-",-2]"#,
    ),
    (
        "rmsing-tail-handling",
        "rmsing=0:1",
        r#"[["a",1],["a",2],["b",1],["b",2]]"#,
        r#"["a",1]["a",2]"#,
        r#"["a",1]["a",2]["b",1]["b",2]"#,
    ),
    ("disorder-empty", "disorder=0:1:2", r#"[["a","b",1],["a","c",2],["a","d",1]]"#, "", "\u{1}"),
    ("seen-counts-rows", "seen=1:64:1", r#"[["a","b"]]"#, r#"["a","b"]"#, "[1]"),
    ("equal-looks-at-one-type", "str=v2,c0,eq", r#"[[2],["2"]]"#, r#"["2"]"#, r#"[2]["2"]"#),
    ("unknown-letters-ignored", "gather=kzs", r#"[["a",1,2]]"#, r#"["a",2]"#, "!"),
    ("unknown-letters-ignored", "depivot=row,val,xyz", r#"[[null,"c"],["r",1]]"#, r#"["r",1]"#, "!"),
    ("unknown-letters-ignored", "str=c0,bogus,v0,set", r#"[["a"]]"#, r#"["a"]"#, "!"),
    ("unknown-letters-ignored", "ordermap=0,a,1", r#"[["a",1]]"#, r#"["a",1]"#, "!"),
];

#[test]
fn known_defects_and_their_strict_meaning() {
    for (name, ops, input, compatible, strict) in CASES {
        assert_eq!(run(ops, input, false), compatible, "{name}: {ops}");
        let found = run(ops, input, true);
        if strict == "\u{1}" {
            // Entropy of 1/4, 1/2, 1/4 to base 10, and 1 - (1/16 + 1/4 + 1/16).
            let row = json::parse_row(&found).unwrap();
            let number = |place: usize| row.get(place).as_number().unwrap().as_float();
            assert!((number(1) - 0.451_544_993_496).abs() < 1e-9 && (number(2) - 0.625).abs() < 1e-12, "{found}");
        } else {
            assert_eq!(found, strict, "{name}: {ops}, strictly");
        }
    }
}

/// A text that is no number is an error where it has to be compared, and nowhere else.
#[test]
fn what_is_not_compared_may_be_anything() {
    for (ops, input, answer) in [
        ("sort=0:n", r#"[["x"]]"#, r#"["x"]"#),
        ("sort=0:n", r#"[[null,1],["x"]]"#, r#"["x"][null,1]"#),
        ("sort=0:n:d", r#"[["x"],[null,1]]"#, r#"[null,1]["x"]"#),
        ("sort=0:n", r#"[["x"],["y"]]"#, "!"),
        ("sort=0:d", r#"[["x"],[1],[null]]"#, "!"),
        ("sort=0,1:sn", r#"[["b",1],["a","x"]]"#, r#"["a","x"]["b",1]"#),
        ("sort=0,1:sn", r#"[["a",1],["a","x"]]"#, "!"),
        ("sort=0,1:sn:dd", r#"[["a",1],["a","x"]]"#, "!"),
        ("sort=0,1:sn", r#"[["a",null,1],["a","x"]]"#, r#"["a","x"]["a",null,1]"#),
    ] {
        assert_eq!(run(ops, input, false), answer, "{ops} {input}");
    }
}

#[test]
fn every_defect_is_in_the_readme() {
    let readme = include_str!("../../query/dialects/hydra/README.md");
    let (table, _) = readme.split_once("## Deliberately different").unwrap();
    for (name, ..) in CASES {
        assert!(table.contains(name), "{name}");
    }
}
