//! `groupby`: every key gets its own copy of the nested ops.

use super::keys::Keys;
use super::merge::Binding;
use crate::error::{Failure, OpError, Problem};
use crate::limits::Share;
use crate::pipeline::{Flow, Made, Operator, Pipeline, Setting, Sink};
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::ops as syntax;

/// What a copy of the ops takes beside what they hold, about.
const COPY: usize = 600;

struct GroupBy {
    binding: Binding,
    ops: syntax::Pipeline,
    input: Columns,
    setting: Setting,
    groups: Keys,
    copies: Vec<(Pipeline, bool)>,
    /// The copy for the first key: its columns are those that ops behind see.
    first: Option<Pipeline>,
    key: String,
    held: Share,
}

pub(super) fn make(
    keys: &syntax::MergeSpec,
    ops: &syntax::Pipeline,
    input: &Columns,
    setting: &Setting,
) -> Result<Made, Problem> {
    let first = Pipeline::within(ops, input, setting).map_err(|error| error.problem)?;
    let columns = first.columns().clone();
    let operator = GroupBy {
        binding: Binding::new(keys, input, setting),
        ops: ops.clone(),
        input: input.clone(),
        setting: setting.clone(),
        groups: Keys::default(),
        copies: vec![],
        first: Some(first),
        key: String::new(),
        held: setting.budget.share(),
    };
    Ok(Made { operator: Box::new(operator), columns })
}

/// Remembers whether it was what follows that wants no more rows.
struct Watch<'a> {
    out: &'a mut dyn Sink,
    stopped: bool,
}

impl Sink for Watch<'_> {
    fn send(&mut self, row: Row) -> Result<Flow, OpError> {
        let flow = self.out.send(row)?;
        self.stopped |= flow == Flow::Stop;
        Ok(flow)
    }
}

impl Watch<'_> {
    fn flow(&self) -> Flow {
        if self.stopped { Flow::Stop } else { Flow::More }
    }
}

impl Operator for GroupBy {
    fn push(&mut self, row: Row, out: &mut dyn Sink) -> Result<Flow, Failure> {
        self.binding.key(&row, &mut self.key);
        let (index, new) = self.groups.number(&self.key);
        if new {
            self.held.take(COPY * self.ops.ops.len().max(1) + Keys::size(&self.key))?;
            let copy = match self.first.take() {
                Some(first) => first,
                None => Pipeline::within(&self.ops, &self.input, &self.setting)?,
            };
            self.copies.push((copy, false));
        }
        let Some((copy, done)) = self.copies.get_mut(index).filter(|(_, done)| !done) else { return Ok(Flow::More) };
        let mut watch = Watch { out, stopped: false };
        *done = copy.push(row, &mut watch)? == Flow::Stop;
        Ok(watch.flow())
    }

    fn finish(&mut self, out: &mut dyn Sink) -> Result<Flow, Failure> {
        let mut watch = Watch { out, stopped: false };
        for (copy, _) in &mut self.copies {
            copy.finish(&mut watch)?;
            if watch.stopped {
                break;
            }
        }
        Ok(watch.flow())
    }
}
