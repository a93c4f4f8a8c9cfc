//! Arguments of the ops that look at values (section 5.4).

use super::super::Piece;
use super::relaxed::{self, Relaxed};
use super::{
    Arguments, Binary, ColumnRef, Comparison, Constant, NumberProgram, NumberStep, Op, OrderMap, Side, TextStep, Unary,
    ValueFilter, ValueTests,
};
use crate::diagnostic::{Diagnostic, did_you_mean};

/// `contains = position ":" text { "," text }`.
pub(super) fn contains(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.fields(":");
    let [column, texts] = parts.as_slice() else {
        return Err(arguments
            .wrong(&arguments.text, "expected a column and texts")
            .hint("%3A does not help: texts cannot contain `:`"));
    };
    let parts = texts.tokens(&[',']).iter().map(|text| text.as_str().to_owned()).collect();
    Ok(Op::Contains { column: arguments.position(column)?, parts })
}

/// `compare = position ":" word ":" integer`.
pub(super) fn compare(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.fields(":");
    let [column, how, with] = parts.as_slice() else {
        return Err(arguments.wrong(&arguments.text, "expected a column, an op and a number"));
    };
    let strict = arguments.how.strict;
    let (equal, other) = match how.as_str() {
        "neq" | "ne" if strict => (false, Some(Side::Unequal)),
        "lt" | "lteq" | "eq" | "gteq" | "gt" | "neq" | "ne" => (how.as_str().ends_with("eq"), side(how.as_str())),
        _ if strict => return Err(arguments.wrong(how, "expected lt, lteq, eq, gteq, gt or neq")),
        // Any word works by its first letter and its end.
        other => (other.ends_with("eq"), side(other)),
    };
    let with = match with.as_str().parse() {
        Ok(with) => with,
        Err(_) if strict => return Err(arguments.wrong(with, "expected a whole number")),
        // The original takes 0 for it.
        Err(_) => 0,
    };
    Ok(Op::Compare { column: arguments.position(column)?, equal, other, with })
}

fn side(word: &str) -> Option<Side> {
    match word.chars().next() {
        Some('g') => Some(Side::Greater),
        Some('l') => Some(Side::Less),
        _ => None,
    }
}

/// `map = position "::" object`.
pub(super) fn map(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let (column, entries) = entries(arguments)?;
    Ok(Op::Map { column, entries })
}

/// `rmap = position "::" object`.
pub(super) fn regex_map(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let (column, entries) = entries(arguments)?;
    Ok(Op::RegexMap { column, entries })
}

fn entries(arguments: &Arguments) -> Result<(usize, Vec<(String, String)>), Diagnostic> {
    let parts = arguments.text.fields("::");
    let [column, json, ..] = parts.as_slice() else { return Err(arguments.missing("`::` and an object")) };
    // The object is decoded once more.
    let json = if arguments.how.strict { json.clone() } else { json.decode() };
    let entries = relaxed::object(&json).map_err(|(span, expected)| arguments.wrong_at(span, expected))?;
    let entries = entries.into_iter().map(|(from, to)| (from, to.to_text())).collect();
    Ok((arguments.position(column)?, entries))
}

/// `ordermap = tuple { ":" tuple }`, `tuple = position "," text "," position "," position`; from the first incomplete
/// tuple on they are ignored.
pub(super) fn order_map(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let mut rules = vec![];
    for tuple in arguments.text.tokens(&[':']) {
        let parts = tuple.tokens(&[',']);
        let [test, text, from, to, ..] = parts.as_slice() else {
            if arguments.how.strict {
                return Err(arguments.wrong(&tuple, "expected four parts"));
            }
            break;
        };
        rules.push(OrderMap {
            test: arguments.position(test)?,
            text: text.as_str().to_owned(),
            from: arguments.position(from)?,
            to: arguments.position(to)?,
        });
    }
    Ok(Op::OrderMap(rules))
}

/// `datef = position { "," position } ":" pattern ":" pattern [ ":" position ]`.
pub(super) fn date_format(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.fields(":");
    let [columns, input, output, rest @ ..] = parts.as_slice() else {
        return Err(arguments.missing("columns, input or output pattern"));
    };
    let columns: Result<Vec<_>, _> = columns.tokens(&[',']).iter().map(|piece| arguments.position(piece)).collect();
    let columns = columns?;
    let Some(first) = columns.first().copied() else { return Err(arguments.missing("the column")) };
    let to = rest.first().map_or(Ok(first), |piece| arguments.position(piece))?;
    let pattern = |piece: &Piece| (!piece.as_str().starts_with("unixmillis")).then(|| piece.as_str().to_owned());
    Ok(Op::DateFormat { columns, input: pattern(input), output: pattern(output), to })
}

/// `filter = object | "[" object { object } "]"`: fields and what they must or must not be; all of several.
pub(super) fn filter(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let read = relaxed::list_or_object(&arguments.text);
    let filters = match read.map_err(|(span, expected)| arguments.wrong_at(span, expected))? {
        Relaxed::List(filters) => filters,
        Relaxed::Object(entries) => match entries.as_slice() {
            [(name, Relaxed::List(filters))] if name == "chain" => filters.clone(),
            _ => vec![Relaxed::Object(entries)],
        },
        text @ Relaxed::Text(_) => vec![text],
    };
    if filters.is_empty() {
        return Err(arguments.missing("the filter"));
    }
    let filters = filters.into_iter().map(|filter| match filter {
        Relaxed::Object(entries) => field_filter(arguments, entries),
        other => Err(unsupported(arguments, &other.to_text())),
    });
    Ok(Op::Filter(filters.collect::<Result<_, _>>()?))
}

fn unsupported(arguments: &Arguments, what: &str) -> Diagnostic {
    arguments.wrong(&arguments.text, format!("`{what}` is not supported")).hint(
        "supported: from (a name, or from.index), require, exclude, not; value, contains, match, find, toLower inside of these",
    )
}

/// `{ from, ( require | exclude | filter { require | exclude } ), [ not ] }`.
fn field_filter(arguments: &Arguments, entries: Vec<(String, Relaxed)>) -> Result<ValueFilter, Diagnostic> {
    let named = |name: String| ColumnRef { text: name, position: None };
    let (mut column, mut test, mut inverted) = (None, None, false);
    for (key, value) in entries {
        match (key.as_str(), value) {
            ("op", Relaxed::Text(op)) if op == "field" => {}
            ("from" | "from.name", Relaxed::Text(name)) => column = Some(named(name)),
            ("from.index", Relaxed::Text(index)) => column = Some(index_of(arguments, &index)?),
            ("from", Relaxed::Object(entries)) => match entries.as_slice() {
                [(key, Relaxed::Text(index))] if key == "index" => column = Some(index_of(arguments, index)?),
                [(key, Relaxed::Text(name))] if key == "name" => column = Some(named(name.clone())),
                _ => return Err(unsupported(arguments, "from")),
            },
            ("not", Relaxed::Text(word)) if word == "true" || word == "false" => inverted = word == "true",
            ("filter", Relaxed::Object(entries)) if test.is_none() => test = Some(value_test(arguments, entries)?),
            ("require" | "exclude", value) if test.is_none() => test = Some(value_test(arguments, vec![(key, value)])?),
            (other, _) => return Err(unsupported(arguments, other)),
        }
    }
    let Some(column) = column else { return Err(arguments.missing("`from`")) };
    let Some((exclude, tests)) = test else { return Err(arguments.missing("`require` or `exclude`")) };
    Ok(ValueFilter { column, exclude, inverted, tests })
}

fn index_of(arguments: &Arguments, index: &str) -> Result<ColumnRef, Diagnostic> {
    let column = ColumnRef::new(index);
    if column.position.is_some() {
        Ok(column)
    } else {
        Err(arguments.wrong(&arguments.text, "from.index is the position of a column"))
    }
}

/// `{ ( "require" | "exclude" ) tests } | { "op" ( "require" | "exclude" ) tests }`.
fn value_test(arguments: &Arguments, entries: Vec<(String, Relaxed)>) -> Result<(bool, ValueTests), Diagnostic> {
    let wrong = |what: String| unsupported(arguments, &what);
    let is_word = |word: &str| word == "require" || word == "exclude";
    match entries.as_slice() {
        [(word, value)] if is_word(word) => Ok((word == "exclude", tests(value.clone()).map_err(wrong)?)),
        [(op, Relaxed::Text(word)), rest @ ..] if op == "op" && is_word(word) => {
            Ok((word == "exclude", tests(Relaxed::Object(rest.to_vec())).map_err(wrong)?))
        }
        [(word, _), ..] => Err(wrong(word.clone())),
        [] => Err(arguments.missing("`require` or `exclude`")),
    }
}

/// What is tested: a list is one of values.
fn tests(value: Relaxed) -> Result<ValueTests, String> {
    let texts = |value: Relaxed| match value {
        Relaxed::Text(text) => Ok(vec![text]),
        Relaxed::List(items) => Ok(items.iter().map(Relaxed::to_text).collect()),
        Relaxed::Object(_) => Err("an object in a filter".to_owned()),
    };
    let mut tests = ValueTests::default();
    match value {
        Relaxed::Object(entries) => {
            for (key, value) in entries {
                match (key.as_str(), value) {
                    ("value", value) => tests.values = texts(value)?,
                    ("contains", value) => tests.contains = texts(value)?,
                    ("match", value) => tests.matches = texts(value)?,
                    ("find", value) => tests.finds = texts(value)?,
                    ("toLower", Relaxed::Text(word)) if word == "true" || word == "false" => {
                        tests.lower = word == "true"
                    }
                    _ => return Err(key),
                }
            }
        }
        other => tests.values = texts(other)?,
    }
    Ok(tests)
}

/// `num = [ step { "," step } ]`.
pub(super) fn number(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let mut program = NumberProgram { steps: vec![], division_errors: false };
    let mut vector: Option<Piece> = None;
    for token in arguments.text.tokens(&[',']) {
        if let Some(word) = vector.take() {
            let Some(binary) = vector_step(token.as_str()) else {
                return Err(arguments.wrong(&word, "`vector` stands before add, mult, dmult, min or max"));
            };
            program.steps.push(NumberStep::Vector(binary));
            continue;
        }
        match token.as_str() {
            "vector" => vector = Some(token),
            "diverr" => program.division_errors = true,
            word => match plain_step(word) {
                Some(step) => program.steps.push(step),
                None => load_steps(arguments, &token, &mut program.steps)?,
            },
        }
    }
    match vector {
        Some(word) => Err(arguments.wrong(&word, "`vector` stands before add, mult, dmult, min or max")),
        None => Ok(Op::Number(program)),
    }
}

fn vector_step(word: &str) -> Option<Binary> {
    Some(match word {
        "add" | "+" => Binary::Add,
        "mult" | "prod" | "*" => Binary::Multiply,
        "dmult" | "dprod" => Binary::MultiplyFloat,
        "min" => Binary::Min,
        "max" => Binary::Max,
        _ => return None,
    })
}

/// The words of `num` that stand for themselves.
fn plain_step(word: &str) -> Option<NumberStep> {
    let compare = |how, float| NumberStep::Compare { how, float };
    Some(match word {
        "sub" | "-" => NumberStep::Binary(Binary::Subtract),
        "div" | "/" => NumberStep::Binary(Binary::Divide),
        "rem" | "%" => NumberStep::Binary(Binary::Remainder),
        "ddiv" => NumberStep::Binary(Binary::DivideFloat),
        "minif" => NumberStep::Binary(Binary::MinIf),
        "maxif" => NumberStep::Binary(Binary::MaxIf),
        "log" => NumberStep::Unary(Unary::Log),
        "sqrt" => NumberStep::Unary(Unary::SquareRoot),
        "abs" => NumberStep::Unary(Unary::Absolute),
        "toi" | "toint" => NumberStep::Unary(Unary::ToInteger),
        "tof" | "tofloat" => NumberStep::Unary(Unary::ToFloat),
        "tob" | "tobits" => NumberStep::Unary(Unary::ToBits),
        "btof" | "btofloat" => NumberStep::Unary(Unary::FromBits),
        "mean" => NumberStep::Statistic { variance: false },
        "variance" => NumberStep::Statistic { variance: true },
        "dup" | "d" => NumberStep::Duplicate,
        "swap" | "x" => NumberStep::Swap,
        "pop" | "drop" => NumberStep::Pop,
        "set" | "s" | "=" => NumberStep::Set,
        "out" | "shiftout" => NumberStep::Out,
        "gt" | ">" => compare(Comparison::Greater, false),
        "gteq" | ">=" => compare(Comparison::GreaterEqual, false),
        "lt" | "<" => compare(Comparison::Less, false),
        "lteq" | "<=" => compare(Comparison::LessEqual, false),
        "eq" => compare(Comparison::Equal, false),
        "dgt" | ">>" => compare(Comparison::Greater, true),
        "dgteq" | ">>=" => compare(Comparison::GreaterEqual, true),
        "dlt" | "<<" => compare(Comparison::Less, true),
        "dlteq" | "<<=" => compare(Comparison::LessEqual, true),
        "deq" | "==" => compare(Comparison::Equal, true),
        other => NumberStep::Binary(vector_step(other)?),
    })
}

/// `load = ( "c" | "col" ) position { ":" position } | "C" name { ":" name } | "a" position { ":" position }
///       | "h" position | ( "n" | "num" ) number { ":" number } | ( "v" | "val" ) number`.
fn load_steps(arguments: &Arguments, token: &Piece, steps: &mut Vec<NumberStep>) -> Result<(), Diagnostic> {
    const WORDS: [&str; 30] = [
        "add", "sub", "mult", "div", "rem", "dmult", "ddiv", "log", "sqrt", "abs", "min", "max", "minif", "maxif",
        "mean", "variance", "vector", "dup", "swap", "pop", "toi", "tof", "tob", "btof", "set", "out", "gteq", "lteq",
        "dgteq", "dlteq",
    ];
    let unknown = || {
        let problem = arguments.wrong(token, "unknown step");
        if token.as_str().trim().is_empty() {
            problem.hint("a raw `+` is a blank: write `add` or `%2B`")
        } else {
            match did_you_mean(token.as_str(), WORDS) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem,
            }
        }
    };
    let rest = |long: &str| {
        let length = if token.as_str().starts_with(long) { long.len() } else { 1 };
        token.after(length).tokens(&[':'])
    };
    // A word that is no step, rather than a column that is no number.
    let looks_right = |pieces: &[Piece]| {
        pieces.iter().all(|piece| piece.as_str().starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)))
    };
    match token.as_str().chars().next() {
        Some('c') if looks_right(&rest("col")) => {
            for piece in rest("col") {
                steps.push(NumberStep::Column(arguments.position(&piece)?));
            }
        }
        Some('C') => steps.extend(rest("C").iter().map(|piece| NumberStep::Named(piece.as_str().to_owned()))),
        Some('a') if looks_right(&rest("a")) => {
            for piece in rest("a") {
                steps.push(NumberStep::Array(arguments.position(&piece)?));
            }
        }
        Some('n') if looks_right(&rest("num")) => {
            for piece in rest("num") {
                steps.push(NumberStep::Constant(constant(arguments, &piece)?));
            }
        }
        Some('v') if looks_right(&rest("val")) && token.as_str().len() > 1 => {
            for piece in rest("val") {
                steps.push(NumberStep::Constant(constant(arguments, &piece)?));
            }
        }
        Some('h') if looks_right(&rest("h")) && token.as_str().len() > 1 => {
            steps.push(NumberStep::Hash(arguments.position(&token.after(1))?));
        }
        _ => return Err(unknown()),
    }
    Ok(())
}

fn constant(arguments: &Arguments, piece: &Piece) -> Result<Constant, Diagnostic> {
    if piece.as_str().contains('.') {
        Ok(Constant::Float(arguments.float(piece)?))
    } else {
        Ok(Constant::Integer(arguments.integer(piece)?))
    }
}

/// `str = [ step { "," step } ]`; unknown steps are ignored, unless strict.
pub(super) fn text(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let mut steps = vec![];
    for token in arguments.text.tokens(&[',']) {
        let rest = token.after(1);
        steps.push(match token.as_str() {
            "cat" | "+" => TextStep::Concatenate,
            "range" | ":" => TextStep::Range,
            "split" | "/" => TextStep::Split,
            "set" | "=" => TextStep::Set,
            "eq" | "==" => TextStep::Equal,
            "neq" | "!=" => TextStep::NotEqual,
            // A constant cannot contain the comma that separates steps.
            "v" => TextStep::Constant(",".into()),
            word if word.starts_with('v') => TextStep::Constant(rest.as_str().to_owned()),
            word if word.starts_with('c') => TextStep::Column(arguments.position(&rest)?),
            _ if arguments.how.strict => return Err(arguments.wrong(&token, "unknown step")),
            _ => continue,
        });
    }
    Ok(Op::Text(steps))
}

/// `rndfail = integer`: of a hundred rows.
pub(super) fn random_failure(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let percent = arguments.integer(&arguments.text)?;
    Ok(Op::RandomFailure { percent: u64::try_from(percent.clamp(0, 100)).unwrap_or(0) })
}

/// Longest wait for a row.
const LONGEST_SLEEP: u64 = 60_000;

/// `sleep = integer [ "," integer ]`.
pub(super) fn sleep(arguments: &Arguments) -> Result<Op, Diagnostic> {
    let parts = arguments.text.tokens(&[',']);
    let millis = |index: usize| match parts.get(index) {
        None => Ok(0),
        Some(piece) => u64::try_from(arguments.integer(piece)?)
            .ok()
            .filter(|millis| *millis <= LONGEST_SLEEP)
            .ok_or_else(|| arguments.wrong(piece, format!("expected 0 to {LONGEST_SLEEP} milliseconds"))),
    };
    if parts.is_empty() {
        return Err(arguments.missing("the number of milliseconds"));
    }
    Ok(Op::Sleep { millis: millis(0)?, spread: millis(1)? })
}
