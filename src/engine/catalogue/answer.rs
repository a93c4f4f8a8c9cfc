//! The columns, order and length of the answer.

use super::names::{Name, table};
use super::rows::{Order, Rows};
use super::{Catalogue, internal, of};
use crate::resolve::balanced;
use crate::{Error, Result};
use datafusion::common::metadata::FieldMetadata;
use datafusion::functions::string::expr_fn::concat;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ScalarUDF, SortExpr, lit};
use lakeql_lake::Table;
use lakeql_lake::catalog::paths::PathOwner;
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use lakeql_query::model::{Extra, RowKind, Transform};
use lakeql_udfs::scalar::json_value::JsonValue;
use std::collections::BTreeMap;

/// Columns that hold JSON.
const JSON: [&str; 3] = ["checksums", "metadata", "file_meta_requirements"];

/// `namespace:name`, which is not stored.
const DID: &str = "did";

/// Columns that nobody can read.
const HIDDEN: [&str; 2] = ["file", "digest"];

impl Catalogue<'_> {
    pub(super) fn files_answer(&self, rows: Rows, rest: &[&Transform]) -> Result<LogicalPlan> {
        let planned = self.planned(rows)?;
        let natural = match &planned.order {
            Order::None => vec![],
            Order::Natural => {
                ["created_timestamp", "fid"].map(|name| of(&planned.alias, name).sort(true, false)).to_vec()
            }
            Order::By(place) => vec![place.clone().sort(true, false)],
        };
        self.shaped(planned.plan, &planned.alias, RowKind::Files, natural, rest)
    }

    pub(super) fn names_answer(&self, kind: RowKind, names: &[Name], rest: &[&Transform]) -> Result<LogicalPlan> {
        let alias = self.alias("d");
        let mut by_namespace: BTreeMap<&str, Vec<Expr>> = BTreeMap::new();
        for name in names {
            by_namespace.entry(&name.namespace).or_default().push(lit(name.name.as_str()));
        }
        let wanted = by_namespace.into_iter().map(|(namespace, names)| {
            of(&alias, "namespace").eq(lit(namespace)).and(of(&alias, "name").in_list(names, false))
        });
        let plan = self.scan(table(kind), &alias, |_| true)?.filter(balanced(wanted.collect(), false))?;
        let natural = ["namespace", "name"].map(|name| of(&alias, name).sort(true, false)).to_vec();
        self.shaped(plan, &alias, kind, natural, rest)
    }

    /// Sorts, cuts and projects. What the caller sorts by comes before the order of the set.
    fn shaped(
        &self,
        mut plan: LogicalPlanBuilder,
        alias: &str,
        kind: RowKind,
        natural: Vec<SortExpr>,
        rest: &[&Transform],
    ) -> Result<LogicalPlan> {
        let mut sort = vec![];
        let mut slice = None;
        let mut with: &[Extra] = &[];
        let mut overview = None;
        let mut columns = match kind {
            RowKind::Files => vec!["namespace", "name", "fid"],
            RowKind::Datasets | RowKind::Queries => vec!["namespace", "name"],
        };
        for transform in rest {
            match transform {
                Transform::Sort(keys) => {
                    for key in keys {
                        sort.push(self.value(alias, kind, &key.column)?.sort(!key.descending, false));
                    }
                }
                Transform::Slice { offset, limit } => slice = Some((*offset, *limit)),
                Transform::Select(names) => columns = names.iter().map(String::as_str).collect(),
                Transform::With(_) | Transform::Overview(_) if kind != RowKind::Files => {
                    let problem = Diagnostic::error(Kind::Semantic, "--with and --summary are for files");
                    return Err(problem.into());
                }
                Transform::With(extras) => with = extras,
                Transform::Overview(one) => overview = Some(*one),
                Transform::Filter(_)
                | Transform::Set(_)
                | Transform::Choose(_)
                | Transform::Walk(_)
                | Transform::After { .. }
                | Transform::Keys(_) => {
                    return Err(internal("a step for runs"));
                }
            }
        }
        sort.extend(natural);
        if !sort.is_empty() {
            plan = plan.sort(sort)?;
        }
        if let Some((offset, limit)) = slice {
            plan = plan.limit(offset, limit)?;
        }
        if let Some(overview) = overview {
            return self.overview(plan, alias, overview);
        }
        let mut output = vec![];
        for column in columns {
            let value = self.value(alias, kind, column)?;
            let system = table(kind).schema();
            let json = JSON.contains(&column) || (column != DID && system.index_of(column).is_err());
            output.push(match json {
                true => {
                    let mark = BTreeMap::from([("lakeql.json".to_owned(), "true".to_owned())]);
                    value.alias_with_metadata(column, Some(FieldMetadata::new(mark)))
                }
                false => value.alias(column),
            });
        }
        for extra in with {
            plan = self.extra(plan, alias, *extra, &mut output)?;
        }
        Ok(plan.project(output)?.build()?)
    }

    /// A column by the name that users give it: of the table, or a key of the metadata as JSON.
    pub(super) fn value(&self, alias: &str, kind: RowKind, name: &str) -> Result<Expr> {
        let system = table(kind).schema();
        if system.index_of(name).is_ok() && !HIDDEN.contains(&name) {
            return Ok(of(alias, name));
        }
        if name == DID {
            return Ok(concat(vec![of(alias, "namespace"), lit(":"), of(alias, "name")]));
        }
        let known = || self.snapshot.paths().names(PathOwner::File);
        if kind == RowKind::Files && !known().any(|key| key == name) {
            let columns = Table::Files.schema();
            let columns = columns.fields().iter().map(|field| field.name().as_str());
            let problem = Diagnostic::error(Kind::NotFound, format!("files have no column `{name}`"));
            let near = did_you_mean(name, columns.filter(|name| !HIDDEN.contains(name)).chain(known()));
            return Err(Error::Query(vec![match near {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem,
            }]));
        }
        Ok(ScalarUDF::from(JsonValue::json()).call(vec![of(alias, "metadata"), lit(name)]))
    }
}
