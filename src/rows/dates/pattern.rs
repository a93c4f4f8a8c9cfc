//! Patterns: `yyMMdd`, `yyyy-MM-dd'T'HH:mm`.

/// Longest pattern.
const LONGEST: usize = 1000;

/// A pattern, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pub(super) tokens: Vec<Token>,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Literal(String),
    /// A letter, so many times.
    Field(Field, usize),
}

/// What a letter stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Era,
    Century,
    YearOfEra,
    WeekYear,
    Week,
    WeekdayNumber,
    Weekday,
    Year,
    DayOfYear,
    Month,
    Day,
    HalfDay,
    HourOfHalfDay,
    ClockHourOfHalfDay,
    Hour,
    ClockHour,
    Minute,
    Second,
    Fraction,
    ZoneName,
    Offset,
}

impl Token {
    /// Whether it is written in digits.
    pub(super) fn is_number(&self) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Field(Field::Month, count) => *count <= 2,
            Self::Field(field, _) => {
                !matches!(field, Field::Era | Field::Weekday | Field::HalfDay | Field::ZoneName | Field::Offset)
            }
        }
    }
}

impl Pattern {
    /// Reads a pattern: letters are fields, `'…'` is text, `''` a quote, everything else stands for itself.
    ///
    /// # Errors
    /// A letter that stands for nothing, a quote that is not closed.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("a pattern has at most {LONGEST} bytes"));
        }
        if text.is_empty() {
            return Err("the pattern is empty".into());
        }
        let mut tokens: Vec<Token> = vec![];
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c.is_ascii_alphabetic() {
                let mut count = 1;
                while chars.next_if_eq(&c).is_some() {
                    count += 1;
                }
                let field = field(c).ok_or_else(|| format!("`{c}` stands for nothing in a pattern"))?;
                tokens.push(Token::Field(field, count));
                continue;
            }
            let mut literal = String::new();
            if c != '\'' {
                literal.push(c);
            } else if chars.next_if_eq(&'\'').is_some() {
                literal.push('\'');
            } else {
                loop {
                    match chars.next() {
                        None => return Err("a quote in the pattern is not closed".into()),
                        Some('\'') if chars.next_if_eq(&'\'').is_some() => literal.push('\''),
                        Some('\'') => break,
                        Some(other) => literal.push(other),
                    }
                }
            }
            tokens.push(Token::Literal(literal));
        }
        Ok(Self { tokens })
    }
}

fn field(letter: char) -> Option<Field> {
    Some(match letter {
        'G' => Field::Era,
        'C' => Field::Century,
        'Y' => Field::YearOfEra,
        'x' => Field::WeekYear,
        'w' => Field::Week,
        'e' => Field::WeekdayNumber,
        'E' => Field::Weekday,
        'y' => Field::Year,
        'D' => Field::DayOfYear,
        'M' => Field::Month,
        'd' => Field::Day,
        'a' => Field::HalfDay,
        'K' => Field::HourOfHalfDay,
        'h' => Field::ClockHourOfHalfDay,
        'H' => Field::Hour,
        'k' => Field::ClockHour,
        'm' => Field::Minute,
        's' => Field::Second,
        'S' => Field::Fraction,
        'z' => Field::ZoneName,
        'Z' => Field::Offset,
        _ => return None,
    })
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
