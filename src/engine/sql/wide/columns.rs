//! Which parameters become columns, of which type, and where their values are.

use super::super::tables::of;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, ScalarUDF, cast, lit, try_cast};
use lakeql_lake::catalog::kind::AttributeKind;
use lakeql_lake::catalog::path::{ColumnType, column_name};
use lakeql_lake::catalog::paths::{PathCatalog, PathEntry, PathOwner};
use lakeql_lake::{Snapshot, Table};
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use lakeql_udfs::scalar::glob_match::is_match;
use lakeql_udfs::scalar::json_list::JsonList;
use std::collections::HashSet;

/// The columns of the run itself.
pub(super) const OWN: [&str; 4] = ["hash", "name", "experiment", "created_at"];

/// Without arguments only the most frequent parameters become columns.
const MOST: usize = 500;

/// A parameter as a column.
#[derive(Clone, Debug)]
pub(super) struct WideColumn {
    /// The path of the parameter.
    pub(super) path: String,
    /// The name of the column.
    pub(super) name: String,
    /// The typed columns of `runs` that have all values, or nothing if they have to be looked for in `attributes`.
    pub(super) typed: Option<Vec<(ColumnType, String)>>,
    kinds: Kinds,
}

/// The kinds of values that a parameter has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Kinds {
    int: bool,
    float: bool,
    text: bool,
    bool: bool,
    time: bool,
    /// Texts that typed columns do not hold: states, hashes of artifacts, paths of files.
    named: bool,
    list: bool,
    dict: bool,
    null: bool,
}

/// The columns for these paths and patterns, or for all frequent paths if there are none.
pub(super) fn choose(snapshot: &Snapshot, patterns: &[String]) -> Result<Vec<WideColumn>, Diagnostic> {
    let paths = snapshot.paths();
    let mut chosen: Vec<&str> = vec![];
    if patterns.is_empty() {
        chosen = frequent(paths);
    }
    for pattern in patterns {
        let before = chosen.len();
        if !paths.get(PathOwner::Run, pattern).is_empty() {
            chosen.extend(one(paths, pattern)?);
        } else if pattern.contains('*') {
            let matching = paths.names(PathOwner::Run).filter(|path| is_match(path, pattern));
            chosen.extend(matching.filter(|path| Kinds::of(paths.get(PathOwner::Run, path)).has_value()));
        }
        if chosen.len() == before {
            return Err(unknown(paths, pattern));
        }
    }
    let mut seen = HashSet::new();
    chosen.retain(|path| seen.insert(*path));
    Ok(chosen.into_iter().map(|path| WideColumn::new(snapshot, path)).collect())
}

/// The most frequent paths, in byte order.
fn frequent(paths: &PathCatalog) -> Vec<&str> {
    let kinds = paths.owned(PathOwner::Run).chunk_by(|a, b| a.path == b.path);
    let mut counted: Vec<(u64, &str)> = kinds
        .filter(|kinds| Kinds::of(kinds).has_value())
        .filter_map(|kinds| Some((kinds.iter().map(|entry| entry.count).sum(), kinds.first()?.path.as_str())))
        .collect();
    counted.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let mut names: Vec<_> = counted.into_iter().take(MOST).map(|(_, path)| path).collect();
    names.sort_unstable();
    names
}

/// One path that the lake has, as it is written there.
fn one<'p>(paths: &'p PathCatalog, path: &str) -> Result<Option<&'p str>, Diagnostic> {
    let entries = paths.get(PathOwner::Run, path);
    let kinds = Kinds::of(entries);
    if kinds.dict && !kinds.has_value() {
        return Err(Diagnostic::error(Kind::NotFound, format!("`{path}` is a group of parameters, not one"))
            .hint(format!("its members: runs_wide('{path}.*')")));
    }
    Ok(entries.first().map(|entry| entry.path.as_str()))
}

fn unknown(paths: &PathCatalog, pattern: &str) -> Diagnostic {
    if pattern.contains('*') {
        return Diagnostic::error(Kind::NotFound, format!("no parameter matches `{pattern}`"));
    }
    let problem = Diagnostic::error(Kind::NotFound, format!("no run has the parameter `{pattern}`"));
    match did_you_mean(pattern, paths.names(PathOwner::Run)) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem.hint("the parameters there are: select path, kind, count from raw.paths where owner = 'run'"),
    }
}

impl Kinds {
    fn of(entries: &[PathEntry]) -> Self {
        let mut kinds = Self::default();
        for entry in entries {
            match AttributeKind::from_name(&entry.kind) {
                Some(AttributeKind::Int) => kinds.int = true,
                Some(AttributeKind::Float) => kinds.float = true,
                Some(AttributeKind::Text) => kinds.text = true,
                Some(AttributeKind::Bool) => kinds.bool = true,
                Some(AttributeKind::Time) => kinds.time = true,
                Some(AttributeKind::List | AttributeKind::Set) => kinds.list = true,
                Some(AttributeKind::Dict) => kinds.dict = true,
                Some(AttributeKind::State | AttributeKind::Artifact | AttributeKind::File | AttributeKind::FileSet) => {
                    kinds.named = true
                }
                Some(AttributeKind::Null | AttributeKind::GitRef | AttributeKind::NotebookRef) | None => {
                    kinds.null = true;
                }
            }
        }
        kinds
    }

    /// Whether there is anything to show; a parameter that is always null still has a column.
    fn has_value(self) -> bool {
        let scalar = self.int || self.float || self.text || self.bool || self.time || self.named;
        scalar || self.list || (self.null && !self.dict)
    }

    fn column_types(self) -> impl Iterator<Item = ColumnType> {
        let types = [
            (self.text || self.named, ColumnType::Text),
            (self.int, ColumnType::Int),
            (self.float, ColumnType::Float),
            (self.bool, ColumnType::Bool),
            (self.time, ColumnType::Time),
        ];
        types.into_iter().filter_map(|(has, column_type)| has.then_some(column_type))
    }

    fn data_type(self) -> DataType {
        match self {
            Self { list: true, .. } | Self { text: true, .. } | Self { named: true, .. } => DataType::Utf8View,
            Self { time: true, int: false, float: false, bool: false, .. } => ColumnType::Time.data_type(),
            Self { time: true, .. } => DataType::Utf8View,
            Self { bool: true, int: false, float: false, .. } => DataType::Boolean,
            Self { bool: false, float: true, .. } => DataType::Float64,
            Self { bool: false, int: true, .. } => DataType::Int64,
            _ => DataType::Utf8View,
        }
    }
}

impl WideColumn {
    fn new(snapshot: &Snapshot, path: &str) -> Self {
        let kinds = Kinds::of(snapshot.paths().get(PathOwner::Run, path));
        let runs = &snapshot.table(Table::Runs).schema;
        let mut typed = None;
        if snapshot.paths().is_hot(PathOwner::Run, path) && !kinds.list && !kinds.named {
            let names = kinds.column_types().map(|column_type| (column_type, column_name(path, column_type)));
            let names: Vec<_> = names.collect();
            if names.iter().all(|(_, name)| runs.index_of(name).is_ok()) {
                typed = Some(names);
            }
        }
        let mut name = path.to_owned();
        if OWN.contains(&path) {
            name = match kinds.data_type() {
                DataType::Int64 => column_name(path, ColumnType::Int),
                DataType::Float64 => column_name(path, ColumnType::Float),
                DataType::Boolean => column_name(path, ColumnType::Bool),
                DataType::Timestamp(..) => column_name(path, ColumnType::Time),
                _ => column_name(path, ColumnType::Text),
            };
        }
        Self { path: path.to_owned(), name, typed, kinds }
    }

    /// The column in the schema of the table.
    pub(super) fn field(&self) -> Field {
        Field::new(&self.name, self.kinds.data_type(), true)
    }

    /// The value in typed columns of `runs`, which is known as `table`.
    pub(super) fn typed_value(&self, typed: &[(ColumnType, String)], table: &str) -> Expr {
        let values = typed.iter().map(|(column_type, name)| (*column_type, of(table, name)));
        first_of(self.converted(values), &self.kinds.data_type())
    }

    /// The value in a row of `attributes`, which is known as `table`.
    pub(super) fn attribute_value(&self, table: &str) -> Expr {
        let wanted = self.kinds.data_type();
        let scalars = self.kinds.column_types().map(|column_type| (column_type, of(table, column_type.suffix())));
        let mut values = self.converted(scalars);
        // Lists, and integers beyond 64 bits, which are kept as JSON.
        match wanted {
            DataType::Utf8View if self.kinds.list || self.kinds.int => {
                values.push(cast(of(table, "json"), wanted.clone()));
                if self.kinds.list {
                    let json = ScalarUDF::from(JsonList::new());
                    let lists = ["ints", "floats", "texts"].map(|name| json.call(vec![of(table, name)]));
                    values.extend(lists.map(|value| cast(value, wanted.clone())));
                }
            }
            DataType::Float64 if self.kinds.int => values.push(try_cast(of(table, "json"), wanted.clone())),
            _ => {}
        }
        first_of(values, &wanted)
    }

    /// Values in the type of the column.
    fn converted(&self, values: impl Iterator<Item = (ColumnType, Expr)>) -> Vec<Expr> {
        let wanted = self.kinds.data_type();
        let converted =
            values.map(
                |(column_type, value)| {
                    if stored_type(column_type) == wanted { value } else { cast(value, wanted.clone()) }
                },
            );
        converted.collect()
    }
}

/// The first value that is there.
fn first_of(mut values: Vec<Expr>, wanted: &DataType) -> Expr {
    match values.len() {
        // Always null.
        0 => cast(lit(ScalarValue::Null), wanted.clone()),
        1 => values.remove(0),
        _ => coalesce(values),
    }
}

/// The type in which scans give a typed column.
fn stored_type(column_type: ColumnType) -> DataType {
    match column_type.data_type() {
        DataType::Utf8 => DataType::Utf8View,
        other => other,
    }
}
