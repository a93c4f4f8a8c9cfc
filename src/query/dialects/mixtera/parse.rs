//! Text to tree, by recursive descent.

use super::Flavour;
use super::lex::{Lexeme, lex, unquote};
use super::tree::{Condition, Query, Value};
use crate::diagnostic::{Diagnostic, Kind, did_you_mean};
use crate::span::Span;
use crate::syntax::cursor::{Cursor, MAX_DEPTH, Token};
use crate::syntax::number::{Number, parse_number};

/// Most characters of a query.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// The tree of a text in either form: JSON begins with a brace.
///
/// # Errors
/// The first mistake.
pub(super) fn parse(text: &str, flavour: Flavour) -> Result<Query, Box<Diagnostic>> {
    let mut parser = Parser { cursor: Cursor::new(text, lex(text)), flavour, json: false };
    parser.json = parser.cursor.peek().kind == Lexeme::OpenMap;
    let query = if parser.json { parser.document()? } else { parser.program()? };
    parser.cursor.expect(Lexeme::End)?;
    Ok(query)
}

type Parsed<T> = Result<T, Box<Diagnostic>>;

struct Parser<'s> {
    cursor: Cursor<'s, Lexeme>,
    flavour: Flavour,
    json: bool,
}

const METHODS: [&str; 4] = ["select", "union", "intersection", "difference"];

impl Parser<'_> {
    /// ```ebnf
    /// program = [ "Query" , "." , ( "for_job" | "from_datacollection" ) , arguments , "." ] , query ,
    ///           [ "." , ( "execute" | "display" ) , arguments ] ;
    /// ```
    fn program(&mut self) -> Parsed<Query> {
        let (query, _) = self.query()?;
        if self.cursor.eat(Lexeme::Dot).is_some() {
            // Only a last call is left.
            self.cursor.bump();
            self.skip_arguments()?;
        }
        Ok(query)
    }

    /// ```ebnf
    /// query = call , { "." , call } ;
    /// call  = "select" , "(" , [ conditions ] , ")" | ( "union" | "intersection" | "difference" ) , "(" , query , ")" ;
    /// ```
    ///
    /// Gives the height of the tree too, which grows to the left without brackets.
    fn query(&mut self) -> Parsed<(Query, usize)> {
        self.skip_beginning()?;
        let name = self.method("select")?;
        if self.cursor.text(name) != "select" {
            let text = self.cursor.text(name);
            let problem = Diagnostic::error(Kind::Syntax, "a query begins with select").label(name.span, "");
            return Err(problem.hint(format!("write select(…).{text}(…)")).into());
        }
        let mut tree = Query::Select(self.select_arguments()?);
        let mut height = 1;
        while self.cursor.is(Lexeme::Dot) {
            let next = self.cursor.peek_nth(1);
            if next.kind == Lexeme::Word && matches!(self.cursor.text(next), "execute" | "display") {
                break;
            }
            self.cursor.bump();
            let name = self.method("select, union, intersection or difference")?;
            tree = match self.cursor.text(name) {
                "select" => self.chained(tree)?,
                method => {
                    let (other, other_height) = self.argument(name.span)?;
                    height = height.max(other_height);
                    match method {
                        "union" => tree.union(other),
                        "intersection" => tree.intersection(other),
                        _ => tree.difference(other),
                    }
                }
            };
            if !matches!(tree, Query::Chain(_)) {
                height += 1;
            }
            if height > MAX_DEPTH {
                let message = format!("the query is nested more than {MAX_DEPTH} levels deep");
                return Err(Diagnostic::error(Kind::Limit, message).label(name.span, "").into());
            }
        }
        Ok((tree, height))
    }

    /// A select after something else.
    fn chained(&mut self, tree: Query) -> Parsed<Query> {
        let select = Query::Select(self.select_arguments()?);
        Ok(match (self.flavour, tree) {
            (Flavour::Seed, tree) => Query::Intersection(vec![tree, select]),
            (Flavour::Current, Query::Chain(mut parts)) => {
                parts.push(select);
                Query::Chain(parts)
            }
            (Flavour::Current, tree @ Query::Select(_)) => Query::Chain(vec![tree, select]),
            (Flavour::Current, tree @ (Query::Union(_) | Query::Intersection(_) | Query::Difference(..))) => {
                Query::Union(vec![tree, select])
            }
        })
    }

    fn argument(&mut self, span: Span) -> Parsed<(Query, usize)> {
        self.cursor.expect(Lexeme::Open)?;
        self.cursor.enter(span)?;
        let query = self.query()?;
        self.cursor.leave();
        self.cursor.eat(Lexeme::Comma);
        self.cursor.expect(Lexeme::Close)?;
        Ok(query)
    }

    /// The name of a call.
    fn method(&mut self, expected: &'static str) -> Parsed<Token<Lexeme>> {
        if !self.cursor.is_word(expected, |kind| kind == Lexeme::Word) {
            return Err(self.cursor.unexpected().into());
        }
        let name = self.cursor.bump();
        let text = self.cursor.text(name);
        if METHODS.contains(&text) {
            return Ok(name);
        }
        let problem = Diagnostic::error(Kind::Syntax, format!("there is no operation `{text}`")).label(name.span, "");
        Err(match did_you_mean(text, METHODS) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(format!("operations are {}", METHODS.join(", "))),
        }
        .into())
    }

    /// `Query.for_job(…).`, which programs begin with.
    fn skip_beginning(&mut self) -> Parsed<()> {
        let mut at = 0;
        while self.cursor.peek_nth(at).kind == Lexeme::Word && self.cursor.peek_nth(at + 1).kind == Lexeme::Dot {
            at += 2;
        }
        let name = self.cursor.peek_nth(at);
        if at == 0 || !matches!(self.cursor.text(name), "for_job" | "from_datacollection") {
            return Ok(());
        }
        for _ in 0..=at {
            self.cursor.bump();
        }
        self.skip_arguments()?;
        self.cursor.expect(Lexeme::Dot)?;
        Ok(())
    }

    /// Whatever stands between brackets.
    fn skip_arguments(&mut self) -> Parsed<()> {
        self.cursor.expect(Lexeme::Open)?;
        let mut open = 1_usize;
        while open > 0 {
            match self.cursor.peek().kind {
                Lexeme::Open => open += 1,
                Lexeme::Close => open -= 1,
                Lexeme::End => {
                    return Err(self.cursor.expect(Lexeme::Close).err().map_or_else(
                        || Box::new(Diagnostic::error(Kind::Syntax, "a bracket is not closed")),
                        Box::new,
                    ));
                }
                Lexeme::Word
                | Lexeme::Text
                | Lexeme::Number
                | Lexeme::Dot
                | Lexeme::Comma
                | Lexeme::Colon
                | Lexeme::OpenList
                | Lexeme::CloseList
                | Lexeme::OpenMap
                | Lexeme::CloseMap => {}
            }
            self.cursor.bump();
        }
        Ok(())
    }

    /// ```ebnf
    /// conditions = condition | "[" , [ condition , { "," , condition } , [ "," ] ] , "]" | "None" ;
    /// ```
    fn select_arguments(&mut self) -> Parsed<Vec<Condition>> {
        self.cursor.expect(Lexeme::Open)?;
        let mut conditions = vec![];
        if self.cursor.eat(Lexeme::Close).is_some() {
            return Ok(conditions);
        }
        if self.cursor.is(Lexeme::Open) {
            conditions.push(self.condition(Lexeme::Open, Lexeme::Close)?);
        } else if self.cursor.eat(Lexeme::OpenList).is_some() {
            while !self.cursor.is(Lexeme::CloseList) {
                conditions.push(self.condition(Lexeme::Open, Lexeme::Close)?);
                if self.cursor.eat(Lexeme::Comma).is_none() {
                    break;
                }
            }
            self.cursor.expect(Lexeme::CloseList)?;
        } else if self.cursor.is_word("None", |kind| kind == Lexeme::Word) && self.next_text() == "None" {
            self.cursor.bump();
        } else {
            let problem = self.cursor.unexpected();
            return Err(match self.cursor.peek().kind {
                Lexeme::Text => {
                    problem.hint("a condition has brackets of its own: select((\"language\", \"==\", \"en\"))")
                }
                _ => problem,
            }
            .into());
        }
        self.cursor.eat(Lexeme::Comma);
        if self.cursor.eat(Lexeme::Close).is_none() {
            let problem = self.cursor.unexpected();
            return Err(match self.cursor.peek().kind {
                Lexeme::Open => problem.hint("several conditions stand in a list: select([(…), (…)])"),
                _ => problem,
            }
            .into());
        }
        Ok(conditions)
    }

    /// ```ebnf
    /// condition = "(" , text , "," , text , "," , value , [ "," ] , ")" ;      (* in JSON "[" … "]" *)
    /// ```
    fn condition(&mut self, open: Lexeme, close: Lexeme) -> Parsed<Condition> {
        if self.cursor.eat(open).is_none() {
            let problem = self.cursor.unexpected();
            let shape = if self.json { "[\"language\", \"==\", \"en\"]" } else { "(\"language\", \"==\", \"en\")" };
            return Err(problem.hint(format!("a condition is {shape}")).into());
        }
        let (field, first) = self.text_token("the name of a property in quotes")?;
        self.cursor.expect(Lexeme::Comma)?;
        let (operator, second) = self.text_token("an operator in quotes")?;
        self.cursor.expect(Lexeme::Comma)?;
        let (value, third) = self.value(true)?;
        if !self.json {
            self.cursor.eat(Lexeme::Comma);
        }
        self.cursor.expect(close)?;
        Ok(Condition { field, operator, value, spans: [first, second, third] })
    }

    fn text_token(&mut self, expected: &'static str) -> Parsed<(String, Span)> {
        if !self.cursor.is_word(expected, |kind| kind == Lexeme::Text) {
            return Err(self.cursor.unexpected().into());
        }
        let token = self.cursor.bump();
        Ok((self.unquoted(token)?, token.span))
    }

    fn unquoted(&self, token: Token<Lexeme>) -> Parsed<String> {
        unquote(self.cursor.text(token)).map_err(|(range, reason)| {
            let start = token.span.range().start;
            let span = Span::new(start + range.start, start + range.end);
            Box::new(Diagnostic::error(Kind::Syntax, reason).label(span, ""))
        })
    }

    fn next_text(&self) -> &str {
        self.cursor.text(self.cursor.peek())
    }

    /// ```ebnf
    /// value = scalar | "[" , [ scalar , { "," , scalar } , [ "," ] ] , "]" ;
    /// scalar = text | number | "True" | "False" | "None" ;                       (* in JSON true, false, null *)
    /// ```
    fn value(&mut self, lists: bool) -> Parsed<(Value, Span)> {
        let start = self.cursor.peek().span;
        if lists && self.cursor.eat(Lexeme::OpenList).is_some() {
            let mut values = vec![];
            while !self.cursor.is(Lexeme::CloseList) {
                values.push(self.value(false)?.0);
                if self.cursor.eat(Lexeme::Comma).is_none() {
                    break;
                }
            }
            let end = self.cursor.expect(Lexeme::CloseList)?;
            return Ok((Value::List(values), start.to(end.span)));
        }
        if self.cursor.eat(Lexeme::Text).is_some() {
            let token = self.cursor.previous().unwrap_or(self.cursor.peek());
            return Ok((Value::Text(self.unquoted(token)?), token.span));
        }
        if let Some(token) = self.cursor.eat(Lexeme::Number) {
            return match parse_number(self.cursor.text(token)) {
                Some(Number::Int(number)) => Ok((Value::Int(number), token.span)),
                Some(Number::Float(number)) if number.is_finite() => Ok((Value::Float(number), token.span)),
                Some(Number::Float(_) | Number::Nan) | None => {
                    Err(Diagnostic::error(Kind::Syntax, "the number is too large").label(token.span, "").into())
                }
            };
        }
        self.word_value()
    }

    fn word_value(&mut self) -> Parsed<(Value, Span)> {
        let words: [&'static str; 3] = if self.json { ["true", "false", "null"] } else { ["True", "False", "None"] };
        let token = self.cursor.peek();
        let text = self.cursor.text(token);
        for (word, value) in words.into_iter().zip([Value::Bool(true), Value::Bool(false), Value::None]) {
            if self.cursor.is_word(word, |kind| kind == Lexeme::Word) && text == word {
                self.cursor.bump();
                return Ok((value, token.span));
            }
        }
        let problem = self.cursor.unexpected();
        Err(match token.kind {
            Lexeme::Word => match words.into_iter().find(|word| word.eq_ignore_ascii_case(text)) {
                Some(word) => problem.hint(format!("did you mean `{word}`?")),
                None if matches!(text, "null" | "None") => problem.hint(format!("a missing value is {}", words[2])),
                None => problem.hint(format!("texts stand in quotes: \"{text}\"")),
            },
            Lexeme::OpenList => problem.hint("a list holds single values"),
            Lexeme::Open => problem.hint("several values stand in square brackets: [\"en\", \"de\"]"),
            _ => problem,
        }
        .into())
    }

    /// ```ebnf
    /// document = "{" , '"query"' , ":" , node , "}" | node ;
    /// ```
    fn document(&mut self) -> Parsed<Query> {
        let inner = self.cursor.peek_nth(1);
        if inner.kind != Lexeme::Text || self.unquoted(inner)? != "query" {
            return self.node();
        }
        for _ in 0..2 {
            self.cursor.bump();
        }
        self.cursor.expect(Lexeme::Colon)?;
        let query = self.node()?;
        if self.cursor.is(Lexeme::Comma) {
            let key = self.cursor.peek_nth(1);
            let message = format!("{} is no part of a query", self.cursor.text(key));
            let hint = "give the mixture and the size of chunks as flags: --mixture FILE --chunk-size N";
            return Err(Diagnostic::error(Kind::Syntax, message).label(key.span, "").hint(hint).into());
        }
        self.cursor.expect(Lexeme::CloseMap)?;
        Ok(query)
    }

    /// ```ebnf
    /// node  = "{" , '"select"' , ":" , "[" , [ condition , { "," , condition } ] , "]" , "}"
    ///       | "{" , ( '"union"' | '"intersection"' | '"difference"' ) , ":" , "[" , node , { "," , node } , "]" , "}" ;
    /// ```
    fn node(&mut self) -> Parsed<Query> {
        let open = self.cursor.expect(Lexeme::OpenMap)?;
        self.cursor.enter(open.span)?;
        let (name, span) = self.text_token("\"select\", \"union\", \"intersection\" or \"difference\"")?;
        if !METHODS.contains(&name.as_str()) {
            let problem = Diagnostic::error(Kind::Syntax, format!("there is no operation `{name}`")).label(span, "");
            return Err(match did_you_mean(&name, METHODS) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem.hint(format!("operations are {}", METHODS.join(", "))),
            }
            .into());
        }
        self.cursor.expect(Lexeme::Colon)?;
        let list = self.cursor.expect(Lexeme::OpenList)?;
        let query = if name == "select" {
            let mut conditions = vec![];
            while conditions.is_empty() || self.cursor.eat(Lexeme::Comma).is_some() {
                if conditions.is_empty() && self.cursor.is(Lexeme::CloseList) {
                    break;
                }
                conditions.push(self.condition(Lexeme::OpenList, Lexeme::CloseList)?);
            }
            Query::Select(conditions)
        } else {
            let mut parts = vec![self.node()?];
            while self.cursor.eat(Lexeme::Comma).is_some() {
                parts.push(self.node()?);
            }
            self.combined(&name, parts, list.span.to(self.cursor.peek().span))?
        };
        self.cursor.expect(Lexeme::CloseList)?;
        self.cursor.expect(Lexeme::CloseMap)?;
        self.cursor.leave();
        Ok(query)
    }

    fn combined(&self, name: &str, parts: Vec<Query>, span: Span) -> Parsed<Query> {
        let count = parts.len();
        let wrong = |wanted: &str| {
            let message =
                format!("`{name}` takes {wanted} queries, there {} {count}", if count == 1 { "is" } else { "are" });
            Err(Diagnostic::error(Kind::Syntax, message).label(span, "").into())
        };
        if count < 2 {
            return wrong(if name == "difference" { "two" } else { "two or more" });
        }
        match name {
            "union" if self.flavour == Flavour::Current && parts.iter().all(|it| matches!(it, Query::Select(_))) => {
                Ok(Query::Chain(parts))
            }
            "union" => Ok(Query::Union(parts)),
            "intersection" => Ok(Query::Intersection(parts)),
            _ => match <[Query; 2]>::try_from(parts) {
                Ok([left, right]) => Ok(left.difference(right)),
                Err(_) => wrong("two"),
            },
        }
    }
}
