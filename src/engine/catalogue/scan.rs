//! One scan of `files`: its conditions, the typed columns they name, and the sets it is restricted to.

use super::condition::Values;
use super::items::KeyColumns;
use super::{Catalogue, of};
use crate::Result;
use crate::resolve::balanced;
use datafusion::common::{Column, JoinType};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use lakeql_lake::Table;
use lakeql_lake::catalog::path::{ColumnType, column_name};
use lakeql_lake::catalog::paths::PathOwner;
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use lakeql_query::model::{Expr as Predicate, Items};
use std::collections::{BTreeMap, BTreeSet};

/// A scan in the making.
pub(super) struct Scan {
    pub(super) alias: String,
    filters: Vec<Expr>,
    /// Typed columns.
    columns: BTreeSet<String>,
    /// Rare keys: the names of their scans.
    rare: BTreeMap<String, String>,
    restrictions: Vec<Restriction>,
}

/// A set that rows have to be in, or not.
struct Restriction {
    /// Column of the files.
    own: &'static str,
    /// The set and its column.
    set: LogicalPlan,
    key: Column,
    kind: JoinType,
}

impl Scan {
    pub(super) fn new(alias: String, retired: bool) -> Self {
        let filters = if retired { vec![] } else { vec![Expr::Not(Box::new(of(&alias, "retired")))] };
        Self { alias, filters, columns: BTreeSet::new(), rare: BTreeMap::new(), restrictions: vec![] }
    }

    pub(super) fn filter(&mut self, filter: Expr) {
        self.filters.push(filter);
    }

    /// Keeps rows whose column is among the values of a set.
    pub(super) fn keep(&mut self, own: &'static str, set: LogicalPlan, key: Column) {
        self.restrictions.push(Restriction { own, set, key, kind: JoinType::LeftSemi });
    }

    /// Drops rows whose column is among the values of a set.
    pub(super) fn drop(&mut self, own: &'static str, set: LogicalPlan, key: Column) {
        self.restrictions.push(Restriction { own, set, key, kind: JoinType::LeftAnti });
    }
}

/// A scan that conditions add columns to.
struct Names<'a, 'c> {
    scan: &'a mut Scan,
    catalogue: &'a Catalogue<'c>,
}

impl Values for Names<'_, '_> {
    fn key(&mut self, items: &Items) -> KeyColumns {
        let paths = self.catalogue.snapshot.paths();
        let entries = paths.get(PathOwner::File, &items.key);
        if entries.is_empty() {
            let note = Diagnostic::note(Kind::NotFound, format!("no file has `{}`", items.key)).label(items.span, "");
            self.catalogue.note(match did_you_mean(&items.key, paths.names(PathOwner::File)) {
                Some(near) => note.hint(format!("did you mean `{near}`?")),
                None => note,
            });
            return KeyColumns::default();
        }
        let count =
            |kind: &str| entries.iter().filter(|entry| entry.kind == kind).map(|entry| entry.count).sum::<u64>();
        let dictionaries = count("dict") > count("list");
        let mut columns = KeyColumns { dictionaries, ..KeyColumns::default() };
        if paths.is_hot(PathOwner::File, &items.key) {
            let schema = &self.catalogue.snapshot.table(Table::Files).schema;
            for kind in ColumnType::ALL {
                let name = column_name(&items.key, kind);
                if schema.index_of(&name).is_ok() {
                    set(&mut columns, kind, of(&self.scan.alias, &name));
                    self.scan.columns.insert(name);
                }
            }
        } else {
            let alias = match self.scan.rare.get(&items.key) {
                Some(alias) => alias.clone(),
                None => {
                    let alias = self.catalogue.alias("a");
                    self.scan.rare.insert(items.key.clone(), alias.clone());
                    alias
                }
            };
            for kind in ColumnType::ALL {
                set(&mut columns, kind, of(&alias, kind.suffix()));
            }
        }
        columns
    }

    fn column(&mut self, name: &str) -> Expr {
        of(&self.scan.alias, name)
    }
}

fn set(columns: &mut KeyColumns, kind: ColumnType, column: Expr) {
    match kind {
        ColumnType::Int => columns.int = Some(column),
        ColumnType::Float => columns.float = Some(column),
        ColumnType::Text => columns.text = Some(column),
        ColumnType::Bool => columns.bool = Some(column),
        ColumnType::Ints => columns.ints = Some(column),
        ColumnType::Floats => columns.floats = Some(column),
        ColumnType::Texts => columns.texts = Some(column),
        ColumnType::Json => columns.json = Some(column),
        // Metadata have neither.
        ColumnType::Time | ColumnType::Kind => {}
    }
}

/// Columns of `file_attributes` with values.
const VALUES: [&str; 8] = ["int", "float", "text", "bool", "ints", "floats", "texts", "json"];

impl Catalogue<'_> {
    /// Adds a condition to a scan.
    pub(super) fn restrict(&self, scan: &mut Scan, condition: &Predicate) -> Result<()> {
        let filter = self.condition(condition, &mut Names { scan, catalogue: self })?;
        scan.filters.push(filter);
        Ok(())
    }

    /// The plan of a scan: the columns of `files` that are no typed columns, under the name of the scan.
    pub(super) fn finish(&self, scan: Scan, ordered: bool) -> Result<LogicalPlanBuilder> {
        let Scan { alias, mut filters, columns, rare, restrictions } = scan;
        let system = Table::Files.schema();
        let wanted = |name: &str| columns.contains(name) || system.index_of(name).is_ok();
        let mut plan = match ordered {
            true => self.ordered_files(&alias, wanted)?,
            false => self.scan(Table::Files, &alias, wanted)?,
        };
        for (key, of_key) in &rare {
            let values = self.scan(Table::FileAttributes, of_key, |name| {
                matches!(name, "path" | "file") || VALUES.contains(&name)
            })?;
            let values = values.filter(of(of_key, "path").eq(lit(key.as_str())))?.build()?;
            let keys = (vec![Column::new(Some(&alias), "file")], vec![Column::new(Some(of_key), "file")]);
            plan = plan.join(values, JoinType::Left, keys, None)?;
        }
        if !rare.is_empty() {
            plan = plan.filter(balanced(std::mem::take(&mut filters), true))?;
            let own = system.fields().iter().map(|field| of(&alias, field.name()));
            plan = plan.project(own)?.alias(&alias)?;
        }
        for Restriction { own, set, key, kind } in restrictions {
            plan = plan.join(set, kind, (vec![Column::new(Some(&alias), own)], vec![key]), None)?;
        }
        // Behind the sets, where the text of the plan in SQL has them all; the optimizer asks them first.
        if !filters.is_empty() {
            plan = plan.filter(balanced(filters, true))?;
        }
        Ok(plan)
    }
}
