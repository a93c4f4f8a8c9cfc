//! Values made of others, and conditions over them that only the row evaluator can answer.

use super::expression::{Expression, Maker, Part, fill};

impl Maker<'_> {
    /// A value made of others.
    pub(super) fn value(&mut self, depth: usize) -> Expression {
        if depth == 0 {
            return if self.dice.one_in(3) { self.constant() } else { self.access() };
        }
        match self.dice.below(20) {
            0..=3 => self.access(),
            4 | 5 => self.constant(),
            6..=8 => {
                let op = self.one_of(&["+", "-", "*", "/", "//", "%", "&", "|", "^", "+", "-", "*"]);
                let (a, b) = (self.value(depth - 1), self.value(depth - 1));
                fill(&format!("({{}} {op} {{}})"), vec![a, b])
            }
            9 => {
                let (a, b) = (self.value(depth - 1), self.value(depth - 1));
                let template =
                    self.one_of(&["({} or {})", "({} and {})", "max({}, {})", "min({}, {})", "({}, {})", "[{}, {}]"]);
                fill(&template, vec![a, b])
            }
            10 | 11 => {
                let function = self.one_of(&[
                    "str",
                    "len",
                    "int",
                    "float",
                    "abs",
                    "bool",
                    "round",
                    "sorted",
                    "sum",
                    "list",
                    "tuple",
                    "set",
                    "repr",
                    "min",
                    "max",
                    "hash",
                    "id",
                    "chr",
                    "ord",
                    "divmod",
                    "any",
                    "all",
                    "math.floor",
                    "math.sqrt",
                    "math.isnan",
                ]);
                let a = self.value(depth - 1);
                fill(&format!("{function}({{}})"), vec![a])
            }
            12 | 13 => {
                let a = self.value(depth - 1);
                let method = self.one_of(&[
                    "lower()",
                    "upper()",
                    "strip()",
                    "title()",
                    "split('.')",
                    "replace('a', 'b')",
                    "keys()",
                    "items()",
                    "values()",
                    "get('k')",
                    "get('k', 5)",
                    "count(1)",
                    "index(64)",
                    "isdigit()",
                    "zfill(5)",
                    "encode()",
                    "join(['x', 'y'])",
                    "month",
                    "year",
                    "weekday()",
                    "strftime('%Y-%m')",
                    "total_seconds()",
                    "is_integer()",
                    "nosuch",
                    "splitlines()",
                    "partition('.')",
                    "casefold()",
                    "first_key()",
                    "copy()",
                    "bit_length()",
                ]);
                fill(&format!("{{}}.{method}"), vec![a])
            }
            14 => {
                let a = self.value(depth - 1);
                let index = self.one_of(&["0", "-1", "1", ":2", "::-1", "1:", "'k'", "True", "0, 1", "'hp', 'lr'"]);
                fill(&format!("{{}}[{index}]"), vec![a])
            }
            15 => {
                let a = self.value(depth - 1);
                let text =
                    self.one_of(&["f'{{}}'", "f'{{}!s}'", "f'{{}!r}'", "f'{{}:>8}'", "('%s' % ({},))", "f'<{{}}>'"]);
                // Braces of the f-string stand around the place.
                let (before, after) = match text.split_once("{{}") {
                    Some((before, after)) => (format!("{before}{{"), after.to_owned()),
                    None => {
                        let (before, after) = text.split_once("{}").expect("a place");
                        (before.to_owned(), after.to_owned())
                    }
                };
                // Quotes inside of an f-string need another kind outside.
                let inner = a.to_string();
                if before.starts_with('f') && (inner.contains('\'') || inner.contains('\\') || inner.contains('"')) {
                    return fill("str({})", vec![a]);
                }
                Expression(vec![Part::Text(before), Part::Inner(a), Part::Text(after)])
            }
            16 => {
                let (a, b, c) = (self.value(depth - 1), self.truth(depth - 1), self.value(depth - 1));
                fill("({} if {} else {})", vec![a, b, c])
            }
            17 => {
                let a = self.value(depth - 1);
                let sign = self.one_of(&["-", "+", "~", "not "]);
                fill(&format!("({sign}{{}})"), vec![a])
            }
            18 => {
                let (a, b) = (self.time(), self.moment());
                fill("({} - {})", vec![a, b])
            }
            _ => self.comprehension(depth),
        }
    }

    fn comprehension(&mut self, depth: usize) -> Expression {
        let closed = std::mem::replace(&mut self.closed, true);
        let source = self.value(depth - 1);
        let name = self.one_of(&["x", "y", "k"]);
        self.bound.push(name.clone());
        let element = if self.dice.one_in(2) { self.truth(depth - 1) } else { self.value(depth - 1) };
        let condition = self.truth(0);
        self.bound.pop();
        self.closed = closed;
        match self.dice.below(7) {
            0 => fill(&format!("any({{}} for {name} in {{}})"), vec![element, source]),
            1 => fill(&format!("all({{}} for {name} in {{}})"), vec![element, source]),
            2 => fill(&format!("[{{}} for {name} in {{}}]"), vec![element, source]),
            3 => fill(&format!("any([{{}} for {name} in {{}} if {{}}])"), vec![element, source, condition]),
            4 => fill(&format!("sum([1 for {name} in {{}} if {{}}])"), vec![source, condition]),
            5 => fill(&format!("sorted({{}}, key=lambda {name}: {{}})"), vec![source, element]),
            _ => fill(&format!("(lambda {name}: {{}})({{}})"), vec![element, source]),
        }
    }

    /// A condition for the row evaluator.
    pub(super) fn residual(&mut self, depth: usize) -> Expression {
        match self.dice.below(6) {
            0 | 1 => {
                let (a, b) = (self.value(depth), self.value(depth - 1));
                let op = self.comparison();
                fill(&format!("({{}} {op} {{}})"), vec![a, b])
            }
            2 => {
                let (a, b) = (self.value(depth - 1), self.value(depth));
                let op = self.one_of(&["in", "not in"]);
                fill(&format!("({{}} {op} {{}})"), vec![a, b])
            }
            3 => {
                let a = self.value(depth - 1);
                let class = self.one_of(&["int", "float", "str", "bool", "(int, str)"]);
                fill(&format!("isinstance({{}}, {class})"), vec![a])
            }
            4 => self.comprehension(depth),
            _ => self.value(depth),
        }
    }
}
