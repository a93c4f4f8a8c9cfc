//! Expected values are RE2's documented rules.

use super::*;

fn finds(pattern: &str, text: &str) -> bool {
    let regex = translate(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    regex::bytes::Regex::new(&regex).unwrap().is_match(text.as_bytes())
}

#[test]
fn matches_are_found_anywhere() {
    for (pattern, text) in [
        ("", ""),
        ("", "anything"),
        ("alpha_1", "test_alpha_1"),
        ("^vgg16$", "vgg16"),
        ("a.b", "aéb"),
        (r"a\.b", "a.b"),
        (r"\d{2,3}x", "a123x"),
        (r"\w+\s\w+", "a b"),
        ("(?i)ADAM", "adam"),
        ("(?i:A)b", "ab"),
        ("(?P<name>a)(?<other>b)", "ab"),
        ("(?s)a.b", "a\nb"),
        ("(?m)^b$", "a\nb\nc"),
        ("(?i-s:A.)", "ab"),
        ("(?U)a+", "a"),
        ("(?)a", "a"),
        ("(?ii)A", "a"),
        ("a||b", "zzz"),
        ("()", ""),
        ("x{2}", "xx"),
        ("a{,2}", "a{,2}"),
        ("a{01}", "a{01}"),
        ("a{", "a{"),
        ("}", "}"),
        ("]", "]"),
        ("[]a]", "]"),
        ("[^]a]", "b"),
        ("[a-c-e]", "-"),
        ("[-a]", "-"),
        ("[a-]", "-"),
        ("[a&&b]", "&"),
        ("[[a]", "["),
        (r"[\]\\]", r"\"),
        ("[^a]", "\n"),
        ("[[:alpha:]_]+$", "_ab"),
        ("[[:^digit:]]", "a"),
        ("[[:word:]]", "_"),
        (r"[\d\-x]", "-"),
        (r"\pL\p{Lu}\p{Greek}", "żŻλ"),
        (r"\PN\p{^Lu}\P{^Greek}", "aaλ"),
        (r"[\p{Greek}\PL]", "1"),
        (r"\p{Any}", "x"),
        (r"\Qa.b*\E+", "a.b**"),
        (r"\Q\E", ""),
        (r"\Qa\b", r"a\b"),
        (r"\x41\x{1F422}\101\07", "A🐢A\u{7}"),
        (r"\a\f\n\r\t\v", "\u{7}\u{c}\n\r\t\u{b}"),
        (r"\<\>\_[\_]", "<>__"),
        ("(?P<n>a)(?P<n>b)", "ab"),
        // Behind flags an operator repeats the repetition before them.
        ("^(?:a{2,3}(?i)?b)$", "b"),
        ("^a+(?i)*(?s)?b$", "aaB"),
        ("^(x(a|b){2})(?i){2}$", "xabxba"),
        (r"\/\-\ \#\%", "/- #%"),
        (r"a\z", "ba"),
        (r"\Aa", "ab"),
        (r"é\b", "éa"),
        (r"^\C\C$", "é"),
        ("^*a", "a"),
        ("a(?i)*b", "B"),
        ("(?:a*)*", ""),
        ("a*?b+?c??d{2}?", "bdd"),
        ("((x{7}){11}){12}", &"x".repeat(924)),
        ("(?i)k", "\u{212a}"),
        (r"(?i)\w", "\u{17f}"),
    ] {
        assert!(finds(pattern, text), "{pattern} in {text:?}");
    }
}

#[test]
fn what_does_not_match() {
    for (pattern, text) in [
        (r"\w", "é"),
        (r"\d", "٣"),
        (r"\s", "\u{b}\u{a0}"),
        (r"\bé", "a é"),
        ("a.b", "a\nb"),
        ("^b", "a\nb"),
        ("a$", "a\n"),
        ("[[:alpha:]]", "é"),
        (r"\p{C}", "\u{378}"),
        (r"\p{Cs}", "a"),
        (r"\x{D800}", "a"),
        (r"[\x{D800}-\x{DFFF}]", "\u{d7ff}\u{e000}"),
        ("resnet", "ResNet"),
        (r"[^\x00-\x{10FFFF}]", "a"),
        (r"\Qa.b\E", "axb"),
        (r"^\C$", "é"),
    ] {
        assert!(!finds(pattern, text), "{pattern} in {text:?}");
    }
}

#[test]
fn what_re2_refuses() {
    for pattern in [
        "(",
        ")",
        "(a",
        "(a|b",
        "a)",
        "[a-z",
        "([a-z)",
        "x{1001}",
        "a{100000}",
        "a{100000,}",
        "x{2,1}",
        "(((x{7}){11}){13})",
        "((((((((((x{2}){2}){2}){2}){2}){2}){2}){2}){2}){2})",
        "(?P<name>a",
        "(?P<name>",
        "(?P<name",
        "(?P<x y>a)",
        "(?P<>a)",
        "(?P=n)",
        "(?P>n)",
        "[a-Z]",
        "(?i)[a-Z]",
        r"\Q\E*",
        "a**",
        "a++",
        "a?*",
        "a*+",
        "a{1}*",
        "*a",
        "a|*",
        "(*)",
        "+",
        "?",
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        "(?<!a)",
        "(?>a)",
        "(?#comment)",
        "(?|a)",
        "(?R)",
        "(?1)",
        "(?x)a",
        "(?u)a",
        "(?i-)a",
        "(?-)a",
        "(?--i)a",
        "(?i",
        "(?",
        r"(a)\1",
        r"\8",
        r"\9",
        r"\Z",
        r"\G",
        r"\K",
        r"\R",
        r"\X",
        r"\h",
        r"\N",
        r"\e",
        r"\cA",
        r"\u0041",
        r"\U00000041",
        r"\y",
        r"\E",
        r"\é",
        "\\",
        r"\x",
        r"\x4",
        r"\xZZ",
        r"\x{}",
        r"\x{110000}",
        r"\p",
        r"\p{",
        r"\p{greek}",
        r"\p{GREEK}",
        r"\p{Grek}",
        r"\p{Alphabetic}",
        r"\p{sc=Greek}",
        r"\p{Cn}",
        r"\pX",
        "[[:foo:]]",
        "[[:Alpha:]]",
        r"[\b]",
        r"[a-\d]",
        r"[\Z]",
        "[z-a]",
        "[]",
        "[^]",
        "[a",
        r"[a\",
    ] {
        assert!(translate(pattern).is_err(), "{pattern} is accepted as {:?}", translate(pattern));
    }
}

#[test]
fn absurd_patterns_end() {
    assert!(translate(&"(".repeat(100_000)).is_err());
    assert!(translate(&format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000))).is_err());
    assert!(translate(&format!("{}a{}", "(".repeat(150), ")".repeat(150))).is_ok());
    assert!(translate(&"a(?i)*".repeat(5_000)).is_ok());
    assert!(translate(&"|".repeat(10_000)).is_ok());
    assert!(translate(r"(\pL{500}){2}\pL{1000}\pL{1000}\pL{1000}\pL{1000}").is_err());
}

/// Whatever is read as a pattern is one: a translation that the crate refuses would be our mistake.
#[test]
fn translations_are_valid() {
    let pieces = [
        "a",
        "é",
        "(",
        ")",
        "(?:",
        "(?i)",
        "(?s-m:",
        "|",
        "*",
        "+?",
        "{2}",
        "{",
        "}",
        "[",
        "]",
        "^",
        "-",
        "[^",
        "[:alpha:]",
        "&&",
        "~~",
        "[a-c]",
        r"\d",
        r"\W",
        r"\pL",
        r"\P{^Greek}",
        r"\C",
        r"\b",
        r"\B",
        r"\x{D800}",
        r"\Q",
        r"\E",
        r"\.",
        r"\0",
        ".",
        "$",
        "#",
        " ",
        r"\z",
        "(?P<n>",
    ];
    let mut seed = 3_u64;
    let mut accepted = 0;
    for _ in 0..4_000 {
        let mut pattern = String::new();
        for _ in 0..6 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            pattern.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
        }
        match translate(&pattern) {
            Ok(_) => accepted += 1,
            Err(error) => assert_ne!(error.reason, "the pattern cannot be used", "{pattern}"),
        }
    }
    assert!(accepted > 400, "{accepted}");
}
