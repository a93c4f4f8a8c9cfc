//! Paths that nobody would write.

use super::cases;
use crate::tree::{MemoryTree, walk};
use crate::{Columns, Flow, OpError, Row, Sink};
use lakeql_query::dialects::hydra::path::parse;
use lakeql_query::source::Source;
use std::sync::atomic::AtomicBool;

/// Counts rows, up to some.
struct Counter {
    rows: usize,
    most: usize,
}

impl Sink for Counter {
    fn send(&mut self, _row: Row) -> Result<Flow, OpError> {
        self.rows += 1;
        Ok(if self.rows == self.most { Flow::Stop } else { Flow::More })
    }
}

fn rows(tree: &MemoryTree, text: &str, most: usize) -> Result<usize, String> {
    let path = parse(&Source::query(text)).map_err(|problem| problem.message)?;
    let mut counter = Counter { rows: 0, most };
    walk(tree, &path, &Columns::new(), None, &mut counter).map_err(|error| error.to_string())?;
    Ok(counter.rows)
}

#[test]
fn a_walk_stops_when_nobody_wants_more() {
    let tree = &cases::trees()["letters"];
    // 16 to the power of 100 rows, if they were all made.
    let endless = vec!["*/.."; 100].join("/");
    assert_eq!(rows(tree, &endless, 1000), Ok(1000));
    let path = parse(&Source::query(format!("{endless}/nothing"))).unwrap();
    let interrupted = AtomicBool::new(true);
    let error = walk(tree, &path, &Columns::new(), Some(&interrupted), &mut vec![]).unwrap_err();
    assert_eq!(error.problem.to_string(), "interrupted");
    assert_eq!(rows(tree, &vec!["a/.."; 500].join("/"), 1000), Ok(1));
}

#[test]
fn strange_paths_end() {
    let trees = cases::trees();
    let pieces = [
        "*",
        "+",
        "..",
        "+..",
        "~+nope",
        "(1-1)+",
        "(0)+",
        "+a;b",
        ";a",
        "+[x|1]",
        "+[x]zz",
        "+%?",
        "+%uids",
        "+%topm==hit",
        "+%topm==guaranteed",
        "+%topm=foo:bar",
        "+%kv",
        "|.*",
        "!+a",
        "++",
        "++p,q",
        "+@",
        "+@b,a",
        "@@product-tracking",
        "+{0}+:+hits",
        "*:json,+mem,+json",
        "+:+hits<9>1=2",
        "$+v",
        "+$?v",
        "+$+topm=kx$+topm=v0$+topm",
        "+$+uids=put(x)$+t=life",
        "~+$+p=x$+p=avg=1",
        "product-tracking",
        "products",
        "httpd",
        "ymd",
    ];
    for tree in trees.values() {
        for first in pieces {
            for second in pieces {
                for third in pieces.iter().step_by(5) {
                    let _ = rows(tree, &format!("{first}/{second}/{third}"), 50);
                }
            }
        }
    }
}

#[test]
fn details_of_the_specification() {
    let product = &cases::trees()["product"];
    let all = |text: &str| -> Vec<String> {
        let path = parse(&Source::query(text)).unwrap();
        let mut rows = vec![];
        walk(product, &path, &Columns::new(), None, &mut rows).unwrap();
        let text = |row: &Row| {
            row.cells.iter().map(|cell| cell.to_text().unwrap_or_default().into_owned()).collect::<Vec<_>>()
        };
        rows.iter().map(|row| text(row).join(" ")).collect()
    };
    // Several keys are one cell, the last one; a bound by `=` loses it.
    assert_eq!(all("product-tracking/ymd/130120/+$+t=first,life"), ["foo.view 0"]);
    assert_eq!(all("product-tracking/ymd/130120/+$+v=num=1"), ["foo.view"]);
    // Bounds of one property are alternatives.
    assert_eq!(all("product-tracking/ymd/+:hits>500<2"), ["130101", "130120"]);
    // A flat list without a match is one row without its cells.
    assert_eq!(all("product-tracking/+ymd/+nope;none:+hits"), ["ymd"]);
    // Nodes of a map have their value as child; those of a top have errors where they are recorded.
    assert_eq!(all("product-tracking/products/alpha/(1)+%topd$+stats=error"), ["130101 0"]);
    assert_eq!(all("product-tracking/ymd/+[none|7]nope:+hits"), ["none 7"]);
}
