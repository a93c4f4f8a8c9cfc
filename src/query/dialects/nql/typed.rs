//! Clauses of the typed dialect (specification section 2).

use super::Flavour;
use super::lower::Lowering;
use super::tree::{Aggregate, Clause, Op, Value};
use super::{types, value};
use crate::diagnostic::{Diagnostic, Kind};
use crate::model::{
    Candidate, Case, Choice, CompareOp, Expr, Field, Key, Literal, Pattern, Place, Summary, Test, ValueType,
};
use crate::span::Span;
use crate::syntax::cursor::shortened;
use crate::syntax::re2;

/// The keys of an attribute's path.
pub(super) fn keys(path: &str) -> Vec<Key> {
    path.split('/').map(|key| Key::Text(key.to_owned())).collect()
}

impl Lowering<'_> {
    /// Where the clause holds, without its negation.
    pub(super) fn typed(&self, clause: &Clause, values: &[&Value]) -> Result<Expr, Diagnostic> {
        let operand = &clause.operand;
        let asked = |stored: ValueType| self.typed_test(stored, clause, values);
        // A type that is given, or known beforehand, is the only one; a wrong operator or value is an error at once.
        let single = match (&operand.declared, types::known(&operand.name), operand.call) {
            (Some(declared), _, _) => Some(types::parse(declared)?),
            (None, Some([single]), _) if !self.settings.plain => Some(*single),
            (None, None, Some(call)) if call != Aggregate::Last => Some(ValueType::FloatSeries),
            (None, _, _) => None,
        };
        if let Some(stored) = single {
            let cases = vec![Case { stored, test: Ok(asked(stored)?) }];
            let ranks = vec![vec![candidate(&operand.name, stored, operand.call)]];
            return Ok(self.field(clause, ranks, Choice::PerRow, cases));
        }
        let among = match types::known(&operand.name) {
            Some(known) if !self.settings.plain => known,
            _ => &ValueType::ALL,
        };
        let cases =
            among.iter().map(|stored| Case { stored: *stored, test: asked(*stored).map_err(Box::new) }).collect();
        let none = if among.len() == ValueType::ALL.len() { ValueType::Text } else { ValueType::Float };
        // Single values have one place, series one for each type.
        let mut rank = vec![candidate(&operand.name, none, None)];
        rank.extend(
            [ValueType::FloatSeries, ValueType::TextSeries, ValueType::HistogramSeries, ValueType::FileSeries]
                .into_iter()
                .filter(|stored| among.contains(stored))
                .map(|stored| candidate(&operand.name, stored, operand.call)),
        );
        let advice = format!("say which one is meant: `{}`:", shortened(&operand.name));
        Ok(self.field(clause, vec![rank], Choice::OneType { none, advice }, cases))
    }

    /// The question as the model has it.
    pub(super) fn field(&self, clause: &Clause, ranks: Vec<Vec<Candidate>>, choice: Choice, cases: Vec<Case>) -> Expr {
        Expr::Field(Box::new(Field {
            name: clause.operand.name.clone(),
            span: clause.operand.span.0,
            fold_case: self.flavour == Flavour::Legacy,
            ranks: if self.settings.plain { vec![] } else { ranks },
            choice,
            cases,
        }))
    }

    /// The test for values of one type, or why the type cannot be asked this.
    pub(super) fn typed_test(&self, stored: ValueType, clause: &Clause, values: &[&Value]) -> Result<Test, Diagnostic> {
        let name = shortened(&clause.operand.name);
        if let Some(call) = clause.operand.call {
            let fits = stored == ValueType::FloatSeries || (stored == ValueType::TextSeries && call == Aggregate::Last);
            if !fits {
                let message = format!("{}() takes a series of numbers, `{name}` is {}", call.name(), types::a(stored));
                let problem = Diagnostic::error(Kind::Type, message).label(clause.operand.span.0, "");
                return Err(problem.hint("a single value is compared without a function"));
            }
        }
        if !types::takes(stored, clause.op) {
            let message = format!("`{name}` is {}, which has no {}", types::a(stored), clause.op.name());
            return Err(Diagnostic::error(Kind::Type, message).label(clause.op_span, "").hint(format!(
                "{} takes {}",
                types::a(stored),
                types::operators(stored)
            )));
        }
        let tests = match (clause.op, values) {
            (Op::Exists, _) => return Ok(Test::Present),
            (Op::Contains, [value, ..]) if stored == ValueType::Set => return Ok(Test::Has(value.text.clone())),
            (Op::Contains, [value, ..]) => return Ok(Test::Contains(value.text.clone())),
            (Op::Matches, [value, ..]) => return pattern(value),
            (Op::Compare(op), values) => values.iter().map(move |value| self.compare(stored, op, value)),
            (_, []) => return Ok(Test::Present),
        };
        // What compares with nothing (a NaN in an order) leaves an empty set.
        let tests = tests.collect::<Result<Vec<_>, _>>()?;
        Ok(value::one_of(tests.into_iter().flatten()).unwrap_or(Test::In(vec![])))
    }

    fn compare(&self, stored: ValueType, op: CompareOp, value: &Value) -> Result<Option<Test>, Diagnostic> {
        let text = value.text.as_str();
        let wrong = |expected: &str| {
            let message = format!("`{}` is no value of {}", shortened(text), types::a(stored));
            Diagnostic::error(Kind::Type, message).label(value.span, "").hint(format!("expected {expected}"))
        };
        let literal = |value: Literal| Some(Test::Compare { op, value });
        Ok(match stored {
            ValueType::Int | ValueType::Float | ValueType::FloatSeries => {
                let number = value::sized(text, self.settings.size_base)
                    .ok_or_else(|| wrong("a number, perhaps with kb, mb or gb"))?;
                if stored == ValueType::Int { value::compare_int(op, number) } else { value::compare_float(op, number) }
            }
            ValueType::Text | ValueType::TextSeries | ValueType::Artifact => literal(Literal::Text(text.to_owned())),
            ValueType::Bool => literal(Literal::Bool(value::flag(text).ok_or_else(|| wrong("true or false"))?)),
            ValueType::Time => {
                let micros = value::time(text, value.span, self.settings)?.ok_or_else(|| {
                    wrong("a time such as 2024-02-06, \"2024-02-06T05:00:00Z\" or -2d (units s m h d w M y)")
                })?;
                Some(value::compare_time(op, micros))
            }
            ValueType::State => literal(Literal::Text(state(text).map_err(wrong_state(wrong))?.to_owned())),
            ValueType::Set
            | ValueType::File
            | ValueType::FileSet
            | ValueType::GitRef
            | ValueType::NotebookRef
            | ValueType::HistogramSeries
            | ValueType::FileSeries => None,
        })
    }
}

/// The stored text of a state (T10), or whether the word is one of the legacy states.
fn state(word: &str) -> Result<&'static str, bool> {
    let is = |known: &str| word.eq_ignore_ascii_case(known);
    if is("running") || is("active") {
        Ok("running")
    } else if is("idle") || is("inactive") {
        Ok("idle")
    } else {
        Err(is("failed") || is("succeeded") || is("aborted"))
    }
}

fn wrong_state(wrong: impl Fn(&str) -> Diagnostic) -> impl Fn(bool) -> Diagnostic {
    move |legacy| {
        let problem = wrong("running (or active), idle (or inactive)");
        if legacy { problem.hint("whether a run has failed is `sys/failed`:bool = true") } else { problem }
    }
}

/// A pattern by the rules of RE2 (T8).
fn pattern(value: &Value) -> Result<Test, Diagnostic> {
    match re2::translate(&value.text) {
        Ok(regex) => Ok(Test::Matches(Pattern { source: value.text.clone(), regex })),
        Err(refusal) => {
            let problem = Diagnostic::error(Kind::Regex, refusal.reason).label(value.span, "");
            Err(match refusal.hint {
                Some(hint) => problem.hint(hint),
                None => problem,
            })
        }
    }
}

/// Where a run keeps an attribute of this type.
fn candidate(path: &str, stored: ValueType, call: Option<Aggregate>) -> Candidate {
    match stored {
        ValueType::FloatSeries | ValueType::TextSeries | ValueType::HistogramSeries | ValueType::FileSeries => {
            let summary = match call {
                None | Some(Aggregate::Last) => Summary::Last,
                Some(Aggregate::Min) => Summary::Min,
                Some(Aggregate::Max) => Summary::Max,
                Some(Aggregate::Average) => Summary::Mean,
                Some(Aggregate::Variance) => Summary::Variance,
            };
            Candidate::Series { name: path.to_owned(), stored, summary, fold_case: false }
        }
        // The tags of a run are a column of their own.
        ValueType::Set if path == "sys/tags" => Candidate::At(Place::Run("tags".into())),
        ValueType::Int
        | ValueType::Float
        | ValueType::Text
        | ValueType::Bool
        | ValueType::Time
        | ValueType::Set
        | ValueType::State
        | ValueType::Artifact
        | ValueType::File
        | ValueType::FileSet
        | ValueType::GitRef
        | ValueType::NotebookRef => Candidate::Param { path: keys(path), fold_case: false },
    }
}

/// A field that stands nowhere in the text.
pub(super) fn hidden(name: &str, ranks: Vec<Vec<Candidate>>, cases: Vec<Case>) -> Expr {
    let span = Span::default();
    Expr::Field(Box::new(Field { name: name.to_owned(), span, fold_case: true, ranks, choice: Choice::PerRow, cases }))
}
