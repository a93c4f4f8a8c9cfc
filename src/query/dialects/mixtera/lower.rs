//! Tree to model: what conditions mean for properties with one value and with several, missing values, and what a strict
//! reading refuses.

use super::Flavour;
use super::tree::{Condition, Query, Value};
use crate::diagnostic::{Diagnostic, Kind};
use crate::model::{self, CompareOp, Literal, PropertyTest, SampleSet, Unknown};

/// The operators in the order in which messages list them.
const OPERATORS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// What is known while lowering.
pub(super) struct Lowering {
    pub(super) flavour: Flavour,
    pub(super) lenient: bool,
    /// Mistakes that a strict reading refuses.
    pub(super) problems: Vec<Diagnostic>,
    /// What a lenient reading leaves out.
    pub(super) notes: Vec<Diagnostic>,
}

impl Lowering {
    /// The set that a tree means.
    pub(super) fn set(&mut self, query: &Query) -> SampleSet {
        match query {
            Query::Select(conditions) => {
                let mut parts: Vec<_> = conditions.iter().filter_map(|it| self.condition(it)).collect();
                match parts.len() {
                    0 => SampleSet::Everything,
                    1 => parts.swap_remove(0),
                    _ => SampleSet::All(parts),
                }
            }
            Query::Chain(parts) | Query::Union(parts) => SampleSet::Any {
                parts: parts.iter().map(|part| self.set(part)).collect(),
                // The software puts the conditions of a chain into one list of alternatives; a select without any is none.
                skips_unconditional: self.flavour == Flavour::Current,
            },
            Query::Intersection(parts) => SampleSet::All(parts.iter().map(|part| self.set(part)).collect()),
            Query::Difference(left, right) => SampleSet::Without(Box::new(self.set(left)), Box::new(self.set(right))),
        }
    }

    /// What a condition asks, or nothing if it is left out.
    fn condition(&mut self, condition: &Condition) -> Option<SampleSet> {
        let [field, operator, value] = condition.spans;
        if !OPERATORS.contains(&condition.operator.as_str()) {
            let message = format!("there is no operator `{}`", condition.operator);
            let hint = match condition.operator.as_str() {
                "=" | "eq" | "is" | "===" => "did you mean `==`?".to_owned(),
                "<>" | "=!" | "not" | "ne" | "is not" => "did you mean `!=`?".to_owned(),
                "=>" => "did you mean `>=`?".to_owned(),
                "=<" => "did you mean `<=`?".to_owned(),
                "in" | "IN" => "compare with a list: (\"language\", \"==\", [\"en\", \"de\"])".to_owned(),
                "not in" | "NOT IN" => "compare with a list: (\"language\", \"!=\", [\"en\", \"de\"])".to_owned(),
                _ => format!("operators are {}", OPERATORS.join(", ")),
            };
            return self.left_out(Diagnostic::error(Kind::Semantic, message).label(operator, "").hint(hint));
        }
        let ordering = match condition.operator.as_str() {
            "<" => Some(CompareOp::Lt),
            "<=" => Some(CompareOp::LtEq),
            ">" => Some(CompareOp::Gt),
            ">=" => Some(CompareOp::GtEq),
            _ => None,
        };
        let equal = condition.operator == "==";
        let (single, several) = match (&condition.value, ordering) {
            (Value::None, None) => (PropertyTest::Missing(equal), PropertyTest::Missing(equal)),
            (Value::None, Some(_)) => {
                let message = "a missing value is neither less nor greater than another";
                let problem = Diagnostic::error(Kind::Semantic, message).label(value, "");
                return self.left_out(problem.hint("ask for missing values with == None, for others with != None"));
            }
            (Value::List(values), _) if values.is_empty() => {
                let problem = Diagnostic::error(Kind::Semantic, "the list is empty").label(value, "");
                return self.left_out(problem.hint("leave the condition out, or say what is looked for"));
            }
            (Value::List(values), ordering) => self.of_list(values, equal, ordering),
            (scalar, ordering) => {
                let values: Vec<_> = literal(scalar).into_iter().collect();
                match ordering {
                    None if equal => (PropertyTest::OneOf(values.clone()), PropertyTest::OneOf(values)),
                    None => (PropertyTest::NoneOf(values.clone()), PropertyTest::NoneOf(values)),
                    Some(op) => (PropertyTest::Compare(op, values), PropertyTest::Literal(false)),
                }
            }
        };
        let several = match ordering {
            Some(_) => PropertyTest::Refused(Box::new(unordered(condition))),
            None => several,
        };
        Some(SampleSet::Where(Box::new(model::Condition {
            property: condition.field.clone(),
            span: field,
            value_span: value,
            unknown: if self.lenient { Unknown::LeftOut } else { Unknown::Refused },
            single,
            several,
            // The software does so for equality only.
            reads_texts: self.lenient && ordering.is_none(),
        })))
    }

    /// A list of one is its value, a missing value equals nothing, and no value is known to differ from a missing one.
    fn of_list(&self, values: &[Value], equal: bool, ordering: Option<CompareOp>) -> (PropertyTest, PropertyTest) {
        let known: Vec<Literal> = values.iter().filter_map(literal).collect();
        let has_none = known.len() < values.len();
        let several = match (equal, known.is_empty()) {
            (true, true) => PropertyTest::Literal(false),
            (true, false) => PropertyTest::OneOf(known.clone()),
            // Nothing is looked for, so that nothing has it, not even a missing list.
            (false, true) => PropertyTest::Literal(true),
            (false, false) => PropertyTest::NoneOf(known.clone()),
        };
        let single = match ordering {
            _ if known.is_empty() => PropertyTest::Literal(false),
            Some(op) => PropertyTest::Compare(op, known),
            None if equal => PropertyTest::OneOf(known),
            None if has_none => PropertyTest::Literal(false),
            None => PropertyTest::NoneOf(known),
        };
        (single, several)
    }

    /// A condition that cannot be meant so: an error, or if lenient as if it were not there.
    fn left_out(&mut self, problem: Diagnostic) -> Option<SampleSet> {
        if self.lenient {
            let mut note = Diagnostic { severity: crate::diagnostic::Severity::Note, ..problem };
            note.message = format!("the condition is left out: {}", note.message);
            self.notes.push(note);
        } else {
            self.problems.push(problem);
        }
        None
    }
}

fn unordered(condition: &Condition) -> Diagnostic {
    let message = format!("`{}` is a list of values, which has no order", condition.field);
    Diagnostic::error(Kind::Type, message)
        .label(condition.spans[1], "")
        .hint("lists are asked with == (has one of these) and != (has none of these)")
}

/// The constant, unless it is a missing value or a list.
fn literal(value: &Value) -> Option<Literal> {
    match value {
        Value::None | Value::List(_) => None,
        Value::Bool(value) => Some(Literal::Bool(*value)),
        Value::Int(value) => Some(Literal::Int(*value)),
        Value::Float(value) => Some(Literal::Float(*value)),
        Value::Text(value) => Some(Literal::Text(value.clone())),
    }
}
