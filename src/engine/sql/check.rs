//! What SQL may not do here: change anything, or be so long that it cannot be worked on safely.

use super::text::SqlText;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::{ExplainStatement, Statement};
use datafusion::sql::sqlparser::ast::{Statement as SqlStatement, visit_relations};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;
use lakeql_query::diagnostic::{Diagnostic, Kind};
use lakeql_query::span::Span;
use std::ops::ControlFlow;

/// Words that begin statements which are no queries. They are refused before parsing, so that nobody corrects the
/// grammar of something that will be refused.
const REFUSED: &[&str] = &[
    "ALTER",
    "ANALYZE",
    "ATTACH",
    "BEGIN",
    "CACHE",
    "CALL",
    "CHECKPOINT",
    "COMMENT",
    "COMMIT",
    "COPY",
    "CREATE",
    "DEALLOCATE",
    "DECLARE",
    "DELETE",
    "DETACH",
    "DROP",
    "EXECUTE",
    "EXPORT",
    "GRANT",
    "IMPORT",
    "INSERT",
    "INSTALL",
    "KILL",
    "LOAD",
    "LOCK",
    "MERGE",
    "MSCK",
    "OPTIMIZE",
    "PRAGMA",
    "PREPARE",
    "REFRESH",
    "REPLACE",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SAVEPOINT",
    "SET",
    "START",
    "TRUNCATE",
    "UNCACHE",
    "UNLOAD",
    "UPDATE",
    "USE",
    "VACUUM",
];

/// Deepest tree that a query may become, in tokens. A chain of operators becomes a tree that is as deep as the chain is
/// long, two tokens a level at least. Trees are evaluated and dropped level by level, with up to 5 KB of stack for each
/// level in debug builds and a fraction of that otherwise: threads need 16 MB to be safe in both.
const LONGEST_CHAIN: usize = 2_000;

/// Most tables in a query: plans of joins become as deep as there are tables.
const MOST_TABLES: usize = 256;

/// What can be refused by looking at the tokens.
pub(super) fn before_parsing(text: &SqlText<'_>) -> Result<(), Diagnostic> {
    match text.tokens().iter().find(|(token, _)| !matches!(token, Token::LParen | Token::SemiColon)) {
        None => return Err(text.empty()),
        Some((Token::Word(word), span)) if word.quote_style.is_none() => {
            let verb = word.value.to_ascii_uppercase();
            if REFUSED.contains(&verb.as_str()) {
                return Err(refuse(&verb, Some(*span)));
            }
        }
        Some(_) => {}
    }
    chains(text)
}

/// One open parenthesis, bracket, brace or CASE.
#[derive(Clone, Copy, Default)]
struct Level {
    /// Tokens since the last comma.
    chain: usize,
    /// The deepest thing among them.
    child: usize,
    /// The deepest of the pieces before the last comma.
    before: usize,
}

impl Level {
    fn depth(self) -> usize {
        self.before.max(self.chain + self.child)
    }
}

/// Refuses texts whose trees would be too deep. Siblings in lists do not add up, links of a chain do.
fn chains(text: &SqlText<'_>) -> Result<(), Diagnostic> {
    let mut outer: Vec<Level> = vec![];
    let mut level = Level::default();
    for (token, span) in text.tokens() {
        let word = match token {
            Token::Word(word) if word.quote_style.is_none() => word.keyword,
            _ => Keyword::NoKeyword,
        };
        match (token, word) {
            (Token::LParen | Token::LBracket | Token::LBrace, _) | (_, Keyword::CASE) => {
                outer.push(level);
                level = Level::default();
            }
            (Token::RParen | Token::RBracket | Token::RBrace, _) | (_, Keyword::END) => {
                if let Some(around) = outer.pop() {
                    level = Level { child: around.child.max(level.depth()), chain: around.chain + 1, ..around };
                }
            }
            (Token::Comma, _) | (_, Keyword::WHEN | Keyword::THEN | Keyword::ELSE) => {
                level = Level { before: level.depth(), ..Level::default() };
            }
            _ => level.chain += 1,
        }
        if level.depth() > LONGEST_CHAIN {
            return Err(Diagnostic::error(Kind::Limit, format!("an expression of more than {LONGEST_CHAIN} words"))
                .label(*span, "too long here")
                .hint("`x in (1, 2, 3)` may be as long as you like, `x = 1 or x = 2 or x = 3` may not"));
        }
    }
    Ok(())
}

/// What can be refused by looking at the syntax tree.
pub(super) fn statement(statement: &Statement, text: &SqlText<'_>) -> Result<(), Diagnostic> {
    if !is_query(statement) {
        let first = text.first();
        let verb = first.and_then(|span| text.text().get(span.range())).unwrap_or("this").to_ascii_uppercase();
        return Err(refuse(&verb, first));
    }
    let mut tables = 0;
    if let Statement::Statement(statement) = innermost(statement) {
        let _ = visit_relations(statement.as_ref(), |_| {
            tables += 1;
            if tables > MOST_TABLES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }
    if tables > MOST_TABLES {
        return Err(Diagnostic::error(Kind::Limit, format!("the query names more than {MOST_TABLES} tables")));
    }
    Ok(())
}

/// What can be refused by looking at the plan: everything that is left, such as `select … into`.
pub(super) fn plan(plan: &LogicalPlan, text: &SqlText<'_>) -> Result<(), Diagnostic> {
    let reading = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    reading.verify_plan(plan).map_err(|error| {
        let message = error.message().into_owned();
        let what = message.rsplit(": ").next().unwrap_or("this").to_owned();
        let place = text.find(|token| matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("into")));
        refuse(&what, place.or_else(|| text.first()))
    })
}

fn innermost(statement: &Statement) -> &Statement {
    match statement {
        Statement::Explain(ExplainStatement { statement, .. }) => innermost(statement),
        other => other,
    }
}

fn is_query(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(statement) => is_sql_query(statement),
        Statement::Explain(ExplainStatement { statement, .. }) => is_query(statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => false,
    }
}

fn is_sql_query(statement: &SqlStatement) -> bool {
    match statement {
        SqlStatement::Query(_)
        | SqlStatement::ExplainTable { .. }
        | SqlStatement::ShowCatalogs { .. }
        | SqlStatement::ShowColumns { .. }
        | SqlStatement::ShowCreate { .. }
        | SqlStatement::ShowDatabases { .. }
        | SqlStatement::ShowFunctions { .. }
        | SqlStatement::ShowSchemas { .. }
        | SqlStatement::ShowTables { .. }
        | SqlStatement::ShowVariable { .. }
        | SqlStatement::ShowVariables { .. }
        | SqlStatement::ShowViews { .. } => true,
        SqlStatement::Explain { statement, .. } => is_sql_query(statement),
        // The parser knows a hundred statements that change something, and grows: what is not known to read is refused.
        _ => false,
    }
}

fn refuse(verb: &str, place: Option<Span>) -> Diagnostic {
    let refused = Diagnostic::error(Kind::Forbidden, format!("{verb} is not allowed: SQL here only reads the lake"))
        .hint("a query starts with SELECT, WITH, FROM, VALUES, EXPLAIN, SHOW or DESCRIBE");
    match place {
        Some(span) => refused.label(span, "not a query"),
        None => refused,
    }
}
