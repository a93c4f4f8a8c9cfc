//! Tokens to queries. Conditions are in `meta.rs`.

use super::lex::{T, tokens};
use super::tree::{Constant, FilterCall, Name, NamePattern, Node, NodeKind, Selector, Subsets};
use crate::diagnostic::{Diagnostic, Kind, did_you_mean};
use crate::span::Span;
use crate::syntax::cursor::{Cursor, Token};

/// Longest text that is read, in bytes.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// Words that begin a query.
const BEGINNINGS: [&str; 11] =
    ["files", "file", "fids", "fid", "union", "join", "parents", "children", "filter", "datasets", "queries"];

pub(super) type Parsed<V> = Result<V, Diagnostic>;

pub(super) struct Parser<'s> {
    pub(super) cursor: Cursor<'s, T>,
    text: &'s str,
    /// How many `with namespace` are around: names of datasets may then be bare.
    namespaces: usize,
}

/// Reads a whole query.
pub(super) fn parse(text: &str) -> Parsed<Node> {
    let mut parser = Parser { cursor: Cursor::new(text, tokens(text)), text, namespaces: 0 };
    let query = parser.query()?;
    match parser.cursor.is_end() {
        true => Ok(query),
        false => Err(parser.trailing()),
    }
}

impl<'s> Parser<'s> {
    /// The text of the next token if it is a word.
    pub(super) fn word(&self) -> Option<&'s str> {
        self.word_nth(0)
    }

    pub(super) fn word_nth(&self, count: usize) -> Option<&'s str> {
        let token = self.cursor.peek_nth(count);
        (token.kind == T::Word).then(|| self.cursor.text(token))
    }

    /// Takes the next token if it is this word.
    pub(super) fn eat(&mut self, word: &'static str, shown: &'static str) -> Option<Token<T>> {
        self.cursor.note(shown);
        (self.word() == Some(word)).then(|| self.cursor.bump())
    }

    pub(super) fn problem(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(Kind::Syntax, message).label(self.cursor.peek().span, "")
    }

    fn trailing(&mut self) -> Diagnostic {
        let problem = self.cursor.unexpected();
        match self.word() {
            Some("and" | "or") => problem.hint("conditions come behind `where`"),
            Some("order") => problem.hint("`ordered` sorts by creation time"),
            Some("having") => {
                problem.hint("`having` belongs behind a dataset; conditions on files come behind `where`")
            }
            Some(word) => {
                const WORDS: [&str; 7] = ["where", "limit", "skip", "ordered", "and", "or", "with"];
                match WORDS.iter().find(|known| word != **known && word.eq_ignore_ascii_case(known)) {
                    Some(known) => problem.hint(format!("write `{known}`")),
                    None => match did_you_mean(word, WORDS) {
                        Some(near) => problem.hint(format!("did you mean `{near}`?")),
                        None => problem,
                    },
                }
            }
            None => problem,
        }
    }

    /// ```ebnf
    /// query = operand , { "-" , operand | "limit" , int | "skip" , int | "ordered" | "where" , condition } ;
    /// ```
    /// `where` behind an operand belongs to that operand; `limit`, `skip` and `ordered` to all before them.
    pub(super) fn query(&mut self) -> Parsed<Node> {
        let start = self.cursor.peek().span;
        self.cursor.enter(start)?;
        let mut left = self.operand()?;
        let mut steps = 0;
        loop {
            let kind = if self.cursor.eat(T::Minus).is_some() {
                let right = self.operand()?;
                match left.kind {
                    NodeKind::Minus(from, mut without) => {
                        without.push(right);
                        NodeKind::Minus(from, without)
                    }
                    kind => NodeKind::Minus(Box::new(Node { span: left.span, kind }), vec![right]),
                }
            } else if self.eat("limit", "`limit`").is_some() {
                NodeKind::Limit(Box::new(left), self.count("limit")?)
            } else if self.eat("skip", "`skip`").is_some() {
                NodeKind::Skip(Box::new(left), self.count("skip")?)
            } else if self.eat("ordered", "`ordered`").is_some() {
                NodeKind::Ordered(Box::new(left))
            } else if self.eat("where", "`where`").is_some() {
                NodeKind::Where(Box::new(left), self.condition()?)
            } else {
                break;
            };
            if !matches!(kind, NodeKind::Minus(..)) {
                // Each step is a level of the tree.
                steps += 1;
                self.cursor.enter(start)?;
            }
            left = Node { span: self.span_from(start), kind };
        }
        (0..=steps).for_each(|_| self.cursor.leave());
        Ok(left)
    }

    fn span_from(&self, start: Span) -> Span {
        self.cursor.previous().map_or(start, |last| start.to(last.span))
    }

    /// The text of a place.
    pub(super) fn slice(&self, span: Span) -> &'s str {
        self.text.get(span.range()).unwrap_or_default()
    }

    fn count(&mut self, what: &str) -> Parsed<u64> {
        let token = self.cursor.peek();
        self.cursor.note("a number");
        let Some(word) = self.word().filter(|word| super::value::is_int(word)) else {
            return Err(self.cursor.unexpected().hint(format!("`{what}` takes a whole number")));
        };
        self.cursor.bump();
        if word.starts_with('-') {
            let problem = Diagnostic::error(Kind::Semantic, format!("`{what}` cannot be negative"));
            return Err(problem.label(token.span, ""));
        }
        // More than there can be is as good as any.
        Ok(word.trim_start_matches('+').parse().unwrap_or(u64::MAX))
    }

    /// ```ebnf
    /// operand = [ "with" , "namespace" , "=" , name ] , term , { "where" , condition } ;
    /// ```
    fn operand(&mut self) -> Parsed<Node> {
        let start = self.cursor.peek().span;
        if self.word() == Some("with") && self.word_nth(1) == Some("namespace") {
            self.cursor.bump();
            self.cursor.bump();
            let sign = self.cursor.expect(T::Compare)?;
            if !matches!(self.cursor.text(sign), "=" | "==") {
                return Err(Diagnostic::error(Kind::Syntax, "expected `=`").label(sign.span, ""));
            }
            let namespace = match self.cursor.eat(T::Text) {
                Some(token) => unquoted(self.cursor.text(token)).to_owned(),
                None => self.name_part()?.to_owned(),
            };
            self.namespaces += 1;
            self.cursor.enter(start)?;
            let inner = self.operand();
            self.cursor.leave();
            self.namespaces -= 1;
            return Ok(Node { kind: NodeKind::With(namespace, Box::new(inner?)), span: self.span_from(start) });
        }
        let mut node = self.term()?;
        let mut levels = 0;
        while self.eat("where", "`where`").is_some() {
            levels += 1;
            self.cursor.enter(start)?;
            let kind = NodeKind::Where(Box::new(node), self.condition()?);
            node = Node { kind, span: self.span_from(start) };
        }
        (0..levels).for_each(|_| self.cursor.leave());
        Ok(node)
    }

    /// ```ebnf
    /// term = "files" , [ "from" , [ "datasets" ] , selectors | "selected" , [ "by" ] , name | name , { "," , name } ]
    ///      | "file" , name , { "," , name } | ( "fids" | "fid" ) , id , { "," , id } | "query" , name
    ///      | "datasets" , selectors | "queries" , [ "matching" , names ]
    ///      | "union" , "(" , queries , ")" | "[" , queries , "]" | "join" , "(" , queries , ")" | "{" , queries , "}"
    ///      | ( "parents" | "children" ) , "(" , query , ")" | "(" , query , ")"
    ///      | "filter" , name , "(" , [ parameters ] , ")" , "(" , queries , ")" ;
    /// ```
    fn term(&mut self) -> Parsed<Node> {
        let start = self.cursor.peek().span;
        self.cursor.note("a query");
        let kind = match (self.cursor.peek().kind, self.word()) {
            (T::Open, _) => {
                self.cursor.bump();
                let inner = self.query()?;
                self.cursor.expect(T::Close)?;
                return Ok(Node { span: self.span_from(start), kind: inner.kind });
            }
            (T::OpenSquare, _) => {
                self.cursor.bump();
                NodeKind::Union(self.queries(T::CloseSquare)?)
            }
            (T::OpenCurly, _) => {
                self.cursor.bump();
                NodeKind::Join(self.queries(T::CloseCurly)?)
            }
            (_, Some("union")) => {
                self.open()?;
                NodeKind::Union(self.queries(T::Close)?)
            }
            (_, Some("join")) => {
                self.open()?;
                NodeKind::Join(self.queries(T::Close)?)
            }
            (_, Some(word @ ("parents" | "children"))) => {
                self.open()?;
                let inner = Box::new(self.query()?);
                self.cursor.expect(T::Close)?;
                if word == "parents" { NodeKind::Parents(inner) } else { NodeKind::Children(inner) }
            }
            (_, Some("files")) => {
                self.cursor.bump();
                self.files()?
            }
            (_, Some("file")) => {
                self.cursor.bump();
                NodeKind::Listed(self.names()?)
            }
            (_, Some("fids" | "fid")) => {
                self.cursor.bump();
                let ids = self.list(|parser| Ok(parser.name_part()?.to_owned()))?;
                NodeKind::Ids(ids)
            }
            (_, Some("query")) => {
                self.cursor.bump();
                NodeKind::Saved(self.name()?)
            }
            (_, Some("datasets")) => {
                self.cursor.bump();
                NodeKind::Datasets(self.selectors()?)
            }
            (_, Some("queries")) => {
                self.cursor.bump();
                let names = if self.eat("matching", "`matching`").is_some() { Some(self.query_names()?) } else { None };
                NodeKind::Queries(names)
            }
            (_, Some("filter")) => {
                self.cursor.bump();
                NodeKind::Filter(self.filter()?)
            }
            (_, word) => {
                let problem = self.cursor.unexpected();
                return Err(match word.and_then(|word| did_you_mean(word, BEGINNINGS)) {
                    Some(near) => problem.hint(format!("did you mean `{near}`?")),
                    None => problem.hint("a query begins with `files`, `datasets`, `queries`, `union(`, `join(` …"),
                });
            }
        };
        Ok(Node { span: self.span_from(start), kind })
    }

    /// A word with its opening bracket.
    fn open(&mut self) -> Parsed<()> {
        self.cursor.bump();
        self.cursor.expect(T::Open).map(drop)
    }

    /// What follows `files`.
    fn files(&mut self) -> Parsed<NodeKind> {
        if self.eat("from", "`from`").is_some() {
            if self.word() == Some("datasets") && self.cursor.peek_nth(1).kind != T::Colon {
                self.cursor.bump();
            }
            return self.selectors().map(NodeKind::From);
        }
        if self.word() == Some("selected") && self.cursor.peek_nth(1).kind == T::Word {
            self.cursor.bump();
            if self.word() == Some("by") && self.cursor.peek_nth(1).kind == T::Word {
                self.cursor.bump();
            }
            return self.name().map(NodeKind::Saved);
        }
        self.cursor.note("a name");
        let follows = matches!(self.word(), None | Some("where" | "limit" | "skip" | "ordered" | "with"));
        if follows || (self.begins_query() && self.on_new_line()) {
            return Ok(NodeKind::AllFiles);
        }
        self.names().map(NodeKind::Listed)
    }

    /// Queries up to a bracket, with commas between them. At the end of a line the comma may be missing, as in the first
    /// manual.
    fn queries(&mut self, close: T) -> Parsed<Vec<Node>> {
        let mut queries = vec![self.query()?];
        loop {
            if self.cursor.eat(T::Comma).is_some() || (self.begins_query() && self.on_new_line()) {
                queries.push(self.query()?);
            } else if self.cursor.eat(close).is_some() {
                return Ok(queries);
            } else {
                let problem = self.cursor.unexpected();
                let begins = self.begins_query();
                return Err(if begins { problem.hint("put a comma between queries") } else { problem });
            }
        }
    }

    /// Whether the next token can only begin a query.
    fn begins_query(&self) -> bool {
        match self.word() {
            Some("with") => self.word_nth(1) == Some("namespace"),
            Some(word) => BEGINNINGS.contains(&word) && !matches!(self.cursor.peek_nth(1).kind, T::Colon),
            None => matches!(self.cursor.peek().kind, T::Open | T::OpenSquare | T::OpenCurly),
        }
    }

    fn on_new_line(&self) -> bool {
        let Some(last) = self.cursor.previous() else { return false };
        let between = last.span.end as usize..self.cursor.peek().span.start as usize;
        self.text.get(between).is_some_and(|text| text.contains('\n'))
    }

    /// A list with commas; it ends where what follows a comma is no item but a query.
    fn list<V>(&mut self, item: impl Fn(&mut Self) -> Parsed<V>) -> Parsed<Vec<V>> {
        let mut items = vec![item(self)?];
        while self.cursor.is(T::Comma) && self.cursor.peek_nth(1).kind == T::Word {
            let query = match self.word_nth(1) {
                Some("with") => self.word_nth(2) == Some("namespace"),
                Some(word) => {
                    let next = self.cursor.peek_nth(2).kind;
                    BEGINNINGS.contains(&word) && matches!(next, T::Word | T::Open)
                }
                None => false,
            };
            if query {
                break;
            }
            self.cursor.bump();
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn names(&mut self) -> Parsed<Vec<Name>> {
        self.list(Self::name)
    }

    /// ```ebnf
    /// name = [ part , ":" ] , part ;
    /// ```
    fn name(&mut self) -> Parsed<Name> {
        let start = self.cursor.peek().span;
        let first = self.name_part()?.to_owned();
        let (namespace, name) = match self.cursor.eat(T::Colon) {
            Some(_) => (Some(first), self.name_part()?.to_owned()),
            None => (None, first),
        };
        Ok(Name { namespace, name, span: self.span_from(start) })
    }

    /// Letters, digits and `_ - . /`.
    pub(super) fn name_part(&mut self) -> Parsed<&'s str> {
        let token = self.cursor.expect(T::Word)?;
        let text = self.cursor.text(token);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
        if text.chars().all(plain) {
            return Ok(text);
        }
        let problem = Diagnostic::error(Kind::Syntax, format!("`{text}` is not a name")).label(token.span, "");
        Err(problem.hint("names have letters, digits and _ - . /; patterns come behind `matching`"))
    }

    fn selectors(&mut self) -> Parsed<Vec<Selector>> {
        let mut selectors = vec![self.selector()?];
        while self.cursor.is(T::Comma) {
            let next = self.cursor.peek_nth(1).kind;
            let another = match self.word_nth(1) {
                Some("matching") => true,
                Some("with") if self.word_nth(2) == Some("namespace") => false,
                Some(_) if self.cursor.peek_nth(2).kind == T::Colon => true,
                Some(word) => self.namespaces > 0 && !(BEGINNINGS.contains(&word) || word == "where"),
                None => next == T::Text,
            };
            if !another {
                break;
            }
            self.cursor.bump();
            selectors.push(self.selector()?);
        }
        Ok(selectors)
    }

    /// ```ebnf
    /// selector = ( [ part , ":" ] , ( part | text ) | "matching" , names ) ,
    ///            [ "with" , "subsets" , [ "recursively" ] ] , [ "having" , condition ] ;
    /// ```
    fn selector(&mut self) -> Parsed<Selector> {
        let start = self.cursor.peek().span;
        let matching = self.word() == Some("matching") && self.cursor.peek_nth(1).kind != T::Colon;
        let (namespace, name, legacy) = if matching {
            self.cursor.bump();
            let (namespace, name) = self.query_names()?;
            (Some(namespace), name, false)
        } else if let Some(token) = self.cursor.eat(T::Text) {
            (None, NamePattern::Pattern(unquoted(self.cursor.text(token)).to_owned()), true)
        } else {
            let first = self.name_part()?;
            match self.cursor.eat(T::Colon) {
                Some(_) if self.cursor.is(T::Text) => {
                    let token = self.cursor.bump();
                    let pattern = unquoted(self.cursor.text(token)).to_owned();
                    (Some(first.to_owned()), NamePattern::Pattern(pattern), true)
                }
                Some(_) => (Some(first.to_owned()), NamePattern::Exact(self.name_part()?.to_owned()), false),
                None if self.namespaces > 0 => (None, NamePattern::Exact(first.to_owned()), false),
                None => {
                    let problem = Diagnostic::error(Kind::Semantic, format!("the dataset `{first}` has no namespace"));
                    return Err(problem.label(start, "").hint(format!("write namespace:{first}")));
                }
            }
        };
        self.cursor.note("`with subsets`");
        let subsets = if self.word() == Some("with") && self.word_nth(1) != Some("namespace") {
            self.cursor.bump();
            if self.eat("subsets", "`subsets`").is_none() {
                return Err(self.cursor.unexpected().hint("`with subsets [recursively]` adds the datasets below"));
            }
            let all = self.eat("recursively", "`recursively`").is_some();
            Some(if all { Subsets::All } else { Subsets::Next })
        } else {
            None
        };
        let having = if self.eat("having", "`having`").is_some() { Some(self.condition()?) } else { None };
        Ok(Selector { namespace, name, subsets, having, legacy })
    }

    /// ```ebnf
    /// names = part , ":" , ( pattern | text ) | "regexp" , part , ":" , text ;
    /// ```
    fn query_names(&mut self) -> Parsed<(String, NamePattern)> {
        let regex = self.word() == Some("regexp") && self.cursor.peek_nth(1).kind == T::Word;
        if regex {
            self.cursor.bump();
        }
        let namespace = self.name_part()?.to_owned();
        self.cursor.expect(T::Colon)?;
        if regex {
            let token = self.cursor.expect(T::Text)?;
            let text = unquoted(self.cursor.text(token)).to_owned();
            return Ok((namespace, NamePattern::Regex(text, token.span)));
        }
        if let Some(token) = self.cursor.eat(T::Text) {
            return Ok((namespace, NamePattern::Pattern(unquoted(self.cursor.text(token)).to_owned())));
        }
        let token = self.cursor.expect(T::Word)?;
        let text = self.cursor.text(token);
        if text.contains(['/', '+']) {
            let problem = Diagnostic::error(Kind::Syntax, format!("`{text}` is not a pattern")).label(token.span, "");
            return Err(problem.hint("put patterns with other characters than letters, digits and _ - . * ? in quotes"));
        }
        Ok((namespace, NamePattern::Pattern(text.to_owned())))
    }

    fn filter(&mut self) -> Parsed<FilterCall> {
        let start = self.cursor.peek().span;
        let name = self.name_part()?.to_owned();
        self.cursor.expect(T::Open)?;
        let (mut positional, mut named): (Vec<Constant>, Vec<(String, Constant)>) = (vec![], vec![]);
        while self.cursor.eat(T::Close).is_none() {
            if !(positional.is_empty() && named.is_empty()) {
                self.cursor.expect(T::Comma)?;
            }
            let sign = self.cursor.peek_nth(1);
            if self.word().is_some() && sign.kind == T::Compare && self.cursor.text(sign) == "=" {
                let key = self.name_part()?.to_owned();
                self.cursor.bump();
                named.push((key, self.constant()?));
            } else if named.is_empty() {
                positional.push(self.constant()?);
            } else {
                return Err(self.problem("parameters by position come before those by name"));
            }
        }
        self.cursor.expect(T::Open)?;
        let inputs = self.queries(T::Close)?;
        Ok(FilterCall { name, span: start, positional, named, inputs })
    }
}

/// A text without its quotes, escapes as written.
pub(super) fn unquoted(text: &str) -> &str {
    text.get(1..text.len().saturating_sub(1)).unwrap_or_default()
}
