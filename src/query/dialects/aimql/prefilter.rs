//! What Aim cannot split into a question about the run alone (specification section 6).
//!
//! Before Aim looks at the sequences of a run it takes the parts about the sequence variable out of the query and asks
//! what is left of the run. We do not, but where its rewriting leaves a hole in the text, the query is a syntax error
//! there and stays one here, so that a query means the same in both.

use crate::diagnostic::{Diagnostic, Kind};
use crate::span::Span;
use crate::syntax::python::{BoolOp, FStringPart, PyExpr, PyKind};

/// What the rewriting makes of an expression.
enum Rest {
    /// It stays.
    Whole,
    /// It is about the sequence and goes as a whole.
    Gone(Span),
    /// The hole is inside of something that Aim cannot take out.
    Hole(Span, &'static str),
}

/// Refuses the variable of a sequence search where the rewriting would leave a hole.
pub(super) fn check(tree: &PyExpr, variable: &str) -> Result<(), Diagnostic> {
    match rewrite(tree, variable) {
        Rest::Whole | Rest::Gone(_) => Ok(()),
        Rest::Hole(span, what) => {
            Err(Diagnostic::error(Kind::Syntax, format!("`{variable}` cannot be used inside {what}"))
                .label(span, "")
                .hint(format!("use `{variable}` outside of it, for example `{variable}.name == 'loss' and …`")))
        }
    }
}

fn rewrite(expr: &PyExpr, variable: &str) -> Rest {
    match &expr.kind {
        PyKind::Name(name) if name == variable => Rest::Gone(expr.span),
        // `and` loses the operands that go.
        PyKind::Bool2 { op: BoolOp::And, values } => {
            let (mut gone, mut rest, mut kept) = (None, Rest::Whole, false);
            for value in values {
                match (rewrite(value, variable), &rest) {
                    (Rest::Gone(span), _) => gone = Some(span),
                    (hole @ Rest::Hole(..), Rest::Whole) => (rest, kept) = (hole, true),
                    (Rest::Hole(..) | Rest::Whole, _) => kept = true,
                }
            }
            match gone {
                Some(span) if !kept => Rest::Gone(span),
                _ => rest,
            }
        }
        PyKind::Call { func, args, keywords } => {
            let named = keywords.iter().map(|(_, value)| holed(rewrite(value, variable), "a named argument"));
            let plain = std::iter::once(&**func).chain(args).map(|part| rewrite(part, variable));
            all(plain.chain(named))
        }
        PyKind::FString(parts) => fstring(parts, variable),
        PyKind::Lambda { .. } => below(expr, variable, "a lambda"),
        PyKind::Comprehension { .. } => below(expr, variable, "a comprehension"),
        PyKind::Named { .. } => below(expr, variable, "`:=`"),
        PyKind::Starred(_) => below(expr, variable, "`*`"),
        // A set stays a set here: what is left of it in Aim is an accident.
        PyKind::Set(items) => all(items.iter().map(|item| match rewrite(item, variable) {
            Rest::Gone(_) => Rest::Whole,
            rest => rest,
        })),
        _ => {
            let mut parts = vec![];
            expr.children(&mut |child| parts.push(rewrite(child, variable)));
            all(parts)
        }
    }
}

/// Something that goes when one of its parts does.
fn all(parts: impl IntoIterator<Item = Rest>) -> Rest {
    let mut rest = Rest::Whole;
    for part in parts {
        match (part, &rest) {
            (Rest::Gone(span), _) => return Rest::Gone(span),
            (hole @ Rest::Hole(..), Rest::Whole) => rest = hole,
            (Rest::Hole(..) | Rest::Whole, _) => {}
        }
    }
    rest
}

/// Something that stays when its parts go.
fn below(expr: &PyExpr, variable: &str, what: &'static str) -> Rest {
    let mut rest = Rest::Whole;
    expr.children(&mut |child| {
        if matches!(rest, Rest::Whole) {
            rest = holed(rewrite(child, variable), what);
        }
    });
    rest
}

fn holed(rest: Rest, what: &'static str) -> Rest {
    match rest {
        Rest::Gone(span) => Rest::Hole(span, what),
        Rest::Whole | Rest::Hole(..) => rest,
    }
}

/// A hole in a format is none in the text.
fn fstring(parts: &[FStringPart], variable: &str) -> Rest {
    all(parts.iter().map(|part| match part {
        FStringPart::Text(_) => Rest::Whole,
        FStringPart::Value { value, .. } => rewrite(value, variable),
    }))
}
