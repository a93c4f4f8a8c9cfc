//! What is wrong with one line, and in which of its fields.

use std::fmt;

/// The result of reading a piece of a line. The fault is boxed: it is rare and large.
pub(crate) type Read<T> = Result<T, Box<Fault>>;

/// A step on the way from the line's object to the faulty value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    Index(usize),
}

/// A reason and the path of the field it belongs to. The path is collected while the fault travels outwards, so that
/// reading a good line costs nothing for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    reason: String,
    /// Innermost step first.
    path: Vec<Step>,
}

impl Fault {
    /// A fault at the value being read.
    pub(crate) fn new(reason: impl Into<String>) -> Box<Fault> {
        Box::new(Fault { reason: reason.into(), path: Vec::new() })
    }

    /// The value being read is the member `name` of an object.
    pub(crate) fn in_field(mut self: Box<Self>, name: &str) -> Box<Fault> {
        self.path.push(Step::Field(shorten(name)));
        self
    }

    /// The value being read is element `index` of a list.
    pub(crate) fn at_index(mut self: Box<Self>, index: usize) -> Box<Fault> {
        self.path.push(Step::Index(index));
        self
    }

    /// What is wrong, without the place.
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    /// The place as `metrics[2].steps`, or `None` for the line as a whole.
    pub(crate) fn field(&self) -> Option<String> {
        if self.path.is_empty() {
            return None;
        }
        let mut text = String::new();
        for step in self.path.iter().rev() {
            match step {
                Step::Field(name) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(name);
                }
                Step::Index(index) => text.push_str(&format!("[{index}]")),
            }
            // Deeply nested faults (brackets in brackets) need not fill the screen.
            if text.len() > 200 {
                text.push('…');
                break;
            }
        }
        Some(text)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field() {
            Some(field) => write!(f, "field `{field}`: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

/// The head of a text that may be megabytes long, for messages and examples.
pub(crate) fn shorten(text: &str) -> String {
    const LIMIT: usize = 60;
    match text.char_indices().nth(LIMIT) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_reads_from_outside_to_inside() {
        let fault = Fault::new("expected integers, got text").in_field("steps").at_index(2).in_field("metrics");
        assert_eq!(fault.to_string(), "field `metrics[2].steps`: expected integers, got text");
        assert_eq!(Fault::new("not JSON").to_string(), "not JSON");
    }

    #[test]
    fn long_names_are_shortened() {
        let fault = Fault::new("x").in_field(&"ä".repeat(1000));
        assert!(fault.to_string().chars().count() < 100);
    }
}
