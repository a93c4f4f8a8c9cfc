//! Colours: whether the streams get any.

use crate::args::ColorWhen;
use anstream::{AutoStream, ColorChoice};

/// Makes the user's choice the one of the whole process. Without one, `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`, `TERM`
/// and the kind of each stream decide.
pub(crate) fn choose(when: ColorWhen) {
    match when {
        ColorWhen::Auto => ColorChoice::Auto,
        ColorWhen::Always => ColorChoice::Always,
        ColorWhen::Never => ColorChoice::Never,
    }
    .write_global();
}

/// Whether stdout shows colours.
pub(crate) fn stdout() -> bool {
    AutoStream::choice(&std::io::stdout()) != ColorChoice::Never
}

/// Whether stderr shows colours.
pub(crate) fn stderr() -> bool {
    AutoStream::choice(&std::io::stderr()) != ColorChoice::Never
}
