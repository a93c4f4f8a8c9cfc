//! Hydra's ops, one after the other, in process over 100,000 rows of simple cells: a key of 1,000, an integer, one of twenty
//! small integers, a day. Throughput is input rows a second on one core. Then the same rows from and to text.
#![allow(clippy::unwrap_used, reason = "a bench may fail loudly")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use lakeql_query::dialects::hydra::ops::{Strictness, parse};
use lakeql_query::source::Source;
use lakeql_rows::text::delimited::{self, Delimited, Reader};
use lakeql_rows::text::json;
use lakeql_rows::{Cell, Columns, Flow, OpError, Options, Pipeline, Row, Sink};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: i64 = 100_000;

/// One pipeline for each op.
const OPS: [(&str, &str); 48] = [
    ("gather", "gather=ksi"),
    ("merge", "merge=ksi"),
    ("groupby", "groupby=k:limit=50"),
    ("pivot", "pivot=0,2,1"),
    ("depivot", "depivot"),
    ("sum", "sum=1"),
    ("avg", "avg=1"),
    ("min", "min=1:0"),
    ("max", "max=s1"),
    ("delta", "delta=1"),
    ("histo", "histo=1"),
    ("histo2", "histo2=1,10,100,1000"),
    ("distribution", "distribution=1"),
    ("percentrank", "percentrank=1:4"),
    ("median", "median"),
    ("ftable", "ftable=0:1,2:0.5"),
    ("seen", "seen=0:100000"),
    ("changepoints", "changepoints=0:1"),
    ("holtwinters", "holtwinters=0:1:.5:.5:.5:10:3"),
    ("diff", "diff=kd"),
    ("rmsing", "rmsing=0:1"),
    ("fold", "fold=0:2:1,2:1"),
    ("sort_text", "sort=0"),
    ("sort_integer", "sort=1:n:d"),
    ("sort_two", "sort=2,0:ns:da"),
    ("limit", "limit=10:100000000"),
    ("skip", "skip=10"),
    ("range", "range=10,90000"),
    ("range_from_the_end", "range=-90000"),
    ("reverse", "reverse"),
    ("nodup", "nodup"),
    ("order", "order=1,0"),
    ("title", "title=a,b,c"),
    ("fill", "fill=0"),
    ("pad", "pad=0:5"),
    ("contains", "contains=0:99,17"),
    ("compare", "compare=1:gt:50000"),
    ("map", "map=0::{key17:x,key18:y}"),
    ("rmap", "rmap=0::{\"key1.\":x}"),
    ("ordermap", "ordermap=0,key17,1,0"),
    ("datef", "datef=3:yyMMdd:yyyy-MM-dd"),
    ("filter", "filter={from.index:0, require:[key17,key18]}"),
    ("t", "t"),
    ("num", "num=c1,n10,mult,v1,set"),
    ("num_five", "num=c1,c2,add,n2,ddiv,toi,out"),
    ("str", "str=c0,v-,cat,c3,cat,v0,set"),
    ("chain", "compare=2:lt:10;num=c1,n2,mult,v1,set;order=0,1;gather=ks;sort=1:n:d;limit=10"),
    ("sort_merge", "sort=0;merge=ksi"),
];

fn rows() -> Vec<Row> {
    let row = |number: i64| {
        let dice = (number.wrapping_mul(6_364_136_223_846_793_005) >> 33).unsigned_abs();
        Row::new(vec![
            Cell::from(format!("key{}", dice % 1000)),
            Cell::Int(i64::try_from(dice % 100_000).unwrap()),
            Cell::Int(number % 20),
            Cell::from(format!("13{:02}{:02}", 1 + number % 12, 1 + number % 28)),
        ])
    };
    (0..ROWS).map(row).collect()
}

/// Counts rows.
struct Count(u64);

impl Sink for Count {
    fn send(&mut self, row: Row) -> Result<Flow, OpError> {
        self.0 += 1;
        drop(row);
        Ok(Flow::More)
    }
}

fn run(ops: &lakeql_query::dialects::hydra::ops::Pipeline, rows: Vec<Row>) -> u64 {
    let mut pipeline = Pipeline::new(ops, &Columns::numbered(4), Options::default()).unwrap();
    let mut out = Count(0);
    for row in rows {
        if pipeline.push(row, &mut out).unwrap() == Flow::Stop {
            break;
        }
    }
    pipeline.finish(&mut out).unwrap();
    out.0
}

fn ops(criterion: &mut Criterion) {
    let rows = rows();
    let mut group = criterion.benchmark_group("ops");
    group.sample_size(10).throughput(Throughput::Elements(ROWS.unsigned_abs()));
    for (name, text) in OPS {
        let ops = parse(&Source::query(text), Strictness::default()).unwrap();
        group
            .bench_function(name, |b| b.iter_batched(|| rows.clone(), |rows| run(&ops, rows), BatchSize::PerIteration));
    }
    group.finish();

    let mut group = criterion.benchmark_group("rows");
    group.sample_size(10).throughput(Throughput::Elements(ROWS.unsigned_abs()));
    let written = |write: &dyn Fn(&Row, &mut String)| {
        let mut text = String::new();
        for row in &rows {
            write(row, &mut text);
            text.push('\n');
        }
        text
    };
    let lines = written(&json::write_row);
    group.bench_function("json_write", |b| b.iter(|| written(&json::write_row).len()));
    group.bench_function("json_read", |b| {
        b.iter(|| lines.lines().map(|line| json::parse_row(line).unwrap().len()).sum::<usize>())
    });
    for (name, form) in [("csv", Delimited::Csv), ("tsv", Delimited::Tsv)] {
        let write = |row: &Row, into: &mut String| delimited::write_row(row, form, into);
        let lines = written(&write);
        group.bench_function(format!("{name}_write"), |b| b.iter(|| written(&write).len()));
        let read = || {
            let mut reader = Reader::new(form);
            lines.lines().filter_map(|line| reader.line(line)).map(|row| row.len()).sum::<usize>()
        };
        assert_eq!(read(), 4 * rows.len());
        group.bench_function(format!("{name}_read"), |b| b.iter(read));
    }
    group.finish();
}

criterion_group!(benches, ops);
criterion_main!(benches);
