//! Query to plan over one plain table: names become columns, the types of columns pick the tests.

use super::columns::{Column, Columns};
use super::kind::Kind;
use super::leaf::{Asked, Leaf};
use crate::resolve::balanced;
use crate::{Error, Result};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::TableReference;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use lakeql_lake::plain::PlainTable;
use lakeql_query::diagnostic::{Diagnostic, Kind as Mistake};
use lakeql_query::model::{Choice, Expr as Predicate, Field, Query, Relation, Transform};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The plan of a query over plain files, and notes about names that they have not.
///
/// # Errors
/// The language asks something that plain files have not, several tables are open, or a name or type is wrong.
pub(crate) fn resolve(tables: &[Arc<PlainTable>], query: &Query) -> Result<(LogicalPlan, Vec<Diagnostic>)> {
    let [table] = tables else {
        let problem = Diagnostic::error(Mistake::Semantic, "this language asks one table, and --from names several");
        return Err(problem.hint("SQL asks several at once: --lang sql").into());
    };
    match query.relation {
        Relation::Table => {}
        Relation::Samples => {
            let problem = Diagnostic::error(Mistake::Semantic, "plain files have no samples, only a lake does");
            return Err(problem.hint("bring them in with `lakeql import samples`").into());
        }
        Relation::Catalogue(_) => {
            let problem =
                Diagnostic::error(Mistake::Semantic, "plain files are no file catalogue, only a lake has one");
            return Err(problem.hint("bring one in with `lakeql import metacat`").into());
        }
        Relation::Trees => {
            let problem = Diagnostic::error(Mistake::Semantic, "plain files are no trees, only a lake has them");
            return Err(problem.hint("build one with `lakeql import events --tree SPEC.json FILE`").into());
        }
        Relation::Runs | Relation::Series(_) => {
            let problem =
                Diagnostic::error(Mistake::Semantic, "this language asks runs and their series, not plain files");
            return Err(problem
                .hint("ask files in SQL (--lang sql), or in NQL (--lang nql) by the names of columns")
                .into());
        }
    }
    let mut resolver = Resolver {
        columns: Columns::of(table.schema()),
        reference: TableReference::bare(table.name()),
        from: table.from(),
        used: BTreeSet::new(),
        notes: vec![],
    };
    let (mut filters, mut sort, mut slice, mut chosen) = (vec![], vec![], None, None);
    for transform in &query.transforms {
        match transform {
            Transform::Filter(predicate) => filters.push(resolver.predicate(predicate, true)?),
            // Rows of a plain table have no age and no names.
            Transform::Choose(_)
            | Transform::Walk(_)
            | Transform::Set(_)
            | Transform::After { .. }
            | Transform::Keys(_) => {}
            Transform::With(_) | Transform::Overview(_) => return Err(crate::resolve::only_files()),
            Transform::Sort(keys) => {
                for key in keys {
                    sort.push(resolver.shown(&key.column)?.sort(!key.descending, false));
                }
            }
            Transform::Slice { offset, limit } => slice = Some((*offset, *limit)),
            Transform::Select(names) => {
                let columns = names.iter().map(|name| Ok(resolver.shown(name)?.alias(name)));
                chosen = Some(columns.collect::<Result<Vec<_>>>()?);
            }
        }
    }
    let chosen = match chosen {
        Some(chosen) => chosen,
        None => resolver.all(),
    };
    let used = resolver.used;
    let narrow = table.narrowed(|name| used.contains(name));
    let mut plan = LogicalPlanBuilder::scan(resolver.reference, provider_as_source(Arc::new(narrow)), None)?;
    let filter = balanced(filters, true);
    if filter != lit(true) {
        plan = plan.filter(filter)?;
    }
    if !sort.is_empty() {
        plan = plan.sort(sort)?;
    }
    if let Some((offset, limit)) = slice {
        plan = plan.limit(offset, limit)?;
    }
    Ok((plan.project(chosen)?.build()?, resolver.notes))
}

struct Resolver<'a> {
    columns: Columns,
    reference: TableReference,
    /// What messages call the files.
    from: &'a str,
    /// The columns that are read.
    used: BTreeSet<String>,
    notes: Vec<Diagnostic>,
}

impl Resolver<'_> {
    /// The predicate that holds where the expression does, or (without `wanted`) where it does not. Negations end at the
    /// leaves, which know how to be negated so that statistics still prune.
    fn predicate(&mut self, expr: &Predicate, wanted: bool) -> Result<Expr> {
        Ok(match expr {
            Predicate::Literal(value) => lit(*value == wanted),
            Predicate::All(parts) => balanced(self.predicates(parts, wanted)?, wanted),
            Predicate::Any(parts) => balanced(self.predicates(parts, wanted)?, !wanted),
            Predicate::Not(inner) => self.predicate(inner, !wanted)?,
            Predicate::Field(field) => {
                let leaf = self.leaf(field)?;
                if wanted { leaf.holds } else { leaf.fails }
            }
            Predicate::Compare { .. }
            | Predicate::In { .. }
            | Predicate::Contains { .. }
            | Predicate::StartsWith { .. }
            | Predicate::EndsWith { .. }
            | Predicate::Truthy(_)
            | Predicate::Present(_)
            | Predicate::IsNull(_)
            | Predicate::Items(_)
            | Predicate::Column(_)
            | Predicate::Evaluate { .. } => {
                return Err(crate::resolve::internal("an attribute of a run in a plain table"));
            }
        })
    }

    fn predicates(&mut self, parts: &[Predicate], wanted: bool) -> Result<Vec<Expr>> {
        parts.iter().map(|part| self.predicate(part, wanted)).collect()
    }

    fn leaf(&mut self, field: &Field) -> Result<Leaf> {
        let found = match field.fold_case {
            true => self.columns.find_folded(&field.name),
            false => self.columns.find(&field.name),
        };
        let Some(column) = found.cloned() else {
            self.note_missing(field);
            // What no type allows is wrong whether or not there is such a column.
            if let Choice::OneType { none, .. } = &field.choice {
                refused(field, *none)?;
            }
            return Ok(Leaf::constant(false));
        };
        let kind = self.kind(&column, field)?;
        let Some(stored) = kind.value_type() else { return Ok(Leaf::constant(false)) };
        if let Choice::OneType { .. } = &field.choice {
            refused(field, stored)?;
        }
        let Some(case) = field.case(stored) else {
            let message = format!("`{}` is of the type {}: this never holds for it", column.path, stored.name());
            self.note(Diagnostic::note(Mistake::Type, message).label(field.span, ""));
            return Ok(Leaf::constant(false));
        };
        let Ok(test) = &case.test else { return Ok(Leaf::constant(false)) };
        self.used.insert(column.root().to_owned());
        Asked::new(column.value(&self.reference), &column.data_type, kind, column.nullable).test(test)
    }

    /// How the values of a column compare; an error where queries cannot ask for them at all.
    fn kind(&self, column: &Column, field: &Field) -> Result<Kind> {
        Kind::of(&column.data_type).map_err(|reason| {
            let what = match &column.data_type {
                DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..)
                    if reason != "a list of lists" =>
                {
                    format!("a list of {reason}")
                }
                _ => reason,
            };
            let problem =
                Diagnostic::error(Mistake::Type, format!("the column `{}` is {what}: it cannot be asked", column.path))
                    .label(field.span, "");
            let fields = self.columns.fields_of(column);
            Error::from(match fields.as_slice() {
                [] => problem,
                _ => problem.hint(format!("ask for a field of it: {}", listed(&fields))),
            })
        })
    }

    /// A missing name is legal and simply missing; that no row has it is worth a word.
    fn note_missing(&mut self, field: &Field) {
        let name = &field.name;
        let note = Diagnostic::note(Mistake::NotFound, format!("`{}` has no column `{name}`", self.from))
            .label(field.span, "");
        let note = match self.columns.near(name) {
            Some(near) => note.hint(format!("did you mean `{near}`?")),
            None => note,
        };
        self.note(note);
    }

    fn note(&mut self, note: Diagnostic) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// A column of `--select` or `--sort`.
    fn shown(&mut self, name: &str) -> Result<Expr> {
        let Some(column) = self.columns.find(name) else {
            let problem = Diagnostic::error(Mistake::NotFound, format!("`{}` has no column `{name}`", self.from));
            return Err(Error::from(match self.columns.near(name) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => {
                    let names: Vec<_> = self.columns.roots().map(|column| column.path.as_str()).collect();
                    problem.hint(format!("columns are {}", listed(&names)))
                }
            }));
        };
        self.used.insert(column.root().to_owned());
        Ok(column.value(&self.reference))
    }

    /// All columns, in the order of the files.
    fn all(&mut self) -> Vec<Expr> {
        let (mut names, mut values) = (vec![], vec![]);
        for column in self.columns.roots() {
            names.push(column.root().to_owned());
            values.push(column.value(&self.reference).alias(&column.path));
        }
        self.used.extend(names);
        values
    }
}

/// Why a test cannot be asked of a type.
fn refused(field: &Field, stored: lakeql_query::model::ValueType) -> Result<()> {
    match field.case(stored).map(|case| &case.test) {
        Some(Err(problem)) => Err(Error::from(problem.as_ref().clone())),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// Some of the names.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}
