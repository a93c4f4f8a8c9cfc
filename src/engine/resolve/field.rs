//! Fields that are known by their name only: where runs keep them, in which types, and what is tested then.

use super::needs::{Needs, path_text};
use super::tests_of::Stored;
use crate::{Error, Result};
use datafusion::logical_expr::{Expr, lit};
use lakeql_lake::Table;
use lakeql_lake::catalog::kind::AttributeKind;
use lakeql_lake::catalog::paths::PathOwner;
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use lakeql_query::model::{Candidate, Case, Choice, Field, Place, Summary, ValueType, fold};
use lakeql_query::span::Span;

/// Notes about one query; more of them help nobody.
const MOST_NOTES: usize = 10;

/// A place where at least one run has a value of the field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) kept: Kept,
    /// The types that occur there, with how many runs have them.
    pub(super) types: Vec<(ValueType, u64)>,
    /// Whether every run has a value there: what comes later is never reached.
    total: bool,
}

/// Where a value is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kept {
    /// A column of `runs`.
    Column(String),
    /// A parameter, by the text of its path.
    Param(String),
    /// A summary of a sequence, by its name.
    Series(String, Summary),
}

/// The kind of sequences of a type, as it is stored; nothing if the type is none of sequences.
pub(super) fn series_kind(stored: ValueType) -> Option<&'static str> {
    match stored {
        ValueType::FloatSeries => Some("metric"),
        ValueType::TextSeries => Some("texts"),
        ValueType::HistogramSeries => Some("distributions"),
        ValueType::FileSeries => Some("files"),
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
        | ValueType::NotebookRef => None,
    }
}

/// The type of values of a kind; nothing for kinds that no language asks by name.
fn type_of(kind: AttributeKind) -> Option<ValueType> {
    Some(match kind {
        AttributeKind::Int => ValueType::Int,
        AttributeKind::Float => ValueType::Float,
        AttributeKind::Text => ValueType::Text,
        AttributeKind::Bool => ValueType::Bool,
        AttributeKind::Time => ValueType::Time,
        AttributeKind::Set => ValueType::Set,
        AttributeKind::State => ValueType::State,
        AttributeKind::Artifact => ValueType::Artifact,
        AttributeKind::File => ValueType::File,
        AttributeKind::FileSet => ValueType::FileSet,
        AttributeKind::GitRef => ValueType::GitRef,
        AttributeKind::NotebookRef => ValueType::NotebookRef,
        AttributeKind::Null | AttributeKind::Dict | AttributeKind::List => return None,
    })
}

/// The kind of attributes of a type.
pub(super) fn attribute_kind(stored: ValueType) -> Option<AttributeKind> {
    AttributeKind::ALL.into_iter().find(|kind| type_of(*kind) == Some(stored))
}

impl Needs<'_> {
    /// The predicate that holds where the field passes its test.
    pub(super) fn field(&mut self, field: &Field) -> Result<Expr> {
        let found = self.find(field);
        match &field.choice {
            Choice::PerRow => {
                self.note_missing(field, &found);
                Ok(self.per_row(field, &found))
            }
            Choice::OneType { none, advice } => {
                let stored = self.one_type(field, &found, advice)?;
                let Some(case) = field.case(stored.unwrap_or(*none)) else { return Ok(lit(false)) };
                let test = case.test.as_ref().map_err(|refusal| Error::Query(vec![(**refusal).clone()]))?;
                if stored.is_none() {
                    self.note_missing(field, &found);
                }
                let cases = [Case { stored: case.stored, test: Ok(test.clone()) }];
                let narrowed = Field { cases: cases.into(), ..field.clone() };
                Ok(self.per_row(&narrowed, &found))
            }
        }
    }

    /// The places where runs have the field, in the order in which they count.
    pub(super) fn find(&self, field: &Field) -> Vec<Found> {
        let mut found: Vec<Found> = vec![];
        for rank in &field.ranks {
            let mut others = vec![];
            for candidate in rank {
                self.exact(candidate, &mut found);
                self.spelled_otherwise(candidate, &mut others);
            }
            others.sort_by(|(a, _), (b, _)| a.cmp(b));
            for (_, candidate) in others {
                self.exact(&candidate, &mut found);
            }
            if let Some(last) = found.iter().position(|place| place.total) {
                found.truncate(last + 1);
                break;
            }
        }
        found
    }

    fn exact(&self, candidate: &Candidate, found: &mut Vec<Found>) {
        let paths = self.snapshot.paths();
        let place = match candidate {
            Candidate::At(Place::Run(column)) => {
                Found { kept: Kept::Column(column.clone()), types: vec![(column_type(column), 0)], total: true }
            }
            Candidate::At(Place::Param(path)) | Candidate::Param { path, .. } => {
                let path = path_text(path);
                let entries = paths.get(PathOwner::Run, &path);
                let types: Vec<_> = entries
                    .iter()
                    .filter_map(|entry| Some((type_of(AttributeKind::from_name(&entry.kind)?)?, entry.count)))
                    .collect();
                let runs: u64 = types.iter().map(|(_, count)| count).sum();
                // A set that is there may be empty, which is as good as none.
                let sets = types.iter().any(|(stored, _)| *stored == ValueType::Set);
                let total = !sets && runs >= self.snapshot.table(Table::Runs).rows();
                Found { kept: Kept::Param(path), types, total }
            }
            Candidate::Series { name, stored, summary, .. } => {
                let kind = series_kind(*stored);
                let entries = paths.get(PathOwner::Series, name);
                let entry = entries.iter().find(|entry| Some(entry.kind.as_str()) == kind);
                let types = entry.map(|entry| (*stored, entry.count)).into_iter().collect();
                Found { kept: Kept::Series(name.clone(), *summary), types, total: false }
            }
            // Languages of names do not ask these.
            Candidate::At(Place::Summary { .. } | Place::Series(_) | Place::Context(_)) => return,
        };
        if !place.types.is_empty() && !found.contains(&place) {
            found.push(place);
        }
    }

    /// The candidate with names as the data spells them, other than the exact one.
    fn spelled_otherwise(&self, candidate: &Candidate, others: &mut Vec<(String, Candidate)>) {
        let paths = self.snapshot.paths();
        match candidate {
            Candidate::Param { path, fold_case: true } => {
                let own = path_text(path);
                for text in paths.spellings(PathOwner::Run, &fold(&own)) {
                    if *text != own
                        && let Some(path) = super::select::text_path(text)
                    {
                        others.push((text.clone(), Candidate::Param { path, fold_case: false }));
                    }
                }
            }
            Candidate::Series { name, stored, summary, fold_case: true } => {
                for text in paths.spellings(PathOwner::Series, &fold(name)) {
                    if text != name {
                        let (stored, summary) = (*stored, *summary);
                        let candidate = Candidate::Series { name: text.clone(), stored, summary, fold_case: false };
                        others.push((text.clone(), candidate));
                    }
                }
            }
            Candidate::At(_)
            | Candidate::Param { fold_case: false, .. }
            | Candidate::Series { fold_case: false, .. } => {}
        }
    }

    /// The first place where the row has something decides; the type that it has there picks the test.
    fn per_row(&mut self, field: &Field, found: &[Found]) -> Expr {
        let mut rest = lit(false);
        for place in found.iter().rev() {
            let mut passes = vec![];
            for (stored, _) in &place.types {
                let Some(Case { test: Ok(test), .. }) = field.case(*stored) else { continue };
                let value = self.stored(&place.kept, *stored);
                passes.push(value.test(test));
            }
            let passes = super::predicate::balanced(passes, false);
            rest = if rest == lit(false) {
                passes
            } else {
                let present = place.types.iter().map(|(stored, _)| self.stored(&place.kept, *stored).present);
                let present = super::predicate::balanced(present.collect(), false);
                let later = present.is_not_true().and(rest);
                if passes == lit(false) { later } else { passes.or(later) }
            };
        }
        rest
    }

    /// The columns of a value of one type.
    fn stored(&mut self, kept: &Kept, stored: ValueType) -> Stored {
        match kept {
            Kept::Column(name) => Stored::of_column(self.run(name), stored),
            Kept::Param(path) => self.stored_param(path, stored),
            Kept::Series(name, summary) => self.stored_series(name, stored, *summary),
        }
    }

    /// The one type that the data has for the name, or nothing if it has none.
    fn one_type(&self, field: &Field, found: &[Found], advice: &str) -> Result<Option<ValueType>> {
        let counts = types(found);
        let known: Vec<_> = counts
            .into_iter()
            .filter(|(stored, _)| self.types.get(&field.name).is_none_or(|known| known.contains(stored)))
            .collect();
        match known.as_slice() {
            [] => Ok(None),
            [(stored, _)] => Ok(Some(*stored)),
            [(most, _), ..] => {
                let names: Vec<_> = known
                    .iter()
                    .map(|(stored, runs)| match runs {
                        1 => format!("{} (1 run)", stored.name()),
                        _ => format!("{} ({runs} runs)", stored.name()),
                    })
                    .collect();
                let message = format!("`{}` has several types: {}", field.name, names.join(", "));
                let problem = Diagnostic::error(Kind::Type, message).label(field.span, "which one?");
                Err(Error::Query(vec![problem.hint(format!("{advice}{}", most.name()))]))
            }
        }
    }

    /// A name that no run has is legal and missing everywhere; it is worth a word all the same.
    fn note_missing(&mut self, field: &Field, found: &[Found]) {
        if field.span == Span::default() || self.notes.len() >= MOST_NOTES {
            return;
        }
        let has = types(found);
        if has.iter().any(|(stored, _)| field.case(*stored).is_some()) {
            return;
        }
        let note = match (has.as_slice(), field.cases.as_slice()) {
            ([(stored, _), ..], [asked]) => {
                let message = format!("no run has `{}` as {}", field.name, asked.stored.name());
                Diagnostic::note(Kind::NotFound, message).label(field.span, format!("it is {}", stored.name()))
            }
            ([_, ..], _) => return,
            ([], _) => {
                let note = Diagnostic::note(Kind::NotFound, format!("no run has `{}`", field.name));
                let note = note.label(field.span, "");
                match self.near(field) {
                    Some(near) => note.hint(format!("did you mean `{near}`?")),
                    None => note,
                }
            }
        };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// A name nearby that some run has, or the type under which one has this name.
    fn near(&self, field: &Field) -> Option<String> {
        let paths = self.snapshot.paths();
        let names: Vec<String> = paths.names(PathOwner::Run).map(slashes).collect();
        let names = names.iter().map(String::as_str).chain(paths.names(PathOwner::Series));
        // The prefixes by which the field is looked for may be left out.
        let whole: Vec<&str> = names.collect();
        let folded = fold(&field.name);
        if let Some(same) = whole.iter().find(|name| fold(name) == folded) {
            return Some((*same).to_owned());
        }
        let short = whole.iter().filter_map(|name| name.split_once('/').map(|(_, rest)| rest));
        did_you_mean(&field.name, whole.iter().copied().chain(short)).map(str::to_owned)
    }
}

/// The types at all of these places with how many runs have them, the most frequent first.
pub(super) fn types(found: &[Found]) -> Vec<(ValueType, u64)> {
    let mut counts: Vec<(ValueType, u64)> = vec![];
    for (stored, count) in found.iter().flat_map(|place| &place.types) {
        match counts.iter_mut().find(|(known, _)| known == stored) {
            Some((_, total)) => *total += count,
            None => counts.push((*stored, *count)),
        }
    }
    counts.sort_by_key(|(stored, count)| (std::cmp::Reverse(*count), *stored));
    counts
}

/// A path of the catalogue as attributes are written: `sys/owner`.
fn slashes(path: &str) -> String {
    if !path.contains(['.', '"']) {
        return path.to_owned();
    }
    let Some(keys) = super::select::text_path(path) else { return path.to_owned() };
    let keys: Vec<_> = keys
        .into_iter()
        .map(|key| match key {
            lakeql_query::model::Key::Text(text) => text,
            lakeql_query::model::Key::Int(number) => number.to_string(),
        })
        .collect();
    keys.join("/")
}

/// The type of a column of runs.
fn column_type(name: &str) -> ValueType {
    match name {
        "tags" => ValueType::Set,
        "created_at" | "finalized_at" | "imported_at" => ValueType::Time,
        "archived" | "active" => ValueType::Bool,
        "duration" | "end_time" => ValueType::Float,
        _ => ValueType::Text,
    }
}
