//! All ops: names, arguments, one line each.

use super::{Arguments, Op, Roll, aggregate, order, values};
use crate::diagnostic::Diagnostic;

/// What an op needs to see before it can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One row after the other: the op streams.
    Row,
    /// Something about each group stays in memory.
    Groups,
    /// All rows.
    Table,
}

impl Scope {
    /// A word for lists.
    pub fn name(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::Groups => "groups",
            Self::Table => "table",
        }
    }
}

/// An op of the catalogue.
pub struct OpInfo {
    /// Its name.
    pub name: &'static str,
    /// Other names of the same op.
    pub aliases: &'static [&'static str],
    /// How it is written.
    pub grammar: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What it needs to see.
    pub scope: Scope,
    /// Reads its arguments.
    pub(crate) parse: fn(&Arguments) -> Result<Op, Diagnostic>,
}

impl std::fmt::Debug for OpInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpInfo").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The op of this name, in any case.
pub fn find(name: &str) -> Option<&'static OpInfo> {
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    CATALOGUE.iter().find(|info| is(info.name) || info.aliases.iter().any(|alias| is(alias)))
}

const fn op(
    name: &'static str,
    aliases: &'static [&'static str],
    scope: Scope,
    grammar: &'static str,
    about: &'static str,
    parse: fn(&Arguments) -> Result<Op, Diagnostic>,
) -> OpInfo {
    OpInfo { name, aliases, grammar, about, scope, parse }
}

/// All ops.
#[rustfmt::skip]
pub static CATALOGUE: &[OpInfo] = &[
    op("gather", &["top"], Scope::Groups, "gather=LETTERS[SIZE], a letter per column: k s a m M d p j c l i, and u, t", "one row per key", aggregate::gather),
    op("merge", &[], Scope::Row, "merge=LETTERS[ROWS], the letters of gather", "one row per run of equal keys", aggregate::merge),
    op("groupby", &[], Scope::Groups, "groupby=LETTERS:OPS, nested ops separated by %3B", "the nested ops for each key", aggregate::group_by),
    op("pivot", &[], Scope::Table, "pivot=ROWS,COLS,VALUE[,cellop[,rowop[,colop]]][,sort], ops are sum min max avg, sorts are a d la ld", "rows and columns by keys", aggregate::pivot),
    op("depivot", &[], Scope::Row, "depivot[=row,col,val,extra]", "a row per cell of a pivot", aggregate::depivot),
    op("sum", &[], Scope::Row, "sum=[i|f][s|S]COLS[:KEYS]", "running sum", |a| aggregate::roll(a, Roll::Sum)),
    op("avg", &[], Scope::Row, "avg=[i|f][s|S]COLS[:KEYS]", "running average", |a| aggregate::roll(a, Roll::Average)),
    op("min", &[], Scope::Row, "min=[i|f][s|S]COLS[:KEYS]", "running minimum", |a| aggregate::roll(a, Roll::Min)),
    op("max", &[], Scope::Row, "max=[i|f][s|S]COLS[:KEYS]", "running maximum", |a| aggregate::roll(a, Roll::Max)),
    op("delta", &[], Scope::Row, "delta=[i|f][s|S]COLS[:KEYS]", "difference to the row before", |a| aggregate::roll(a, Roll::Delta)),
    op("histo", &[], Scope::Groups, "histo=COL[,scale]", "how many values lie between powers of the scale", aggregate::histogram),
    op("histo2", &[], Scope::Groups, "histo2=COL[:FREQCOL],BOUND,BOUND…", "how many values lie between these bounds", aggregate::bounds),
    op("distribution", &[], Scope::Table, "distribution=COL[,size]", "percentiles of a column", aggregate::distribution),
    op("percentrank", &[], Scope::Table, "percentrank=IN:OUT", "rank among all values, up to 1", aggregate::percent_rank),
    op("median", &[], Scope::Table, "median", "the row in the middle", |_| Ok(Op::Median)),
    op("ftable", &[], Scope::Table, "ftable=KEYS:VALUE,FREQ:[total,]P1,P2…", "percentiles of values with frequencies", aggregate::frequency_table),
    op("disorder", &[], Scope::Table, "disorder=P:S[:F]", "entropy of second keys; empty, as in the original, unless strict", aggregate::disorder),
    op("seen", &[], Scope::Groups, "seen=COL:BITS[:HASHES[:KIND]]", "one bloom filter of a column", aggregate::seen),
    op("changepoints", &[], Scope::Table, "changepoints=TIME:VALUE[:minChange:minRatio:minZ:inactive:window]", "where a series changes", aggregate::change_points),
    op("holtwinters", &[], Scope::Table, "holtwinters=TIME:VALUE:alpha:beta:gamma:period:m", "forecast of a series with seasons", aggregate::holt_winters),
    op("diff", &[], Scope::Table, "diff=LETTERS of k a d D, one per column", "compares pairs of rows", aggregate::diff),
    op("rmsing", &[], Scope::Table, "rmsing=KEY:VAL", "drops keys with one value", aggregate::remove_singletons),
    op("fold", &[], Scope::Row, "fold=KEYS:COL:VALUE,VALUE…:COPIES", "rows of a key side by side", aggregate::fold),
    op("sort", &["dsort"], Scope::Table, "sort[=COLS[:TYPES[:DIRS]]], types n (integer) d (double) s (text), directions a d", "sorts, stable", order::sort),
    op("limit", &[], Scope::Row, "limit=N or limit=SKIP:N, N at least 1", "some rows, then the end", order::limit),
    op("skip", &[], Scope::Row, "skip=N or skip=A,B[,C]", "drops rows", order::skip),
    op("range", &[], Scope::Table, "range=BEGIN[,END], negative counts from the end", "a range of rows", order::range),
    op("reverse", &[], Scope::Table, "reverse", "last row first", |_| Ok(Op::Reverse)),
    op("nodup", &[], Scope::Row, "nodup", "empties cells equal to the one above", |_| Ok(Op::NoDuplicates)),
    op("order", &[], Scope::Row, "order=COL,COL…", "these columns in this order", order::order),
    op("title", &[], Scope::Row, "title[=a,b,c]", "a row of names first", order::title),
    op("fill", &[], Scope::Row, "fill[=V], V a number, iINTEGER, dDOUBLE or sTEXT", "fills empty cells", order::fill),
    op("pad", &[], Scope::Row, "pad=V:N", "fills empty cells of the first N columns", order::pad),
    op("contains", &[], Scope::Row, "contains=COL:TEXT,TEXT…", "rows whose cell contains a text", values::contains),
    op("compare", &[], Scope::Row, "compare=COL:OP:INTEGER, OP one of lt lteq eq gteq gt", "rows whose number compares so", values::compare),
    op("map", &[], Scope::Row, "map=COL::{\"from\":\"to\"}", "replaces texts", values::map),
    op("rmap", &[], Scope::Row, "rmap=COL::{\"regex\":\"to\"}", "replaces texts that match as a whole", values::regex_map),
    op("ordermap", &[], Scope::Row, "ordermap=TEST,TEXT,FROM,TO[:…]", "copies a cell where another one is a text", values::order_map),
    op("datef", &[], Scope::Row, "datef=COLS:IN:OUT[:TO], patterns of Joda time or unixmillis", "writes dates in another way", values::date_format),
    op("filter", &[], Scope::Row, "filter={from.index:COL, require:[a,b]}, or exclude, or require {contains:\"x\"}, or a list of such", "rows that a filter lets through", values::filter),
    op("t", &["trans"], Scope::Table, "t", "rows become columns", |_| Ok(Op::Transpose)),
    op("num", &["math"], Scope::Row, "num=STEP,STEP…, e.g. c0,c1,add,v2,set", "calculates on a stack", values::number),
    op("str", &[], Scope::Row, "str=STEP,STEP…, e.g. c0,v-,cat,v0,set", "texts on a stack", values::text),
    op("sleep", &[], Scope::Row, "sleep=MILLISECONDS[,SPREAD]", "waits before each row", values::sleep),
    op("rndfail", &[], Scope::Row, "rndfail=PERCENT", "fails at random", values::random_failure),
];
