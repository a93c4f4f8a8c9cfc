//! What queries may not say: refused before any data is read (specification section 2).

use super::prefilter;
use crate::diagnostic::{Diagnostic, Kind};
use crate::model::Entity;
use crate::span::Span;
use crate::syntax::python::{Clause, FStringPart, PyExpr, PyKind};

/// Attributes that reach into frames, code and generators.
const INTROSPECTION: &[&str] = &[
    "tb_frame",
    "tb_next",
    "f_back",
    "f_builtins",
    "f_code",
    "f_globals",
    "f_locals",
    "f_trace",
    "co_code",
    "gi_frame",
    "gi_code",
    "gi_yieldfrom",
    "cr_await",
    "cr_frame",
    "cr_code",
    "cr_origin",
    "ag_await",
    "ag_frame",
    "ag_code",
];

/// Refuses names and constructs outside of the language.
pub(super) fn check(tree: &PyExpr, entity: Entity) -> Result<(), Vec<Diagnostic>> {
    let mut checker = Checker { problems: vec![] };
    checker.expr(tree);
    if let Entity::Series(kind) = entity {
        checker.problems.extend(prefilter::check(tree, kind.name()).err());
    }
    if checker.problems.is_empty() { Ok(()) } else { Err(checker.problems) }
}

struct Checker {
    problems: Vec<Diagnostic>,
}

impl Checker {
    fn refuse(&mut self, span: Span, message: String, hint: &str) {
        self.problems.push(Diagnostic::error(Kind::Forbidden, message).label(span, "not allowed").hint(hint));
    }

    fn name(&mut self, name: &str, span: Span) {
        if name != "_" && name.starts_with('_') {
            self.refuse(
                span,
                format!("the name `{name}` begins with an underscore"),
                "such names are closed to queries",
            );
        } else if name.ends_with("__roles__") || name == "breakpoint" || name == "builtins" {
            self.refuse(
                span,
                format!("the name `{name}` is closed to queries"),
                "use properties, params and functions",
            );
        }
    }

    fn attribute(&mut self, name: &str, span: Span) {
        if name != "_" && name.starts_with('_') {
            let hint = format!("a param of this name is read as `run['{name}']`");
            self.refuse(span, format!("the attribute `{name}` begins with an underscore"), &hint);
        } else if name.ends_with("__roles__") || INTROSPECTION.contains(&name) {
            self.refuse(span, format!("the attribute `{name}` is closed to queries"), "read values, not machinery");
        }
    }

    fn exprs<'a>(&mut self, exprs: impl IntoIterator<Item = &'a PyExpr>) {
        exprs.into_iter().for_each(|expr| self.expr(expr));
    }

    fn fstring(&mut self, parts: &[FStringPart]) {
        for part in parts {
            if let FStringPart::Value { value, format, .. } = part {
                self.expr(value);
                self.fstring(format.as_deref().unwrap_or_default());
            }
        }
    }

    fn expr(&mut self, expr: &PyExpr) {
        match &expr.kind {
            PyKind::None
            | PyKind::Ellipsis
            | PyKind::Bool(_)
            | PyKind::Int(_)
            | PyKind::Float(_)
            | PyKind::Imaginary(_)
            | PyKind::Str(_)
            | PyKind::Bytes(_) => {}
            PyKind::Yield => {}
            PyKind::FString(parts) => self.fstring(parts),
            PyKind::Name(name) => self.name(name, expr.span),
            PyKind::Attribute { value, name, name_span } => {
                self.expr(value);
                self.attribute(name, *name_span);
            }
            PyKind::Call { func, args, keywords } => {
                if let PyKind::Name(name) = &func.kind
                    && (name == "eval" || name == "exec")
                {
                    self.refuse(func.span, format!("`{name}` is closed to queries"), "write the expression itself");
                }
                self.expr(func);
                self.exprs(args);
                for (name, value) in keywords {
                    if let Some(name) = name {
                        self.name(name, value.span);
                    }
                    self.expr(value);
                }
            }
            PyKind::Lambda { params, body } => {
                for param in params {
                    self.name(&param.name, expr.span);
                    self.exprs(&param.default);
                }
                self.expr(body);
            }
            PyKind::Comprehension { element, value, clauses, .. } => {
                for Clause { target, iter, conditions } in clauses {
                    self.exprs([target, iter]);
                    self.exprs(conditions);
                }
                self.expr(element);
                self.exprs(value.as_deref());
            }
            PyKind::Named { name, value } => {
                self.name(name, expr.span);
                self.expr(value);
            }
            PyKind::Await(value) => {
                self.refuse(
                    expr.span,
                    "`await` is closed to queries".into(),
                    "values are there, nothing is waited for",
                );
                self.expr(value);
            }
            _ => expr.children(&mut |child| self.expr(child)),
        }
    }
}
