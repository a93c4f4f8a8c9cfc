//! The columns of a plain table by their names: nested ones by dotted path.

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{Column as PlanColumn, TableReference};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::Expr;
use lakeql_query::diagnostic::did_you_mean;
use lakeql_query::model::fold;

/// A column, or a field of a struct column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// The names from the column to the field, with dots.
    pub(super) path: String,
    names: Vec<String>,
    pub(super) data_type: DataType,
    pub(super) nullable: bool,
}

impl Column {
    /// The name of the column that it is or lies in.
    pub(super) fn root(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// Its value in a row of this table.
    pub(super) fn value(&self, table: &TableReference) -> Expr {
        let mut names = self.names.iter();
        let root = Expr::Column(PlanColumn::new(Some(table.clone()), names.next().map_or("", String::as_str)));
        names.fold(root, |value, name| get_field(value, name.as_str()))
    }
}

/// All columns of a table.
pub(super) struct Columns(Vec<Column>);

impl Columns {
    /// The columns of a schema, each before its fields.
    pub(super) fn of(schema: &Schema) -> Self {
        let mut all = vec![];
        for field in schema.fields() {
            add(field.name(), vec![field.name().clone()], field.data_type(), field.is_nullable(), &mut all);
        }
        Self(all)
    }

    /// The column of this name; one with a dot in its own name comes before a field of a struct.
    pub(super) fn find(&self, name: &str) -> Option<&Column> {
        let exact = || self.0.iter().filter(|column| column.path == name);
        exact().find(|column| column.names.len() == 1).or_else(|| exact().next())
    }

    /// The same, or else the first in byte order whose name differs in case only.
    pub(super) fn find_folded(&self, name: &str) -> Option<&Column> {
        self.find(name).or_else(|| {
            let wanted = fold(name);
            let same = self.0.iter().filter(|column| fold(&column.path) == wanted);
            same.min_by(|a, b| (a.path.as_bytes(), a.names.len()).cmp(&(b.path.as_bytes(), b.names.len())))
        })
    }

    /// The path that was probably meant: one that is written alike, or the only field that is called so.
    pub(super) fn near(&self, name: &str) -> Option<&str> {
        let folded = self.find_folded(name).map(|column| column.path.as_str());
        let wanted = fold(name);
        let mut fields = self
            .0
            .iter()
            .filter(|column| column.names.len() > 1 && column.names.last().is_some_and(|last| fold(last) == wanted));
        let field = match (fields.next(), fields.next()) {
            (Some(only), None) => Some(only.path.as_str()),
            _ => None,
        };
        folded.or(field).or_else(|| did_you_mean(name, self.0.iter().map(|column| column.path.as_str())))
    }

    /// The columns that are no fields of others.
    pub(super) fn roots(&self) -> impl Iterator<Item = &Column> {
        self.0.iter().filter(|column| column.names.len() == 1)
    }

    /// The fields of a struct, for hints.
    pub(super) fn fields_of(&self, column: &Column) -> Vec<&str> {
        let inside =
            |other: &&Column| other.names.len() == column.names.len() + 1 && other.names.starts_with(&column.names);
        self.0.iter().filter(inside).map(|other| other.path.as_str()).collect()
    }
}

fn add(path: &str, names: Vec<String>, data_type: &DataType, nullable: bool, all: &mut Vec<Column>) {
    all.push(Column { path: path.to_owned(), names: names.clone(), data_type: data_type.clone(), nullable });
    if let DataType::Struct(fields) = data_type {
        for field in fields {
            let names = names.iter().cloned().chain([field.name().clone()]).collect();
            let nullable = nullable || field.is_nullable();
            add(&format!("{path}.{}", field.name()), names, field.data_type(), nullable, all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::Field;

    fn columns() -> Columns {
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let inner = DataType::Struct(vec![text("x.y"), text("borough")].into());
        let of = DataType::Struct(vec![text("b"), Field::new("c", inner, false)].into());
        Columns::of(&Schema::new(vec![
            Field::new("a", of, false),
            text("a.b"),
            text("Fare"),
            text("fare"),
            text("FARE"),
            text("größe"),
        ]))
    }

    #[test]
    fn names_and_paths() {
        let columns = columns();
        let found = |name: &str| columns.find(name).map(|column| column.names.join("/"));
        assert_eq!(found("a.b"), Some("a.b".into()));
        assert_eq!(found("a.c.borough"), Some("a/c/borough".into()));
        assert_eq!(found("a.c.x.y"), Some("a/c/x.y".into()));
        assert_eq!(found("a.c"), Some("a/c".into()));
        assert_eq!(found("FaRe"), None);
        let folded = |name: &str| columns.find_folded(name).map(|column| column.path.as_str());
        assert_eq!(folded("fare"), Some("fare"));
        assert_eq!(folded("fAre"), Some("FARE"));
        assert_eq!(folded("GRÖSSE"), None);
        assert_eq!(folded("GRÖßE"), Some("größe"));
        assert_eq!(folded("A.C.Borough"), Some("a.c.borough"));
    }

    #[test]
    fn slips_have_suggestions() {
        let columns = columns();
        assert_eq!(columns.near("borough"), Some("a.c.borough"));
        assert_eq!(columns.near("Größe"), Some("größe"));
        assert_eq!(columns.near("a.c.burough"), Some("a.c.borough"));
        assert_eq!(columns.near("zzz"), None);
        assert_eq!(columns.fields_of(columns.find("a").unwrap()), ["a.b", "a.c"]);
        assert!(columns.find("a").is_some_and(|column| !column.nullable));
        assert!(columns.find("a.c.borough").is_some_and(|column| column.nullable));
    }
}
