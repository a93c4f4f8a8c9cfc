//! Pipelines and rows that nobody would write.

use crate::{Cell, Columns, Limits, Options, Pipeline, Problem, Row};
use lakeql_query::dialects::hydra::ops::{CATALOGUE, Strictness, parse};
use lakeql_query::source::Source;
use std::sync::Arc;

fn run(ops: &str, rows: Vec<Row>, limits: Limits) -> Result<Vec<Row>, String> {
    for strict in [true, false] {
        let parsed = parse(&Source::query(ops), Strictness { strict }).map_err(|problem| problem.message)?;
        let options = Options { strict, limits };
        let pipeline = Pipeline::new(&parsed, &Columns::numbered(3), options).map_err(|error| error.to_string());
        let answer = pipeline.and_then(|pipeline| pipeline.run(rows.clone()).map_err(|error| error.to_string()));
        if !strict {
            return answer;
        }
    }
    Ok(vec![])
}

/// Values of every kind, at the ends of their ranges.
fn strange() -> Vec<Row> {
    let cells = [
        Cell::Empty,
        Cell::Int(i64::MIN),
        Cell::Int(i64::MAX),
        Cell::Int(0),
        Cell::Int(-1),
        Cell::Float(f64::NAN),
        Cell::Float(f64::INFINITY),
        Cell::Float(-1e300),
        Cell::from(""),
        Cell::from("9223372036854775808"),
        Cell::from("-5"),
        Cell::from("1,2,,x"),
        Cell::from("日本🦀"),
        Cell::Bytes([0, 255].into()),
        Cell::List([Cell::Int(1), Cell::Empty].into()),
        Cell::Map(Arc::default()),
        Cell::Distinct(Arc::default()),
    ];
    let mut rows = vec![Row::default(), Row::new(vec![Cell::Empty; 5])];
    for (index, cell) in cells.iter().enumerate() {
        let other = cells[(index * 7 + 3) % cells.len()].clone();
        rows.push(Row::new(vec![cell.clone(), other.clone(), cell.clone()]));
        rows.push(Row::new(vec![other]));
        rows.push(Row::new(vec![Cell::from("k"), cell.clone()]));
    }
    rows
}

/// Arguments for all ops, sensible for some of them and nonsense for the others.
const ARGUMENTS: [&str; 44] = [
    "",
    "0",
    "1",
    "9",
    "-1",
    "0,1",
    "0:1",
    "1:0",
    "0:n:d",
    "1:d",
    "0,1,2:nsd:dad",
    "ksM",
    "kjc",
    "ktc2",
    "kau",
    "lmd",
    "k:limit=1",
    "ik:sort=1%3Bt",
    "1,0,2",
    "1,0,1,avg,avg,avg",
    "0,1,1,min,max,min,d",
    "f1:0",
    "S1",
    "sf0",
    "0,10",
    "1,2,4",
    "1:0,0.5,1",
    "0:1:.5:.3:.2:2:1",
    "kad",
    "0:1:k,x:1",
    "2:3",
    "-3,-1",
    "999999",
    "x",
    "s:3",
    "d1.5",
    "0:a,b",
    "1:gt:0",
    "1::{\"a\":\"b\"}",
    "0,k,1,2",
    "0:yyMMdd:unixmillis",
    "{from.index:0, exclude {find:\"[a-\"}}",
    "c0:1,add,v1,set,c1,toi,out",
    "c0,c1,cat,v-3,v9,range,v2,set",
];

#[test]
fn nothing_panics() {
    let rows = strange();
    for info in CATALOGUE {
        for arguments in ARGUMENTS {
            let ops = format!("{}={arguments}", info.name);
            let _ = run(&ops, rows.clone(), Limits::default());
            let _ = run(&ops, vec![], Limits::default());
            let numbers = (0..20).map(|n| Row::new(vec![Cell::from("k"), Cell::Int(n * n - 30), Cell::Float(0.5)]));
            let _ = run(&ops, numbers.collect(), Limits::default());
        }
    }
}

#[test]
fn limits_hold() {
    let limits = Limits { memory: 100_000, row_cells: 1000, cell_bytes: 10_000 };
    let rows = || (0..20_000_i64).map(|n| Row::new(vec![Cell::from(n.to_string()), Cell::Int(n)])).collect::<Vec<_>>();
    for ops in ["groupby=k:limit=1", "t", "pivot=0,1,1", "distribution=1", "percentrank=1:2"] {
        let error = run(ops, rows(), limits).unwrap_err();
        assert!(error.contains("memory") || error.contains("bytes") || error.contains("cells"), "{ops}: {error}");
    }
    assert!(run("gather=ij", rows(), limits).unwrap_err().contains("a text has"));
    let doubling = vec!["str=c0,c0,cat,v0,set"; 100].join(";");
    assert!(run(&doubling, rows(), limits).unwrap_err().contains("a text has"));
    let growing = format!("num={}", vec!["n1,out"; 1001].join(","));
    assert!(run(&growing, rows(), limits).unwrap_err().contains("a row has"));
    assert!(run("ordermap=0,1,1,999999", rows(), limits).unwrap_err().contains("no column 999999"));
    assert!(run("pad=0:2000", rows(), limits).unwrap_err().contains("a row has"));
    let nested = "merge=ks;limit=10";
    assert_eq!(run(nested, rows(), limits).unwrap().len(), 10);
}

/// What does not fit goes to disk, and comes back the same.
#[test]
fn little_memory_changes_no_answer() {
    let rows: Vec<Row> = (0..8_000_i64)
        .map(|n| {
            let (key, other) = ((n * 7919) % 3_001, (n * 31) % 97);
            Row::new(vec![Cell::from(format!("key {key}")), Cell::Int(other), Cell::Float(key as f64 / 8.0)])
        })
        .collect();
    let small = Limits { memory: 60_000, ..Limits::default() };
    for ops in [
        "sort=0",
        "sort=1:n:d",
        "sort=2,1:dn:ad;merge=kks",
        "gather=ksa",
        "gather=iks",
        "gather=kmM",
        "gather=kdlu;sort=1:n:d;limit=7",
        "gather=kju",
        "gather=kcs",
        "gather=kks",
        "reverse",
        "range=-5000,-7",
        "median",
        "sort=1:n;gather=ksu;sort=2:n:d;reverse",
        "diff=kad",
        "rmsing=1:0",
        "ftable=1:1,1:0.5,0.9",
        "sort=1:n;fold=1:1:3,5:0",
        "fill=0;order=1,0;sort=0:n;nodup",
    ] {
        let plenty = run(ops, rows.clone(), Limits::default()).unwrap();
        assert_eq!(run(ops, rows.clone(), small).unwrap(), plenty, "{ops}");
    }
    // Even where little more than a block fits.
    let tiny = Limits { memory: 20_000, ..Limits::default() };
    for ops in ["sort=0", "gather=ksj", "reverse"] {
        let few = rows[..3000].to_vec();
        assert_eq!(run(ops, few.clone(), tiny).unwrap(), run(ops, few, Limits::default()).unwrap(), "{ops}");
    }
}

#[test]
fn regular_expressions_are_bounded() {
    for pattern in ["(", "(a{1000}){1000}", "a)(b", "\\p{Foo}"] {
        let error = run(&format!("rmap=0::{{\"{pattern}\":\"x\"}}"), strange(), Limits::default()).unwrap_err();
        assert!(error.contains("regular expression"), "{pattern}: {error}");
    }
    let rows = vec![Row::new(vec![Cell::from("a".repeat(50_000))])];
    assert!(run("rmap=0::{\"(a*)*b\":\"x\"}", rows, Limits::default()).is_ok());
}

#[test]
fn a_limit_ends_the_work_before_it() {
    let parsed = parse(&Source::query("num=c1,set;limit=2;sort=0;title=a"), Strictness::default()).unwrap();
    let pipeline = Pipeline::new(&parsed, &Columns::numbered(2), Options::default()).unwrap();
    // The third row would be an error.
    let rows = vec![
        Row::new(vec![Cell::from("b"), Cell::Int(0)]),
        Row::new(vec![Cell::from("a"), Cell::Int(0)]),
        Row::new(vec![Cell::from("c"), Cell::Empty]),
    ];
    let error = pipeline.run(rows.clone()).unwrap_err();
    assert_eq!((error.op, error.row, error.problem), ("num", Some(1), Problem::other("the stack is empty")));
    let parsed = parse(&Source::query("num=c1,out;limit=2;sort=0;title=a"), Strictness::default()).unwrap();
    let pipeline = Pipeline::new(&parsed, &Columns::numbered(2), Options::default()).unwrap();
    let answer = pipeline.run(rows).unwrap();
    assert_eq!(
        answer.iter().map(|row| row.get(0).to_text().unwrap().into_owned()).collect::<Vec<_>>(),
        ["a", "a", "b"]
    );
}
