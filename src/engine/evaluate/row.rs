//! A row of a batch as the evaluator sees it.

use super::bindings::{Binding, Compiled};
use super::columns::{Argument, Bools, Floats, Ints, ListValues, Lists, Summaries, TextLists, Texts, Times};
use super::json::{self, Broken};
use super::sequences::{AllSeries, LakeContexts};
use chrono::{DateTime, Duration, Local, NaiveDateTime};
use datafusion::error::{DataFusionError, Result};
use lakeql_eval::{ContextRef, Key, Row, RunProperty, Value};
use lakeql_lake::catalog::path::ColumnType;
use std::cell::RefCell;

/// The columns of a batch by what they mean.
#[derive(Debug)]
pub(super) struct Cells<'a> {
    compiled: &'a Compiled,
    run: RunCells,
    params: Vec<ParamCells>,
    document: Option<Document>,
    summaries: Vec<Summaries>,
    all_series: Option<AllSeries>,
    name: Option<Texts>,
    context: Option<Context>,
    series: Summaries,
    contexts: LakeContexts,
    /// What makes all answers worthless; evaluation has no way to say so.
    problem: RefCell<Option<DataFusionError>>,
}

#[derive(Debug, Default)]
struct RunCells {
    hash: Option<Texts>,
    name: Option<Texts>,
    experiment: Option<Texts>,
    description: Option<Texts>,
    tags: Option<TextLists>,
    archived: Option<Bools>,
    active: Option<Bools>,
    created_at: Option<Times>,
    finalized_at: Option<Times>,
    imported_at: Option<Times>,
    end_time: Option<Floats>,
    duration: Option<Floats>,
}

impl RunCells {
    fn set(&mut self, name: &str, argument: &Argument) -> Result<()> {
        match name {
            "hash" => self.hash = Some(Texts::new(argument)?),
            "name" => self.name = Some(Texts::new(argument)?),
            "experiment" => self.experiment = Some(Texts::new(argument)?),
            "description" => self.description = Some(Texts::new(argument)?),
            "tags" => self.tags = Some(TextLists::new(argument)?),
            "archived" => self.archived = Some(Bools::new(argument)?),
            "active" => self.active = Some(Bools::new(argument)?),
            "created_at" => self.created_at = Some(Times::new(argument)?),
            "finalized_at" => self.finalized_at = Some(Times::new(argument)?),
            "imported_at" => self.imported_at = Some(Times::new(argument)?),
            "end_time" => self.end_time = Some(Floats::new(argument)?),
            "duration" => self.duration = Some(Floats::new(argument)?),
            _ => return Err(DataFusionError::Internal(format!("programs know no column `{name}` of runs"))),
        }
        Ok(())
    }
}

/// The columns of one parameter.
#[derive(Debug, Default)]
struct ParamCells {
    int: Option<Ints>,
    float: Option<Floats>,
    text: Option<Texts>,
    bool: Option<Bools>,
    /// Where there is a time. Python has no such parameter: its value is the text in the document.
    time: Option<Times>,
    kind: Option<Texts>,
    lists: Option<ListValues>,
}

/// What the columns of a parameter tell.
enum Stored {
    Value(Value),
    Absent,
    /// There is a value that only the document has.
    Elsewhere,
    /// A list that cannot be read.
    Broken(Broken),
}

impl ParamCells {
    fn set(&mut self, column: ColumnType, argument: &Argument) -> Result<()> {
        match column {
            ColumnType::Int => self.int = Some(Ints::new(argument)?),
            ColumnType::Float => self.float = Some(Floats::new(argument)?),
            ColumnType::Text => self.text = Some(Texts::new(argument)?),
            ColumnType::Bool => self.bool = Some(Bools::new(argument)?),
            ColumnType::Time => self.time = Some(Times::new(argument)?),
            ColumnType::Kind => self.kind = Some(Texts::new(argument)?),
            // Runs have none of these.
            ColumnType::Ints | ColumnType::Floats | ColumnType::Texts | ColumnType::Json => {}
        }
        Ok(())
    }

    fn get(&self, row: usize) -> Stored {
        if let Some(value) = self.int.as_ref().and_then(|column| column.get(row)) {
            return Stored::Value(Value::Int(value));
        }
        if let Some(value) = self.float.as_ref().and_then(|column| column.get(row)) {
            return Stored::Value(Value::Float(value));
        }
        if let Some(value) = self.text.as_ref().and_then(|column| column.value(row)) {
            return Stored::Value(value);
        }
        if let Some(value) = self.bool.as_ref().and_then(|column| column.get(row)) {
            return Stored::Value(Value::Bool(value));
        }
        if self.time.as_ref().is_some_and(|column| column.get(row).is_some()) {
            return Stored::Elsewhere;
        }
        match self.kind.as_ref().and_then(|column| column.get(row)) {
            Some("null") => Stored::Value(Value::None),
            Some("list") => match &self.lists {
                Some(lists) => lists.value(row).map_or_else(Stored::Broken, Stored::Value),
                None => Stored::Elsewhere,
            },
            Some(_) => Stored::Elsewhere,
            None => Stored::Absent,
        }
    }
}

/// Values of a document that are looked up one by one before it is read as a whole.
const SINGLY: usize = 8;

/// Parameter documents, with what was looked up in the last one: expressions may ask for a value many times.
#[derive(Debug)]
struct Document {
    texts: Texts,
    known: RefCell<Known>,
}

#[derive(Debug, Default)]
struct Known {
    row: usize,
    whole: Option<Value>,
    found: Vec<(Vec<Key>, Option<Value>)>,
}

impl Document {
    fn get(&self, row: usize, path: &[Key]) -> std::result::Result<Option<Value>, Broken> {
        let mut known = self.known.borrow_mut();
        if known.row != row {
            *known = Known { row, ..Known::default() };
        }
        let walk = |whole: &Value| path.iter().try_fold(whole.clone(), |value, key| json::child(&value, key));
        if let Some(whole) = &known.whole {
            return Ok(walk(whole));
        }
        if let Some((_, value)) = known.found.iter().find(|(asked, _)| asked == path) {
            return Ok(value.clone());
        }
        let Some(text) = self.texts.get(row) else { return Ok(None) };
        if path.is_empty() || known.found.len() >= SINGLY {
            let whole = json::parse(text)?;
            let value = walk(&whole);
            known.whole = Some(whole);
            return Ok(value);
        }
        let value = json::find(text, path)?;
        known.found.push((path.to_vec(), value.clone()));
        Ok(value)
    }
}

/// Contexts of the rows' own sequences. Neighbours mostly have the same one.
#[derive(Debug)]
struct Context {
    texts: Texts,
    last: RefCell<Option<(usize, Value)>>,
}

impl Context {
    fn get(&self, row: usize, path: &[Key]) -> std::result::Result<Option<Value>, Broken> {
        let Some(text) = self.texts.get(row) else { return Ok(None) };
        let mut last = self.last.borrow_mut();
        let known = match &mut *last {
            Some((known, value)) if *known == row || self.texts.get(*known) == Some(text) => value,
            other => &mut other.insert((row, json::parse(text)?)).1,
        };
        Ok(path.iter().try_fold(known.clone(), |value, key| match (&value, key) {
            (Value::Str(text), Key::Int(index)) => {
                let letter = text.chars().nth(usize::try_from(*index).ok()?)?;
                Some(Value::text(letter.to_string()))
            }
            (value, key) => json::child(value, key),
        }))
    }
}

impl<'a> Cells<'a> {
    pub(super) fn new(compiled: &'a Compiled, arguments: &[Argument]) -> Result<Self> {
        let mut cells = Self {
            compiled,
            run: RunCells::default(),
            params: compiled.params.iter().map(|_| ParamCells::default()).collect(),
            document: None,
            summaries: compiled.summaries.iter().map(|_| Summaries::default()).collect(),
            all_series: None,
            name: None,
            context: None,
            series: Summaries::default(),
            contexts: LakeContexts::default(),
            problem: RefCell::new(None),
        };
        if arguments.len() != compiled.bindings.len() {
            return Err(DataFusionError::Internal("a program has not as many columns as it was promised".into()));
        }
        for ((binding, slot), argument) in compiled.bindings.iter().zip(&compiled.slots).zip(arguments) {
            match binding {
                Binding::Run(name) => cells.run.set(name, argument)?,
                Binding::Param { column, .. } => {
                    if let Some(param) = cells.params.get_mut(*slot) {
                        param.set(*column, argument)?;
                    }
                }
                Binding::List { column, .. } => {
                    if let Some(param) = cells.params.get_mut(*slot) {
                        param.lists.get_or_insert_default().set(*column, argument)?;
                    }
                }
                Binding::Document => {
                    cells.document = Some(Document { texts: Texts::new(argument)?, known: RefCell::default() });
                }
                Binding::Summary { column, .. } => {
                    if let Some(summary) = cells.summaries.get_mut(*slot) {
                        summary.set(column, argument)?;
                    }
                }
                Binding::AllSeries => cells.all_series = Some(AllSeries::new(Lists::new(argument)?)?),
                Binding::Series(column) => match column.as_str() {
                    "name" => cells.name = Some(Texts::new(argument)?),
                    "context" => {
                        cells.context = Some(Context { texts: Texts::new(argument)?, last: RefCell::new(None) });
                    }
                    summary => {
                        cells.series.set(summary, argument)?;
                    }
                },
            }
        }
        Ok(cells)
    }

    /// What came up during the evaluation of rows that must end the query.
    pub(super) fn problem(&self) -> Result<()> {
        self.problem.take().map_or(Ok(()), Err)
    }

    fn read<T>(&self, what: &str, read: std::result::Result<Option<T>, Broken>) -> Option<T> {
        read.unwrap_or_else(|broken| {
            self.fail(DataFusionError::Execution(format!("the lake is damaged: {what} of a run: {broken}")));
            None
        })
    }

    fn fail(&self, error: DataFusionError) {
        self.problem.borrow_mut().get_or_insert(error);
    }
}

/// One row of the batch.
pub(super) struct CellsRow<'a> {
    pub(super) cells: &'a Cells<'a>,
    pub(super) row: usize,
}

impl CellsRow<'_> {
    fn document(&self, path: &[Key]) -> Option<Value> {
        let document = self.cells.document.as_ref()?;
        self.cells.read("the parameters", document.get(self.row, path))
    }

    /// A date of the run, in UTC.
    fn time(&self, column: Option<&Times>) -> Option<DateTime<chrono::Utc>> {
        DateTime::from_timestamp_micros(column?.get(self.row)?)
    }

    /// A date as the user's clock showed it.
    fn shifted(&self, column: Option<&Times>) -> Option<Value> {
        let offset = Duration::try_minutes(self.cells.compiled.offset_minutes)?;
        self.time(column)?.naive_utc().checked_sub_signed(offset).map(Value::Datetime)
    }

    fn duration(&self) -> Option<Value> {
        let run = &self.cells.run;
        let stored = run.duration.as_ref().and_then(|column| column.get(self.row));
        let so_far = || {
            let created = run.created_at.as_ref()?.get(self.row)?;
            Some((self.cells.compiled.now.timestamp_micros().saturating_sub(created)) as f64 / 1e6)
        };
        stored.or_else(so_far).map(Value::Float)
    }
}

impl Row for CellsRow<'_> {
    fn property(&self, property: RunProperty) -> Value {
        let (run, row) = (&self.cells.run, self.row);
        let text = |column: &Option<Texts>| column.as_ref().and_then(|column| column.value(row));
        let flag = |column: &Option<Bools>| column.as_ref().and_then(|column| column.get(row)).map(Value::Bool);
        let value = match property {
            RunProperty::Hash => text(&run.hash),
            RunProperty::Name => text(&run.name),
            RunProperty::Experiment => text(&run.experiment),
            RunProperty::Description => text(&run.description),
            RunProperty::Tags => run.tags.as_ref().and_then(|column| column.value(row)),
            RunProperty::Archived => flag(&run.archived),
            RunProperty::Active => flag(&run.active),
            RunProperty::CreatedAt => self.shifted(run.created_at.as_ref()),
            RunProperty::FinalizedAt => self.shifted(run.finalized_at.as_ref()),
            RunProperty::EndTime => run.end_time.as_ref().and_then(|column| column.get(row)).map(Value::Float),
            RunProperty::Duration => self.duration(),
            RunProperty::CreationTime => run
                .created_at
                .as_ref()
                .and_then(|column| column.get(row))
                .map(|micros| Value::Float(micros as f64 / 1e6)),
            RunProperty::UpdatedAt => self.time(run.imported_at.as_ref()).map(|time| Value::Datetime(time.naive_utc())),
            RunProperty::Notes => Some(Value::list(vec![])),
        };
        value.unwrap_or(Value::None)
    }

    fn param(&self, path: &[Key]) -> Option<Value> {
        let stored = |path: &[Key]| {
            let slot = self.cells.compiled.param_slot(path)?;
            self.cells.params.get(slot).map(|param| param.get(self.row))
        };
        // The columns of the path itself know best; then those of the value it would be in.
        for length in (1..=path.len()).rev() {
            match stored(path.get(..length).unwrap_or_default()) {
                Some(Stored::Value(value)) => {
                    let rest = path.get(length..).unwrap_or_default();
                    return rest.iter().try_fold(value, |value, key| json::child(&value, key));
                }
                Some(Stored::Broken(broken)) => return self.cells.read("a list", Err(broken)),
                Some(Stored::Absent) => return None,
                Some(Stored::Elsewhere) => {
                    if self.cells.document.is_none() {
                        let path = self.cells.compiled.text.as_str();
                        self.cells.fail(DataFusionError::Internal(format!("`{path}` is evaluated without document")));
                    }
                    break;
                }
                None => {}
            }
        }
        self.document(path)
    }

    fn summary(&self, name: &str, context: &ContextRef, field: &str) -> Option<Value> {
        let cells = self.cells;
        if let ContextRef::Key(key) = context {
            let key = cells.contexts.of(key)?;
            let bound = cells.compiled.summaries.iter().position(|(known, context)| known == name && **context == *key);
            if let Some(columns) = bound.and_then(|slot| cells.summaries.get(slot)).filter(|columns| columns.has(field))
            {
                return cells.read("a sequence", columns.get(field, self.row, false));
            }
            let all = cells.all_series.as_ref()?;
            return cells.read("a sequence", all.by_key(self.row, name, &key, field));
        }
        let ContextRef::Id(id) = context else { return None };
        let all = cells.all_series.as_ref()?;
        cells.read("a sequence", all.by_id(self.row, name, *id, field))
    }

    fn series_name(&self) -> Value {
        self.cells.name.as_ref().and_then(|column| column.value(self.row)).unwrap_or(Value::None)
    }

    fn series_context(&self, path: &[Key]) -> Option<Value> {
        let context = self.cells.context.as_ref()?;
        self.cells.read("a context", context.get(self.row, path))
    }

    fn series_summary(&self, field: &str) -> Option<Value> {
        self.cells.read("a sequence", self.cells.series.get(field, self.row, self.cells.compiled.media))
    }

    fn now(&self) -> NaiveDateTime {
        self.cells.compiled.now.with_timezone(&Local).naive_local()
    }
}
