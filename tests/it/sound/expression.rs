//! Random expressions of AimQL as trees, so that one that fails can be made smaller.

use super::data::{Data, FEBRUARY, FLOATS, INTS, SEQUENCES, TEXTS, anything, contexts, path, scalar};
use super::dice::Dice;
use super::judge::Searched;
use std::fmt;

/// A piece of text with expressions in it.
#[derive(Clone, Debug)]
pub(super) struct Expression(pub(super) Vec<Part>);

#[derive(Clone, Debug)]
pub(super) enum Part {
    Text(String),
    Inner(Expression),
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Inner(inner) => inner.fmt(f),
        })
    }
}

/// `template` with its `{}` filled in, in parentheses if it is more than an atom.
pub(super) fn fill(template: &str, inner: Vec<Expression>) -> Expression {
    let mut parts = vec![];
    let mut inner = inner.into_iter();
    for (index, text) in template.split("{}").enumerate() {
        if index > 0 {
            parts.push(Part::Inner(inner.next().expect("an expression for each place")));
        }
        parts.push(Part::Text(text.to_owned()));
    }
    Expression(parts)
}

fn atom(text: impl Into<String>) -> Expression {
    Expression(vec![Part::Text(text.into())])
}

impl Expression {
    /// Smaller expressions, the smallest first.
    pub(super) fn smaller(&self) -> Vec<Self> {
        let mut out = vec![];
        for part in &self.0 {
            if let Part::Inner(inner) = part {
                out.push(inner.clone());
            }
        }
        for (index, part) in self.0.iter().enumerate() {
            let Part::Inner(inner) = part else { continue };
            let is_atom = !inner.0.iter().any(|part| matches!(part, Part::Inner(_)));
            let simple = ["True", "1"].into_iter().filter(|_| !is_atom).map(atom);
            for smaller in simple.chain(inner.smaller()) {
                let mut copy = self.clone();
                copy.0[index] = Part::Inner(smaller);
                out.push(copy);
            }
        }
        out
    }
}

/// Makes expressions for one kind of search.
pub(super) struct Maker<'a> {
    pub(super) dice: &'a mut Dice,
    pub(super) searched: Searched,
    /// Names bound by comprehensions and lambdas around.
    pub(super) bound: Vec<String>,
    /// Whether the variable of the sequence may be used: in comprehensions it is refused.
    pub(super) closed: bool,
}

impl<'a> Maker<'a> {
    pub(super) fn new(dice: &'a mut Dice, searched: Searched) -> Self {
        Self { dice, searched, bound: vec![], closed: false }
    }

    /// A whole query.
    pub(super) fn query(&mut self) -> Expression {
        let depth = *self.dice.pick(&[0, 0, 1, 1, 2, 3]);
        self.truth(depth)
    }

    pub(super) fn one_of(&mut self, items: &[&str]) -> String {
        (*self.dice.pick(items)).to_owned()
    }

    /// Something that is asked whether it is true.
    pub(super) fn truth(&mut self, depth: usize) -> Expression {
        if depth == 0 {
            return self.condition();
        }
        match self.dice.below(14) {
            0..=2 => {
                let (a, b) = (self.truth(depth - 1), self.truth(depth - 1));
                fill("({} and {})", vec![a, b])
            }
            3..=5 => {
                let (a, b) = (self.truth(depth - 1), self.truth(depth - 1));
                fill("({} or {})", vec![a, b])
            }
            6 | 7 => {
                let a = self.truth(depth - 1);
                fill("(not {})", vec![a])
            }
            8 => {
                let (a, b, c) = (self.truth(depth - 1), self.truth(depth - 1), self.truth(depth - 1));
                fill("({} if {} else {})", vec![a, b, c])
            }
            9 => {
                let (a, b, c) = (self.truth(depth - 1), self.truth(depth - 1), self.truth(depth - 1));
                let template = self.one_of(&["({} and {} or {})", "({} or {} and {})", "({} and {} and {})"]);
                fill(&template, vec![a, b, c])
            }
            10 => {
                let (a, b) = (self.truth(depth - 1), self.truth(depth - 1));
                let template =
                    self.one_of(&["({} == {})", "({} != {})", "({} in [{}])", "all([{}, {}])", "any([{}, {}])"]);
                fill(&template, vec![a, b])
            }
            11 => {
                let a = self.truth(depth - 1);
                fill("bool({})", vec![a])
            }
            _ => self.residual(depth),
        }
    }

    /// A condition that columns may be able to answer.
    pub(super) fn condition(&mut self) -> Expression {
        match self.dice.below(16) {
            0..=4 => {
                let (value, constant) = (self.access(), self.constant());
                let op = self.comparison();
                if self.dice.one_in(4) {
                    fill(&format!("({{}} {op} {{}})"), vec![constant, value])
                } else {
                    fill(&format!("({{}} {op} {{}})"), vec![value, constant])
                }
            }
            5 => {
                let (a, value, b) = (self.constant(), self.access(), self.constant());
                let (first, second) = (self.comparison(), self.comparison());
                fill(&format!("({{}} {first} {{}} {second} {{}})"), vec![a, value, b])
            }
            6 => self.access(),
            7 => {
                let value = self.access();
                let template =
                    self.one_of(&["({} == None)", "({} != None)", "({} is None)", "({} is not None)", "(None == {})"]);
                fill(&template, vec![value])
            }
            8 | 9 => {
                let value = self.access();
                let count = self.dice.below(4);
                let items: Vec<_> = (0..count).map(|_| self.constant()).collect();
                let holes = vec!["{}"; count].join(", ");
                let list = match self.dice.below(3) {
                    0 => format!("[{holes}]"),
                    1 if count > 0 => format!("({holes},)"),
                    2 if count > 0 => format!("{{{holes}}}"),
                    _ => format!("[{holes}]"),
                };
                let op = self.one_of(&["in", "not in"]);
                // `{}` of a set would be a place to fill in.
                let mut parts = vec![Part::Text("(".into()), Part::Inner(value), Part::Text(format!(" {op} "))];
                let mut items = items.into_iter();
                for (index, text) in list.split("{}").enumerate() {
                    if index > 0 {
                        parts.push(Part::Inner(items.next().expect("as many items as places")));
                    }
                    parts.push(Part::Text(text.to_owned()));
                }
                parts.push(Part::Text(")".into()));
                Expression(parts)
            }
            10 => {
                let (value, text) = (self.access(), self.text());
                let op = self.one_of(&["in", "not in"]);
                fill(&format!("({{}} {op} {{}})"), vec![text, value])
            }
            11 => {
                let (value, text) = (self.access(), self.text());
                let method = self.one_of(&["startswith", "endswith", "count", "find"]);
                fill(&format!("{{}}.{method}({{}})"), vec![value, text])
            }
            12 => {
                let (a, b) = (self.access(), self.access());
                let op = self.comparison();
                fill(&format!("({{}} {op} {{}})"), vec![a, b])
            }
            13 => {
                let value = self.time();
                let constant = self.moment();
                let op = self.comparison();
                fill(&format!("({{}} {op} {{}})"), vec![value, constant])
            }
            14 => self.constant(),
            _ => self.residual(1),
        }
    }

    pub(super) fn comparison(&mut self) -> String {
        self.one_of(&["==", "!=", "<", "<=", ">", ">=", "==", "!=", "is", "is not"])
    }

    fn text(&mut self) -> Expression {
        atom(Data::one_of(self.dice, &TEXTS).python())
    }

    pub(super) fn constant(&mut self) -> Expression {
        atom(match self.dice.below(12) {
            0..=5 => scalar(self.dice).python(),
            6 => self.dice.pick(&INTS).to_string(),
            7 => Data::Float(*self.dice.pick(&FLOATS)).python(),
            8 => anything(self.dice, 2).python(),
            9 => return self.moment(),
            10 => (self.dice.below(5) as i64 * 64 - 64).to_string(),
            _ => self.one_of(&["0", "1", "2.5", "''", "'a'", "None", "True", "False", "()", "...", "1j"]),
        })
    }

    /// A date, mostly one that some run has.
    pub(super) fn moment(&mut self) -> Expression {
        let minutes = self.dice.below(40) as i64 * 720;
        let time = chrono::DateTime::from_timestamp_micros(FEBRUARY + minutes * 60_000_000).unwrap();
        let micros = self.dice.below(3);
        let text = if micros == 0 && self.dice.one_in(2) {
            time.format("datetime(%Y, %-m, %-d, %-H)").to_string()
        } else {
            format!("{}, microsecond={micros})", time.format("datetime(%Y, %-m, %-d, %-H"))
        };
        atom(if self.dice.one_in(30) { "datetime(9999, 12, 31, 23, 59, 59)".to_owned() } else { text })
    }

    pub(super) fn time(&mut self) -> Expression {
        let run = self.run();
        atom(format!("{run}.{}", self.one_of(&["created_at", "finalized_at"])))
    }

    /// `run`, or the run of the sequence.
    fn run(&mut self) -> String {
        if self.searched == Searched::Runs || self.closed || !self.dice.one_in(8) {
            "run".into()
        } else {
            format!("{}.run", self.searched.variable())
        }
    }

    /// A value of the item.
    pub(super) fn access(&mut self) -> Expression {
        if let Some(name) = self.bound.last()
            && self.dice.one_in(2)
        {
            return atom(name.clone());
        }
        if self.searched != Searched::Runs && !self.closed && self.dice.one_in(2) {
            return self.of_sequence();
        }
        let run = self.run();
        match self.dice.below(12) {
            0..=8 => self.param(&run),
            9 | 10 => {
                const PROPERTIES: [&str; 12] = [
                    "hash",
                    "name",
                    "experiment",
                    "description",
                    "tags",
                    "archived",
                    "active",
                    "created_at",
                    "finalized_at",
                    "end_time",
                    "duration",
                    "creation_time",
                ];
                atom(format!("{run}.{}", self.one_of(&PROPERTIES)))
            }
            _ => {
                let name = Data::one_of(self.dice, &SEQUENCES).python();
                let context = self.context();
                let which = if self.dice.one_in(3) { name } else { format!("{name}, {context}") };
                let field = self.field();
                let text = match self.dice.below(5) {
                    0 => format!("{run}.metrics[{which}]['{field}']"),
                    1 if self.dice.one_in(3) => format!("{run}.metrics[{which}]"),
                    _ => format!("{run}.metrics[{which}].{field}"),
                };
                atom(text)
            }
        }
    }

    fn context(&mut self) -> String {
        let known = contexts();
        let context = self.dice.pick(&known).python();
        match self.dice.below(6) {
            0 => context.replace("1", "True").replace("2.0", "2"),
            1 => context.replace('[', "(").replace(']', ")"),
            _ => context,
        }
    }

    fn field(&mut self) -> String {
        self.one_of(&[
            "last",
            "last",
            "first",
            "min",
            "max",
            "last_step",
            "first_step",
            "dtype",
            "version",
            "record_max_length",
            "mean",
        ])
    }

    /// A param, spelled in one of the ways.
    fn param(&mut self, run: &str) -> Expression {
        let path = path(self.dice);
        let mut text = run.to_owned();
        let mut rest = path.as_slice();
        while let Some((key, after)) = rest.split_first() {
            let quoted = Data::text(key).python();
            let name =
                key.chars().all(|c| c.is_alphanumeric() || c == '_') && !key.starts_with(|c: char| c.is_numeric());
            if name && self.dice.one_in(2) {
                text.push('.');
                text.push_str(key);
            } else if self.dice.one_in(2) && after.len() == 1 {
                text.push_str(&format!("[{quoted}, {}]", Data::text(&after[0]).python()));
                break;
            } else {
                text.push_str(&format!("[{quoted}]"));
            }
            rest = after;
        }
        if self.dice.one_in(10) {
            text.push_str(
                &self.one_of(&[
                    "[0]", "[1]", "[-1]", "['k']", ".k", "[0, 1]", "[True]", "['0']", "[7]", "[:1]", "[1.0]",
                ]),
            );
        }
        atom(text)
    }

    fn of_sequence(&mut self) -> Expression {
        let item = self.searched.variable();
        atom(match self.dice.below(8) {
            0 | 1 => format!("{item}.name"),
            2..=4 => {
                let key = self.one_of(&[
                    ".subset",
                    ".subset",
                    "['subset']",
                    ".fold",
                    "['fold']",
                    ".split.name",
                    "['split']['name']",
                    ".split['i']",
                    ".nosuch",
                    ".layers",
                    ".layers[0]",
                    "['a.b']",
                    ".rare",
                    ".rare.deep",
                    "['rare']['x']",
                    ".get",
                    "['get']",
                    ".split",
                    "['subset', 'x']",
                    "[0]",
                    "",
                ]);
                format!("{item}.context{key}")
            }
            _ => format!("{item}.{}", self.field()),
        })
    }
}
