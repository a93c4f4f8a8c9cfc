//! Clauses of the legacy dialect (specification section 1).

use super::lower::Lowering;
use super::tree::{Clause, Op, Value};
use super::typed::{hidden, keys};
use super::value;
use crate::diagnostic::{Diagnostic, Kind};
use crate::model::{Candidate, Case, Choice, CompareOp, Expr, Literal, Place, Test, ValueType, fold};
use crate::syntax::cursor::shortened;
use crate::syntax::number::parse_number;

/// States in their order (R8).
const STATES: [&str; 4] = ["running", "succeeded", "aborted", "failed"];

/// System columns that are texts, with their attributes.
const TEXTS: [(&str, &str); 5] = [
    ("id", "sys/id"),
    ("owner", "sys/owner"),
    ("name", "sys/name"),
    ("description", "sys/description"),
    ("hostname", "sys/hostname"),
];

/// Columns that came later: a user's field of that name comes first (R19).
const LATER: [(&str, &[&str]); 8] = [
    ("commitid", &["sys/legacy/commitId"]),
    ("notebookname", &["sys/legacy/notebookName"]),
    ("checkpointname", &["sys/legacy/checkpointName"]),
    ("finished", &["sys/legacy/finished"]),
    ("timeofcompletion", &["sys/legacy/finished"]),
    ("created", &["sys/creation_time"]),
    ("timeofcreation", &["sys/creation_time"]),
    ("running_time", &["sys/running_time", "sys/running_time_seconds"]),
];

fn exactly(path: &str) -> Candidate {
    Candidate::Param { path: keys(path), fold_case: false }
}

/// The id: that of Neptune, or what a run is called that came without one.
fn id_ranks() -> Vec<Vec<Candidate>> {
    vec![vec![exactly("sys/id")], vec![Candidate::At(Place::Run("hash".into()))]]
}

impl Lowering<'_> {
    /// Where the clause holds, without its negation.
    pub(super) fn legacy(&self, clause: &Clause, values: &[&Value]) -> Result<Expr, Diagnostic> {
        if self.settings.plain {
            return Ok(self.column(clause, values));
        }
        let name = fold(&clause.operand.name);
        match name.as_str() {
            "state" => self.state(clause, values),
            "size" => self.size(clause, values),
            "tags" => self.tags(clause, values),
            _ => match TEXTS.iter().find(|(column, _)| *column == name) {
                Some((column, path)) => {
                    let ranks = if *column == "id" { id_ranks() } else { vec![vec![exactly(path)]] };
                    let test = text_test(clause.op, values);
                    Ok(self.field(
                        clause,
                        ranks,
                        Choice::PerRow,
                        vec![Case { stored: ValueType::Text, test: Ok(test) }],
                    ))
                }
                None => self.user_field(clause, values, &name),
            },
        }
    }

    /// A column of a plain table: its type is known, so what does not fit is an error, as with system columns.
    fn column(&self, clause: &Clause, values: &[&Value]) -> Expr {
        let test = |stored| self.typed_test(stored, clause, values).map_err(Box::new);
        let cases = ValueType::ALL.into_iter().map(|stored| Case { stored, test: test(stored) }).collect();
        let choice = Choice::OneType { none: ValueType::Text, advice: String::new() };
        self.field(clause, vec![], choice, cases)
    }

    /// A word or text alone (R18).
    pub(super) fn term(&self, term: &Value) -> Expr {
        let piece = fold(&term.text);
        let contains = |name: &str, ranks: Vec<Vec<Candidate>>| {
            let test = Ok(Test::ContainsFolded(piece.clone()));
            let ranks = if self.settings.plain { vec![] } else { ranks };
            hidden(name, ranks, vec![Case { stored: ValueType::Text, test }])
        };
        Expr::any([
            contains("name", vec![vec![exactly("sys/name")]]),
            contains("description", vec![vec![exactly("sys/description")]]),
            contains("id", id_ranks()),
        ])
    }

    /// The state by its rank (R8). An export holds none: whatever it has of `sys/failed` and `sys/state` tells (X5). Where
    /// there is nothing of the three, the state is missing.
    fn state(&self, clause: &Clause, values: &[&Value]) -> Result<Expr, Diagnostic> {
        let ranks = ["sys/legacy/state", "sys/failed", "sys/state"].map(|path| vec![exactly(path)]);
        let case = |stored, test| Case { stored, test: Ok(test) };
        let op = match clause.op {
            Op::Compare(op) => op,
            Op::Exists => {
                let present = [ValueType::Text, ValueType::Bool, ValueType::State].map(|it| case(it, Test::Present));
                return Ok(hidden("state", ranks.into(), present.into()));
            }
            Op::Contains | Op::Matches => {
                let problem =
                    Diagnostic::error(Kind::Type, "state is not a text to look into").label(clause.op_span, "");
                return Err(problem.hint("state takes = != < <= > >= and EXISTS"));
            }
        };
        let mut wanted = [false; STATES.len()];
        for value in values {
            let rank = STATES.iter().position(|state| state.eq_ignore_ascii_case(&value.text)).ok_or_else(|| {
                Diagnostic::error(Kind::Type, format!("there is no state `{}`", shortened(&value.text)))
                    .label(value.span, "")
                    .hint(format!("states are, in this order, {}", STATES.join(", ")))
            })?;
            for (other, wanted) in wanted.iter_mut().enumerate() {
                *wanted |= holds(op, other, rank);
            }
        }
        let names: Vec<_> = STATES.iter().zip(wanted).filter(|(_, wanted)| *wanted).map(|(state, _)| *state).collect();
        let (succeeded, failed) = (names.contains(&"succeeded"), names.contains(&"failed"));
        let stored = names.iter().map(|name| Literal::Text((*name).to_owned())).collect();
        let mut cases = vec![case(ValueType::Text, Test::In(stored))];
        match (succeeded, failed) {
            (true, true) => cases.push(case(ValueType::Bool, Test::Present)),
            (false, false) => {}
            (_, failed) => {
                let test = Test::Compare { op: CompareOp::Eq, value: Literal::Bool(failed) };
                cases.push(case(ValueType::Bool, test));
            }
        }
        // Nothing says that it failed.
        cases.extend(succeeded.then(|| case(ValueType::State, Test::Present)));
        Ok(hidden("state", ranks.into(), cases))
    }

    /// Bytes, with units (R7).
    fn size(&self, clause: &Clause, values: &[&Value]) -> Result<Expr, Diagnostic> {
        let (int, float) = match clause.op {
            Op::Exists => (Test::Present, Test::Present),
            Op::Compare(op) => {
                let mut numbers = vec![];
                for value in values {
                    numbers.push(value::sized(&value.text, self.settings.size_base).ok_or_else(|| {
                        Diagnostic::error(Kind::Type, format!("`{}` is not a size", shortened(&value.text)))
                            .label(value.span, "")
                            .hint("a size is a number of bytes, perhaps with kb, mb or gb: 100, 20MB, \"1.5 gb\"")
                    })?);
                }
                let none = || Test::In(vec![]);
                (
                    value::one_of(numbers.iter().filter_map(|n| value::compare_int(op, *n))).unwrap_or_else(none),
                    value::one_of(numbers.iter().filter_map(|n| value::compare_float(op, *n))).unwrap_or_else(none),
                )
            }
            Op::Contains | Op::Matches => {
                let problem = Diagnostic::error(Kind::Type, "size is a number").label(clause.op_span, "");
                return Err(problem.hint("size takes = != < <= > >= and EXISTS"));
            }
        };
        let cases =
            vec![Case { stored: ValueType::Int, test: Ok(int) }, Case { stored: ValueType::Float, test: Ok(float) }];
        Ok(self.field(clause, vec![vec![exactly("sys/size")]], Choice::PerRow, cases))
    }

    /// Tags are compared whole (R10).
    fn tags(&self, clause: &Clause, values: &[&Value]) -> Result<Expr, Diagnostic> {
        let test = match (clause.op, values) {
            (Op::Exists, _) => Test::Present,
            (Op::Contains, [value, ..]) => Test::Has(value.text.clone()),
            _ => {
                let message = format!("tags are a set, which has no {}", clause.op.name());
                let problem = Diagnostic::error(Kind::Type, message).label(clause.op_span, "");
                return Err(match values {
                    [value, ..] => problem.hint(format!("write tags contains \"{}\"", shortened(&value.text))),
                    [] => problem,
                });
            }
        };
        let ranks = vec![vec![Candidate::At(Place::Run("tags".into()))]];
        Ok(self.field(clause, ranks, Choice::PerRow, vec![Case { stored: ValueType::Set, test: Ok(test) }]))
    }

    /// A parameter, metric, text log or property, whichever the run has first (R1, X6); its stored type decides what the
    /// value means, and a value that means nothing for it does not match (R4, R5).
    fn user_field(&self, clause: &Clause, values: &[&Value], folded: &str) -> Result<Expr, Diagnostic> {
        let mut cases = vec![];
        for stored in ValueType::ALL {
            if let Some(test) = self.stored_test(stored, clause.op, values)? {
                cases.push(Case { stored, test: Ok(test) });
            }
        }
        Ok(self.field(clause, self.ranks(&clause.operand.name, folded), Choice::PerRow, cases))
    }

    fn ranks(&self, name: &str, folded: &str) -> Vec<Vec<Candidate>> {
        let prefixes = &self.settings.legacy_prefixes;
        let param = |path: &str| Candidate::Param { path: keys(path), fold_case: true };
        let series = |name: String, stored| Candidate::Series {
            name,
            stored,
            summary: crate::model::Summary::Last,
            fold_case: true,
        };
        let below = |prefix: &str| format!("{prefix}{name}");
        let mut ranks = vec![
            vec![
                param(name),
                param(&below(&prefixes.parameters)),
                series(name.to_owned(), ValueType::HistogramSeries),
                series(name.to_owned(), ValueType::FileSeries),
            ],
            vec![
                series(below(&prefixes.metrics), ValueType::FloatSeries),
                series(below(&prefixes.logs), ValueType::FloatSeries),
                series(name.to_owned(), ValueType::FloatSeries),
            ],
            vec![series(below(&prefixes.logs), ValueType::TextSeries), series(name.to_owned(), ValueType::TextSeries)],
            vec![param(&below(&prefixes.properties))],
        ];
        let later = LATER.iter().filter(|(column, _)| *column == folded);
        ranks.extend(later.flat_map(|(_, paths)| paths.iter().map(|path| vec![exactly(path)])));
        ranks
    }

    fn stored_test(&self, stored: ValueType, op: Op, values: &[&Value]) -> Result<Option<Test>, Diagnostic> {
        let compare = match op {
            Op::Exists => return Ok(Some(Test::Present)),
            Op::Compare(op) => Some(op),
            Op::Contains | Op::Matches => None,
        };
        let numbers = || values.iter().filter_map(|value| parse_number(&value.text));
        Ok(match (stored, compare) {
            (ValueType::Text | ValueType::TextSeries | ValueType::State | ValueType::Artifact, _) => {
                Some(text_test(op, values))
            }
            (ValueType::Set, None) => values.first().map(|value| Test::Has(value.text.clone())),
            (ValueType::Int, Some(op)) => value::one_of(numbers().filter_map(|n| value::compare_int(op, n))),
            (ValueType::Float | ValueType::FloatSeries, Some(op)) => {
                value::one_of(numbers().filter_map(|n| value::compare_float(op, n)))
            }
            // Truth values have no order (R21).
            (ValueType::Bool, Some(CompareOp::Eq)) => {
                let flags = values.iter().filter_map(|value| value::flag(&value.text));
                value::one_of(flags.map(|flag| Test::Compare { op: CompareOp::Eq, value: Literal::Bool(flag) }))
            }
            (ValueType::Time, Some(op)) => {
                let mut tests = vec![];
                for value in values {
                    let micros = value::time(&value.text, value.span, self.settings)?;
                    tests.extend(micros.map(|micros| value::compare_time(op, micros)));
                }
                value::one_of(tests)
            }
            (
                ValueType::Int
                | ValueType::Float
                | ValueType::Bool
                | ValueType::Time
                | ValueType::Set
                | ValueType::File
                | ValueType::FileSet
                | ValueType::GitRef
                | ValueType::NotebookRef
                | ValueType::FloatSeries
                | ValueType::HistogramSeries
                | ValueType::FileSeries,
                _,
            ) => None,
        })
    }
}

fn text_test(op: Op, values: &[&Value]) -> Test {
    let text = |value: &Value| Literal::Text(value.text.clone());
    match (op, values) {
        (Op::Compare(op), values) => value::one_of(values.iter().map(|value| Test::Compare { op, value: text(value) }))
            .unwrap_or(Test::In(vec![])),
        (Op::Contains | Op::Matches, [value, ..]) => Test::Contains(value.text.clone()),
        (Op::Exists, _) | (_, []) => Test::Present,
    }
}

/// Whether `left op right` for ranks.
fn holds(op: CompareOp, left: usize, right: usize) -> bool {
    match op {
        CompareOp::Eq => left == right,
        CompareOp::Lt => left < right,
        CompareOp::LtEq => left <= right,
        CompareOp::Gt => left > right,
        CompareOp::GtEq => left >= right,
    }
}
