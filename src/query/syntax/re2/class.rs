//! Sets of characters: `[a-z\d[:alpha:]]`, `\d`, `\p{Greek}`, and escaped characters.

use super::names::{CATEGORIES, SCRIPTS};
use super::{PatternError, error, push_character};

/// Reader of bracketed classes.
pub(super) struct Class;

/// ASCII classes in brackets; the crate `regex` has the same ones.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

impl Class {
    /// The class that `text` begins with, and what follows.
    ///
    /// ```ebnf
    /// class = "[" , [ "^" ] , item , { item } , "]" ;      (* a "]" right at the beginning is an item *)
    /// item  = "[:" , [ "^" ] , name , ":]" | group | character , [ "-" , character ] ;
    /// ```
    pub(super) fn parse(text: &str) -> Result<(String, &str), PatternError> {
        let unclosed = || error("a `[` is not closed");
        let mut rest = text.strip_prefix('[').unwrap_or(text);
        let mut out = String::from("[");
        if let Some(negated) = rest.strip_prefix('^') {
            out.push('^');
            rest = negated;
        }
        let mut first = true;
        let mut empty = true;
        while first || !rest.starts_with(']') {
            first = false;
            if rest.is_empty() {
                return Err(unclosed());
            }
            if let Some(after) = posix(rest, &mut out)? {
                rest = after;
                empty = false;
                continue;
            }
            if let Some((group, after)) = group(rest)? {
                out.push_str(&group);
                rest = after;
                empty = false;
                continue;
            }
            let (least, after) = character(rest)?;
            rest = after;
            let mut greatest = least;
            if let Some(after) = rest.strip_prefix('-')
                && !after.starts_with(']')
                && !after.is_empty()
            {
                (greatest, rest) = character(after)?;
                if greatest < least {
                    let range = text.get(..text.len() - rest.len()).unwrap_or_default();
                    return Err(error(format!("the range at the end of `{range}` is upside down")));
                }
            }
            empty &= !push_range(&mut out, least, greatest);
        }
        // Only surrogates, which are in no text.
        if empty {
            out.push_str(r"[^\x{0}-\x{10FFFF}]");
        }
        out.push(']');
        Ok((out, rest.strip_prefix(']').ok_or_else(unclosed)?))
    }
}

/// Writes a range without surrogates; whether anything is left of it.
fn push_range(out: &mut String, least: u32, greatest: u32) -> bool {
    let surrogate = |c: u32| (0xD800..0xE000).contains(&c);
    let least = if surrogate(least) { 0xE000 } else { least };
    let greatest = if surrogate(greatest) { 0xD7FF } else { greatest };
    if least > greatest {
        return false;
    }
    push_character(out, least);
    if greatest > least {
        out.push('-');
        push_character(out, greatest);
    }
    true
}

/// Writes the ASCII class that `text` begins with and gives what follows; nothing if it begins with none.
fn posix<'t>(text: &'t str, out: &mut String) -> Result<Option<&'t str>, PatternError> {
    let Some((name, rest)) = text.strip_prefix("[:").and_then(|inside| inside.split_once(":]")) else {
        return Ok(None);
    };
    if !POSIX.contains(&name.strip_prefix('^').unwrap_or(name)) {
        return Err(error(format!("there is no class `[:{name}:]`")));
    }
    out.push_str("[:");
    out.push_str(name);
    out.push_str(":]");
    Ok(Some(rest))
}

/// The items of the group of characters (`\d`, `\PN`, `\p{^Greek}` …) that `text` begins with, to be put into brackets, and
/// what follows; nothing if it begins with none.
pub(super) fn group(text: &str) -> Result<Option<(String, &str)>, PatternError> {
    let Some(letter) = text.strip_prefix('\\').and_then(|escape| escape.chars().next()) else { return Ok(None) };
    let items = match letter {
        'd' => "0-9",
        'D' => "[^0-9]",
        's' => r"\t\n\x{C}\r\x{20}",
        'S' => r"[^\t\n\x{C}\r\x{20}]",
        'w' => "0-9A-Za-z_",
        'W' => "[^0-9A-Za-z_]",
        'p' | 'P' => return unicode(text, letter == 'P').map(Some),
        _ => return Ok(None),
    };
    Ok(Some((items.to_owned(), text.get(2..).unwrap_or_default())))
}

/// ```ebnf
/// unicode = ( "\p" | "\P" ) , ( letter | "{" , [ "^" ] , name , "}" ) ;
/// ```
fn unicode(text: &str, negated: bool) -> Result<(String, &str), PatternError> {
    let inside = text.get(2..).unwrap_or_default();
    let unclosed = || error(format!("`{}` needs the name of a category or script", text.get(..2).unwrap_or_default()));
    let (name, rest) = match inside.strip_prefix('{') {
        Some(braced) => braced.split_once('}').ok_or_else(unclosed)?,
        None => {
            let letter = inside.chars().next().ok_or_else(unclosed)?;
            inside.split_at(letter.len_utf8())
        }
    };
    let (name, negated) = name.strip_prefix('^').map_or((name, negated), |name| (name, !negated));
    let items = match name {
        "Any" => r"\x{0}-\x{10FFFF}".to_owned(),
        // All but what is unassigned.
        "C" => r"\p{Cc}\p{Cf}\p{Co}".to_owned(),
        "Cs" => r"[^\x{0}-\x{10FFFF}]".to_owned(),
        _ if CATEGORIES.contains(&name) => format!("\\p{{{name}}}"),
        _ if SCRIPTS.contains(&name) => format!("\\p{{sc={name}}}"),
        _ => {
            return Err(PatternError {
                reason: format!("there is no category or script `{name}`"),
                hint: Some("names are spelled as in \\p{Lu} and \\p{Greek}"),
            });
        }
    };
    Ok((if negated { format!("[^{items}]") } else { items }, rest))
}

/// The character that `text` begins with, escaped or not, and what follows.
fn character(text: &str) -> Result<(u32, &str), PatternError> {
    if text.starts_with('\\') {
        return escaped(text);
    }
    let next = text.chars().next().ok_or_else(|| error("a `[` is not closed"))?;
    Ok((u32::from(next), text.get(next.len_utf8()..).unwrap_or_default()))
}

/// The escaped character that `text` begins with, and what follows.
///
/// ```ebnf
/// escaped = "\" , ( punctuation | "a" | "f" | "n" | "r" | "t" | "v" | octal | hex ) ;
/// octal   = "0" , [ o , [ o ] ] | o1 , o , [ o ] ;       (* a single digit 1–9 would be a back-reference *)
/// hex     = "x" , ( h , h | "{" , h , { h } , "}" ) ;
/// ```
pub(super) fn escaped(text: &str) -> Result<(u32, &str), PatternError> {
    let escape = text.strip_prefix('\\').unwrap_or(text);
    let Some(letter) = escape.chars().next() else { return Err(error("the pattern ends with a single `\\`")) };
    let rest = escape.get(letter.len_utf8()..).unwrap_or_default();
    let wrong = || error(format!("RE2 has no escape `\\{letter}`"));
    let code = match letter {
        'a' => 7,
        'f' => 12,
        'n' => 10,
        'r' => 13,
        't' => 9,
        'v' => 11,
        '0'..='7' => {
            let octal = |digit: &u8| (b'0'..=b'7').contains(digit);
            let following = rest.bytes().take_while(octal).take(2).count();
            if letter != '0' && following == 0 {
                return Err(back_reference(letter));
            }
            let digits = escape.get(..=following).unwrap_or_default();
            let code = u32::from_str_radix(digits, 8).map_err(|_| wrong())?;
            return Ok((code, escape.get(1 + following..).unwrap_or_default()));
        }
        '8' | '9' => return Err(back_reference(letter)),
        'x' => return hex(rest),
        _ if letter.is_ascii() && !letter.is_ascii_alphanumeric() => u32::from(letter),
        _ => return Err(wrong()),
    };
    Ok((code, rest))
}

fn back_reference(digit: char) -> PatternError {
    PatternError {
        reason: format!("`\\{digit}`: there are no back-references in RE2"),
        hint: Some("patterns are RE2's, which match in linear time"),
    }
}

fn hex(text: &str) -> Result<(u32, &str), PatternError> {
    let wrong = || error("`\\x` needs two hexadecimal digits, or some in braces");
    let (digits, rest) = match text.strip_prefix('{') {
        Some(braced) => braced.split_once('}').ok_or_else(wrong)?,
        None => text.split_at_checked(2).ok_or_else(wrong)?,
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let code = u32::from_str_radix(digits, 16).ok().filter(|code| *code <= 0x10_FFFF);
    Ok((code.ok_or_else(|| error(format!("`\\x{{{digits}}}` is beyond the last character")))?, rest))
}
