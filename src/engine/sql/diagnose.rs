//! What DataFusion says about a query, as diagnostics with places and suggestions.

use super::text::{SqlText, lower_first};
use super::wide;
use crate::Error;
use crate::error::{engine_message, is_regex};
use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Location, Token};
use lakeql_lake::catalog::path::parse_column_name;
use lakeql_lake::catalog::paths::{PathCatalog, PathOwner};
use lakeql_query::diagnostic::{Diagnostic, Kind, did_you_mean};
use lakeql_query::span::Span;

/// Turns errors into diagnostics about one text.
pub(super) struct Diagnoser<'a> {
    pub(super) text: &'a SqlText<'a>,
    pub(super) state: &'a SessionState,
    pub(super) paths: Option<&'a PathCatalog>,
}

impl Diagnoser<'_> {
    /// What is wrong with the query; failures that are not the query's fault stay what they are.
    pub(super) fn diagnose(&self, error: DataFusionError) -> Error {
        match Error::from(error) {
            Error::Query(found) => Error::Query(found.into_iter().map(|it| self.with_place(it)).collect()),
            Error::Engine(error) => match error.find_root() {
                DataFusionError::Internal(_) | DataFusionError::IoError(_) | DataFusionError::ObjectStore(_) => {
                    Error::Engine(error)
                }
                _ => Error::Query(error.iter().map(|error| self.one(error)).collect()),
            },
            other => other,
        }
    }

    /// Our own functions know no places: they quote the argument that is wrong.
    fn with_place(&self, diagnostic: Diagnostic) -> Diagnostic {
        if !diagnostic.labels.is_empty() {
            return diagnostic;
        }
        let quoted = self.text.find(|token| match token {
            Token::SingleQuotedString(text) => diagnostic.message.contains(&format!("`{text}`")),
            _ => false,
        });
        match quoted.or_else(|| self.text.find_name(wide::NAME)) {
            Some(span) => diagnostic.label(span, ""),
            None => diagnostic,
        }
    }

    fn one(&self, error: &DataFusionError) -> Diagnostic {
        let place = error.diagnostic().and_then(|it| it.span).map(|span| self.text.span(span));
        match error.find_root() {
            DataFusionError::SQL(error, _) => self.syntax(error),
            DataFusionError::SchemaError(schema, _) => self.names(schema, place),
            DataFusionError::NotImplemented(message) => {
                let message = format!("not supported: {}", lower_first(message));
                label(Diagnostic::error(Kind::Semantic, message), place, "")
            }
            root => {
                let message = engine_message(root);
                self.table(&message, place)
                    .or_else(|| self.function(&message, place))
                    .unwrap_or_else(|| other(error, &message, place.or_else(|| operator_in(&message, self.text))))
            }
        }
    }

    fn syntax(&self, error: &ParserError) -> Diagnostic {
        let message = match error {
            ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
            ParserError::RecursionLimitExceeded => {
                return Diagnostic::error(Kind::Limit, "the query is nested too deeply");
            }
        };
        let (message, location) = cut_location(message);
        let place = match location {
            Some(location) => self.text.token_at(location.into()),
            None => self.text.end(),
        };
        let message = message.replace("found: EOF", "found: the end of the query");
        let (message, remark) = match message.split_once(", found: ") {
            Some((expected, found)) if expected.starts_with("Expected: ") => {
                let expected = expected.trim_start_matches("Expected: ");
                (format!("expected {expected}, found {found}"), format!("expected {expected}"))
            }
            _ => (lower_first(&message), String::new()),
        };
        // A keyword with a slip in it was taken for a name, so the parser stumbles over what comes after it.
        if let Some((slip, keyword)) = self.text.before(place).and_then(|word| near_keyword(word, self.text)) {
            return Diagnostic::error(Kind::Syntax, message).label(slip, "").hint(format!("did you mean `{keyword}`?"));
        }
        Diagnostic::error(Kind::Syntax, message).label(place, remark)
    }

    fn names(&self, error: &SchemaError, place: Option<Span>) -> Diagnostic {
        match error {
            SchemaError::FieldNotFound { field, valid_fields } => self.column(field, valid_fields, place),
            SchemaError::AmbiguousReference { field } => {
                let message = format!("`{}` could be a column of several tables", field.name);
                let place = place.or_else(|| self.text.find_name(&field.name));
                label(Diagnostic::error(Kind::Semantic, message), place, "")
                    .hint(format!("say which one: table.{}", quoted(&field.name)))
            }
            SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => {
                let message = format!("two columns have the name `{name}`");
                label(Diagnostic::error(Kind::Semantic, message), place.or_else(|| self.text.find_name(name)), "")
                    .hint("give one of them another name with AS")
            }
        }
    }

    fn column(&self, field: &Column, valid: &[Column], place: Option<Span>) -> Diagnostic {
        let written = match &field.relation {
            Some(relation) => format!("{relation}.{}", field.name),
            None => field.name.clone(),
        };
        let place = place.or_else(|| self.text.find_name(&field.name));
        let problem = label(Diagnostic::error(Kind::NotFound, format!("there is no column `{written}`")), place, "");
        let valid = || valid.iter().map(|column| column.name.as_str());
        // A parameter by its path alone: `hparams.lr` without quotes, or without its type.
        if let Some(path) = self.parameter(&written) {
            let typed: Vec<_> = valid()
                .filter(|name| parse_column_name(name).is_some_and(|(of, _)| of == path))
                .map(|name| format!("`{}`", quoted(name)))
                .collect();
            let text = path.replace('\'', "''");
            let wide = format!("select {} from runs_wide('{text}')", quoted(path));
            return match typed.as_slice() {
                _ if valid().any(|name| name == path) => {
                    problem.hint(format!("names with a dot need double quotes: {}", quoted(path)))
                }
                [] => problem.hint(format!("`{path}` is a parameter of runs: {wide}")),
                _ => problem.hint(format!("`{path}` is a parameter of runs: {}", typed.join(", "))),
            };
        }
        if let Some(near) = did_you_mean(&field.name, valid()).or_else(|| did_you_mean(&written, valid())) {
            return problem.hint(format!("did you mean `{}`?", quoted(near)));
        }
        let paths = self.paths.into_iter().flat_map(|paths| paths.names(PathOwner::Run));
        match did_you_mean(&written, paths) {
            Some(near) => problem.hint(format!("did you mean the parameter `{near}`? It is in runs_wide('{near}')")),
            None => problem.hint(listed("columns", valid())),
        }
    }

    /// The parameter that a name means; SQL makes letters small that have no quotes.
    fn parameter(&self, written: &str) -> Option<&str> {
        let paths = self.paths?;
        let exact = |path: &str| paths.get(PathOwner::Run, path).first().map(|entry| entry.path.as_str());
        // The typed column of a rare parameter.
        let typed = parse_column_name(written).and_then(|(path, _)| exact(&path));
        exact(written)
            .or(typed)
            .or_else(|| paths.names(PathOwner::Run).find(|path| path.to_lowercase() == written.to_lowercase()))
    }

    fn table(&self, message: &str, place: Option<Span>) -> Option<Diagnostic> {
        let name = message.strip_prefix("table '")?.strip_suffix("' not found")?;
        let catalog = &self.state.config_options().catalog;
        let prefix = format!("{}.", catalog.default_catalog);
        let name = name.strip_prefix(&prefix).unwrap_or(name);
        let name = name.strip_prefix(&format!("{}.", catalog.default_schema)).unwrap_or(name);
        let last = name.rsplit('.').next().unwrap_or(name);
        let place = place.or_else(|| self.text.find_name(name)).or_else(|| self.text.find_name(last));
        let problem = label(Diagnostic::error(Kind::NotFound, format!("there is no table `{name}`")), place, "");
        if name == wide::NAME {
            return Some(problem.hint("it is a function: runs_wide() or runs_wide('hparams.*')"));
        }
        if name.contains(['/', '*']) || name.ends_with(".parquet") || name.ends_with(".csv") {
            return Some(
                problem.hint(
                    "SQL reads the tables of the lake only, no files: `--from FILE` makes files the table `data`",
                ),
            );
        }
        let names = self.tables();
        Some(match did_you_mean(name, names.iter().map(String::as_str)) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(listed("tables", names.iter().map(String::as_str))),
        })
    }

    /// The tables of the default schema, then those of the others with their schema.
    fn tables(&self) -> Vec<String> {
        let options = &self.state.config_options().catalog;
        let Some(catalog) = self.state.catalog_list().catalog(&options.default_catalog) else { return vec![] };
        let mut names = vec![];
        for schema in catalog.schema_names() {
            let Some(tables) = catalog.schema(&schema) else { continue };
            let mut tables = tables.table_names();
            tables.sort_unstable();
            if schema == options.default_schema {
                names.splice(0..0, tables);
            } else if schema != "information_schema" {
                names.extend(tables.into_iter().map(|table| format!("{schema}.{table}")));
            }
        }
        names
    }

    /// The names of all functions.
    fn functions(&self) -> Vec<String> {
        let state = self.state;
        let names = [
            state.scalar_functions().keys().collect::<Vec<_>>(),
            state.aggregate_functions().keys().collect(),
            state.window_functions().keys().collect(),
        ];
        let mut names: Vec<_> = names.into_iter().flatten().cloned().collect();
        names.sort_unstable();
        names
    }

    fn function(&self, message: &str, place: Option<Span>) -> Option<Diagnostic> {
        let (name, nearest) = if let Some(rest) = message.strip_prefix("Invalid function '") {
            let (name, rest) = rest.split_once('\'')?;
            (name, rest.split('\'').nth(1).unwrap_or_default())
        } else {
            (
                message.to_ascii_lowercase().starts_with("table function '").then(|| message.split('\'').nth(1))??,
                wide::NAME,
            )
        };
        let place = place.or_else(|| self.text.find_name(name));
        let problem = label(Diagnostic::error(Kind::NotFound, format!("there is no function `{name}`")), place, "");
        let functions = self.functions();
        let near = did_you_mean(name, functions.iter().map(String::as_str).chain([nearest]));
        // `averg` is `avg` with letters too many.
        let shorter = || functions.iter().find(|known| known.len() + 2 >= name.len() && is_in(known, name));
        Some(match near.or_else(|| shorter().map(String::as_str)) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint("`show functions` lists those there are"),
        })
    }
}

/// Everything else that DataFusion has to say.
fn other(error: &DataFusionError, message: &str, place: Option<Span>) -> Diagnostic {
    let kind = match error.find_root() {
        _ if is_regex(message) => Kind::Regex,
        DataFusionError::ResourcesExhausted(_) => Kind::Limit,
        DataFusionError::ArrowError(..) => Kind::Type,
        _ if ["coerce", "coercion", "type", "cast"].iter().any(|word| message.to_lowercase().contains(word)) => {
            Kind::Type
        }
        _ => Kind::Semantic,
    };
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut problem = Diagnostic::error(kind, lower_first(lines.next().unwrap_or("the query makes no sense")));
    problem = label(problem, place, "");
    for line in lines {
        problem = problem.hint(line);
    }
    let described = error.diagnostic();
    let helps = described.into_iter().flat_map(|it| it.helps.iter().map(|help| &help.message));
    helps.fold(problem, |problem, help| problem.hint(help))
}

fn label(diagnostic: Diagnostic, place: Option<Span>, remark: &str) -> Diagnostic {
    match place {
        Some(span) => diagnostic.label(span, remark),
        None => diagnostic,
    }
}

/// `message at Line: 3, Column: 7`.
fn cut_location(message: &str) -> (&str, Option<Location>) {
    let place = || {
        let (text, place) = message.rsplit_once(" at Line: ")?;
        let (line, column) = place.split_once(", Column: ")?;
        let column = column.trim_end_matches(|c: char| !c.is_ascii_digit());
        Some((text, Location { line: line.parse().ok()?, column: column.parse().ok()? }))
    };
    match place() {
        Some((text, location)) => (text, Some(location)),
        None => (message, None),
    }
}

/// A name as it has to be written in SQL.
fn quoted(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain && !name.starts_with(|c: char| c.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Whether a name of some letters is what is left of another one without some of its letters, the first one excepted.
fn is_in(short: &str, long: &str) -> bool {
    let mut letters = long.chars();
    short.len() >= 3 && short.chars().next() == long.chars().next() && short.chars().all(|c| letters.any(|l| l == c))
}

/// The keyword that a word is nearly.
fn near_keyword(word: Span, text: &SqlText<'_>) -> Option<(Span, &'static str)> {
    const KEYWORDS: [&str; 14] = [
        "SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "JOIN", "INNER", "LEFT", "UNION",
        "DISTINCT", "VALUES",
    ];
    let written = text.text().get(word.range())?.to_ascii_uppercase();
    did_you_mean(&written, KEYWORDS).map(|keyword| (word, keyword))
}

/// The only operator like the one in a message about its operands: `Int64 + Utf8`.
fn operator_in(message: &str, text: &SqlText<'_>) -> Option<Span> {
    let operators = ["+", "-", "*", "/", "%", "=", "<>", "!=", "<", "<=", ">", ">=", "||", "~"];
    let operator = message.split(' ').find(|word| operators.contains(word))?;
    let mut found = text.tokens().iter().filter(|(token, _)| token.to_string() == operator);
    match (found.next(), found.next()) {
        (Some((_, span)), None) => Some(*span),
        _ => None,
    }
}

/// A few of the names there are.
fn listed<'n>(what: &str, mut names: impl Iterator<Item = &'n str>) -> String {
    const FEW: usize = 12;
    let shown: Vec<_> = names.by_ref().take(FEW).map(quoted).collect();
    let more = if names.next().is_some() { ", …" } else { "" };
    format!("the {what} there are: {}{more}", shown.join(", "))
}
