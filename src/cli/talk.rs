//! What is said on stderr.

use crate::args::{ErrorFormat, Global};
use crate::style;
use indicatif::HumanCount;
use lakeql_query::diagnostic::{self, Diagnostic, Severity};
use lakeql_query::source::Source;
use std::io::{IsTerminal, Write};

/// How to speak: quietly or not, to people or to programs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    quiet: bool,
    format: ErrorFormat,
}

impl Talk {
    pub(crate) fn new(global: &Global) -> Self {
        Self { quiet: global.quiet, format: global.error_format }
    }

    /// Something good to know. Programs, which read JSON from stderr, are not told.
    pub(crate) fn say(self, text: &str) {
        if !self.quiet && self.format == ErrorFormat::Human {
            print(text);
        }
    }

    /// What was found in a query: notes, unless it is to be quiet, and errors.
    pub(crate) fn report(self, found: &[Diagnostic], source: &Source) {
        for diagnostic in found {
            if self.quiet && diagnostic.severity == Severity::Note {
                continue;
            }
            match self.format {
                ErrorFormat::Human => print(&diagnostic::render(diagnostic, source, style::stderr())),
                ErrorFormat::Json => print(&diagnostic::to_json(diagnostic).to_string()),
            }
        }
    }

    /// Whether somebody watches who wants to see how far things are.
    pub(crate) fn shows_progress(self) -> bool {
        !self.quiet && self.format == ErrorFormat::Human && std::io::stderr().is_terminal()
    }
}

/// A closed stderr is no reason to stop.
fn print(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "{text}");
}

/// `1 run`, `1,203 runs`.
pub(crate) fn count(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", HumanCount(n), if n == 1 { "" } else { "s" })
}
