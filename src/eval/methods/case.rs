//! Upper and lower case, by Unicode's full mappings.

/// `str.casefold`: what lower case makes of upper case, with the few characters where folding is something else.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'ı' => out.push(c),
            'ẞ' => out.push_str("ss"),
            // Cherokee folds to upper case.
            '\u{13a0}'..='\u{13fd}' | '\u{ab70}'..='\u{abbf}' => out.extend(c.to_uppercase()),
            c => out.extend(c.to_uppercase().flat_map(char::to_lowercase)),
        }
    }
    out
}

/// A character at the beginning of a title's word.
fn titled(c: char, out: &mut String) {
    match c {
        'Ǆ'..='ǆ' => out.push('ǅ'),
        'Ǉ'..='ǉ' => out.push('ǈ'),
        'Ǌ'..='ǌ' => out.push('ǋ'),
        'Ǳ'..='ǳ' => out.push('ǲ'),
        'ŉ' => out.push_str("ʼN"),
        '\u{10d0}'..='\u{10ff}' => out.push(c),
        // Greek vowels with iota below have a title case of one character.
        '\u{1f80}'..='\u{1faf}' => out.extend(char::from_u32(c as u32 | 8)),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => out.extend(char::from_u32(c as u32 + 9)),
        c => {
            let mut upper = c.to_uppercase();
            out.extend(upper.next());
            out.extend(upper.flat_map(char::to_lowercase));
        }
    }
}

fn is_cased(c: char) -> bool {
    c.is_uppercase() || c.is_lowercase() || matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ')
}

/// `str.title`
pub(super) fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    let mut word = String::new();
    for c in text.chars() {
        if is_cased(c) {
            if inside {
                word.push(c)
            } else {
                titled(c, &mut out)
            }
            inside = true;
        } else {
            // Lower case depends on neighbours (the final sigma), so words are mapped whole.
            out.push_str(&word.to_lowercase());
            word.clear();
            out.push(c);
            inside = false;
        }
    }
    out.push_str(&word.to_lowercase());
    out
}

/// `str.capitalize`
pub(super) fn capitalize(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    if let Some(first) = chars.next() {
        titled(first, &mut out);
    }
    out.push_str(&chars.as_str().to_lowercase());
    out
}

/// `str.swapcase`
pub(super) fn swap(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_uppercase() {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
    }
    out
}

/// `str.isupper` or `str.islower`
pub(super) fn is_all(text: &str, upper: bool) -> bool {
    let mut any = false;
    for c in text.chars().filter(|c| is_cased(*c)) {
        if if upper { !c.is_uppercase() } else { !c.is_lowercase() } {
            return false;
        }
        any = true;
    }
    any
}

/// `str.istitle`
pub(super) fn is_title(text: &str) -> bool {
    let mut any = false;
    let mut inside = false;
    for c in text.chars() {
        if c.is_lowercase() {
            if !inside {
                return false;
            }
        } else if is_cased(c) {
            if inside {
                return false;
            }
            any = true;
        }
        inside = is_cased(c);
    }
    any
}
