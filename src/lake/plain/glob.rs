//! Patterns of file names: `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, and `**` for folders at any depth.

use regex::Regex;

/// Most patterns that braces may stand for.
const MOST_ALTERNATIVES: usize = 1_000;

/// One folder or file name of a pattern.
#[derive(Clone, Debug)]
pub(super) enum Segment {
    /// A name as it is.
    Literal(String),
    /// Names that match.
    Names(Regex),
    /// `**`: any number of folders, none included.
    Folders,
}

/// Whether a text has any of the characters that make it a pattern.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// All patterns without braces that a pattern with braces stands for, in the order in which they are written.
///
/// # Errors
/// A brace without its partner, or more than a thousand alternatives.
pub(super) fn without_braces(pattern: &str) -> Result<Vec<String>, String> {
    let (mut done, mut open) = (vec![], vec![pattern.to_owned()]);
    while let Some(text) = open.pop() {
        let Some((start, end)) = innermost(&text)? else {
            done.push(text);
            continue;
        };
        let (before, rest) = text.split_at(start);
        let (inside, after) = rest.split_at(end - start);
        let inside = inside.get(1..).unwrap_or_default();
        let after = after.get(1..).unwrap_or_default();
        // The last one is taken first.
        open.extend(inside.split(',').rev().map(|choice| format!("{before}{choice}{after}")));
        if open.len() + done.len() > MOST_ALTERNATIVES {
            return Err(format!("its braces stand for more than {MOST_ALTERNATIVES} patterns"));
        }
    }
    Ok(done)
}

/// The first pair of braces without braces between them: places of `{` and `}`.
fn innermost(text: &str) -> Result<Option<(usize, usize)>, String> {
    let mut start = None;
    for (at, c) in text.char_indices() {
        match (c, start) {
            ('{', _) => start = Some(at),
            ('}', Some(start)) => return Ok(Some((start, at))),
            ('}', None) => return Err("a `}` has no `{`".to_owned()),
            _ => {}
        }
    }
    if start.is_some() { Err("a `{` has no `}`".to_owned()) } else { Ok(None) }
}

/// The names of a pattern without braces.
///
/// # Errors
/// A bracket without its partner, or `**` that is not a name of its own.
pub(super) fn segments(pattern: &str) -> Result<Vec<Segment>, String> {
    pattern.split('/').filter(|name| !name.is_empty() && *name != ".").map(segment).collect()
}

fn segment(name: &str) -> Result<Segment, String> {
    if name == "**" {
        return Ok(Segment::Folders);
    }
    if name.contains("**") {
        return Err("`**` stands for folders and needs slashes around it, as in `data/**/*.parquet`".to_owned());
    }
    if !is_pattern(name) {
        return Ok(Segment::Literal(name.to_owned()));
    }
    let mut regex = String::from("^");
    // What is hidden stays hidden from `*` and `?`.
    if name.starts_with(['*', '?']) {
        regex.push_str("[^.]");
        if name.starts_with('*') {
            regex.push_str(".*");
        }
    }
    let mut chars = name.chars();
    if name.starts_with(['*', '?']) {
        chars.next();
    }
    while let Some(c) = chars.next() {
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => regex.push_str(&class(&mut chars)?),
            other => regex.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push('$');
    let built = regex::RegexBuilder::new(&regex).dot_matches_new_line(true).build();
    built.map(Segment::Names).map_err(|_| format!("`{name}` has a wrong pair of brackets"))
}

/// The class that follows a `[`.
fn class(chars: &mut std::str::Chars<'_>) -> Result<String, String> {
    let mut class = String::from("[");
    let mut first = true;
    for c in chars.by_ref() {
        match c {
            '!' | '^' if class == "[" => class.push('^'),
            ']' if !first => {
                class.push(']');
                return Ok(class);
            }
            '-' => {
                class.push('-');
                first = false;
            }
            other => {
                class.push_str(&regex::escape(other.encode_utf8(&mut [0; 4])));
                first = false;
            }
        }
    }
    Err("a `[` has no `]`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        match segment(pattern).unwrap() {
            Segment::Literal(text) => text == name,
            Segment::Names(regex) => regex.is_match(name),
            Segment::Folders => true,
        }
    }

    #[test]
    fn names_match_patterns() {
        for (pattern, good, bad) in [
            ("*.parquet", &["a.parquet", "ü b.parquet"][..], &["a.parquet.tmp", ".a.parquet", "a_parquet"][..]),
            ("part-?", &["part-1", "part-ü"], &["part-", "part-12"]),
            ("a[0-9]", &["a0", "a9"], &["aa", "a"]),
            ("a[!0-9]", &["aa"], &["a0"]),
            ("a[]x]", &["a]", "ax"], &["ay"]),
            ("a.b+(c)*", &["a.b+(c)d"], &["aXb+(c)d"]),
            ("?.parquet", &["a.parquet"], &[".parquet"]),
            ("*", &["a", "ab"], &[".a"]),
            (".*", &[".a"], &["a"]),
        ] {
            for name in good {
                assert!(matches(pattern, name), "{pattern} {name}");
            }
            for name in bad {
                assert!(!matches(pattern, name), "{pattern} {name}");
            }
        }
    }

    #[test]
    fn braces_are_alternatives() {
        assert_eq!(without_braces("a/{b,c/d}/*.{x,y}").unwrap(), ["a/b/*.x", "a/b/*.y", "a/c/d/*.x", "a/c/d/*.y"]);
        assert_eq!(without_braces("{a,{b,c}d}").unwrap(), ["a", "bd", "a", "cd"]);
        assert_eq!(without_braces("plain").unwrap(), ["plain"]);
        for wrong in ["{a", "a}", "{a}}", "a}{"] {
            assert!(without_braces(wrong).is_err(), "{wrong}");
        }
        assert!(without_braces(&"{a,b}".repeat(60)).is_err());
    }

    #[test]
    fn wrong_patterns_are_refused() {
        for wrong in ["a**", "[", "a[b", "[z-a]"] {
            assert!(segments(wrong).is_err(), "{wrong}");
        }
        assert!(matches!(
            segments("a/**/b").unwrap().as_slice(),
            [Segment::Literal(_), Segment::Folders, Segment::Literal(_)]
        ));
    }
}
