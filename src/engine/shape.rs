//! What is done to the answer of any language.

use lakeql_query::model::{Extra, Overview, SortKey, Transform};

/// `--select`, `--sort`, `--offset` and `--limit` after a query in any language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Columns to show instead of the key columns.
    pub select: Vec<String>,
    /// Columns to order by; a leading `-` means largest first.
    pub sort: Vec<String>,
    /// Rows to keep.
    pub limit: Option<usize>,
    /// Rows to skip before.
    pub offset: usize,
    /// Files of the catalogue: what is shown beside their names.
    pub with: Vec<Extra>,
    /// Files of the catalogue: what is said about all of them instead.
    pub overview: Option<Overview>,
}

impl Shape {
    /// The steps that this adds to a query.
    pub(crate) fn transforms(&self) -> Vec<Transform> {
        let mut steps = vec![];
        if !self.sort.is_empty() {
            let key = |text: &String| match text.strip_prefix('-') {
                Some(column) => SortKey { column: column.to_owned(), descending: true },
                None => SortKey { column: text.clone(), descending: false },
            };
            steps.push(Transform::Sort(self.sort.iter().map(key).collect()));
        }
        if self.limit.is_some() || self.offset > 0 {
            steps.push(Transform::Slice { offset: self.offset, limit: self.limit });
        }
        if !self.with.is_empty() {
            steps.push(Transform::With(self.with.clone()));
        }
        steps.extend(self.overview.map(Transform::Overview));
        if !self.select.is_empty() {
            steps.push(Transform::Select(self.select.clone()));
        }
        steps
    }
}
