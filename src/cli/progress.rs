//! How far things are, on a terminal.

use crate::talk::Talk;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use lakeql_lake::ingest;
use std::time::Duration;

const IMPORT: &str = "{spinner} {binary_bytes} of {binary_total_bytes} {wide_bar} {binary_bytes_per_sec} {msg}";

/// A line on stderr that disappears at the end; nothing where nobody watches.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar for an import: bytes, rate, runs.
    pub(crate) fn import(talk: Talk) -> Self {
        Self::new(talk, IMPORT)
    }

    /// A spinner for work of unknown length.
    pub(crate) fn spinner(talk: Talk, message: &'static str) -> Self {
        let progress = Self::new(talk, "{spinner} {msg} {elapsed}");
        progress.0.set_message(message);
        progress
    }

    fn new(talk: Talk, template: &str) -> Self {
        if !talk.shows_progress() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// Moves the bar of an import.
    pub(crate) fn update(&self, now: ingest::Progress) {
        self.0.set_length(now.bytes_total);
        self.0.set_position(now.bytes_read);
        let mut message = format!("{} runs", HumanCount(now.runs));
        if now.bad > 0 {
            message.push_str(&format!(", {} bad", HumanCount(now.bad)));
        }
        if now.finishing {
            message.push_str(", writing");
        }
        self.0.set_message(message);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
