//! The walk of a path: depth first, one row at the end of each branch (sections 2.4, 2.5 and 3 of the specification).

use super::Tree;
use super::candidates::{Candidates, Visit};
use super::values::{self, Names, Value};
use crate::cell::Cell;
use crate::error::{OpError, Problem};
use crate::ops::whole_regex;
use crate::pipeline::{Flow, Sink};
use crate::row::{Columns, Row};
use lakeql_query::dialects::hydra::path::{By, Element, Node, Path};
use lakeql_query::span::Span;
use regex::Regex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Candidates between two looks at the interrupt.
const STEPS: u32 = 1024;

/// Walks a path and sends a row for each end of it. `columns` takes the names of the cells, in the order in which they are
/// first filled. When `interrupted` becomes true, the walk stops with an error.
///
/// # Errors
/// What the path turns out to be wrong about, what the tree cannot read, and what `out` answers.
pub fn walk<T: Tree>(
    tree: &T,
    path: &Path,
    columns: &Columns,
    interrupted: Option<&AtomicBool>,
    out: &mut dyn Sink,
) -> Result<Flow, OpError> {
    let at = |span: Span| move |problem: Problem| OpError { op: "path", span, row: None, problem };
    let mut patterns = vec![];
    for element in &path.elements {
        patterns.push(element_patterns(element).map_err(at(element.span))?);
    }
    let mut walk = Walk {
        tree,
        elements: &path.elements,
        patterns,
        positions: vec![],
        names: values::names(&path.elements),
        accepted: vec![],
        columns,
        visited: vec![Visit::Real(tree.root())],
        frames: vec![],
        row: Row::default(),
        undo: vec![],
        interrupted,
        steps: 0,
    };
    walk.run(out)
}

fn element_patterns(element: &Element) -> Result<Vec<Regex>, Problem> {
    match &element.node {
        Node::Children(children) if matches!(children.by, By::Regex { .. }) => {
            children.names.iter().map(|pattern| whole_regex(pattern)).collect()
        }
        Node::Children(_) | Node::Parent => Ok(vec![]),
    }
}

struct Walk<'a, T: Tree> {
    tree: &'a T,
    elements: &'a [Element],
    patterns: Vec<Vec<Regex>>,
    names: Vec<Names>,
    /// Where the columns of these names are, once they have been filled: by element, then as in the row.
    positions: Vec<Vec<Option<usize>>>,
    columns: &'a Columns,
    /// The cells of the candidate at hand, by their places in the element.
    accepted: Vec<(usize, Cell)>,
    /// The nodes on the way, the root first. An element adds one, `..` too.
    visited: Vec<Visit<T::Node>>,
    frames: Vec<Frame<T::Node>>,
    row: Row,
    /// What cells were before they were set, for the way back.
    undo: Vec<(usize, Cell)>,
    interrupted: Option<&'a AtomicBool>,
    steps: u32,
}

/// An element at work below one node.
struct Frame<N> {
    candidates: Candidates<N>,
    skip: u64,
    /// Candidates that may still be accepted.
    left: Option<u64>,
    /// Where the undo list stood.
    undo: usize,
    cells: usize,
}

impl<T: Tree> Walk<'_, T> {
    fn error(&self, index: usize, problem: Problem) -> OpError {
        let span = self.elements.get(index).map(|element| element.span).unwrap_or_default();
        OpError { op: "path", span, row: None, problem }
    }

    fn run(&mut self, out: &mut dyn Sink) -> Result<Flow, OpError> {
        if self.elements.is_empty() {
            return out.send(Row::default());
        }
        if self.enter(out)? == Flow::Stop {
            return Ok(Flow::Stop);
        }
        while !self.frames.is_empty() {
            let index = self.frames.len() - 1;
            self.back();
            match self.advance(index).map_err(|problem| self.error(index, problem))? {
                None => {
                    self.frames.pop();
                    self.visited.pop();
                }
                Some(visit) if index + 1 == self.elements.len() => {
                    drop(visit);
                    if out.send(self.row.clone())? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                }
                Some(visit) => {
                    self.visited.push(visit);
                    if self.enter(out)? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                }
            }
        }
        Ok(Flow::More)
    }

    /// Starts the next element below the last visited node. A flat list is done at once and leaves nothing to go on from.
    fn enter(&mut self, out: &mut dyn Sink) -> Result<Flow, OpError> {
        let index = self.frames.len();
        let Some(element) = self.elements.get(index) else { return Ok(Flow::More) };
        let candidates = match &element.node {
            Node::Children(children) => Candidates::new(self.tree, children),
            Node::Parent => match self.visited.iter().rev().nth(1) {
                Some(visit) => Ok(Candidates::of([visit.clone()])),
                None => Err(Problem::other("`..` has no node before the first one")),
            },
        };
        let frame = Frame {
            candidates: candidates.map_err(|problem| self.error(index, problem))?,
            skip: element.skip,
            left: (element.limit > 0).then_some(element.limit),
            undo: self.undo.len(),
            cells: self.row.len(),
        };
        self.frames.push(frame);
        let flat = matches!(&element.node, Node::Children(children) if children.flat);
        if !flat {
            return Ok(Flow::More);
        }
        // Every node writes to the same cells, so the last one shows.
        while self.advance(index).map_err(|problem| self.error(index, problem))?.is_some() {}
        let flow = if index + 1 == self.elements.len() { out.send(self.row.clone())? } else { Flow::More };
        self.back();
        self.frames.pop();
        if index > 0 {
            self.visited.pop();
        }
        Ok(flow)
    }

    /// Takes back what the last accepted candidate of the last frame wrote.
    fn back(&mut self) {
        let Some(frame) = self.frames.last() else { return };
        while self.undo.len() > frame.undo {
            if let Some((position, cell)) = self.undo.pop()
                && let Some(place) = self.row.cells.get_mut(position)
            {
                *place = cell;
            }
        }
        self.row.cells.truncate(frame.cells);
    }

    /// The next candidate of the last frame that is accepted; its cells are in the row.
    fn advance(&mut self, index: usize) -> Result<Option<Visit<T::Node>>, Problem> {
        let (Some(element), Some(parent)) = (self.elements.get(index), self.visited.last()) else { return Ok(None) };
        let children = match &element.node {
            Node::Children(children) => Some((children, self.patterns.get(index).map_or(&[][..], Vec::as_slice))),
            Node::Parent => None,
        };
        loop {
            let Some(frame) = self.frames.last_mut() else { return Ok(None) };
            if frame.left == Some(0) {
                return Ok(None);
            }
            self.steps += 1;
            if self.steps >= STEPS {
                self.steps = 0;
                if self.interrupted.is_some_and(|interrupted| interrupted.load(Ordering::Relaxed)) {
                    return Err(Problem::Limit("interrupted".into()));
                }
            }
            let Some(visit) = frame.candidates.next(self.tree, parent, children)? else { return Ok(None) };
            if frame.skip > 0 {
                frame.skip -= 1;
                continue;
            }
            let mut cells = std::mem::take(&mut self.accepted);
            cells.clear();
            if !self.accept(element, &visit, &mut cells)? {
                self.accepted = cells;
                continue;
            }
            if let Some(frame) = self.frames.last_mut() {
                frame.left = frame.left.map(|left| left - 1);
            }
            for (place, cell) in cells.drain(..) {
                let position = self.position(index, place);
                let before = self.row.cells.get(position).cloned();
                if let Some(before) = before {
                    self.undo.push((position, before));
                }
                self.row.set(position, cell);
            }
            self.accepted = cells;
            return Ok(Some(visit));
        }
    }

    /// The column of a cell of an element, which is made when it is first filled.
    fn position(&mut self, index: usize, place: usize) -> usize {
        let known = self.positions.get(index).and_then(|places| places.get(place)).copied().flatten();
        if let Some(position) = known {
            return position;
        }
        let name = self.names.get(index).map_or("", |names| names.of(place));
        let position = self.columns.find_or_create(name);
        if self.positions.len() <= index {
            self.positions.resize(index + 1, vec![]);
        }
        if let Some(places) = self.positions.get_mut(index) {
            if places.len() <= place {
                places.resize(place + 1, None);
            }
            if let Some(known) = places.get_mut(place) {
                *known = Some(position);
            }
        }
        position
    }

    /// The cells of a candidate, by their places; whether it is accepted.
    fn accept(
        &self,
        element: &Element,
        visit: &Visit<T::Node>,
        cells: &mut Vec<(usize, Cell)>,
    ) -> Result<bool, Problem> {
        if element.collect {
            cells.push((0, Cell::Text(visit.name(self.tree))));
        }
        let properties = element.properties.iter().map(|of| Ok((of.show, values::property(self.tree, visit, of))));
        let fields = element.fields.iter().map(|of| Ok((of.show, values::field(self.tree, visit, of)?)));
        for (place, value) in properties.chain(fields).enumerate() {
            let (show, cell) = match value? {
                (show, Value::Cell(cell)) => (show, cell),
                (_, Value::Lost) => continue,
                (show, Value::Nothing) if element.lenient => (show, Cell::Empty),
                (_, Value::Nothing) => return Ok(false),
            };
            if show {
                cells.push((place + 1, cell));
            }
        }
        Ok(true)
    }
}
