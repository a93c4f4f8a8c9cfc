//! Row-by-row programs and the columns they are given.

use super::needs::{Needs, path_text};
use super::predicate::{Guard, NESTED};
use crate::Result;
use crate::evaluate::{Binding, ListColumn, call};
use datafusion::logical_expr::Expr;
use lakeql_lake::catalog::paths::PathOwner;
use lakeql_query::model::{
    Attribute, CompareOp, Entity, Expr as Predicate, Inputs, Key, Literal, Place, Program, Relation,
};
use lakeql_query::span::Span;
use lakeql_query::syntax::python::{CompareOp as PyCompare, PyExpr, PyKind, UnaryOp};

/// Summaries that are stored as float and, if they were integers, as integer too.
pub(super) const NUMBERS: [&str; 4] = ["first", "last", "min", "max"];

impl Needs<'_> {
    /// The predicate that evaluates a program where the guard holds.
    pub(super) fn program(&mut self, program: &Program, outcome: bool, guard: &Guard) -> Result<Expr> {
        let mut args = vec![];
        for name in &program.inputs.run {
            args.push((Binding::Run(name.clone()), self.run(name)));
        }
        let mut document = false;
        for path in &program.inputs.params {
            if path.is_empty() || (self.may_nest(path) && !self.only_lists(path)) {
                document = true;
                continue;
            }
            let typed = self.param(path);
            for (column, expr) in typed.columns() {
                args.push((Binding::Param { path: path.clone(), column }, expr.clone()));
            }
            if self.has_kind(PathOwner::Run, path, &["list"]) {
                for column in ListColumn::ALL {
                    let expr = self.attribute(&path_text(path), column.name());
                    args.push((Binding::List { path: path.clone(), column }, expr));
                }
            }
        }
        if document {
            args.push((Binding::Document, self.run("params")));
        }
        for summary in &program.inputs.summaries {
            // A media sequence keeps an object as its last value.
            let object = (summary.field == "last").then_some(["kind", "last_json"]);
            for column in stored(&summary.field).into_iter().chain(object.into_iter().flatten().map(str::to_owned)) {
                let expr = self.summary(&summary.series, &summary.context, &column)?;
                args.push((Binding::Summary { summary: summary.clone(), column }, expr));
            }
        }
        if program.inputs.all_series {
            args.push((Binding::AllSeries, self.all_series()));
        }
        if let Relation::Series(kind) = self.relation {
            for name in &program.inputs.series {
                let media = name == "last" && kind != lakeql_query::model::SeriesKind::Metric;
                for column in stored(name).into_iter().chain(media.then(|| "last_json".to_owned())) {
                    let expr = self.series(&column);
                    args.push((Binding::Series(column), expr));
                }
            }
        }
        // A program about the run alone can be asked before the run meets its sequences: the guard must not prevent that.
        let of_run = args.iter().all(|(_, column)| only_of_runs(column));
        let guard = guard.expr(of_run && self.relation != Relation::Runs);
        call(program, outcome, self.now, guard, args)
    }

    /// Whether some run has something here that columns of scalars cannot hold: such values are in the document.
    pub(super) fn may_nest(&self, path: &[Key]) -> bool {
        self.has_kind(PathOwner::Run, path, &NESTED)
            // A prefix of the path may be a list, whose elements have no paths.
            || (1..path.len()).any(|length| {
                self.has_kind(PathOwner::Run, path.get(..length).unwrap_or_default(), &["list", "set"])
            })
    }

    /// Whether what the columns of scalars cannot hold at the path are lists, which have columns in `attributes`.
    fn only_lists(&self, path: &[Key]) -> bool {
        let inside = |end: usize| self.has_kind(PathOwner::Run, path.get(..end).unwrap_or_default(), &["list", "set"]);
        let others: Vec<_> = NESTED.into_iter().filter(|kind| *kind != "list").collect();
        !self.has_kind(PathOwner::Run, path, &others) && !(1..path.len()).any(inside)
    }

    /// Whether a value of one of these kinds is stored at the path.
    pub(super) fn has_kind(&self, owner: PathOwner, path: &[Key], kinds: &[&str]) -> bool {
        let entries = self.snapshot.paths().get(owner, &path_text(path));
        entries.iter().any(|entry| kinds.contains(&entry.kind.as_str()))
    }

    /// The program that asks what a leaf asks, for values that are not columns.
    pub(super) fn leaf_program(&mut self, leaf: &Predicate, attribute: &Attribute, guard: &Guard) -> Result<Expr> {
        let entity = match self.relation {
            Relation::Runs | Relation::Table | Relation::Samples | Relation::Trees | Relation::Catalogue(_) => {
                Entity::Run
            }
            Relation::Series(kind) => Entity::Series(kind),
        };
        let mut inputs = Inputs::default();
        let span = attribute.span;
        let node = |kind: PyKind| PyExpr { kind, span };
        let (subject, path) = match &attribute.place {
            Place::Param(path) => {
                inputs.params.insert(path.clone());
                (node(PyKind::Name("run".into())), path.as_slice())
            }
            Place::Context(path) => {
                inputs.series.insert("context".into());
                let item = node(PyKind::Name(entity.variable().into()));
                let context = PyKind::Attribute { value: Box::new(item), name: "context".into(), name_span: span };
                (node(context), path.as_slice())
            }
            Place::Run(_) | Place::Summary { .. } | Place::Series(_) => {
                return Err(super::internal("a column that cannot be compared"));
            }
        };
        let index = |value: PyExpr, key: &Key| {
            let key = match key {
                Key::Text(text) => PyKind::Str(text.clone()),
                Key::Int(number) => PyKind::Int((*number).into()),
            };
            node(PyKind::Subscript { value: Box::new(value), index: Box::new(node(key)) })
        };
        let value = path.iter().fold(subject, index);
        let compare = |left: PyExpr, op: PyCompare, right: PyExpr| {
            node(PyKind::Compare { left: Box::new(left), rest: vec![(op, right)] })
        };
        let expr = match leaf {
            Predicate::Compare { op, value: literal, .. } => compare(value, python_op(*op), constant(literal, span)),
            Predicate::In { values, .. } => {
                let list = PyKind::List(values.iter().map(|literal| constant(literal, span)).collect());
                compare(value, PyCompare::In, node(list))
            }
            Predicate::Truthy(_) => value,
            Predicate::IsNull(_) => compare(value, PyCompare::Eq, node(PyKind::None)),
            // What is not there raises; what is there makes a tuple that is not empty.
            Predicate::Present(_) => node(PyKind::Tuple(vec![value])),
            Predicate::Literal(_)
            | Predicate::All(_)
            | Predicate::Any(_)
            | Predicate::Not(_)
            | Predicate::Contains { .. }
            | Predicate::StartsWith { .. }
            | Predicate::EndsWith { .. }
            | Predicate::Field(_)
            | Predicate::Items(_)
            | Predicate::Column(_)
            | Predicate::Evaluate { .. } => return Err(super::internal("not a leaf over a path")),
        };
        self.program(&Program { expr, text: String::new(), entity, offset_minutes: 0, inputs }, true, guard)
    }
}

/// Whether an expression speaks of the runs table alone.
pub(super) fn only_of_runs(expr: &Expr) -> bool {
    expr.column_refs().iter().all(|column| matches!(&column.relation, Some(table) if table.table() == "r"))
}

/// The columns of a summary.
fn stored(field: &str) -> Vec<String> {
    let mut columns = vec![field.to_owned()];
    if NUMBERS.contains(&field) {
        columns.push(format!("{field}_int"));
    }
    columns
}

fn python_op(op: CompareOp) -> PyCompare {
    match op {
        CompareOp::Eq => PyCompare::Eq,
        CompareOp::Lt => PyCompare::Lt,
        CompareOp::LtEq => PyCompare::LtE,
        CompareOp::Gt => PyCompare::Gt,
        CompareOp::GtEq => PyCompare::GtE,
    }
}

fn constant(literal: &Literal, span: Span) -> PyExpr {
    let node = |kind: PyKind| PyExpr { kind, span };
    let negated = |kind: PyKind| node(PyKind::Unary { op: UnaryOp::Neg, operand: Box::new(node(kind)) });
    match literal {
        Literal::Bool(value) => node(PyKind::Bool(*value)),
        Literal::Int(value) if *value < 0 => negated(PyKind::Int(i128::from(*value).unsigned_abs().into())),
        Literal::Int(value) => node(PyKind::Int((*value).into())),
        Literal::Float(value) if value.is_sign_negative() => negated(PyKind::Float(-value)),
        Literal::Float(value) => node(PyKind::Float(*value)),
        Literal::Text(value) => node(PyKind::Str(value.clone())),
        // No param is a point in time.
        Literal::Time(_) => node(PyKind::Ellipsis),
    }
}
