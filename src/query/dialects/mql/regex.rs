//! Regular expressions of PostgreSQL, in the syntax of the crate `regex`.
//!
//! Both search anywhere in a text and know Unicode; they differ in a few escapes and in what the POSIX classes cover.

use crate::diagnostic::{Diagnostic, Kind};
use crate::span::Span;

/// Largest compiled form in bytes.
const SIZE_LIMIT: usize = 4 << 20;

/// How an expression is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) any_case: bool,
    /// Whether `.` and negated classes match line breaks.
    pub(super) newlines: bool,
}

/// Translates an expression and makes sure that it can be used.
pub(super) fn translate(pattern: &str, flags: Flags, span: Span) -> Result<String, Diagnostic> {
    let mut out = String::with_capacity(pattern.len() + 8);
    match (flags.any_case, flags.newlines) {
        (true, true) => out.push_str("(?is)"),
        (true, false) => out.push_str("(?i)"),
        (false, true) => out.push_str("(?s)"),
        (false, false) => {}
    }
    let mut chars = pattern.chars().peekable();
    let mut bracket = false;
    let mut bracket_start = false;
    while let Some(c) = chars.next() {
        let begins = std::mem::take(&mut bracket_start);
        match c {
            '\\' => match chars.next() {
                Some('y') => out.push_str(r"\b"),
                Some('Y') => out.push_str(r"\B"),
                Some('m') => out.push_str(r"\b{start}"),
                Some('M') => out.push_str(r"\b{end}"),
                Some('Z') => out.push_str(r"\z"),
                Some('e') => out.push_str(r"\x1b"),
                Some(digit @ '1'..='9') => {
                    let message = format!("\\{digit} refers back to a group, which is not supported");
                    return Err(Diagnostic::error(Kind::Regex, message).label(span, ""));
                }
                Some(c @ ('d' | 'D' | 'w' | 'W' | 's' | 'S' | 'A' | 'n' | 't' | 'r' | 'f' | 'v' | 'a' | 'x' | 'u')) => {
                    out.push('\\');
                    out.push(c);
                }
                // Of any other character it takes away the meaning.
                Some(c) => out.push_str(&regex::escape(&c.to_string())),
                None => out.push('\\'),
            },
            '[' if bracket && chars.peek() == Some(&':') => {
                let rest: String = chars.clone().skip(1).collect();
                let name = rest.split_once(":]").map(|(name, _)| name.to_owned());
                match name.as_deref().and_then(class) {
                    Some(set) => {
                        out.push_str(set);
                        (0..name.unwrap_or_default().chars().count() + 3).for_each(|_| _ = chars.next());
                    }
                    None => out.push_str(r"\["),
                }
            }
            '[' if bracket => out.push_str(r"\["),
            '[' => {
                bracket = true;
                bracket_start = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
            }
            ']' if begins => out.push_str(r"\]"),
            ']' if bracket => {
                bracket = false;
                out.push(']');
            }
            // The crate has operators on sets where others have plain characters.
            '&' | '~' if bracket => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    match regex::RegexBuilder::new(&out).size_limit(SIZE_LIMIT).build() {
        Ok(_) => Ok(out),
        Err(regex::Error::CompiledTooBig(_)) => {
            Err(Diagnostic::error(Kind::Regex, "the regular expression is too large").label(span, ""))
        }
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(Diagnostic::error(Kind::Regex, format!("not a regular expression: {reason}")).label(span, ""))
        }
    }
}

/// What a POSIX class covers, for the inside of brackets.
fn class(name: &str) -> Option<&'static str> {
    Some(match name {
        "alpha" => r"\p{Alphabetic}",
        "alnum" => r"\p{Alphabetic}\p{Nd}",
        "upper" => r"\p{Lu}",
        "lower" => r"\p{Ll}",
        "digit" => r"\d",
        "xdigit" => "0-9A-Fa-f",
        "space" => r"\s",
        "blank" => r" \t",
        "punct" => r"\p{P}\p{S}",
        "cntrl" => r"\p{Cc}",
        "print" => r"\P{C}",
        "graph" => r"\p{L}\p{M}\p{N}\p{P}\p{S}",
        "word" => r"\w",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str) -> bool {
        let flags = Flags { any_case: false, newlines: false };
        regex::Regex::new(&translate(pattern, flags, Span::default()).unwrap()).unwrap().is_match(text)
    }

    #[test]
    fn flavours() {
        assert!(found("^[[:alpha:]]+$", "straße") && found("^[[:alpha:]_]+$", "a_b") && !found("^[[:alpha:]]$", "1"));
        assert!(found(r"\ybeam\y", "a beam b") && found("[]x]", "]") && found("a[.]b", "a.b") && found("[&~[]", "&"));
        assert!(!found("a.b", "a\nb") && found(r"\@", "@"));
        let flags = Flags { any_case: false, newlines: true };
        assert!(
            translate("(", flags, Span::default()).is_err() && translate(r"(a)\1", flags, Span::default()).is_err()
        );
    }
}
