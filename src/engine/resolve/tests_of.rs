//! Tests of values of a known type.

use super::compare;
use super::field::{attribute_kind, series_kind};
use super::needs::{Needs, Typed};
use super::predicate::{Value, balanced};
use datafusion::arrow::datatypes::DataType;
use datafusion::functions::string::expr_fn::contains;
use datafusion::functions_nested::expr_fn::{array_has, array_length};
use datafusion::logical_expr::{Expr, ScalarUDF, ScalarUDFImpl, cast, lit};
use lakeql_lake::Table;
use lakeql_lake::catalog::path::{ColumnType, column_name};
use lakeql_lake::catalog::paths::PathOwner;
use lakeql_query::model::{CompareOp, Literal, Summary, Test, ValueType};
use lakeql_udfs::scalar::contains_folded::ContainsFolded;
use lakeql_udfs::scalar::is_nan::IsNan;
use lakeql_udfs::scalar::regex_found::RegexFound;

/// The columns of a value of one type.
pub(super) struct Stored {
    stored: ValueType,
    /// The value; nothing for types that can only be there or not.
    value: Option<Expr>,
    /// Holds where there is a value of this type.
    pub(super) present: Expr,
    /// What has to hold besides for `value` to be of this type.
    guard: Option<Expr>,
}

impl Stored {
    /// A column of this type.
    pub(super) fn of_column(column: Expr, stored: ValueType) -> Self {
        let present = match stored {
            ValueType::Set => array_length(column.clone()).gt(lit(0_u64)),
            _ => column.clone().is_not_null(),
        };
        Self { stored, value: Some(column), present, guard: None }
    }

    /// The predicate that holds where the value passes the test; where it is null it does not hold.
    pub(super) fn test(&self, test: &Test) -> Expr {
        let Some(value) = &self.value else {
            return if *test == Test::Present { self.present.clone() } else { lit(false) };
        };
        if *test == Test::Present {
            return self.present.clone();
        }
        let passes = test_value(value, self.stored, test);
        match &self.guard {
            Some(guard) if passes != lit(false) => guard.clone().and(passes),
            _ => passes,
        }
    }
}

fn call(function: impl ScalarUDFImpl + 'static, args: Vec<Expr>) -> Expr {
    ScalarUDF::from(function).call(args)
}

fn test_value(value: &Expr, stored: ValueType, test: &Test) -> Expr {
    let column = || value.clone();
    let text = |text: &str| lit(compare::text_value(text));
    match test {
        Test::Present => column().is_not_null(),
        Test::Compare { op, value: literal } => {
            compare::compare(&typed(column(), stored), *op, literal).unwrap_or_else(|| lit(false))
        }
        Test::In(values) => compare::within(&typed(column(), stored), values).unwrap_or_else(|| lit(false)),
        Test::Any(tests) => balanced(tests.iter().map(|test| test_value(value, stored, test)).collect(), false),
        Test::TimeWithin(from, before) => column().gt_eq(compare::time(*from)).and(column().lt(compare::time(*before))),
        Test::IsNan => call(IsNan::new(), vec![column()]),
        Test::Contains(piece) => contains(column(), text(piece)),
        Test::ContainsFolded(piece) => call(ContainsFolded::new(), vec![column(), text(piece)]),
        Test::Has(element) => array_has(column(), text(element)),
        Test::Matches(pattern) => call(RegexFound::new(), vec![column(), text(&pattern.regex)]),
    }
}

/// The column as a value that compares.
fn typed(column: Expr, stored: ValueType) -> Value {
    let value = Some(column.clone());
    let typed = match stored {
        ValueType::Time => return Value::Time(column),
        ValueType::Set => return Value::Texts(column),
        ValueType::Int => Typed { int: value, ..Typed::default() },
        ValueType::Float | ValueType::FloatSeries => Typed { float: value, ..Typed::default() },
        ValueType::Bool => Typed { bool: value, ..Typed::default() },
        ValueType::Text
        | ValueType::State
        | ValueType::Artifact
        | ValueType::File
        | ValueType::FileSet
        | ValueType::GitRef
        | ValueType::NotebookRef
        | ValueType::TextSeries
        | ValueType::HistogramSeries
        | ValueType::FileSeries => Typed { text: value, ..Typed::default() },
    };
    Value::Typed(Box::new(typed))
}

impl Needs<'_> {
    /// A parameter of this type: a typed column if there is one, else the row of `attributes`.
    pub(super) fn stored_param(&mut self, path: &str, stored: ValueType) -> Stored {
        let (column, typed) = match stored {
            ValueType::Int => ("int", Some(ColumnType::Int)),
            ValueType::Float => ("float", Some(ColumnType::Float)),
            ValueType::Text => ("text", Some(ColumnType::Text)),
            ValueType::Bool => ("bool", Some(ColumnType::Bool)),
            ValueType::Time => ("time", Some(ColumnType::Time)),
            ValueType::Set => ("texts", None),
            ValueType::State | ValueType::Artifact | ValueType::File | ValueType::FileSet => ("text", None),
            ValueType::GitRef
            | ValueType::NotebookRef
            | ValueType::FloatSeries
            | ValueType::TextSeries
            | ValueType::HistogramSeries
            | ValueType::FileSeries => ("kind", None),
        };
        let snapshot = std::sync::Arc::clone(self.snapshot);
        if let Some(typed) = typed
            && snapshot.paths().is_hot(PathOwner::Run, path)
        {
            let name = column_name(path, typed);
            if snapshot.table(Table::Runs).schema.index_of(&name).is_ok() {
                return Stored::of_column(self.run(&name), stored);
            }
        }
        let kind = attribute_kind(stored).map_or("", |kind| kind.name());
        // Columns of numbers hold one kind only; texts may be of another kind where the path has several.
        let entries = snapshot.paths().get(PathOwner::Run, path);
        let alone = entries.iter().all(|entry| entry.kind == kind);
        let own = matches!(stored, ValueType::Int | ValueType::Float | ValueType::Bool | ValueType::Time);
        let exists_only = column == "kind";
        let value = self.attribute(path, column);
        if own || (stored == ValueType::Text && alone) {
            return Stored { stored, present: value.clone().is_not_null(), value: Some(value), guard: None };
        }
        let is_kind = self.attribute(path, "kind").eq(lit(compare::text_value(kind)));
        let present = match stored {
            // An empty set is as good as none.
            ValueType::Set => is_kind.clone().and(array_length(value.clone()).gt(lit(0_u64))),
            _ => is_kind.clone(),
        };
        Stored { stored, value: (!exists_only).then_some(value), present, guard: (!alone).then_some(is_kind) }
    }

    /// A summary of a sequence of this type.
    pub(super) fn stored_series(&mut self, name: &str, stored: ValueType, summary: Summary) -> Stored {
        let kind = series_kind(stored).unwrap_or_default();
        let mut column = |field: &str| self.plain_summary(name, kind, field);
        let there = column("run").is_not_null();
        let value = match (stored, summary) {
            (ValueType::TextSeries, _) => Some(column("last_text")),
            (ValueType::FloatSeries, Summary::Last) => Some(column("last")),
            (ValueType::FloatSeries, Summary::Min) => Some(column("min")),
            (ValueType::FloatSeries, Summary::Max) => Some(column("max")),
            (ValueType::FloatSeries, Summary::Mean) => Some(column("mean")),
            (ValueType::FloatSeries, Summary::Variance) => {
                Some(column("m2") / cast(column("n") - column("n_nan"), DataType::Float64))
            }
            _ => None,
        };
        // What is computed from values that are not NaN is missing where there are none.
        let computed = stored == ValueType::FloatSeries && summary != Summary::Last;
        let present = match &value {
            Some(value) if computed => value.clone().is_not_null(),
            _ => there,
        };
        Stored { stored, value, present, guard: None }
    }
}

/// Equality with a text, for the rows that a query is about.
pub(super) fn is_scope(op: CompareOp, value: &Literal) -> bool {
    op == CompareOp::Eq && matches!(value, Literal::Text(_))
}
