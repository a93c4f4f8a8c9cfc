//! Tokens to conditions and constants.

use super::lex::T;
use super::parse::{Parsed, Parser, unquoted};
use super::tree::{Constant, Meta, Op, Operand, Part, Value};
use super::value;
use crate::diagnostic::{Diagnostic, Kind};
use crate::span::Span;

impl Parser<'_> {
    /// ```ebnf
    /// condition = conjunction , { "or" , conjunction } ;
    /// conjunction = test , { "and" , test } ;
    /// ```
    pub(super) fn condition(&mut self) -> Parsed<Meta> {
        let start = self.cursor.peek().span;
        self.cursor.enter(start)?;
        let mut any = vec![self.conjunction()?];
        while self.eat("or", "`or`").is_some() {
            any.push(self.conjunction()?);
        }
        self.cursor.leave();
        Ok(if any.len() == 1 { any.remove(0) } else { Meta::Or(any) })
    }

    fn conjunction(&mut self) -> Parsed<Meta> {
        let mut all = vec![self.test()?];
        while self.eat("and", "`and`").is_some() {
            all.push(self.test()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Meta::And(all) })
    }

    /// ```ebnf
    /// test = ( "!" | "not" ) , test | "(" , condition , ")" | operand , [ "not" ] , "present"
    ///      | operand , comparison , constant | constant , [ "not" ] , "in" , key
    ///      | operand , [ "not" ] , "in" , ( constant , ":" , constant | "(" , constant , { "," , constant } , ")" ) ;
    /// ```
    fn test(&mut self) -> Parsed<Meta> {
        let start = self.cursor.peek().span;
        if self.cursor.eat(T::Not).is_some() || self.eat("not", "`not`").is_some() {
            self.cursor.enter(start)?;
            let inner = self.test()?;
            self.cursor.leave();
            return Ok(Meta::Not(Box::new(inner)));
        }
        if self.cursor.eat(T::Open).is_some() {
            let inner = self.condition()?;
            self.cursor.expect(T::Close)?;
            return Ok(inner);
        }
        if self.word() == Some("exists") && self.cursor.peek_nth(1).kind == T::Text {
            let problem = Diagnostic::error(Kind::Semantic, "`exists` is not supported").label(start, "");
            return Err(problem.hint("`name present` asks whether a parameter is there"));
        }
        if self.constant_in_key() {
            let value = self.constant()?;
            let negated = self.eat("not", "`not`").is_some();
            self.cursor.bump();
            let key = self.operand_of_condition()?;
            return Ok(Meta::Contains { value, negated, key });
        }
        let left = self.operand_of_condition()?;
        let negated = self.eat("not", "`not`").is_some();
        if self.eat("present", "`present`").is_some() {
            return Ok(Meta::Present { left, negated });
        }
        if self.eat("in", "`in`").is_some() {
            return self.set_or_range(left, negated);
        }
        if negated {
            return Err(self.cursor.unexpected().hint("`not` stands before `in` and `present`, or before a condition"));
        }
        let op = self.comparison()?;
        Ok(Meta::Compare { left, op, right: self.constant()? })
    }

    /// Whether a constant comes that is looked for in a parameter: `5 in core.runs`. In `x in 3:5` and `x in (3, 5)` the
    /// parameter comes first.
    fn constant_in_key(&self) -> bool {
        let is_date = matches!(self.word(), Some("date" | "datetime")) && self.cursor.peek_nth(1).kind == T::Open;
        if is_date || !matches!(self.cursor.peek().kind, T::Text | T::Word) {
            return is_date;
        }
        let at = match (self.word_nth(1), self.word_nth(2)) {
            (Some("in"), _) => 2,
            (Some("not"), Some("in")) => 3,
            _ => return false,
        };
        let word = match self.word_nth(at) {
            Some(word) => word,
            None => return self.cursor.peek().kind == T::Text,
        };
        let next = self.cursor.peek_nth(at + 1).kind;
        if next == T::Colon || (next == T::Open && matches!(word, "date" | "datetime")) {
            return false;
        }
        // `x in 5` is a set without its brackets.
        self.cursor.peek().kind == T::Text || is_key(word)
    }

    fn comparison(&mut self) -> Parsed<Op> {
        if self.eat("like", "`like`").is_some() {
            return Ok(Op::Like);
        }
        let Some(token) = self.cursor.eat(T::Compare) else {
            let problem = self.cursor.unexpected();
            return Err(match self.word() {
                Some("between") => problem.hint("write `in low:high`"),
                Some("is" | "is_not") => problem.hint("write `present` or `not present`"),
                _ => problem,
            });
        };
        Ok(match self.cursor.text(token) {
            "<" => Op::Lt,
            "<=" => Op::LtEq,
            ">" => Op::Gt,
            ">=" => Op::GtEq,
            "=" | "==" => Op::Eq,
            "!=" => Op::NotEq,
            "~" => Op::Match { negated: false, any_case: false },
            "~*" => Op::Match { negated: false, any_case: true },
            "!~" => Op::Match { negated: true, any_case: false },
            "!~*" => Op::Match { negated: true, any_case: true },
            other => {
                let problem = Diagnostic::error(Kind::Semantic, format!("there is no comparison `{other}`"));
                return Err(problem.label(token.span, "").hint("did you mean `!=`?"));
            }
        })
    }

    fn set_or_range(&mut self, left: Operand, negated: bool) -> Parsed<Meta> {
        if self.cursor.eat(T::Open).is_some() {
            let mut values = vec![self.constant()?];
            while self.cursor.eat(T::Comma).is_some() {
                values.push(self.constant()?);
            }
            self.cursor.expect(T::Close)?;
            return Ok(Meta::Set { left, negated, values });
        }
        let low = self.constant()?;
        if self.cursor.eat(T::Colon).is_none() {
            return Err(self.cursor.unexpected().hint("a range is `low:high`, a set `(a, b)`"));
        }
        Ok(Meta::Range { left, negated, low, high: self.constant()? })
    }

    /// ```ebnf
    /// operand = key , [ "[" , ( "any" | "all" | int | text ) , "]" ] | "len" , "(" , key , ")" ;
    /// ```
    fn operand_of_condition(&mut self) -> Parsed<Operand> {
        if self.word() == Some("len") && self.cursor.peek_nth(1).kind == T::Open {
            let start = self.cursor.bump().span;
            self.cursor.bump();
            let (word, _) = self.key()?;
            let close = self.cursor.expect(T::Close)?;
            return Ok(Operand { word, span: start.to(close.span), part: Part::Length });
        }
        let (word, span) = self.key()?;
        let mut part = Part::Whole;
        if self.cursor.eat(T::OpenSquare).is_some() {
            self.cursor.note("`any`, `all`, a number");
            part = match (self.cursor.peek().kind, self.word()) {
                (T::Text, _) => {
                    let token = self.cursor.peek();
                    Part::Member(value::unescape(unquoted(self.cursor.text(token))))
                }
                (_, Some("any")) => Part::Any,
                (_, Some("all")) => Part::All,
                // An index beyond 64 bits is past the end of every list.
                (_, Some(word)) if value::is_int(word) => {
                    Part::Index(word.trim_start_matches('+').parse().unwrap_or(i64::MAX))
                }
                (_, Some(_)) => {
                    return Err(self.cursor.unexpected().hint("put keys of dictionaries in quotes: [\"key\"]"));
                }
                _ => return Err(self.cursor.unexpected()),
            };
            self.cursor.bump();
            self.cursor.expect(T::CloseSquare)?;
            if self.cursor.is(T::OpenSquare) {
                return Err(self.problem("there can be only one subscript"));
            }
        }
        Ok(Operand { word, span, part })
    }

    /// Words joined by dots, each beginning with a letter.
    fn key(&mut self) -> Parsed<(String, Span)> {
        self.cursor.note("the name of a parameter or attribute");
        let Some(word) = self.word() else { return Err(self.cursor.unexpected()) };
        let token = self.cursor.peek();
        if is_key(word) {
            self.cursor.bump();
            return Ok((word.to_owned(), token.span));
        }
        let problem = Diagnostic::error(Kind::Syntax, format!("`{word}` cannot be the name of a parameter"));
        let problem = problem.label(token.span, "");
        Err(match value::word(word) {
            Some(Value::Int(_) | Value::Float(_)) => problem.hint("the parameter comes first, then the constant"),
            _ => problem.hint("each part begins with a letter and has letters, digits and _ only"),
        })
    }

    /// ```ebnf
    /// constant = word | text | "datetime" , "(" , time , ")" | "date" , "(" , day , [ "," , offset ] , ")" ;
    /// ```
    pub(super) fn constant(&mut self) -> Parsed<Constant> {
        self.cursor.note("a constant");
        let token = self.cursor.peek();
        match (token.kind, self.word()) {
            (T::Text, _) => {
                self.cursor.bump();
                let text = unquoted(self.cursor.text(token)).to_owned();
                Ok(Constant { value: Value::Text(text), span: token.span })
            }
            (_, Some(word @ ("date" | "datetime"))) if self.cursor.peek_nth(1).kind == T::Open => self.time(word),
            (_, Some(word)) => match value::word(word) {
                Some(value) => {
                    self.cursor.bump();
                    Ok(Constant { value, span: token.span })
                }
                None => {
                    let problem = Diagnostic::error(Kind::Syntax, format!("`{word}` cannot stand without quotes"));
                    Err(problem.label(token.span, "").hint(format!("write \"{word}\"")))
                }
            },
            (T::Compare, _) if self.cursor.text(token) == ">" => {
                Err(self.cursor.unexpected().hint("for unequal values write `!=`"))
            }
            _ => Err(self.cursor.unexpected()),
        }
    }

    fn time(&mut self, function: &str) -> Parsed<Constant> {
        let start = self.cursor.bump().span;
        self.cursor.bump();
        let mut arguments = vec![self.time_argument()?];
        while self.cursor.eat(T::Comma).is_some() {
            arguments.push(self.time_argument()?);
        }
        let close = self.cursor.expect(T::Close)?;
        let value = match (function, arguments.as_slice()) {
            ("datetime", [(text, _)]) => value::instant(text).map(Value::Moment),
            ("date", [(text, _)]) => value::day(text, None).map(Value::Day),
            ("date", [(text, _), (offset, _)]) => value::day(text, Some(offset)).map(Value::Day),
            _ => None,
        };
        let span = start.to(close.span);
        value.map(|value| Constant { value, span }).ok_or_else(|| {
            let problem = Diagnostic::error(Kind::Semantic, format!("this is no {function}")).label(span, "");
            problem.hint(match function {
                "date" => "write date(\"2024-01-31\") or date(\"2024-01-31\", \"-05:00\")",
                _ => "write datetime(\"2024-01-31T12:00:00+01:00\")",
            })
        })
    }

    /// A text, or all that stands before the comma or bracket.
    fn time_argument(&mut self) -> Parsed<(String, Span)> {
        if let Some(token) = self.cursor.eat(T::Text) {
            return Ok((unquoted(self.cursor.text(token)).to_owned(), token.span));
        }
        self.cursor.note("a time");
        let start = self.cursor.peek().span;
        let mut span = None;
        while matches!(self.cursor.peek().kind, T::Word | T::Colon | T::Minus) {
            let token = self.cursor.bump();
            span = Some(span.unwrap_or(start).to(token.span));
        }
        match span {
            Some(span) => Ok((self.slice(span).to_owned(), span)),
            None => Err(self.cursor.unexpected()),
        }
    }
}

/// Whether the word can name a parameter or attribute.
pub(super) fn is_key(word: &str) -> bool {
    word.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}
