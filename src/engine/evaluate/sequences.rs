//! All sequences of a run, for expressions that compute which one they want.

use super::columns::{Argument, Ints, Lists, Summaries, Texts};
use super::json::Broken;
use arrow::array::{Array, StructArray};
use datafusion::error::{DataFusionError, Result};
use lakeql_eval::Value;
use lakeql_lake::ingest::aim::canonical_context;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// The column of all sequences, taken apart.
#[derive(Debug)]
pub(super) struct AllSeries {
    lists: Lists,
    names: Option<Texts>,
    keys: Option<Texts>,
    ids: Option<Ints>,
    summaries: Summaries,
    index: RefCell<Index>,
}

/// The sequences of the last row by what they are looked up by, once there were several look-ups.
#[derive(Debug, Default)]
struct Index {
    row: usize,
    asked: usize,
    by_key: HashMap<(String, String), usize>,
    by_id: HashMap<(String, i64), usize>,
}

/// Look-ups in a row that go from front to back.
const SEARCHES: usize = 4;

impl AllSeries {
    pub(super) fn new(lists: Lists) -> Result<Self> {
        let mut all = Self {
            names: None,
            keys: None,
            ids: None,
            summaries: Summaries::default(),
            index: RefCell::default(),
            lists,
        };
        let values = Arc::clone(all.lists.array.values());
        if values.data_type().is_null() || values.is_empty() {
            return Ok(all);
        }
        let Some(structs) = values.as_any().downcast_ref::<StructArray>() else {
            let found = values.data_type();
            return Err(DataFusionError::Internal(format!("the sequences of runs are {found}, not structs")));
        };
        let structs: &StructArray = structs;
        for (field, array) in structs.fields().iter().zip(structs.columns()) {
            let argument = Argument { array: Arc::clone(array), single: false };
            match field.name().as_str() {
                "name" => all.names = Some(Texts::new(&argument)?),
                "context_key" => all.keys = Some(Texts::new(&argument)?),
                "context_hash" => all.ids = Some(Ints::new(&argument)?),
                other => {
                    all.summaries.set(other, &argument)?;
                }
            }
        }
        Ok(all)
    }

    /// A summary of the sequence with this name and canonical context.
    pub(super) fn by_key(
        &self,
        row: usize,
        name: &str,
        key: &str,
        field: &str,
    ) -> std::result::Result<Option<Value>, Broken> {
        let at = self.locate(
            row,
            |at| self.name(at) == Some(name) && self.key(at) == Some(key),
            |index| index.by_key.get(&(name.to_owned(), key.to_owned())).copied(),
        );
        at.map_or(Ok(None), |at| self.summaries.get(field, at, false))
    }

    /// A summary of the sequence with this name and id of the context.
    pub(super) fn by_id(
        &self,
        row: usize,
        name: &str,
        id: i64,
        field: &str,
    ) -> std::result::Result<Option<Value>, Broken> {
        let at = self.locate(
            row,
            |at| self.name(at) == Some(name) && self.id(at) == Some(id),
            |index| index.by_id.get(&(name.to_owned(), id)).copied(),
        );
        at.map_or(Ok(None), |at| self.summaries.get(field, at, false))
    }

    fn locate(
        &self,
        row: usize,
        is_it: impl Fn(usize) -> bool,
        indexed: impl FnOnce(&Index) -> Option<usize>,
    ) -> Option<usize> {
        let mut range = self.lists.range(row)?;
        let mut index = self.index.borrow_mut();
        if index.row != row {
            *index = Index { row, ..Index::default() };
        }
        index.asked += 1;
        if index.asked <= SEARCHES {
            return range.find(|at| is_it(*at));
        }
        if index.asked == SEARCHES + 1 {
            self.fill(&mut index, range);
        }
        indexed(&index)
    }

    fn fill(&self, index: &mut Index, range: Range<usize>) {
        for at in range {
            let Some(name) = self.name(at) else { continue };
            if let Some(key) = self.key(at) {
                index.by_key.entry((name.to_owned(), key.to_owned())).or_insert(at);
            }
            if let Some(id) = self.id(at) {
                index.by_id.entry((name.to_owned(), id)).or_insert(at);
            }
        }
    }

    fn name(&self, at: usize) -> Option<&str> {
        self.names.as_ref()?.get(at)
    }

    fn key(&self, at: usize) -> Option<&str> {
        self.keys.as_ref()?.get(at)
    }

    fn id(&self, at: usize) -> Option<i64> {
        self.ids.as_ref()?.get(at)
    }
}

/// Contexts as the evaluator writes them to contexts as the lake writes them: the two agree on what is equal, but not on
/// how floats and control characters look.
#[derive(Debug, Default)]
pub(super) struct LakeContexts {
    known: RefCell<Vec<Pair>>,
}

/// A context in both notations; no second one if it cannot be in a lake.
type Pair = (Arc<str>, Option<Arc<str>>);

/// Contexts that are remembered.
const REMEMBERED: usize = 16;

impl LakeContexts {
    pub(super) fn of(&self, key: &Arc<str>) -> Option<Arc<str>> {
        if !key.contains(|c: char| c == '\\' || c.is_ascii_digit()) {
            // Without numbers and escapes there is only one notation.
            return Some(key.clone());
        }
        let mut known = self.known.borrow_mut();
        if let Some((_, lake)) = known.iter().find(|(known, _)| Arc::ptr_eq(known, key) || known == key) {
            return lake.clone();
        }
        let lake: Option<Arc<str>> = canonical_context(key).ok().map(Into::into);
        if known.len() < REMEMBERED {
            known.push((key.clone(), lake.clone()));
        }
        lake
    }
}
