//! The one file that sees the Python parser; its types stop here.

use super::problem::problem;
use super::{
    BinaryOp, BoolOp, Clause, CompareOp, ComprehensionKind, FStringPart, Param, ParamKind, PyExpr, PyKind, UnaryOp,
};
use crate::diagnostic::{Diagnostic, Kind};
use crate::span::Span;
use num_bigint::BigInt;
use ruff_python_ast as ast;
use ruff_text_size::{Ranged, TextRange};
use std::cell::Cell;

/// Deepest tree that is accepted; deeper ones are refused as [`Kind::Limit`].
pub const MAX_DEPTH: usize = 200;

/// Longest text that is parsed.
pub const MAX_BYTES: usize = 1 << 20;

/// Stack for the parser, which recurses on input: room for the deepest tree that [`MAX_BYTES`] can hold.
const PARSER_STACK: usize = 512 << 20;

/// Parses one expression as if it stood in parentheses: line breaks are free, a trailing comment swallows the
/// closing parenthesis and is an error, `a, b` is a tuple, `x := 1` is allowed.
///
/// # Errors
/// [`Kind::Syntax`] with the place, [`Kind::Limit`] for texts that are too long or too deeply nested.
pub fn parse_parenthesized(text: &str) -> Result<PyExpr, Diagnostic> {
    if text.len() > MAX_BYTES {
        let message = format!("the query has {} bytes, the limit is {MAX_BYTES}", text.len());
        return Err(Diagnostic::error(Kind::Limit, message).hint("`x in [1, 2, 3]` is short for many comparisons"));
    }
    let wrapped = format!("({text})");
    let convert = || {
        let parsed = ruff_python_parser::parse_expression(&wrapped).map_err(|error| {
            // Positions in the wrapped text are one behind those in the user's.
            let place = clamp(shift(error.location), text.len());
            problem(text, place, &error.error.to_string())
        })?;
        Converter { text, lambdas: Cell::new(0) }.expr(parsed.expr(), 0)
    };
    let stack = if text.len() < 4096 { 8 << 20 } else { PARSER_STACK };
    stacker::grow(stack, convert)
}

fn shift(range: TextRange) -> Span {
    Span::new(range.start().to_usize().saturating_sub(1), range.end().to_usize().saturating_sub(1))
}

fn clamp(span: Span, len: usize) -> Span {
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    Span { start: span.start.min(len), end: span.end.min(len) }
}

/// Turns the parser's tree into ours.
struct Converter<'t> {
    text: &'t str,
    /// How many lambdas are around the current place: only inside of one may something be yielded.
    lambdas: Cell<usize>,
}

type Converted<T = PyExpr> = Result<T, Diagnostic>;

impl Converter<'_> {
    fn span(&self, range: TextRange) -> Span {
        clamp(shift(range), self.text.len())
    }

    fn boxed(&self, expr: &ast::Expr, depth: usize) -> Converted<Box<PyExpr>> {
        self.expr(expr, depth).map(Box::new)
    }

    fn optional(&self, expr: Option<&ast::Expr>, depth: usize) -> Converted<Option<Box<PyExpr>>> {
        expr.map(|e| self.boxed(e, depth)).transpose()
    }

    fn all<'a>(&self, exprs: impl IntoIterator<Item = &'a ast::Expr>, depth: usize) -> Converted<Vec<PyExpr>> {
        exprs.into_iter().map(|e| self.expr(e, depth)).collect()
    }

    fn expr(&self, expr: &ast::Expr, depth: usize) -> Converted {
        let span = self.span(expr.range());
        if depth > MAX_DEPTH {
            let message = format!("the expression is nested more than {MAX_DEPTH} levels deep");
            // One character says where; what is inside may be long.
            let first = self.text.get(span.range().start..).and_then(|rest| rest.chars().next());
            let end = span.range().start + first.map_or(0, char::len_utf8);
            return Err(Diagnostic::error(Kind::Limit, message).label(Span::new(span.range().start, end), "here"));
        }
        let d = depth + 1;
        let kind = match expr {
            ast::Expr::NoneLiteral(_) => PyKind::None,
            ast::Expr::EllipsisLiteral(_) => PyKind::Ellipsis,
            ast::Expr::BooleanLiteral(e) => PyKind::Bool(e.value),
            ast::Expr::NumberLiteral(e) => self.number(&e.value, span)?,
            ast::Expr::StringLiteral(e) => PyKind::Str(e.value.to_str().to_owned()),
            ast::Expr::BytesLiteral(e) => PyKind::Bytes(e.value.bytes().collect()),
            ast::Expr::FString(e) => PyKind::FString(self.fstring(&e.value, d)?),
            ast::Expr::Name(e) => PyKind::Name(e.id.to_string()),
            ast::Expr::Attribute(e) => PyKind::Attribute {
                value: self.boxed(&e.value, d)?,
                name: e.attr.id.to_string(),
                name_span: self.span(e.attr.range),
            },
            ast::Expr::Subscript(e) => {
                PyKind::Subscript { value: self.boxed(&e.value, d)?, index: self.boxed(&e.slice, d)? }
            }
            ast::Expr::Slice(e) => PyKind::Slice {
                lower: self.optional(e.lower.as_deref(), d)?,
                upper: self.optional(e.upper.as_deref(), d)?,
                step: self.optional(e.step.as_deref(), d)?,
            },
            ast::Expr::Tuple(e) => PyKind::Tuple(self.all(&e.elts, d)?),
            ast::Expr::List(e) => PyKind::List(self.all(&e.elts, d)?),
            ast::Expr::Set(e) => PyKind::Set(self.all(&e.elts, d)?),
            ast::Expr::Dict(e) => PyKind::Dict(
                e.items
                    .iter()
                    .map(|item| {
                        let key = item.key.as_ref().map(|k| self.expr(k, d)).transpose()?;
                        Ok((key, self.expr(&item.value, d)?))
                    })
                    .collect::<Converted<_>>()?,
            ),
            ast::Expr::Starred(e) => PyKind::Starred(self.boxed(&e.value, d)?),
            ast::Expr::UnaryOp(e) => PyKind::Unary {
                op: match e.op {
                    ast::UnaryOp::Not => UnaryOp::Not,
                    ast::UnaryOp::USub => UnaryOp::Neg,
                    ast::UnaryOp::UAdd => UnaryOp::Pos,
                    ast::UnaryOp::Invert => UnaryOp::Invert,
                },
                operand: self.boxed(&e.operand, d)?,
            },
            ast::Expr::BinOp(e) => {
                PyKind::Binary { op: binary_op(e.op), left: self.boxed(&e.left, d)?, right: self.boxed(&e.right, d)? }
            }
            ast::Expr::BoolOp(e) => PyKind::Bool2 {
                op: match e.op {
                    ast::BoolOp::And => BoolOp::And,
                    ast::BoolOp::Or => BoolOp::Or,
                },
                values: self.all(&e.values, d)?,
            },
            ast::Expr::Compare(e) => PyKind::Compare {
                left: self.boxed(&e.left, d)?,
                rest: e
                    .ops
                    .iter()
                    .zip(&*e.comparators)
                    .map(|(op, right)| Ok((compare_op(*op), self.expr(right, d)?)))
                    .collect::<Converted<_>>()?,
            },
            ast::Expr::If(e) => PyKind::IfElse {
                test: self.boxed(&e.test, d)?,
                body: self.boxed(&e.body, d)?,
                orelse: self.boxed(&e.orelse, d)?,
            },
            ast::Expr::Lambda(e) => PyKind::Lambda {
                params: e.parameters.as_deref().map_or(Ok(vec![]), |p| self.params(p, d))?,
                body: {
                    self.lambdas.set(self.lambdas.get() + 1);
                    let body = self.boxed(&e.body, d);
                    self.lambdas.set(self.lambdas.get() - 1);
                    body?
                },
            },
            ast::Expr::Call(e) => PyKind::Call {
                func: self.boxed(&e.func, d)?,
                args: self.all(&e.arguments.args, d)?,
                keywords: e
                    .arguments
                    .keywords
                    .iter()
                    .map(|k| Ok((k.arg.as_ref().map(|a| a.id.to_string()), self.expr(&k.value, d)?)))
                    .collect::<Converted<_>>()?,
            },
            ast::Expr::ListComp(e) => self.comprehension(ComprehensionKind::List, &e.elt, None, &e.generators, d)?,
            ast::Expr::SetComp(e) => self.comprehension(ComprehensionKind::Set, &e.elt, None, &e.generators, d)?,
            ast::Expr::Generator(e) => {
                self.comprehension(ComprehensionKind::Generator, &e.elt, None, &e.generators, d)?
            }
            ast::Expr::DictComp(e) => match &e.key {
                Some(key) => self.comprehension(ComprehensionKind::Dict, key, Some(&e.value), &e.generators, d)?,
                None => return Err(unsupported(span, "`**` in a dict comprehension")),
            },
            ast::Expr::Named(e) => match &*e.target {
                ast::Expr::Name(name) => PyKind::Named { name: name.id.to_string(), value: self.boxed(&e.value, d)? },
                _ => return Err(unsupported(span, "`:=` to anything but a name")),
            },
            ast::Expr::Await(e) => PyKind::Await(self.boxed(&e.value, d)?),
            ast::Expr::Yield(_) | ast::Expr::YieldFrom(_) if self.lambdas.get() > 0 => PyKind::Yield,
            ast::Expr::Yield(_) | ast::Expr::YieldFrom(_) => {
                return Err(unsupported(span, "`yield` outside of a lambda"));
            }
            ast::Expr::TString(_) => return Err(unsupported(span, "a template string")),
            ast::Expr::IpyEscapeCommand(_) => return Err(unsupported(span, "a shell escape")),
        };
        Ok(PyExpr { kind, span })
    }

    fn number(&self, number: &ast::Number, span: Span) -> Converted<PyKind> {
        Ok(match number {
            ast::Number::Int(int) => match int.as_u64() {
                Some(small) => PyKind::Int(small.into()),
                None => PyKind::Int(
                    big_int(&int.to_string())
                        .ok_or_else(|| Diagnostic::error(Kind::Syntax, "not an integer").label(span, ""))?,
                ),
            },
            ast::Number::Float(float) => PyKind::Float(*float),
            ast::Number::Complex { imag, .. } => PyKind::Imaginary(*imag),
        })
    }

    fn fstring(&self, value: &ast::FStringValue, depth: usize) -> Converted<Vec<FStringPart>> {
        let mut parts = vec![];
        for part in value {
            match part {
                ast::FStringPart::Literal(literal) => parts.push(FStringPart::Text(literal.value.to_string())),
                ast::FStringPart::FString(fstring) => self.elements(&fstring.elements, &mut parts, depth)?,
            }
        }
        Ok(parts)
    }

    fn elements(
        &self,
        elements: &ast::InterpolatedStringElements,
        parts: &mut Vec<FStringPart>,
        depth: usize,
    ) -> Converted<()> {
        for element in elements {
            match element {
                ast::InterpolatedStringElement::Literal(text) => parts.push(FStringPart::Text(text.value.to_string())),
                ast::InterpolatedStringElement::Interpolation(e) => {
                    let mut conversion = match e.conversion {
                        ast::ConversionFlag::None => None,
                        ast::ConversionFlag::Str => Some('s'),
                        ast::ConversionFlag::Ascii => Some('a'),
                        ast::ConversionFlag::Repr => Some('r'),
                    };
                    let format = match &e.format_spec {
                        None => None,
                        Some(spec) => {
                            let mut inner = vec![];
                            self.elements(&spec.elements, &mut inner, depth + 1)?;
                            Some(inner)
                        }
                    };
                    if let Some(debug) = &e.debug_text {
                        let source = format!("{}{}{}", debug.leading(), debug.expression(), debug.trailing());
                        parts.push(FStringPart::Text(source));
                        // `{x=}` shows the repr unless it says otherwise.
                        if conversion.is_none() && format.is_none() {
                            conversion = Some('r');
                        }
                    }
                    let value = self.expr(&e.expression, depth)?;
                    parts.push(FStringPart::Value { value, conversion, format });
                }
            }
        }
        Ok(())
    }

    fn params(&self, params: &ast::Parameters, depth: usize) -> Converted<Vec<Param>> {
        let mut out = vec![];
        let plain = |list: &[ast::ParameterWithDefault], kind: ParamKind, out: &mut Vec<Param>| -> Converted<()> {
            for p in list {
                let default = p.default.as_deref().map(|e| self.expr(e, depth)).transpose()?;
                out.push(Param { name: p.parameter.name.id.to_string(), kind, default });
            }
            Ok(())
        };
        plain(&params.posonlyargs, ParamKind::Positional, &mut out)?;
        plain(&params.args, ParamKind::Plain, &mut out)?;
        if let Some(rest) = &params.vararg {
            out.push(Param { name: rest.name.id.to_string(), kind: ParamKind::Rest, default: None });
        }
        plain(&params.kwonlyargs, ParamKind::Keyword, &mut out)?;
        if let Some(rest) = &params.kwarg {
            out.push(Param { name: rest.name.id.to_string(), kind: ParamKind::KeywordRest, default: None });
        }
        Ok(out)
    }

    fn comprehension(
        &self,
        kind: ComprehensionKind,
        element: &ast::Expr,
        value: Option<&ast::Expr>,
        clauses: &[ast::Comprehension],
        depth: usize,
    ) -> Converted<PyKind> {
        let clauses = clauses
            .iter()
            .map(|c| {
                if c.is_async {
                    return Err(unsupported(self.span(c.range), "an asynchronous comprehension"));
                }
                Ok(Clause {
                    target: self.expr(&c.target, depth)?,
                    iter: self.expr(&c.iter, depth)?,
                    conditions: self.all(&c.ifs, depth)?,
                })
            })
            .collect::<Converted<_>>()?;
        let value = self.optional(value, depth)?;
        Ok(PyKind::Comprehension { kind, element: self.boxed(element, depth)?, value, clauses })
    }
}

fn unsupported(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error(Kind::Syntax, format!("{what} is not an expression that can be asked")).label(span, "")
}

/// An integer literal beyond 64 bits as the parser hands it over: digits without `_`, perhaps with a radix prefix.
fn big_int(text: &str) -> Option<BigInt> {
    let text = text.replace('_', "").to_ascii_lowercase();
    let (digits, radix) = match text.get(..2) {
        Some("0x") => (&text[2..], 16),
        Some("0o") => (&text[2..], 8),
        Some("0b") => (&text[2..], 2),
        _ => (text.as_str(), 10),
    };
    BigInt::parse_bytes(digits.as_bytes(), radix)
}

fn binary_op(op: ast::Operator) -> BinaryOp {
    match op {
        ast::Operator::Add => BinaryOp::Add,
        ast::Operator::Sub => BinaryOp::Sub,
        ast::Operator::Mult => BinaryOp::Mul,
        ast::Operator::MatMult => BinaryOp::MatMul,
        ast::Operator::Div => BinaryOp::Div,
        ast::Operator::Mod => BinaryOp::Mod,
        ast::Operator::Pow => BinaryOp::Pow,
        ast::Operator::LShift => BinaryOp::ShiftLeft,
        ast::Operator::RShift => BinaryOp::ShiftRight,
        ast::Operator::BitOr => BinaryOp::BitOr,
        ast::Operator::BitXor => BinaryOp::BitXor,
        ast::Operator::BitAnd => BinaryOp::BitAnd,
        ast::Operator::FloorDiv => BinaryOp::FloorDiv,
    }
}

fn compare_op(op: ast::CmpOp) -> CompareOp {
    match op {
        ast::CmpOp::Eq => CompareOp::Eq,
        ast::CmpOp::NotEq => CompareOp::NotEq,
        ast::CmpOp::Lt => CompareOp::Lt,
        ast::CmpOp::LtE => CompareOp::LtE,
        ast::CmpOp::Gt => CompareOp::Gt,
        ast::CmpOp::GtE => CompareOp::GtE,
        ast::CmpOp::Is => CompareOp::Is,
        ast::CmpOp::IsNot => CompareOp::IsNot,
        ast::CmpOp::In => CompareOp::In,
        ast::CmpOp::NotIn => CompareOp::NotIn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Kind {
        parse_parenthesized(text).unwrap_err().kind
    }

    #[test]
    fn spans_are_those_of_the_users_text() {
        let tree = parse_parenthesized("run.seed ==\n 3").unwrap();
        assert_eq!(tree.span, Span::new(0, 14));
        let PyKind::Compare { rest, .. } = tree.kind else { panic!("not a comparison") };
        assert_eq!(rest[0].1.span, Span::new(13, 14));
    }

    #[test]
    fn wrapped_in_parentheses_as_the_original_does() {
        assert!(matches!(parse_parenthesized("1, 2").unwrap().kind, PyKind::Tuple(_)));
        assert!(matches!(parse_parenthesized("x := 1").unwrap().kind, PyKind::Named { .. }));
        assert_eq!(kind("run.seed == 3 # why"), Kind::Syntax);
        assert_eq!(kind("1) or (2 = 3"), Kind::Syntax);
    }

    #[test]
    fn integers_of_any_size() {
        let PyKind::Int(value) = parse_parenthesized("0xFFFF_FFFF_FFFF_FFFF_F").unwrap().kind else { panic!() };
        assert_eq!(value, (BigInt::from(1) << 68) - 1);
    }

    #[test]
    fn depth_and_length_have_limits() {
        for deep in ["[".repeat(5000) + "1" + &"]".repeat(5000), "-".repeat(900_000) + "1", "1+".repeat(300_000) + "1"]
        {
            assert!(kind(&deep) == Kind::Limit);
        }
        assert_eq!(kind(&"a".repeat(MAX_BYTES + 1)), Kind::Limit);
    }

    #[test]
    fn the_tree_survives_serialisation() {
        let tree = parse_parenthesized("f'{x!r:>{w}}' if 1e999 > 10**30 else [y for y in (1, 2j) if y]").unwrap();
        let json = serde_json::to_string(&tree).unwrap();
        assert_eq!(serde_json::from_str::<PyExpr>(&json).unwrap(), tree);
    }
}
