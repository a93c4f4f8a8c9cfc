//! Rows, and the names of their columns.

use crate::cell::{Cell, EMPTY};
use lakeql_query::dialects::hydra::ops::ColumnRef;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Cells in order. A row may lack its last cells, or hold explicitly empty ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// The cells.
    pub cells: Vec<Cell>,
}

impl Row {
    /// A row of these cells.
    pub fn new(cells: Vec<Cell>) -> Self {
        Self { cells }
    }

    /// How many cells there are, empty ones included.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The cell at a position; an empty one beyond the end.
    pub fn get(&self, position: usize) -> &Cell {
        self.cells.get(position).unwrap_or(&EMPTY)
    }

    /// Sets a cell; the row grows as needed.
    pub fn set(&mut self, position: usize, cell: Cell) {
        if position >= self.cells.len() {
            self.cells.resize(position + 1, Cell::Empty);
        }
        if let Some(place) = self.cells.get_mut(position) {
            *place = cell;
        }
    }

    /// Appends a cell.
    pub fn push(&mut self, cell: Cell) {
        self.cells.push(cell);
    }

    /// Cuts empty cells at the end.
    pub fn trim(&mut self) {
        while self.cells.last().is_some_and(Cell::is_empty) {
            self.cells.pop();
        }
    }

    /// Bytes of memory, about.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.cells.iter().map(Cell::size).sum::<usize>()
    }
}

impl FromIterator<Cell> for Row {
    fn from_iter<T: IntoIterator<Item = Cell>>(cells: T) -> Self {
        Self { cells: cells.into_iter().collect() }
    }
}

/// The list of columns that rows share. It grows while rows come, and ops that pass rows unchanged share it.
#[derive(Clone, Debug, Default)]
pub struct Columns(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    names: Mutex<Names>,
    /// How many names there are: ops ask for every row.
    count: AtomicUsize,
}

#[derive(Debug, Default)]
struct Names {
    names: Vec<String>,
    positions: HashMap<String, usize>,
}

impl Columns {
    fn add(&self, names: &mut Names, name: String) -> usize {
        let position = names.names.len();
        names.positions.insert(name.clone(), position);
        names.names.push(name);
        self.0.count.store(position + 1, Ordering::Release);
        position
    }

    /// No columns yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Columns `0`, `1`, … .
    pub fn numbered(count: usize) -> Self {
        let columns = Self::new();
        columns.grow(count);
        columns
    }

    /// Columns of these names.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let columns = Self::new();
        for name in names {
            columns.create(name);
        }
        columns
    }

    fn lock(&self) -> MutexGuard<'_, Names> {
        // Whoever panicked while adding a name left the list whole.
        self.0.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are now.
    pub fn len(&self) -> usize {
        self.0.count.load(Ordering::Acquire)
    }

    /// Whether there are none yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names there are now.
    pub fn names(&self) -> Vec<String> {
        self.lock().names.clone()
    }

    /// The name of a column.
    pub fn name(&self, position: usize) -> Option<String> {
        self.lock().names.get(position).cloned()
    }

    /// The position of the column of this name, if there is one.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.lock().positions.get(name).copied()
    }

    /// The position of the column of this name, which is created where there is none.
    pub fn find_or_create(&self, name: &str) -> usize {
        let mut names = self.lock();
        match names.positions.get(name) {
            Some(position) => *position,
            None => self.add(&mut names, name.to_owned()),
        }
    }

    /// A new column; where the name is taken, it gets a number.
    pub fn create(&self, name: &str) -> usize {
        let mut names = self.lock();
        let mut unique = name.to_owned();
        let mut number = names.names.len();
        while names.positions.contains_key(&unique) {
            unique = format!("{name}_{number}");
            number += 1;
        }
        self.add(&mut names, unique)
    }

    /// Makes sure that there are at least so many columns.
    pub fn grow(&self, count: usize) {
        if self.len() >= count {
            return;
        }
        let mut names = self.lock();
        while names.names.len() < count {
            let mut number = names.names.len();
            let mut name = number.to_string();
            while names.positions.contains_key(&name) {
                number += 1;
                name = number.to_string();
            }
            self.add(&mut names, name);
        }
    }

    /// A column by position, or by name where there is no such position; created where there is neither.
    pub fn resolve(&self, column: &ColumnRef) -> usize {
        match column.position.filter(|position| *position < self.len()) {
            Some(position) => position,
            None => self.find_or_create(&column.text),
        }
    }

    /// As [`Columns::resolve`] for several, all against the columns there are before.
    pub fn resolve_all(&self, columns: &[ColumnRef]) -> Vec<usize> {
        let width = self.len();
        let resolve = |column: &ColumnRef| match column.position.filter(|position| *position < width) {
            Some(position) => position,
            None => self.find_or_create(&column.text),
        };
        columns.iter().map(resolve).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_position_then_by_name_then_created() {
        let columns = Columns::named(["1", "0", "day"]);
        let resolve = |text: &str| columns.resolve(&ColumnRef::new(text));
        assert_eq!((resolve("0"), resolve("1"), resolve("day")), (0, 1, 2));
        assert_eq!((resolve("9"), resolve("9"), columns.len()), (3, 3, 4));
        assert_eq!(columns.create("day"), 4);
        columns.grow(7);
        assert_eq!(columns.names()[5..], ["5", "6"]);
    }

    #[test]
    fn rows_grow() {
        let mut row = Row::new(vec![Cell::Int(1)]);
        row.set(2, Cell::Int(3));
        assert_eq!((row.len(), row.get(1), row.get(7)), (3, &Cell::Empty, &Cell::Empty));
        row.set(2, Cell::Empty);
        row.trim();
        assert_eq!(row.len(), 1);
    }
}
