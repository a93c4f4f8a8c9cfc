//! The syntax tree of a pipeline.

use super::{NumberProgram, Relaxed, TextStep};
use crate::span::Span;

/// One past the greatest position of a column.
pub const MOST_COLUMNS: usize = 1_000_000;

/// Ops in the order in which they run.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// The ops.
    pub ops: Vec<Call>,
}

/// One op of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its name as the catalogue has it.
    pub name: &'static str,
    /// Where it stands.
    pub span: Span,
    /// What it does.
    pub op: Op,
}

/// What an op does. Section numbers are those of the specification.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// `gather=SPEC` (5.2): one row per key.
    Gather(MergeSpec),
    /// `merge=SPEC` (5.2): one row per run of equal keys.
    Merge(MergeSpec),
    /// `groupby=KEYS:OPS` (5.2): the nested ops for each key.
    GroupBy {
        /// Only its keys matter.
        keys: MergeSpec,
        /// The nested ops.
        ops: Pipeline,
    },
    /// `pivot` (5.2).
    Pivot(PivotSpec),
    /// `depivot` (5.2): which cells appear, in this order.
    Depivot(Vec<DepivotCell>),
    /// `sum`, `avg`, `min`, `max`, `delta` (5.2).
    Roll(RollSpec),
    /// `histo=COL[,scale]`.
    Histogram {
        /// The column of the values.
        column: usize,
        /// The powers of this are the bounds; at least 2.
        scale: i64,
    },
    /// `histo2=COL[:FREQ],b1,b2,…`.
    Bounds {
        /// The column of the values.
        column: usize,
        /// The column that says how often, if any.
        frequency: Option<usize>,
        /// The bounds.
        bounds: Bounds,
    },
    /// `distribution=COL[,size]`: the percentiles of a column; all values count, whatever the size.
    Distribution {
        /// The column of the values.
        column: usize,
    },
    /// `percentrank=IN:OUT`.
    PercentRank {
        /// The column that is ranked.
        input: usize,
        /// Where the rank goes; appended when beyond the row.
        output: usize,
    },
    /// `median`: the row in the middle.
    Median,
    /// `ftable=KEYS:VALUE,FREQ:PERCENTILES`.
    FrequencyTable {
        /// Columns whose change starts a new table.
        keys: Vec<ColumnRef>,
        /// Name of the column of values.
        value: String,
        /// Name of the column of frequencies.
        frequency: String,
        /// Whether the total comes before the percentiles.
        total: bool,
        /// Percentiles between 0 and 1.
        percentiles: Vec<f64>,
    },
    /// `disorder=P:S[:F]`: always empty in the original.
    Disorder {
        /// The column of the first keys: one answer for each.
        primary: usize,
        /// The column of the second keys.
        secondary: usize,
        /// The column that says how often, if any.
        frequency: Option<usize>,
    },
    /// `seen=COL:BITS[:k[:hash]]`: one bloom filter of a column.
    Seen {
        /// The column of the values.
        column: usize,
        /// Size of the filter.
        bits: usize,
        /// Number of hashes.
        hashes: u32,
    },
    /// `changepoints=T:V[:…]`.
    ChangePoints(ChangePoints),
    /// `holtwinters=T:V:…`.
    HoltWinters(HoltWinters),
    /// `diff=kad…`: one letter a column.
    Diff(Vec<DiffColumn>),
    /// `rmsing=KEY:VAL`.
    RemoveSingletons {
        /// The column of the keys.
        key: usize,
        /// The column of the values.
        value: usize,
    },
    /// `fold=KEYS:COL:v1,v2:COPY`.
    Fold {
        /// Columns whose change starts a new row.
        keys: Vec<ColumnRef>,
        /// The column that is compared with `values`.
        column: ColumnRef,
        /// The values that get a place in the row.
        values: Vec<String>,
        /// The columns copied behind each value.
        copies: Vec<ColumnRef>,
    },
    /// `sort=COLS:TYPES:DIRS` (5.3).
    Sort(Vec<SortKey>),
    /// `limit=[S:]N`.
    Limit {
        /// Rows dropped first.
        skip: u64,
        /// Rows passed; at least 1.
        count: u64,
    },
    /// `skip=A[,B[,C]]`; never empty.
    Skip(Vec<i64>),
    /// `range=B[,E]`.
    Range {
        /// First row; negative counts from the end.
        begin: i64,
        /// One past the last row; 0 and below count from the end.
        end: i64,
    },
    /// `reverse`.
    Reverse,
    /// `nodup`.
    NoDuplicates,
    /// `order=c1,c2,…` (5.4).
    Order(Vec<ColumnRef>),
    /// `title=a,b`; none means the names of the columns.
    Title(Vec<String>),
    /// `fill[=V]`.
    Fill(Constant),
    /// `pad=V:N`.
    Pad {
        /// What goes into empty cells.
        with: Constant,
        /// How many columns.
        columns: usize,
    },
    /// `contains=COL:a,b`.
    Contains {
        /// The column that is searched.
        column: usize,
        /// Any of these must occur.
        parts: Vec<String>,
    },
    /// `compare=COL:OP:INT`.
    Compare {
        /// The column that is compared.
        column: usize,
        /// Whether equality holds.
        equal: bool,
        /// Whether greater holds, whether less holds.
        other: Option<Side>,
        /// What it is compared with.
        with: i64,
    },
    /// `map=COL::JSON`.
    Map {
        /// The column whose text is replaced.
        column: usize,
        /// Text and what takes its place.
        entries: Vec<(String, String)>,
    },
    /// `rmap=COL::JSON`.
    RegexMap {
        /// The column whose text is replaced.
        column: usize,
        /// Regular expression and what takes the place of a text that it matches as a whole.
        entries: Vec<(String, String)>,
    },
    /// `ordermap=TEST,TEXT,FROM,TO[:…]`.
    OrderMap(Vec<OrderMap>),
    /// `datef=COLS:IN:OUT[:TO]`.
    DateFormat {
        /// These columns together are the input.
        columns: Vec<usize>,
        /// How the input is read; none means milliseconds since 1970.
        input: Option<String>,
        /// How the output is written; none means milliseconds since 1970.
        output: Option<String>,
        /// Where the output goes; appended when beyond the row.
        to: usize,
    },
    /// `filter=HOCON`: filters of the job language, all of which keep the row.
    Filter(Vec<ValueFilter>),
    /// `t`, `trans`.
    Transpose,
    /// `num`, `math`.
    Number(NumberProgram),
    /// `str`.
    Text(Vec<TextStep>),
    /// `sleep=N[,M]`: a helper for tests.
    Sleep {
        /// Milliseconds before each row.
        millis: u64,
        /// Up to half of these more or less.
        spread: u64,
    },
    /// `rndfail=N`: a helper for tests.
    RandomFailure {
        /// So many of a hundred rows fail.
        percent: u64,
    },
}

/// A column by position, or by name where there is no such position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnRef {
    /// As it was written.
    pub text: String,
    /// The position, if it is one.
    pub position: Option<usize>,
}

impl ColumnRef {
    /// Reads a position or name.
    pub fn new(text: &str) -> Self {
        let position = text.parse::<u32>().ok().and_then(|position| usize::try_from(position).ok());
        Self { text: text.to_owned(), position }
    }
}

/// What `gather`, `merge` and `groupby` do with each column.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct MergeSpec {
    /// One entry per input column.
    pub columns: Vec<Merge>,
    /// Whether the number of rows follows as last column.
    pub count: bool,
    /// The column whose greatest values survive.
    pub top: Option<usize>,
    /// The digits: size of a `top`, or most rows per output row of `merge`; 0 if there are none.
    pub number: u64,
}

/// What happens to the values of a column in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// `i` and letters without meaning: no output.
    Ignore,
    /// `k`.
    Key,
    /// `s`.
    Sum,
    /// `a`.
    Average,
    /// `m`.
    Min,
    /// `M`.
    Max,
    /// `d`.
    Difference,
    /// `p`, strictly; otherwise it is a sum.
    Product,
    /// `j`.
    Join,
    /// `c`.
    Distinct,
    /// `l`.
    Last,
}

/// The arguments of `pivot`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PivotSpec {
    /// Columns that together are the key of the row.
    pub rows: Vec<ColumnRef>,
    /// Columns that together are the key of the column.
    pub columns: Vec<ColumnRef>,
    /// Name of the column of values.
    pub value: String,
    /// How values of one cell are put together; none keeps the first.
    pub cell: Option<PivotOp>,
    /// How a row's total is made, if it has one.
    pub row: Option<PivotOp>,
    /// How a column's total is made, if it has one.
    pub column: Option<PivotOp>,
    /// The order of the rows, if it is not that of their labels.
    pub sort: Option<PivotSort>,
}

/// How values are put together by `pivot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum PivotOp {
    Sum,
    Min,
    Max,
    Average,
}

/// The order of a pivot's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PivotSort {
    /// By label; otherwise by the row's total.
    pub label: bool,
    /// Greatest first.
    pub descending: bool,
}

/// A cell of the rows that `depivot` makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the arguments")]
pub enum DepivotCell {
    Row,
    Column,
    Value,
    Extra,
}

/// The arguments of a running aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollSpec {
    /// Which one.
    pub kind: Roll,
    /// Whether texts are read as doubles.
    pub float: bool,
    /// Where the values go.
    pub output: RollOutput,
    /// The columns.
    pub columns: Vec<ColumnRef>,
    /// Columns whose change starts again.
    pub keys: Vec<ColumnRef>,
}

/// A running aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the ops")]
pub enum Roll {
    Sum,
    Average,
    Min,
    Max,
    Delta,
}

/// Where a running aggregate goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RollOutput {
    /// Into a column of its own.
    Append,
    /// Over the value.
    InPlace,
    /// Into one row at the end.
    Summary,
}

/// The bounds of an explicit histogram, sorted.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the types say it")]
pub enum Bounds {
    Integers(Vec<i32>),
    Floats(Vec<f32>),
}

/// The arguments of `changepoints`.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the arguments")]
pub struct ChangePoints {
    pub time: usize,
    pub value: usize,
    pub min_change: i64,
    pub min_ratio: f64,
    pub min_z: f64,
    pub inactive: i64,
    pub window: usize,
}

/// The arguments of `holtwinters`.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the arguments")]
pub struct HoltWinters {
    pub time: usize,
    pub value: usize,
    pub alpha: f64,
    pub beta: f64,
    pub gamma: f64,
    pub period: usize,
    pub future: usize,
}

/// What `diff` does with a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffColumn {
    /// `k`: part of the key.
    Key,
    /// `a`: the alternating key that tells first from second rows.
    Alternating,
    /// `d`: second minus first.
    Difference,
    /// `D`: first minus second.
    Negative,
}

/// A column by which rows are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The column.
    pub column: ColumnRef,
    /// As what values compare.
    pub as_type: SortType,
    /// Greatest first.
    pub descending: bool,
}

/// As what values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum SortType {
    Integer,
    Float,
    Text,
}

/// Which side of a comparison may be greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The cell is greater.
    Greater,
    /// The cell is less.
    Less,
    /// Either; only strictly.
    Unequal,
}

/// A value that is written in a pipeline.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Constant {
    Integer(i64),
    Float(f64),
    Text(String),
}

/// One copy rule of `ordermap`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the arguments")]
pub struct OrderMap {
    pub test: usize,
    pub text: String,
    pub from: usize,
    pub to: usize,
}

/// A filter of the job language that looks at one field.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueFilter {
    /// The field.
    pub column: ColumnRef,
    /// Whether a match drops the row instead of keeping it.
    pub exclude: bool,
    /// Whether what would be dropped is kept, and the other way round.
    pub inverted: bool,
    /// Any of these is a match.
    pub tests: ValueTests,
}

/// What a text is compared with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValueTests {
    /// The whole text is one of these.
    pub values: Vec<String>,
    /// One of these occurs.
    pub contains: Vec<String>,
    /// One of these regular expressions matches the whole text.
    pub matches: Vec<String>,
    /// One of these regular expressions occurs.
    pub finds: Vec<String>,
    /// The text is made lower case first, and stays so.
    pub lower: bool,
}

impl Relaxed {
    /// The text of a value where a text is wanted.
    pub fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::to_text).collect();
                format!("[{}]", items.join(","))
            }
            Self::Object(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(name, value)| format!("{name}:{}", value.to_text())).collect();
                format!("{{{}}}", entries.join(","))
            }
        }
    }
}
