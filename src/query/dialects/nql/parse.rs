//! Tokens to tree.
//!
//! Brackets are kept on a stack of their own and chains of NOT are counted, so the depth of a text costs no stack. The
//! depth of brackets is limited all the same: what follows recurses.

use super::Flavour;
use super::lex::{Lexeme, lex, unquote};
use super::slips;
use super::tree::{Aggregate, Clause, Named, Node, Op, Operand, Place, Value};
use crate::diagnostic::Diagnostic;
use crate::model::CompareOp;
use crate::span::Span;
use crate::syntax::cursor::Cursor;

/// Longest query in bytes.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// What a parser is told beside the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// The dialect.
    pub(super) flavour: Flavour,
    /// Whether a word or text alone is a search term.
    pub(super) terms: bool,
}

/// Parses a query; nothing if it is blank, which asks for everything.
///
/// ```ebnf
/// query = [ or ] ;
/// or    = and , { "OR" , and } ;
/// and   = not , { "AND" , not } ;
/// not   = "NOT" , not | "(" , or , ")" | clause ;
/// ```
pub(super) fn parse(text: &str, options: Options) -> Result<Option<Node>, Diagnostic> {
    let tokens = lex(text, options.flavour);
    if tokens.tokens.is_empty() && tokens.fault.is_none() {
        return Ok(None);
    }
    let mut parser = Parser { cursor: Cursor::new(text, tokens), options };
    parser.query().map(Some).map_err(|problem| slips::whole_query(text, problem))
}

pub(super) struct Parser<'s> {
    pub(super) cursor: Cursor<'s, Lexeme>,
    pub(super) options: Options,
}

/// A bracket that is not closed yet, or the query as a whole.
#[derive(Default)]
struct Level {
    /// Finished operands of OR.
    any: Vec<Node>,
    /// Operands of AND since the last OR.
    all: Vec<Node>,
    /// Whether there is a NOT before the bracket.
    negated: bool,
    /// Where the bracket is.
    open: Span,
}

impl Level {
    fn push(&mut self, node: Node, negated: bool) {
        self.all.push(if negated { node.negate() } else { node });
    }

    fn end_and(&mut self) {
        let mut all = std::mem::take(&mut self.all);
        // A single operand is itself.
        self.any.extend(if all.len() == 1 { all.pop() } else { Some(Node::All(all)) });
    }

    fn finish(mut self) -> Node {
        self.end_and();
        match self.any.pop() {
            Some(only) if self.any.is_empty() => only,
            Some(last) => {
                self.any.push(last);
                Node::Any(self.any)
            }
            None => Node::Any(vec![]),
        }
    }
}

impl Parser<'_> {
    fn query(&mut self) -> Result<Node, Diagnostic> {
        let mut outer: Vec<Level> = vec![];
        let mut level = Level::default();
        loop {
            // What may begin a condition.
            self.cursor.note("a field");
            let mut negated = false;
            while self.cursor.eat(Lexeme::Not).is_some() {
                negated = !negated;
            }
            if let Some(bracket) = self.cursor.eat(Lexeme::Open) {
                self.cursor.enter(bracket.span)?;
                outer.push(std::mem::replace(&mut level, Level { negated, open: bracket.span, ..Level::default() }));
                continue;
            }
            let clause = self.clause()?;
            level.push(clause, negated);
            // What may follow one.
            loop {
                if self.cursor.eat(Lexeme::And).is_some() {
                    break;
                }
                if self.cursor.eat(Lexeme::Or).is_some() {
                    level.end_and();
                    break;
                }
                match outer.pop() {
                    Some(around) => {
                        if self.cursor.eat(Lexeme::Close).is_none() {
                            return Err(slips::after_clause(self, Some(level.open)));
                        }
                        self.cursor.leave();
                        let inner = std::mem::replace(&mut level, around);
                        let negated = inner.negated;
                        level.push(inner.finish(), negated);
                    }
                    None if self.cursor.is_end() => return Ok(level.finish()),
                    None => return Err(slips::after_clause(self, None)),
                }
            }
        }
    }

    /// ```ebnf
    /// legacy: clause = field , ( relop , value | [ "NOT" ] , ( "CONTAINS" , value | "EXISTS" ) ) | word | string ;
    /// typed:  clause = operand , [ "NOT" ] , ( relop , value | ( "CONTAINS" | "MATCHES" ) , value | "EXISTS" ) ;
    /// ```
    fn clause(&mut self) -> Result<Node, Diagnostic> {
        if let Some(term) = self.term() {
            return Ok(Node::Term(term));
        }
        let operand = self.operand()?;
        let not = self.infix_not();
        let token = self.cursor.peek();
        let Some((op, opposite)) = self.operator(not) else { return Err(slips::no_operator(self, &operand)) };
        let value = if op == Op::Exists { None } else { Some(self.value()?) };
        Ok(Node::Clause(Clause { operand, negated: not != opposite, op, op_span: token.span, value }))
    }

    /// A word or text alone, where search terms are on.
    fn term(&mut self) -> Option<Value> {
        if !self.options.terms {
            return None;
        }
        let token = self.cursor.peek();
        let next = self.cursor.peek_nth(1);
        let word = |token| matches!(token, Lexeme::Word);
        let exists = |at: usize| {
            let token = self.cursor.peek_nth(at);
            word(token.kind) && self.cursor.text(token).eq_ignore_ascii_case("exists")
        };
        let followed = match next.kind {
            Lexeme::Contains => true,
            Lexeme::Not => self.cursor.peek_nth(2).kind == Lexeme::Contains || exists(2),
            Lexeme::Word => exists(1),
            kind => comparison(kind).is_some(),
        };
        match token.kind {
            Lexeme::Word if !followed => {
                self.cursor.bump();
                Some(Value { text: self.cursor.text(token).to_owned(), span: token.span })
            }
            Lexeme::Text => {
                self.cursor.bump();
                Some(Value { text: unquote(self.cursor.text(token)), span: token.span })
            }
            _ => None,
        }
    }

    /// ```ebnf
    /// legacy: field = word | ident ;
    /// typed:  operand = attr | agg , "(" , attr , ")" ;
    /// ```
    fn operand(&mut self) -> Result<Operand, Diagnostic> {
        let token = self.cursor.peek();
        let function = match token.kind {
            Lexeme::Word if self.options.flavour == Flavour::Typed => Aggregate::from_name(self.cursor.text(token)),
            _ => None,
        };
        match function {
            Some(function) if self.cursor.peek_nth(1).kind == Lexeme::Open => {
                self.cursor.bump();
                self.cursor.bump();
                let attribute = self.attribute()?;
                let nested = self.cursor.peek().kind == Lexeme::Open;
                let close = self.cursor.expect(Lexeme::Close).map_err(|problem| {
                    if nested { problem.hint("functions take a field, not another function") } else { problem }
                })?;
                let span = Place(token.span.to(close.span));
                Ok(Operand { call: Some(function), span, ..attribute })
            }
            _ => self.attribute(),
        }
    }

    /// ```ebnf
    /// attr = ( word | ident ) , [ ":" , type ] ;
    /// type = word ;
    /// ```
    fn attribute(&mut self) -> Result<Operand, Diagnostic> {
        let token = self.cursor.peek();
        if !self.cursor.is_word("a field", |kind| matches!(kind, Lexeme::Word | Lexeme::Name)) {
            return Err(slips::no_field(self));
        }
        self.cursor.bump();
        let text = self.cursor.text(token);
        let name = if token.kind == Lexeme::Name { unquote(text) } else { text.to_owned() };
        let mut span = token.span;
        let mut declared = None;
        if self.options.flavour == Flavour::Typed && self.cursor.eat(Lexeme::Colon).is_some() {
            let token = self.cursor.peek();
            if !self.cursor.is_word("a type", |kind| kind == Lexeme::Word) {
                return Err(self.cursor.unexpected());
            }
            self.cursor.bump();
            span = span.to(token.span);
            declared = Some(Named { text: self.cursor.text(token).to_owned(), span: Place(token.span) });
        }
        Ok(Operand { name, declared, call: None, span: Place(span) })
    }

    /// NOT between field and operator. In the legacy dialect only before CONTAINS and EXISTS.
    fn infix_not(&mut self) -> bool {
        if self.cursor.peek().kind != Lexeme::Not {
            return false;
        }
        let after = self.cursor.peek_nth(1);
        let allowed = match self.options.flavour {
            Flavour::Typed => true,
            Flavour::Legacy => {
                after.kind == Lexeme::Contains
                    || (after.kind == Lexeme::Word && self.cursor.text(after).eq_ignore_ascii_case("exists"))
            }
        };
        if allowed {
            self.cursor.bump();
        }
        allowed
    }

    /// An operator, and whether it asks for the opposite.
    ///
    /// ```ebnf
    /// relop = "=" | "==" | "!=" | ">" | ">=" | "<" | "<=" (typed: | "=~" | "!~") ;
    /// ```
    fn operator(&mut self, after_not: bool) -> Option<(Op, bool)> {
        let token = self.cursor.peek();
        self.cursor.note(if after_not { "an operator behind NOT" } else { "an operator" });
        let found = match token.kind {
            Lexeme::Contains => (Op::Contains, false),
            Lexeme::Word => {
                let word = self.cursor.text(token);
                if word.eq_ignore_ascii_case("exists") {
                    (Op::Exists, false)
                } else if self.options.flavour == Flavour::Typed && word.eq_ignore_ascii_case("matches") {
                    (Op::Matches, false)
                } else {
                    return None;
                }
            }
            kind => comparison(kind)?,
        };
        self.cursor.bump();
        Some(found)
    }

    /// ```ebnf
    /// value = word | string ;
    /// ```
    fn value(&mut self) -> Result<Value, Diagnostic> {
        let token = self.cursor.peek();
        if !self.cursor.is_word("a value", |kind| matches!(kind, Lexeme::Word | Lexeme::Text)) {
            return Err(slips::no_value(self));
        }
        self.cursor.bump();
        let text = self.cursor.text(token);
        let text = if token.kind == Lexeme::Text { unquote(text) } else { text.to_owned() };
        Ok(Value { text, span: token.span })
    }
}

fn comparison(kind: Lexeme) -> Option<(Op, bool)> {
    Some(match kind {
        Lexeme::Equal => (Op::Compare(CompareOp::Eq), false),
        Lexeme::NotEqual => (Op::Compare(CompareOp::Eq), true),
        Lexeme::Less => (Op::Compare(CompareOp::Lt), false),
        Lexeme::LessEqual => (Op::Compare(CompareOp::LtEq), false),
        Lexeme::Greater => (Op::Compare(CompareOp::Gt), false),
        Lexeme::GreaterEqual => (Op::Compare(CompareOp::GtEq), false),
        Lexeme::Match => (Op::Matches, false),
        Lexeme::NoMatch => (Op::Matches, true),
        Lexeme::Word
        | Lexeme::Text
        | Lexeme::Name
        | Lexeme::And
        | Lexeme::Or
        | Lexeme::Not
        | Lexeme::Contains
        | Lexeme::Colon
        | Lexeme::Open
        | Lexeme::Close
        | Lexeme::End => return None,
    })
}
