//! Regular expressions of RE2, translated to the syntax of the crate `regex`.
//!
//! Both run in linear time, but they differ in what they accept and in what it means: `\d \w \s \b` and the likes are
//! ASCII in RE2, `{` may stand for itself, `a**` and more than 1000 repetitions are refused, `\<` is an escaped `<`. So the
//! pattern is read by RE2's rules ([its syntax](https://github.com/google/re2/wiki/Syntax)), and everything is written out
//! in a way that leaves no room for other readings. Only whether there is a match counts, so groups lose their names and
//! laziness does not matter.
//!
//! The result is for `regex::bytes`: `\C` and ASCII word borders are about bytes.

mod class;
mod names;

use class::Class;
use std::fmt::Write;

/// Most repetitions, those of nested operators multiplied.
const MOST_REPEATS: u32 = 1000;

/// Deepest nesting of groups.
const MAX_DEPTH: usize = 200;

/// Largest compiled form in bytes, about what RE2's own limit allows.
const SIZE_LIMIT: usize = 16 << 20;

/// Why a pattern is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct PatternError {
    /// What is wrong, one line.
    pub reason: String,
    /// What to do about it, if there is something.
    pub hint: Option<&'static str>,
}

fn error(reason: impl Into<String>) -> PatternError {
    PatternError { reason: reason.into(), hint: None }
}

/// The pattern in the syntax of `regex::bytes`, found to be valid.
///
/// # Errors
/// RE2 refuses the pattern, or it would be too large.
pub fn translate(pattern: &str) -> Result<String, PatternError> {
    let translated = Translator::new(pattern).run()?;
    match regex::bytes::RegexBuilder::new(&translated).size_limit(SIZE_LIMIT).build() {
        Ok(_) => Ok(translated),
        Err(regex::Error::CompiledTooBig(_)) => Err(error("the pattern is too large")),
        Err(_) => Err(error("the pattern cannot be used")),
    }
}

/// What stands before the next operator.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// Nothing that could be repeated.
    Nothing,
    /// Something.
    Atom,
    /// Something with a repetition already.
    Repeated,
}

/// A group that is not closed yet.
struct Group {
    /// Most repetitions inside of it.
    repeats: u32,
    /// Where it begins in what is written.
    start: usize,
}

struct Translator<'p> {
    rest: &'p str,
    out: String,
    groups: Vec<Group>,
    before: Before,
    /// Where the last atom begins in what is written.
    start: usize,
    /// Most repetitions inside of the last atom.
    last: u32,
    /// Where a repetition of the last atom has to be written, if not at the end: flags may stand between.
    flags_at: Option<usize>,
}

impl<'p> Translator<'p> {
    fn new(pattern: &'p str) -> Self {
        Self {
            rest: pattern,
            out: String::with_capacity(pattern.len() * 2),
            groups: vec![Group { repeats: 1, start: 0 }],
            before: Before::Nothing,
            start: 0,
            last: 1,
            flags_at: None,
        }
    }

    /// ```ebnf
    /// pattern = alternative , { "|" , alternative } ;
    /// alternative = { atom , [ repetition ] | flags } ;
    /// ```
    fn run(mut self) -> Result<String, PatternError> {
        while let Some(next) = self.rest.chars().next() {
            match next {
                '(' => self.open()?,
                ')' => self.close()?,
                '|' => {
                    self.bump(1);
                    self.out.push('|');
                    self.before = Before::Nothing;
                    self.flags_at = None;
                }
                '*' | '+' | '?' => {
                    let operator = self.bump(1);
                    self.repeat(operator, 1)?;
                }
                '{' => match counted(self.rest) {
                    Some(counted) => self.repeat_counted(&counted)?,
                    None => self.literal(),
                },
                '[' => {
                    let (class, rest) = Class::parse(self.rest)?;
                    self.rest = rest;
                    self.atom(&class);
                }
                '.' | '^' | '$' => {
                    let piece = self.bump(1);
                    self.atom(piece);
                }
                '\\' => self.escape()?,
                _ => self.literal(),
            }
        }
        if self.groups.len() > 1 {
            return Err(error("a `(` is not closed"));
        }
        Ok(self.out)
    }

    /// Takes the next bytes.
    fn bump(&mut self, length: usize) -> &'p str {
        let (piece, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        piece
    }

    fn atom(&mut self, text: &str) {
        self.start = self.out.len();
        self.out.push_str(text);
        self.before = Before::Atom;
        self.last = 1;
        self.flags_at = None;
    }

    fn literal(&mut self) {
        if let Some(next) = self.rest.chars().next() {
            self.bump(next.len_utf8());
            self.character(next);
        }
    }

    fn character(&mut self, character: char) {
        let mut text = String::new();
        push_character(&mut text, u32::from(character));
        self.atom(&text);
    }

    /// ```ebnf
    /// group = "(" , [ "?" , ( "P<" | "<" ) , name , ">" | "?" , [ flags ] , ":" ] , pattern , ")" ;
    /// flags = "(?" , set , [ "-" , set ] , ")" ;
    /// set = { "i" | "m" | "s" | "U" } ;
    /// ```
    fn open(&mut self) -> Result<(), PatternError> {
        self.bump(1);
        let Some(inside) = self.rest.strip_prefix('?') else {
            return self.push_group("(?:");
        };
        for (piece, name) in [
            ("=", "look-ahead"),
            ("!", "look-ahead"),
            ("<=", "look-behind"),
            ("<!", "look-behind"),
            (">", "atomic groups"),
        ] {
            if inside.starts_with(piece) {
                return Err(PatternError {
                    reason: format!("`(?{piece}`: there are no {name}s in RE2").replace("groupss", "groups"),
                    hint: Some("patterns are RE2's; NOT MATCHES asks for what a look-around would exclude"),
                });
            }
        }
        if let Some(named) = inside.strip_prefix("P<").or_else(|| inside.strip_prefix('<')) {
            let (name, rest) = named.split_once('>').ok_or_else(|| error("the name of a group is not closed"))?;
            let valid = |c: char| c == '_' || c.is_alphanumeric();
            if name.is_empty() || !name.chars().all(valid) {
                return Err(error(format!("`{name}` is not a name for a group")));
            }
            self.rest = rest;
            return self.push_group("(?:");
        }
        let end = inside.find([':', ')']).ok_or_else(|| error("a `(?` is not closed"))?;
        let (set, _) = inside.split_at(end);
        let flags = flags(set).ok_or_else(|| error(format!("`(?{set}`: RE2 has no such group or flag")))?;
        let group = inside.get(end..).is_some_and(|rest| rest.starts_with(':'));
        self.bump(1 + end + 1);
        if group {
            return self.push_group(&format!("(?{flags}:"));
        }
        // Flags are no atom: a repetition behind them is that of what stands before them.
        let at = self.flags_at.unwrap_or(self.out.len());
        if !flags.is_empty() {
            let _ = write!(self.out, "(?{flags})");
        }
        self.flags_at = Some(at);
        if self.before == Before::Repeated {
            self.before = Before::Atom;
        }
        Ok(())
    }

    fn push_group(&mut self, text: &str) -> Result<(), PatternError> {
        if self.groups.len() > MAX_DEPTH {
            return Err(error(format!("groups are nested more than {MAX_DEPTH} levels deep")));
        }
        let start = self.out.len();
        self.out.push_str(text);
        self.groups.push(Group { repeats: 1, start });
        self.before = Before::Nothing;
        self.flags_at = None;
        Ok(())
    }

    fn close(&mut self) -> Result<(), PatternError> {
        self.bump(1);
        if self.groups.len() < 2 {
            return Err(error("a `)` has no `(`"));
        }
        let (repeats, start) = self.groups.pop().map_or((1, 0), |group| (group.repeats, group.start));
        self.atom(")");
        self.start = start;
        self.last = repeats;
        self.count(repeats);
        Ok(())
    }

    /// The group around the last atom has at least so many repetitions.
    fn count(&mut self, repeats: u32) {
        if let Some(group) = self.groups.last_mut() {
            group.repeats = group.repeats.max(repeats);
        }
    }

    /// ```ebnf
    /// repetition = ( "*" | "+" | "?" | "{" , digits , [ "," , [ digits ] ] , "}" ) , [ "?" ] ;
    /// ```
    fn repeat(&mut self, operator: &str, times: u32) -> Result<(), PatternError> {
        match self.before {
            Before::Nothing => return Err(error(format!("`{operator}` has nothing to repeat"))),
            Before::Repeated => {
                return Err(PatternError {
                    reason: format!("`{operator}` repeats a repetition"),
                    hint: Some("put the inner one into a group: (?:a*)*"),
                });
            }
            Before::Atom => {}
        }
        // Laziness does not change whether there is a match.
        if self.rest.starts_with('?') {
            self.bump(1);
        }
        self.last = self.last.saturating_mul(times.max(1));
        if self.last > MOST_REPEATS {
            return Err(PatternError {
                reason: format!("more than {MOST_REPEATS} repetitions"),
                hint: Some("repetitions inside of each other are multiplied"),
            });
        }
        self.count(self.last);
        // Behind flags, what is repeated may be a repetition: another operator right behind it would mean something else.
        match self.flags_at {
            Some(at) => {
                self.out.insert_str(at, &format!("){operator}"));
                self.out.insert_str(self.start, "(?:");
                self.flags_at = Some(at + operator.len() + "(?:)".len());
            }
            None => self.out.push_str(operator),
        }
        self.before = Before::Repeated;
        Ok(())
    }

    fn repeat_counted(&mut self, counted: &Counted) -> Result<(), PatternError> {
        let operator = self.bump(counted.length);
        let most = counted.most.unwrap_or(counted.least);
        if counted.least > MOST_REPEATS || most > MOST_REPEATS || most < counted.least {
            return Err(error(format!("`{operator}` is not a number of repetitions that RE2 takes (at most 1000)")));
        }
        self.repeat(operator, most)
    }

    fn escape(&mut self) -> Result<(), PatternError> {
        if let Some(quoted) = self.rest.strip_prefix(r"\Q") {
            let (text, rest) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
            self.rest = rest;
            text.chars().for_each(|character| self.character(character));
            return Ok(());
        }
        let simple = match self.rest.as_bytes().get(1) {
            Some(b'A') => Some(r"\A"),
            Some(b'z') => Some(r"\z"),
            Some(b'b') => Some(r"(?-u:\b)"),
            Some(b'B') => Some(r"(?-u:\B)"),
            Some(b'C') => Some("(?s-u:.)"),
            _ => None,
        };
        if let Some(simple) = simple {
            self.bump(2);
            self.atom(simple);
            return Ok(());
        }
        if let Some((class, rest)) = class::group(self.rest)? {
            self.rest = rest;
            self.atom(&format!("[{class}]"));
            return Ok(());
        }
        let (character, rest) = class::escaped(self.rest)?;
        self.rest = rest;
        let mut text = String::new();
        push_character(&mut text, character);
        self.atom(&text);
        Ok(())
    }
}

/// The flags `set` as the crate `regex` wants them, or nothing if they are not RE2's.
fn flags(set: &str) -> Option<String> {
    let mut values: Vec<(char, bool)> = vec![];
    let (mut on, mut seen) = (true, false);
    for flag in set.chars() {
        match flag {
            '-' if on => (on, seen) = (false, false),
            'i' | 'm' | 's' | 'U' => {
                seen = true;
                values.retain(|(known, _)| *known != flag);
                values.push((flag, on));
            }
            _ => return None,
        }
    }
    if !on && !seen {
        return None;
    }
    // Greed does not change whether there is a match.
    let of =
        |wanted: bool| values.iter().filter(move |(flag, on)| *on == wanted && *flag != 'U').map(|(flag, _)| *flag);
    let (set, unset): (String, String) = (of(true).collect(), of(false).collect());
    Some(if unset.is_empty() { set } else { format!("{set}-{unset}") })
}

/// `{n}`, `{n,}` or `{n,m}`.
struct Counted {
    least: u32,
    /// Nothing if there is no bound.
    most: Option<u32>,
    length: usize,
}

/// The counted repetition that a text begins with; anything else that begins with `{` stands for itself.
fn counted(text: &str) -> Option<Counted> {
    let inside = text.strip_prefix('{')?;
    let (inside, _) = inside.split_once('}')?;
    let number = |digits: &str| {
        let leading_zero = digits.len() > 1 && digits.starts_with('0');
        let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && !leading_zero;
        valid.then(|| digits.parse().unwrap_or(u32::MAX))
    };
    let (least, most) = match inside.split_once(',') {
        None => (number(inside)?, Some(number(inside)?)),
        Some((least, "")) => (number(least)?, None),
        Some((least, most)) => (number(least)?, Some(number(most)?)),
    };
    Some(Counted { least, most, length: inside.len() + 2 })
}

/// Writes a character so that it stands for itself, in a class or outside.
fn push_character(out: &mut String, character: u32) {
    match char::from_u32(character) {
        Some(c) if c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii() => out.push(c),
        Some(_) => {
            let _ = write!(out, "\\x{{{character:X}}}");
        }
        // Surrogates are in no text.
        None => out.push_str(r"[^\x{0}-\x{10FFFF}]"),
    }
}

#[cfg(test)]
mod tests;
